"""The sections of adapter.toml as frozen types; the environment goes before the file."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from adapter.errors import ConfigError

SHORTEST_IDLE = 60


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Secret(Section):
    """A secret by reference: `env:NAME` or `file:/path`; the value is read when asked and never printed."""

    reference: str

    def reveal(self) -> str:
        """The secret's text, without its final line break. Raises ConfigError when it is not there."""
        kind, _, where = self.reference.partition(":")
        try:
            text = os.environ[where] if kind == "env" else Path(where).read_text(encoding="utf-8")
        except (KeyError, OSError) as error:
            raise ConfigError(f"secret {self.reference} cannot be read — set it, or correct the reference") from error
        return text.rstrip("\r\n")

    def hidden(self) -> SecretStr:
        return SecretStr(self.reveal())


def _secret(value: object) -> object:
    if isinstance(value, str):
        if not re.fullmatch(r"(env|file):\S.*", value):
            raise ValueError("secrets go by reference: write env:NAME or file:/path/to/it")
        return {"reference": value}
    return value


class Listen(Section):
    """`HOST:PORT`; an IPv6 host stands in square brackets."""

    host: str
    port: int = Field(ge=0, le=65535)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _listen(value: object) -> object:
    if not isinstance(value, str):
        return value
    host, colon, port = value.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit():
        raise ValueError('an address is written "HOST:PORT", for example "127.0.0.1:2575"')
    return {"host": host.strip("[]"), "port": int(port)}


Address = Annotated[Listen, Field(validate_default=True)]


class AdapterSection(Section):
    data: Path
    trials: tuple[str, ...] = Field(min_length=1)
    environment: Literal["test", "production"]
    log: Literal["info", "debug"] = "info"
    assets: Path | None = None
    """The operator's folder with `mappings/` and `profiles/`; without it the ones the package carries."""


class StoreSection(Section):
    url: str = "sqlite:///adapter.db"

    @field_validator("url")
    @classmethod
    def _known_kind(cls, url: str) -> str:
        if not url.startswith("sqlite:///"):
            raise ValueError('the store is an SQLite file: write "sqlite:///adapter.db"')
        return url


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
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
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

    @field_validator("idle_seconds")
    @classmethod
    def _patient(cls, seconds: float) -> float:
        if 0 < seconds < SHORTEST_IDLE:
            raise ValueError(
                f"engines keep connections open between messages — 0 for ever, or at least {SHORTEST_IDLE}"
            )
        return seconds

    _address = field_validator("listen", mode="before")(_listen)


class FhirSink(Section):
    kind: Literal["fhir"]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    base: str = Field(pattern=r"^https?://")
    push_when: Literal["candidate", "screening", "consented"]
    dates: Literal["exact", "shifted"]
    token: Secret | None = None
    """Sent as `Authorization: Bearer …`."""
    verify: Path | None = None
    timeout_seconds: float = Field(default=30, gt=0)
    study: str = ""
    """The EDC's own ResearchStudy (`ResearchStudy/123`), where it wants that reference."""
    _reference = field_validator("token", mode="before")(_secret)


class FolderSink(Section):
    kind: Literal["folder"]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    path: Path
    push_when: Literal["candidate", "screening", "consented"]
    dates: Literal["exact", "shifted"]


class EmailNotifier(Section):
    kind: Literal["email"]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    host: str
    port: int = Field(default=25, ge=1, le=65535)
    sender: str
    to: tuple[str, ...] = Field(min_length=1)
    encryption: Literal["none", "starttls", "tls"] = "starttls"
    verify: Path | None = None
    """A CA file, where the server's certificate is of the hospital's own authority."""
    user: str | None = None
    password: Secret | None = None
    _reference = field_validator("password", mode="before")(_secret)


class WebhookNotifier(Section):
    kind: Literal["webhook"]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    url: str = Field(pattern=r"^https?://")
    secret: Secret
    verify: Path | None = None
    allow_private: bool = False
    """Whether the address may lie inside the hospital's own network."""
    _reference = field_validator("secret", mode="before")(_secret)


class WebSection(Section):
    listen: Address = Listen(host="127.0.0.1", port=8080)
    base_url: str = ""
    """Where people reach the pages (`https://…` of the TLS proxy), for links in mails; empty: the listening address."""
    _address = field_validator("listen", mode="before")(_listen)


Source = MllpSource
Sink = Annotated[FhirSink | FolderSink, Field(discriminator="kind")]
Notifier = Annotated[EmailNotifier | WebhookNotifier, Field(discriminator="kind")]


class Settings(BaseSettings):
    """Frozen; the environment (`ADAPTER_WEB__LISTEN=…`) goes before the file."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="ADAPTER_",
        env_nested_delimiter="__",
        hide_input_in_errors=True,
        enable_decoding=False,
    )
    adapter: AdapterSection
    store: StoreSection = StoreSection()
    source: tuple[Source, ...] = ()
    sink: tuple[Sink, ...] = ()
    notifier: tuple[Notifier, ...] = ()
    web: WebSection = WebSection()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 — the library's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 — as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 — as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (env_settings, init_settings)

    def store_url(self) -> str:
        """The database's address, a relative file standing in the data folder."""
        path = Path(self.store.url.removeprefix("sqlite:///"))
        return f"sqlite:///{path if path.is_absolute() else self.adapter.data / path}"

    def web_base(self) -> str:
        return self.web.base_url.rstrip("/") or f"http://{self.web.listen}"

    def repeated_names(self) -> Self:
        """Itself, or ConfigError: names of sources, sinks and notifiers key what is stored, so each is given once."""
        names = [part.name for part in (*self.source, *self.sink, *self.notifier)]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError(
                    f"the name '{name}' is given twice — name every source, sink and notifier differently"
                )
        return self
