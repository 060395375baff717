"""What a message can say: the closed list of clinical events."""

from dataclasses import dataclass

from adapter.domain.administration import Administration
from adapter.domain.condition import Condition
from adapter.domain.encounter import EncounterStatement
from adapter.domain.observation import Observation
from adapter.domain.patient import Decision, Demographics, Determination, PatientId
from adapter.domain.ties import Tie


@dataclass(frozen=True, slots=True)
class ObservationReceived:
    patient: PatientId
    observation: Observation


@dataclass(frozen=True, slots=True)
class EncounterChanged:
    patient: PatientId
    statement: EncounterStatement


@dataclass(frozen=True, slots=True)
class PatientDescribed:
    patient: PatientId
    demographics: Demographics


@dataclass(frozen=True, slots=True)
class RecordsTied:
    """A merge, what takes one back, or a visit that moves (HL7 A40, A37, A45); `patient` is one of its records."""

    patient: PatientId
    tie: Tie


@dataclass(frozen=True, slots=True)
class CriterionDetermined:
    patient: PatientId
    determination: Determination


@dataclass(frozen=True, slots=True)
class StatusDecided:
    patient: PatientId
    decision: Decision


@dataclass(frozen=True, slots=True)
class AdministrationStated:
    patient: PatientId
    administration: Administration


@dataclass(frozen=True, slots=True)
class ConditionStated:
    patient: PatientId
    condition: Condition


ClinicalEvent = (
    ObservationReceived
    | EncounterChanged
    | PatientDescribed
    | RecordsTied
    | CriterionDetermined
    | StatusDecided
    | AdministrationStated
    | ConditionStated
)
