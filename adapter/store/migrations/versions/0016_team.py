"""Who has whom in hand, notes that are never altered, what each person has seen, and what is new since somebody decided."""

import sqlalchemy as sa
from alembic import op

from adapter.store.columns import NUMBER, WORDS

revision = "0016"
down_revision = "0015"

KEPT = """
CREATE TRIGGER candidate_notes_stay BEFORE UPDATE ON candidate_notes
BEGIN SELECT RAISE(ABORT, 'a note is never altered'); END
"""
KEPT_ON_POSTGRESQL = """
CREATE FUNCTION candidate_notes_stay() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'a note is never altered'; END $$;
CREATE TRIGGER candidate_notes_stay BEFORE UPDATE ON candidate_notes
FOR EACH STATEMENT EXECUTE FUNCTION candidate_notes_stay();
"""
BOARD = (
    *("standing", "changed", "deadline", "id", "certainty", "verdict", "trial", "stratum", "ward", "status"),
    *("sequence", "decided_sequence", "raised", "patient"),
)


def upgrade() -> None:
    for build in (claims, notes, looks, decided):
        build()


def claims() -> None:
    columns = (sa.Column(name, WORDS, nullable=False) for name in ("candidate", "holder", "since"))
    op.create_table("claims", *columns, sa.PrimaryKeyConstraint("candidate"))
    op.create_index("claims_holder", "claims", ["holder"])


def notes() -> None:
    columns = (
        sa.Column(name, WORDS, nullable=False) for name in ("candidate", "at", "by", "kind", "addressee", "text")
    )
    op.create_table("candidate_notes", sa.Column("id", NUMBER, nullable=False), *columns, sa.PrimaryKeyConstraint("id"))
    op.create_index("candidate_notes_candidate", "candidate_notes", ["candidate", "id"])
    op.execute(KEPT_ON_POSTGRESQL if op.get_bind().dialect.name == "postgresql" else KEPT)


def looks() -> None:
    at = sa.Column("at", WORDS, nullable=False)
    op.create_table("looks", sa.Column("reader", WORDS, nullable=False), at, sa.PrimaryKeyConstraint("reader"))
    columns = (sa.Column(name, WORDS, nullable=False) for name in ("reader", "candidate", "at"))
    op.create_table("seen", *columns, sa.PrimaryKeyConstraint("reader", "candidate"))


def decided() -> None:
    op.add_column("candidates", sa.Column("decided_at", WORDS))
    op.add_column("candidates", sa.Column("decided_sequence", NUMBER, nullable=False, server_default="0"))
    op.execute("UPDATE candidates SET decided_sequence = sequence WHERE status <> ''")
    told = sa.text("raised IS NOT NULL")
    op.create_index("candidates_board", "candidates", list(BOARD), sqlite_where=told, postgresql_where=told)
