"""`adapter check`: everything a start would trip over, each with the way to mend it."""

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from adapter.assets import load_rulebook
from adapter.daemon import backup_checks, flat, folders, staff
from adapter.daemon.canary import tries
from adapter.daemon.certificates import certificates, findings
from adapter.daemon.clock import synchronised, utc_now
from adapter.daemon.heartbeat import Heartbeat
from adapter.daemon.listeners import neighbours, tls_for
from adapter.daemon.lock import data_folder, held
from adapter.daemon.opening import open_store
from adapter.daemon.parts import outlets_for, refuse_clear_text, space_of
from adapter.daemon.polling import reached
from adapter.daemon.rules import SECRET, load_rules
from adapter.daemon.site_key import refuse_other_key
from adapter.daemon.telling import rota_findings
from adapter.errors import AdapterError, ConfigError, UnavailableError
from adapter.pipeline.shadow import standing_undecided
from adapter.settings import FhirSink, Settings, load_settings
from adapter.settings.reading import read_toml
from adapter.store import shadow
from adapter.store.database import Snapshot
from adapter.store.disk import (
    VOLATILE,
    exposed,
    filesystem,
    refuse_network_filesystem,
    refuse_orphan_log,
    refuse_stranger,
)
from adapter.store.engines import sqlite_path
from adapter.store.migrate import HEAD, current_revision, refuse_newer
from adapter.store.space import Room


@dataclass(frozen=True, slots=True)
class Finding:
    """`level` is ok, warning or error; only errors keep the daemon from starting."""

    level: str
    about: str
    text: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)

    def line(self) -> str:
        return f"{self.level:<8}{self.about}: {self.text}"


def examine(config: Path) -> Iterator[Finding]:
    """Finding by finding; beside a broken configuration only the mappings can be looked at."""
    try:
        settings = load_settings(config)
    except ConfigError as error:
        yield from (Finding("error", "configuration", line) for line in str(error).splitlines())
        yield from _mappings(config)
        return
    yield Finding("ok", "configuration", str(config))
    for about, look in LOOKS.items():
        try:
            yield from (Finding(level, about, text) for level, text in look(settings))
        except AdapterError as error:
            yield Finding("error", about, str(error))


def _mappings(config: Path) -> Iterator[Finding]:
    """A site's file can be mended while the configuration still waits for a decision."""
    try:
        section = read_toml(config).data.get("adapter")
        folder = section.get("assets") if isinstance(section, dict) else None
    except ConfigError:
        return
    try:
        rules = load_rulebook(Path(folder) if isinstance(folder, str) else None, trials=())
        yield Finding("ok", "mappings", f"sites {', '.join(rules.sites)}")
    except ConfigError as error:
        yield Finding("error", "mappings", str(error))


Looked = Iterator[tuple[str, str]]


def _rules(settings: Settings) -> Looked:
    rules = load_rules(settings)
    yield "ok", f"{len(rules.sites)} sites, trials {', '.join(trial.id for trial in rules.trials)}, {rules.digest}"
    for trial in rules.trials:
        if trial.protocol_version == "to be signed":
            yield "warning", f"trial {trial.id}: protocol_version is 'to be signed' — a trialist must sign every line"


def _sources(settings: Settings) -> Looked:
    if not settings.source:
        yield "warning", "no [[source]]: nothing will ever come in"
    for source in settings.listeners():
        neighbours(source)
        if source.ack == "strict" and settings.adapter.environment == "production":
            yield (
                "warning",
                f"{source.name}: ack strict refuses content, which stops some engines — use it for onboarding",
            )
        if tls_for(source) is None and source.listen.host not in {"127.0.0.1", "::1"}:
            yield "warning", f"{source.name}: plain MLLP on {source.listen.host} — use tls, or a VPN of the site"
        yield "ok", f"{source.name}: {source.listen}"
    yield from findings(certificates(settings), utc_now())


def _outlets(settings: Settings) -> Looked:
    made = outlets_for(settings)
    yield "ok", ", ".join(made) or "none: nothing leaves this machine"
    for name, make in made.items() if "deliver" in settings.adapter.roles else ():
        try:
            make(utc_now)
        except ConfigError as error:
            yield "error", str(error) if f"'{name}'" in str(error) else f"{name}: {error}"
    yield from rota_findings(settings)
    yield from flat.findings(settings)
    if len(settings.adapter.trials) > 1 and any(isinstance(sink, FhirSink) and sink.study for sink in settings.sink):
        first = settings.adapter.trials[0]
        yield (
            "warning",
            f"'study' of a sink is the ResearchStudy of {first} — other trials are named by their registry number",
        )


def _shadow(settings: Settings) -> Looked:
    """Which trials are in shadow, and what the next start turns."""
    dark = settings.adapter.shadow
    yield "ok", f"{', '.join(dark)}: nobody is told, nothing is pushed" if dark else "none: every trial is live"
    if settings.on_sqlite() and not sqlite_path(settings.store_url()).exists():
        return
    with contextlib.suppress(AdapterError):  # what is wrong with the store or the trials is told of them alone
        yield from _turned(settings)


def _turned(settings: Settings) -> Looked:
    database = open_store(settings, read_only=True)
    try:
        with database.read() as conn:
            if current_revision(conn) == HEAD:
                yield from _turning(conn, settings)
    finally:
        database.close()


def _turning(conn: Snapshot, settings: Settings) -> Looked:
    for trial in load_rules(settings).trials:
        now_dark, then = shadow.is_dark(conn, trial.id), trial.id in settings.adapter.shadow
        if now_dark and not then:
            number = standing_undecided(conn, trial, utc_now())
            yield "warning", f"{trial.id} goes live at the next start: {number} that stand undecided are told together"
        elif then and not now_dark:
            yield (
                "warning",
                f"{trial.id} goes into shadow at the next start: alerts that wait go, deliveries to an EDC wait",
            )


def _web(settings: Settings) -> Looked:
    refuse_clear_text(settings)
    yield "ok", settings.web_base()


def _store(settings: Settings) -> Looked:
    folder = settings.adapter.data
    if not folder.is_dir():
        yield "warning", f"{folder} is not there yet — the daemon makes it at its first start"
        return
    data_folder(folder)
    path = sqlite_path(settings.store_url()) if settings.on_sqlite() else folder / SECRET
    for one in exposed(folder, path):
        yield "error", f"{one} can be reached by others — chmod {700 if one.is_dir() else 600} {one}"
    if settings.on_sqlite():
        yield from _disk(settings, path)
        if not path.exists():
            yield "ok", "no database yet"
            return
    database = open_store(settings, read_only=True)
    try:
        yield from (("error" if "damaged" in text else "warning", text) for text in database.self_check())
        with database.read() as conn:
            refuse_newer(conn)
            if current_revision(conn) == HEAD:
                refuse_other_key(conn, folder / SECRET)
        yield "ok", f"{settings.store_url()}: {database.settings()}"
    finally:
        database.close()


def _disk(settings: Settings, path: Path) -> Looked:
    refuse_network_filesystem(path)
    refuse_orphan_log(path)
    refuse_stranger(path)
    kind, space = filesystem(path), space_of(settings)
    if kind in VOLATILE:
        yield "warning", f"{path.parent} lies in memory ({kind}) — nothing there outlives a power cut"
    room, free = space.examine(), f"{space.free() >> 20} MiB free"
    if room is Room.NEARLY_FULL:
        yield "error", f"{free}: under the mark [store] stop_free_mib nothing is accepted — make room"
    elif room is Room.LOW:
        yield "warning", f"{free}: less than [store] warn_free_mib or warn_free_percent — make room soon"
    else:
        yield "ok", f"{kind or 'file system'} with {free}"


def _addresses(settings: Settings) -> Looked:
    folder = settings.adapter.data
    if os.access(folder, os.W_OK | os.X_OK):  # else nobody runs here, and the look at the store says why
        try:
            with held(folder):
                pass
        except UnavailableError:
            yield "ok", "a daemon is running here and holds them"
            return
    for listen in (*(source.listen for source in settings.listeners()), settings.web.listen):
        family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((listen.host, listen.port))
            except OSError as error:
                yield "error", f"{listen} cannot be listened on ({error.strerror}) — choose another"
            else:
                yield "ok", f"{listen} is free"


def _clock(_settings: Settings) -> Looked:
    if synchronised():
        yield "ok", "a time service keeps it"
    else:
        yield "warning", "no time service keeps it — deadlines need a clock that is right: run chrony or timesyncd"


def _watcher(settings: Settings) -> Looked:
    if settings.heartbeat is None:
        yield "ok", "none: nobody outside would notice that this machine is dead — see [heartbeat]"
        return
    Heartbeat(settings.heartbeat)
    yield "ok", f"told every {settings.heartbeat.every.total_seconds():g} s that all is well"


def _canary(settings: Settings) -> Looked:
    if settings.canary is None:
        yield "ok", "none: a score or limit that fires for nobody would not be noticed — see [canary]"
        return
    found = list(tries(load_rules(settings), settings, settings.canary, utc_now()))
    yield from found
    if not any(what == "error" for what, _ in found):
        yield "ok", f"found by every trial as expected; told every {settings.canary.every.total_seconds() / 60:g} min"


LOOKS: dict[str, Callable[[Settings], Looked]] = {
    "mappings and trials": _rules,
    "sources": _sources,
    "drop folders": folders.looked,
    "polled servers": reached,
    "staff": staff.reached,
    "outlets": _outlets,
    "shadow": _shadow,
    "canary": _canary,
    "REDCap projects": flat.asked,
    "web": _web,
    "store": _store,
    "backups": backup_checks.looked_at,
    "addresses": _addresses,
    "clock": _clock,
    "watcher": _watcher,
}
