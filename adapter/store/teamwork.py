"""Who has whom in hand, what people wrote about a candidate, and how far each has looked."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, delete, exists, func, insert, or_, select

from adapter.errors import RejectedError
from adapter.store import upsert
from adapter.store.adoption import PRESENT
from adapter.store.calling import openings
from adapter.store.codec import instant, moment, storable
from adapter.store.schema import candidate_aliases, candidate_history
from adapter.store.team import candidate_notes, claims, looks, seen

_FORMER = select(candidate_aliases.c.former).where(candidate_aliases.c.candidate == PRESENT)
_NOTES = (
    select(candidate_notes)
    .where(or_(candidate_notes.c.candidate == PRESENT, candidate_notes.c.candidate.in_(_FORMER)))
    .order_by(candidate_notes.c.id)
)
_HELD = select(claims).where(claims.c.candidate.in_(bindparam("known", expanding=True)))
_saw = upsert.insert(seen)
_OPENED = _saw.on_conflict_do_update(index_elements=["reader", "candidate"], set_={"at": _saw.excluded.at})

NOTE, CLAIM, RELEASE, HAND_OVER = "note", "claim", "release", "hand-over"
SAID = frozenset({NOTE, HAND_OVER})
"""What is meant for colleagues, and news to them."""
_ONCE = select(candidate_aliases.c.former).where(candidate_aliases.c.candidate == claims.c.candidate).correlate(claims)
_GIVEN = exists().where(
    or_(candidate_notes.c.candidate == claims.c.candidate, candidate_notes.c.candidate.in_(_ONCE)),
    candidate_notes.c.kind == HAND_OVER,
    candidate_notes.c.at == claims.c.since,
    candidate_notes.c.by != claims.c.holder,
)
_LOOKED = exists().where(
    openings.c.candidate == claims.c.candidate, openings.c.by == claims.c.holder, openings.c.at >= claims.c.since
)
HANDED = and_(_GIVEN.correlate(claims), ~_LOOKED.correlate(claims))
"""Of a claim: a colleague put the candidate into the holder's hands, who has not looked since."""


@dataclass(frozen=True, slots=True)
class Claim:
    holder: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote or did; `addressee` got it in hand."""

    at: datetime
    by: str
    kind: str
    addressee: str
    text: str


class TakenError(RejectedError):
    """Somebody else has the candidate in hand."""

    def __init__(self, claim: Claim) -> None:
        super().__init__(f"{claim.holder} has this candidate in hand")
        self.claim = claim


def held(conn: Connection, known: list[str]) -> dict[str, Claim]:
    """By candidate; one that nobody has in hand is not here."""
    return {row.candidate: Claim(row.holder, moment(row.since)) for row in conn.execute(_HELD, {"known": known})}


def holders(conn: Connection) -> dict[str, str]:
    """Of every candidate that somebody has in hand."""
    return {row[0]: row[1] for row in conn.execute(select(claims.c.candidate, claims.c.holder))}


def claim(tx: Connection, candidate: str, by: str, now: datetime) -> bool:
    """False where it is theirs already. Raises TakenError: the first one has it, until they let go or hand it over."""
    row = {"candidate": candidate, "holder": storable(by), "since": instant(now)}
    made = upsert.insert(claims).values(**row).on_conflict_do_nothing().returning(claims.c.candidate)
    if tx.execute(made).scalar_one_or_none() is None:
        known = held(tx, [candidate])[candidate]
        if known.holder != by:
            raise TakenError(known)
        return False
    _write(tx, candidate, Note(now, by, CLAIM, by, ""))
    return True


def release(tx: Connection, candidate: str, by: str, now: datetime) -> bool:
    """Anybody may, because whoever holds it may have gone home; it is written down. False where nobody has it."""
    known = held(tx, [candidate]).get(candidate)
    if known is None:
        return False
    tx.execute(delete(claims).where(claims.c.candidate == candidate))
    _write(tx, candidate, Note(now, by, RELEASE, known.holder, ""))
    return True


def hand_over(tx: Connection, candidate: str, note: Note) -> None:
    """To `note.addressee`, whoever had it."""
    row = {"candidate": candidate, "holder": storable(note.addressee), "since": instant(note.at)}
    put = upsert.insert(claims).values(**row)
    given = {"holder": put.excluded.holder, "since": put.excluded.since}
    tx.execute(put.on_conflict_do_update(index_elements=["candidate"], set_=given))
    _write(tx, candidate, note)


def write(tx: Connection, candidate: str, by: str, text: str, now: datetime) -> None:
    _write(tx, candidate, Note(now, by, NOTE, "", text))


def _write(tx: Connection, candidate: str, note: Note) -> None:
    said = {"by": note.by, "kind": note.kind, "addressee": note.addressee, "text": note.text}
    row = {name: storable(word) for name, word in said.items()}
    tx.execute(insert(candidate_notes).values(candidate=candidate, at=instant(note.at), **row))


def notes(conn: Connection, candidate: str) -> list[Note]:
    """Oldest first; also what was written while the candidate went by another id."""
    return [
        Note(moment(row.at), row.by, row.kind, row.addressee, row.text)
        for row in conn.execute(_NOTES, {"candidate": candidate})
    ]


def looked(tx: Connection, reader: str, until: datetime) -> None:
    """Everything told until then has been seen."""
    put = upsert.insert(looks).values(reader=reader, at=instant(until))
    newer = put.excluded.at > looks.c.at
    tx.execute(put.on_conflict_do_update(index_elements=["reader"], set_={"at": put.excluded.at}, where=newer))
    tx.execute(delete(seen).where(seen.c.reader == reader, seen.c.at <= instant(until)))


def opened(tx: Connection, reader: str, candidate: str, now: datetime) -> None:
    """One candidate was looked at."""
    tx.execute(_OPENED, {"reader": reader, "candidate": candidate, "at": instant(now)})


def stamp(conn: Connection) -> tuple[int, int]:
    """Changes whenever people were told something, or did something, of any candidate."""
    newest = (
        select(func.coalesce(func.max(c.c.id), 0)).scalar_subquery() for c in (candidate_history, candidate_notes)
    )
    row = conn.execute(select(*newest)).one()
    return int(row[0]), int(row[1])
