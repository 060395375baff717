"""The EDC of a configuration, made into a sink."""

from collections.abc import Callable

from adapter.daemon.credentials import authorization, peer_of
from adapter.errors import ConfigError
from adapter.pipeline.authorize import Fixed
from adapter.pipeline.exchange import Limits, checked_url
from adapter.ports import Clock, Sink
from adapter.settings import FhirSink
from adapter.sinks.edc_fhir import Edc, EdcFhir
from adapter.sinks.edc_requests import Manner


def edc(sink: FhirSink) -> Callable[[Clock], Sink]:
    """Raises ConfigError for an address, a key or a certificate that cannot be."""
    limits = Limits(read=sink.timeout_seconds)
    manner = None if sink.bundle == "auto" else Manner(sink.bundle)

    def made(clock: Clock) -> Sink:
        who = Fixed(f"Bearer {sink.token.reveal()}") if sink.token else authorization(sink, clock, lambda _odd: None)
        return EdcFhir(Edc(checked_url(sink.base), who, peer_of(sink), limits, manner, sink.reconcile), clock)

    def told(clock: Clock) -> Sink:
        try:
            return made(clock)
        except ConfigError as error:
            raise ConfigError(f"sink '{sink.name}': {error}") from None

    return told
