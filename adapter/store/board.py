"""The worklist in brief: who stands where on it, sorted by one index; only the rows of a page are read whole."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, or_, select, text

from adapter.domain.assessment import LOST
from adapter.domain.trial import CONSENTED, ON_STUDY
from adapter.store.at_once import all_at_once
from adapter.store.candidate_rows import CandidateRow, candidate_row, rows
from adapter.store.codec import instant
from adapter.store.on_show import WITHDRAWN_SHOWN
from adapter.store.schema import TOLD, candidate_aliases, candidate_history, candidates, patients
from adapter.store.team import candidate_notes, claims, looks, seen
from adapter.store.teamwork import HANDED, SAID

DAY_AND_HOUR = len("2026-01-31T23")
NEVER = ""
"""Before every instant."""
BRIEF = ("id", "trial", "stratum", "ward", "changed", "raised")
SORTED_BY = ("standing", "deadline", "verdict", "status", "sequence", "decided_sequence")
NAMED_BY = ("family", "given", "ward", "bed")
"""Of a patient, by which they are searched for, and their number last."""


class Part(StrEnum):
    """Where on the list a candidate stands."""

    OPEN = "open"
    DECIDED = "decided"
    """Somebody declined or enrolled; nothing is new since. Who takes part stays here when the ground or the visit is gone."""
    OVER = "over"
    WITHDRAWN = "withdrawn"


class Entry(NamedTuple):
    """One line of the list in brief; moments are `codec.instant` text."""

    id: str
    trial: str
    stratum: str
    ward: str
    changed: str
    raised: str
    site: str
    part: Part
    news: str
    """When people were told something last, or a colleague wrote of it."""


@dataclass(frozen=True, slots=True)
class Marks:
    """How far somebody has looked: everything up to `looked`, and single candidates; what was `handed` to them they have
    not opened since.
    """

    looked: str
    opened: Mapping[str, str]
    handed: Collection[str] = ()

    def news(self, entry: Entry) -> bool:
        """People were told something since, or a colleague wrote."""
        return entry.news > self.opened.get(entry.id, self.looked)

    def changed(self, entry: Entry) -> bool:
        """People were told something since."""
        return entry.changed > self.opened.get(entry.id, self.looked)

    def count(self, entries: Iterable[Entry]) -> int:
        """How many are news."""
        opened, looked = self.opened, self.looked
        return sum(entry.news > opened.get(entry.id, looked) for entry in entries)

    def new(self, entry: Entry) -> bool:
        """It was raised since."""
        return entry.raised > self.opened.get(entry.id, self.looked)


@dataclass(frozen=True, slots=True)
class Other:
    """The same person on the list of another trial."""

    id: str
    trial: str
    status: str
    standing: bool


def entries(conn: Connection, now: datetime, closing: Mapping[str, Collection[str]]) -> list[Entry]:
    """All who stand on the list, take part or were just taken back: least time left first, certain before possible within
    the hour.

    `closing`: by trial the statuses after which nobody need look, until there is news.
    """
    known, at = candidates.c, instant(now)
    lately = instant(now - WITHDRAWN_SHOWN)
    recent = or_(known.standing == 1, known.changed > lately, known.status.in_((CONSENTED, ON_STUDY)))
    shown = and_(text(TOLD), recent, known.trial.in_(closing))
    found, noted = all_at_once(conn, _brief(closing).where(recent)), _noted(conn, shown)
    return [_entry(row, closing[row[1]], (at, lately), noted) for row in found]


def search(
    conn: Connection,
    now: datetime,
    closing: Mapping[str, Collection[str]],
    answers: Callable[[Sequence[str], Sequence[str]], bool],
) -> list[Entry]:
    """As `entries`, of all whom people were ever told of; `answers` is asked of each: ids of now and formerly, and what is said."""
    when, width = (instant(now), instant(now - WITHDRAWN_SHOWN)), len(BRIEF) + 1 + len(SORTED_BY)
    said = (*(candidates.c[name].label(f"said_{name}") for name in NAMED_BY), patients.c.value)
    rows = all_at_once(conn, _brief(closing).add_columns(*said))
    former: dict[str, list[str]] = {}
    for was, present in conn.execute(select(candidate_aliases.c.former, candidate_aliases.c.candidate)):
        former.setdefault(present, []).append(was)
    answer = (row for row in rows if answers((row[0], *former.get(row[0], ())), row[width:]))
    return [_entry(row[:width], closing[row[1]], when, {}) for row in answer]


def _brief(trials: Collection[str]) -> Select[Any]:
    known = candidates.c
    columns = (*(known[name] for name in BRIEF), patients.c.site, *(known[name] for name in SORTED_BY))
    wanted = select(*columns).join(patients, patients.c.key == known.patient)
    order = (known.deadline.is_(None), func.substr(known.deadline, 1, DAY_AND_HOUR), known.certainty, known.deadline)
    return wanted.where(text(TOLD), known.trial.in_(trials)).order_by(*order, known.id)


def _entry(row: Any, closed: Collection[str], when: tuple[str, str], noted: Mapping[str, str]) -> Entry:
    """`closed`: the statuses that close the case; `when`: now, and since when a withdrawal is news, as the store writes it."""
    brief, changed, (now, lately) = row[: len(BRIEF) + 1], row[BRIEF.index("changed")], when
    news = max(changed, noted.get(row[0], NEVER))
    return Entry._make((*brief, _part(row[len(BRIEF) + 1 :], closed, now, news=changed > lately), news))


def _noted(conn: Connection, shown: ColumnElement[bool]) -> dict[str, str]:
    """By candidate: when a colleague wrote of it or handed it over last, by whatever id it went."""
    notes, ids = candidate_notes.c, candidate_aliases.c
    last = select(func.max(notes.at)).where(notes.kind.in_(SAID))
    own = last.where(notes.candidate == candidates.c.id)
    former = last.join(candidate_aliases, ids.former == notes.candidate).where(ids.candidate == candidates.c.id)
    each = (one.correlate(candidates).scalar_subquery() for one in (own, former))
    asked = select(candidates.c.id, *(one.label(name) for one, name in zip(each, ("own", "former"), strict=True)))
    told = asked.where(shown).subquery()
    said = select(told).where(or_(told.c.own.is_not(None), told.c.former.is_not(None)))
    return {row[0]: max(row[1] or NEVER, row[2] or NEVER) for row in all_at_once(conn, said)}


def _part(row: Any, closed: Collection[str], now: str, *, news: bool) -> Part:
    standing, deadline, verdict, status, told, decided = row
    if not standing:
        settled = status == CONSENTED and not (news and verdict in LOST)
        return Part.DECIDED if settled or status in closed else Part.WITHDRAWN
    over = verdict == "expired" or (deadline is not None and deadline <= now)
    if status in closed and (told <= decided or over):
        return Part.DECIDED
    return Part.OVER if over else Part.OPEN


def marks(conn: Connection, reader: str) -> Marks:
    """Nothing of somebody who never looked."""
    looked = conn.execute(select(looks.c.at).where(looks.c.reader == reader)).scalar_one_or_none()
    opened = conn.execute(select(seen.c.candidate, seen.c.at).where(seen.c.reader == reader))
    handed = list(conn.execute(select(claims.c.candidate).where(claims.c.holder == reader, HANDED)).scalars())
    return Marks(looked or NEVER, {row[0]: row[1] for row in opened} | dict.fromkeys(handed, NEVER), frozenset(handed))


def read(conn: Connection, known: Sequence[str], explained: Callable[[str], dict[str, Any]]) -> dict[str, CandidateRow]:
    """By id; `explained` reads what the list needs of an assessment's text."""
    found = conn.execute(rows().where(candidates.c.id.in_(known))).mappings()
    return {row["id"]: candidate_row(row, explained) for row in found}


def _elsewhere() -> Select[Any]:
    other = candidates.alias("other")
    same = and_(other.c.patient == candidates.c.patient, other.c.trial != candidates.c.trial)
    shown = or_(other.c.standing == 1, and_(other.c.status != "", other.c.raised.is_not(None)))
    told = (other.c[name].label(f"o_{name}") for name in ("id", "trial", "status", "standing"))
    named = candidates.c.id.in_(bindparam("known", expanding=True))
    return select(candidates.c.id, *told).join(other, same).where(named, shown).order_by(other.c.trial, other.c.id)


_ELSEWHERE = _elsewhere()


def others(conn: Connection, known: Sequence[str]) -> dict[str, list[Other]]:
    """By candidate: where the same person is on the list of another trial, or was decided upon there."""
    found: dict[str, list[Other]] = {}
    for row in conn.execute(_ELSEWHERE, {"known": known}):
        found.setdefault(row[0], []).append(Other(row[1], row[2], row[3], bool(row[4])))
    return found


def last_told(conn: Connection, known: Sequence[str]) -> dict[str, str]:
    """By candidate: what people were told last."""
    told = candidate_history.c.kind.in_(("raised", "updated", "withdrawn"))
    newest = select(func.max(candidate_history.c.id)).where(candidate_history.c.candidate.in_(known), told)
    ids = newest.group_by(candidate_history.c.candidate)
    wanted = select(candidate_history.c.candidate, candidate_history.c.text).where(candidate_history.c.id.in_(ids))
    return {row[0]: row[1] for row in conn.execute(wanted)}
