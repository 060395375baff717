"""The MLLP sources of the configuration, made into listeners."""

from ipaddress import ip_network

from adapter.daemon.refusals import Refusals
from adapter.errors import ConfigError
from adapter.hl7.ack import AckPolicy
from adapter.screening.rulebook import Rulebook
from adapter.settings import MllpSource, Settings
from adapter.sources.connection import Limits
from adapter.sources.envelope import Door, control_ids
from adapter.sources.greeting import Tls, tls_context
from adapter.sources.mllp_server import MllpServer, Neighbours
from adapter.sources.senders import Senders
from adapter.sources.turns import Turns
from adapter.telemetry import MessageLog, Metrics


def servers_for(settings: Settings, rules: Rulebook, metrics: Metrics, refusals: Refusals) -> tuple[MllpServer, ...]:
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
