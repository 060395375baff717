"""What is believed of a patient after one more event: a join, so that order and repetition do not matter.

Each part of the state keeps statements, not conclusions: the union of result versions, of encounter statements, of
determinations; the newest statement of each demographic field. Unions and maxima commute (decisions C1; the laws in
tests/laws/test_state.py).
"""

from bisect import insort
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol, TypeVar

from adapter.domain.administration import Administration
from adapter.domain.condition import Condition
from adapter.domain.events import (
    AdministrationStated,
    ClinicalEvent,
    ConditionStated,
    CriterionDetermined,
    EncounterChanged,
    ObservationReceived,
    PatientDescribed,
    StatusDecided,
)
from adapter.domain.observation import BEGINNING, Observation, Result, joined
from adapter.domain.patient import Demographics, PatientState, Stated
from adapter.domain.visits import stated

Said = TypeVar("Said")
NOTHING = Result(())
FEW = 8
"""Results of one concept that are put in their place one by one."""


class Telling(Protocol):
    """A statement that may be told again: its content's digest, and when the sender told it."""

    @property
    def digest(self) -> str: ...
    @property
    def sender_time(self) -> datetime | None: ...


Told = TypeVar("Told", bound=Telling)


def apply(state: PatientState, event: ClinicalEvent) -> PatientState:
    match event:
        case ObservationReceived(observation=observation):
            return _with_observations(state, {observation.concept: [observation]})
        case EncounterChanged(statement=statement):
            return replace(state, statements=_retold(state.statements, statement, stated))
        case PatientDescribed(demographics=demographics):
            return replace(state, demographics=_newest(state.demographics, demographics))
        case CriterionDetermined(determination=determination):
            known = state.determinations
            return replace(state, determinations=_union(known, determination, lambda d: (d.at, d.digest)))
        case StatusDecided(decision=decision):
            return replace(state, decisions=_union(state.decisions, decision, lambda d: (d.at, d.digest)))
        case _:
            return _treated(state, event)


def _treated(state: PatientState, event: ClinicalEvent) -> PatientState:
    match event:
        case AdministrationStated(administration=said):
            return replace(state, administrations=_retold(state.administrations, said, _when))
        case ConditionStated(condition=condition):
            return replace(state, conditions=_retold(state.conditions, condition, _when))
        case _:
            return state


def apply_all(state: PatientState, events: Iterable[ClinicalEvent]) -> PatientState:
    """Results are joined together, so that a message of ten thousand costs no more than its length."""
    seen: dict[str, list[Observation]] = {}
    for event in events:
        if isinstance(event, ObservationReceived):
            seen.setdefault(event.observation.concept, []).append(event.observation)
        else:
            state = apply(state, event)
    return _with_observations(state, seen)


def told_again(state: PatientState, events: Iterable[ClinicalEvent], messages: Collection[str]) -> PatientState:
    """As `apply_all`, for messages that were read before: what each said then and does not say now is not believed any more.

    A result of which nothing else is known keeps its last statement: only one taken back stands so alone, and says nothing.
    """
    said = tuple(events)
    after = apply_all(state, said)
    if not messages:
        return after
    told = {one.observation.digest for one in said if isinstance(one, ObservationReceived)}
    given = {one.administration.digest for one in said if isinstance(one, AdministrationStated)}
    kept = {concept: _less(known, told, messages) for concept, known in after.results.items()}
    changed = {concept: now for concept, now in kept.items() if now is not after.results[concept]}
    administrations = tuple(a for a in after.administrations if a.digest in given or a.message not in messages)
    if changed:
        after = replace(after, results={**after.results, **changed})
    same = len(administrations) == len(after.administrations)
    return after if same else replace(after, administrations=administrations)


def _less(known: tuple[Result, ...], told: Collection[str], messages: Collection[str]) -> tuple[Result, ...]:
    """The very tuple it was given where every statement stays."""
    fresh = {}
    for result in known:
        stay = tuple(v for v in result.versions if v.digest in told or v.message not in messages)
        if stay and len(stay) < len(result.versions):
            fresh[result.identity] = Result(stay)
    if not fresh:
        return known
    return tuple(sorted((fresh.get(result.identity, result) for result in known), key=_moment))


def union(state: PatientState, other: PatientState) -> PatientState:
    """Everything said of either, as one person's: what a merge (HL7 A40) makes of two records (`screening.lives`)."""
    who = state.patient
    said: list[ClinicalEvent] = [
        *(ObservationReceived(who, v) for known in other.results.values() for r in known for v in r.versions),
        *(EncounterChanged(who, statement) for statement in other.statements),
        PatientDescribed(who, other.demographics),
        *(CriterionDetermined(who, determination) for determination in other.determinations),
        *(StatusDecided(who, decision) for decision in other.decisions),
        *(AdministrationStated(who, said) for said in other.administrations),
        *(ConditionStated(who, condition) for condition in other.conditions),
    ]
    return apply_all(state, said)


def _with_observations(state: PatientState, new: Mapping[str, list[Observation]]) -> PatientState:
    """By concept; the very state it was given where nothing is new."""
    changed: dict[str, tuple[Result, ...]] = {}
    for concept, observations in new.items():
        known = state.results.get(concept, ())
        now = _union_of_results(known, observations)
        if now is not known:
            changed[concept] = now
    return replace(state, results={**state.results, **changed}) if changed else state


def _union_of_results(before: tuple[Result, ...], new: list[Observation]) -> tuple[Result, ...]:
    """The very tuple it was given where nothing is new."""
    known = {result.identity: result for result in before}
    said: dict[str, list[Observation]] = {}
    for observation in new:
        said.setdefault(observation.identity, []).append(observation)
    fresh: list[Result] = []
    for identity, observations in said.items():
        was = known.get(identity, NOTHING)
        versions = joined(was.versions, *observations)
        if versions is not was.versions:
            fresh.append(Result(versions))
            known.pop(identity, None)
    return _in_order(known.values(), fresh) if fresh else before


def _in_order(known: Collection[Result], fresh: list[Result]) -> tuple[Result, ...]:
    """`known` stand in order already, and the order of each costs more than its place."""
    if len(fresh) > FEW:
        return tuple(sorted((*known, *fresh), key=_moment))
    found = list(known)
    for result in fresh:
        if not found or _moment(found[-1]) < _moment(result):
            found.append(result)
        else:
            insort(found, result, key=_moment)
    return tuple(found)


def _moment(result: Result) -> tuple[object, str]:
    return (result.at, result.identity)


def _retold(known: tuple[Told, ...], new: Told, order: Callable[[Told], tuple[object, ...]]) -> tuple[Told, ...]:
    """The same statement said again is kept once, at its newest telling."""
    again = next((said.sender_time or BEGINNING for said in known if said.digest == new.digest), None)
    if again is not None and (new.sender_time or BEGINNING) <= again:
        return known
    return tuple(sorted([*(said for said in known if said.digest != new.digest), new], key=order))


def _when(said: Administration | Condition) -> tuple[object, str]:
    return (said.at, said.digest)


def _union(known: tuple[Said, ...], new: Said, order: Callable[[Said], tuple[object, ...]]) -> tuple[Said, ...]:
    """Add by content digest; the same statement again changes nothing."""
    digest = new.digest  # type: ignore[attr-defined]  # every statement carries its content digest
    if any(said.digest == digest for said in known):  # type: ignore[attr-defined]  # as above
        return known
    return tuple(sorted((*known, new), key=order))


def _newest(known: Demographics, new: Demographics) -> Demographics:
    fields = dict(known.fields)
    for name, said in new.fields.items():
        if name not in fields or _later(said, fields[name]):
            fields[name] = said
    return known if fields == known.fields else Demographics(fields)


def _later(new: Stated, known: Stated) -> bool:
    return (new.at, new.value) > (known.at, known.value)
