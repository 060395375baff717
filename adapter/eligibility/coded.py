"""What codes on record say: diagnoses, organisms, drugs given. They lay evidence before a person; no code is no proof (clinical 4)."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, timedelta

from adapter.domain.administration import Administration, AdministrationState
from adapter.domain.administration import standing as given_of
from adapter.domain.assessment import Evidence
from adapter.domain.condition import Condition, ConditionStatus, standing
from adapter.domain.quantity import decimal_text
from adapter.domain.trial import Code, Comparison
from adapter.eligibility.finding import Reading, earliest, whole_interval
from adapter.eligibility.view import View, instant
from adapter.scoring.turns import delayed

GIVEN = frozenset({AdministrationState.GIVEN, AdministrationState.STOPPED})
PRESENT = (ConditionStatus.ACTIVE, ConditionStatus.SUSPECTED)
COMBINATION = "-combination"
"""One product of several drugs."""


def diagnoses(view: View) -> tuple[Condition, ...]:
    """What a reading of them rests on: those that were so by now."""
    return tuple(one for one in view.stay.state.conditions if instant(one.at) <= view.at)


def drugs(view: View) -> object:
    """As `diagnoses`; where any was given it is another reading at each moment, for windows move."""
    told = view.stay.state.administrations
    return (told, view.at) if told else ()


def diagnosed(
    view: View, name: str, codes: Iterable[Code], statuses: Collection[ConditionStatus]
) -> tuple[Evidence, ...]:
    """The diagnoses of the set that stand so, whenever they began; the note says how, where it is not simply active."""
    return tuple(
        Evidence(name, one.code, "", one.at, one.message, one.code, one.system, note=_stated(one))
        for one in standing(diagnoses(view))
        if one.status in statuses and listed(one.system, one.code, codes)
    )


def _stated(one: Condition) -> str:
    return one.kind if one.status is ConditionStatus.ACTIVE else ", ".join(filter(None, (one.kind, str(one.status))))


def on_record(view: View, comparison: Comparison) -> Reading:
    """A diagnosis of the set that is active or suspected; none says nothing."""
    evidence = diagnosed(view, comparison.of, comparison.codes, PRESENT)
    return Reading(word=True, evidence=evidence) if evidence else Reading()


def in_history(view: View, comparison: Comparison) -> Reading:
    """The same, also of one that is over."""
    evidence = diagnosed(view, comparison.of, comparison.codes, (*PRESENT, ConditionStatus.RESOLVED))
    return Reading(word=True, evidence=evidence) if evidence else Reading()


def organism(view: View, comparison: Comparison) -> Reading:
    """An organism of the set grew in a culture within the window."""
    told = [
        one
        for one in view.observations("culture-organism", comparison.within)
        if one.code and listed("organism", one.code, comparison.codes)
    ]
    grown = [one for one in told if one.effective <= view.at]
    coming = (instant(one.effective) for one in told if one.effective > view.at)
    leave = () if comparison.within is None else (delayed(instant(one.effective), comparison.within) for one in grown)
    evidence = tuple(
        Evidence(one.concept, one.code or "", "", one.effective, one.message, one.original.value) for one in grown
    )
    return Reading(word=True if grown else None, evidence=evidence, changes=earliest((*coming, *leave)))


def given(view: View, comparison: Comparison) -> Reading:
    """A drug of the group was given within the window, here; what was given elsewhere nobody told."""
    found, turn = given_within(view, comparison), next_dose(view, comparison)
    return Reading(word=True if found else None, evidence=tuple(map(dose_evidence, found)), changes=turn)


def together(view: View, comparison: Comparison) -> Reading:
    """How many different drugs of the group were given on one day, the most of any day; a fixed combination counts as two."""
    days: dict[date, dict[str, Administration]] = {}
    for one in given_within(view, comparison):
        days.setdefault(one.start.date(), {})[one.substance] = one
    turn = next_dose(view, comparison)
    if not days:
        return Reading(changes=turn)
    most = max(days.values(), key=_agents)
    agents = whole_interval(_agents(most), _agents(most))
    return Reading(intervals=(agents,), evidence=tuple(map(dose_evidence, most.values())), changes=turn)


def listed(system: str, code: str, codes: Iterable[Code]) -> bool:
    """By the code without its dot; whatever the country, an ICD-10 begins alike (clinical 4)."""
    plain = code.replace(".", "").casefold() if system != "organism" else code.casefold()
    found = [
        one
        for one in codes
        if one.system == system
        and (plain.startswith(one.code.casefold()) if one.prefix else plain == one.code.casefold())
    ]
    return bool(found) and not any(one.excepted for one in found)


def given_within(view: View, comparison: Comparison) -> list[Administration]:
    since = view.at - (comparison.within or timedelta())
    begun = (said for said in view.stay.state.administrations if instant(said.start) <= view.at)
    return [one for one in _of_group(given_of(begun), comparison) if _last(one) > since]


def next_dose(view: View, comparison: Comparison) -> datetime | None:
    """When time alone changes what was given within the window: a dose told ahead begins, or one leaves it."""
    told, window = view.stay.state.administrations, comparison.within or timedelta()
    coming = (instant(said.start) for said in _of_group(told, comparison) if instant(said.start) > view.at)
    return earliest((*coming, *(delayed(_last(one), window) for one in given_within(view, comparison))))


def _of_group(told: Iterable[Administration], comparison: Comparison) -> Iterator[Administration]:
    groups = {code.code for code in comparison.codes}
    return (one for one in told if one.state in GIVEN and one.group in groups)


def _last(one: Administration) -> datetime:
    return instant(one.end or one.start)


def _agents(drugs: dict[str, Administration]) -> int:
    return sum(2 if name.endswith(COMBINATION) else 1 for name in drugs)


def dose_evidence(one: Administration) -> Evidence:
    amount = one.dose or one.rate
    value, unit = (decimal_text(amount.value), amount.unit) if amount is not None else ("given", "")
    return Evidence(one.substance, value, unit, one.start, one.message, one.original.value, one.original.unit)
