"""Whom a candidate may be handed to."""

from adapter.store import accounts
from adapter.store.candidate_rows import CandidateRow
from adapter.store.database import Snapshot
from adapter.web.roles import Right, may


def listed(conn: Snapshot, row: CandidateRow) -> list[str]:
    """Who may act on this candidate."""
    known = [user for user in accounts.list_users(conn) if not user.disabled and may(user.role, Right.ACT)]
    return [user.name for user in known if user.scope.holds(row.patient.site, row.trial)]
