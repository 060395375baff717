"""The daemon's own backups: one whenever it is due, and those past their time deleted."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from adapter import telemetry
from adapter.daemon import copies, systemd
from adapter.daemon.backing_up import Job, Made, make
from adapter.daemon.numbers_file import NumbersFile
from adapter.daemon.recording import migrated
from adapter.errors import AdapterError, ConfigError, StorageFailedError, UnavailableError
from adapter.ports import Clock
from adapter.settings import BackupSection, Settings
from adapter.store import backup_log
from adapter.store.backup import BrokenOffError
from adapter.store.database import Database
from adapter.store.migrate import HEAD, current_revision, refuse_newer

PATIENCE_MICROSECONDS = 120_000_000
ACTOR = ("adapter", "system")


@dataclass(slots=True)
class Rounds:
    settings: Settings
    wish: BackupSection
    database: Database
    clock: Clock
    stopping: Callable[[], bool]
    _numbers: NumbersFile = field(init=False)

    def __post_init__(self) -> None:
        self._numbers = NumbersFile(self.wish.to)

    def round(self) -> None:
        """One, if it is due. What goes wrong with it is said and tried again; the feed does not suffer for it."""
        try:
            with self._told("backup failed"):
                if self._due():
                    self._make()
        except BrokenOffError:
            telemetry.log("backup broken off", text="the daemon stops")

    def keep_numbers(self) -> None:
        """The screening numbers, also while a backup is being made."""
        with self._told("screening numbers not kept"):
            if self.wish.to.is_dir():
                self._numbers.keep(self.database)

    @contextlib.contextmanager
    def _told(self, event: str) -> Iterator[None]:
        """Raises StorageFailedError, BrokenOffError. A folder on a share that is dead raises OSError wherever it is touched."""
        try:
            yield
        except (StorageFailedError, BrokenOffError):
            raise
        except AdapterError as error:
            telemetry.warn(event, text=str(error))
        except OSError as error:
            telemetry.warn(event, text=f"{self.wish.to}: {error.strerror} — look at its disk or share")

    def _due(self) -> bool:
        now, every = self.clock(), self.wish.every
        with self.database.read() as conn:
            if not backup_log.due(conn, now, every):
                return False
        with self.database.write() as tx:
            return backup_log.claim(tx, now, every)

    def _make(self) -> None:
        began = time.monotonic()
        made = make(self.settings, self.database, Job(self.wish.to, self.clock(), lambda: not self.stopping()))
        with self.database.write() as tx:
            backup_log.succeeded(tx, made.act(*ACTOR), made.manifest.made, self.clock())
        seconds = round(time.monotonic() - began, 1)
        telemetry.log("backup made", file=made.path.name, bytes=made.manifest.bytes, seconds=seconds)
        with self._told("backups not deleted"):
            self._expire(made.manifest.key)

    def _expire(self, key: str) -> None:
        gone = copies.expire(self.wish.to, key, self.wish.keep, self.clock(), self.wish.every)
        if gone:
            telemetry.log("backups deleted", count=gone, text="past [backup] keep")


def brought_up_to_date(settings: Settings, database: Database, clock: Clock) -> None:
    """The newest schema; where `[backup]` says where, the store of before is copied first. Raises ConfigError, UnavailableError."""
    made = _before(settings, database, clock)
    migrated(database, clock)
    if made is not None:
        with database.write() as tx:
            backup_log.succeeded(tx, made.act(*ACTOR), made.manifest.made, clock())


def _alive() -> bool:
    """A big store takes longer to copy than a start may: the supervisor is told that it goes on."""
    systemd.notify(f"EXTEND_TIMEOUT_USEC={PATIENCE_MICROSECONDS}")
    return True


def _before(settings: Settings, database: Database, clock: Clock) -> Made | None:
    wish = settings.backup
    with database.read() as conn:
        revision = current_revision(conn)
        if wish is None or revision in {None, HEAD}:
            return None
        refuse_newer(conn)
    try:
        made = make(settings, database, Job(wish.to, clock(), _alive))
    except StorageFailedError:
        raise
    except (ConfigError, UnavailableError) as error:
        advice = "nothing was changed; mend it and start again, or take [backup] out to go without"
        raise type(error)(f"the backup before the schema is brought up to date failed: {error}; {advice}") from None
    telemetry.log("backup made", file=made.path.name, bytes=made.manifest.bytes, text=f"of schema {revision}")
    return made
