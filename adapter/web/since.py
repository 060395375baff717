"""What a page was drawn upon: a colleague's decision or answer is not replaced by somebody who has not seen it."""

from adapter.domain.patient import Decision, Determination, PatientState
from adapter.pipeline.knots import state_of
from adapter.store.worklist import CandidateRow
from adapter.web import board, story, times
from adapter.web.context import WebContext
from adapter.web.tongue import say
from adapter.web.wishes import Asked

NOTHING = "nothing"
LENGTH = 12


def upon(state: PatientState, row: CandidateRow, criterion: str = "") -> str:
    """What a form says that it was drawn upon: the answer to its criterion, or the status."""
    return _mark(_last(state, row, criterion))


def otherwise(context: WebContext, asked: Asked, wish: tuple[str, str], drawn: str) -> str:
    """Who decided otherwise since, when and what; empty where nobody did. `wish`: criterion, if any, and what it shall be."""
    (criterion, wanted), row = wish, asked.row
    with context.database.read() as conn:
        last = _last(state_of(conn, row.patient), row, criterion)
    if last is None or _mark(last) == drawn or last.by == asked.by or _said(last) == wanted:
        return ""
    return say(
        "%(name)s decided otherwise at %(time)s, after this page was opened: “%(what)s”. Nothing was saved; "
        "send it again to replace that.",
        name=last.by,
        time=times.local(last.at, board.zone_of(context, row.patient.site)),
        what=story.reasoned(last) if isinstance(last, Decision) else story.answered(last),
    )


def _last(state: PatientState, row: CandidateRow, criterion: str) -> Decision | Determination | None:
    if not criterion:
        return story.decision(state, row.trial, row.episode)
    mine = (one for one in state.determinations if (one.trial, one.criterion) == (row.trial, criterion))
    return max(mine, key=lambda one: (one.at, one.digest), default=None)


def _mark(last: Decision | Determination | None) -> str:
    return last.digest[:LENGTH] if last else NOTHING


def _said(last: Decision | Determination) -> str:
    """As a form sends it."""
    if isinstance(last, Decision):
        return f"{last.status}|{last.reason}" if last.reason else last.status
    return str(last.answer)
