"""Coded answers: tests, code status, cultures, and what the registration desk knows of a person."""

import calendar
from datetime import date, datetime, timedelta
from functools import lru_cache

from adapter.domain.assessment import Evidence, evidence_of
from adapter.domain.condition import ConditionStatus
from adapter.domain.observation import Observation
from adapter.domain.trial import Comparison
from adapter.eligibility.coded import diagnosed
from adapter.eligibility.finding import Reading, earliest, unique, whole_interval
from adapter.eligibility.newest import Newest, newest
from adapter.eligibility.view import View, instant

TESTS = {"pregnancy.test": "pregnancy-test", "hiv.test": "hiv-test"}
COVID_UNTESTED = "Is COVID-19 diagnosed? No conclusive SARS-CoV-2 test is on file"
COVID_DISCORDANT = "Is COVID-19 active? It was detected or diagnosed, and another test did not detect it"
COVID = "covid-19"
"""The code set of its diagnoses."""
SEXES = {"m": "male", "male": "male", "f": "female", "female": "female"}
NO_GROWTH = ("no ", "not ", "none", "nil", "negative", "sterile", "culture negative", "264868006", "260415000")
"""How laboratories and SNOMED CT (264868006 no growth, 260415000 not detected) say that nothing grew."""
NOT_YET = (
    *(
        "pending",
        "in progress",
        "see ",
        "to follow",
        "preliminary",
        "culture pending",
        "culture in progress",
        "culture to follow",
    ),
    *(
        "cancel",
        "reject",
        "specimen",
        "sample",
        "insufficient",
        "quantity not",
        "test not",
        "unable",
        "unsuitable",
        "contaminated",
    ),
    *("duplicate", "repeat", "clotted", "haemoly", "hemoly", "ngtd", "n/a"),
)
"""Words in the place of an organism that name none: nothing is known yet, or nobody looked (clinical 6.1, trap 1)."""
NAMELESS = frozenset({"ng", "na", "no", "not"})
"""As the whole of it."""


def coded_answer(view: View, comparison: Comparison) -> Reading:
    """`positive`, `negative` or `inconclusive` as last told; unknown without a test."""
    return _word(view, comparison, TESTS[comparison.fact])


def covid_active(view: View, comparison: Comparison) -> Reading:
    """Yes by a detection or an active diagnosis, no by negatives alone; a negative since a detection or beside a diagnosis,
    or no conclusive test, is for a person.

    An inconclusive test neither finds nor refutes (clinical 4: discordant tests are never the machine's to decide).
    """
    told = _coded(view, "sars-cov-2", comparison.within)
    yes, no = (
        newest([o for o in told if o.code == word], view.at, comparison.within) for word in ("detected", "not-detected")
    )
    codes = diagnosed(view, COVID, view.stay.trial.parameters.covid_codes, (ConditionStatus.ACTIVE,))
    found = bool(yes.observations or codes)
    refuted = found and bool(no.observations) and not (yes.observations and _drawn(yes) > _drawn(no))
    shown = (*yes.observations, *(no.observations if refuted or not found else ()))
    return Reading(
        word=None if refuted or not (shown or codes) else found,
        evidence=(*(evidence_of(o) for o in shown), *codes),
        flags=unique(flag for o in shown for flag in o.flags),
        asks=(COVID_DISCORDANT if refuted else COVID_UNTESTED,),
        changes=earliest((yes.changes, no.changes)),
    )


def _drawn(found: Newest) -> datetime:
    return max(instant(o.effective) for o in found.observations)


def _word(view: View, comparison: Comparison, concept: str) -> Reading:
    found = newest(_coded(view, concept, comparison.within), view.at, comparison.within)
    words = {o.code for o in found.observations}
    return Reading(
        word=words.pop() if len(words) == 1 else None,
        evidence=tuple(evidence_of(o) for o in found.observations),
        flags=unique(flag for o in found.observations for flag in o.flags),
        changes=found.changes,
    )


def _coded(view: View, concept: str, within: timedelta | None = None) -> list[Observation]:
    return [o for o in view.observations(concept, within) if o.code is not None]


def do_not_resuscitate(view: View, _comparison: Comparison) -> Reading:
    """Any such decision in this stay, revoked or not: the protocol says "any"."""
    ever = _coded(view, "code-status")
    told = [o for o in ever if o.effective <= view.at]
    coming = (instant(o.effective) for o in ever if o.effective > view.at)
    against = [o for o in told if o.code == "dnr"]
    shown = tuple(evidence_of(o) for o in against or told[-1:])
    return Reading(word=bool(against) if told else None, evidence=shown, changes=earliest(coming))


def culture_growth(view: View, comparison: Comparison) -> Reading:
    """Something grew within the window, all of it shown (a commensal may follow a pathogen); silence says nothing."""
    grown = [o for o in _coded(view, "culture-organism", comparison.within) if grew(o)]
    found = newest(grown, view.at, comparison.within)
    if not found.observations:
        return Reading(changes=found.changes)
    since = None if comparison.within is None else view.at - comparison.within
    shown = [o for o in grown if o.effective <= view.at and (since is None or o.effective > since)]
    return Reading(word=True, evidence=tuple(evidence_of(o) for o in shown), changes=found.changes)


def grew(observation: Observation) -> bool:
    """A dash or a dot names no organism; a code of digits may."""
    said = observation.code or ""
    named = any(map(str.isalnum, said)) and said not in NAMELESS
    return named and not said.startswith((*NO_GROWTH, *NOT_YET))


def only_a_person_knows(_view: View, _comparison: Comparison) -> Reading:
    """No feed carries it: always unknown."""
    return Reading()


def sex(view: View, _comparison: Comparison) -> Reading:
    """Administrative sex; other and unknown leave the question open."""
    return Reading(word=SEXES.get(view.stay.person.sex.strip().lower()))


def age_years(view: View, _comparison: Comparison) -> Reading:
    """Completed years by the day it is where the site lies; a birth date known to the year or month only gives an interval."""
    years = completed_years(view.stay.person.birth_date, view.at.astimezone(view.stay.options.timezone).date())
    if years is None:
        return Reading(asks=("How old is the patient? No date of birth is on file",), missing=("age_years",))
    return Reading(
        intervals=(whole_interval(*years),),
        evidence=(_age_evidence(years, view.at),),
        asks=("How old is the patient? The date of birth is not complete",),
        missing=("age_years",),
    )


def _age_evidence(years: tuple[int, int], at: datetime) -> Evidence:
    low, high = years
    return Evidence("age_years", str(low) if low == high else f"{low}-{high}", "a", at, message="")


@lru_cache(maxsize=4096)
def completed_years(born: str, on: date) -> tuple[int, int] | None:
    """(fewest, most) years completed; `None` where no year of birth is known. Born on 29 February: one older on 1 March."""
    try:
        numbers = [int(part) for part in born.split("T", maxsplit=1)[0].split("-")]
        first, last = _born_between(numbers)
    except ValueError:
        return None
    return _completed(last, on), _completed(first, on)


def _born_between(numbers: list[int]) -> tuple[date, date]:
    match numbers:
        case [year]:
            return date(year, 1, 1), date(year, 12, 31)
        case [year, month]:
            return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
        case [year, month, day]:
            return date(year, month, day), date(year, month, day)
        case _:
            raise ValueError


def _completed(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
