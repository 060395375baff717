"""A patient as far as the messages tell: results, visits, who they are, what people decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapter.domain.administration import Administration
from adapter.domain.condition import Condition
from adapter.domain.encounter import EncounterStatement
from adapter.domain.observation import Result
from adapter.domain.truth import Truth


@dataclass(frozen=True, slots=True, order=True)
class PatientId:
    """An identifier with its assigning authority, at one site: the same number elsewhere is another person."""

    site: str
    authority: str
    value: str

    def __repr__(self) -> str:
        """Identifiers never reach a log by accident."""
        return f"PatientId({self.site}, …)"


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open `(end - length, end]`."""

    end: datetime
    length: timedelta

    @property
    def start(self) -> datetime:
        return self.end - self.length


@dataclass(frozen=True, slots=True)
class Stated:
    """One demographic field and when the source last said it; the newest statement wins."""

    value: str
    at: datetime
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Demographics:
    """By field name: `family given birth_date sex died test opt_out deleted`. HL7 `""` is stated as empty; silence is not
    stated at all.

    `birth_date` and `died` are ISO 8601 text of the precision the source gave.
    """

    fields: Mapping[str, Stated] = field(default_factory=dict)

    def get(self, name: str) -> str:
        stated = self.fields.get(name)
        return stated.value if stated else ""


@dataclass(frozen=True, slots=True)
class Determination:
    """A person's answer to a criterion no machine can read."""

    trial: str
    criterion: str
    answer: Truth
    at: datetime
    by: str
    note: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's status for a candidate (`screening`, `declined`, …) with its reason."""

    trial: str
    episode: str
    status: str
    at: datetime
    by: str
    reason: str = ""
    note: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class PatientState:
    """Everything believed of one patient. Every part is a join: order and repetition of messages do not matter.

    `results` maps a concept to its results in order of (effective time, identity).
    """

    patient: PatientId
    results: Mapping[str, tuple[Result, ...]] = field(default_factory=dict)
    statements: tuple[EncounterStatement, ...] = ()
    demographics: Demographics = field(default_factory=Demographics)
    determinations: tuple[Determination, ...] = ()
    decisions: tuple[Decision, ...] = ()
    administrations: tuple[Administration, ...] = ()
    """Every statement about a drug; what stands of them, `domain.administration.standing` knows."""
    conditions: tuple[Condition, ...] = ()
    """As `administrations`, of diagnoses and problems."""

    def decided(self, trial: str, episode: str) -> tuple[Decision, ...]:
        """What people decided of this episode, in order of time."""
        mine = (one for one in self.decisions if (one.trial, one.episode) == (trial, episode))
        return tuple(sorted(mine, key=lambda one: (one.at, one.digest)))
