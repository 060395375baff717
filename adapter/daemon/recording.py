"""What the daemon puts on record of itself: start and stop, an end nobody asked for, another configuration, a migration."""

import contextlib
import hashlib
import json
import socket
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from adapter import __version__, telemetry
from adapter.errors import StorageFailedError, UnavailableError
from adapter.ports import Clock
from adapter.screening.rulebook import Rulebook
from adapter.settings import Settings
from adapter.store import audit, marks
from adapter.store.audit import Act
from adapter.store.codec import canonical, instant
from adapter.store.database import Database, Transaction
from adapter.store.locks import Lock, take
from adapter.store.migrate import HEAD, current_revision, migrate

Said = Mapping[str, Any]
SHORT = 16


def own(action: str, detail: Said, outcome: str = "ok", reason: str = "") -> Act:
    """An act of the adapter itself, on the process that does it."""
    return Act("adapter", "system", action, "daemon", "", detail, outcome, reason)


def migrated(database: Database, clock: Clock) -> None:
    """To the newest schema and on record, in one transaction. Raises ConfigError where the store is newer than this program."""
    with database.write() as tx:
        if current_revision(tx) == HEAD:
            return
        take(tx, Lock.SCHEMA)  # of two that start together the second finds it done
        before = current_revision(tx)
        migrate(tx)
        if before != HEAD:
            audit.append(tx, own("migration", {"from": before or "", "to": HEAD, "software": __version__}), clock())


@contextlib.contextmanager
def on_duty(settings: Settings, rules: Rulebook, database: Database, clock: Clock) -> Iterator[None]:
    """From the start to the stop of a daemon. One that is killed leaves its mark, and the next start says so."""
    with database.write() as tx:
        _begin(tx, settings, rules, clock())
    try:
        yield
    except BaseException as error:
        with contextlib.suppress(StorageFailedError):  # what ended us is raised
            _end(settings, database, clock, type(error).__name__)
        raise
    _end(settings, database, clock, "")


def _begin(tx: Transaction, settings: Settings, rules: Rulebook, now: datetime) -> None:
    present = {"software": __version__, "rulebook": rules.digest, "sections": sections(settings)}
    mark = json.dumps(present | {"since": instant(now)})
    before = json.loads(marks.put(tx, _mark(settings), mark) or "{}")
    if before.get("since"):
        audit.append(tx, own("daemon-recovered", {"since": before["since"]}), now)
    how = {"environment": settings.adapter.environment, "roles": list(settings.adapter.roles)}
    told = {"software": __version__, "rulebook": rules.digest, "configuration": configuration(settings)}
    audit.append(tx, own("daemon-start", told | how | {"sqlite": sqlite3.sqlite_version}), now)
    if before:
        for act in _changes(before, present):
            audit.append(tx, act, now)


def _changes(before: Said, present: Said) -> Iterator[Act]:
    """Since the last start of this process."""
    was, now = before["sections"], present["sections"]
    changed = sorted(name for name in {*was, *now} if was.get(name) != now.get(name))
    if changed:
        detail = {"sections": changed, "before": _digest(was), "after": _digest(now)}
        yield own("config-changed", detail | {"software": [before["software"], present["software"]]})
    if before["rulebook"] != present["rulebook"]:
        yield own("rules-changed", {"before": before["rulebook"], "after": present["rulebook"]})


def _end(settings: Settings, database: Database, clock: Clock, error: str) -> None:
    """A store that is away takes no entry: then the next start says how this one ended. Raises StorageFailedError (reliability R5)."""
    try:
        with database.write() as tx:
            said = json.loads(marks.said(tx, _mark(settings)))
            marks.put(tx, _mark(settings), json.dumps(said | {"since": ""}))
            audit.append(tx, own("daemon-stop", {}, "failed" if error else "ok", error), clock())
    except StorageFailedError:
        raise
    except UnavailableError:
        telemetry.log("the stop is not on record", text="the store is away")


def sections(settings: Settings) -> dict[str, str]:
    """A digest of each section of the configuration, the environment's part too; of a secret its reference."""
    said = settings.model_dump(mode="json")
    return {name: hashlib.sha256(canonical(part).encode()).hexdigest()[:SHORT] for name, part in said.items()}


def configuration(settings: Settings) -> str:
    return _digest(sections(settings))


def _digest(found: Said) -> str:
    return hashlib.sha256(canonical(dict(found)).encode()).hexdigest()[:SHORT]


def _mark(settings: Settings) -> str:
    """Each process has a data folder of its own; several hosts may call theirs alike."""
    return f"daemon:{socket.gethostname()}:{settings.adapter.data}"
