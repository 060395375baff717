"""A processor's share of a PostgreSQL store: advisory locks of one session, in which it also writes.

The session is the fence. Whoever lost it lost the locks, and can write nothing of what it computed under them; whoever dies
frees them at once, because the server ends the session of a closed connection.
"""

import contextlib
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from adapter import __version__
from adapter.errors import UnavailableError
from adapter.store.locks import OURS, Lock
from adapter.store.partitions import ALL, COUNT
from adapter.store.shares import Shares

LOOK_AGAIN = 0.25
"""Seconds between two looks at who is there and who waits."""

PARTITIONS = OURS + 1
"""The class of locks with one lock a partition."""

RULES = OURS + 2
"""The class of locks that say by which rules a processor goes; shared by those who go by the same."""
OTHER_RULES = (
    "processors of this store are at work by other rules or in another version, and one verdict would stand beside another — "
    "stop them all, then start those that are alike"
)

_RULES = text("""
SELECT CAST(objid AS bigint) FROM pg_locks WHERE locktype = 'advisory' AND classid = :rules AND pid <> pg_backend_pid()
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")
_LOCKS = text("""
SELECT CAST(classid AS bigint), CAST(objid AS bigint), granted, pid = pg_backend_pid() FROM pg_locks
WHERE locktype = 'advisory' AND classid IN (:ours, :partitions)
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")
_TRY = text("SELECT n, pg_try_advisory_lock(:kind, n) FROM unnest(CAST(:wanted AS int[])) AS n")
_FREE = text("SELECT pg_advisory_unlock(:kind, n) FROM unnest(CAST(:gone AS int[])) AS n")
_TAKE = text("SELECT pg_advisory_lock(:kind, :n)")


@dataclass(frozen=True, slots=True)
class Seen:
    """Who is there: how many processors, what others hold, what is waited for."""

    members: int
    taken: frozenset[int]
    wanted: frozenset[int]


class Leases(Shares):
    """For one thread. `translated` is the store's own, for errors of the driver."""

    def __init__(
        self, engine: Engine, translated: Callable[[], contextlib.AbstractContextManager[None]], rules: str
    ) -> None:
        self._engine, self._translated, self._rules = engine, translated, _number(rules)
        self._session: Connection | None = None
        self._held: frozenset[int] = frozenset()
        self._apart = False
        self._looked = 0.0

    @property
    def held(self) -> frozenset[int]:
        return self._held

    def under(self, rules: str) -> None:
        before, self._rules = self._rules, _number(rules)
        if self._session is None or before == self._rules:
            return
        try:
            with self._lost_with_the_session():
                self._agree(self._session)
                self._session.exec_driver_sql(f"SELECT pg_advisory_unlock_shared({RULES}, {before})")
                self._session.commit()
        except UnavailableError:
            self._rules = before
            raise

    def renew(self) -> frozenset[int]:
        if self._session is not None and not self._apart and time.monotonic() - self._looked < LOOK_AGAIN:
            return frozenset()
        before = self._held
        with self._lost_with_the_session():
            session = self._opened()
            if self._apart:
                self._end_apart(session)
            seen = _look(session)
            share = -(-COUNT // seen.members)
            surplus = sorted(self._held - seen.wanted)[share:]
            self._give_up(session, (self._held & seen.wanted) | set(surplus))
            self._take_free(session, seen, share - len(self._held))
        self._looked = time.monotonic()
        return before ^ self._held

    def apart(self, needed: Callable[[], frozenset[int]]) -> frozenset[int]:
        before = self._held
        with self._lost_with_the_session():
            session = self._opened()
            # Nobody waits while holding: two who want each other's partitions would wait for ever.
            self._give_up(session, self._held)
            if not self._apart:  # taken twice it would have to be given up twice
                session.exec_driver_sql(f"SELECT pg_advisory_lock({OURS}, {int(Lock.APART)})")
                session.commit()
                self._apart = True
            for number in sorted(needed()):
                session.execute(_TAKE, {"kind": PARTITIONS, "n": number})
                session.commit()
                self._held |= {number}
        return before | self._held

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        with self._lost_with_the_session():
            if self._session is None:
                raise UnavailableError("the session that holds our patients is gone — taken up again")
            with self._session.begin():
                yield self._session

    def close(self) -> None:
        session, self._session, self._held, self._apart = self._session, None, frozenset(), False
        if session is not None:
            with contextlib.suppress(Exception):  # the server frees what the session held, at the latest when it ends
                session.rollback()
                session.exec_driver_sql("SELECT pg_advisory_unlock_all()")
            with contextlib.suppress(Exception):
                session.close()

    @contextlib.contextmanager
    def _lost_with_the_session(self) -> Iterator[None]:
        try:
            with self._translated():
                yield
        except UnavailableError:
            self.close()
            raise

    def _opened(self) -> Connection:
        if self._session is None:
            session = self._engine.connect()
            session.detach()  # never back into the pool: its locks are ours alone
            self._session = session
            if self._rules:
                self._agree(session)
            mine = f"SELECT pg_try_advisory_lock_shared({OURS}, {int(Lock.STORE)})"
            if not session.exec_driver_sql(mine).scalar_one():
                raise UnavailableError("the store is being rebuilt by another adapter process — tried again")
            session.commit()
        return self._session

    def _agree(self, session: Connection) -> None:
        """One after the other: of two that come together the second sees the first."""
        session.exec_driver_sql(f"SELECT pg_advisory_xact_lock({OURS}, {int(Lock.JOINING)})")
        if set(session.execute(_RULES, {"rules": RULES}).scalars()) - {self._rules}:
            raise UnavailableError(OTHER_RULES)
        session.exec_driver_sql(f"SELECT pg_advisory_lock_shared({RULES}, {self._rules})")
        session.commit()

    def _end_apart(self, session: Connection) -> None:
        self._give_up(session, self._held)
        session.exec_driver_sql(f"SELECT pg_advisory_unlock({OURS}, {int(Lock.APART)})")
        session.commit()
        self._apart = False

    def _give_up(self, session: Connection, gone: frozenset[int] | set[int]) -> None:
        if gone:
            session.execute(_FREE, {"kind": PARTITIONS, "gone": sorted(gone)})
            session.commit()
            self._held -= gone

    def _take_free(self, session: Connection, seen: Seen, number: int) -> None:
        free = sorted(ALL - self._held - seen.taken - seen.wanted)[: max(0, number)]
        if free:
            got = session.execute(_TRY, {"kind": PARTITIONS, "wanted": free}).all()
            session.commit()
            self._held |= {place for place, granted in got if granted}


def _number(rules: str) -> int:
    """Of their lock, which is signed; the program is one of them. 0 for whoever judges nobody."""
    return zlib.crc32(f"{__version__} {rules}".encode()) >> 1 if rules else 0


def _look(session: Connection) -> Seen:
    members, taken, wanted = 0, set[int](), set[int]()
    for kind, number, granted, ours in session.execute(_LOCKS, {"ours": OURS, "partitions": PARTITIONS}):
        if kind == OURS and number == Lock.STORE:
            members += 1
        elif kind == PARTITIONS and not granted:
            wanted.add(number)
        elif kind == PARTITIONS and not ours:
            taken.add(number)
    session.commit()
    return Seen(max(1, members), frozenset(taken), frozenset(wanted))
