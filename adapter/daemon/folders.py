"""The drop folders of the configuration: made into readers, and looked at by `adapter check`."""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from adapter.daemon.spool import spool
from adapter.errors import ConfigError
from adapter.ports import Clock
from adapter.screening.rulebook import Rulebook
from adapter.settings import FolderSource, Settings
from adapter.sources import drop
from adapter.sources.envelope import Door
from adapter.sources.folder import Desk, Folder, FolderReader
from adapter.sources.folder_tally import FolderMetrics, Tally
from adapter.store.database import Database
from adapter.store.disk import NETWORK, filesystem
from adapter.telemetry import Metrics

Looked = Iterator[tuple[str, str]]


def readers(
    settings: Settings, rules: Rulebook, metrics: Metrics, clock: Clock, desk: tuple[Database, Callable[[], bool]]
) -> tuple[FolderReader, ...]:
    """`desk` is the store, and whether its disk takes no more."""
    if not settings.folders():
        return ()
    figures = FolderMetrics(metrics.registry)
    place = Desk(desk[0], partial(spool, settings.adapter.data), desk[1])
    return tuple(
        _reader(source, rules, clock, place, Tally(source.name, figures, metrics)) for source in settings.folders()
    )


def _reader(source: FolderSource, rules: Rulebook, clock: Clock, desk: Desk, tally: Tally) -> FolderReader:
    door = Door(source.name, source.site, clock, str, encoding=rules.sites[source.site].encoding)
    folder = Folder(source.path, source.every.total_seconds(), source.pattern, deletes=source.done == "delete")
    return FolderReader(folder, door, desk, tally)


def alarms_of(reading: Sequence[FolderReader]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for one in reading for code in one.tally.alarms()))


def looked(settings: Settings) -> Looked:
    if settings.folders():
        yield from _apart(settings)
    for source in settings.folders():
        for level, text in _folder(source):
            yield level, f"{source.name}: {text}"


def _apart(settings: Settings) -> Looked:
    """By what stands on the disk, as links lead there: reading the settings compared only what is written."""
    try:
        settings.folders_apart(Path.resolve)
    except ConfigError as error:
        yield "error", str(error)
    except (OSError, RuntimeError) as error:
        yield "error", f"where the folders lie cannot be told ({error}) — look at the links there"


def _folder(source: FolderSource) -> Looked:
    """The daemon would start without it, and wait for a share to be mounted; who checks hears of it."""
    try:
        with drop.opened(source.path) as handle:
            found = drop.look(handle, source.pattern)
            refused = drop.refused(handle)
    except OSError as error:
        yield (
            "error",
            f"{source.path} cannot be listed ({error.strerror}) — make it, or mount it, readable for this account",
        )
        return
    yield from _rights(source.path)
    yield from _places(source.path)
    if refused:
        yield "warning", f"files lie in {source.path / drop.REFUSED}: each has its reason beside it, in a .reason.txt"
    left = "".join(f", {number} {kind}" for kind, number in sorted(found.left.items()))
    kept = (
        "deleted"
        if source.done == "delete"
        else f"kept in {drop.TAKEN}/, which you clear: adapter erase does not reach it"
    )
    yield (
        "ok",
        f"{source.path} every {source.every.total_seconds():g} s, {found.waiting} waiting{left}; files read are {kept}",
    )


def _rights(path: Path) -> Looked:
    if not os.access(path, os.W_OK | os.X_OK):
        yield "error", f"{path}: this account may not move files there — give it the right to write"
    if path.stat().st_mode & stat.S_IWOTH:
        yield "warning", f"{path}: everybody on this machine may drop messages there — chmod o-w {path}"
    if (kind := filesystem(path / "file")) in NETWORK:
        yield (
            "warning",
            f"{path} is a network file system ({kind}): a size may be told late — the sender must write elsewhere and rename",
        )


def _places(path: Path) -> Looked:
    for name in (drop.TAKEN, drop.REFUSED):
        place = path / name
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            yield "error", f"{place} is no folder — files are moved there: take it away"
        elif place.exists() and place.stat().st_dev != path.stat().st_dev:
            yield "error", f"{place} is another file system than {path} — a file cannot be renamed into it: unmount it"
