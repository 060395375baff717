"""What a snapshot tells, as a digest, so that an EDC hears of a correction and of nothing twice."""

import sqlalchemy as sa
from alembic import op

from adapter.store.columns import WORDS

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("content", WORDS, nullable=False, server_default=""))
