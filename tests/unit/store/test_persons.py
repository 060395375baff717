"""Merges as stated, the person they make, and candidates that move with it."""

from dataclasses import replace
from itertools import permutations

import pytest

from adapter.domain.patient import PatientId
from adapter.domain.ties import Merge, Tie
from adapter.store import persons
from adapter.store.database import Database, Transaction

A, B, C, D = (PatientId("site", "HOSP", letter) for letter in "ABCD")


def record(tx: Transaction, tie: Tie, message: int) -> None:
    persons.record(tx, persons.knot(tx, tie.records[0], tie), [tie], message)


@pytest.mark.parametrize("order", list(permutations([Merge(A, B), Merge(B, C), Merge(D, C)])))
def test_a_chain_in_any_order_ends_at_its_last_survivor(database: Database, order: tuple[Merge, ...]) -> None:
    with database.write() as tx:
        for number, merge in enumerate((*order, order[0]), 1):
            record(tx, merge, number)
        assert {persons.resolve(tx, one) for one in (A, B, C, D)} == {C}
        assert persons.knot(tx, A).person(A).members == {A, B, C, D}


def test_a_circle_has_one_name(database: Database) -> None:
    with database.write() as tx:
        record(tx, Merge(B, A), 1)
        record(tx, Merge(A, B), 2)
        assert persons.knot(tx, A).person(A).cycle
        assert persons.resolve(tx, A) == persons.resolve(tx, B) == A


def test_a_merge_not_yet_on_record_can_be_asked_about(database: Database) -> None:
    with database.write() as tx:
        record(tx, Merge(A, B), 1)
    with database.read() as conn:
        assert persons.knot(conn, A, Merge(B, C)).name(A) == C
        assert persons.resolve(conn, A) == B
        assert persons.resolve(conn, replace(A, site="elsewhere")) == replace(A, site="elsewhere")
