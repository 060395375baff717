"""The words of alerting: people, rules of telling, what stands, what was told, what is to be told."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum

from adapter.alerting.hours import Hours


class Cause(StrEnum):
    """Why somebody is told."""

    RAISED = "raised"
    UPDATED = "updated"
    WITHDRAWN = "withdrawn"
    ESCALATED = "escalated"
    """Nobody opened or claimed it: the next on the rota."""
    HANDED_OVER = "handed-over"
    """A colleague put it into their hands."""
    DEADLINE = "deadline"
    """It is still undecided at one of the trial's marks (`warn_left`)."""
    DIGEST = "digest"
    """What waits, at a fixed time of day."""
    MANY = "many"
    """Several at once: one message with their number."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be on call. `channels` are outlets, tried in this order; `team` stands on no rota and is told of all;
    `trials` are those of the person, empty for all.
    """

    name: str
    channels: tuple[str, ...]
    quiet: Hours | None = None
    team: bool = False
    trials: frozenset[str] = frozenset()

    def serves(self, trial: str) -> bool:
        return not self.trials or trial in self.trials


@dataclass(frozen=True, slots=True)
class Policy:
    """How people want to be told; every figure stands in `[alerts]`."""

    people: tuple[Person, ...]
    zone: tzinfo = UTC
    urgent: timedelta = timedelta(hours=12)
    """With less time left quiet hours hold nothing back."""
    escalate: timedelta = timedelta(minutes=30)
    escalate_quiet: timedelta = timedelta(minutes=60)
    digest: tuple[time, ...] = ()
    digest_when_empty: bool = False
    storm: int = 5
    """So many messages to one person within `storm_window`; what comes then goes together."""
    storm_window: timedelta = timedelta(minutes=15)
    fallback: timedelta = timedelta(minutes=10)
    """A channel that has not taken a message by then has failed: the next is tried (P6: within 15 minutes)."""

    def person(self, name: str) -> Person | None:
        return next((one for one in self.people if one.name == name), None)

    def quiet(self, person: Person, now: datetime) -> bool:
        return person.quiet is not None and person.quiet.covers(now.astimezone(self.zone).time())


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody was told of a candidate; `told` is what its summary said then, `key` the message that carried it."""

    person: str
    cause: Cause
    told: str
    at: datetime
    key: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A candidate whose alert stands or was taken back, and what became of it. `calls` and `opened` are of this life of the
    alert only (since `raised`); `failed` are the messages that no channel carried.
    """

    candidate: str
    trial: str
    standing: bool
    raised: datetime
    changed: datetime
    told: str
    deadline: datetime | None = None
    marks: tuple[timedelta, ...] = ()
    claimed: bool = False
    holder: str = ""
    """Who has it in hand: reminded at the marks before anybody else."""
    handed: datetime | None = None
    """When a colleague put it into the holder's hands, who has not looked since: till then it waits as if nobody had it."""
    decided: bool = False
    opened: datetime | None = None
    held: bool = False
    """Its trial was in shadow since it was raised."""
    calls: tuple[Call, ...] = ()
    failed: frozenset[str] = field(default_factory=frozenset)

    @property
    def waits(self) -> bool:
        """It belongs into the digest."""
        return self.standing and not self.decided and not (self.claimed and self.handed is None)

    @property
    def answered(self) -> bool:
        if self.handed is None:
            return self.claimed or self.opened is not None
        return self.handed < self.raised and self.opened is not None


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody should hear of a candidate now, quiet hours and storms aside."""

    person: str
    candidate: str
    cause: Cause
    told: str
    urgent: bool
    since: datetime
    """When its reason arose: one that arose in quiet hours was held."""
    held: bool = False
    """The first that a person hears of a candidate of whom nobody was to hear at first."""


@dataclass(frozen=True, slots=True)
class Message:
    """What goes out to one person: one candidate, several together (`many`), or the digest of `trials`."""

    person: str
    cause: Cause
    wishes: tuple[Wish, ...]
    count: int = 1
    trials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that went to a person lately."""

    person: str
    cause: Cause
    at: datetime
