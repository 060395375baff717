"""Whom a candidate may be handed to."""

from adapter.store import accounts
from adapter.web.context import WebContext
from adapter.web.roles import Right, may


def listed(context: WebContext) -> list[str]:
    """Who may act on candidates."""
    with context.database.read() as conn:
        return [user.name for user in accounts.list_users(conn) if not user.disabled and may(user.role, Right.ACT)]
