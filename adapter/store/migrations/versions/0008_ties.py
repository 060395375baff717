"""Merges become ties, with the time they were stated at: what is said of a record stays with it, so that they come apart again.

What an older version gathered under one record of a person stays there until `adapter replay` tells the inbox anew.
"""

import sqlalchemy as sa
from alembic import op

from adapter.store.columns import NUMBER, WORDS

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("patients", sa.Column("knot", NUMBER))
    op.create_index("patients_knot", "patients", ["knot"])
    op.execute(
        "UPDATE patients SET knot = COALESCE(merged_into, key) "
        "WHERE merged_into IS NOT NULL OR key IN (SELECT merged_into FROM patients WHERE merged_into IS NOT NULL)"
    )
    op.create_table(
        "ties",
        sa.Column("one", NUMBER, nullable=False),
        sa.Column("other", NUMBER, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("visit", WORDS, nullable=False),
        sa.Column("number", WORDS, nullable=False),
        sa.Column("at", WORDS, nullable=False),
        sa.Column("message", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["one"], ["patients.key"]),
        sa.ForeignKeyConstraint(["other"], ["patients.key"]),
        sa.PrimaryKeyConstraint("one", "other", "kind", "visit", "number", "at"),
    )
    op.create_index("ties_other", "ties", ["other"])
    op.execute(
        "INSERT INTO ties (kind, one, other, visit, number, at, message) "
        "SELECT 'merge', merged, survivor, '', '', '0001-01-01T00:00:00.000000+00:00', message FROM merges"
    )
    op.drop_table("merges")
    op.create_table(
        "contested_ids",
        sa.Column("screening_id", WORDS, nullable=False),
        sa.Column("token", sa.LargeBinary, nullable=False),
        sa.Column("at", WORDS, nullable=False),
        sa.ForeignKeyConstraint(["screening_id"], ["screening_ids.screening_id"]),
        sa.PrimaryKeyConstraint("screening_id", "token"),
    )
    op.create_index("contested_ids_token", "contested_ids", ["token"])
