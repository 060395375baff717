"""Names of our resources: equal on every retry, replay and restore, and not to be guessed (decisions E1)."""

import hashlib
import hmac
import uuid

VERSION_BITS, VARIANT_BITS = 8, 0b10
"""RFC 9562 §5.8: a UUID of vendor-specific content."""


def resource_id(secret: bytes, trial: str, role: str, screening_id: str, local_key: str) -> str:
    """A UUID from the first 128 bits of HMAC-SHA256(site secret, `v1|trial|role|screening id|local key`).

    The version and variant bits are set as RFC 9562 asks of version 8, so that strict readers take it for a UUID.
    """
    text = f"v1|{trial}|{role}|{screening_id}|{local_key}"
    number = int.from_bytes(hmac.new(secret, text.encode(), hashlib.sha256).digest()[:16])
    number = number & ~(0xF << 76) | VERSION_BITS << 76
    number = number & ~(0b11 << 62) | VARIANT_BITS << 62
    return str(uuid.UUID(int=number))
