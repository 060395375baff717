"""Settings → the ways to people, who is on call, and the rounds that tell them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from adapter import telemetry
from adapter.alerting.hours import WHOLE_DAY, read_clock, read_days, read_hours
from adapter.alerting.model import Person, Policy
from adapter.alerting.rota import Dated, Rota, Weekly, read_calendar, turns
from adapter.daemon.clock import utc_now
from adapter.errors import ConfigError
from adapter.notifiers.apprise import AppriseNotifier
from adapter.notifiers.email import EmailNotifier, Encryption, MailServer
from adapter.notifiers.webhook import Webhook, WebhookNotifier
from adapter.pipeline.calling import Caller
from adapter.pipeline.silence import Silence
from adapter.ports import Clock, Notifier
from adapter.screening.rulebook import Rulebook
from adapter.settings import AlertsSection, Settings
from adapter.settings import AppriseNotifier as AppriseSection
from adapter.settings import EmailNotifier as EmailSection
from adapter.settings import WebhookNotifier as WebhookSection
from adapter.store.database import Database
from adapter.web.context import AlertDesk

Section = EmailSection | WebhookSection | AppriseSection

TEAM = "#"
"""Begins the name of a channel that no person names: a team's."""
LOOK_AHEAD = 14
"""Days of the rota that are looked at for gaps."""

# --- the ways --------------------------------------------------------------------------------------------------------


def notifiers_for(settings: Settings) -> dict[str, Callable[[Clock], Notifier]]:
    """By outlet. Raises ConfigError for an extra that is not installed, a secret that is not there."""
    made: dict[str, Callable[[Clock], Notifier]] = {}
    for name, (section, to) in ways(settings).items():
        if isinstance(section, EmailSection):
            made[name] = _email(section, to)
        elif isinstance(section, WebhookSection):
            made[name] = _webhook(section)
        else:
            made[name] = _apprise(section)
    return made


def ways(settings: Settings) -> dict[str, tuple[Section, tuple[str, ...]]]:
    """Each notifier, and `mail/anna` for a person whom an e-mail notifier writes to alone; with the addresses of a mail."""
    found: dict[str, tuple[Section, tuple[str, ...]]] = {}
    for section in settings.notifier:
        found[section.name] = (section, section.to if isinstance(section, EmailSection) else ())
    for person in settings.alerts.person if settings.alerts else ():
        for channel in person.channels:
            section = found[channel][0]
            if person.mail and isinstance(section, EmailSection):
                found[f"{channel}/{person.name}"] = (section, (person.mail,))
    return found


def _email(section: EmailSection, to: tuple[str, ...]) -> Callable[[Clock], Notifier]:
    server = MailServer(
        section.host,
        section.port,
        Encryption(section.encryption),
        section.user or "",
        section.password.reveal() if section.password else "",
        str(section.verify or ""),
    )
    return lambda clock: EmailNotifier(server, sender=section.sender, recipients=to, clock=clock)


def _webhook(section: WebhookSection) -> Callable[[Clock], Notifier]:
    secrets = tuple(one.reveal() for one in section.secret)
    webhook = Webhook(section.url, secrets, str(section.verify or ""), section.allow_private)
    return lambda clock: WebhookNotifier(webhook, clock)


def _apprise(section: AppriseSection) -> Callable[[Clock], Notifier]:
    made = AppriseNotifier(section.url.reveal())
    return lambda _clock: made


# --- who, and when ---------------------------------------------------------------------------------------------------


def caller(settings: Settings, rules: Rulebook, database: Database, clock: Clock, silence: Silence) -> Caller | None:
    """Raises ConfigError for a calendar that cannot be read."""
    if settings.alerts is None:
        return None
    policy = policy_of(settings, settings.alerts)
    rota = RotaBook(settings.alerts)
    rota.read()
    return Caller(database, clock, policy, rota.now, rules.trials, f"{settings.web_base()}/", silence)


def policy_of(settings: Settings, section: AlertsSection) -> Policy:
    mail = {one.name for one in settings.notifier if isinstance(one, EmailSection)}
    common = read_hours(section.quiet)
    people = [
        Person(
            one.name,
            tuple(f"{name}/{one.name}" if one.mail and name in mail else name for name in one.channels),
            common if one.quiet is None else read_hours(one.quiet),
            trials=frozenset(one.trials),
        )
        for one in section.person
    ]
    named = {name for one in section.person for name in one.channels}
    teams = [Person(TEAM + one.name, (one.name,), team=True) for one in settings.notifier if one.name not in named]
    return Policy(
        people=(*people, *teams),
        zone=ZoneInfo(section.timezone),
        urgent=timedelta(hours=section.urgent_hours),
        escalate=timedelta(minutes=section.escalate_minutes),
        escalate_quiet=timedelta(minutes=section.escalate_minutes_quiet),
        digest=tuple(read_clock(text) for text in section.digest),
        digest_when_empty=section.digest_when_empty,
        storm=section.storm_messages,
        storm_window=timedelta(minutes=section.storm_minutes),
        fallback=timedelta(minutes=section.fallback_minutes),
    )


def rota_findings(settings: Settings, now: Clock = utc_now) -> Iterator[tuple[str, str]]:
    """What `adapter check` says of it. Raises ConfigError for a calendar that cannot be read."""
    if settings.alerts is None:
        return
    book = RotaBook(settings.alerts)
    book.read()
    gaps = [turn for turn in turns(book.now(), now(), LOOK_AHEAD) if not turn.who]
    if gaps:
        hours = sum(((gap.until - gap.start).total_seconds() for gap in gaps), 0.0) / 3600
        yield (
            "warning",
            f"the rota has gaps of {hours:.0f} h within {LOOK_AHEAD} days, in which everybody is called — adapter alert rota",
        )
    else:
        yield "ok", f"somebody is on call at every moment of the next {LOOK_AHEAD} days"


@dataclass(slots=True)
class RotaBook:
    """The rota in force. Its calendar is read again when the file changes; one that cannot be read leaves the last in force."""

    section: AlertsSection
    _calendar: tuple[Dated, ...] = ()
    _seen: tuple[float, int] = field(default=(0.0, 0))

    def now(self) -> Rota:
        path = self.section.calendar
        if path is not None and _stamp(path) != self._seen:
            try:
                self.read()
            except ConfigError:  # its words may name staff: `adapter alert rota` tells them
                telemetry.warn("rota calendar not read", text="the one before stays in force", file=path.name)
                self._seen = _stamp(path)
        return self._rota()

    def read(self) -> None:
        """Raises ConfigError."""
        path = self.section.calendar
        if path is None:
            return
        zone, known = ZoneInfo(self.section.timezone), [one.name for one in self.section.person]
        try:
            self._seen = _stamp(path)
            self._calendar = read_calendar(path.read_text(encoding="utf-8-sig"), zone, known)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror}) — check the path and its rights") from None
        except ValueError as error:
            raise ConfigError(f"{path}: {error}") from None

    def _rota(self) -> Rota:
        zone = ZoneInfo(self.section.timezone)
        weekly = tuple(
            Weekly(read_days(line.days), read_hours(line.hours) or WHOLE_DAY, line.who) for line in self.section.rota
        )
        return Rota(zone, weekly, self._calendar)


def _stamp(path: Path) -> tuple[float, int]:
    try:
        found = path.stat()
    except OSError:
        return (0.0, 0)
    return (found.st_mtime, found.st_size)


def desk_of(settings: Settings, made: Caller | None) -> AlertDesk:
    """What the page of alerts shows: the ways there are, and who is on call."""
    channels = {name: section.kind for name, (section, _to) in ways(settings).items()}
    return AlertDesk(channels, made.policy if made else None, made.rota if made else None)
