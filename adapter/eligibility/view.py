"""One patient's stay, and the view of it at one moment: all that a fact may look at."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from adapter.domain.assessment import Baseline, SofaScore
from adapter.domain.encounter import Encounter, EncounterClass
from adapter.domain.observation import Laboratory, Observation
from adapter.domain.patient import PatientState
from adapter.domain.trial import Trial
from adapter.eligibility.finding import Reading
from adapter.scoring.baseline import admission_baseline
from adapter.scoring.chart import Chart
from adapter.scoring.memory import Concluded
from adapter.scoring.options import ScoringOptions
from adapter.scoring.sofa import score
from adapter.scoring.turns import SCORED, Turns

if TYPE_CHECKING:
    from adapter.eligibility.plan import Plan

OUTPATIENT = str(EncounterClass.OUTPATIENT)
EMERGENCY = str(EncounterClass.EMERGENCY)
INPATIENT = str(EncounterClass.INPATIENT)


def instant(moment: datetime) -> datetime:
    """In UTC, so that 72 h are elapsed hours and not hours on the wall: Python adds the latter where a zone has both."""
    return moment.astimezone(UTC)


class Person(NamedTuple):
    """All that a fact may ask of who the patient is, as it was described."""

    sex: str
    birth_date: str


@dataclass(frozen=True)
class Stay:
    """What does not change from one moment of the stay to the next. `infection` is when one was first recorded; `suspected`,
    the earliest that it may have been suspected (ADR 42).
    """

    trial: Trial
    plan: "Plan"
    chart: Chart
    options: ScoringOptions
    encounter: Encounter | None
    infection: datetime | None
    infection_basis: str = ""
    suspected: datetime | None = None

    @property
    def state(self) -> PatientState:
        return self.chart.state

    @cached_property
    def person(self) -> "Person":
        said = self.state.demographics
        return Person(said.get("sex"), said.get("birth_date"))

    @cached_property
    def admitted(self) -> datetime | None:
        admitted = self.encounter.admitted if self.encounter else None
        return None if admitted is None else instant(admitted)

    @cached_property
    def admission(self) -> Baseline | None:
        """The admission SOFA: maxima over the first hours of the stay, none where the infection came before them."""
        if self.admitted is None:
            return None
        parameters = self.trial.parameters
        end = self.admitted + parameters.baseline_window
        if self.infection is not None:
            end = min(end, self.infection - parameters.baseline_before_infection)
        return admission_baseline(self.chart, self.admitted, end, self.options) if end > self.admitted else None


@dataclass(frozen=True)
class View:
    """The stay at `at` (in UTC). `laboratory` narrows results to one laboratory; the two readings are set once they are known.

    `kept`: the score of this moment will be asked for again, with the patient's next results.
    """

    stay: Stay
    at: datetime
    laboratory: Laboratory | None = None
    stratum: Reading | None = None
    time_limit: Reading | None = None
    kept: bool = False

    @cached_property
    def sofa(self) -> SofaScore:
        chart, options = self.stay.chart, self.stay.options
        if not self.kept:
            return score(chart, self.at, options)
        question = ("sofa at onset", self.stay.trial.id, self.stay.admitted)
        return chart.memory.settled(question, self.at, SCORED, lambda: score(chart, self.at, options), options)

    @cached_property
    def readings(self) -> dict[Hashable, Reading]:
        """Facts read so far: several criteria may ask for the same."""
        return {}

    @property
    def reference(self) -> datetime:
        """When the infection was suspected; while none is on record, it would be now."""
        return self.stay.infection or self.at

    @cached_property
    def context(self) -> str:
        """`emergency` or `inpatient` (clinical 2.9), `outpatient` for a clinic visit, empty when no visit is known."""
        encounter, admitted = self.stay.encounter, self.stay.admitted
        if encounter is None:
            return ""
        if encounter.started_in_emergency and admitted is not None:
            late = admitted + self.stay.trial.parameters.emergency_context
            return EMERGENCY if (self.stay.suspected or self.at) <= late else INPATIENT
        if encounter.encounter_class is EncounterClass.OUTPATIENT:
            return OUTPATIENT
        return INPATIENT

    @cached_property
    def baseline(self) -> Baseline | None:
        """The SOFA before (decisions A5); `None` where no one can know it from the record."""
        if self.context == EMERGENCY:
            return Baseline(0, 0, "assumed 0: admitted with infection through emergency (Sepsis-3)")
        return None if self._came_along else self.stay.admission

    @property
    def _came_along(self) -> bool:
        """The infection is too young to have begun in this hospital: what the SOFA was before, it alone knows."""
        encounter, admitted = self.stay.encounter, self.stay.admitted
        if encounter is None or admitted is None or encounter.started_in_emergency:
            return False
        return self.reference < admitted + self.stay.trial.parameters.hospital_acquired

    def observations(self, concept: str, within: timedelta | None = None) -> list[Observation]:
        """Usable observations of the chosen laboratory later than `at - within`, future ones included."""
        told = self.stay.chart.series(concept).told
        items = told.items if within is None else told.later(self.at - within)
        if self.laboratory is None:
            return [item.observation for item in items]
        return [item.observation for item in items if item.observation.laboratory is self.laboratory]

    def measured(self, concept: str, within: timedelta | None = None) -> bool:
        """Whether there is any in `(at - within, at]`."""
        return any(one.effective <= self.at for one in self.observations(concept, within))

    def remembered(
        self, question: Hashable, turns: Turns, conclude: Callable[[], Concluded], *given: object
    ) -> Concluded:
        """What `conclude()` says of the stay now; not asked again while it can only say the same."""
        return self.stay.chart.remembered(question, self.at, turns, conclude, *given)
