"""When sepsis began: our onset of each ICU stay beside mimic-code's Sepsis-3, and the fewest rules that make them equal."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import combinations
from typing import Any

from adapter.domain.assessment import Sepsis
from adapter.domain.patient import PatientState
from adapter.domain.trial import Trial
from adapter.eligibility.evaluate import assess
from adapter.scoring.chart import Chart
from adapter.scoring.moments import moments
from adapter.scoring.options import ScoringOptions
from adapter.scoring.sofa import score
from tests.icu.charted import charted
from tests.icu.compare import Scorer, ends_of, hours
from tests.icu.rules import RULES, Case
from tests.icu.tables import Row, Tables, moment

REFERENCE = "sofa-reference/sepsis3"
BEFORE, AFTER = timedelta(hours=48), timedelta(hours=24)
POINTS = 2
SUSPICION, BASELINE, SOFA, GRID = "suspicion-of-infection", "baseline-zero", "their-sofa", "hours-of-the-stay"
ONSET_RULES = (SUSPICION, GRID, BASELINE, SOFA)


@dataclass(frozen=True)
class Onset:
    """One stay: ours is found on the record of the whole admission, theirs within the stay."""

    state: PatientState
    case: Case
    rows: list[Row]
    theirs: Row | None
    trial: Trial
    options: ScoringOptions
    _low: dict[datetime, int] = field(default_factory=dict)

    @cached_property
    def chart(self) -> Chart:
        return Chart(self.state)

    @cached_property
    def ours(self) -> Sepsis:
        end = max(self.case.ends)
        return assess(
            self.trial, self.chart, end, options=self.options, rulebook="", episode=self.case.stay.admission
        ).sepsis

    @cached_property
    def scorers(self) -> list[Scorer]:
        return [Scorer(self.state, organ, self.case, self.options) for organ in RULES]

    def under(self, rules: frozenset[str]) -> datetime | None:
        """The first moment at which sepsis holds by those rules."""
        if not rules:
            return self.ours.onset
        if SUSPICION in rules and self.theirs is None:
            return None
        times = [at for at in self._times(rules) if SUSPICION not in rules or self._near(at)]
        return next((at for at in times if self._holds(at, rules)), None)

    def _times(self, rules: frozenset[str]) -> Iterable[datetime]:
        if GRID in rules:
            return sorted(moment(row["endtime"]) for row in self.rows)
        begun = self._admitted
        return (begun, *moments(self.chart, begun, max(self.case.ends), self.options))

    @cached_property
    def _admitted(self) -> datetime:
        visits = [s.at for s in self.state.statements if s.visit == self.case.stay.admission]
        return min(visits, default=self.case.stay.begin)

    def _near(self, at: datetime) -> bool:
        infection = moment(self.theirs["suspected_infection_time"]) if self.theirs else at
        return infection - BEFORE <= at <= infection + AFTER

    def _holds(self, at: datetime, rules: frozenset[str]) -> bool:
        total = self._their_total(at) if SOFA in rules else self._our_total(at)
        if BASELINE in rules or self.ours.context == "emergency":
            return total >= POINTS
        known = self.ours.baseline
        return known is not None and total - known.high >= POINTS

    def _our_total(self, at: datetime) -> int:
        if at not in self._low:
            self._low[at] = score(self.chart, at, self.options).low
        return self._low[at]

    def _their_total(self, at: datetime) -> int:
        return sum(one.points(at, frozenset(one.rules)) or 0 for one in self.scorers)

    @property
    def expected(self) -> datetime | None:
        """Theirs."""
        return moment(self.theirs["sofa_time"]) if self.theirs and self.theirs["sepsis3"].lower() == "true" else None

    def fewest(self) -> str | None:
        for size in range(1, len(ONSET_RULES) + 1):
            for chosen in combinations(ONSET_RULES, size):
                if self.under(frozenset(chosen)) == self.expected:
                    return "+".join(chosen)
        return None


@dataclass
class OnsetTally:
    """Of all stays; `unexplained` names them."""

    stays: int = 0
    equal: int = 0
    all_rules_equal: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)

    def add(self, one: Onset) -> None:
        self.stays += 1
        self.all_rules_equal += one.under(frozenset(ONSET_RULES)) == one.expected
        if one.ours.onset == one.expected:
            self.equal += 1
        elif (found := one.fewest()) is None:
            self.unexplained.append(one.case.stay.id)
        else:
            self.explained[found] += 1

    def as_json(self) -> dict[str, Any]:
        return {
            "stays": self.stays,
            "equal": self.equal,
            "explained": dict(self.explained.most_common()),
            "unexplained": len(self.unexplained),
            "equal_under_all_rules": self.all_rules_equal,
        }


def onsets_compared(
    tables: Tables, stays: Iterable[tuple[str, PatientState]], trial: Trial, options: ScoringOptions
) -> OnsetTally:
    tally = OnsetTally()
    for one in onsets(tables, stays, trial, options):
        tally.add(one)
    return tally


def onsets(
    tables: Tables, stays: Iterable[tuple[str, PatientState]], trial: Trial, options: ScoringOptions
) -> Iterator[Onset]:
    reference, seen = hours(tables), charted(tables)
    theirs = {row["stay_id"]: row for row in tables.rows(REFERENCE)}
    for stay, state in stays:
        rows = reference.get(stay, [])
        if rows:
            case = Case(tables.stays[stay], seen[stay], ends_of(rows))
            yield Onset(state, case, rows, theirs.get(stay), trial, options)
