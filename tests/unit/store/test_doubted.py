"""Proposals of who somebody is: one open for a question, decided once, kept whatever the candidate is called."""

from pathlib import Path

import pytest

from adapter.errors import RejectedError
from adapter.store import adoption, doubted, worklist
from adapter.store.database import Database
from tests.builders import T0, after
from tests.web_house import house, mals

ANNA, IRIS = ("anna", "asked"), ("iris", "")


def test_one_waits_and_the_second_is_told(database: Database) -> None:
    with database.write() as tx:
        number = doubted.add(tx, "c1", ("screening-id", "A"), ANNA, T0)
        with pytest.raises(RejectedError, match="proposed already"):
            doubted.add(tx, "c1", ("screening-id", "B"), ("ben", "guessed"), T0)
        doubted.add(tx, "c1", ("same-person", "x y"), ANNA, T0)
        doubted.decide(tx, number, doubted.APPROVED, IRIS, after(1))
        with pytest.raises(RejectedError, match="decided already"):
            doubted.decide(tx, number, doubted.SENT_BACK, IRIS, after(1))
        assert doubted.waiting(tx, "c1", "screening-id", ("A", "B")) is None
        assert doubted.waiting(tx, "c1", "same-person", ("x y",)) is not None
        found = doubted.of(tx, "c1")[0]
    assert (found.by, found.reason, found.decided_by, found.decided_at) == ("anna", "asked", "iris", after(1))


def test_what_can_be_no_answer_any_more_makes_room(database: Database) -> None:
    with database.write() as tx:
        doubted.add(tx, "c1", ("screening-id", "A"), ANNA, T0)
        assert doubted.waiting(tx, "c1", "screening-id", ("B", "C")) is None
        doubted.drop(tx, "c1", "screening-id", ("A", "B"))
        assert doubted.waiting(tx, "c1", "screening-id", ("A", "B")) is not None
        doubted.drop(tx, "c1", "screening-id", ("B", "C"))
        doubted.add(tx, "c1", ("screening-id", "B"), ANNA, after(1))
        assert [one.state for one in doubted.of(tx, "c1")] == [doubted.VOID, doubted.OPEN]


@pytest.mark.usefixtures("each_store")
def test_a_proposal_is_found_under_the_candidate_s_new_name(tmp_path: Path) -> None:
    with house(tmp_path) as home:
        home.tell(*mals())
        with home.database.write() as tx:
            (row,) = worklist.shown(tx, home.clock.now)
            doubted.add(tx, row.id, ("screening-id", "A"), ANNA, T0)
            adoption.adopt(tx, row.id, "0123456789", row.patient, "V9")
            for name in (row.id, "0123456789"):
                assert doubted.waiting(tx, name, "screening-id", ("A",)) is not None
