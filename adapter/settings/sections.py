"""The sections of adapter.toml as frozen types; the environment goes before the file."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from adapter.domain.message import MessageKind
from adapter.errors import ConfigError
from adapter.settings.flat import CsvSink, Dates, FolderSink, PushWhen, RedcapSink
from adapter.settings.folder import FolderSource, as_written, refuse_shared
from adapter.settings.kept import BackupSection
from adapter.settings.listening import MllpSource
from adapter.settings.polled import Auth, ClientTls, Duration, FhirSource
from adapter.settings.process import ROLES, AdapterSection
from adapter.settings.staff import OidcSection
from adapter.settings.telling import (
    AlertsSection,
    AppriseNotifier,
    CanarySection,
    EmailNotifier,
    HeartbeatSection,
    WebhookNotifier,
)
from adapter.settings.values import Address, Listen, Name, Secret, Section, by_reference, host_and_port


class StoreSection(Section):
    """The marks of the data disk in MiB or percent (reliability 5.3); on a small disk they shrink with it."""

    url: str = "sqlite:///adapter.db"
    password: Secret | None = None
    """Of the role that a PostgreSQL url names."""
    _reference = field_validator("password", mode="before")(by_reference)
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


PUSHED = ("Patient", "Device", "ResearchSubject", "Observation", "Provenance")


class FhirSink(Section):
    kind: Literal["fhir"]
    name: Name
    base: str = Field(pattern=r"^https?://")
    push_when: PushWhen
    dates: Dates
    token: Secret | None = None
    """Sent as `Authorization: Bearer …`."""
    auth: Auth | None = None
    """In the place of `token`: as of a polled server."""
    tls: ClientTls | None = None
    verify: Path | None = None
    timeout_seconds: float = Field(default=30, gt=0)
    study: str = ""
    """The EDC's own ResearchStudy (`ResearchStudy/123`), where it wants that reference."""
    bundle: Literal["auto", "transaction", "batch", "individual"] = "auto"
    """How a delivery is sent; auto: as the EDC's CapabilityStatement says it can."""
    reconcile: Duration = timedelta(hours=24)
    """How often the EDC is asked whether it still holds what it was sent."""
    _reference = field_validator("token", mode="before")(by_reference)

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        if self.token is not None and self.auth is not None:
            raise ValueError("token and auth are two credentials — give one")
        return self

    def scopes(self) -> tuple[str, ...]:
        """What a token is asked for: reading, searching and writing of what is pushed."""
        given: tuple[str, ...] = getattr(self.auth, "scopes", ())
        return given or tuple(f"system/{kind}.cruds" for kind in PUSHED)


class WebSection(Section):
    listen: Address = Listen(host="127.0.0.1", port=8080)
    base_url: str = ""
    """Where people reach the pages (`https://…` of the TLS proxy), for links in mails; empty: the listening address."""
    idle_minutes: int = Field(default=15, ge=5, le=30)
    """A session nobody uses ends."""
    requests_per_minute: int = Field(default=60, ge=10)
    """Of one person, all at once if they like; pages that renew themselves have as many again."""
    blank_minutes: int = Field(default=5, ge=0, le=30)
    """A page with patients that nobody touches covers itself; 0: never, where no computer is shared."""
    second_step: Literal["", "required", "offered"] = ""
    """A code of the phone, of accounts of this house; empty: required in production, offered in test."""
    language: Literal["en", "nl", "de", "el"] = "en"
    """Of pages whose reader chose none and whose browser asks for none of these."""
    oidc: OidcSection | None = None
    _address = field_validator("listen", mode="before")(host_and_port)


Source = Annotated[MllpSource | FhirSource | FolderSource, Field(discriminator="kind")]
Sink = Annotated[FhirSink | FolderSink | RedcapSink | CsvSink, Field(discriminator="kind")]
Notifier = Annotated[EmailNotifier | WebhookNotifier | AppriseNotifier, Field(discriminator="kind")]


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
    alerts: AlertsSection | None = None
    heartbeat: HeartbeatSection | None = None
    canary: CanarySection | None = None
    web: WebSection = WebSection()
    backup: BackupSection | None = None

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

    def listeners(self) -> tuple[MllpSource, ...]:
        """The sources that senders reach us by."""
        return tuple(source for source in self.source if isinstance(source, MllpSource))

    def polled(self) -> tuple[FhirSource, ...]:
        """The sources that are asked."""
        return tuple(source for source in self.source if isinstance(source, FhirSource))

    def folders(self) -> tuple[FolderSource, ...]:
        """The sources that files are dropped into."""
        return tuple(source for source in self.source if isinstance(source, FolderSource))

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

    def second_step_required(self) -> bool:
        wish = self.web.second_step
        return wish == "required" or (not wish and self.adapter.environment == "production")

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

    def known_channels(self) -> Self:
        """Itself, or ConfigError: whoever is to be told has a way that is configured."""
        names = [notifier.name for notifier in self.notifier]
        for person in self.alerts.person if self.alerts else ():
            for trial in set(person.trials) - set(self.adapter.trials):
                raise ConfigError(
                    f"[[alerts.person]] {person.name}: no trial is called '{trial}' — see [adapter] trials"
                )
            for channel in person.channels:
                if channel not in names:
                    raise ConfigError(
                        f"[[alerts.person]] {person.name}: no [[notifier]] is called '{channel}' — known: {', '.join(names) or 'none'}"
                    )
        return self

    def repeated_names(self) -> Self:
        """Itself, or ConfigError: names of sources, sinks and notifiers key what is stored, so each is given once."""
        names = [part.name for part in (*self.source, *self.sink, *self.notifier)]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError(f"the name '{name}' is given twice — give each another")
        if MessageKind.CANARY in names:
            raise ConfigError("the name 'canary' is that of the patients who are made up ([canary]) — give another")
        for trial in set(self.canary.expect if self.canary else ()) - set(self.adapter.trials):
            raise ConfigError(f"[canary] expect: no trial is called '{trial}' — see [adapter] trials")
        return self

    def folders_apart(self, where: Callable[[Path], Path] = as_written) -> Self:
        """Itself, or ConfigError: what lies in a source's folder is moved, so it is nobody else's."""
        sinks = ((sink.name, sink.path) for sink in self.sink if isinstance(sink, FolderSink | CsvSink))
        copies = [("[backup] to", self.backup.to)] if self.backup else []
        refuse_shared(self.folders(), [("[adapter] data", self.adapter.data), *copies, *sinks], where)
        return self

    def repeated_addresses(self) -> Self:
        """Itself, or ConfigError: of what this process listens on, each has an address of its own."""
        taken: dict[Listen, str] = {}
        sources = [(f"source '{source.name}'", source.listen, "receive") for source in self.listeners()]
        for name, address, role in (*sources, ("[web]", self.web.listen, "web")):
            if role in self.adapter.roles and address.port and taken.setdefault(address, name) != name:
                raise ConfigError(f"{taken[address]} and {name} both listen on {address} — give each a port of its own")
        return self
