"""The list as one person sees it: a page of candidates, what is new to them, who has whom in hand."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from adapter.domain.trial import Trial
from adapter.eligibility.follow_up import ON_STUDY
from adapter.store import board as board_store
from adapter.store import teamwork, worklist
from adapter.store.accounts import EVERYWHERE, Scope
from adapter.store.board import Asked, Count, Listed, Other, Part
from adapter.store.database import Snapshot
from adapter.store.teamwork import Claim
from adapter.web import board, filters, told, words
from adapter.web.board import BoardRow
from adapter.web.context import WebContext
from adapter.web.filters import Filters

PAGE = 40
"""Candidates on a page: more is nobody's to look through, and the page stays light."""
ASIDE = 10
"""Of those whose time is over or who were taken back, below the list."""
MOST_FOUND = 200


@dataclass(frozen=True, slots=True)
class ListRow:
    """`fresh`: New, Changed or Taken back since the reader looked, with what changed in `lately`.

    `renewed`: somebody had decided, and there is news since.
    """

    row: BoardRow
    fresh: str
    lately: str
    holder: str
    mine: bool
    others: tuple[str, ...]
    renewed: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One part of the list, as far as the page shows it."""

    part: Part
    rows: tuple[ListRow, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose list it is, and for which sites and trials."""

    name: str
    scope: Scope = EVERYWHERE


@dataclass(frozen=True, slots=True)
class Listing:
    """`until`: when people were told something last, for who says that all was seen."""

    main: Shown
    aside: tuple[Shown, ...]
    counts: Mapping[Part, Count]
    watching: int
    news: int
    wards: tuple[str, ...]
    until: str
    stamp: str
    pages: int


def closing(trial: Trial) -> frozenset[str]:
    """Statuses after which nobody need look: those that say why not, and randomisation."""
    return frozenset({name for name, reasons in trial.statuses if reasons} | {ON_STUDY})


def asked(context: WebContext, reader: Reader, wanted: Filters, now: datetime, only: Collection[str] | None) -> Asked:
    return Asked(
        now=now,
        reader=reader.name,
        closing={trial.id: closing(trial) for trial in context.trials},
        trial=wanted.trial,
        stratum=wanted.stratum,
        ward=wanted.ward,
        holder=reader.name if wanted.hand == filters.MINE else "",
        free=wanted.hand == filters.FREE,
        news=wanted.news,
        only=only,
        scope=reader.scope,
    )


def read(context: WebContext, reader: Reader, wanted: Filters, said: str = "") -> Listing:
    """`said`: words of a search, which stand in no address."""
    now = context.clock()
    with context.database.read() as conn:
        only = board_store.search(conn, said.split(), MOST_FOUND) if said else None
        question = asked(context, reader, wanted, now, only)
        stamp = teamwork.stamp(conn)
        counts = board_store.counts(conn, question)
        newest = board_store.newest(conn, question)
        skip = (wanted.page - 1) * PAGE
        main = Shown(
            wanted.part, _rows(conn, context, question, (wanted.part, PAGE, skip)), counts[wanted.part].candidates
        )
        return Listing(
            main=main,
            aside=tuple(_aside(conn, context, question, counts)) if wanted.part is Part.OPEN else (),
            counts=counts,
            watching=worklist.watching_count(conn, reader.scope),
            news=sum(count.news for part, count in counts.items() if part is not Part.DECIDED),
            wards=tuple(board_store.wards(conn, question)),
            until=newest.isoformat() if newest else "",
            stamp=".".join(map(str, stamp)),
            pages=-(-main.count // PAGE),
        )


def _aside(conn: Snapshot, context: WebContext, asked: Asked, counts: Mapping[Part, Count]) -> list[Shown]:
    found = ((part, counts[part].candidates) for part in (Part.OVER, Part.WITHDRAWN))
    return [Shown(part, _rows(conn, context, asked, (part, ASIDE, 0)), number) for part, number in found if number]


def _rows(conn: Snapshot, context: WebContext, asked: Asked, which: tuple[Part, int, int]) -> tuple[ListRow, ...]:
    found = board_store.page(conn, asked, *which)
    ids = [one.row.id for one in found]
    held, others = teamwork.held(conn, ids), board_store.others(conn, ids)
    others = {one: [o for o in many if asked.scope.trial(o.trial)] for one, many in others.items()}
    lately = board_store.last_told(conn, [one.row.id for one in found if _spoken_of(one)])
    return tuple(_row(one, context, asked, (held.get(one.row.id), others.get(one.row.id, []), lately)) for one in found)


Around = tuple[Claim | None, list[Other], Mapping[str, str]]


def _row(one: Listed, context: WebContext, asked: Asked, around: Around) -> ListRow:
    claim, others, lately = around
    zone = board.zone_of(context, one.row.patient.site)
    return ListRow(
        row=board.row_of(one.row, context, asked.now),
        fresh=_fresh(one),
        lately=told.lately(lately, one.row.id, zone),
        holder=claim.holder if claim else "",
        mine=claim is not None and claim.holder == asked.reader,
        others=tuple(elsewhere(other) for other in others),
        renewed=_renewed(one),
    )


def elsewhere(other: Other) -> str:
    """`Also on the list of TRIAL (Declined)`: in two trials at once is a question for people."""
    return f"Also on the list of {other.trial}" + (f" ({words.sentence(other.status)})" if other.status else "")


def _spoken_of(one: Listed) -> bool:
    return (one.news and not one.new) or _renewed(one) or not one.row.standing


def _renewed(one: Listed) -> bool:
    return bool(one.row.status) and one.row.sequence > one.row.decided_sequence


def _fresh(one: Listed) -> str:
    if not one.news:
        return ""
    return "Taken back" if not one.row.standing else "New" if one.new else "Changed"
