"""The sections of adapter.toml as frozen types; the environment goes before the file."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from adapter.errors import ConfigError


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


Role = Literal["receive", "process", "deliver", "web"]
ROLES: tuple[Role, ...] = ("receive", "process", "deliver", "web")


class AdapterSection(Section):
    data: Path
    trials: tuple[str, ...] = Field(min_length=1)
    environment: Literal["test", "production"]
    roles: tuple[Role, ...] = ROLES
    """What this process does; several processes share a PostgreSQL store."""
    assets: Path | None = None
    """The operator's folder with `mappings/` and `profiles/`; without it the ones the package carries."""

    @field_validator("roles", mode="before")
    @classmethod
    def _words(cls, roles: object) -> object:
        """`receive, process` too: so an environment variable says it."""
        return tuple(word.strip() for word in roles.split(",")) if isinstance(roles, str) else roles


class StoreSection(Section):
    """The marks of the data disk in MiB or percent (reliability 5.3); on a small disk they shrink with it."""

    url: str = "sqlite:///adapter.db"
    password: Secret | None = None
    """Of the role that a PostgreSQL url names."""
    _reference = field_validator("password", mode="before")(_secret)
    warn_free_percent: float = Field(default=10, ge=0, le=100)
    warn_free_mib: float = Field(default=2048, ge=0)
    stop_free_mib: float = Field(default=1024, ge=0)
    """With less room than this nothing is accepted: the ports close, and the senders keep their messages."""
    ballast_mib: float = Field(default=256, ge=0)
    """A file that only holds room, given back when the disk is nearly full so that cleaning up can run; 0: none."""

    @field_validator("url")
    @classmethod
    def _known_kind(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql://")):
            raise ValueError(
                'the store is an SQLite file or PostgreSQL: "sqlite:///adapter.db", "postgresql://ROLE@HOST/DATABASE"'
            )
        if re.match(r"postgresql://[^/@]*:[^/]*@", url):
            raise ValueError('the url holds a password: take it out and write password = "file:/path/to/it" below it')
        return url


class Tls(Section):
    """PEM files. With `client_ca` only senders with a certificate of that authority are let in."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


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
        """The database's address, without its password; a relative file stands in the data folder."""
        if not self.on_sqlite():
            return self.store.url
        path = Path(self.store.url.removeprefix("sqlite:///"))
        return f"sqlite:///{path if path.is_absolute() else self.adapter.data / path}"

    def on_sqlite(self) -> bool:
        return self.store.url.startswith("sqlite:")

    def store_password(self) -> str:
        """Raises ConfigError where the reference leads nowhere."""
        return self.store.password.reveal() if self.store.password else ""

    def web_base(self) -> str:
        return self.web.base_url.rstrip("/") or f"http://{self.web.listen}"

    def shared_only_on_postgresql(self) -> Self:
        """Itself, or ConfigError: one process writes an SQLite store, so it does everything."""
        roles = self.adapter.roles
        if not roles:
            raise ConfigError(f"[adapter] roles is empty — leave it out, or name some of {', '.join(ROLES)}")
        if self.on_sqlite() and set(roles) != set(ROLES):
            raise ConfigError(
                f"[adapter] roles = {', '.join(roles)}: only one process can use an SQLite store, and it does everything — "
                "leave roles out, or move to PostgreSQL (deploy/README.md)"
            )
        return self

    def repeated_names(self) -> Self:
        """Itself, or ConfigError: names of sources, sinks and notifiers key what is stored, so each is given once."""
        names = [part.name for part in (*self.source, *self.sink, *self.notifier)]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError(
                    f"the name '{name}' is given twice — name every source, sink and notifier differently"
                )
        return self
