"""Hour by hour, organ by organ: our score beside mimic-code's, and the fewest rules of theirs that make the two equal."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

from adapter.domain.patient import PatientState
from adapter.scoring.chart import Chart, window_to
from adapter.scoring.options import ScoringOptions
from adapter.scoring.sofa import SCORED_BY
from adapter.scoring.thresholds import WINDOW
from adapter.scoring.urine import PROVISIONAL
from tests.icu.charted import charted
from tests.icu.rules import MISSING_IS_NORMAL, RULES, URINE_PROVISIONAL, Case, under
from tests.icu.tables import Row, Tables, moment

REFERENCE = "sofa-reference/sofa_hourly"
BEFORE = 24
"""mimic-code's hours begin a day before the first."""


@dataclass
class Tally:
    """Of one organ. `explained` counts stay-hours by the smallest set of rules that makes them equal."""

    hours: int = 0
    equal: int = 0
    all_rules_equal: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    unexplained: list[tuple[str, int, int | None, int]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "hours": self.hours,
            "equal": self.equal,
            "explained": dict(self.explained.most_common()),
            "unexplained": len(self.unexplained),
            "equal_under_all_rules": self.all_rules_equal,
        }


@dataclass
class Scorer:
    """One organ of one stay under any set of rules; a chart is laid out once for each set."""

    state: PatientState
    organ: str
    case: Case
    options: ScoringOptions
    _charts: dict[frozenset[str], Chart] = field(default_factory=dict)

    def points(self, at: datetime, rules: frozenset[str]) -> int | None:
        if rules not in self._charts:
            self._charts[rules] = Chart(under(self.state, self.organ, rules, self.case))
        found = SCORED_BY[self.organ](self._charts[rules], window_to(at, WINDOW), self.options)
        score = found.low if URINE_PROVISIONAL in rules and PROVISIONAL in found.flags else found.score
        return 0 if score is None and MISSING_IS_NORMAL in rules else score

    @property
    def rules(self) -> tuple[str, ...]:
        return (MISSING_IS_NORMAL, *RULES[self.organ])

    def fewest(self, at: datetime, theirs: int) -> frozenset[str] | None:
        """The smallest set that makes the hour equal; of equals the first in the order of the table."""
        for size in range(1, len(self.rules) + 1):
            for chosen in combinations(self.rules, size):
                if self.points(at, frozenset(chosen)) == theirs:
                    return frozenset(chosen)
        return None


def hours(tables: Tables) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in tables.rows(REFERENCE):
        found.setdefault(row["stay_id"], []).append(row)
    return found


def compared(
    tables: Tables, stays: Iterable[tuple[str, PatientState]], options: ScoringOptions, first: int | None = None
) -> dict[str, Tally]:
    """`stays` are the ids with what is believed of their patients; `first`: only so many hours of each."""
    reference, seen = hours(tables), charted(tables)
    tallies = {organ: Tally() for organ in RULES}
    for stay, state in stays:
        rows = reference.get(stay, [])
        if rows:
            case = Case(tables.stays[stay], seen[stay], ends_of(rows))
            for organ, tally in tallies.items():
                _compare(Scorer(state, organ, case, options), rows[:first], tally)
    return tallies


def ends_of(rows: list[Row]) -> tuple[datetime, ...]:
    ends = sorted(moment(row["endtime"]) for row in rows)
    return (*(ends[0] - timedelta(hours=n) for n in range(BEFORE, 0, -1)), *ends)


def _compare(scorer: Scorer, rows: list[Row], tally: Tally) -> None:
    every = frozenset(scorer.rules)
    for row in rows:
        at, theirs = moment(row["endtime"]), int(row[f"{scorer.organ}_24hours"])
        ours = scorer.points(at, frozenset())
        tally.hours += 1
        tally.all_rules_equal += scorer.points(at, every) == theirs
        if ours == theirs:
            tally.equal += 1
            continue
        found = scorer.fewest(at, theirs)
        if found is None:
            tally.unexplained.append((row["stay_id"], int(row["hr"]), ours, theirs))
        else:
            tally.explained["+".join(name for name in scorer.rules if name in found)] += 1
