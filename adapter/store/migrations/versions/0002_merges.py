"""Merges as stated, and where the candidates of merged records went."""

import sqlalchemy as sa
from alembic import op

from adapter.store.columns import NUMBER, WORDS

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("patients_merged", "patients", ["merged_into"])
    op.create_table(
        "merges",
        sa.Column("merged", NUMBER, nullable=False),
        sa.Column("survivor", NUMBER, nullable=False),
        sa.Column("message", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["merged"], ["patients.key"]),
        sa.ForeignKeyConstraint(["survivor"], ["patients.key"]),
        sa.PrimaryKeyConstraint("merged", "survivor"),
    )
    op.create_index("merges_survivor", "merges", ["survivor"])
    op.create_table(
        "candidate_aliases",
        sa.Column("former", WORDS, nullable=False),
        sa.Column("candidate", WORDS, nullable=False),
        sa.ForeignKeyConstraint(["candidate"], ["candidates.id"]),
        sa.PrimaryKeyConstraint("former"),
    )
