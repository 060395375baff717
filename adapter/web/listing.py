"""The list as one person sees it: a page of candidates, what is new to them, who has whom in hand."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapter.domain.trial import ON_STUDY, Trial
from adapter.store import board as board_store
from adapter.store import teamwork, worklist
from adapter.store.board import Entry, Marks, Other, Part
from adapter.store.candidate_rows import CandidateRow
from adapter.store.codec import instant
from adapter.store.database import Snapshot
from adapter.store.teamwork import Claim
from adapter.web import board, filters, told, words
from adapter.web.board import BoardRow
from adapter.web.context import WebContext
from adapter.web.filters import Filters
from adapter.web.parted import WITH_NEWS, Choice, Parts, narrowed, parted
from adapter.web.question import Question
from adapter.web.roll import Kept
from adapter.web.sessions import Visitor
from adapter.web.tongue import mark, say

PAGE = 25
"""Candidates on a page: more is nobody's to look through, and the page stays light."""
ASIDE = 10
"""Of those whose time is over or who were taken back, below the list."""
MOST_FOUND = 50
"""Of those whom a search finds: who has more is told so."""
CHANGED = mark("Changed")


@dataclass(frozen=True, slots=True)
class ListRow:
    """`fresh`: Handed to you, New, Changed, Taken back, Handed over or Note since the reader looked, with what changed in `lately`.

    `renewed`: somebody had decided, and there is news since.
    """

    row: BoardRow
    part: Part
    fresh: str
    lately: str
    holder: str
    mine: bool
    others: tuple[str, ...]
    renewed: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One part of the list, as far as the page shows it; None: of every part, as a search finds them."""

    part: Part | None
    rows: tuple[ListRow, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Listing:
    """`until`: when there was news last, for who says that all was seen."""

    main: Shown
    aside: tuple[Shown, ...]
    counts: Mapping[Part, int]
    watching: int
    news: int
    wards: tuple[str, ...]
    until: str
    stamp: str
    pages: int


def closing(trial: Trial) -> frozenset[str]:
    """Statuses after which nobody need look: those that say why not, and randomisation."""
    return frozenset({name for name, reasons in trial.statuses if reasons} | {ON_STUDY})


@dataclass(frozen=True, slots=True)
class Asked:
    """Who looks at what, with what they have seen."""

    now: datetime
    reader: Visitor
    wanted: Filters
    marks: Marks
    claims: Mapping[str, str]
    trials: frozenset[str]
    """Those of this house that the reader works for."""

    @property
    def choice(self) -> Choice:
        return Choice(self.reader.scope, self.wanted.trial, self.wanted.stratum, self.wanted.ward)

    def own(self) -> list[Callable[[Entry], bool]]:
        """What the reader wants that is theirs alone: by who has whom in hand, and by what they have seen."""
        checks: list[tuple[bool, Callable[[Entry], bool]]] = [
            (self.wanted.hand == filters.MINE, lambda one: self.claims.get(one.id) == self.reader.name),
            (self.wanted.hand == filters.FREE, lambda one: one.id not in self.claims),
            (self.wanted.news, self.marks.news),
        ]
        return [check for asked, check in checks if asked]


def read(context: WebContext, reader: Visitor, wanted: Filters, asked_for: Question | None = None) -> Listing:
    """With a question: everybody who answers to it, in whatever part of the list they stand, or once stood."""
    now = context.clock()
    closing_by_trial = {trial.id: closing(trial) for trial in context.trials}
    kept = context.roll.read(context.database, now, closing_by_trial)
    with context.database.read() as conn:
        asked = _asked(conn, context, (reader, wanted, now))
        parts, news = _cut(kept, asked)
        if asked_for is None:
            part, main, skip, most = wanted.part, parts[wanted.part], (wanted.page - 1) * PAGE, PAGE
        else:
            found = board_store.search(conn, now, closing_by_trial, asked_for.met)
            part, main, skip, most = None, _in_order(asked.choice.among(found)), 0, MOST_FOUND
        return Listing(
            main=Shown(part, _rows(conn, context, asked, main[skip : skip + most]), len(main)),
            aside=tuple(_aside(conn, context, asked, parts)) if part is Part.OPEN else (),
            counts={part: len(found) for part, found in parts.items()},
            watching=worklist.watching_count(conn, reader.scope),
            news=news,
            wards=kept.cut(Choice(reader.scope)).wards,
            until=kept.newest,
            stamp=".".join(map(str, kept.stamp)),
            pages=-(-len(main) // most),
        )


def _in_order(found: Iterable[Entry]) -> list[Entry]:
    """Whom to look at first, then part by part."""
    parts = parted(found)
    return [one for part in Part for one in parts[part]]


def _asked(conn: Snapshot, context: WebContext, who: tuple[Visitor, Filters, datetime]) -> Asked:
    reader, wanted, now = who
    return Asked(
        now=now,
        reader=reader,
        wanted=wanted,
        marks=board_store.marks(conn, reader.name),
        claims=teamwork.holders(conn),
        trials=frozenset(t.id for t in context.trials if reader.scope.trials is None or t.id in reader.scope.trials),
    )


def _cut(kept: Kept, asked: Asked) -> tuple[Parts, int]:
    """What the reader sees of the list, and how much of it is news to them."""
    cut, checks = kept.cut(asked.choice), asked.own()
    if not checks:
        return cut.parts, cut.told.news(asked.marks)
    parts = {part: list(narrowed(found, checks)) for part, found in cut.parts.items()}
    return parts, sum(asked.marks.count(parts[part]) for part in WITH_NEWS)


def _aside(conn: Snapshot, context: WebContext, asked: Asked, parts: Mapping[Part, Sequence[Entry]]) -> Iterator[Shown]:
    for part in (Part.OVER, Part.WITHDRAWN):
        if parts[part]:
            yield Shown(part, _rows(conn, context, asked, parts[part][:ASIDE]), len(parts[part]))


def _rows(conn: Snapshot, context: WebContext, asked: Asked, found: Sequence[Entry]) -> tuple[ListRow, ...]:
    ids = [one.id for one in found]
    read = board_store.read(conn, ids, context.briefs.read)
    held, others = teamwork.held(conn, ids), board_store.others(conn, ids)
    lately = board_store.last_told(conn, ids)
    seen = [one for one in found if one.id in read]
    return tuple(
        _row((one, read[one.id]), context, asked, (held.get(one.id), others.get(one.id, []), lately)) for one in seen
    )


Around = tuple[Claim | None, list[Other], Mapping[str, str]]


def _row(one: tuple[Entry, CandidateRow], context: WebContext, asked: Asked, around: Around) -> ListRow:
    entry, row = one
    claim, others, lately = around
    zone, again = board.zone_of(context, row.patient.site), renewed(row, context.trial(row.trial))
    fresh = _fresh(entry, asked.marks, claim)
    return ListRow(
        row=board.row_of(row, context, asked.now),
        part=entry.part,
        fresh=say(fresh),
        lately=told.lately(lately, row.id, zone) if again or fresh == CHANGED or not row.standing else "",
        renewed=again,
        holder=claim.holder if claim else "",
        mine=claim is not None and claim.holder == asked.reader.name,
        others=tuple(elsewhere(other) for other in others if other.trial in asked.trials),
    )


def elsewhere(other: Other) -> str:
    """`Also on the list of TRIAL (Declined)`: in two trials at once is a question for people."""
    text = say("Also on the list of %(trial)s", trial=other.trial)
    return f"{text} ({words.sentence(other.status)})" if other.status else text


def renewed(row: CandidateRow, trial: Trial | None) -> bool:
    """Somebody had closed the case, and people were told something since."""
    closed = trial is not None and row.status in closing(trial)
    return closed and row.sequence > row.decided_sequence


def _fresh(entry: Entry, marks: Marks, claim: Claim | None) -> str:
    if entry.id in marks.handed:
        return mark("Handed to you")
    if not marks.changed(entry):
        handed = claim is not None and instant(claim.since) == entry.news
        return "" if not marks.news(entry) else mark("Handed over") if handed else mark("Note")
    return mark("Taken back") if entry.part is Part.WITHDRAWN else mark("New") if marks.new(entry) else CHANGED
