"""Tries a backup: it is brought back beside the running daemon as a restore would, looked into, and thrown away.

The store is not touched. What is found is put on record, by the daemon where one runs (reliability 5.3, 5.4).
"""

import contextlib
import errno
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapter import __version__
from adapter.daemon import copies, dumping, restoring, sealing
from adapter.daemon.copies import Manifest
from adapter.daemon.opening import open_store
from adapter.daemon.reaching import recorded, too_old
from adapter.daemon.rehearsal_place import is_sealed, place
from adapter.daemon.restoring import Order
from adapter.daemon.rules import SECRET
from adapter.daemon.sealing import NotOpenedError
from adapter.errors import AdapterError, ConfigError, StorageFailedError, UnavailableError
from adapter.pipeline import remembered
from adapter.settings import Settings
from adapter.store import audit, backup, patients, screening_ids
from adapter.store.backup import BrokenOffError, NoPlaceError
from adapter.store.database import Snapshot
from adapter.store.migrate import current_revision
from adapter.store.secret import SiteSecret

SAMPLE = 25
"""So many patients are read, drawn by lot."""
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})
"""These say nothing of the backup."""
READ_ONLY_THROUGH = (
    "it was read from end to end but brought back nowhere: the role may not make a database — ALTER ROLE … CREATEDB, "
    "or restore it on another machine"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """Of what was brought back: screening numbers that the site key opens, records of patients, and how many were read."""

    numbers: int
    patients: int
    read: int


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """`problem` is why it cannot be restored, else empty; `limit` what could not be looked at; `seen` is there without either."""

    file: str
    seconds: float
    problem: str = ""
    limit: str = ""
    manifest: Manifest | None = None
    seen: Seen | None = None

    @property
    def outcome(self) -> str:
        return "failed" if self.problem else "ok"

    def detail(self) -> dict[str, Any]:
        """For the audit trail."""
        said: dict[str, Any] = {"seconds": round(self.seconds), "software": __version__}
        if self.manifest is not None:
            plain = self.manifest.as_json()
            said |= {name: plain[name] for name in ("made", "sha256", "encrypted", "schema", "last_message")}
            said |= {"entries": plain["audit"]["entries"], "brought_back": self.seen is not None}
        if self.seen is not None:
            said |= {"numbers": self.seen.numbers, "patients": self.seen.patients, "read": self.seen.read}
        return said

    def act(self, actor: str, role: str) -> audit.Act:
        return audit.Act(actor, role, "restore-tested", "store", self.file, self.detail(), self.outcome, self.problem)


def rehearse(settings: Settings, order: Order) -> Rehearsal:
    """Raises ConfigError, UnavailableError (BrokenOffError) for what keeps us from trying and says nothing of the backup."""
    try:
        if not copies.NAME.fullmatch(order.file.name):
            raise ConfigError(f"{order.file.name} is no name of a backup — give one, adapter-….db, .dump or .age")
        if order.opened is None and is_sealed(order.file):
            raise sealing.wants_key(order.file)
        if not settings.on_sqlite():
            dumping.refuse_without("pg_restore")
        with place(settings, order.file) as folder:
            return _rehearsed(settings, order, folder)
    except OSError as error:
        where = error.filename or f"{settings.adapter.data}, and at its disk"
        raise UnavailableError(
            f"{order.file.name} could not be tried ({error.strerror or type(error).__name__}) — look at {where}"
        ) from error


def on_record(settings: Settings, found: Rehearsal, by: str) -> str:
    """Why it is not, else empty. Where there is no store none is made for it. Raises StorageFailedError."""
    try:
        with contextlib.closing(open_store(settings, read_only=True)) as database, database.read() as conn:
            revision = current_revision(conn)
    except StorageFailedError:
        raise
    except AdapterError as error:
        return str(error)
    request = {"command": "restore-tested", "by": by, "file": found.file, "outcome": found.outcome}
    return too_old(revision) or recorded(settings, request | {"reason": found.problem, "detail": found.detail()})


def _rehearsed(settings: Settings, order: Order, folder: Path) -> Rehearsal:
    began, name = time.monotonic(), order.file.name
    try:
        manifest, seen = (_as_file if settings.on_sqlite() else _on_server)(settings, order, folder)
    except (BrokenOffError, NoPlaceError, NotOpenedError, StorageFailedError):
        raise
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
        problem = f"{name} could not be read ({error.strerror or type(error).__name__}) — look at its disk"
        return Rehearsal(name, time.monotonic() - began, problem)
    except AdapterError as error:
        return Rehearsal(name, time.monotonic() - began, str(error).removesuffix(f"; {restoring.NOT_HELD}"))
    return Rehearsal(
        name, time.monotonic() - began, limit="" if seen else READ_ONLY_THROUGH, manifest=manifest, seen=seen
    )


def _as_file(settings: Settings, order: Order, folder: Path) -> tuple[Manifest, Seen]:
    path = folder / "adapter.db"
    restored = restoring.as_file(settings, order, path)
    with backup.looked_into(path, order.goes) as conn:
        return restored.manifest, _seen(conn, settings)


def _on_server(settings: Settings, order: Order, folder: Path) -> tuple[Manifest, Seen | None]:
    from adapter.store import scratch

    with scratch.database(settings.store_url(), settings.store_password()) as url:
        if url is None:
            with restoring.unpacked(settings, order, folder) as (part, given):
                dumping.read_through(settings, part, order.goes)
            return given.manifest, None
        there = _elsewhere(settings, url)
        _refuse_unreachable(there)
        try:
            restored = restoring.into_server(there, order, folder)
            with contextlib.closing(open_store(there, read_only=True)) as database, database.read() as conn:
                return restored.manifest, _seen(conn, settings)
        except (dumping.RefusedError, StorageFailedError, BrokenOffError):
            raise
        except UnavailableError as error:  # the server, and not what was given to it
            raise NoPlaceError(str(error).removesuffix(f"; {restoring.NOT_HELD}")) from None


def _refuse_unreachable(there: Settings) -> None:
    """Raises NoPlaceError: who may make a database may not reach it yet, and it need not be as safe as the store's."""
    try:
        open_store(there).close()
    except AdapterError as error:
        raise NoPlaceError(f"the database to try a backup in cannot be used: {error}") from None


def _elsewhere(settings: Settings, url: str) -> Settings:
    """The same house with another store; its key stays where it is."""
    return settings.model_copy(update={"store": settings.store.model_copy(update={"url": url})})


def _seen(conn: Snapshot, settings: Settings) -> Seen:
    """Raises ConfigError for what cannot be read; tells of nobody."""
    secret = SiteSecret.load_or_create(settings.adapter.data / SECRET)
    try:
        numbers = screening_ids.open_all(conn, secret)
        drawn = patients.some(conn, SAMPLE)
        for one in drawn:
            remembered.read(conn, one)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise ConfigError(
            f"a patient in it cannot be read ({type(error).__name__}) — take another backup, and report it"
        ) from None
    return Seen(numbers, patients.number(conn), len(drawn))
