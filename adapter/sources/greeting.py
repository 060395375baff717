"""TLS on an MLLP port: the handshake, why it failed in a word of ours, and whom the sender's certificate speaks for."""

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, cast

from adapter.sources.senders import Senders

HANDSHAKE_SECONDS = 10.0
ACCEPT_AGAIN_SECONDS = 0.2
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

    def senders_of(self, transport: asyncio.BaseTransport) -> Senders | None:
        """Whom this peer may speak for: everybody (no names) where nothing is pinned, None where it is pinned to nobody."""
        if not self.pins:
            return Senders()
        session = transport.get_extra_info("ssl_object")
        fingerprint = hashlib.sha256(session.getpeercert(binary_form=True) or b"").hexdigest()
        names = (fingerprint, *common_names(session.getpeercert()))
        return next((found for name in names if (found := self.pins.get(name))), None)


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

    def enter(self, peer: str) -> bool: ...

    def leave(self, peer: str) -> None: ...

    def tls_failed(self, peer: str, reason: str) -> None: ...


class Reception:
    """Accepts, looks at the address, and only then spends a handshake; each sender is greeted in a task of its own."""

    def __init__(
        self,
        listener: socket.socket,
        context: ssl.SSLContext,
        host: Host,
        connection: Callable[[], asyncio.BaseProtocol],
    ) -> None:
        self._listener, self._context, self._host = listener, context, host
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._greetings: set[asyncio.Task[None]] = set()
        self._accepting = self._loop.create_task(self._accept())
        # Closed once nobody watches it any more: its number may be another socket's in the same turn of the loop.
        self._accepting.add_done_callback(lambda _: listener.close())

    def close(self) -> None:
        """Nobody more; who has not said hello yet is let go."""
        self._accepting.cancel()
        for greeting in self._greetings:
            greeting.cancel()

    async def _accept(self) -> None:
        while True:
            try:
                sock, address = await self._loop.sock_accept(self._listener)
            except OSError:  # it went away already, or no descriptor is free
                await asyncio.sleep(ACCEPT_AGAIN_SECONDS)
                continue
            greeting = self._loop.create_task(self._greet(sock, str(address[0])))
            self._greetings.add(greeting)
            greeting.add_done_callback(self._greetings.discard)

    async def _greet(self, sock: socket.socket, peer: str) -> None:
        if not self._host.enter(peer):
            sock.close()
            return
        try:
            await self._loop.connect_accepted_socket(
                self._connection, sock, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_SECONDS
            )
        except OSError as error:  # ssl.SSLError is one
            self._host.tls_failed(peer, reason_of(error))
            self._host.leave(peer)
        except asyncio.CancelledError:
            self._host.leave(peer)
            raise


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
