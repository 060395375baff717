"""When an infection was suspected: by cultures, antibiotics and diagnoses of the stay, or by a person (clinical 1.7)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapter.domain.administration import Administration
from adapter.domain.administration import standing as given_of
from adapter.domain.condition import ConditionStatus, standing
from adapter.eligibility.answers import grew
from adapter.eligibility.coded import GIVEN, diagnoses, listed
from adapter.eligibility.finding import unique
from adapter.eligibility.view import View, instant
from adapter.scoring.thresholds import ANTIBIOTIC_AFTER_CULTURE, CULTURE_AFTER_ANTIBIOTIC
from adapter.scoring.turns import AT_ONCE

CULTURES = ("culture-organism", "culture-other")
TURNS = dict.fromkeys(CULTURES, (AT_ONCE,))
ANTIBACTERIAL = "antibacterial"
"""The group of mappings/codesets/substances.csv."""
A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Infection:
    """`basis` says in words what it rests on, `since` is the earliest that it may have been suspected.

    A specimen or a drug has a time. What somebody recorded was known by then: an onset whose clock still ran may be its own.
    """

    at: datetime
    basis: str
    since: datetime


def infection_of(view: View, recorded: datetime | None) -> Infection | None:
    """The earliest sign, each of this stay; `None` while nobody knows. An antibiotic alone may be prophylaxis.

    A person's answer stands over signs of longer before than its clock reaches, and confirms a later one.
    """
    given = view.stay.admitted, diagnoses(view), _antibiotics(view)
    question = ("infection", view.stay.trial.id)
    signs = view.remembered(question, TURNS, lambda: _in_order(_signs(view)), view.stay.trial, *given)
    if recorded is None:
        return signs[0] if signs else None
    told = _recorded(view, recorded, "a person recorded it")
    return next((sign for sign in signs if told.since <= sign.at <= told.at), told)


def _in_order(signs: Iterable[Infection]) -> tuple[Infection, ...]:
    return tuple(sorted(unique(signs), key=lambda sign: sign.at))


def _signs(view: View) -> Iterator[Infection]:
    cultures = list(_cultures(view))
    yield from (Infection(at, "a culture grew", at) for at, growing in cultures if growing)
    yield from _pairs([at for at, _ in cultures], [instant(one.start) for one in _antibiotics(view)])
    yield from (_recorded(view, at, "a diagnosis was recorded") for at in _diagnosed(view))


def _recorded(view: View, at: datetime, basis: str) -> Infection:
    """The longest limit of the trial's clocks back, an onset of then has run out."""
    return Infection(at, basis, at - max((clock.limit for clock in view.stay.trial.clocks), default=timedelta(0)))


def _cultures(view: View) -> Iterator[tuple[datetime, bool]]:
    """When each specimen of the stay was taken, and whether something grew in its blood that is more than a commensal."""
    start, commensals = view.stay.admitted, view.stay.trial.parameters.commensal_codes
    for concept in CULTURES:
        for one in view.observations(concept):
            if one.effective <= view.at and (start is None or one.effective >= start):
                infected = grew(one) and not listed("organism", one.code or "", commensals)
                yield instant(one.effective), concept == CULTURES[0] and infected


def _antibiotics(view: View) -> tuple[Administration, ...]:
    """Those given in this stay by now, by the newest statement of each: it may name another drug, or another time."""
    start, told = view.stay.admitted, view.stay.state.administrations
    ever = {one.identity for one in told if one.group == ANTIBACTERIAL}
    return tuple(
        one
        for one in given_of(said for said in told if said.identity in ever)
        if one.group == ANTIBACTERIAL
        and one.state in GIVEN
        and instant(one.start) <= view.at
        and (start is None or instant(one.start) >= start)
    )


def _pairs(cultures: list[datetime], antibiotics: list[datetime]) -> Iterator[Infection]:
    """The earlier of the two, where they belong together (Seymour, JAMA 2016)."""
    for culture in cultures:
        for antibiotic in antibiotics:
            if culture - CULTURE_AFTER_ANTIBIOTIC <= antibiotic <= culture + ANTIBIOTIC_AFTER_CULTURE:
                first = min(culture, antibiotic)
                yield Infection(first, "a culture and an antibiotic", first)


def _diagnosed(view: View) -> Iterator[datetime]:
    """Active diagnoses of the page's sets recorded since the day of admission; a date alone is midnight."""
    start, sets = view.stay.admitted, view.stay.trial.parameters.infection_codes
    for one in standing(diagnoses(view)):
        if one.status is ConditionStatus.ACTIVE and listed(one.system, one.code, sets):
            at = instant(one.at)
            if start is None or at > start - A_DAY:
                yield at if start is None else max(at, start)
