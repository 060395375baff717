"""What a snapshot tells, as a digest, so that an EDC hears of a correction and of nothing twice."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("content", sa.String(), nullable=False, server_default=""))
