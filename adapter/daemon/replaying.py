"""`adapter replay`: the inbox told again into a store beside ours, to compare with it or to take its place."""

import getpass
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from adapter import assets
from adapter.daemon.backup_round import brought_up_to_date
from adapter.daemon.clock import utc_now
from adapter.daemon.lock import data_folder, held
from adapter.daemon.opening import open_store
from adapter.daemon.rules import SECRET, load_rules
from adapter.errors import ConfigError, UnavailableError
from adapter.pipeline.replay import Difference, Replay, take_over
from adapter.screening.rulebook import Rulebook
from adapter.settings import Settings
from adapter.store import audit, emptied
from adapter.store.database import Database
from adapter.store.migrate import HEAD, current_revision
from adapter.store.outcomes import Turn
from adapter.store.projections import Span
from adapter.store.secret import SiteSecret


@dataclass(frozen=True, slots=True)
class Wish:
    """`since`: only messages received from then on; `rules`: another folder's; `at`: the clinical now, the clock's if empty.
    `rulebook`: rules that stand in no folder.
    """

    since: datetime | None = None
    rules: Path | None = None
    at: datetime | None = None
    rulebook: Rulebook | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a replay found: messages told, messages that end otherwise, episodes that are judged otherwise.

    `ledger` is by how much each of its lines changes.
    """

    told: int
    turns: tuple[Turn, ...]
    differences: tuple[Difference, ...]
    persons: int = 0
    ledger: Mapping[str, int] = field(default_factory=dict)
    erased: int = 0
    """Messages that cannot be told again, because their bytes were erased."""

    def summary(self) -> dict[str, Any]:
        changed = {"messages_changed": len(self.turns), "candidates_changed": len(self.differences)}
        changed |= {"messages_erased": self.erased}
        return {"messages": self.told, "persons": self.persons, **changed}


def difference(settings: Settings, wish: Wish) -> Report:
    """Changes nothing; works beside a running daemon. Raises ConfigError, UnavailableError."""
    with _opened(settings, read_only=True) as live, _replay(settings, live, wish) as replay:
        return _told(replay, wish)


def rebuild(settings: Settings, wish: Wish) -> Report:
    """State and worklist made anew in place, under the lock of the daemon. Raises ConfigError, UnavailableError."""
    if wish.rules is not None:
        raise ConfigError("--rules without --diff: the daemon runs under [adapter] assets — change that, then replay")
    with held(data_folder(settings.adapter.data)), _opened(settings, read_only=False) as live, live.alone():
        with _replay(settings, live, wish) as replay:
            found = _told(replay, wish)
            persons = take_over(replay)
        report = replace(found, persons=persons)
        with live.write() as tx:
            act = audit.Act(getpass.getuser(), "operator", "replay", "store", "", report.summary())
            audit.append(tx, act, utc_now())
    return report


def _told(replay: Replay, wish: Wish) -> Report:
    told = replay.tell(Span(wish.since))
    replay.judge()
    with replay.live.read() as conn:
        erased = emptied.number(conn)
    return Report(told, tuple(replay.turns()), tuple(replay.differences()), ledger=replay.shifts(), erased=erased)


@contextmanager
def _opened(settings: Settings, *, read_only: bool) -> Iterator[Database]:
    live = open_store(settings, read_only=read_only)
    try:
        if not read_only:
            brought_up_to_date(settings, live, utc_now)
        with live.read() as conn:
            if current_revision(conn) != HEAD:
                raise UnavailableError("the store is not of this version — start the daemon of this version once")
        yield live
    finally:
        live.close()


@contextmanager
def _replay(settings: Settings, live: Database, wish: Wish) -> Iterator[Replay]:
    """The second store lies in the data folder, whose rights it needs, and is gone afterwards."""
    standing = load_rules(settings)
    secret = settings.adapter.data / SECRET
    if not secret.exists():
        raise UnavailableError("there is no site key yet, so no candidate either — start the daemon once")
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="replay-", dir=settings.adapter.data))
        second = Database.open(f"sqlite:///{folder}/replay.db")
        stack.callback(second.close)
        second.migrate()
        rules = wish.rulebook or (standing if wish.rules is None else _other_rules(settings, wish.rules))
        yield Replay(live, second, rules, standing, SiteSecret.load_or_create(secret), wish.at or utc_now())


def _other_rules(settings: Settings, folder: Path) -> Rulebook:
    production = settings.adapter.environment == "production"
    return assets.load_rulebook(folder, trials=settings.adapter.trials, production=production)
