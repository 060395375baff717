"""TLS on the MLLP port (rows M23 to M25): certificates made here, sockets real."""

import asyncio
import datetime as dt
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapter.domain.message import RawMessage, Receipt
from adapter.errors import UnavailableError
from adapter.sinks.mllp_sender import MllpSender, code_of
from adapter.sources.envelope import Door, control_ids
from adapter.sources.greeting import Tls, tls_context
from adapter.sources.mllp_server import MllpServer
from adapter.telemetry import Metrics

NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
BODY = b"MSH|^~\\&|A|B|C|D|20260102||ORU^R01|1|P|2.5\rPID|1||1\rNTE|1||" + b"x" * 300_000 + b"\r"


@dataclass(frozen=True)
class Pem:
    certificate: Path
    key: Path

    def server(self, client_ca: Path | None = None) -> ssl.SSLContext:
        return tls_context(str(self.certificate), str(self.key), str(client_ca) if client_ca else None)


def issued(folder: Path, name: str) -> Pem:
    """A self-signed certificate for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(days=3650))
        .not_valid_after(NOW + dt.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = Pem(folder / f"{name}.pem", folder / f"{name}.key")
    pem.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    kind, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, kind, none))
    return pem


class Shelf:
    def __init__(self) -> None:
        self.kept: list[RawMessage] = []

    async def put(self, message: RawMessage) -> Receipt:
        self.kept.append(message)
        return Receipt(1, duplicate=False, acknowledgment=message.acknowledgment)


def told(server_tls: ssl.SSLContext, client: Callable[[int], MllpSender]) -> tuple[str, Shelf]:
    shelf = Shelf()

    async def main() -> str:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        door = Door("lab", "generic", lambda: NOW, control_ids(lambda: NOW))
        server = MllpServer(door, "localhost", 0, Metrics(), tls=server_tls)
        await server.start(shelf)
        try:
            async with client(server.address[1]) as sender:
                return code_of(await sender.send(BODY))
        finally:
            await server.stop()

    return asyncio.run(main()), shelf


def trusting(pem: Pem, own: Pem | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(pem.certificate))
    if own is not None:
        context.load_cert_chain(own.certificate, own.key)
    return context


def test_a_message_over_tls_is_stored_whole_and_answered(tmp_path: Path) -> None:
    pem = issued(tmp_path, "adapter")
    code, shelf = told(pem.server(), lambda port: MllpSender("localhost", port, tls=trusting(pem), seconds=5))
    assert code == "AA"
    assert shelf.kept[0].body == BODY


def test_a_known_client_certificate_lets_in(tmp_path: Path) -> None:
    pem, lab = issued(tmp_path, "adapter"), issued(tmp_path, "lab")
    server = pem.server(lab.certificate)
    code, _ = told(server, lambda port: MllpSender("localhost", port, tls=trusting(pem, lab), seconds=5))
    assert code == "AA"


@pytest.mark.parametrize("own", [None, "stranger"])
def test_m23_m24_no_or_an_unknown_client_certificate_is_refused(tmp_path: Path, own: str | None) -> None:
    pem, lab = issued(tmp_path, "adapter"), issued(tmp_path, "lab")
    context = trusting(pem, issued(tmp_path, own) if own else None)
    with pytest.raises(UnavailableError):
        told(pem.server(lab.certificate), lambda port: MllpSender("localhost", port, tls=context, seconds=5))


def test_m25_plain_text_on_a_tls_port_is_closed(tmp_path: Path) -> None:
    pem = issued(tmp_path, "adapter")
    with pytest.raises(UnavailableError):
        told(pem.server(), lambda port: MllpSender("localhost", port, seconds=5))
