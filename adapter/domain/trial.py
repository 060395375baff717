"""A trial as data: criteria, strata and clocks, in a closed language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction

from adapter.domain.encounter import EncounterClass

CONSENTED, ON_STUDY = "consented", "on-study"
"""The statuses by which a patient takes part; the second says that he was randomised. A person sets them."""


def ends_the_question(status: str, *, with_reason: bool) -> bool:
    """Whether a person's status does: one that has reasons (declined, not eligible), or by which the patient takes part."""
    return with_reason or status in {CONSENTED, ON_STUDY}


class Operator(StrEnum):
    AT_LEAST = "at_least"
    ABOVE = "above"
    BELOW = "below"
    AT_MOST = "at_most"
    IS = "is"


@dataclass(frozen=True, slots=True)
class Code:
    """`system` is ours (`icd-10`, `snomed-ct`, `organism`, `group`); without its dot; `prefix`: and whatever begins so;
    `excepted`: not that of it.
    """

    system: str
    code: str
    prefix: bool = False
    excepted: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a protocol page may name beside facts: units of concepts, code sets, groups of drugs."""

    convert: Callable[[str, Fraction, str], Fraction | None]
    """(concept, value, unit) → the value in the concept's canonical unit; `None` where the unit is not one of its own."""
    sets: Mapping[str, tuple[Code, ...]] = field(default_factory=dict)
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Comparison:
    """`fact` compared with `value`, which stands in the fact's canonical unit (converted at load)."""

    fact: str
    operator: Operator
    value: Fraction | str | bool
    unit: str = ""
    within: timedelta | None = None
    context: EncounterClass | None = None
    paired_with: str | None = None
    of: str = ""
    """The code set or group of drugs that a fact about codes is asked of, and its codes."""
    codes: tuple["Code", ...] = ()


class Connective(StrEnum):
    ALL = "all"
    ANY = "any"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Combination:
    connective: Connective
    rules: tuple["Rule", ...]


Rule = Comparison | Combination


class CriterionKind(StrEnum):
    INCLUSION = "inclusion"
    EXCLUSION = "exclusion"


class Needs(StrEnum):
    """What would settle an unknown criterion."""

    NOTHING = "nothing"
    DATA = "data"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Criterion:
    """`text` is the protocol's own sentence, `ask` the question for the bedside, `source` where the sentence stands.

    `met_when` is the machine's own answer; `suggested_when` only lays evidence before the person who answers.
    """

    id: str
    kind: CriterionKind
    text: str
    needs: Needs
    met_when: Rule | None = None
    ask: str = ""
    source: str = ""
    short: str = ""
    suggested_when: Rule | None = None
    rule: str = ""
    """What the machine asks of the record, in words, with what a derived fact rests on."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """In order of precedence; `blocked_when` turns the finding into `blocked_as`."""

    id: str
    met_when: Rule
    blocked_when: Rule | None = None
    blocked_as: str = ""


@dataclass(frozen=True, slots=True)
class Clock:
    """From the first moment criterion `starts` holds until `limit`, strictly."""

    id: str
    starts: str
    limit: timedelta
    warn_left: tuple[timedelta, ...] = ()


@dataclass(frozen=True, slots=True)
class FollowUpPlan:
    """What a protocol asks for after randomisation, by study day; day 1 is the calendar day of randomisation.

    An organ that nobody measured on a day keeps the score of an earlier one (LOCF), where what that rests on is no older
    than `carry_forward` at the day's end (clinical 2.4).
    """

    sofa_days: tuple[int, ...] = ()
    survival_days: tuple[int, ...] = ()
    carry_forward: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Trial:
    id: str
    title: str
    registry: str
    protocol_version: str
    stratum_requires: str
    """`central` or `any`: which laboratory may decide the stratum (decisions B9)."""
    criteria: tuple[Criterion, ...]
    strata: tuple[Stratum, ...]
    clocks: tuple[Clock, ...]
    parameters: "TrialParameters"
    statuses: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What a person may set, each with its reason codes (empty: no reason is asked)."""
    follow_up: FollowUpPlan = field(default_factory=FollowUpPlan)

    def criterion(self, criterion_id: str) -> Criterion | None:
        return next((c for c in self.criteria if c.id == criterion_id), None)


@dataclass(frozen=True, slots=True)
class TrialParameters:
    """What this protocol chose beside its criteria; every figure stands in trial.yaml."""

    sepsis_criterion: str
    stratum_criterion: str
    sofa_window: timedelta
    emergency_context: timedelta
    """Infection suspected up to this long after an emergency arrival keeps the context emergency."""
    baseline_window: timedelta
    near_threshold: Fraction
    """Share of a stratum threshold within which a value is inside assay noise."""
    pair_within: timedelta
    consent_criterion: str = ""
    """The criterion that a person answers once consent is given, where the page has one."""
    infection_criterion: str = ""
    """The criterion by which a person records that there is an infection."""
    infection_codes: tuple[Code, ...] = ()
    """Diagnoses that mean an infection."""
    commensal_codes: tuple[Code, ...] = ()
    """Organisms of the skin: one that grew may have come from it."""
    chronic_codes: Mapping[str, tuple[Code, ...]] = field(default_factory=dict)
    """Diagnoses of organs that may have failed long before, by the name of their set."""
    covid_codes: tuple[Code, ...] = ()
    """Diagnoses that mean COVID-19."""
    hospital_acquired: timedelta = timedelta(0)
    """An infection sooner than this after a non-emergency admission came with the patient: its baseline is unknown."""
    baseline_before_infection: timedelta = timedelta(0)
    """The admission SOFA looks no later than this long before the infection, and the search for the onset no earlier."""
