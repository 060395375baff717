"""Drugs given (RAS), laid out beside the charted rates: each giving is a rate that runs until its end."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from adapter.domain.administration import Administration, AdministrationState, standing
from adapter.domain.observation import Observation, ResultStatus
from adapter.domain.quantity import Quantity
from adapter.scoring.changes import Differing
from adapter.scoring.flows import PER_KG, directly
from adapter.scoring.thresholds import DOSES, PARALYSIS, SEDATIVES, UNSCORED_VASOACTIVES

INFUSED = frozenset((*DOSES, *UNSCORED_VASOACTIVES, *SEDATIVES))
"""By concept: the substance's name and `-rate`."""
FACTS = frozenset({AdministrationState.GIVEN, AdministrationState.STOPPED})
"""What was only ordered or dispensed is context (decisions C5)."""
INTO_A_VEIN, UNKNOWN_ROUTE = frozenset({"iv", "other", ""}), "other"
"""A way that was stated and that nobody knows may lead into a vein."""
MINUTE = timedelta(minutes=1) // timedelta.resolution


@dataclass(frozen=True, slots=True)
class Given(Observation):
    """A rate from an administration; `native` is the rate as told, `quantity` none where it needs a weight to be a dose.

    `until` is its end, where one was told. `ends` marks that end, so that time has something to turn at.
    """

    until: datetime | None = None
    concentration: Quantity | None = None
    ends: bool = False
    doubtful: bool = False
    """Stated to go a way that nobody knows."""
    bolus: bool = False
    """Told as a dose over a time, not as a rate."""


@dataclass(slots=True)
class Therapy:
    """What stands of a patient's administrations, by concept; worked out when first asked for."""

    said: tuple[Administration, ...]
    _made: dict[tuple[str, str], tuple[Given, ...]] = field(default_factory=dict, compare=False, repr=False)
    """By identity and digest, also of the statements before: what was made of them once."""
    _found: dict[str, tuple[Given, ...]] | None = field(default=None, compare=False, repr=False)

    def by_concept(self) -> Mapping[str, tuple[Given, ...]]:
        if self._found is None:
            self._found = {}
            for one in standing(self.said) if self.said else ():
                concept = f"{one.substance}-rate"
                if concept in INFUSED and one.state in FACTS:
                    self._found[concept] = (*self._found.get(concept, ()), *self._of(one, concept))
        return self._found

    def _of(self, one: Administration, concept: str) -> tuple[Given, ...]:
        key = one.identity, one.digest
        if key not in self._made:
            self._made[key] = tuple(_given(one, concept))
        return self._made[key]

    def followed_by(self, said: tuple[Administration, ...]) -> "Therapy":
        return self if said is self.said else Therapy(said, self._made)

    def of(self, concept: str) -> tuple[Given, ...]:
        return self.by_concept().get(concept, ()) if self.said else ()

    def changed_to(self, other: "Therapy") -> dict[str, Differing]:
        """By concept: the givings that are gone and those that are new."""
        if self.said is other.said:
            return {}
        before, after = self.by_concept(), other.by_concept()
        found = {concept: _differing(self.of(concept), other.of(concept)) for concept in {**before, **after}}
        return {concept: both for concept, both in found.items() if any(both)}


def _differing(before: Iterable[Given], after: Iterable[Given]) -> Differing:
    old, new = {_key(one): one for one in before}, {_key(one): one for one in after}
    gone = tuple(one for key, one in old.items() if key not in new)
    return gone, tuple(one for key, one in new.items() if key not in old)


def _key(one: Given) -> tuple[str, str, datetime]:
    return one.identity, one.digest, one.effective


def _given(one: Administration, concept: str) -> Iterator[Given]:
    """Nothing of a push, which never counts (clinical 2.6), nor of what does not go into a vein. An amount that was written
    and could not be read may be an infusion's, and so may a vasoactive drug of which no amount was told: its dose is unknown.
    """
    rate = _rate(one)
    off = one.state is AdministrationState.STOPPED and one.end is None
    unread = rate is None and one.dose is None and (bool(one.original.value) or concept in DOSES)
    pushed = rate is None and one.end is None and not off and not unread
    if one.route not in INTO_A_VEIN or (pushed and concept != PARALYSIS):
        return
    running = Quantity(Fraction(0), PER_KG) if off else rate
    made = Given(
        identity=one.identity,
        concept=concept,
        effective=one.start,
        status=ResultStatus.FINAL,
        original=one.original,
        message=one.message,
        quantity=directly(running),
        native=running,
        visit=one.visit,
        sender_time=one.sender_time,
        until=one.start if pushed else one.end,
        concentration=one.concentration,
        doubtful=one.route == UNKNOWN_ROUTE,
        bolus=one.rate is None and one.dose is not None,
        digest=one.digest,
    )
    yield made
    if one.end is not None:
        yield _end(made, one.end)


def _end(made: Given, end: datetime) -> Given:
    return Given(
        identity=f"{made.identity}-end",
        concept=made.concept,
        effective=end,
        status=made.status,
        original=made.original,
        message=made.message,
        visit=made.visit,
        until=end,
        ends=True,
        digest=made.digest,
    )


def _rate(one: Administration) -> Quantity | None:
    """As told, else the dose spread over the time it took."""
    if one.rate is not None or one.dose is None or one.end is None or one.end <= one.start:
        return one.rate
    minutes = Fraction((one.end - one.start) // timedelta.resolution, MINUTE)
    return Quantity(one.dose.value / minutes, f"{one.dose.unit}/min")
