"""The newest result of a concept, as a number or as an answer, with what is asked for when there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import groupby

from adapter.domain.assessment import evidence_of
from adapter.domain.observation import Observation
from adapter.domain.quantity import Comparator, Quantity
from adapter.domain.trial import Comparison
from adapter.eligibility.finding import Reading, earliest, unique
from adapter.eligibility.view import View, instant

PAIR_NOT_SAME_DRAW = "pair_not_same_draw"
DISCORDANT = "discordant_at_one_time"
DERIVED = "derived"
PERCENT = Fraction(1, 100)
UNCONVERTIBLE = {"mhladr": ("mhladr-percent", "mhladr-mfi")}
BESIDE = {**UNCONVERTIBLE, "neutrophils": ("neutrophil-percent", "band-percent", "wbc")}
"""What is read beside a concept when its newest value is asked for."""
WANTED = {"mhladr": "antibodies bound per cell (Quantibrite)"}
NAMES = {
    "crp": "CRP",
    "mhladr": "mHLA-DR",
    "mhladr-percent": "percent of monocytes",
    "mhladr-mfi": "fluorescence intensity",
    "neutrophils": "the absolute neutrophil count",
    "platelets": "a platelet count",
    "wbc": "a white cell count",
}


@dataclass(frozen=True, slots=True)
class Newest:
    """The results drawn last within the window (several only where they share the time), and when that changes."""

    observations: tuple[Observation, ...]
    changes: datetime | None


def newest(observations: Sequence[Observation], at: datetime, within: timedelta | None) -> Newest:
    """Window `(at - within, at]`; a result dated in the future waits for its time."""
    coming = earliest(instant(o.effective) for o in observations if o.effective > at)
    past = [o for o in observations if o.effective <= at and (within is None or o.effective > at - within)]
    if not past:
        return Newest((), coming)
    last = max(instant(o.effective) for o in past)
    leaves = None if within is None else last + within
    return Newest(tuple(o for o in past if o.effective == last), earliest((coming, leaves)))


def latest(view: View, comparison: Comparison) -> Reading:
    """`<concept>.latest`: the newest number, paired with another concept's where the rule says so."""
    concept = comparison.fact.removesuffix(".latest")
    found = newest(_numbers(view, concept, comparison.within), view.at, comparison.within)
    if comparison.paired_with and found.observations:
        return _paired(view, comparison, found)
    reading = read(found, concept)
    return reading if reading.intervals else replace(reading, asks=_asks(view, comparison, concept, reading))


def _asks(view: View, comparison: Comparison, concept: str, reading: Reading) -> tuple[str, ...]:
    """A result in a unit that never converts is no result: say which one is wanted."""
    for other in UNCONVERTIBLE.get(concept, ()):
        if newest(_numbers(view, other, comparison.within), view.at, comparison.within).observations:
            return (f"{named(concept)} came as {named(other)}, which never converts: ask for {WANTED[concept]}",)
    return reading.asks


def read(found: Newest, concept: str) -> Reading:
    """Results drawn at one time that differ leave the rule unknown unless they agree about it."""
    quantities = [o.quantity for o in found.observations if o.quantity is not None]
    if not quantities:
        return Reading(asks=(f"Ask for {named(concept)}",), missing=(concept,), changes=found.changes)
    bound = any(q.comparator is not None for q in quantities)
    flags = unique(flag for o in found.observations for flag in o.flags)
    differ = len({(q.value, q.comparator) for q in quantities}) > 1
    return Reading(
        intervals=tuple(q.interval() for q in quantities),
        evidence=tuple(evidence_of(o) for o in found.observations),
        flags=(*flags, DISCORDANT) if differ else flags,
        asks=(
            _bound_ask(concept, flags)
            if bound
            else f"Two results of {named(concept)} at one time differ: which one holds?",
        ),
        missing=(concept,),
        changes=found.changes,
    )


def named(concept: str) -> str:
    """As it is said at the bedside."""
    return NAMES.get(concept, concept.replace("-", " "))


def _bound_ask(concept: str, flags: tuple[str, ...]) -> str:
    if DERIVED in flags:
        return f"Ask for {named(concept)}"
    return f"{named(concept)} is reported as a bound that does not decide: ask the laboratory to dilute and repeat"


def _paired(view: View, comparison: Comparison, found: Newest) -> Reading:
    """With the partner's newest, for that one is compared too: of one draw; else near enough, flagged; else asked for again
    (clinical 1.3).
    """
    reading = read(found, comparison.fact.removesuffix(".latest"))
    own, near = found.observations[0], view.stay.trial.parameters.pair_within
    others = newest(_numbers(view, comparison.paired_with or ""), view.at, None).observations
    if any(_same_draw(own, other) for other in others):
        return reading
    if any(abs(instant(own.effective) - instant(other.effective)) <= near for other in others):
        return replace(reading, flags=(*reading.flags, PAIR_NOT_SAME_DRAW))
    ask = f"Ask for {named(comparison.paired_with or '')} and {named(own.concept)} from one draw"
    return replace(reading, intervals=(), asks=(ask,))


def _same_draw(one: Observation, other: Observation) -> bool:
    return one.effective == other.effective or (bool(one.specimen_id) and one.specimen_id == other.specimen_id)


def _numbers(view: View, concept: str, within: timedelta | None = None) -> list[Observation]:
    return [o for o in view.observations(concept, within) if o.quantity is not None]


def neutrophils(view: View, comparison: Comparison) -> Reading:
    """The newest absolute count; where none was reported, white cells times the share of neutrophils and bands of one time,
    flagged.
    """
    within = comparison.within
    counts = _numbers(view, "neutrophils", within)
    counted = {o.effective for o in counts}
    shares, bands = (_by_time(view, f"{kind}-percent", within) for kind in ("neutrophil", "band"))
    apart = newest(_numbers(view, "band-percent", within), view.at, within)
    products = [
        product
        for white in _numbers(view, "wbc", within)
        if white.effective not in counted
        for share in shares.get(white.effective, ())
        for band in bands.get(white.effective, (None,))
        if (product := _product(white, share, band, apart=bool(apart.observations))) is not None
    ]
    found = newest((*counts, *products), view.at, within)
    found = replace(found, changes=earliest((found.changes, apart.changes)))
    paired = comparison.paired_with and found.observations
    return _paired(view, comparison, found) if paired else read(found, "neutrophils")


def _by_time(view: View, concept: str, within: timedelta | None) -> Mapping[datetime, Sequence[Observation]]:
    return {time: tuple(same) for time, same in groupby(_numbers(view, concept, within), lambda o: o.effective)}


def _exact(one: Observation) -> tuple[Fraction, ...]:
    """Its number, where it is one and no bound."""
    return () if one.quantity is None or one.quantity.comparator is not None else (one.quantity.value,)


def _product(white: Observation, share: Observation, band: Observation | None, *, apart: bool) -> Observation | None:
    """Only plain numbers multiply; a bound times a bound is not worth a guess.

    Of a laboratory that counts bands `apart`, a share without them is a lower bound.
    """
    band = band if band is not None and _exact(band) else None
    shares = [share] if band is None else [share, band]
    numbers = [found for one in (white, *shares) for found in _exact(one)]
    if white.quantity is None or len(numbers) <= len(shares):
        return None
    least = Comparator.AT_LEAST if apart and band is None else None
    count = Quantity(numbers[0] * sum(numbers[1:]) * PERCENT, white.quantity.unit, least)
    told = " + ".join(f"{one.original.value} {one.original.unit}".rstrip() for one in shares)
    original = replace(white.original, value=f"{white.original.value} × {told if band is None else f'({told})'}")
    flags = (*white.flags, *(flag for one in shares for flag in one.flags), DERIVED)
    return replace(white, concept="neutrophils", quantity=count, original=original, flags=flags)
