"""Recovery codes: what stands for a lost phone at the second step, each of them once."""

import sqlalchemy as sa
from alembic import op

from adapter.store.columns import WORDS

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "recovery_codes",
        sa.Column("user", WORDS, sa.ForeignKey("users.name"), nullable=False),
        sa.Column("code", WORDS, nullable=False),
        sa.Column("made", WORDS, nullable=False),
        sa.Column("used", WORDS),
        sa.PrimaryKeyConstraint("user", "code"),
    )
