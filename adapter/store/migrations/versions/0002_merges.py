"""Merges as stated, and where the candidates of merged records went."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("patients_merged", "patients", ["merged_into"])
    op.create_table(
        "merges",
        sa.Column("merged", sa.Integer(), nullable=False),
        sa.Column("survivor", sa.Integer(), nullable=False),
        sa.Column("message", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["merged"], ["patients.key"]),
        sa.ForeignKeyConstraint(["survivor"], ["patients.key"]),
        sa.PrimaryKeyConstraint("merged", "survivor"),
    )
    op.create_index("merges_survivor", "merges", ["survivor"])
    op.create_table(
        "candidate_aliases",
        sa.Column("former", sa.String(), nullable=False),
        sa.Column("candidate", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["candidate"], ["candidates.id"]),
        sa.PrimaryKeyConstraint("former"),
    )
