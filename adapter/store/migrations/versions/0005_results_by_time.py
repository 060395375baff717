"""Results of one message stored side by side: clustered by time where they were by concept."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

KEY = ["patient", "effective", "concept", "identity"]
ALL = "patient, effective, concept, identity, versions"


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":  # there a table is no index, and needs not be built again
        op.drop_constraint("results_pkey", "results")
        op.create_primary_key("results_pkey", "results", KEY)
        return
    op.rename_table("results", "results_by_concept")
    op.create_table(
        "results",
        sa.Column("patient", sa.Integer(), nullable=False),
        sa.Column("effective", sa.String(), nullable=False),
        sa.Column("concept", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("versions", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["patient"], ["patients.key"]),
        sa.PrimaryKeyConstraint(*KEY),
        sqlite_with_rowid=False,
    )
    op.execute(f"INSERT INTO results ({ALL}) SELECT {ALL} FROM results_by_concept ORDER BY {', '.join(KEY)}")  # noqa: S608 — our own constants
    op.drop_table("results_by_concept")
