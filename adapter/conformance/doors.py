"""The ways of connecting to a receiver: as agreed, and those that a TLS port must refuse."""

import datetime as dt
import ssl
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapter.conformance.model import Door

Doors = Mapping[Door, ssl.SSLContext | None]


def without_tls() -> Doors:
    return {Door.AGREED: None, Door.PLAIN: None}


def with_tls(agreed: ssl.SSLContext, ca: Path | None, now: dt.datetime) -> Doors:
    """`agreed` is what `adapter send` would use, `ca` its authority."""
    return {
        Door.AGREED: agreed,
        Door.PLAIN: None,
        Door.NO_CERTIFICATE: _trusting(ca),
        Door.STRANGER: _stranger(ca, now),
        Door.OLD_TLS: _old(ca),
    }


def _trusting(ca: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca) if ca else None)


def _old(ca: Path | None) -> ssl.SSLContext:
    context = _trusting(ca)
    context.set_ciphers("DEFAULT@SECLEVEL=0")  # or our own library would refuse before the receiver can
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def _stranger(ca: Path | None, now: dt.datetime) -> ssl.SSLContext:
    """With a certificate made here and now, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "conformance.invalid")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    context = _trusting(ca)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*private))
        file.flush()
        context.load_cert_chain(file.name)
    return context
