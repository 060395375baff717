"""The terminology workbench: when what no mapping knew was met, messages told again, and lines that people propose."""

import sqlalchemy as sa
from alembic import op

from adapter.store.columns import NUMBER, WORDS

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    for name in ("first_message", "last_message"):
        op.add_column("unmapped", sa.Column(name, NUMBER, nullable=False, server_default="0"))
    op.add_column("inbox_pending", sa.Column("again", NUMBER, nullable=False, server_default="0"))
    op.create_table(
        "proposals",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("site", WORDS, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("at", WORDS, nullable=False),
        sa.Column("by", WORDS, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("decided_by", WORDS, nullable=False, server_default=""),
        sa.Column("decided_at", WORDS),
        sa.PrimaryKeyConstraint("id"),
    )
    still = sa.text("state = 'open'")
    op.create_index("proposals_open", "proposals", ["id"], sqlite_where=still, postgresql_where=still)
