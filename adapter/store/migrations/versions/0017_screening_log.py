"""The screening log: when each candidate was first seen, found without walking the audit log; and cases people say were missed."""

import sqlalchemy as sa
from alembic import op

from adapter.store.columns import NUMBER, WORDS

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "missed_cases",
        sa.Column("id", NUMBER, nullable=False),
        *(sa.Column(name, WORDS, nullable=False) for name in ("trial", "at", "by", "candidate")),
        sa.Column("enrolled", NUMBER, nullable=False),
        sa.Column("cause", WORDS, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("note", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("missed_cases_trial", "missed_cases", ["trial", "id"])
    viewed = sa.text("action = 'view-candidate'")
    op.create_index("audit_seen", "audit", ["object_id", "at"], sqlite_where=viewed, postgresql_where=viewed)
