"""What is believed of a patient after one more event: a join, so that order and repetition do not matter.

Each part of the state keeps statements, not conclusions: the union of result versions, of encounter statements, of
determinations; the newest statement of each demographic field. Unions and maxima commute (decisions C1; the laws in
tests/laws/test_state.py).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from adapter.domain.encounter import EncounterStatement
from adapter.domain.events import (
    ClinicalEvent,
    CriterionDetermined,
    EncounterChanged,
    ObservationReceived,
    PatientDescribed,
    StatusDecided,
)
from adapter.domain.observation import Observation, Result, joined
from adapter.domain.patient import Demographics, PatientState, Stated
from adapter.domain.visits import stated

Said = TypeVar("Said")


def apply(state: PatientState, event: ClinicalEvent) -> PatientState:
    match event:
        case ObservationReceived(observation=observation):
            return replace(state, results=_with_observation(state.results, observation))
        case EncounterChanged(statement=statement):
            return replace(state, statements=_with_statement(state.statements, statement))
        case PatientDescribed(demographics=demographics):
            return replace(state, demographics=_newest(state.demographics, demographics))
        case CriterionDetermined(determination=determination):
            known = state.determinations
            return replace(state, determinations=_union(known, determination, lambda d: (d.at, d.digest)))
        case StatusDecided(decision=decision):
            return replace(state, decisions=_union(state.decisions, decision, lambda d: (d.at, d.digest)))
        case _:
            return state


def apply_all(state: PatientState, events: Iterable[ClinicalEvent]) -> PatientState:
    for event in events:
        state = apply(state, event)
    return state


def _with_observation(results: Mapping[str, tuple[Result, ...]], new: Observation) -> Mapping[str, tuple[Result, ...]]:
    known = results.get(new.concept, ())
    index = next((i for i, result in enumerate(known) if result.identity == new.identity), None)
    if index is None:
        changed = (*known, Result((new,)))
    else:
        versions = joined(known[index].versions, new)
        if versions is known[index].versions:
            return results
        changed = (*known[:index], Result(versions), *known[index + 1 :])
    return {**results, new.concept: tuple(sorted(changed, key=_moment))}


def _moment(result: Result) -> tuple[object, str]:
    now = result.current or result.versions[-1]
    return (now.effective, result.identity)


def _with_statement(known: tuple[EncounterStatement, ...], new: EncounterStatement) -> tuple[EncounterStatement, ...]:
    """The same statement said again is kept once, at its newest telling."""
    again = next((said for said in known if said.digest == new.digest), None)
    if again is None:
        return tuple(sorted((*known, new), key=stated))
    if stated(new) <= stated(again):
        return known
    return tuple(sorted((*(s for s in known if s is not again), new), key=stated))


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
