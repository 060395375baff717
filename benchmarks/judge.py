"""The judging half alone: CPU of `screen` for a 20-OBX message, and for one new observation as a patient's record grows."""

import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapter.assets import load_rulebook
from adapter.daemon.collector import spare_what_is_known
from adapter.domain.events import ClinicalEvent
from adapter.domain.message import RawMessage
from adapter.domain.patient import PatientState
from adapter.scoring.chart import Chart
from adapter.screening.interpret import interpret
from adapter.screening.rulebook import Rulebook
from adapter.screening.screen import screen
from adapter.screening.state import apply_all
from benchmarks.pipeline import CHART, LABORATORY, START, admission, message

CHARTED_HOURS, PANELS, PATIENTS, FRESH = 48, 8, 25, 120
SIZES, DAYS = (10, 100, 500, 2_000, 20_000), (1, 7, 30)
MOST_A_DAY = 3_000
"""Two results a minute, all day and all night: nobody charts more of what is scored."""
SCORED = (*CHART, *LABORATORY[:5])
"""What the growing patient is charted with, in turn: twelve concepts that are scored or judged."""
Said = tuple[datetime, Sequence[ClinicalEvent]]


@dataclass(frozen=True, slots=True)
class Cost:
    """Median microseconds of CPU of one message: the whole step, and the join of statements in it."""

    step: float
    join: float


def events_of(rules: Rulebook, messages: Iterable[RawMessage]) -> list[Said]:
    return [(m.received, interpret(m, rules, message_id=str(n)).events) for n, m in enumerate(messages)]


def charted(rules: Rulebook, hours: int) -> Chart:
    """An ICU patient of the pipeline's benchmark: seven lines an hour, a laboratory panel every six."""
    first = START - timedelta(hours=hours)
    told = [admission(0)]
    for hour in range(hours):
        at = first + timedelta(hours=hour, minutes=5)
        told += [message(0, hour, at, CHART)] + ([message(0, 1000 + hour, at, LABORATORY)] if hour % 6 == 0 else [])
    return begun(rules, told)


def grown(rules: Rulebook, size: int, days: int) -> Chart:
    """A patient of `size` observations, spread evenly over a stay of so many days."""
    began, step = START - timedelta(days=days), timedelta(days=days) / (size + 1)
    told = [admission(0, began)]
    told += [message(0, n, began + step * (n + 1), (SCORED[n % len(SCORED)],)) for n in range(size)]
    return begun(rules, told)


def begun(rules: Rulebook, told: Iterable[RawMessage]) -> Chart:
    """A chart on which all that was told has been judged once."""
    nobody = PatientState(interpret(admission(0), rules, message_id="0").patients[0])
    state = apply_all(nobody, [event for _, said in events_of(rules, told) for event in said])
    return followed(rules, Chart(state), [])


def followed(rules: Rulebook, chart: Chart, events: Sequence[ClinicalEvent], now: datetime = START) -> Chart:
    return screen(chart, events, rules, alerts={}, now=now).chart


def cost(rules: Rulebook, charts: Iterable[Chart], told: Sequence[Said]) -> Cost:
    """Of each chart in turn: each message screened on the chart that the one before it left."""
    steps, joins = [], []
    for chart in charts:
        for at, events in told:
            first = time.process_time_ns()
            apply_all(chart.state, events)
            joined = time.process_time_ns()
            chart = followed(rules, chart, events, at + timedelta(seconds=30))  # noqa: PLW2901 — the chart moves on
            steps.append(time.process_time_ns() - joined)
            joins.append(joined - first)
    return Cost(statistics.median(steps) / 1000, statistics.median(joins) / 1000)


def panels(rules: Rulebook) -> list[Said]:
    """Twenty results each, one message a minute."""
    return events_of(rules, (message(0, 5000 + n, START + timedelta(minutes=n), LABORATORY) for n in range(PANELS)))


def singles(rules: Rulebook) -> list[Said]:
    """One charted value each, one message every five minutes."""
    lines = ((SCORED[n % len(SCORED)], START + timedelta(minutes=5 * (n + 1))) for n in range(FRESH))
    return events_of(rules, (message(0, 5000 + n, at, (line,)) for n, (line, at) in enumerate(lines)))


def _shown(found: Cost) -> str:
    return f"{found.step:,.0f} ({found.join:,.0f})"


def main() -> None:
    spare_what_is_known()
    rules = load_rulebook(None, trials=["immunosep-demo"])
    many, few = cost(rules, (charted(rules, 24) for _ in range(PATIENTS)), panels(rules)), singles(rules)
    one = cost(rules, [charted(rules, CHARTED_HOURS)], few)
    print(f"20-OBX ORU, 24 h of ICU charting: {many.step:,.0f} µs of CPU, {many.join:,.0f} of them the join")
    print(f"one new observation, {CHARTED_HOURS} h of it: {one.step:,.0f} µs of CPU, {one.join:,.0f} of them the join")
    print("one new observation of a patient with so many, over a stay of so many days (µs of CPU, the join of them)")
    print("observations" + "".join(f"{f'{days} d':>18}" for days in DAYS))
    for size in SIZES:
        row = [_shown(cost(rules, [grown(rules, size, d)], few)) if size <= d * MOST_A_DAY else "-" for d in DAYS]
        print(f"{size:>12,}" + "".join(f"{text:>18}" for text in row))


if __name__ == "__main__":
    main()
