"""Certificates made on the spot: an authority, and whom it vouches for."""

import datetime as dt
import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapter.daemon.clock import utc_now
from adapter.sources.greeting import Tls, tls_context
from adapter.sources.senders import Senders

NOW = utc_now()
YEAR = dt.timedelta(days=365)


@dataclass(frozen=True)
class Pem:
    certificate: Path
    key: Path
    own: x509.Certificate
    secret: ec.EllipticCurvePrivateKey

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.own.public_bytes(serialization.Encoding.DER)).hexdigest()

    def server(self, client_ca: "Pem | None" = None, pins: dict[str, str] | None = None) -> Tls:
        context = tls_context(str(self.certificate), str(self.key), str(client_ca.certificate) if client_ca else None)
        return Tls(context, {name: Senders(frozenset({who})) for name, who in (pins or {}).items()})

    def trusting(self, client: "Pem | None" = None) -> ssl.SSLContext:
        """A client's context that takes this certificate for an authority."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        if client is not None:
            context.load_cert_chain(client.certificate, client.key)
        return context


def issued(
    folder: Path, name: str, by: Pem | None = None, *, until: dt.datetime = NOW + YEAR, since: dt.datetime = NOW - YEAR
) -> Pem:
    """For localhost; self-signed, and an authority, unless somebody issues it."""
    secret = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.own.subject if by else subject)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=0 if by is None else None), critical=True)
        .sign(by.secret if by else secret, hashes.SHA256())
    )
    pem = Pem(folder / f"{name}.pem", folder / f"{name}.key", certificate, secret)
    pem.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    kind, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem.key.write_bytes(secret.private_bytes(serialization.Encoding.PEM, kind, none))
    return pem
