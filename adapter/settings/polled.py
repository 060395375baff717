"""`[[source]] kind = "fhir"`: a FHIR server that is polled, how often, for what, and as whom."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from adapter.fhir.search import KINDS, MANNERS, Parameters, refused_mixture
from adapter.settings.values import Name, Secret, Section, by_reference

UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
SHORTEST = timedelta(seconds=1)
SHORTEST_WORD = 16


def duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?(s|min|h|d)", value.strip(), re.ASCII)
    if found is None:
        raise ValueError('a time is written with its unit: "60 s", "10 min", "24 h", "7 d"')
    return timedelta(seconds=float(found[1]) * UNITS[found[2]])


Duration = Annotated[timedelta, BeforeValidator(duration), Field(gt=timedelta(0))]
Hidden = Annotated[Secret, BeforeValidator(by_reference)]


class SmartAuth(Section):
    """SMART Backend Services: a signed assertion; the public half of `key` is what `adapter jwks` prints."""

    kind: Literal["smart-backend"]
    client_id: str = Field(min_length=1)
    key: Hidden
    kid: str = ""
    token_url: str = Field(default="", pattern=r"^(https?://.*)?$")
    """Empty: asked of the server itself (`.well-known/smart-configuration`)."""
    scopes: tuple[str, ...] = ()
    """Empty: `system/<type>.rs` of each type that is read."""


class SecretAuth(Section):
    """OAuth 2 client credentials by a shared secret."""

    kind: Literal["client-secret"]
    client_id: str = Field(min_length=1)
    secret: Hidden
    token_url: str = Field(default="", pattern=r"^(https?://.*)?$")
    scopes: tuple[str, ...] = ()


class BearerAuth(Section):
    kind: Literal["bearer"]
    token: Hidden


class BasicAuth(Section):
    kind: Literal["basic"]
    user: str
    password: Hidden


Auth = Annotated[SmartAuth | SecretAuth | BearerAuth | BasicAuth, Field(discriminator="kind")]


class ClientTls(Section):
    """PEM files by which the server knows us (mutual TLS), beside or instead of `auth`."""

    certificate: Path
    key: Path


class FhirSource(Section):
    kind: Literal["fhir"]
    name: Name
    site: str
    base: str = Field(pattern=r"^https?://")
    """The server's FHIR base URL: links that lead elsewhere are not followed."""
    every: Duration = timedelta(seconds=60)
    auth: Auth | None = None
    tls: ClientTls | None = None
    verify: Path | None = None
    """A CA file, where the server's certificate is of the hospital's own authority."""
    server: Literal["generic", "epic", "oracle"] = "generic"
    types: tuple[str, ...] = Field(default=KINDS, min_length=1)
    search: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Type → parameters that its search is narrowed by: `Observation = {category = "laboratory,vital-signs"}`."""
    group: str = Field(default="", pattern=r"^[A-Za-z0-9.-]{0,64}$")
    """A Group of the server with the patients to ask for, where it wants to be asked patient by patient."""
    overlap: Duration = timedelta(minutes=10)
    look_back: Duration = timedelta(days=7)
    """How far the first poll and the daily one look back."""
    reconcile: Duration = timedelta(hours=24)
    backfill: Literal["", "system", "patient", "group"] = ""
    """Asks for a Bulk Data export once, of the whole server, of all patients or of `group`, beside polling."""
    backfill_since: Duration = timedelta(days=30)
    """How far back that export reaches, which is further than polling looks: as far as criteria ask for drugs."""
    hint: Hidden | None = None
    """The word with which a Subscription of the server may have it asked at once; empty: none is taken."""
    page_size: int = Field(default=100, ge=1, le=1000)
    max_pages: int = Field(default=10_000, ge=1)
    timeout_seconds: float = Field(default=30, gt=0)

    @field_validator("types")
    @classmethod
    def _known(cls, types: tuple[str, ...]) -> tuple[str, ...]:
        for one in types:
            if one not in KINDS:
                raise ValueError(f"nothing is read from {one} — choose among {', '.join(KINDS)}")
        return tuple(one for one in KINDS if one in types)

    @model_validator(mode="after")
    def _searches_that_can_be(self) -> Self:
        for kind, narrowed in self.narrowed().items():
            if kind not in self.types:
                raise ValueError(f"search names {kind}, which is not among types")
            if mixed := refused_mixture(narrowed, MANNERS[self.server]):
                raise ValueError(f"{self.server} takes no '{mixed}' beside _lastUpdated: leave it out of search.{kind}")
        if self.backfill == "group" and not self.group:
            raise ValueError('backfill = "group" needs the id of a Group: write group')
        if self.hint is not None and len(self.hint.reveal()) < SHORTEST_WORD:
            raise ValueError(f"hint: at least {SHORTEST_WORD} letters, for whoever knows it makes us ask")
        if self.every < SHORTEST:
            raise ValueError("every: at least 1 s, out of courtesy")
        return self

    def narrowed(self) -> dict[str, Parameters]:
        return {kind: tuple(given.items()) for kind, given in self.search.items()}

    def scopes(self) -> tuple[str, ...]:
        """What a token is asked for: reading and searching, of what is read, and nothing else."""
        given: Any = getattr(self.auth, "scopes", ())
        drugs = ["Medication"] if any(one.startswith("Medication") for one in self.types) else []
        group = ["Group"] if self.group else []
        return tuple(given) or tuple(f"system/{kind}.rs" for kind in (*self.types, *drugs, *group))
