"""When each trial flagged somebody, and by which message."""

from collections.abc import Collection

from sqlalchemy import Connection, func, select

from adapter.domain.frequency import Flagged
from adapter.store.codec import moment
from adapter.store.schema import candidate_history, candidates

LOOKED_BACK = 50_000
"""Lines of the history of all candidates, the newest."""
MOST = 1000
"""Flags of a trial: a storm must not be all that is known."""


def by_trial(conn: Connection, trials: Collection[str]) -> dict[str, list[Flagged]]:
    """The newest of each, in the order of their messages (a backlog is judged in another); those that time alone raised are not
    among them.
    """
    line = candidate_history.c
    newest = conn.execute(select(func.coalesce(func.max(line.id), 0))).scalar_one()
    wanted = select(candidates.c.trial, line.message, line.at).join(candidates, candidates.c.id == line.candidate)
    wanted = wanted.where(line.id > newest - LOOKED_BACK, line.kind == "raised", line.message.is_not(None))
    found: dict[str, list[Flagged]] = {trial: [] for trial in trials}
    for trial, message, at in conn.execute(wanted.order_by(line.id)):
        if trial in found:
            found[trial].append(Flagged(message, moment(at)))
    return {trial: sorted(flags[-MOST:]) for trial, flags in found.items()}
