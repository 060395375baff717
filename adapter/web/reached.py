"""What became of a candidate's alert, as its page shows it: from created to decided, and by which way it went to whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from markupsafe import Markup

from adapter.alerting.life import Mark, life
from adapter.alerting.model import Call
from adapter.pipeline.calling import is_decided
from adapter.store import calls, outbox, teamwork
from adapter.store.calls import Delivered
from adapter.store.database import Snapshot
from adapter.store.worklist import CandidateRow, HistoryRow
from adapter.web import board, times, words
from adapter.web.context import WebContext
from adapter.web.tongue import english, mark, say

WAY = {
    outbox.WAITING: mark("waits for"),
    outbox.DELIVERED: mark("taken by"),
    outbox.DEAD: mark("refused by"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One message: who, why, when, and what each channel did with it."""

    at: str
    person: str
    cause: str
    ways: tuple[str, ...]
    failed: bool


@dataclass(frozen=True, slots=True)
class Reached:
    """`steps` are (name, when, by whom); a step that did not happen has no time."""

    steps: tuple[tuple[str, str, str], ...]
    told: tuple[Told, ...]


def reached(conn: Snapshot, row: CandidateRow, history: Sequence[HistoryRow], context: WebContext) -> Reached | None:
    """`None` for a candidate whom nobody was told of."""
    if row.raised is None:
        return None
    outlets = tuple(context.alerts.channels)
    made = calls.of_candidate(conn, row.id)
    went = calls.deliveries(conn, outlets, row.id, [call.key for call in made])
    trial, zone = context.trial(row.trial), board.zone_of(context, row.patient.site)
    statuses = [one for one in history if one.kind == "status"]
    taken = [Mark(note.at, note.addressee) for note in teamwork.notes(conn, row.id) if note.kind == teamwork.CLAIM]
    steps = life(
        row.raised,
        sent=[Mark(one.created) for one in went],
        delivered=[Mark(one.settled) for one in went if one.state == outbox.DELIVERED and one.settled],
        opened=[Mark(at, by) for by, at in calls.looks(conn, row.id)],
        claimed=[*taken, *(Mark(one.at, one.by) for one in statuses)],
        decided=[Mark(one.at, one.by) for one in statuses if is_decided(trial, one.text)],
    )
    return Reached(
        tuple((step.name, times.local(step.at, zone) if step.at else "", step.by) for step in steps),
        tuple(_told(call, went, zone) for call in _with(made, went)),
    )


def _with(made: Sequence[Call], went: Sequence[Delivered]) -> list[Call | Delivered]:
    """Calls, and what went out without one: where no `[alerts]` says who is on call."""
    keys = {call.key for call in made}
    return sorted((*made, *(one for one in went if one.key not in keys)), key=_when)


def _when(one: Call | Delivered) -> str:
    return (one.at if isinstance(one, Call) else one.created).isoformat()


def _told(one: Call | Delivered, went: Sequence[Delivered], zone: tzinfo) -> Told:
    ways = [way for way in went if way.key == one.key and (isinstance(one, Call) or way.outlet == one.outlet)]
    person, cause, at = (
        (one.person, str(one.cause), one.at) if isinstance(one, Call) else (one.outlet, one.kind, one.created)
    )
    said = tuple(way_of(way, zone) for way in ways)
    delivered = any(way.state == outbox.DELIVERED for way in ways)
    return Told(
        times.local(at, zone), person, words.sentence(cause), said, not delivered and any(w.error for w in ways)
    )


def way_of(way: Delivered, zone: tzinfo) -> str:
    """`taken by mail/anna Fri 2 Jan 04:00`, `waits for hook: the webhook answered HTTP 503 — tried again`."""
    settled = f" {times.local(way.settled, zone)}" if way.settled else ""
    said = f"{say(WAY.get(way.state, way.state))} {way.outlet}{settled}"
    return Markup("{}: {}").format(said, english(way.error)) if way.error else said
