"""Polling FHIR servers: how far each search has been read, and which version of each resource is stored where."""

import sqlalchemy as sa
from alembic import op

from adapter.store.columns import NUMBER, WORDS

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "poll_bookmarks",
        sa.Column("source", WORDS, nullable=False),
        sa.Column("search", WORDS, nullable=False),
        sa.Column("watermark", WORDS),
        sa.Column("next", sa.Text, nullable=False, server_default=""),
        sa.Column("began", WORDS),
        sa.Column("newest", WORDS),
        sa.Column("pages", NUMBER, nullable=False, server_default="0"),
        sa.Column("flawed", NUMBER, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("source", "search"),
    )
    op.create_table(
        "poll_resources",
        sa.Column("source", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("version", WORDS, nullable=False),
        sa.Column("updated", WORDS, nullable=False),
        sa.Column("came", WORDS, nullable=False),
        sa.Column("message", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("source", "kind", "id"),
    )
    op.create_index("poll_resources_updated", "poll_resources", ["source", "kind", "updated"])
