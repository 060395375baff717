"""What each source sends of each analyte, in numbers only: whether it fell silent, whether its values moved."""

import sqlalchemy as sa
from alembic import op

from adapter.store.columns import NUMBER, WORDS

revision = "0012"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "analytes",
        *(sa.Column(name, WORDS, nullable=False) for name in ("source", "concept", "code", "unit")),
        *(sa.Column(name, NUMBER, nullable=False) for name in ("messages", "usual", "longest")),
        *(sa.Column(name, WORDS, nullable=False) for name in ("first", "last")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("recent", "history")),
        sa.PrimaryKeyConstraint("source", "concept", "code", "unit"),
    )
