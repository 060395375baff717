"""What one person says of somebody in doubt, and another approves or sends back (reliability 4.4)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select, update

from adapter.errors import RejectedError
from adapter.store.adoption import PRESENT
from adapter.store.codec import instant, moment, moment_or_none, storable
from adapter.store.people import identity_proposals
from adapter.store.schema import candidate_aliases
from adapter.store.upsert import insert

OPEN, APPROVED, SENT_BACK, VOID = "open", "approved", "sent-back", "void"
ALREADY = "something is proposed already — look at the page again"
DECIDED = "this proposal was decided already — look at the page again"
NAMES = ("id", "question", "answer", "state", "by", "reason", "decided_by", "why")
_FORMER = select(candidate_aliases.c.former).where(candidate_aliases.c.candidate == PRESENT)
_OF = (
    select(identity_proposals)
    .where(or_(identity_proposals.c.candidate == PRESENT, identity_proposals.c.candidate.in_(_FORMER)))
    .order_by(identity_proposals.c.id)
)


@dataclass(frozen=True, slots=True)
class Proposed:
    """`answer` to `question` as the message will hold it; `why` is the reason of who sent it back."""

    id: int
    question: str
    answer: str
    state: str
    at: datetime
    by: str
    reason: str
    decided_by: str
    decided_at: datetime | None
    why: str


def add(tx: Connection, candidate: str, said: tuple[str, str], who: tuple[str, str], now: datetime) -> int:
    """`said` is (question, answer), `who` (name, reason). Raises RejectedError where something is proposed already."""
    (question, answer), (name, reason) = said, map(storable, who)
    row = {"candidate": candidate, "question": question, "answer": answer, "state": OPEN}
    made = insert(identity_proposals).values(**row, at=instant(now), by=name, reason=reason)
    found = tx.execute(made.on_conflict_do_nothing().returning(identity_proposals.c.id)).scalar_one_or_none()
    if found is None:
        raise RejectedError(ALREADY)
    return int(found)


def drop(tx: Connection, candidate: str, question: str, but: Collection[str]) -> None:
    """What was proposed and can be no answer any more: the question is another one now."""
    theirs = (identity_proposals.c.candidate == candidate) & (identity_proposals.c.question == question)
    stale = theirs & (identity_proposals.c.state == OPEN) & identity_proposals.c.answer.not_in(list(but))
    tx.execute(update(identity_proposals).where(stale).values(state=VOID))


def of(conn: Connection, candidate: str) -> Sequence[Proposed]:
    """Oldest first, decided ones too; also what was proposed while the candidate went by another id."""
    return [_read(row) for row in conn.execute(_OF, {"candidate": candidate}).mappings()]


def waiting(conn: Connection, candidate: str, question: str, answers: Collection[str]) -> Proposed | None:
    """As `newest_open`, of what was proposed of them."""
    return newest_open(of(conn, candidate), question, answers)


def newest_open(proposed: Sequence[Proposed], question: str, answers: Collection[str]) -> Proposed | None:
    """The newest that is open and can still be an answer; `proposed` oldest first."""
    mine = (one for one in reversed(proposed) if one.state == OPEN and one.question == question)
    return next((one for one in mine if one.answer in answers), None)


def decide(tx: Connection, number: int, state: str, who: tuple[str, str], now: datetime) -> None:
    """`who` is (name, why). Raises RejectedError for one that is decided: it is decided once."""
    name, why = map(storable, who)
    still = (identity_proposals.c.id == bindparam("number")) & (identity_proposals.c.state == OPEN)
    decided = {"state": state, "decided_by": name, "decided_at": instant(now), "why": why}
    done = tx.execute(update(identity_proposals).where(still).values(**decided), {"number": number})
    if done.rowcount != 1:
        raise RejectedError(DECIDED)


def _read(row: Any) -> Proposed:
    words = {name: row[name] for name in NAMES}
    return Proposed(**words, at=moment(row["at"]), decided_at=moment_or_none(row["decided_at"]))
