"""Corticosteroids as prednisone per kilogram and day (clinical 3.3, E11): shown to whoever answers, unless the trial has it answer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from statistics import median

from adapter.domain.administration import Administration
from adapter.domain.assessment import Evidence
from adapter.domain.quantity import Interval, decimal_text
from adapter.domain.trial import Comparison
from adapter.eligibility.coded import dose_evidence, given_within
from adapter.eligibility.finding import Reading
from adapter.eligibility.view import View, instant
from adapter.scoring.flows import amount, flow, strength
from adapter.scoring.thresholds import PREDNISONE_FACTORS, STEROID_ROUTES

NO_WEIGHT = "What does the patient weigh? Corticosteroids were given, and no weight is on file"
MINUTE, DAY, TICK = timedelta(minutes=1), timedelta(days=1), timedelta.resolution
MILLIGRAM = 1000
"""Micrograms."""
Share = tuple[date, Fraction, Administration]
"""Milligrams of prednisone of a day."""


def steroid(view: View, comparison: Comparison) -> Reading:
    """Of the day with most of it; at least, since nobody knows what was taken elsewhere. Median and days stand beside it."""
    return _read(view, comparison, "steroid.daily", lambda days: max(days.values()))


def every_day(view: View, comparison: Comparison) -> Reading:
    """Of the day with least of it, of as many as the window has, up to the newest on which it was given; at least, as above."""

    def least(days: Mapping[date, Fraction]) -> Fraction:
        newest, window = max(days), (comparison.within or DAY) // DAY
        return min(days.get(newest - n * DAY, Fraction(0)) for n in range(window))

    return _read(view, comparison, "steroid.every_day", least)


def _read(view: View, comparison: Comparison, name: str, of: Callable[[Mapping[date, Fraction]], Fraction]) -> Reading:
    """Oral and intravenous doses and infusions over the newest weight."""
    shares = [share for one in given_within(view, comparison) for share in _prednisone(one, view.at)]
    if not shares:
        return Reading()
    days: dict[date, list[Share]] = {}
    for share in shares:
        days.setdefault(share[0], []).append(share)
    most = max(days.values(), key=_sum)
    evidence = tuple(dose_evidence(one) for _, _, one in most)
    weight = _weight(view)
    if weight is None:
        return Reading(word=None, evidence=evidence, asks=(NO_WEIGHT,), missing=("weight",))
    daily = {day: _sum(one) / weight for day, one in days.items()}
    found, first, course = of(daily), most[0][2], _course(list(daily.values()), comparison)
    shown = Evidence(name, decimal_text(found), "mg/kg", first.start, first.message, note=course)
    return Reading(intervals=(Interval(found, None),), evidence=(shown, *evidence))


def _course(daily: Sequence[Fraction], comparison: Comparison) -> str:
    """So that a person can tell a single dose from a course (the protocol's sentence may be read either way)."""
    limit = Fraction(comparison.value)
    days = sum(1 for dose in daily if dose >= limit)
    middle = decimal_text(median(daily))
    return f"median {middle} mg/kg over {len(daily)} days with any; {days} days of {decimal_text(limit)} mg/kg or more"


def _weight(view: View) -> Fraction | None:
    weights = [
        o.quantity.value for o in view.observations("weight") if o.effective <= view.at and o.quantity is not None
    ]
    return weights[-1] if weights and weights[-1] > 0 else None


def _prednisone(one: Administration, at: datetime) -> Iterator[Share]:
    """Of each day on which it flowed; a rate without an end, or without a strength, has no amount."""
    factor = PREDNISONE_FACTORS.get(one.substance)
    if factor is None or one.route not in STEROID_ROUTES:
        return
    if one.dose is not None:
        taken = amount(one.dose.value, one.dose.unit)
        if taken is not None and taken[1] == "ug":
            yield one.start.date(), taken[0] / MILLIGRAM * factor, one
        return
    per_minute = _flow(one)
    if per_minute is not None:
        yield from ((day, per_minute * minutes / MILLIGRAM * factor, one) for day, minutes in _spread(one, at))


def _flow(one: Administration) -> Fraction | None:
    """Micrograms a minute."""
    found = None if one.rate is None else flow(one.rate)
    if found is None or found.per_kg:
        return None
    if found.kind == "mL":
        inside = None if one.concentration is None else strength(one.concentration)
        return None if inside is None or inside[1] != "ug" else found.amount * inside[0]
    return found.amount if found.kind == "ug" else None


def _spread(one: Administration, at: datetime) -> Iterator[tuple[date, Fraction]]:
    """Minutes of each calendar day, by the sender's own clock, of what has flowed by now."""
    if one.end is None:
        return
    end = min(instant(one.end), at).astimezone(one.start.tzinfo)
    begin = one.start
    while begin < end:
        midnight = datetime.combine(begin.date() + DAY, time(), begin.tzinfo)
        until = min(midnight, end)
        yield begin.date(), Fraction((instant(until) - instant(begin)) // TICK, MINUTE // TICK)
        begin = until


def _sum(shares: Sequence[Share]) -> Fraction:
    return sum((milligrams for _, milligrams, _ in shares), Fraction(0))
