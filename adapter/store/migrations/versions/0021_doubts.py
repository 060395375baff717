"""What is proposed of somebody in doubt; when somebody proved again who they are; what they searched for, sealed."""

import sqlalchemy as sa
from alembic import op

from adapter.store.columns import NUMBER, WORDS

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("proved", WORDS))
    op.add_column("sessions", sa.Column("ways", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "identity_proposals",
        sa.Column("id", NUMBER, nullable=False),
        *(sa.Column(name, WORDS, nullable=False) for name in ("candidate", "question", "answer", "state")),
        *(sa.Column(name, WORDS, nullable=False) for name in ("at", "by", "reason")),
        *(sa.Column(name, WORDS, nullable=False, server_default="") for name in ("decided_by", "why")),
        sa.Column("decided_at", WORDS),
        sa.PrimaryKeyConstraint("id"),
    )
    still = sa.text("state = 'open'")
    op.create_index(
        "identity_proposals_open",
        "identity_proposals",
        ["candidate", "question"],
        unique=True,
        sqlite_where=still,
        postgresql_where=still,
    )
    op.create_index("identity_proposals_candidate", "identity_proposals", ["candidate", "id"])
