"""The sections of adapter.toml about people being told: `[[notifier]]`, a way to them, and `[alerts]`, who, when and how often."""

from datetime import timedelta
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from adapter.alerting.hours import read_clock, read_days, read_hours
from adapter.settings.polled import Duration
from adapter.settings.values import Name, Secret, Section, by_reference, each_by_reference


class EmailNotifier(Section):
    kind: Literal["email"]
    name: Name
    host: str
    port: int = Field(default=25, ge=1, le=65535)
    sender: str
    to: tuple[str, ...] = Field(min_length=1)
    encryption: Literal["none", "starttls", "tls"] = "starttls"
    verify: Path | None = None
    """A CA file, where the server's certificate is of the hospital's own authority."""
    user: str | None = None
    password: Secret | None = None
    _reference = field_validator("password", mode="before")(by_reference)


class WebhookNotifier(Section):
    kind: Literal["webhook"]
    name: Name
    url: str = Field(pattern=r"^https?://")
    secret: tuple[Secret, ...] = Field(min_length=1)
    """One, or two while a new one replaces the old: a list."""
    verify: Path | None = None
    allow_private: bool = False
    """Whether the address may lie inside the hospital's own network."""
    _reference = field_validator("secret", mode="before")(each_by_reference)


class HeartbeatSection(Section):
    """`[heartbeat]`: a watcher outside of this machine that is called while all is well, and raises the alarm when it is not."""

    url: Secret
    """Whoever knows it can say that all is well, so it goes by reference."""
    every: Duration = timedelta(seconds=60)
    verify: Path | None = None
    allow_private: bool = False
    """Whether the watcher may stand inside the hospital's own network."""
    _reference = field_validator("url", mode="before")(by_reference)


class CanarySection(Section):
    """`[canary]`: two patients who are made up, told to this house like any other, who have to be found."""

    every: Duration = timedelta(minutes=15)
    expect: dict[str, tuple[str, str]] = Field(default_factory=dict)
    """By trial, of the patient with hyper-inflammation and of the one with immunoparalysis: the stratum to be found, `shown` (as
    where nothing is said), or `nobody` where the trial asks for others.
    """


class AppriseNotifier(Section):
    """Teams, Slack, ntfy, Signal, SMS gateways and many more, by an Apprise URL (extra `apprise`)."""

    kind: Literal["apprise"]
    name: Name
    url: Secret
    """It holds tokens and telephone numbers, so it goes by reference."""
    _reference = field_validator("url", mode="before")(by_reference)


def _hours_or_none(text: str | None) -> str | None:
    """Checked here, so that a mistake is named with its line; kept as written."""
    read_hours(text or "")
    return text


class PersonSection(Section):
    name: str = Field(pattern=r"^[A-Za-z0-9._@-]{2,64}$")
    channels: tuple[str, ...] = Field(min_length=1)
    """Names of notifiers: the first is used, the next when that one fails."""
    mail: str = ""
    """Where the e-mail notifiers write to this person, instead of their own `to`."""
    quiet: str | None = None
    """Instead of the quiet hours of all; "" for none."""
    trials: tuple[str, ...] = ()
    """Told of these alone; empty: of all."""
    _hours = field_validator("quiet")(_hours_or_none)


class RotaSection(Section):
    """A line of the week. The first that covers a moment counts."""

    who: tuple[str, ...] = Field(min_length=1)
    days: str = "daily"
    hours: str = "00:00-24:00"
    _hours = field_validator("hours")(_hours_or_none)

    @field_validator("days")
    @classmethod
    def _week(cls, text: str) -> str:
        read_days(text)
        return text


class AlertsSection(Section):
    timezone: str
    """Of rota, quiet hours and digest; without a default, like every zone."""
    person: tuple[PersonSection, ...] = Field(min_length=1)
    rota: tuple[RotaSection, ...] = ()
    calendar: Path | None = None
    """A CSV file of dates (`from,until,who`), which go before the week; read again when it changes."""
    quiet: str = ""
    urgent_hours: float = Field(default=12, ge=0)
    escalate_minutes: float = Field(default=30, gt=0)
    escalate_minutes_quiet: float = Field(default=60, gt=0)
    digest: tuple[str, ...] = ()
    digest_when_empty: bool = False
    storm_messages: int = Field(default=5, ge=1)
    storm_minutes: float = Field(default=15, gt=0)
    fallback_minutes: float = Field(default=10, gt=0, le=15)
    """At most 15 (P6)."""
    _hours = field_validator("quiet")(_hours_or_none)

    @field_validator("timezone")
    @classmethod
    def _a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no such time zone: write it as Europe/Athens") from None
        return name

    @field_validator("digest")
    @classmethod
    def _clocks(cls, times: tuple[str, ...]) -> tuple[str, ...]:
        for text in times:
            read_clock(text)
        return times

    @model_validator(mode="after")
    def _known(self) -> Self:
        names = [person.name for person in self.person]
        if len(names) != len(set(names)):
            raise ValueError("a person is named twice: name each once")
        for line in self.rota:
            for name in line.who:
                if name not in names:
                    raise ValueError(f"rota: '{name}' is no [[alerts.person]]: name them there")
        return self
