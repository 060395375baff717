"""Patients of whom a backlog was told and who are judged afterwards."""

import sqlalchemy as sa
from alembic import op

from adapter.store.columns import NUMBER

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "unjudged",
        sa.Column("patient", NUMBER, primary_key=True),
        sa.Column("message", NUMBER, nullable=False),
    )
    op.create_index("unjudged_message", "unjudged", ["message"])
