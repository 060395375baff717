"""Indexes for what a page, a scrape or a merge asks for, so that its cost does not grow with the years."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

WATCHED = "verdict = 'incomplete' AND shown = 0 AND raised IS NULL AND status = ''"
LEFT = "verdict = 'incomplete' AND shown = 0 AND (raised IS NOT NULL OR status <> '')"


def upgrade() -> None:
    op.drop_index("candidates_shown", "candidates")
    for name, columns, only in (
        ("candidates_standing", ["id"], "standing = 1"),
        ("candidates_shown", ["id"], "shown = 1"),
        ("candidates_told", ["changed"], "raised IS NOT NULL"),
        ("candidates_watched", ["patient", "trial"], WATCHED),
        ("candidates_left", ["patient", "trial"], LEFT),
    ):
        op.create_index(name, "candidates", columns, sqlite_where=sa.text(only), postgresql_where=sa.text(only))
    op.create_index("candidate_aliases_candidate", "candidate_aliases", ["candidate"])
    op.create_index("outbox_states", "outbox", ["outlet", "state", "created"])
