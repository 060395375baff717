"""Private keys for tests: made once, of the two kinds SMART knows."""

from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapter.pipeline.authorize import Key

KEYS = {
    "RS384": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
}


@cache
def _kept(algorithm: str) -> Any:
    return KEYS[algorithm]()


def key(algorithm: str, *, new: bool = False) -> Key:
    """`new`: one that nobody knows."""
    private = KEYS[algorithm]() if new else _kept(algorithm)
    return Key(pem(private))


def pem(private: Any) -> str:
    return str(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
