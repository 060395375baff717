"""Urine by weight and hours, as SOFA-2 asks for it."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import accumulate

from adapter.domain.patient import Window
from adapter.domain.quantity import decimal_text
from adapter.scoring.chart import Chart
from adapter.scoring.doses import weight
from adapter.scoring.finding import Finding
from adapter.scoring.thresholds import URINE_DAY
from adapter.scoring.thresholds_sofa2 import ANURIA, TABLE_2, URINE_2
from adapter.scoring.urine import Volume, collected

HOUR = timedelta(hours=1)
Spell = tuple[int, timedelta, Fraction, datetime]
"""Points, over how long, mL/kg/h, until when."""


def diuresis(chart: Chart, window: Window) -> Iterator[Finding]:
    """The worst stretch of hours that ends with an entry of the window; nothing without a weight or a long enough record."""
    volumes = collected(chart, window.start - URINE_DAY, window.end)
    heavy = weight(chart, window.start, window.end)
    if not volumes or heavy is None:
        return
    began = chart.series("urine-output").times[0]
    spells = list(_spells(volumes, window, began, heavy.kilograms))
    if not spells:
        return
    points, length, rate, until = max(spells, key=lambda spell: (spell[0], spell[3]))
    basis = tuple(v.observation for v in volumes if until - length < v.time <= until)
    note = f"{decimal_text(rate)} mL/kg/h over {length // HOUR} h"
    rule = f"urine {note}: {points} ({TABLE_2})"
    yield Finding(points, points, points, (*basis[::-1], heavy.basis), rule, note, flags=heavy.flags)


def _spells(volumes: Sequence[Volume], window: Window, began: datetime, kilograms: Fraction) -> Iterator[Spell]:
    times = [volume.time for volume in volumes]
    sums = [Fraction(0), *accumulate(volume.millilitres for volume in volumes)]
    for end in dict.fromkeys(time for time in times if time > window.start):
        for length, limit, points in (*URINE_2, (ANURIA[0], None, ANURIA[1])):
            if began > end - length:
                continue
            passed = sums[bisect_right(times, end)] - sums[bisect_right(times, end - length)]
            rate = passed / kilograms / (length // HOUR)
            if rate < limit if limit is not None else passed <= 0:
                yield points, length, rate, end
