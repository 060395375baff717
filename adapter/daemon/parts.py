"""Settings → objects: every part of the running program, made in one place."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from urllib.parse import urlsplit

from adapter import __version__
from adapter.daemon.certificates import certificates, expiry
from adapter.daemon.edc import edc
from adapter.daemon.figures import figures
from adapter.daemon.flat import flat_sink
from adapter.daemon.health import Pulse
from adapter.daemon.lock import data_folder
from adapter.daemon.opening import open_store
from adapter.daemon.polling import alarms_of, hints, pollers
from adapter.daemon.refusals import Refusals
from adapter.daemon.rules import SECRET, load_rules
from adapter.daemon.site_key import site_key
from adapter.daemon.staff import hospital
from adapter.daemon.telling import caller, desk_of, notifiers_for
from adapter.errors import ConfigError
from adapter.fhir.bundle import BundleContext
from adapter.fhir.calendar import Dates
from adapter.fhir.subject import Study
from adapter.hl7.ack import AckPolicy
from adapter.pipeline.calling import Caller
from adapter.pipeline.keep import Keeper
from adapter.pipeline.outgoing import NotifierOutlet, Outlet, PushWhen, SinkOutlet
from adapter.pipeline.receive import StoreInbox
from adapter.ports import Clock, Notifier, Sink
from adapter.screening.rulebook import Rulebook
from adapter.settings import FhirSink, MllpSource, Settings
from adapter.sources.connection import Limits
from adapter.sources.envelope import Door, control_ids
from adapter.sources.fhir_poller import FhirPoller
from adapter.sources.greeting import Tls, tls_context
from adapter.sources.mllp_server import MllpServer, Neighbours
from adapter.sources.senders import Senders
from adapter.sources.turns import Turns
from adapter.store.database import Database
from adapter.store.secret import SiteSecret
from adapter.store.space import MIB, Marks, Space
from adapter.telemetry import MessageLog, Metrics
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
    pulse: Pulse
    caller: Caller | None = None
    """Where `[alerts]` says who is on call."""


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
    rules = load_rules(settings)
    roles = settings.adapter.roles
    outlets = {name: make(clock) for name, make in outlets_for(settings).items()} if "deliver" in roles else {}
    metrics = Metrics()
    space = space_of(settings)
    with ExitStack() as stack:
        database = open_store(settings)
        stack.callback(database.close)
        database.migrate()
        secret = site_key(database, folder / SECRET)
        metrics.compute(lambda: figures(database, space, clock))
        known = certificates(settings)
        metrics.compute(lambda: expiry(known, clock()))
        keeper = Keeper(database, rules, secret, owing(settings, rules, secret), f"{settings.web_base()}/c/")
        polling = pollers(settings, database, metrics, clock) if "receive" in roles else ()
        listening = [source.name for source in settings.listeners()]
        pulse = Pulse(database, space, clock, known, listening, polls=lambda: alarms_of(polling))
        metrics.compute(pulse.figures)
        yield Parts(
            settings=settings,
            clock=clock,
            rules=rules,
            database=database,
            secret=secret,
            metrics=metrics,
            keeper=keeper,
            outlets=outlets,
            servers=_servers(settings, rules, metrics, Refusals(database, clock)) if "receive" in roles else (),
            pollers=polling,
            pulse=pulse,
            caller=caller(settings, rules, database, clock),
        )


def space_of(settings: Settings) -> Space:
    if not settings.on_sqlite():
        return Space(settings.adapter.data, Marks(0, 0, 0, 0))  # the server's disk is not ours to watch
    store = settings.store
    sizes = (round(size * MIB) for size in (store.warn_free_mib, store.stop_free_mib, store.ballast_mib))
    return Space(settings.adapter.data, Marks(store.warn_free_percent, *sizes))


def _servers(settings: Settings, rules: Rulebook, metrics: Metrics, refusals: Refusals) -> tuple[MllpServer, ...]:
    clock = refusals.clock
    number = control_ids(clock)
    logs = {told: MessageLog(control_ids=told) for told in (False, True)}
    debug = settings.adapter.log == "debug"
    doors = {
        source.name: Door(
            source.name,
            source.site,
            clock,
            number,
            encoding=rules.sites[source.site].encoding,
            policy=AckPolicy(source.ack, production=rules.production),
            senders=Senders(frozenset(source.senders)),
            log=logs[source.log_control_ids] if debug or source.message_log == "info" else None,
        )
        for source in settings.listeners()
    }
    limits = _limits(settings)
    return tuple(
        _server(source, doors[source.name], metrics, limits[source.name], refusals) for source in settings.listeners()
    )


def _limits(settings: Settings) -> dict[str, Limits]:
    """Big frames of all sources take turns in one room."""
    turns = Turns()
    return {
        source.name: Limits(source.max_bytes, source.frame_seconds, idle_seconds=source.idle_seconds, turns=turns)
        for source in settings.listeners()
    }


def _server(source: MllpSource, door: Door, metrics: Metrics, limits: Limits, refusals: Refusals) -> MllpServer:
    return MllpServer(
        door,
        source.listen.host,
        source.listen.port,
        metrics,
        limits=limits,
        neighbours=neighbours(source),
        tls=tls_for(source),
        refused=refusals.note,
    )


def neighbours(source: MllpSource) -> Neighbours:
    """Raises ConfigError for what is no address or network."""
    try:
        return Neighbours(tuple(ip_network(peer) for peer in source.peers), source.only_peers)
    except ValueError as error:
        raise ConfigError(f"source '{source.name}': peers: {error} — write 10.1.2.3 or 10.1.2.0/24") from None


def tls_for(source: MllpSource) -> Tls | None:
    """Raises ConfigError for files that are absent or do not fit."""
    if source.tls is None:
        return None
    files = source.tls
    pins = {name: Senders(who) for name, who in files.pins().items()}
    try:
        context = tls_context(str(files.certificate), str(files.key), str(files.client_ca) if files.client_ca else None)
        return Tls(context, pins)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            f"source '{source.name}': the TLS files cannot be used ({error.strerror}) — check them"
        ) from None


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
        feeds=tuple(FeedInfo(source.name, source.site, source.kind) for source in settings.source),
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
    )


def common_dates(settings: Settings) -> Dates:
    """Exact where every EDC may know exact times, and there is one."""
    said = {sink.dates for sink in settings.sink}
    return Dates.EXACT if said == {"exact"} else Dates.SHIFTED
