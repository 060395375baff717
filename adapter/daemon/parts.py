"""Settings → objects: every part of the running program, made in one place."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from adapter import __version__
from adapter.daemon import canary, folders
from adapter.daemon.anchoring import Anchors
from adapter.daemon.backup_round import brought_up_to_date
from adapter.daemon.built import built
from adapter.daemon.canary import CanaryWatch, sites_of
from adapter.daemon.certificates import certificates, expiry
from adapter.daemon.edc import edc
from adapter.daemon.figures import figures
from adapter.daemon.flat import flat_sink
from adapter.daemon.health import Pulse
from adapter.daemon.heartbeat import Heartbeat, heart_of
from adapter.daemon.listeners import servers_for
from adapter.daemon.lock import data_folder
from adapter.daemon.opening import open_store
from adapter.daemon.polling import alarms_of, hints, pollers
from adapter.daemon.refusals import Refusals
from adapter.daemon.rules import SECRET, load_rules
from adapter.daemon.site_key import site_key
from adapter.daemon.staff import hospital
from adapter.daemon.tally import Tally, judged
from adapter.daemon.telling import caller, desk_of, notifiers_for
from adapter.errors import ConfigError
from adapter.fhir.bundle import BundleContext
from adapter.fhir.calendar import Dates
from adapter.fhir.subject import Study
from adapter.pipeline.calling import Caller
from adapter.pipeline.deliver import deliver_next
from adapter.pipeline.keep import Keeper
from adapter.pipeline.outgoing import NotifierOutlet, Outlet, PushWhen, SinkOutlet
from adapter.pipeline.receive import StoreInbox
from adapter.pipeline.shadow import House, settle
from adapter.ports import Clock, Notifier, Sink
from adapter.screening.rulebook import Rulebook
from adapter.settings import FhirSink, FolderSource, Settings
from adapter.settings.sections import Source
from adapter.sources.fhir_poller import FhirPoller
from adapter.sources.folder import FolderReader
from adapter.sources.mllp_server import MllpServer
from adapter.store.database import Database
from adapter.store.secret import SiteSecret
from adapter.store.shadow import is_dark
from adapter.store.space import MIB, Marks, Space
from adapter.telemetry import Metrics
from adapter.web.context import Bench, FeedInfo, WebContext

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Parts:
    """What the daemon runs. `outlets` deliver; `servers` listen; all share one database, one clock, one rulebook."""

    settings: Settings
    clock: Clock
    rules: Rulebook
    database: Database
    secret: SiteSecret
    metrics: Metrics
    keeper: Keeper
    outlets: Mapping[str, Sink | Notifier]
    servers: tuple[MllpServer, ...]
    pollers: tuple[FhirPoller, ...]
    folders: tuple[FolderReader, ...]
    pulse: Pulse
    anchors: Anchors
    caller: Caller | None = None
    """Where `[alerts]` says who is on call."""
    heart: Heartbeat | None = None
    """Where `[heartbeat]` names a watcher."""

    def beats(self, inbox: StoreInbox) -> Iterator[Coroutine[Any, Any, None]]:
        if self.heart is not None:
            yield self.heart.run(self.pulse.health, self.clock)
        section = self.settings.canary
        if section is not None and "receive" in self.settings.adapter.roles:
            yield canary.rounds(section, lambda: self.keeper.rules, sites_of(self.settings), inbox, self.clock)

    async def deliver(self, outlets: Mapping[str, Sink | Notifier]) -> int:
        """One round of these; how much arrived. Nothing of a trial in shadow leaves."""
        shadow = await asyncio.to_thread(self._in_shadow)
        return await deliver_next(self.database, outlets, self.clock, metrics=self.metrics, shadow=shadow)

    def _in_shadow(self) -> list[str]:
        """As we were told, or whoever was started last on this store."""
        ours = self.settings.adapter
        with self.database.read() as conn:
            return [trial for trial in ours.trials if trial in ours.shadow or is_dark(conn, trial)]


def refuse_clear_text(settings: Settings) -> None:
    """Names of patients cross a network only inside TLS: a proxy's, whose address base_url then tells."""
    host = settings.web.listen.host
    if host not in LOOPBACK and urlsplit(settings.web_base()).scheme != "https":
        raise ConfigError(
            f"[web] listen {host}: the worklist would go in clear — listen on 127.0.0.1 behind a TLS proxy, and set base_url to its https address"
        )


@contextmanager
def open_parts(settings: Settings, clock: Clock) -> Iterator[Parts]:
    """Everything made and checked, nothing running yet. Raises ConfigError, UnavailableError."""
    refuse_clear_text(settings)
    folder = data_folder(settings.adapter.data)
    rules, roles = load_rules(settings), settings.adapter.roles
    outlets = {name: make(clock) for name, make in outlets_for(settings).items()} if "deliver" in roles else {}
    metrics = Metrics()
    space = space_of(settings)
    with ExitStack() as stack:
        database = stack.enter_context(_migrated(settings, clock))
        secret, shadow = site_key(database, folder / SECRET), settings.adapter.shadow
        metrics.compute(lambda: figures(database, space, clock, shadow))
        known = certificates(settings)
        metrics.compute(lambda: expiry(known, clock()))
        keeper = keeper_of(settings, rules, database, secret, clock)
        polling = pollers(settings, database, metrics, clock) if "receive" in roles else ()
        anchors = Anchors(database, clock, "process" in roles)
        watch = CanaryWatch(settings.canary, sites_of(settings), clock) if settings.canary else None
        pulse = Pulse(
            *(database, space, clock, known, expected(settings)),
            shadow=shadow,
            trials=settings.adapter.trials,
            backups=settings.backup is not None,
            others=lambda: _others(polling, reading, anchors),
            canary=watch,
        )
        anchors.stopping, store = pulse.stops, (database, pulse.refuses)
        reading = folders.readers(settings, rules, metrics, clock, store) if "receive" in roles else ()
        for computed in (
            *(pulse.figures, anchors.figures, Tally(database).figures),
            *(lambda: built(settings, keeper.rules), lambda: judged(keeper.verdicts)),
        ):
            metrics.compute(computed)
        yield Parts(
            settings=settings,
            clock=clock,
            rules=rules,
            database=database,
            secret=secret,
            metrics=metrics,
            keeper=keeper,
            outlets=outlets,
            servers=servers_for(settings, rules, metrics, Refusals(database, clock)) if "receive" in roles else (),
            pollers=polling,
            folders=reading,
            pulse=pulse,
            caller=caller(settings, rules, database, clock, keeper.silence),
            heart=heart_of(settings, metrics, watch),
            anchors=anchors,
        )


@contextmanager
def _migrated(settings: Settings, clock: Clock) -> Iterator[Database]:
    database = open_store(settings)
    try:
        brought_up_to_date(settings, database, clock)
        yield database
    finally:
        database.close()


def keeper_of(settings: Settings, rules: Rulebook, database: Database, secret: SiteSecret, clock: Clock) -> Keeper:
    owed, base = owing(settings, rules, secret), settings.web_base()
    silence = settle(database, House(rules.trials, settings.adapter.shadow, owed, f"{base}/"), clock())
    return Keeper(database, rules, secret, owed, f"{base}/c/", silence)


def expected(settings: Settings) -> dict[str, timedelta | None]:
    """Who is to speak, and after how long a silence is an alarm; none: as its own rhythm says."""
    files = {source.name: source.silent_after for source in settings.folders()}
    return {source.name: None for source in settings.listeners()} | files


def _others(polling: Sequence[FhirPoller], reading: Sequence[FolderReader], anchors: Anchors) -> tuple[str, ...]:
    return (*alarms_of(polling), *folders.alarms_of(reading), *anchors.alarms())


def space_of(settings: Settings) -> Space:
    if not settings.on_sqlite():
        return Space(settings.adapter.data, Marks(0, 0, 0, 0))  # the server's disk is not ours to watch
    store = settings.store
    sizes = (round(size * MIB) for size in (store.warn_free_mib, store.stop_free_mib, store.ballast_mib))
    return Space(settings.adapter.data, Marks(store.warn_free_percent, *sizes))


# --- outlets ---------------------------------------------------------------------------------------------------------


def outlets_for(settings: Settings) -> dict[str, Callable[[Clock], Sink | Notifier]]:
    made: dict[str, Callable[[Clock], Sink | Notifier]] = {}
    for sink in settings.sink:
        made[sink.name] = edc(sink) if isinstance(sink, FhirSink) else flat_sink(settings, sink)
    return made | notifiers_for(settings)


def owing(settings: Settings, rules: Rulebook, secret: SiteSecret) -> tuple[Outlet, ...]:
    """What decides which deliveries are owed; a sink's own ResearchStudy is that of the first trial."""
    first = rules.trials[0]
    sinks = tuple(
        SinkOutlet(
            sink.name,
            PushWhen(sink.push_when),
            BundleContext(
                secret=secret.derive("fhir-ids"),
                dates=Dates(sink.dates),
                software=__version__,
                study=Study(first.registry, study := sink.study if isinstance(sink, FhirSink) else ""),
                consent_criterion=first.parameters.consent_criterion,
                studies={
                    trial.id: (
                        Study(trial.registry, study if trial is first else ""),
                        trial.parameters.consent_criterion,
                    )
                    for trial in rules.trials
                },
            ),
        )
        for sink in settings.sink
    )
    # With [alerts] people are told by rounds of alerting (pipeline/calling.py), not with the message that changed something.
    return sinks if settings.alerts else (*sinks, *(NotifierOutlet(notifier.name) for notifier in settings.notifier))


def web_context(parts: Parts, inbox: StoreInbox, bench: Bench, *, demo: bool) -> WebContext:
    """What the pages are given."""
    settings = parts.settings
    return WebContext(
        database=parts.database,
        inbox=inbox,
        clock=parts.clock,
        trials=parts.rules.trials,
        secret=parts.secret,
        feeds=tuple(_feed(source) for source in settings.source),
        health=parts.pulse.health,
        metrics=parts.metrics.text,
        base_url=settings.web_base(),
        cookie_secure=urlsplit(settings.web_base()).scheme == "https",
        software=__version__,
        bench=bench,
        demo=demo,
        idle=timedelta(minutes=settings.web.idle_minutes),
        blank=timedelta(minutes=settings.web.blank_minutes),
        requests_per_minute=settings.web.requests_per_minute,
        second_step_required=settings.second_step_required(),
        hospital=hospital(settings, parts.clock),
        hints=hints(settings, parts.pollers),
        zones={name: site.timezone for name, site in parts.rules.sites.items()},
        dates=common_dates(settings),
        alerts=desk_of(settings, parts.caller),
        language=settings.web.language,
        held=parts.pulse.held,
        shadow=frozenset(settings.adapter.shadow),
    )


def _feed(source: Source) -> FeedInfo:
    if isinstance(source, FolderSource):
        return FeedInfo(source.name, source.site, source.kind, source.silent_after)
    return FeedInfo(source.name, source.site, source.kind)


def common_dates(settings: Settings) -> Dates:
    """Exact where every EDC may know exact times, and there is one."""
    said = {sink.dates for sink in settings.sink}
    return Dates.EXACT if said == {"exact"} else Dates.SHIFTED
