"""What became of a candidate's alert, as its page shows it: from created to decided, and by which way it went to whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from markupsafe import Markup

from adapter.alerting.life import Mark, life
from adapter.alerting.model import Call
from adapter.domain.trial import Trial
from adapter.domain.truth import Truth
from adapter.pipeline.calling import is_decided
from adapter.store import outbox, teamwork
from adapter.store.calls import Delivered
from adapter.web import board, times, words
from adapter.web.context import WebContext
from adapter.web.dossier import Dossier
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


def reached(known: Dossier, context: WebContext) -> Reached | None:
    """`None` for a candidate whom nobody was told of."""
    row, sent = known.row, known.sent
    if row.raised is None or sent is None:
        return None
    trial, zone = context.trial(row.trial), board.zone_of(context, row.patient.site)
    statuses = [one for one in known.history if one.kind == "status"]
    taken = [Mark(note.at, note.addressee) for note in known.notes if note.kind == teamwork.CLAIM]
    steps = life(
        row.raised,
        sent=[Mark(one.created) for one in sent.went],
        delivered=[Mark(one.settled) for one in sent.went if one.state == outbox.DELIVERED and one.settled],
        opened=[Mark(at, by) for by, at in sent.looks],
        claimed=[*taken, *(Mark(one.at, one.by) for one in statuses)],
        decided=[*(Mark(one.at, one.by) for one in statuses if is_decided(trial, one.text)), *_consents(known, trial)],
    )
    return Reached(
        tuple((step.name, times.local(step.at, zone) if step.at else "", step.by) for step in steps),
        tuple(_told(call, sent.went, zone) for call in _with(sent.calls, sent.went)),
    )


def _consents(known: Dossier, trial: Trial | None) -> list[Mark]:
    """The answer to the criterion of consent, where it says so now; else whoever changed their mind has not decided."""
    asked = trial.parameters.consent_criterion if trial else ""
    said = [one for one in known.state.determinations if (one.trial, one.criterion) == (known.row.trial, asked)]
    last = max(said, key=lambda one: (one.at, one.digest), default=None)
    return [Mark(last.at, last.by)] if last is not None and last.answer is Truth.MET else []


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
        times.local(at, zone), person, words.happened(cause), said, not delivered and any(w.error for w in ways)
    )


def way_of(way: Delivered, zone: tzinfo) -> str:
    """`taken by mail/anna Fri 2 Jan 04:00`, `waits for hook: the webhook answered HTTP 503 — tried again`."""
    settled = f" {times.local(way.settled, zone)}" if way.settled else ""
    said = f"{say(WAY.get(way.state, way.state))} {way.outlet}{settled}"
    return Markup("{}: {}").format(said, english(way.error)) if way.error else said
