"""What the pages are given to work with: store, inbox, clock, trials and how the daemon feels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from typing import Protocol

from adapter.alerting.model import Policy
from adapter.alerting.rota import Rota
from adapter.domain.trial import Trial
from adapter.fhir.calendar import Dates
from adapter.mapping.amend import SiteLine
from adapter.pipeline.receive import StoreInbox
from adapter.ports import Clock
from adapter.screening.rulebook import Rulebook
from adapter.store.database import Database
from adapter.store.proposals import Proposal
from adapter.store.secret import SiteSecret
from adapter.web.briefs import Briefs
from adapter.web.provider import Provider
from adapter.web.roll import Roll
from adapter.web.staff import StaffRules
from adapter.web.tongue import ENGLISH, mark


@dataclass(frozen=True, slots=True)
class FeedInfo:
    """One configured source. Silent for longer than `quiet_after`, its light goes out on the worklist."""

    name: str
    site: str
    kind: str
    quiet_after: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Health:
    """How the daemon feels (reliability 5.1). `codes` are alarm codes, never patient data."""

    live: bool = True
    ready: bool = True
    status: str = "ok"
    """`ok`, `degraded` or `failing`."""
    codes: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    """What is meant to be so and should not be forgotten; no alarm: `shadow:TRIAL`."""


@dataclass(frozen=True, slots=True)
class Hospital:
    """The hospital's own sign-in, who of its people is who here, and what the button says."""

    provider: Provider
    rules: StaffRules
    label: str = mark("Hospital account")


@dataclass(frozen=True, slots=True)
class AlertDesk:
    """The ways to people by outlet, with their kind; where `[alerts]` says so, how they want to be told and who is on call."""

    channels: Mapping[str, str] = field(default_factory=dict)
    policy: Policy | None = None
    rota: Callable[[], Rota] | None = None


class Bench(Protocol):
    """What the pages need of the workbench; each act raises RejectedError with the reason."""

    def rules(self) -> Rulebook: ...

    def check(self, site: str, line: SiteLine) -> None: ...

    def carry_out(self, proposal: Proposal, approver: str, role: str) -> int: ...


@dataclass(frozen=True, slots=True)
class Hint:
    """The word a polled server must say, and what has it asked at once."""

    word: str = field(repr=False)
    wake: Callable[[], None]


@dataclass(frozen=True, slots=True)
class WebContext:
    """`base_url` is where people reach the pages; its host is the only one answered, besides loopback in the demo."""

    database: Database
    inbox: StoreInbox
    clock: Clock
    trials: tuple[Trial, ...]
    secret: SiteSecret
    feeds: tuple[FeedInfo, ...]
    health: Callable[[], Health]
    metrics: Callable[[], bytes]
    base_url: str
    cookie_secure: bool
    software: str
    bench: Bench
    demo: bool = False
    wake: Callable[[], None] = field(default=lambda: None)
    """Tells whoever reads the inbox that something waits there which came by no door."""
    zones: Mapping[str, tzinfo] = field(default_factory=dict)
    """By site: the zone its people read clocks in. A site not named here reads UTC."""

    idle: timedelta = timedelta(minutes=15)
    """A session nobody uses ends."""
    requests_per_minute: int = 60
    """Of one person (reliability 2.2)."""
    blank: timedelta = timedelta(minutes=5)
    """A page untouched for so long covers itself (reliability 4.5); zero: never."""
    hints: Mapping[str, Hint] = field(default_factory=dict)
    """By source."""
    second_step_required: bool = False
    """Of accounts of this house; those of the hospital have their own."""
    hospital: Hospital | None = None
    """None: accounts of this house alone."""

    alerts: AlertDesk = field(default_factory=AlertDesk)
    dates: Dates = Dates.SHIFTED
    """How the trial unit's version of the screening log tells times: as the EDC may know them (decisions E3)."""

    language: str = ENGLISH
    """Of who chose none, and whose browser asks for none there is."""

    held: Callable[[], bool] = lambda: False
    """Whether the store was restored, and nobody has released it yet."""
    shadow: frozenset[str] = frozenset()
    """Trials of which nobody is told and nothing is pushed."""

    roll: Roll = field(default_factory=Roll)
    briefs: Briefs = field(default_factory=Briefs)

    def trial(self, trial_id: str) -> Trial | None:
        return next((trial for trial in self.trials if trial.id == trial_id), None)
