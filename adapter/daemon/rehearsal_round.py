"""The daemon's own tries of its backups: the newest once a month, where none of them is encrypted (reliability 5.4)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapter import telemetry
from adapter.daemon import copies
from adapter.daemon.backup_round import ACTOR
from adapter.daemon.rehearsal_place import clear_leftovers, left
from adapter.daemon.rehearsing import Rehearsal, rehearse
from adapter.daemon.restoring import Order
from adapter.daemon.site_key import label
from adapter.errors import AdapterError, StorageFailedError, UnavailableError
from adapter.ports import Clock
from adapter.settings import BackupSection, Settings
from adapter.store import rehearsal_log
from adapter.store.backup import BrokenOffError
from adapter.store.database import Database

TOLD_AGAIN = timedelta(hours=1)


@dataclass(slots=True)
class Rehearsals:
    """To be called in turn with the backups, never beside one. Of encrypted ones a person tries one: the key is elsewhere."""

    settings: Settings
    database: Database
    clock: Clock
    stopping: Callable[[], bool]
    _told: datetime | None = None

    def round(self) -> None:
        """One, if it is due. What keeps it from being made is told and tried again; the feed does not suffer for it."""
        wish = self.settings.backup
        try:
            self._clear()
            if wish is not None and not wish.recipient:
                self._round(wish)
        except BrokenOffError:
            telemetry.log("restore test broken off", text="the daemon stops")
        except StorageFailedError:
            raise
        except AdapterError as error:
            telemetry.warn("restore not tested", text=str(error))
        except OSError as error:
            telemetry.warn("restore not tested", text=f"{error.strerror} — look at the disks of store and backups")

    def _clear(self) -> None:
        """What a killed one left, whenever that was; later where somebody tries one just now. What cannot be taken away keeps
        nothing from being tried, and is told once an hour. Raises ConfigError, StorageFailedError.
        """
        if self._told is not None and timedelta(0) <= self.clock() - self._told < TOLD_AGAIN:
            return
        try:
            with self.database.read() as conn:
                there = left(self.settings, conn)
            if there:
                clear_leftovers(self.settings)
        except StorageFailedError:
            raise
        except UnavailableError:
            pass
        except OSError as error:
            self._told = self.clock()
            where = error.filename or "the disks of store and backups"
            telemetry.warn("what a restore test left stays", text=f"{error.strerror} — look at {where}")

    def _round(self, wish: BackupSection) -> None:
        with self.database.read() as conn:
            if not rehearsal_log.due(conn, self.clock()):
                return
            key = label(conn)
        file = copies.newest_in_clear(wish.to, key) if wish.to.is_dir() else None
        if file is None:
            return
        with self.database.write() as tx:
            if not rehearsal_log.claim(tx, self.clock()):
                return
        # those from before `recipient` was taken out wait for a person
        order = Order(file, None, ACTOR[0], self.clock(), (wish.to,), lambda: not self.stopping())
        found = rehearse(self.settings, order)
        with self.database.write() as tx:
            rehearsal_log.tested(tx, found.act(*ACTOR), self.clock())
        _tell(found)


def _tell(found: Rehearsal) -> None:
    seconds = round(found.seconds, 1)
    if found.problem:
        telemetry.warn("restore test failed", file=found.file, seconds=seconds, text=found.problem)
    else:
        telemetry.log("restore tested", file=found.file, seconds=seconds, text=found.limit or "whole")
