from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from adapter.domain.issue import Issue
from adapter.domain.message import MessageKind, MessageState, RawMessage
from adapter.errors import RejectedError
from adapter.store import feeds, inbox, quarantine, unmapped
from adapter.store.database import Database
from adapter.store.unmapped import Unmapped
from tests import stores

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MISSED = (Issue("unmapped-code", "OBX-3 #1", "…", "K"), Issue("unmapped-code", "OBX-3 #2", "…", "K"))


def put(database: Database, *reasons: str | None, source: str = "lab", door: str | None = None) -> None:
    """A message for each reason: quarantined for it, or applied where it is None."""
    with database.write() as tx:
        last = max((item.id for item in inbox.listing(tx)), default=0)
        for number, reason in enumerate(reasons, last + 1):
            sent = RawMessage(source, "generic", MessageKind.HL7V2, b"MSH|%d" % number, NOW, control_id=str(number))
            [receipt] = inbox.put_many(tx, [replace(sent, quarantine=door)])
            state = MessageState.APPLIED if reason is None else MessageState.QUARANTINED
            inbox.finish(tx, receipt.inbox_id, inbox.Ending(state, NOW, reason, issues=MISSED))


def adds_up(database: Database) -> tuple[int, int, int, int]:
    """(applied, ignored, quarantined, pending), which with the duplicates are what was received; in each feed too."""
    with database.read() as conn:
        seen, rows = inbox.counts(conn), feeds.listing(conn)
        held = len(list(quarantine.listing(conn)))
    assert seen.received == seen.applied + seen.duplicate + seen.ignored + seen.quarantined + seen.pending
    assert sum(row.received for row in rows) == seen.received
    assert held == seen.quarantined
    return seen.applied, seen.ignored, seen.quarantined, seen.pending


def released(database: Database, reason: str) -> Iterator[list[int]]:
    after = 0
    while True:
        with database.write() as tx:
            found = quarantine.release_all(tx, reason, after)
        if not found:
            return
        after = found[-1]
        yield found


def test_what_is_in_quarantine_is_listed_with_its_reason_from_either_end(database: Database) -> None:
    put(database, "NO_MRN", None, "PROCID")
    put(database, "NO_MSH", door="NO_MSH")
    with database.read() as conn:
        rows = list(quarantine.listing(conn))
        assert [(row.id, row.reason, row.at_the_door) for row in rows] == [
            (1, "NO_MRN", False),
            (3, "PROCID", False),
            (4, "NO_MSH", True),
        ]
        assert (rows[0].source, rows[0].control_id, rows[0].received) == ("lab", "1", NOW)
        assert [row.id for row in quarantine.listing(conn, limit=2, newest_first=True)] == [4, 3]
        assert [row.id for row in quarantine.listing(conn, reason="PROCID")] == [3]
        assert quarantine.reasons(conn) == {"NO_MRN": 1, "NO_MSH": 1, "PROCID": 1}


def test_a_released_message_waits_again_with_a_clean_slate(database: Database) -> None:
    put(database, "NO_MRN", None)
    with database.write() as tx:
        assert quarantine.release(tx, 1).reason == "NO_MRN"
    assert adds_up(database) == (1, 0, 0, 1)
    with database.write() as tx:
        [item] = inbox.pending(tx, 10)
        assert (item.id, item.message.body, item.attempts) == (1, b"MSH|1", 0)
        inbox.finish(tx, 1, inbox.Ending(MessageState.QUARANTINED, NOW, "NO_MRN"))
    assert adds_up(database) == (1, 0, 1, 0)


def test_all_of_a_reason_go_in_runs_and_what_comes_back_is_not_taken_twice(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "RUN", 2)
    put(database, *["NO_MRN"] * 3, "PROCID", *["NO_MRN"] * 2)
    put(database, "NO_MRN", source="adt", door="NO_MRN")
    runs = []
    for run in released(database, "NO_MRN"):
        runs.append(run)
        with database.write() as tx:
            again = inbox.Ending(MessageState.QUARANTINED, NOW, "NO_MRN")
            inbox.finish_many(tx, [(message_id, again) for message_id in run])
    assert runs == [[1, 2], [3, 5], [6]]
    assert adds_up(database) == (0, 0, 7, 0)


def test_what_the_door_refused_cannot_be_released_but_discarded(database: Database) -> None:
    put(database, "TOO_BIG", door="TOO_BIG")
    with pytest.raises(RejectedError, match=r"message 1 came in broken \(TOO_BIG\)"), database.write() as tx:
        quarantine.release(tx, 1)
    assert adds_up(database) == (0, 0, 1, 0)
    with database.write() as tx:
        quarantine.discard(tx, 1, NOW)
    assert adds_up(database) == (0, 1, 0, 0)


def test_a_discarded_message_is_ignored_for_good_and_its_bytes_stay(database: Database) -> None:
    put(database, "NO_MRN", None)
    with database.write() as tx:
        assert quarantine.discard(tx, 1, NOW).reason == "NO_MRN"
    assert adds_up(database) == (1, 1, 0, 0)
    with database.read() as conn:
        row = inbox.find(conn, 1)
        assert row is not None
        assert (row.state, row.reason) == (MessageState.IGNORED, quarantine.DISCARDED)
        assert inbox.raw(conn, 1) == b"MSH|1"


@pytest.mark.parametrize("message_id", [1, 2, 99])
def test_only_what_is_in_quarantine_can_be_settled(database: Database, message_id: int) -> None:
    put(database, None, "NO_MRN")
    with database.write() as tx:
        quarantine.discard(tx, 2, NOW)
    for deed in (quarantine.release, quarantine.find):
        with pytest.raises(RejectedError, match=f"message {message_id} is not in quarantine"), database.write() as tx:
            deed(tx, message_id)
    with pytest.raises(RejectedError), database.write() as tx:
        quarantine.discard(tx, message_id, NOW)
    assert adds_up(database) == (1, 1, 0, 0)


def test_what_no_mapping_knew_is_counted_by_source_and_taken_back_when_read_again(database: Database) -> None:
    put(database, "NO_MRN", None)
    put(database, None, source="adt")
    with database.read() as conn:
        assert unmapped.listing(conn, 10) == [
            Unmapped("lab", "unmapped-code", "K", 4),
            Unmapped("adt", "unmapped-code", "K", 2),
        ]
    with database.write() as tx:
        quarantine.release(tx, 1)
    with database.read() as conn:
        assert {one.source: one.count for one in unmapped.sums(conn)} == {"lab": 2, "adt": 2}


def test_only_what_a_site_file_mends_is_counted_as_text_of_bounded_length(database: Database) -> None:
    issues = [
        Issue("unmapped-unit", "OBX-6 #1", "…", "\udce9" + "x" * 200),
        Issue("unreadable-value", "OBX-5 #1", "…", "12"),
        Issue("bom", "MSH", "…"),
    ]
    put(database, "NO_MRN")
    with database.write() as tx:
        quarantine.release(tx, 1)
        inbox.finish(tx, 1, inbox.Ending(MessageState.APPLIED, NOW, issues=issues))
    with database.read() as conn:
        [found] = unmapped.listing(conn, 10)
    assert (found.code, len(found.detail), found.detail[:7]) == ("unmapped-unit", unmapped.LONGEST, "\\udce9x")


def test_the_list_is_found_by_its_index(database: Database) -> None:
    explain = "EXPLAIN QUERY PLAN" if stores.on_sqlite() else "EXPLAIN"
    with database.read() as conn:
        if not stores.on_sqlite():
            conn.execute(text("SET enable_seqscan = off"))  # a small table is read whole
        wanted = str(quarantine._rows().compile(compile_kwargs={"literal_binds": True}))
        plan = " ".join(str(row) for row in conn.execute(text(f"{explain} {wanted}")))
        assert "inbox_outcomes_quarantined" in plan
        assert str(quarantine._QUARANTINED.compile()) == "inbox_outcomes.state = 'quarantined'"
