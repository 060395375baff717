"""Who has whom in hand, and notes: nobody alters them, and they stay with a candidate whatever it is called."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from adapter.store import adoption, board, teamwork
from adapter.store.codec import instant
from adapter.store.database import Database
from adapter.store.team import candidate_notes
from adapter.store.teamwork import HAND_OVER, Note, TakenError
from tests.builders import PATIENT, T0, after
from tests.web_house import House, house, mals

MINUTE = timedelta(minutes=1)


@pytest.fixture
def told(each_store: str, tmp_path: object) -> Iterator[House]:
    with house(tmp_path) as home:  # type: ignore[arg-type]
        home.tell(*mals())
        yield home


def test_a_note_is_never_altered(database: Database) -> None:
    with database.write() as tx:
        teamwork.write(tx, "c1", "anna", "as it was", T0)
    with pytest.raises(Exception, match=r"never altered|P0001"), database.write() as tx:
        tx.execute(update(candidate_notes).values(text="better"))
    with database.read() as conn:
        assert [note.text for note in teamwork.notes(conn, "c1")] == ["as it was"]


def test_the_second_one_is_refused_and_a_hand_over_is_not(database: Database) -> None:
    with database.write() as tx:
        assert teamwork.claim(tx, "c1", "anna", T0)
        assert not teamwork.claim(tx, "c1", "anna", after(1))
        with pytest.raises(TakenError) as refused:
            teamwork.claim(tx, "c1", "ben", after(1))
        assert (refused.value.claim.holder, refused.value.claim.since) == ("anna", T0)
        teamwork.hand_over(tx, "c1", Note(after(2), "anna", HAND_OVER, "ben", "you know them"))
        assert teamwork.held(tx, ["c1", "c2"])["c1"].holder == "ben"
        assert teamwork.release(tx, "c1", "anna", after(3))
        assert not teamwork.release(tx, "c1", "anna", after(3))
    with database.read() as conn:
        told = [(note.kind, note.by, note.addressee) for note in teamwork.notes(conn, "c1")]
    assert told == [("claim", "anna", "anna"), ("hand-over", "anna", "ben"), ("release", "anna", "ben")]


def test_what_was_seen_never_goes_back(database: Database) -> None:
    with database.write() as tx:
        for at in (after(2), after(1)):
            teamwork.looked(tx, "anna", at)
        assert tx.execute(text("SELECT at FROM looks")).scalar_one().startswith(f"{after(2):%Y-%m-%dT%H}")
        teamwork.opened(tx, "anna", "c1", after(3))
        teamwork.looked(tx, "anna", after(3) + timedelta(seconds=1))
        assert tx.execute(text("SELECT count(*) FROM seen")).scalar_one() == 0


def test_claim_and_notes_stay_with_a_candidate_that_goes_by_another_id(told: House) -> None:
    with told.database.write() as tx:
        former = tx.execute(text("SELECT id FROM candidates")).scalar_one()
        teamwork.claim(tx, former, "anna", T0)
        teamwork.write(tx, former, "anna", "before the merge", told.clock.now + MINUTE)
        adoption.adopt(tx, former, "f" * 20, PATIENT, "V9")
    with told.database.read() as conn:
        (entry,) = board.entries(conn, told.clock.now, {"immunosep-demo": ()})
        assert entry.changed < entry.news == instant(told.clock.now + MINUTE)
        assert teamwork.held(conn, ["f" * 20, former]).keys() == {"f" * 20}
        assert [note.kind for note in teamwork.notes(conn, former)] == ["claim", "note"]
