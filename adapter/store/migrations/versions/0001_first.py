"""The first schema."""

import sqlalchemy as sa
from alembic import op

from adapter.store.columns import NUMBER, WORDS
from adapter.store.first_on_postgres import POSTGRESQL

revision = "0001"
down_revision = None

APPEND_ONLY = """
CREATE TRIGGER audit_no_{name} BEFORE {event} ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
"""


def upgrade() -> None:
    for build in TABLES:
        build()
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRESQL)
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(APPEND_ONLY.format(name=event.lower(), event=event))


def inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("source", WORDS, nullable=False),
        sa.Column("site", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("sender", WORDS, nullable=False),
        sa.Column("control_id", WORDS, nullable=False),
        sa.Column("type", WORDS, nullable=False),
        sa.Column("peer", WORDS, nullable=False),
        sa.Column("received", WORDS, nullable=False),
        sa.Column("quarantine", WORDS, nullable=True),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("duplicates", NUMBER, server_default="0", nullable=False),
        sa.Column("acknowledgment", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source", "sender", "control_id", "sha256", name="inbox_message"),
    )


def inbox_pending() -> None:
    op.create_table(
        "inbox_pending",
        sa.Column("id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("source", WORDS, nullable=False),
        sa.Column("attempts", NUMBER, server_default="0", nullable=False),
        sa.Column("error", WORDS, nullable=True),
        sa.ForeignKeyConstraint(["id"], ["inbox.id"]),
        sa.PrimaryKeyConstraint("id"),
    )


def inbox_outcomes() -> None:
    op.create_table(
        "inbox_outcomes",
        sa.Column("id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("reason", WORDS, nullable=True),
        sa.Column("ledger", sa.Text(), nullable=True),
        sa.Column("issues", sa.Text(), nullable=False),
        sa.Column("finished", WORDS, nullable=False),
        sa.ForeignKeyConstraint(["id"], ["inbox.id"]),
        sa.PrimaryKeyConstraint("id"),
    )


def feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("source", WORDS, nullable=False),
        sa.Column("duplicate", NUMBER, server_default="0", nullable=False),
        sa.Column("control_id_reuse", NUMBER, server_default="0", nullable=False),
        sa.Column("applied", NUMBER, server_default="0", nullable=False),
        sa.Column("ignored", NUMBER, server_default="0", nullable=False),
        sa.Column("quarantined", NUMBER, server_default="0", nullable=False),
        sa.Column("last_received", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("source"),
    )


def patients() -> None:
    op.create_table(
        "patients",
        sa.Column("key", NUMBER, nullable=False),
        sa.Column("site", WORDS, nullable=False),
        sa.Column("authority", WORDS, nullable=False),
        sa.Column("value", WORDS, nullable=False),
        sa.Column("demographics", sa.Text(), nullable=False),
        sa.Column("merged_into", NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["merged_into"], ["patients.key"]),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("site", "authority", "value", name="patients_identifier"),
    )


def results() -> None:
    op.create_table(
        "results",
        sa.Column("patient", NUMBER, nullable=False),
        sa.Column("concept", WORDS, nullable=False),
        sa.Column("identity", WORDS, nullable=False),
        sa.Column("effective", WORDS, nullable=False),
        sa.Column("versions", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["patient"], ["patients.key"]),
        sa.PrimaryKeyConstraint("patient", "concept", "identity"),
        sqlite_with_rowid=False,
    )


def statements() -> None:
    op.create_table(
        "statements",
        sa.Column("patient", NUMBER, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("digest", WORDS, nullable=False),
        sa.Column("at", WORDS, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["patient"], ["patients.key"]),
        sa.PrimaryKeyConstraint("patient", "kind", "digest"),
        sqlite_with_rowid=False,
    )


def candidates() -> None:
    op.create_table(
        "candidates",
        sa.Column("id", WORDS, nullable=False),
        sa.Column("patient", NUMBER, nullable=False),
        sa.Column("trial", WORDS, nullable=False),
        sa.Column("episode", WORDS, nullable=False),
        sa.Column("verdict", WORDS, nullable=False),
        sa.Column("certainty", WORDS, nullable=False),
        sa.Column("stratum", WORDS, nullable=False),
        sa.Column("shown", NUMBER, nullable=False),
        sa.Column("status", WORDS, nullable=False),
        sa.Column("deadline", WORDS, nullable=True),
        sa.Column("ward", WORDS, nullable=False),
        sa.Column("bed", WORDS, nullable=False),
        sa.Column("family", WORDS, nullable=False),
        sa.Column("given", WORDS, nullable=False),
        sa.Column("birth_date", WORDS, nullable=False),
        sa.Column("raised", WORDS, nullable=True),
        sa.Column("changed", WORDS, nullable=True),
        sa.Column("sequence", NUMBER, nullable=False),
        sa.Column("standing", NUMBER, nullable=False),
        sa.Column("summary", WORDS, nullable=False),
        sa.Column("review_at", WORDS, nullable=True),
        sa.Column("assessment", sa.Text(), nullable=False),
        sa.Column("evaluated_at", WORDS, nullable=False),
        sa.ForeignKeyConstraint(["patient"], ["patients.key"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("patient", "trial", "episode", name="candidates_episode"),
    )
    op.create_index("candidates_review", "candidates", ["review_at"], unique=False)
    op.create_index("candidates_shown", "candidates", ["trial", "shown", "standing"], unique=False)


def candidate_history() -> None:
    op.create_table(
        "candidate_history",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("candidate", WORDS, nullable=False),
        sa.Column("at", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("verdict", WORDS, nullable=False),
        sa.Column("text", WORDS, nullable=False),
        sa.Column("message", NUMBER, nullable=True),
        sa.Column("by", WORDS, nullable=False),
        sa.ForeignKeyConstraint(["candidate"], ["candidates.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("candidate_history_candidate", "candidate_history", ["candidate", "id"], unique=False)


def screening_ids() -> None:
    op.create_table(
        "screening_ids",
        sa.Column("screening_id", WORDS, nullable=False),
        sa.Column("trial", WORDS, nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("patient", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("screening_id"),
        sa.UniqueConstraint("trial", "token", name="screening_ids_patient"),
    )


def outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("outlet", WORDS, nullable=False),
        sa.Column("subject", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("key", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("attempts", NUMBER, server_default="0", nullable=False),
        sa.Column("due", WORDS, nullable=False),
        sa.Column("error", WORDS, server_default="", nullable=False),
        sa.Column("created", WORDS, nullable=False),
        sa.Column("settled", WORDS, nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("outlet", "key", name="outbox_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_subject", "outbox", ["subject", "outlet"], unique=False)
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "outbox_waiting", "outbox", ["outlet", "subject", "id"], sqlite_where=waiting, postgresql_where=waiting
    )


def outbox_remotes() -> None:
    op.create_table(
        "outbox_remotes",
        sa.Column("outlet", WORDS, nullable=False),
        sa.Column("subject", WORDS, nullable=False),
        sa.Column("remote_id", WORDS, nullable=False),
        sa.Column("version", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("outlet", "subject"),
    )


def audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("at", WORDS, nullable=False),
        sa.Column("actor", WORDS, nullable=False),
        sa.Column("role", WORDS, nullable=False),
        sa.Column("action", WORDS, nullable=False),
        sa.Column("object_type", WORDS, nullable=False),
        sa.Column("object_id", WORDS, nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("outcome", WORDS, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("previous", WORDS, nullable=False),
        sa.Column("hash", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )


def users() -> None:
    op.create_table(
        "users",
        sa.Column("name", WORDS, nullable=False),
        sa.Column("role", WORDS, nullable=False),
        sa.Column("password_hash", WORDS, nullable=False),
        sa.Column("disabled", NUMBER, server_default="0", nullable=False),
        sa.Column("created", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("token_hash", WORDS, nullable=False),
        sa.Column("csrf", WORDS, nullable=False),
        sa.Column("user", WORDS, nullable=False),
        sa.Column("created", WORDS, nullable=False),
        sa.Column("seen", WORDS, nullable=False),
        sa.Column("expires", WORDS, nullable=False),
        sa.ForeignKeyConstraint(["user"], ["users.name"]),
        sa.PrimaryKeyConstraint("token_hash"),
    )


def sign_in_tokens() -> None:
    op.create_table(
        "sign_in_tokens",
        sa.Column("token_hash", WORDS, nullable=False),
        sa.Column("purpose", WORDS, nullable=False),
        sa.Column("expires", WORDS, nullable=False),
        sa.Column("used", WORDS, nullable=True),
        sa.CheckConstraint("purpose <> ''", name="sign_in_tokens_purpose"),
        sa.PrimaryKeyConstraint("token_hash"),
    )


TABLES = (
    inbox, inbox_pending, inbox_outcomes, feeds, patients, results, statements, candidates,
    candidate_history, screening_ids, outbox, outbox_remotes, audit, users, sessions, sign_in_tokens,
)  # fmt: skip
