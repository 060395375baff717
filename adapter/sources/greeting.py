"""TLS on an MLLP port: the handshake, why it failed in a word of ours, and whom the sender's certificate speaks for."""

import asyncio
import hashlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, cast

from adapter.sources.connection import Connection
from adapter.sources.envelope import Door
from adapter.sources.senders import Senders

HANDSHAKE_SECONDS = 10.0
NOT_PINNED = "not-pinned"
_BY_VERIFY_CODE = {9: "not-yet-valid", 10: "expired", 23: "revoked"}
"""OpenSSL's X509_V_ERR_…; any other is an authority we do not know."""
_BY_REASON = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "no-certificate",
    "HTTP_REQUEST": "not-tls",
    "WRONG_VERSION_NUMBER": "not-tls",
    "RECORD_LAYER_FAILURE": "not-tls",
    "UNSUPPORTED_PROTOCOL": "old-version",
    "VERSION_TOO_LOW": "old-version",
    "NO_SHARED_CIPHER": "no-shared-cipher",
}


@dataclass(frozen=True, slots=True)
class Tls:
    """`pins`: common name, or SHA-256 in lower-case hex, of a client's certificate → whom alone it speaks for.

    Without pins every certificate of the client authority may send as anybody whom the source knows.
    """

    context: ssl.SSLContext
    pins: Mapping[str, Senders] = field(default_factory=dict)


def tls_context(certificate: str, key: str, client_ca: str | None) -> ssl.SSLContext:
    """TLS 1.2 or newer; with a client authority, only senders it vouches for (IHE ATNA). Raises OSError, ssl.SSLError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


class Host(Protocol):
    """The listener, as a greeting needs it."""

    def tls_failed(self, connection: Connection, reason: str) -> None: ...

    def door_for(self, senders: Senders) -> Door: ...


class Greeting(asyncio.Protocol):
    """What stands before a connection until the handshake is done; then it steps aside.

    The peer's address has been judged before, so that a stranger costs no handshake.
    """

    def __init__(self, connection: Connection, tls: Tls, host: Host) -> None:
        self._connection, self._tls, self._host = connection, tls, host
        self._early = bytearray()
        self._ended = self._lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        raw = cast("asyncio.Transport", transport)
        self._connection.connection_made(raw)
        if not raw.is_closing():
            raw.pause_reading()
            self._task = asyncio.get_running_loop().create_task(self._greet(raw))

    def data_received(self, data: bytes) -> None:
        """What came in the same breath as the end of the handshake."""
        self._early += data

    def eof_received(self) -> bool:
        self._ended = True
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 — the library's signature
        self._lost = True

    async def _greet(self, raw: asyncio.Transport) -> None:
        loop = asyncio.get_running_loop()
        try:
            transport = await loop.start_tls(
                raw, self, self._tls.context, server_side=True, ssl_handshake_timeout=HANDSHAKE_SECONDS
            )
        except OSError as error:  # ssl.SSLError is one
            self._refuse(raw, reason_of(error))
            return
        if transport is None or self._lost:
            self._refuse(raw, "left")
            return
        senders = self._senders(transport)
        if senders is None:
            self._refuse(transport, NOT_PINNED)
            return
        self._hand_over(transport, senders)

    def _refuse(self, transport: asyncio.Transport, reason: str) -> None:
        self._host.tls_failed(self._connection, reason)
        transport.abort()
        self._connection.connection_lost(None)

    def _senders(self, transport: asyncio.Transport) -> Senders | None:
        """Whom this certificate may speak for: everybody where nothing is pinned, None where it is not known."""
        if not self._tls.pins:
            return Senders()
        certificate = transport.get_extra_info("ssl_object").getpeercert(binary_form=True) or b""
        fingerprint = hashlib.sha256(certificate).hexdigest()
        names = common_names(transport.get_extra_info("ssl_object").getpeercert())
        return next((found for name in (fingerprint, *names) if (found := self._tls.pins.get(name))), None)

    def _hand_over(self, transport: asyncio.Transport, senders: Senders) -> None:
        self._connection.stand_at(self._host.door_for(senders), transport)
        transport.set_protocol(self._connection)
        if self._early:
            self._connection.data_received(bytes(self._early))
        if self._ended:
            self._connection.eof_received()
            transport.close()


def common_names(certificate: Mapping[str, object] | None) -> list[str]:
    """The CNs of the subject, as Python's ssl gives it."""
    subject = cast("tuple[tuple[tuple[str, str], ...], ...]", (certificate or {}).get("subject", ()))
    return [value for part in subject for name, value in part if name == "commonName"]


def reason_of(error: OSError) -> str:
    """A failed handshake in a word of ours."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _BY_VERIFY_CODE.get(error.verify_code, "unknown-authority")
    if isinstance(error, ssl.SSLError):
        reason = error.reason or ""
        return "our-certificate-refused" if "ALERT" in reason else _BY_REASON.get(reason, "handshake")
    return "timeout" if "taking longer" in str(error) else "left"
