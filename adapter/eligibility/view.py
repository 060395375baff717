"""One patient's stay, and the view of it at one moment: all that a fact may look at."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from adapter.domain.assessment import Baseline, SofaScore
from adapter.domain.encounter import Encounter, EncounterClass
from adapter.domain.observation import Laboratory, Observation
from adapter.domain.patient import PatientState
from adapter.domain.trial import Trial
from adapter.eligibility.finding import Reading
from adapter.scoring.baseline import admission_baseline
from adapter.scoring.chart import Chart
from adapter.scoring.options import ScoringOptions
from adapter.scoring.sofa import score

OUTPATIENT = str(EncounterClass.OUTPATIENT)
EMERGENCY = str(EncounterClass.EMERGENCY)
INPATIENT = str(EncounterClass.INPATIENT)


def instant(moment: datetime) -> datetime:
    """In UTC, so that 72 h are elapsed hours and not hours on the wall: Python adds the latter where a zone has both."""
    return moment.astimezone(UTC)


@dataclass(frozen=True)
class Stay:
    """What does not change from one moment of the stay to the next. `infection` is when one was first recorded."""

    trial: Trial
    chart: Chart
    options: ScoringOptions
    encounter: Encounter | None
    infection: datetime | None

    @property
    def state(self) -> PatientState:
        return self.chart.state

    @property
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
    """The stay at `at`. `laboratory` narrows results to one laboratory; the two readings are set once they are known.

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
        return chart.memory.recalled(("sofa", self.at, options), self.at, lambda: score(chart, self.at, options))

    @property
    def reference(self) -> datetime:
        """When the infection was suspected: an infection recorded later was there at this moment already."""
        infection = self.stay.infection
        return self.at if infection is None else min(self.at, infection)

    @property
    def context(self) -> str:
        """`emergency` or `inpatient` (clinical 2.9), `outpatient` for a clinic visit, empty when no visit is known."""
        encounter, admitted = self.stay.encounter, self.stay.admitted
        if encounter is None:
            return ""
        if encounter.started_in_emergency and admitted is not None:
            late = admitted + self.stay.trial.parameters.emergency_context
            return EMERGENCY if self.reference <= late else INPATIENT
        if encounter.encounter_class is EncounterClass.OUTPATIENT:
            return OUTPATIENT
        return INPATIENT

    @property
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

    def observations(self, concept: str) -> tuple[Observation, ...]:
        """Usable observations of the chosen laboratory, future ones included."""
        found = self.stay.chart.observations(concept)
        return found if self.laboratory is None else tuple(o for o in found if o.laboratory is self.laboratory)
