"""Alerting: messages to people, what they said of each candidate, and who followed a link."""

import sqlalchemy as sa
from alembic import op

from adapter.store.columns import NUMBER, WORDS

revision = "0015"
down_revision = "0014"


def _words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, WORDS, nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "alert_messages",
        sa.Column("id", NUMBER, nullable=False),
        *_words("key", "person", "cause", "at", "state"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key", name="alert_messages_key"),
    )
    still = sa.text("state <> 'delivered'")
    op.create_index("alert_messages_at", "alert_messages", ["at"])
    op.create_index("alert_messages_open", "alert_messages", ["id"], sqlite_where=still, postgresql_where=still)
    op.create_table(
        "alert_calls",
        sa.Column("id", NUMBER, nullable=False),
        *_words("candidate", "raised", "person", "cause", "told", "at", "key"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("alert_calls_candidate", "alert_calls", ["candidate", "raised"])
    op.create_table(
        "alert_openings",
        sa.Column("id", NUMBER, nullable=False),
        *_words("candidate", "raised", "by", "at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("alert_openings_candidate", "alert_openings", ["candidate", "raised"])
