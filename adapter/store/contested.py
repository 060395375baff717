"""Screening ids given to one person whose records turned out to be several: nobody's until a person says whose (reliability P9)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, distinct, func, select, update

from adapter.domain.patient import PatientId
from adapter.store.codec import instant, moment
from adapter.store.schema import contested_ids, screening_ids
from adapter.store.screening_ids import former, sealed, token
from adapter.store.secret import SiteSecret
from adapter.store.upsert import insert


@dataclass(frozen=True, slots=True)
class Dispute:
    """Who may claim a number, by their tokens, and since when it is nobody's."""

    since: datetime
    tokens: frozenset[bytes]


def contest(
    tx: Connection, secret: SiteSecret, screening_id: str, among: tuple[str, Iterable[PatientId]], now: datetime
) -> None:
    """`among` the records of a trial; who is named already stays named, since then."""
    trial, records = among
    for record in records:
        row = {"screening_id": screening_id, "token": token(secret, trial, record), "at": instant(now)}
        tx.execute(insert(contested_ids).values(**row).on_conflict_do_nothing())


def disputes(conn: Connection, secret: SiteSecret, trial: str, records: Collection[PatientId]) -> dict[str, Dispute]:
    """By screening id: those that one of these records may claim, and somebody else too."""
    mine = frozenset(token(secret, trial, record) for record in records)
    named = select(contested_ids.c.screening_id).where(contested_ids.c.token.in_(mine))
    rows = conn.execute(select(contested_ids).where(contested_ids.c.screening_id.in_(named)))
    found: dict[str, Dispute] = {}
    for number, who, at in rows:
        known = found.get(number, Dispute(moment(at), frozenset()))
        found[number] = Dispute(max(known.since, moment(at)), known.tokens | {bytes(who)})
    return {number: dispute for number, dispute in found.items() if dispute.tokens - mine}


def number(conn: Connection, among: Collection[str] | None = None) -> int:
    """How many screening ids more than one record was named for, since persons were torn apart; of these where they are given."""
    wanted = select(func.count(distinct(contested_ids.c.screening_id)))
    return conn.execute(wanted if among is None else wanted.where(contested_ids.c.screening_id.in_(among))).scalar_one()


def hand_over(tx: Connection, secret: SiteSecret, trial: str, screening_id: str, to: PatientId) -> None:
    """A person said whose it is. A number that was theirs before stays in the linkage table and is nobody's next one."""
    theirs = token(secret, trial, to)
    of_them = (screening_ids.c.trial == trial, screening_ids.c.token == theirs)
    others = select(screening_ids.c.screening_id).where(*of_them, screening_ids.c.screening_id != screening_id)
    for theirs_once in tx.execute(others).scalars().all():
        tx.execute(
            update(screening_ids)
            .where(screening_ids.c.screening_id == theirs_once)
            .values(token=former(secret, trial, theirs_once, to))
        )
    tx.execute(
        update(screening_ids)
        .where(screening_ids.c.screening_id == screening_id)
        .values(token=theirs, patient=sealed(secret, screening_id, trial, to))
    )
    tx.execute(delete(contested_ids).where(contested_ids.c.screening_id == screening_id))
