"""All that the store knows of one candidate, as the page shows it: whoever looks is written down, then it is read in one snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fastapi import HTTPException, Request
from starlette.concurrency import run_in_threadpool

from adapter.alerting.model import Call
from adapter.domain.patient import PatientState
from adapter.pipeline.knots import state_of
from adapter.store import board, calls, doubted, teamwork, worklist
from adapter.store.accounts import Scope
from adapter.store.audit import Act
from adapter.store.board import Other
from adapter.store.calls import Delivered
from adapter.store.database import Snapshot
from adapter.store.doubted import Proposed
from adapter.store.origins import with_origins
from adapter.store.teamwork import Claim, Note
from adapter.store.worklist import CandidateRow, HistoryRow
from adapter.web import colleagues, conflicts, stamps
from adapter.web.context import WebContext
from adapter.web.record import recorded
from adapter.web.roles import Right, may
from adapter.web.sessions import Visitor
from adapter.web.tongue import say


@dataclass(frozen=True, slots=True)
class Sent:
    """What people were told: the calls, what each channel did with them, and who followed the link, when."""

    calls: list[Call]
    went: list[Delivered]
    looks: list[tuple[str, datetime]]


@dataclass(frozen=True, slots=True)
class Dossier:
    """`row`: with the origins of its evidence; `sent` is None where nobody was ever told; `colleagues` may take it in hand."""

    row: CandidateRow
    history: list[HistoryRow]
    state: PatientState
    notes: list[Note]
    claim: Claim | None
    others: list[Other]
    sent: Sent | None
    colleagues: list[str]
    stamp: str
    proposed: Sequence[Proposed]
    approvers: tuple[str, ...]
    """As `conflicts.approvers` says."""


def find(context: WebContext, candidate: str, scope: Scope) -> CandidateRow | None:
    """Only who is or was shown: everyone else is merely counted (decisions A2). Of other sites and trials nobody (W03)."""
    with context.database.read() as conn:
        row = worklist.find(conn, candidate)
    if row is None or not context.trial(row.trial) or not (row.shown or row.raised):
        return None
    return row if scope.holds(row.patient.site, row.trial) else None


async def known(request: Request, visitor: Visitor, candidate: str) -> CandidateRow:
    """`looked_at` off the event loop."""
    return await run_in_threadpool(looked_at, request.app.state.context, visitor, candidate)


def looked_at(context: WebContext, visitor: Visitor, candidate: str) -> CandidateRow:
    """The candidate, the view written down; raises 404 for one nobody was ever told of."""
    row = find(context, candidate, visitor.scope)
    outcome = "ok" if row else "not found"
    act = Act(visitor.name, visitor.role, "view-candidate", "candidate", candidate[:64], outcome=outcome)
    _written(context, act, row)
    if row is None:
        raise HTTPException(404, say("There is no such candidate."))
    return row


def _written(context: WebContext, act: Act, row: CandidateRow | None) -> None:
    """What people were told of this candidate, and colleagues wrote, is no news any more to whoever opened it."""
    with context.database.write() as tx:
        recorded(tx, act, context.clock())
        if row is not None and row.changed is not None:
            said = (note.at for note in teamwork.notes(tx, row.id) if note.kind in teamwork.SAID)
            teamwork.opened(tx, act.actor, row.id, max((row.changed, *said)))
        if row is not None and may(act.role, Right.ACT):
            calls.opened(tx, row.id, act.actor, context.clock())


def read(context: WebContext, looked: CandidateRow) -> Dossier:
    """Of whom somebody looked at: as they are now, so that all of it is of one moment."""
    with context.database.read() as conn:
        row = worklist.find(conn, looked.id) or looked
        told, history = explained(conn, row)
        notes, claim = teamwork.notes(conn, row.id), teamwork.held(conn, [row.id]).get(row.id)
        return Dossier(
            told,
            history,
            state_of(conn, row.patient),
            notes,
            claim,
            board.others(conn, [row.id]).get(row.id, []),
            None if row.raised is None else _sent(conn, row, tuple(context.alerts.channels)),
            colleagues.listed(conn, row),
            stamps.stamp(row, notes, claim, proposed := doubted.of(conn, row.id)),
            proposed,
            conflicts.approvers(conn, row),
        )


def explained(conn: Snapshot, row: CandidateRow) -> tuple[CandidateRow, list[HistoryRow]]:
    """With the origins of its evidence, and its history."""
    told = with_origins(conn, row.assessment) if row.assessment else row.assessment
    return replace(row, assessment=told), worklist.history(conn, row.id)


def _sent(conn: Snapshot, row: CandidateRow, outlets: tuple[str, ...]) -> Sent:
    made = calls.of_candidate(conn, row.id)
    went = calls.deliveries(conn, outlets, row.id, [call.key for call in made])
    return Sent(made, went, calls.looks(conn, row.id))
