"""One person taken out of records that are tied to those of others: visits go with whom they are of, who is left is tied anew."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from adapter.domain.patient import PatientId, PatientState
from adapter.domain.persons import Knot
from adapter.screening.lives import lives
from adapter.store import erasing, patients, persons
from adapter.store.database import Transaction
from adapter.store.erasing import Whom


def taken_out(tx: Transaction, whom: Whom, knots: Sequence[Knot], records: frozenset[PatientId]) -> dict[str, int]:
    """Visits that moved to or from somebody else go with whom they are of; who is left of a knot is tied anew."""
    others = frozenset(one for knot in knots for one in knot.records) - records
    stated = [tie for one in records for tie in persons.on_record(tx, one) if others.issuperset(tie.records)]
    for knot in knots:
        if knot.moves:
            _part(tx, knot, records)
    counts = erasing.erase(tx, whom)
    if others:
        persons.tie_anew(tx, others, stated)
    return counts


def _part(tx: Transaction, knot: Knot, gone: frozenset[PatientId]) -> None:
    states = {record: patients.load(tx, record) for record in knot.records}
    lived = lives(knot, states)
    left = sorted(set(knot.records) - gone)
    for record in left:
        for theirs in (state for other, state in lived.items() if other in gone):
            erasing.take_out(tx, record, theirs)
    for name in sorted({knot.name(record) for record in left}):
        patients.save(tx, _but_results(states[name], lived, gone), lived[name])


def _but_results(
    state: PatientState, lived: Mapping[PatientId, PatientState], gone: frozenset[PatientId]
) -> PatientState:
    """As it stands in the store once the results of those who go were taken out."""
    theirs = {one.identity for who in gone & lived.keys() for known in lived[who].results.values() for one in known}
    left = {
        concept: tuple(one for one in known if one.identity not in theirs) for concept, known in state.results.items()
    }
    return replace(state, results=left)
