"""Whose record is whose: a merge, what takes it back, and where a visit ends that moved."""

from datetime import UTC, datetime

import pytest

from adapter.domain.patient import PatientId
from adapter.domain.persons import knot_of, person_of
from adapter.domain.ties import Merge, Move, Tie, Unlink, in_force

A, B, C, D = (PatientId("s", "HOSP", letter) for letter in "ABCD")


def at(hour: int) -> datetime:
    return datetime(2026, 1, 2, hour, tzinfo=UTC)


FIRST, SECOND = Merge(A, B, at(1)), Merge(B, C, at(2))


@pytest.mark.parametrize(
    ("unlink", "stands"),
    [
        (Unlink(A, B, at(3)), {SECOND}),
        (Unlink(B, A, at(3)), {SECOND}),
        (Unlink(A, C, at(3)), {SECOND}),
        (Unlink(B, C, at(3)), {FIRST}),
        (Unlink(A, D, at(3)), {FIRST, SECOND}),
        (Unlink(A, B, at(1)), {FIRST, SECOND}),
        (Unlink(A, B, at(0)), {FIRST, SECOND}),
    ],
    ids=[
        "as merged",
        "the other way round",
        "the end of the chain",
        "its second link",
        "a stranger",
        "as it was merged",
        "before",
    ],
)
def test_an_unlink_takes_back_what_was_said_of_the_record_before_it(unlink: Unlink, stands: set[Merge]) -> None:
    for order in ([FIRST, SECOND, unlink], [unlink, SECOND, FIRST]):
        assert in_force(order) == stands


def test_a_merge_after_the_unlink_stands() -> None:
    assert in_force([FIRST, Unlink(A, B, at(2)), Merge(A, B, at(3))]) == {Merge(A, B, at(3))}


def test_a_cycle_of_merges_ends_somewhere_for_whoever_follows_it() -> None:
    round_about = [FIRST, SECOND, Merge(C, A, at(3))]
    assert person_of(A, round_about).cycle
    assert in_force([*round_about, Unlink(A, C, at(4))]) == {SECOND}


def test_records_taken_apart_stay_in_one_knot_as_two_persons() -> None:
    """Whoever speaks of one of them may change what holds of the other."""
    knot = knot_of([A], [FIRST, Unlink(A, B, at(3))])
    assert ([person.name for person in knot.persons], knot.root, knot.records) == ([A, B], A, [A, B])
    assert (knot.person(A).members, knot.name(B)) == (frozenset({A}), B)


def place(ties: list[Tie], record: PatientId, visit: str, *accounts: str) -> tuple[PatientId, str]:
    return knot_of([A, B, C], ties).place(record, visit, accounts)


def test_a_visit_goes_where_its_moves_lead_one_after_the_other() -> None:
    moves: list[Tie] = [Move(A, B, "V1", "V2", at(1)), Move(B, C, "V2", "V3", at(2))]
    assert place(moves, A, "V1") == (C, "V3")
    assert place(moves[::-1], A, "V1") == (C, "V3")
    assert place(moves, B, "V2") == (C, "V3")
    assert place(moves, A, "V7") == (A, "V7")
    assert place([Move(B, C, "V1", "V2", at(1))], A, "V1") == (A, "V1")


def test_a_visit_of_an_account_goes_with_the_account_and_keeps_its_number() -> None:
    move = Move(A, B, "K1", "K2", at(1), account=True)
    assert place([move], A, "V1", "K1") == (B, "V1")
    assert place([move], A, "K1") == (B, "K1")
    assert place([move], A, "V1", "K9") == (A, "V1")
    again = Move(B, C, "K2", "K3", at(2), account=True)
    assert place([move, again], A, "V1", "K1") == (C, "V1")


def test_every_tie_names_both_its_records() -> None:
    assert [tie.records for tie in (FIRST, Unlink(A, B), Move(A, B, "V1", "V2"))] == [(A, B)] * 3
