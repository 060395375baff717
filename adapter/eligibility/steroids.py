"""Corticosteroids as prednisone per kilogram and day (clinical 3.3, E11): shown to whoever answers, unless the trial has it answer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from statistics import median

from adapter.domain.administration import Administration, AdministrationState
from adapter.domain.assessment import Evidence
from adapter.domain.quantity import Interval, decimal_text
from adapter.domain.trial import Comparison
from adapter.eligibility.coded import dose_evidence, given_within, next_dose
from adapter.eligibility.finding import Reading
from adapter.eligibility.view import View, instant
from adapter.scoring.flows import amount, flow, strength
from adapter.scoring.thresholds import PREDNISONE_FACTORS, STEROID_ROUTES

NO_WEIGHT = "What does the patient weigh? Corticosteroids were given, and no weight is on file"
NO_AMOUNT = "How much corticosteroid was given? An amount on file cannot be worked out"
MINUTE, DAY, TICK = timedelta(minutes=1), timedelta(days=1), timedelta.resolution
MILLIGRAM = 1000
"""Micrograms."""
Share = tuple[date, Fraction, Administration]
"""Milligrams of prednisone of a day."""


def steroid(view: View, comparison: Comparison) -> Reading:
    """Of the day with most of it; at least, since nobody knows what was taken elsewhere. Median and days stand beside it."""
    return _read(view, comparison, "steroid.daily", lambda days: max(days.values()))


def every_day(view: View, comparison: Comparison) -> Reading:
    """Of the day with least of it, of as many as the window has, up to the newest on which it was given; at least, as above."""

    def least(days: Mapping[date, Fraction]) -> Fraction:
        newest, window = max(days), (comparison.within or DAY) // DAY
        return min(days.get(newest - n * DAY, Fraction(0)) for n in range(window))

    return _read(view, comparison, "steroid.every_day", least)


def _read(view: View, comparison: Comparison, name: str, of: Callable[[Mapping[date, Fraction]], Fraction]) -> Reading:
    """Oral and intravenous doses and infusions over the newest weight; what has no amount is shown beside them."""
    return replace(_taken(view, comparison, name, of), changes=next_dose(view, comparison))


def _taken(view: View, comparison: Comparison, name: str, of: Callable[[Mapping[date, Fraction]], Fraction]) -> Reading:
    taken = [one for one in given_within(view, comparison) if _systemic(one)]
    weight = _weight(view)
    told = [(one, _prednisone(one, _until(one, taken, view.at), weight)) for one in taken]
    unknown = tuple(dose_evidence(one) for one, shares in told if shares is None)
    days: dict[date, list[Share]] = {}
    for share in (share for _, shares in told for share in shares or ()):
        days.setdefault(share[0], []).append(share)
    if not days:
        lacks = (NO_AMOUNT, name) if weight is not None else (NO_WEIGHT, "weight")
        return Reading(evidence=unknown, asks=lacks[:1], missing=lacks[1:]) if unknown else Reading()
    most = max(days.values(), key=_sum)
    evidence = (*(dose_evidence(one) for _, _, one in most), *unknown)
    if weight is None:
        return Reading(word=None, evidence=evidence, asks=(NO_WEIGHT,), missing=("weight",))
    daily = {day: _sum(one) / weight for day, one in days.items()}
    found, first, course = of(daily), most[0][2], _course(list(daily.values()), comparison)
    on_end = max(_infused(one, shares, weight) for one, shares in told if shares)
    apart = on_end >= Fraction(comparison.value) > found
    note = f"{course}; {decimal_text(on_end)} mg/kg in 24 hours on end" if apart else course
    shown = Evidence(name, decimal_text(found), "mg/kg", first.start, first.message, note=note)
    return Reading(
        intervals=(Interval(found, None),),
        evidence=(shown, *evidence),
        asks=(NO_AMOUNT,) if unknown else (),
        missing=(name,) if unknown or apart else (),
    )


def _systemic(one: Administration) -> bool:
    return one.substance in PREDNISONE_FACTORS and one.route in STEROID_ROUTES


def _until(one: Administration, taken: Sequence[Administration], at: datetime) -> datetime:
    """The end of an infusion; where none was told, the next rate or stop of its drug, else now."""
    if one.end is not None:
        return min(instant(one.end), at)
    turned = (
        instant(other.start)
        for other in taken
        if other.substance == one.substance and (other.rate is not None or other.state is AdministrationState.STOPPED)
    )
    return min((moment for moment in turned if moment > instant(one.start)), default=at)


def _infused(one: Administration, shares: Sequence[Share], weight: Fraction) -> Fraction:
    """Of an infusion what flowed in 24 hours on end, in mg/kg: midnight cuts it in two days."""
    each = _flow(one, weight) if one.dose is None else None
    most = Fraction(0) if each is None else each * (DAY // MINUTE) / MILLIGRAM * PREDNISONE_FACTORS[one.substance]
    return min(most, _sum(shares)) / weight


def _course(daily: Sequence[Fraction], comparison: Comparison) -> str:
    """So that a person can tell a single dose from a course (the protocol's sentence may be read either way)."""
    limit = Fraction(comparison.value)
    days = sum(1 for dose in daily if dose >= limit)
    middle = decimal_text(median(daily))
    return f"median {middle} mg/kg over {len(daily)} days with any; {days} days of {decimal_text(limit)} mg/kg or more"


def _weight(view: View) -> Fraction | None:
    weights = [
        o.quantity.value for o in view.observations("weight") if o.effective <= view.at and o.quantity is not None
    ]
    return weights[-1] if weights and weights[-1] > 0 else None


def _prednisone(one: Administration, until: datetime, weight: Fraction | None) -> list[Share] | None:
    """Of each day on which it flowed; none of what has no amount: a dose not in grams, a rate without a strength or a weight."""
    factor = PREDNISONE_FACTORS[one.substance]
    if one.dose is not None:
        taken = amount(one.dose.value, one.dose.unit)
        return [(one.start.date(), taken[0] / MILLIGRAM * factor, one)] if taken and taken[1] == "ug" else None
    if one.state is AdministrationState.STOPPED and one.end is None:
        return []
    per_minute = _flow(one, weight)
    if per_minute is None:
        return None
    return [(day, per_minute * minutes / MILLIGRAM * factor, one) for day, minutes in _spread(one, until)]


def _flow(one: Administration, weight: Fraction | None) -> Fraction | None:
    """Micrograms a minute."""
    found = None if one.rate is None else flow(one.rate)
    if found is None or (found.per_kg and weight is None):
        return None
    each = found.amount * weight if found.per_kg and weight is not None else found.amount
    if found.kind == "mL":
        inside = None if one.concentration is None else strength(one.concentration)
        return None if inside is None or inside[1] != "ug" else each * inside[0]
    return each if found.kind == "ug" else None


def _spread(one: Administration, until: datetime) -> Iterator[tuple[date, Fraction]]:
    """Minutes of each calendar day, by the sender's own clock, of what has flowed until then."""
    begin, end = one.start, until.astimezone(one.start.tzinfo)
    while begin < end:
        midnight = datetime.combine(begin.date() + DAY, time(), begin.tzinfo)
        moment = min(midnight, end)
        yield begin.date(), Fraction((instant(moment) - instant(begin)) // TICK, MINUTE // TICK)
        begin = moment


def _sum(shares: Sequence[Share]) -> Fraction:
    return sum((milligrams for _, milligrams, _ in shares), Fraction(0))
