"""What holds of each person of a knot of records: a view of what was said of each record, which itself never moves.

So a merge, one that is taken back and a visit that moves or moves back change who is asked, and nothing that was said.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from adapter.domain.observation import Result
from adapter.domain.patient import Decision, Demographics, PatientId, PatientState
from adapter.domain.persons import Knot
from adapter.screening.state import union

Place = tuple[PatientId, str]
"""Whose visit, and by which number."""


def lives(knot: Knot, records: Mapping[PatientId, PatientState]) -> dict[PatientId, PatientState]:
    """By the name each person goes by: all that was said of their records, with the visits that are theirs now."""
    accounts = _accounts(knot, records) if any(move.account for move in knot.moves) else {}
    found: dict[PatientId, PatientState] = {}
    for record in sorted(records):
        for name, part in _parts(knot, records[record], accounts):
            known = found.get(name)
            found[name] = replace(part, patient=name) if known is None else union(known, part)
    return _decided({person.name: found.get(person.name) or PatientState(person.name) for person in knot.persons})


def visits_in(state: PatientState) -> frozenset[str]:
    """The visits that a hospital said anything of."""
    return frozenset(_visits(state)) - {""}


def whose_visit(states: Mapping[PatientId, PatientState], visit: str, otherwise: PatientId) -> PatientId:
    """Whom a hospital told the visit of, else whose results name it; `otherwise`, where that one is among them."""
    told = [who for who, state in states.items() if any(said.visit == visit for said in state.statements)]
    named = told or [who for who, state in states.items() if visit in visits_in(state)]
    return otherwise if not named or otherwise in named else min(named)


def is_known(state: PatientState) -> bool:
    """Whether anything was said at all."""
    told = (state.results, state.statements, state.demographics.fields, state.administrations, state.conditions)
    return any((*told, state.determinations, state.decisions))


def _accounts(knot: Knot, records: Mapping[PatientId, PatientState]) -> dict[Place, set[str]]:
    found: dict[Place, set[str]] = {}
    for record, state in records.items():
        for said in state.statements:
            if said.account:
                found.setdefault((knot.name(record), said.visit), set()).add(said.account)
    return found


def _parts(
    knot: Knot, state: PatientState, accounts: Mapping[Place, set[str]]
) -> Iterator[tuple[PatientId, PatientState]]:
    """What was said of one record, by the person it is read under."""
    own, state = knot.name(state.patient), _demoted(knot, state)
    places: dict[str, Place] = {}
    decided = {decision.episode for decision in state.decisions}
    for visit in visits_in(state) | decided if knot.moves else ():
        places[visit] = knot.place(state.patient, visit, accounts.get((own, visit), ()))
    moved = {visit: place for visit, place in places.items() if place != (own, visit)}
    if not moved:
        yield own, state
        return
    for name in sorted({own, *(name for name, _ in moved.values())}):
        yield name, _part(state, name, lambda visit: moved.get(visit, (own, visit)), whole=name == own)


def _demoted(knot: Knot, state: PatientState) -> PatientState:
    """Whoever deletes a record (A29) that was merged away deletes no person."""
    said = state.demographics.fields.get("deleted")
    if said is None or said.value != "yes" or state.patient == knot.name(state.patient):
        return state
    kept = {name: stated for name, stated in state.demographics.fields.items() if name != "deleted"}
    return replace(state, demographics=Demographics(kept))


def _decided(found: dict[PatientId, PatientState]) -> dict[PatientId, PatientState]:
    """What people decided of a visit goes with it, where it was another record's all along (a merge that was taken back)."""
    if len(found) == 1 or not any(state.decisions for state in found.values()):
        return found
    decisions: dict[PatientId, list[Decision]] = {name: [] for name in found}
    for name, state in found.items():
        for decision in state.decisions:
            decisions[whose_visit(found, decision.episode, name)].append(decision)
    return {
        name: replace(state, decisions=tuple(sorted(decisions[name], key=lambda d: (d.at, d.digest))))
        for name, state in found.items()
    }


def _part(state: PatientState, name: PatientId, place: Callable[[str], Place], *, whole: bool) -> PatientState:
    """What of a record is read under `name`; who the patient is and what was answered of them stays (`whole`)."""

    def theirs(said: Iterable[Any], field: str = "visit") -> tuple[Any, ...]:
        """With the number of the visit, where it has another one there."""
        found = ((one, getattr(one, field), *place(getattr(one, field))) for one in said)
        return tuple(
            one if number == visit else replace(one, **{field: number})
            for one, visit, who, number in found
            if who == name
        )

    results = {concept: _results(known, name, place) for concept, known in state.results.items()}
    return replace(
        state,
        results={concept: known for concept, known in results.items() if known},
        statements=theirs(state.statements),
        demographics=state.demographics if whole else Demographics(),
        determinations=state.determinations if whole else (),
        decisions=theirs(state.decisions, "episode"),
        administrations=theirs(state.administrations),
        conditions=theirs(state.conditions),
    )


def _results(known: tuple[Result, ...], name: PatientId, place: Callable[[str], Place]) -> tuple[Result, ...]:
    """A result goes with the visit that its newest version names: what corrects it may be silent."""
    found = []
    for result in known:
        visit = next((version.visit for version in reversed(result.versions) if version.visit), "")
        who, number = place(visit)
        if who == name:
            same = number == visit
            found.append(result if same else Result(tuple(replace(v, visit=number) for v in result.versions)))
    return tuple(found)


def _visits(state: PatientState) -> Iterator[str]:
    yield from (said.visit for said in state.statements)
    yield from (said.visit for said in state.administrations)
    yield from (said.visit for said in state.conditions)
    yield from (version.visit for known in state.results.values() for result in known for version in result.versions)
