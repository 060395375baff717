"""Erasure: messages whose bytes are gone, who wants no part, and what the screening log goes on counting."""

import sqlalchemy as sa
from alembic import op

from adapter.store.columns import NUMBER, WORDS

revision = "0020"
down_revision = "0019"


def _words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, WORDS, nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "erased_messages",
        sa.Column("id", NUMBER, nullable=False),
        *_words("at"),
        sa.Column("bytes", NUMBER, nullable=False),
        *_words("cause"),
        sa.Column("shared", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["id"], ["inbox.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("erased_messages_cause", "erased_messages", ["cause"])
    op.create_table(
        "opt_outs",
        sa.Column("token", sa.LargeBinary, nullable=False),
        *_words("person", "at"),
        sa.PrimaryKeyConstraint("token"),
    )
    op.create_table(
        "erased_episodes",
        *_words("id", "person", "site", "trial", "verdict", "certainty", "stratum", "status", "sex", "flag"),
        sa.Column("listed", NUMBER, nullable=False),
        sa.Column("standing", NUMBER, nullable=False),
        sa.Column("flagged", WORDS),
        sa.Column("said", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
