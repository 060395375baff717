"""What a PostgreSQL store adds: which servers it refuses, connections that break, and several writers at once."""

import contextlib
import re
import select
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from adapter.daemon.recording import migrated
from adapter.domain.issue import Issue
from adapter.domain.message import MessageKind, MessageState, RawMessage
from adapter.errors import ConfigError, StorageFailedError, UnavailableError
from adapter.store import audit, feeds, inbox, quarantine
from adapter.store.database import Database, Transaction
from adapter.store.driver import numbered
from adapter.store.locks import OURS, Lock
from adapter.store.partitions import ALL
from tests.postgres import PASSWORD, Cluster, cluster

NOW = datetime(2026, 1, 2, 3, tzinfo=UTC)
COUNT = text("SELECT count(*) FROM users")
HOLDER = f"""
SELECT pg_terminate_backend(pid) FROM pg_locks WHERE classid = {OURS} AND objid = {int(Lock.STORE)} AND granted
AND mode = 'ExclusiveLock' AND database = (SELECT oid FROM pg_database WHERE datname = %s)
"""


@pytest.fixture
def url(postgres: Cluster) -> Iterator[str]:
    made = postgres.migrated()
    yield made
    postgres.drop(made)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = open_(url)
    yield opened
    opened.close()


def open_(url: str, **more: bool) -> Database:
    return Database.open(url, password=PASSWORD, **more)


def message(control_id: str, source: str = "lab", body: bytes = b"MSH|") -> RawMessage:
    return RawMessage(source, "generic", MessageKind.HL7V2, body, NOW, "LAB|HOSP", control_id, "ORU^R01", "127.0.0.1")


# --- which servers are refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{"fsync": "off"}, {"full_page_writes": "off"}, {"synchronous_commit": "off"}])
def test_a_server_whose_commit_proves_nothing_is_refused(postgres: Cluster, url: str, settings: dict[str, str]) -> None:
    ((name, value),) = settings.items()
    with postgres.session() as conn:
        conn.execute(f"ALTER SYSTEM SET {name} = {value}")
        conn.execute("SELECT pg_reload_conf()")
        try:
            with pytest.raises(ConfigError, match=f"{name} = off"):
                retried(url)
        finally:
            conn.execute(f"ALTER SYSTEM RESET {name}")
            conn.execute("SELECT pg_reload_conf()")
    retried(url, refused=False)


def retried(url: str, *, refused: bool = True) -> None:
    """A reload takes a moment."""
    for _ in range(200):
        try:
            open_(url).close()
        except ConfigError:
            if refused:
                raise
        else:
            if not refused:
                return
    pytest.fail("the reload was not seen")


@pytest.mark.parametrize("whose", ["ROLE adapter", "DATABASE {database}"])
@pytest.mark.parametrize("value", ["off", "local"])
def test_a_role_or_a_database_that_turns_the_flush_off_is_refused(
    postgres: Cluster, url: str, whose: str, value: str
) -> None:
    target = whose.format(database=url.rpartition("/")[2])
    with postgres.session() as conn:
        conn.execute(f"ALTER {target} SET synchronous_commit = {value}")
        try:
            with pytest.raises(ConfigError, match=rf"synchronous_commit = {value}.*SET it on"):
                open_(url)
        finally:
            conn.execute(f"ALTER {target} RESET synchronous_commit")


def test_a_session_keeps_its_flush_whatever_is_reloaded(postgres: Cluster, url: str, database: Database) -> None:
    with postgres.session() as conn:
        conn.execute("ALTER ROLE adapter SET synchronous_commit = remote_write")
        other = open_(url)
        conn.execute("ALTER ROLE adapter RESET synchronous_commit")
    for one, expected in ((database, "on"), (other, "remote_write")):
        with one.write() as tx:
            assert tx.exec_driver_sql("SHOW synchronous_commit").scalar_one() == expected
    other.close()


def test_another_encoding_is_refused(postgres: Cluster) -> None:
    with postgres.session() as conn:
        conn.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(ConfigError, match="encoded in LATIN1"):
        open_(postgres.url("latin"))
    postgres.drop(postgres.url("latin"))


@pytest.mark.slow
def test_a_replica_is_refused_and_an_unsafe_restart_ends_the_process() -> None:
    with cluster() as own:
        url = own.migrated()
        opened = open_(url)
        own.stop()
        own.start(fsync="off")
        with pytest.raises(UnavailableError), opened.write() as tx:  # the connection of before is gone
            tx.execute(COUNT)
        with pytest.raises(StorageFailedError, match="fsync = off"), opened.write() as tx:
            tx.execute(COUNT)
        opened.close()
        own.stop()
        (own.data / "standby.signal").touch()
        own.start(hot_standby="on")
        with pytest.raises(ConfigError, match="replica"):
            open_(url)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("postgresql://adapter:SECRET@localhost/db", "by reference"),
        ("postgresql://adapter@localhost", "names no database"),
        ("postgresql://adapter@db.hospital.example/db", "in clear"),
        ("postgresql://adapter@db.hospital.example/db?sslmode=prefer", "in clear"),
    ],
)
def test_an_address_that_cannot_be_safe_is_refused(bad: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        open_(bad)
    assert "SECRET" not in str(caught.value)


def test_without_the_driver_the_install_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapter.store.database.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'immunosep-adapter\[postgres\]'"):
        open_("postgresql://adapter@localhost/db")
    assert "psycopg" in sys.modules


def test_no_server_or_a_wrong_password_is_unavailable_and_tells_no_password(postgres: Cluster, url: str) -> None:
    with pytest.raises(UnavailableError, match=r"no connection to PostgreSQL \(.*port 1 failed: Connection refused\)"):
        open_("postgresql://adapter@127.0.0.1:1/db")
    with pytest.raises(UnavailableError, match="password authentication failed") as caught:
        Database.open(url, password="SECRET")
    assert "SECRET" not in str(caught.value)
    assert not isinstance(caught.value, StorageFailedError)


# --- what stands between ----------------------------------------------------------------------------------------------


class Pooler(socketserver.ThreadingTCPServer):
    """Answers as PgBouncer does: with a process of its own where the server names that of the session."""

    def __init__(self, server: int) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.upstream = server

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class Passing(socketserver.BaseRequestHandler):
    server: Pooler

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.upstream)) as there, contextlib.suppress(OSError):
            changed = {self.request: (there, bytes), there: (self.request, renamed)}
            while ready := select.select([*changed], [], [])[0]:
                for one in ready:
                    target, change = changed[one]
                    data = one.recv(65536)
                    target.sendall(change(data))
                    if not data:
                        return


def renamed(data: bytes) -> bytes:
    """BackendKeyData with another process."""
    return re.sub(rb"K\x00\x00\x00\x0c....(?=.{4}Z)", b"K\x00\x00\x00\x0c\x00\x00\x00\x07", data, flags=re.DOTALL)


def test_a_pooler_before_the_server_is_refused(postgres: Cluster, url: str) -> None:
    """Of a lock that a session took in one transaction the next would know nothing, and two would keep the same patients."""
    with Pooler(postgres.port) as between:
        port = str(between.server_address[1])
        with pytest.raises(ConfigError, match="a pooler stands before this server"):
            open_(url.replace(str(postgres.port), port))


def test_a_server_that_ends_idle_sessions_ends_none_of_ours(postgres: Cluster, url: str) -> None:
    with postgres.session() as conn:
        if conn.info.server_version < 14_00_00:
            pytest.skip("PostgreSQL 13 ends none")
        conn.execute(f"ALTER ROLE adapter IN DATABASE {url.rpartition('/')[2]} SET idle_session_timeout = '200ms'")
    database = open_(url)
    with database.alone():
        time.sleep(0.6)
        with database.write() as tx:
            inbox.put_many(tx, [message("1")])
    with database.read() as conn:
        assert inbox.counts(conn).received == 1
    database.close()


# --- connections that break -------------------------------------------------------------------------------------------


def disconnect(postgres: Cluster, url: str) -> None:
    with postgres.session() as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (url.rpartition("/")[2],)
        )


def test_after_a_lost_connection_the_next_use_has_a_new_one(postgres: Cluster, url: str, database: Database) -> None:
    def use() -> None:
        with database.write() as tx:
            inbox.put_many(tx, [message("1")])

    use()
    with database.read() as conn:
        conn.execute(COUNT)
    disconnect(postgres, url)
    with pytest.raises(UnavailableError, match="no connection"):
        use()
    use()
    with database.read() as conn:
        assert inbox.counts(conn).received == 3 - 1  # the refused one left nothing


def test_a_connection_lost_in_the_midst_leaves_nothing(postgres: Cluster, url: str, database: Database) -> None:
    def put_and_lose(tx: Transaction) -> None:
        inbox.put_many(tx, [message("1")])
        disconnect(postgres, url)

    with pytest.raises(UnavailableError, match="no connection"), database.write() as tx:
        put_and_lose(tx)
    with database.read() as conn:
        assert inbox.counts(conn).received == 0


def test_what_the_server_says_of_a_row_is_not_repeated(database: Database) -> None:
    twice = "('MRN-SECRET', 'r', '', ''), ('MRN-SECRET', 'r', '', '')"
    statement = text(f"INSERT INTO users (name, role, password_hash, created) VALUES {twice}")
    with pytest.raises(IntegrityError) as caught, database.write() as tx:
        tx.execute(statement)
    assert "SECRET" not in str(caught.value)
    with pytest.raises(psycopg.errors.UniqueViolation) as raw, database.write() as tx:
        tx.connection.driver_connection.execute(statement.text)  # type: ignore[union-attr]
    assert "SECRET" not in str(raw.value)


# --- several writers --------------------------------------------------------------------------------------------------


def together(*works: list[object]) -> None:
    threads = [threading.Thread(target=work) for work in works]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_ids_have_no_gaps_and_appear_in_order_whoever_stores_and_fails(url: str) -> None:
    """A smaller id never appears after a greater one: what a reader saw the end of is complete."""
    writers, seen, done = [open_(url) for _ in range(3)], [], threading.Event()

    def store(number: int) -> None:
        for n in range(40):
            with contextlib.suppress(ZeroDivisionError), writers[number].write() as tx:
                inbox.put_many(tx, [message(f"{number}-{n}-{k}") for k in range(5)] + [message("same")])
                assert 1 / (n % 4)  # every fourth is rolled back

    def watch() -> None:
        reader = open_(url, read_only=True)
        while not done.is_set():
            with reader.read() as conn:
                seen.append([row.id for row in inbox.listing(conn)])
        reader.close()

    watcher = threading.Thread(target=watch)
    watcher.start()
    together(*(lambda n=n: store(n) for n in range(3)))  # type: ignore[misc]
    done.set()
    watcher.join()
    with writers[0].read() as conn:
        counts = inbox.counts(conn)
        rows = list(inbox.listing(conn))
        (feed,) = feeds.listing(conn)
    assert [row.id for row in rows] == list(range(1, 3 * 30 * 5 + 2))
    assert all(ids == list(range(1, len(ids) + 1)) for ids in seen)
    assert len({len(ids) for ids in seen}) > 3, "nobody watched"
    assert (counts.duplicate, counts.pending, counts.received) == (3 * 30 - 1, 451, 540)
    assert feed.received == counts.received
    for writer in writers:
        writer.close()


def test_several_who_finish_release_and_record_do_not_block_each_other(url: str) -> None:
    """Messages of two feeds with the same unmapped codes, ended in both directions, while a person puts some back."""
    one, two, person = (open_(url) for _ in range(3))
    with one.write() as tx:
        inbox.put_many(tx, [message(str(n), source="lab" if n % 2 else "adt") for n in range(200)])
    issues = [Issue("unmapped-code", "", "", code) for code in "ABCDE"]

    def finish(database: Database, ids: list[int]) -> None:
        for first in range(0, len(ids), 5):
            endings = [
                (i, inbox.Ending(MessageState.QUARANTINED, NOW, "X", issues=issues)) for i in ids[first : first + 5]
            ]
            with database.write() as tx:
                audit.append(tx, audit.Act("adapter", "system", "alert-raised"), NOW)
                inbox.finish_many(tx, endings)

    def release() -> None:
        for _ in range(20):
            with person.write() as tx:
                released = quarantine.release_all(tx, "X", 0)
                audit.append(tx, audit.Act("kim", "operator", "quarantine-release"), NOW)
            with person.write() as tx:
                inbox.finish_many(tx, [(i, inbox.Ending(MessageState.IGNORED, NOW)) for i in released])

    together(
        lambda: finish(one, list(range(1, 101))),
        lambda: finish(two, list(range(200, 100, -1))),
        release,  # type: ignore[arg-type]
    )
    with one.read() as conn:
        counts = inbox.counts(conn)
        assert audit.verify(conn) == []
        assert audit.head(conn).seq == 20 + 20 + 20
    assert counts.received == counts.quarantined + counts.ignored == 200
    for database in (one, two, person):
        database.close()


def test_two_that_start_together_make_one_schema(postgres: Cluster) -> None:
    url = postgres.new_database()
    opened = [open_(url), open_(url)]
    together(*(lambda one=one: migrated(one, lambda: NOW) for one in opened))  # type: ignore[misc]
    for one in opened:
        with one.read() as conn:
            assert inbox.counts(conn).received == 0
            assert [entry.act.action for entry in audit.listing(conn)] == ["migration"]
        one.close()
    postgres.drop(url)


def test_placeholders_are_numbered_as_postgresql_wants_them() -> None:
    assert numbered("VALUES (?, ?, ?)") == "VALUES ($1, $2, $3)"
    assert numbered("?1 ?2 ?1") == "$1 $2 $1"


def test_a_text_with_nul_is_found_as_it_was_stored(database: Database, tmp_path: Path) -> None:
    with database.read() as conn:
        assert conn.execute(text("SELECT :said"), {"said": "a\0b"}).scalar_one() == "a\\x00b"


def test_who_lost_the_hold_writes_nothing_more_for_others_have_the_patients_by_then(
    postgres: Cluster, url: str
) -> None:
    """A rebuild takes minutes; whoever was kept out meanwhile begins the moment its session is gone."""
    rebuilder, processor = open_(url), open_(url)
    shares = processor.shares()

    def holding() -> None:
        with rebuilder.alone():
            with pytest.raises(UnavailableError, match="being rebuilt"):
                shares.renew()
            with rebuilder.write() as tx:
                inbox.put_many(tx, [message("1")])
            with postgres.session() as conn:
                conn.execute(HOLDER, (url.rpartition("/")[2],))
            shares.renew()
            assert shares.held == ALL
            with rebuilder.write() as tx:
                inbox.put_many(tx, [message("2")])

    with pytest.raises(UnavailableError, match="no connection"):
        holding()
    with rebuilder.write() as tx:  # it holds nothing, and is one writer among others again
        inbox.put_many(tx, [message("3")])
    with processor.read() as conn:
        assert [row.control_id for row in inbox.listing(conn)] == ["1", "3"]
    for database in (rebuilder, processor):
        database.close()


def test_two_messages_apart_in_one_turn_leave_the_lock_to_others(url: str) -> None:
    """After a bug each message of a batch stands alone, and two of them may be merges."""
    one, two = open_(url), open_(url)
    ours, theirs = one.shares(), two.shares()
    for numbers in ({1, 2}, {3}):
        ours.apart(lambda numbers=frozenset(numbers): numbers)  # type: ignore[misc]
        assert ours.held == numbers
    ours.renew()
    with two.write() as tx:
        tx.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
        tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({OURS}, {int(Lock.APART)})")
    theirs.close()
    for database in (one, two):
        database.close()


def test_one_process_at_a_time_holds_the_store(url: str) -> None:
    first, second = open_(url), open_(url)
    with first.alone():
        with pytest.raises(UnavailableError, match="in use by another adapter"), second.alone():
            pytest.fail("not reached")
        with second.write() as tx:  # holding keeps nobody from writing: commands may
            tx.execute(COUNT)
    with second.alone():
        pass
    first.close()
    second.close()
