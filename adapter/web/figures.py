"""How well the machine does: times from flag to decision, how often a flag was right, and of how many the rules knew."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import quantiles

from adapter.domain.trial import Trial
from adapter.store.screening_log import Logged
from adapter.web import words
from adapter.web.effects import effect
from adapter.web.flow import Passage, Stage, passage
from adapter.web.tongue import inner, say

Z = 1.96
"""Of a 95 % interval."""
LOOKING = "screening"
"""The one status that says that somebody looks, and decides nothing."""
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Times:
    """Hours, as quartiles; `None` where nobody went that way yet. `without` are those of whom it cannot be said (yet)."""

    name: str
    number: int
    without: int
    low: float | None
    median: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Predictive:
    """`right` of `decided` flags a person found eligible; `low` and `high` bound it with 95 % (Wilson)."""

    name: str
    decided: int
    right: int
    low: float
    high: float

    @property
    def share(self) -> float | None:
        return self.right / self.decided if self.decided else None


@dataclass(frozen=True, slots=True)
class Criterion:
    """One rule among the decided: where the record answered it in favour, how many were eligible; how often it was left
    open; and how often a person's own answer to it ruled somebody out.
    """

    id: str
    short: str
    taken: Predictive
    open: int
    overruled: int


def decided_at(one: Logged) -> float | None:
    """Seconds since the epoch of the first decision; `screening` is none."""
    return next((made.at.timestamp() for made in one.decisions if made.status != LOOKING), None)


def times(listed: Iterable[Logged]) -> tuple[Times, ...]:
    """From the first flag; a person who opens it again later is the same look."""
    told = [one for one in listed if one.flagged is not None]
    ways: tuple[tuple[str, Callable[[Logged], tuple[float | None, float | None]]], ...] = (
        (say("From flag to first look"), lambda one: (_at(one.flagged), _at(one.seen))),
        (say("From first look to decision"), lambda one: (_at(one.seen), decided_at(one))),
        (say("From flag to decision"), lambda one: (_at(one.flagged), decided_at(one))),
    )
    return tuple(_times(name, [_hours(*ends(one)) for one in told]) for name, ends in ways)


def _at(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _hours(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else max(0.0, (end - start) / HOUR)


def _times(name: str, found: Sequence[float | None]) -> Times:
    known = sorted(hours for hours in found if hours is not None)
    low, middle, high = quartiles(known)
    return Times(name, len(known), len(found) - len(known), low, middle, high)


def quartiles(values: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """Of one value it is that value."""
    if not values:
        return None, None, None
    low, middle, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else (values[0],) * 3
    return low, middle, high


def predictive(name: str, outcomes: Sequence[bool]) -> Predictive:
    low, high = wilson(sum(outcomes), len(outcomes))
    return Predictive(name, len(outcomes), sum(outcomes), low, high)


def wilson(right: int, number: int) -> tuple[float, float]:
    """Wilson 1927: holds for few and for none; of nobody nothing is known."""
    if not number:
        return 0.0, 1.0
    share, square = right / number, Z * Z / number
    middle = (share + square / 2) / (1 + square)
    half = Z * math.sqrt(share * (1 - share) / number + square / (4 * number)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def by_flag(trial: Trial, listed: Iterable[Logged]) -> tuple[Predictive, ...]:
    """All flags, then by the verdict at the first flag, then by stratum."""
    settled = _settled(trial, listed)
    levels = sorted({one.flag for one, _ in settled if one.flag})
    strata = sorted({one.stratum for one, _ in settled if one.stratum})
    groups: list[tuple[str, Callable[[Logged], bool]]] = [(say("All flags"), lambda _: True)]
    groups += [(say("First shown as %(verdict)s", verdict=inner(words.verdict(v))), _having("flag", v)) for v in levels]
    groups += [(say("Stratum: %(name)s", name=words.stratum(s)), _having("stratum", s)) for s in strata]
    return tuple(
        predictive(name, [found.stage >= Stage.ELIGIBLE for one, found in settled if fits(one)])
        for name, fits in groups
    )


def _having(name: str, value: str) -> Callable[[Logged], bool]:
    return lambda one: getattr(one, name) == value


def by_criterion(trial: Trial, listed: Iterable[Logged]) -> tuple[Criterion, ...]:
    """By what stands of each criterion now: the record's answer of the first flag is not kept."""
    settled = _settled(trial, listed)
    return tuple(_criterion(one.id, one.short or one.id, settled) for one in trial.criteria)


def _criterion(criterion: str, short: str, settled: Sequence[tuple[Logged, Passage]]) -> Criterion:
    answers = [(a, found) for one, found in settled for a in one.answers if a.id == criterion]
    effects = [(effect(a.kind, a.answer), bool(a.by), found) for a, found in answers]
    taken = [found.stage >= Stage.ELIGIBLE for effect, person, found in effects if effect == "fits" and not person]
    return Criterion(
        id=criterion,
        short=short,
        taken=predictive(criterion, taken),
        open=sum(effect == "open" for effect, _, _ in effects),
        overruled=sum(effect == "stops" and person for effect, person, _ in effects),
    )


def enrolled(trial: Trial, listed: Iterable[Logged]) -> list[Logged]:
    return [one for one in listed if passage(one, trial).stage is Stage.RANDOMISED]


def _settled(trial: Trial, listed: Iterable[Logged]) -> list[tuple[Logged, Passage]]:
    """Flags of which a person said whether the patient was eligible."""
    found = [(one, passage(one, trial)) for one in listed if one.flagged is not None]
    return [(one, way) for one, way in found if way.settled]
