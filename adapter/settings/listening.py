"""`[[source]] kind = "mllp"`: where senders reach us, by what certificates, and who may send."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from adapter.settings.values import Address, Name, Section, host_and_port

SHORTEST_IDLE = 60
SenderName = Annotated[str, Field(pattern=r"^[^|]*\|[^|]*$")]
"""`MSH-3|MSH-4`, one bar between them; a side without `^` stands for the field's first component."""


class Tls(Section):
    """PEM files. With `client_ca` only senders with a certificate of that authority are let in."""

    certificate: Path
    key: Path
    client_ca: Path | None = None
    senders: dict[str, SenderName | tuple[SenderName, ...]] = Field(default_factory=dict)
    """Common name or SHA-256 of a client's certificate → whom alone it may send as; with any, no other certificate is let in."""

    @model_validator(mode="after")
    def _pinned_to_an_authority(self) -> Self:
        if self.senders and self.client_ca is None:
            raise ValueError("senders are pinned to certificates, which nobody vouches for — give client_ca too")
        return self

    def pins(self) -> dict[str, frozenset[str]]:
        """Fingerprints in lower-case hex without colons, as they are compared; common names as they are."""
        found = {name: frozenset({who} if isinstance(who, str) else who) for name, who in self.senders.items()}
        return {_fingerprint(name) or name: who for name, who in found.items()}


def _fingerprint(name: str) -> str:
    plain = name.replace(":", "").lower()
    return plain if re.fullmatch(r"[0-9a-f]{64}", plain) else ""


class MllpSource(Section):
    kind: Literal["mllp"]
    name: Name
    site: str
    listen: Address
    ack: Literal["generic", "mirth", "intersystems", "rhapsody", "cloverleaf", "strict"] = "generic"
    tls: Tls | None = None
    max_bytes: int = Field(default=16 * 1024 * 1024, ge=64 * 1024)
    frame_seconds: float = Field(default=30, gt=0)
    """How long one frame may take from its first byte to its last."""
    peers: tuple[str, ...] = ()
    """Addresses or networks known to send here: they are not held to the limit of 20 connections a peer."""
    only_peers: bool = False
    senders: tuple[SenderName, ...] = ()
    """Who may send here; messages of anybody else are stored and wait in quarantine (`SENDER`). Empty: everybody."""
    idle_seconds: float = Field(default=0, ge=0)
    """How long a connection may stay silent; 0: for ever, as engines expect."""
    message_log: Literal["info", "debug"] = "info"
    """At which level a line is logged for each message: header fields, code and time, nothing of the patient."""
    log_control_ids: bool = False
    """Whether that line holds MSH-10: only where the sender does not build it of the patient's number."""

    @field_validator("idle_seconds")
    @classmethod
    def _patient(cls, seconds: float) -> float:
        if 0 < seconds < SHORTEST_IDLE:
            raise ValueError(
                f"engines keep connections open between messages — 0 for ever, or at least {SHORTEST_IDLE}"
            )
        return seconds

    _address = field_validator("listen", mode="before")(host_and_port)
