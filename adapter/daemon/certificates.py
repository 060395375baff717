"""When the certificates of our doors, and those by which others know us, expire: for `/metrics`, for the alarms and for `adapter check`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from prometheus_client.core import Metric

from adapter.errors import ConfigError
from adapter.settings import FhirSink, FhirSource, MllpSource, Settings, Tls
from adapter.telemetry import gauge_family

SOON, VERY_SOON = timedelta(days=30), timedelta(days=7)
"""Reliability 5.3."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """`name` is the source's or the sink's, with `-ca` behind it for the authority of its senders."""

    name: str
    path: Path
    expires: datetime

    def left(self, now: datetime) -> timedelta:
        return self.expires - now


def certificates(settings: Settings) -> tuple[Certificate, ...]:
    """As the files are now. Raises ConfigError for one that holds no certificate."""
    ends: list[MllpSource | FhirSource | FhirSink] = [*settings.listeners(), *settings.polled()]
    if "deliver" in settings.adapter.roles:
        ends += [sink for sink in settings.sink if isinstance(sink, FhirSink)]
    return tuple(
        Certificate(name, path, _expiry(path))
        for end in ends
        if end.tls is not None
        for name, path in (
            (end.name, end.tls.certificate),
            (f"{end.name}-ca", end.tls.client_ca if isinstance(end.tls, Tls) else None),
        )
        if path is not None
    )


def _expiry(path: Path) -> datetime:
    """Of the first to expire: a chain is as good as its shortest part."""
    try:
        return min(one.not_valid_after_utc for one in x509.load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError):
        raise ConfigError(f"{path}: no certificate can be read from it — check the file") from None


def expiry(known: Sequence[Certificate], now: datetime) -> Iterator[Metric]:
    left = {one.name: one.left(now).total_seconds() for one in known}
    yield gauge_family("cert_expiry_seconds", "Until a certificate expires (negative: since)", "name", left)


def alarms(known: Sequence[Certificate], now: datetime) -> tuple[str, ...]:
    least = min((one.left(now) for one in known), default=SOON)
    if least <= timedelta(0):
        return ("certificate-expired",)
    return ("certificate-expires-this-week",) if least < VERY_SOON else ("certificate-expires",) if least < SOON else ()


def findings(known: Sequence[Certificate], now: datetime) -> Iterator[tuple[str, str]]:
    """For `adapter check`."""
    for one in known:
        left = one.left(now)
        if left <= timedelta(0):
            yield "error", f"{one.name}: {one.path} has expired ({one.expires:%Y-%m-%d}) — renew it, then restart"
        elif left < SOON:
            haste = "this week" if left < VERY_SOON else "soon"
            yield "warning", f"{one.name}: {one.path} expires in {left.days} days — renew it {haste}, then restart"
