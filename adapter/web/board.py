"""A candidate as the pages show it, and the feeds it came by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from adapter.domain.alert import short_number
from adapter.domain.trial import Clock as TrialClock
from adapter.domain.trial import Trial
from adapter.store.worklist import CandidateRow
from adapter.web import times, words
from adapter.web.briefs import LEADING, against, open_questions
from adapter.web.context import FeedInfo, WebContext
from adapter.web.times import Countdown
from adapter.web.tongue import say
from adapter.web.values import Value, value

MOST_MISSING = 4
"""Named on the list; the assessment puts what decides first."""


@dataclass(frozen=True, slots=True)
class Person:
    """How staff find the bedside (decisions F5)."""

    name: str
    number: str
    born: str
    place: str


@dataclass(frozen=True, slots=True)
class BoardRow:
    id: str
    number: str
    """As messages name it."""
    person: Person
    trial: str
    verdict: str
    verdict_words: str
    certainty: str
    stratum: str
    stratum_words: str
    provisional: bool
    clock: Countdown
    deadline: str
    sofa: str
    increase: str
    onset_sofa: str
    """Empty where sepsis has not begun, or the score is still the same."""
    leading: tuple[Value, ...]
    missing: tuple[str, ...]
    more_missing: int
    questions: int
    deciding: str
    """The one result that would settle it."""
    status: str
    against: tuple[tuple[str, str], ...]
    """Criteria that rule out whoever was taken back: id and the protocol's short name."""
    standing: bool
    changed: str
    offset: str
    """From UTC, of the site's times."""


@dataclass(frozen=True, slots=True)
class Feed:
    """`state` is `live`, `quiet` or `never`: words first, the light beside them."""

    name: str
    site: str
    kind: str
    last: datetime | None
    ago: str
    at: str
    state: str

    def stops(self, site: str) -> bool:
        """Nothing comes of this site's patients by it."""
        return self.site == site and self.state != "live"


def row_of(row: CandidateRow, context: WebContext, now: datetime) -> BoardRow:
    explained: Mapping[str, Any] = row.assessment or {}
    zone = zone_of(context, row.patient.site)
    sepsis, missing = explained.get("sepsis") or {}, explained.get("missing") or []
    return BoardRow(
        id=row.id,
        number=short_number(row.id),
        person=person(row, now.astimezone(zone)),
        trial=row.trial,
        verdict=row.verdict,
        verdict_words=words.verdict(row.verdict),
        certainty=row.certainty,
        stratum=row.stratum,
        stratum_words=words.stratum(row.stratum),
        provisional=bool(explained.get("stratum_provisional")),
        clock=times.countdown(row.deadline, now, clock_of(context.trial(row.trial))),
        deadline=times.local(row.deadline, zone),
        sofa=words.span(explained.get("sofa")) or "–",
        increase=words.span(sepsis.get("increase")) or "–",
        onset_sofa=_onset(explained.get("sofa"), sepsis.get("sofa_at_onset")),
        leading=_leading(explained, zone),
        missing=tuple(words.concept(name) for name in missing[:MOST_MISSING]),
        more_missing=max(0, len(missing) - MOST_MISSING),
        questions=len(open_questions(explained)),
        deciding=_deciding(explained),
        status=words.sentence(row.status) if row.status else "",
        against=() if row.standing else _against(explained, context.trial(row.trial)),
        standing=row.standing,
        offset=times.offset(zone, now),
        changed=times.ago(row.changed, now),
    )


def person(row: CandidateRow, today: datetime) -> Person:
    family = row.family or ""
    name = ", ".join(part for part in (words.capitals(family), row.given or "") if part)
    years = times.age(row.birth_date, today.date())
    born = str(row.birth_date or "")
    return Person(
        name=name or say("Name not received"),
        number=row.patient.value,
        born=say("%(date)s (%(years)s\u00a0y)", date=born, years=years)
        if years is not None
        else born or say("date of birth not received"),
        place=" · ".join(
            part for part in (row.ward or "", say("bed %(name)s", name=row.bed) if row.bed else "") if part
        ),
    )


def clock_of(trial: Trial | None) -> TrialClock | None:
    return trial.clocks[0] if trial and trial.clocks else None


def zone_of(context: WebContext, site: str) -> tzinfo:
    return context.zones.get(site, UTC)


def feed(info: FeedInfo, last: datetime | None, context: WebContext, now: datetime) -> Feed:
    state = "never" if last is None else "quiet" if now - last > info.quiet_after else "live"
    at = times.local(last, zone_of(context, info.site))
    return Feed(info.name, info.site, info.kind, last, times.ago(last, now), at, state)


def _onset(now: Mapping[str, Any] | None, onset: Mapping[str, Any] | None) -> str:
    then = words.span(onset)
    return "" if then == words.span(now) else then


def _against(explained: Mapping[str, Any], trial: Trial | None) -> tuple[tuple[str, str], ...]:
    known = ((id_, trial.criterion(id_) if trial else None) for id_ in against(explained))
    return tuple((id_, found.short if found else "") for id_, found in known)


def _deciding(explained: Mapping[str, Any]) -> str:
    first: Mapping[str, Any] = next(iter(explained.get("deciding") or ()), {})
    return words.concept(str(first["test"])) if first.get("test") else ""


def _leading(explained: Mapping[str, Any], zone: tzinfo) -> tuple[Value, ...]:
    facts: Mapping[str, Any] = explained.get("facts") or {}
    return tuple(value(facts[name], zone) for name in LEADING if facts.get(name))
