"""One trial, one patient, one moment: the verdict and everything it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING

from adapter.domain.encounter import Encounter
from adapter.domain.observation import Observation
from adapter.domain.patient import PatientId
from adapter.domain.quantity import decimal_text
from adapter.domain.trial import CriterionKind, Needs
from adapter.domain.truth import Truth

if TYPE_CHECKING:
    from adapter.domain.follow_up import FollowUp


class Verdict(StrEnum):
    NOT_CANDIDATE = "not-candidate"
    INCOMPLETE = "incomplete"
    CANDIDATE = "candidate"
    EXPIRED = "expired"


LOST = frozenset({Verdict.NOT_CANDIDATE, Verdict.INCOMPLETE})
"""By which one who was a candidate has lost the ground: by a correction, not by time."""


class Certainty(StrEnum):
    CERTAIN = "certain"
    POSSIBLE = "possible"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A value something rests on: canonical beside what the source wrote; `message` is the inbox id."""

    concept: str
    value: str
    unit: str
    effective: datetime
    message: str
    original_value: str = ""
    original_unit: str = ""
    laboratory: str = ""
    identity: str = ""
    note: str = ""
    status: str = ""
    """`final` or `corrected`, where it is a result."""
    issued: datetime | None = None


def evidence_of(observation: Observation, note: str = "") -> Evidence:
    """The canonical value beside what the source wrote; a bound keeps its sign."""
    quantity = observation.quantity
    value = observation.code or ""
    if quantity is not None:
        value = f"{quantity.comparator or ''}{decimal_text(quantity.value)}"
    return Evidence(
        concept=observation.concept,
        value=value,
        unit=quantity.unit if quantity is not None else "",
        effective=observation.effective,
        message=observation.message,
        original_value=observation.original.value,
        original_unit=observation.original.unit,
        laboratory=str(observation.laboratory),
        identity=observation.identity,
        note=note,
        status=str(observation.status),
        issued=observation.issued,
    )


class OrganStatus(StrEnum):
    MEASURED = "measured"
    DERIVED = "derived"
    CARRIED = "carried"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class OrganScore:
    """One SOFA component. `score` is null when missing; `[low, high]` is 0 to 4 then."""

    score: int | None
    low: int
    high: int
    status: OrganStatus
    flags: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    rule: str = ""
    """The cut-point that decided, in words, with its source."""
    settled: int | None = None
    """The low end if a person said that the unit column with more points counts; none where that changes nothing."""


ORGANS = ("respiration", "coagulation", "liver", "cardiovascular", "cns", "renal")
"""The six components in the order of Vincent 1996."""


@dataclass(frozen=True, slots=True)
class SofaScore:
    """Six organs at a moment; the total is an interval because missing is not normal."""

    at: datetime
    window_hours: int
    organs: Mapping[str, OrganScore]
    equivalent: Fraction | None = None
    """Norepinephrine equivalent in ug/kg/min, the highest of the window: a side figure that scores nothing."""

    @property
    def low(self) -> int:
        return sum(organ.low for organ in self.organs.values())

    @property
    def high(self) -> int:
        return sum(organ.high for organ in self.organs.values())

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(name for name, organ in self.organs.items() if organ.score is None)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The SOFA before, as an interval, and why this one."""

    low: int
    high: int
    source: str


@dataclass(frozen=True, slots=True)
class Sepsis:
    """Sepsis-3 in this episode. `context` is `emergency` or `inpatient`, or empty when no visit is known."""

    context: str
    baseline: Baseline | None
    increase_low: int | None
    increase_high: int | None
    infection: datetime | None
    onset: datetime | None
    deadline: datetime | None
    provisional: bool = True
    """Until an infection is on record: by a culture, an antibiotic with one, a diagnosis, or a person (decisions A5)."""
    infection_basis: str = ""
    onset_computed: datetime | None = None
    """What the score says, whatever a person does."""
    onset_by: str = ""
    onset_reason: str = ""
    onset_low: int | None = None
    """The SOFA of the moment at which sepsis began, where it has."""
    onset_high: int | None = None

    def hours_left(self, at: datetime) -> float | None:
        return None if self.deadline is None else (self.deadline - at).total_seconds() / 3600


@dataclass(frozen=True, slots=True)
class CriterionResult:
    id: str
    kind: CriterionKind
    text: str
    answer: Truth
    needs: Needs
    ask: str = ""
    evidence: tuple[Evidence, ...] = ()
    certain: bool = True
    """False where the answer rests on one end of an interval only."""
    determined_by: str = ""
    """The person who answered, if one did."""
    note: str = ""
    rule: str = ""
    """What the machine asked of the record, in words: `ferritin.latest above 4420 ng/mL within 72 h`."""
    source: str = ""
    """Where the protocol's sentence stands, with its registry id or paper."""


@dataclass(frozen=True, slots=True)
class DecidingTest:
    """One result that would settle `criterion`: `always`, or only at the values that `says` names.

    `alone`: no other criterion waits for data, so that it settles the verdict as far as data can.
    """

    criterion: str
    test: str
    always: bool
    alone: bool
    says: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """`shown` follows decisions A2; `review_at` is the next moment at which time alone may change the answer."""

    patient: PatientId
    trial: str
    episode: str
    at: datetime
    verdict: Verdict
    certainty: Certainty
    stratum: str
    shown: bool
    sofa: SofaScore
    sepsis: Sepsis
    criteria: tuple[CriterionResult, ...]
    missing: tuple[str, ...]
    questions: tuple[str, ...]
    rulebook: str
    provisional: bool = False
    """The stratum rests on local values only while the trial asks for the central laboratory."""
    flags: tuple[str, ...] = ()
    stratum_evidence: tuple[Evidence, ...] = ()
    encounter: Encounter | None = None
    status: str = ""
    """What a person decided last for this episode, if anybody did."""
    decided_at: datetime | None = None
    review_at: datetime | None = None
    deciding: tuple[DecidingTest, ...] = ()
    facts: Mapping[str, Evidence] = field(default_factory=dict)
    """The latest value of each concept a reader wants beside the verdict (ferritin, mhladr, lactate, …)."""
    follow_up: "FollowUp | None" = None
    """Of somebody who was randomised."""
