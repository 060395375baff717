"""What people were told of candidates and by which way it went, and who looked: read and written."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from adapter.alerting.channels import Tried
from adapter.alerting.model import Call, Cause, Sent
from adapter.store.adoption import PRESENT
from adapter.store.calling import NOT_DELIVERED, calls, messages, openings
from adapter.store.codec import instant, moment, moment_or_none, storable
from adapter.store.outbox import DEAD, DELIVERED
from adapter.store.schema import candidates, outbox
from adapter.store.team import claims
from adapter.store.teamwork import HANDED

OPEN, FAILED = "open", "failed"
_LIFE = select(candidates.c.id, candidates.c.raised).where(candidates.c.id == PRESENT)
_MINE = select(openings.c.id).where(
    *(openings.c[name] == bindparam(name) for name in ("candidate", "raised", "by")),
)
_HANDED = select(claims.c.candidate).where(
    claims.c.candidate == bindparam("candidate"), claims.c.holder == bindparam("by"), HANDED
)
_CALLS = select(calls).where(calls.c.candidate == bindparam("candidate")).order_by(calls.c.id)
_LOOKS = (
    select(openings.c.by, openings.c.at).where(openings.c.candidate == bindparam("candidate")).order_by(openings.c.id)
)


@dataclass(frozen=True, slots=True)
class Alert:
    """A candidate that people were or are to be told of; `opened` is the first look of anybody in this life of its alert."""

    candidate: str
    trial: str
    status: str
    holder: str
    """Who has it in hand, where somebody does."""
    handed: datetime | None
    """When a colleague handed it to them, where they have not looked since."""
    standing: bool
    summary: str
    raised: datetime
    changed: datetime
    deadline: datetime | None
    opened: datetime | None
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class MessageRow:
    """`state` is `open`, `delivered` by some channel, or `failed`: none carried it."""

    key: str
    person: str
    cause: Cause
    at: datetime
    state: str


def alerts(conn: Connection, now: datetime, recent: timedelta) -> list[Alert]:
    """Those that stand, and those taken back within `recent`."""
    lately = and_(candidates.c.raised.is_not(None), candidates.c.changed > instant(now - recent))
    seen = or_(candidates.c.standing == literal_column("1"), lately)
    told = _calls(conn, seen)
    looked = _looked(conn, seen)
    wanted = select(
        claims.c.holder,
        case((HANDED, claims.c.since)).label("handed"),
        *(
            candidates.c[name]
            for name in ("id", "trial", "status", "standing", "summary", "raised", "changed", "deadline")
        ),
    )
    wanted = wanted.outerjoin(claims, claims.c.candidate == candidates.c.id).where(seen)
    return [
        Alert(
            candidate=row["id"],
            trial=row["trial"],
            status=row["status"],
            holder=row["holder"] or "",
            handed=moment_or_none(row["handed"]),
            standing=bool(row["standing"]),
            summary=row["summary"],
            raised=moment(row["raised"]),
            changed=moment(row["changed"]),
            deadline=moment_or_none(row["deadline"]),
            opened=looked.get(row["id"]),
            calls=tuple(told.get(row["id"], ())),
        )
        for row in conn.execute(wanted.order_by(candidates.c.id)).mappings()
    ]


def _calls(conn: Connection, seen: ColumnElement[bool]) -> dict[str, list[Call]]:
    same = and_(calls.c.candidate == candidates.c.id, calls.c.raised == candidates.c.raised)
    wanted = select(calls).join(candidates, same).where(seen).order_by(calls.c.id)
    found: dict[str, list[Call]] = {}
    for row in conn.execute(wanted).mappings():
        found.setdefault(row["candidate"], []).append(_call(row))
    return found


def _looked(conn: Connection, seen: ColumnElement[bool]) -> dict[str, datetime]:
    same = and_(openings.c.candidate == candidates.c.id, openings.c.raised == candidates.c.raised)
    wanted = select(candidates.c.id, func.min(openings.c.at)).join(openings, same).where(seen).group_by(candidates.c.id)
    return {candidate: moment(at) for candidate, at in conn.execute(wanted)}


def _call(row: Mapping[Any, Any]) -> Call:
    return Call(row["person"], Cause(row["cause"]), row["told"], moment(row["at"]), row["key"])


def sent(conn: Connection, since: datetime) -> list[Sent]:
    wanted = select(messages).where(messages.c.at >= instant(since)).order_by(messages.c.id)
    return [Sent(row["person"], Cause(row["cause"]), moment(row["at"])) for row in conn.execute(wanted).mappings()]


def underway(conn: Connection, since: datetime) -> list[MessageRow]:
    """Messages that no channel has carried yet."""
    wanted = select(messages).where(NOT_DELIVERED, messages.c.at >= instant(since)).order_by(messages.c.id)
    return [_message(row) for row in conn.execute(wanted).mappings()]


def _message(row: Mapping[Any, Any]) -> MessageRow:
    return MessageRow(row["key"], row["person"], Cause(row["cause"]), moment(row["at"]), row["state"])


def tried(conn: Connection, keys: Iterable[str], outlets: Sequence[str]) -> dict[str, dict[str, Tried]]:
    """By message, by channel."""
    names = ("outlet", "key", "state", "created")
    wanted = select(*(outbox.c[name] for name in names)).where(
        outbox.c.outlet.in_(outlets), outbox.c.key.in_(list(keys))
    )
    found: dict[str, dict[str, Tried]] = {}
    for outlet, key, state, created in conn.execute(wanted):
        found.setdefault(key, {})[outlet] = Tried(moment(created), state == DELIVERED, state == DEAD)
    return found


def payload(conn: Connection, key: str) -> tuple[str, str, str]:
    """Subject, kind and payload of a message that is in the outbox already."""
    wanted = select(outbox.c.subject, outbox.c.kind, outbox.c.payload).where(outbox.c.key == key).limit(1)
    subject, kind, said = conn.execute(wanted).one()
    return subject, kind, said


def record(tx: Connection, message: MessageRow, of: Sequence[tuple[str, datetime, Call]]) -> None:
    """A message, and what it says of each candidate: (candidate, the life of its alert, the call)."""
    words = {"key": message.key, "person": message.person, "cause": str(message.cause)}
    tx.execute(insert(messages), {**words, "at": instant(message.at), "state": message.state})
    rows = [
        {
            "candidate": candidate,
            "raised": instant(raised),
            "person": call.person,
            "cause": str(call.cause),
            "told": storable(call.told),
            "at": instant(call.at),
            "key": call.key,
        }
        for candidate, raised, call in of
    ]
    if rows:
        tx.execute(insert(calls), rows)


def lost(conn: Connection, since: datetime) -> bool:
    """Whether a message found no channel that took it."""
    failed = (messages.c.state == FAILED) & (messages.c.at >= instant(since))
    return conn.execute(select(messages.c.id).where(NOT_DELIVERED, failed).limit(1)).first() is not None


def settle(tx: Connection, key: str, state: str) -> None:
    tx.execute(update(messages).where(messages.c.key == key).values(state=state))


def opened(tx: Connection, candidate: str, by: str, now: datetime) -> bool:
    """Somebody looks at a candidate that people were told of; written the first time in each life of its alert, and
    again when it was handed to them meanwhile.
    """
    life = tx.execute(_LIFE, {"candidate": candidate}).one_or_none()
    if life is None or life.raised is None:
        return False
    mine = {"candidate": life.id, "raised": life.raised, "by": by}
    if tx.execute(_MINE, mine).first() is not None and tx.execute(_HANDED, mine).first() is None:
        return False
    tx.execute(insert(openings), mine | {"at": instant(now)})
    return True


def answered_met(conn: Connection, asked: Mapping[str, str]) -> set[str]:
    """Of these candidates, each with a criterion, those of whom a person answered it as met, or set a status that says so."""
    wanted = select(candidates.c.id, candidates.c.assessment).where(candidates.c.id.in_(list(asked)))
    return {row.id for row in conn.execute(wanted) if _met(json.loads(row.assessment) or {}, asked[row.id])}


def _met(assessment: Mapping[str, Any], criterion: str) -> bool:
    found = (one for one in assessment.get("criteria") or () if one["id"] == criterion)
    return any(one["answer"] == "met" and one.get("determined_by") for one in found)


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message in one channel, as the outbox has it; `error` is our own sentence."""

    outlet: str
    key: str
    kind: str
    state: str
    attempts: int
    error: str
    created: datetime
    settled: datetime | None


def of_candidate(conn: Connection, candidate: str) -> list[Call]:
    """Every call of every life of its alert, oldest first."""
    return [_call(row) for row in conn.execute(_CALLS, {"candidate": candidate}).mappings()]


def looks(conn: Connection, candidate: str) -> list[tuple[str, datetime]]:
    """Who followed the link, and when first in each life of its alert."""
    return [(by, moment(at)) for by, at in conn.execute(_LOOKS, {"candidate": candidate})]


def deliveries(conn: Connection, outlets: Sequence[str], subject: str, keys: Sequence[str]) -> list[Delivered]:
    """What these channels were given of a subject, or under these keys; oldest first."""
    own = or_(outbox.c.subject == subject, outbox.c.key.in_(keys))
    return _deliveries(conn, and_(outbox.c.outlet.in_(outlets), own), 1000)[::-1]


def lately(conn: Connection, outlets: Sequence[str], limit: int) -> list[Delivered]:
    """What these channels were given last, newest first."""
    return _deliveries(conn, outbox.c.outlet.in_(outlets), limit)


def _deliveries(conn: Connection, wanted: ColumnElement[bool], limit: int) -> list[Delivered]:
    rows = conn.execute(select(outbox).where(wanted).order_by(outbox.c.id.desc()).limit(limit)).mappings()
    return [
        Delivered(
            **{name: row[name] for name in ("outlet", "key", "kind", "state", "attempts", "error")},
            created=moment(row["created"]),
            settled=moment_or_none(row["settled"]),
        )
        for row in rows
    ]
