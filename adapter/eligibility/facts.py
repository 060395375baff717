"""The closed list of facts a trial may name: what each is, in which unit, and how it is read."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter

from adapter.domain.trial import Comparison
from adapter.eligibility import answers, coded, newest, sepsis, steroids
from adapter.eligibility.finding import Reading
from adapter.eligibility.view import View

Read = Callable[[View, Comparison], Reading]
Given = Callable[[View], object]


class Kind(StrEnum):
    NUMBER = "number"
    WORD = "word"
    YES_NO = "yes or no"


@dataclass(frozen=True, slots=True)
class Fact:
    """`unit` is canonical (decisions B2); `windowed`: takes `within`; `ages`: must be given one.

    `reads`: the concepts whose results it is read from, within `within` and no other time; `given`: what it rests on beside
    them and the description of the person. Where both differ in nothing a reading is not taken again; a fact that does not
    say what it reads is read anew each time (tests/laws/test_memory.py).
    """

    name: str
    kind: Kind
    means: str
    read: Read
    concept: str = ""
    unit: str = ""
    words: tuple[str, ...] = ()
    windowed: bool = False
    ages: bool = False
    contextual: bool = False
    reads: tuple[str, ...] | None = None
    given: Given | None = None
    of: str = ""
    """`set` or `group`: of what it is asked (`of: lupus`)."""

    @property
    def scored(self) -> bool:
        """Read from the score, which has a window of its own."""
        return self.name in SCORE_FACTS

    @property
    def counts_days(self) -> bool:
        """What it shows says on how many days the number it is compared with was reached."""
        return self.name in STEROID_FACTS


SET, GROUP = "set", "group"
TEST_WORDS = ("positive", "negative", "inconclusive")

UNITS = {
    "ferritin": "ng/mL",
    "mhladr": "{AB}/{cell}",
    "neutrophils": "10*3/uL",
    "wbc": "10*3/uL",
    "platelets": "10*3/uL",
    "bilirubin": "mg/dL",
    "creatinine": "mg/dL",
    "lactate": "mmol/L",
    "crp": "mg/L",
    "procalcitonin": "ng/mL",
    "map": "mm[Hg]",
    "weight": "kg",
}
"""The concepts whose newest value a rule may ask for, as `<concept>.latest`."""


def _latest(concept: str, unit: str) -> Fact:
    reading = newest.neutrophils if concept == "neutrophils" else newest.latest
    means = f"the newest final {concept}, in {unit}"
    reads = (concept, *newest.BESIDE.get(concept, ()))
    return Fact(f"{concept}.latest", Kind.NUMBER, means, reading, concept, unit, windowed=True, ages=True, reads=reads)


def _test(name: str, means: str) -> Fact:
    reads = (answers.TESTS[name],)
    return Fact(name, Kind.WORD, means, answers.coded_answer, words=TEST_WORDS, windowed=True, reads=reads)


def _yes_no(name: str, means: str, read: Read, *, windowed: bool = False, reads: tuple[str, ...] | None = None) -> Fact:
    return Fact(name, Kind.YES_NO, means, read, windowed=windowed, reads=reads)


def _derived(name: str, means: str, read: Read, given: Given) -> Fact:
    """From what is already found of the patient."""
    return Fact(name, Kind.YES_NO, means, read, reads=(), given=given)


def _score(name: str, means: str, read: Read) -> Fact:
    reads, given = sepsis.MISSING_READS, sepsis.given
    return Fact(name, Kind.NUMBER, means, read, windowed=True, contextual=True, reads=reads, given=given)


def _drugs(name: str, kind: Kind, means: str, read: Read, reads: tuple[str, ...] = ()) -> Fact:
    return Fact(name, kind, means, read, windowed=True, ages=True, of=GROUP, reads=reads, given=coded.drugs)


def _diagnosis(name: str, means: str, read: Read) -> Fact:
    return Fact(name, Kind.YES_NO, means, read, of=SET, reads=(), given=coded.diagnoses)


def _stratum(view: View, _comparison: Comparison) -> Reading:
    return view.stratum or Reading()


def _time_limit(view: View, _comparison: Comparison) -> Reading:
    return view.time_limit or Reading()


SCORE_FACTS = ("sofa.total", "sofa.increase")
EVERY_DAY = "steroid.every_day"
STEROID_FACTS = ("steroid.daily", EVERY_DAY)

LIST = (
    Fact("age_years", Kind.NUMBER, "completed years of age", answers.age_years),
    Fact("sex", Kind.WORD, "administrative sex", answers.sex, words=("male", "female"), reads=()),
    _score("sofa.total", "SOFA 1996, 24 h worst values", sepsis.sofa_total),
    _score("sofa.increase", "SOFA above the one before", sepsis.sofa_increase),
    *(_latest(concept, unit) for concept, unit in UNITS.items()),
    Fact(
        "covid.active",
        Kind.YES_NO,
        "SARS-CoV-2 detected or COVID-19 diagnosed, and not refuted since",
        answers.covid_active,
        windowed=True,
        reads=("sars-cov-2",),
        given=coded.diagnoses,
    ),
    _test("pregnancy.test", "the newest pregnancy test"),
    _test("hiv.test", "the newest HIV test"),
    _yes_no("code_status.dnr", "any do-not-resuscitate decision", answers.do_not_resuscitate, reads=("code-status",)),
    _yes_no(
        "culture.growth",
        "a culture grew an organism",
        answers.culture_growth,
        windowed=True,
        reads=("culture-organism",),
    ),
    _diagnosis("condition.on_record", "a diagnosis of a code set that is not over", coded.on_record),
    _diagnosis("condition.in_history", "a diagnosis of a code set, also one that is over", coded.in_history),
    Fact(
        "culture.organism",
        Kind.YES_NO,
        "an organism of a set grew",
        coded.organism,
        windowed=True,
        of=SET,
        reads=("culture-organism",),
    ),
    _drugs("drug.given", Kind.YES_NO, "a drug of a group was given", coded.given),
    _drugs("drug.together", Kind.NUMBER, "drugs of a group given on one day", coded.together),
    _drugs("steroid.daily", Kind.NUMBER, "prednisone equivalent of a day, mg/kg", steroids.steroid, ("weight",)),
    _drugs(EVERY_DAY, Kind.NUMBER, "the least of any day, mg/kg", steroids.every_day, ("weight",)),
    _yes_no("lactation", "told by a person only", answers.only_a_person_knows, reads=()),
    _yes_no("pregnancy.unwilling", "told by a person only", answers.only_a_person_knows, reads=()),
    _derived("stratum.assigned", "a stratum of this trial is found", _stratum, attrgetter("stratum")),
    _derived("clock.open", "the time limit has not passed", _time_limit, attrgetter("time_limit")),
)

FACTS = {fact.name: fact for fact in LIST}
