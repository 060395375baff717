"""Which partition of patients a waiting message belongs to, and marks of the whole store."""

import sqlalchemy as sa
from alembic import op

from adapter.store.columns import NUMBER, WORDS

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("inbox_pending", sa.Column("partition", NUMBER, nullable=False, server_default="0"))
    op.create_table(
        "marks",
        sa.Column("name", WORDS, nullable=False),
        sa.Column("value", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
