"""The FHIR servers of the configuration: made into pollers, asked once by `adapter check`, and told our public keys."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from adapter.daemon.clock import utc_now
from adapter.daemon.credentials import End, authorization, peer_of
from adapter.errors import ConfigError
from adapter.fhir.search import MANNERS, Search
from adapter.pipeline.authorize import Key
from adapter.pipeline.exchange import Limits, checked_url
from adapter.pipeline.origin import Origin
from adapter.ports import Clock
from adapter.settings import FhirSink, FhirSource, Settings
from adapter.settings.polled import SmartAuth
from adapter.sources.fhir_client import LARGEST, FhirClient, PollError
from adapter.sources.fhir_crawl import Server
from adapter.sources.fhir_poller import FhirPoller
from adapter.sources.fhir_tally import PollMetrics, Tally
from adapter.store.database import Database
from adapter.telemetry import Metrics
from adapter.web.context import Hint

Odd = Callable[[str], None]


def pollers(settings: Settings, database: Database, metrics: Metrics, clock: Clock) -> tuple[FhirPoller, ...]:
    """Raises ConfigError for an address, a key or a certificate that cannot be."""
    if not settings.polled():
        return ()
    figures = PollMetrics(metrics.registry)
    return tuple(_poller(source, database, Tally(source.name, figures), clock) for source in settings.polled())


def _poller(source: FhirSource, database: Database, tally: Tally, clock: Clock) -> FhirPoller:
    def make() -> FhirClient:
        return client_of(source, clock, tally.odd)

    make()  # what is wrong with its files is said at the start
    return FhirPoller(server_of(source), make, database, clock, tally)


def alarms_of(polling: Sequence[FhirPoller]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for one in polling for code in one.tally.alarms()))


def hints(settings: Settings, polling: Sequence[FhirPoller]) -> dict[str, Hint]:
    """Of the sources that take any."""
    wakes = {one.server.name: one.wake for one in polling}
    words = ((source.name, source.hint) for source in settings.polled())
    return {name: Hint(word.reveal(), wakes[name]) for name, word in words if word is not None and name in wakes}


def server_of(source: FhirSource) -> Server:
    return Server(
        name=source.name,
        site=source.site,
        base=checked_url(source.base),
        every=source.every.total_seconds(),
        kinds=source.types,
        narrowed=source.narrowed(),
        manners=MANNERS[source.server],
        overlap=source.overlap,
        look_back=source.look_back,
        count=source.page_size,
        max_pages=source.max_pages,
        group=source.group,
        reconcile=source.reconcile,
        backfill=source.backfill,
        backfill_since=source.backfill_since,
    )


def client_of(source: FhirSource, clock: Clock, odd: Odd = lambda _kind: None) -> FhirClient:
    """Raises ConfigError."""
    try:
        base = checked_url(source.base)
        limits = Limits(read=source.timeout_seconds, size=LARGEST)
        return FhirClient(Origin(base), authorization(source, clock, odd), peer_of(source), clock, limits)
    except ConfigError as error:
        raise ConfigError(f"source '{source.name}': {error}") from None


def public_keys(settings: Settings) -> dict[str, Any]:
    """The JWK set of every source and sink that signs. Raises ConfigError where none does."""
    ends: list[End] = [*settings.polled(), *(sink for sink in settings.sink if isinstance(sink, FhirSink))]
    found = [Key(one.auth.key.reveal(), one.auth.kid).public() for one in ends if isinstance(one.auth, SmartAuth)]
    if not found:
        raise ConfigError(
            'nobody signs: write auth = {kind = "smart-backend", …} in a [[source]] or [[sink]] of kind fhir'
        )
    return {"keys": list({one["kid"]: one for one in found}.values())}


def reached(settings: Settings) -> Iterator[tuple[str, str]]:
    """Whether each server answers, what it says it is, and whether each search comes through; one page each, stored nowhere."""
    for source in settings.polled():
        client = client_of(source, utc_now)
        try:
            said = client.capability()
        except PollError as error:
            yield "warning", f"{source.name}: {source.base} cannot be asked: {error}"
            continue
        yield ("ok" if said else "warning"), f"{source.name}: {said or 'has no CapabilityStatement'} at {source.base}"
        if not said.startswith("4.") and said:
            yield "warning", f"{source.name}: is no FHIR R4 server; other versions are not read"
        yield from _searches(source, client)


def _searches(source: FhirSource, client: FhirClient) -> Iterator[tuple[str, str]]:
    manners = MANNERS[source.server]
    if manners.by_patient:
        yield "ok", f"{source.name}: {source.server} is asked patient by patient, from its {_roster(source)}"
        return
    refused = []
    for kind in source.types:
        parameters = Search(kind, source.narrowed().get(kind, ())).parameters(manners, utc_now(), 1)
        try:
            client.search(kind, parameters)
        except PollError as error:
            refused.append(kind)
            yield "warning", f"{source.name}: {kind}: {error}"
            if error.everything:
                return
    yield "ok", f"{source.name}: {', '.join(kind for kind in source.types if kind not in refused)} can be searched"


def _roster(source: FhirSource) -> str:
    return f"Group/{source.group}" if source.group else "Encounters that are open"
