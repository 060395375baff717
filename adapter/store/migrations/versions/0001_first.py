"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

APPEND_ONLY = """
CREATE TRIGGER audit_no_{name} BEFORE {event} ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
"""


def upgrade() -> None:
    for build in (
        inbox,
        inbox_pending,
        inbox_outcomes,
        feeds,
        patients,
        results,
        statements,
        candidates,
        candidate_history,
        screening_ids,
        outbox,
        outbox_remotes,
        audit,
        users,
        sessions,
        sign_in_tokens,
    ):
        build()
    for event in ("UPDATE", "DELETE"):
        op.execute(APPEND_ONLY.format(name=event.lower(), event=event))


def inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("control_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("peer", sa.String(), nullable=False),
        sa.Column("received", sa.String(), nullable=False),
        sa.Column("quarantine", sa.String(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("duplicates", sa.Integer(), server_default="0", nullable=False),
        sa.Column("acknowledgment", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source", "sender", "control_id", "sha256", name="inbox_message"),
    )


def inbox_pending() -> None:
    op.create_table(
        "inbox_pending",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["id"], ["inbox.id"]),
        sa.PrimaryKeyConstraint("id"),
    )


def inbox_outcomes() -> None:
    op.create_table(
        "inbox_outcomes",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("ledger", sa.Text(), nullable=True),
        sa.Column("issues", sa.Text(), nullable=False),
        sa.Column("finished", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["inbox.id"]),
        sa.PrimaryKeyConstraint("id"),
    )


def feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("duplicate", sa.Integer(), server_default="0", nullable=False),
        sa.Column("control_id_reuse", sa.Integer(), server_default="0", nullable=False),
        sa.Column("applied", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ignored", sa.Integer(), server_default="0", nullable=False),
        sa.Column("quarantined", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_received", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("source"),
    )


def patients() -> None:
    op.create_table(
        "patients",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("demographics", sa.Text(), nullable=False),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["merged_into"], ["patients.key"]),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("site", "authority", "value", name="patients_identifier"),
    )


def results() -> None:
    op.create_table(
        "results",
        sa.Column("patient", sa.Integer(), nullable=False),
        sa.Column("concept", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("effective", sa.String(), nullable=False),
        sa.Column("versions", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["patient"], ["patients.key"]),
        sa.PrimaryKeyConstraint("patient", "concept", "identity"),
        sqlite_with_rowid=False,
    )


def statements() -> None:
    op.create_table(
        "statements",
        sa.Column("patient", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["patient"], ["patients.key"]),
        sa.PrimaryKeyConstraint("patient", "kind", "digest"),
        sqlite_with_rowid=False,
    )


def candidates() -> None:
    op.create_table(
        "candidates",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("patient", sa.Integer(), nullable=False),
        sa.Column("trial", sa.String(), nullable=False),
        sa.Column("episode", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("certainty", sa.String(), nullable=False),
        sa.Column("stratum", sa.String(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("deadline", sa.String(), nullable=True),
        sa.Column("ward", sa.String(), nullable=False),
        sa.Column("bed", sa.String(), nullable=False),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("given", sa.String(), nullable=False),
        sa.Column("birth_date", sa.String(), nullable=False),
        sa.Column("raised", sa.String(), nullable=True),
        sa.Column("changed", sa.String(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("standing", sa.Integer(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("review_at", sa.String(), nullable=True),
        sa.Column("assessment", sa.Text(), nullable=False),
        sa.Column("evaluated_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["patient"], ["patients.key"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("patient", "trial", "episode", name="candidates_episode"),
    )
    op.create_index("candidates_review", "candidates", ["review_at"], unique=False)
    op.create_index("candidates_shown", "candidates", ["trial", "shown", "standing"], unique=False)


def candidate_history() -> None:
    op.create_table(
        "candidate_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("candidate", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("message", sa.Integer(), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["candidate"], ["candidates.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("candidate_history_candidate", "candidate_history", ["candidate", "id"], unique=False)


def screening_ids() -> None:
    op.create_table(
        "screening_ids",
        sa.Column("screening_id", sa.String(), nullable=False),
        sa.Column("trial", sa.String(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("patient", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("screening_id"),
        sa.UniqueConstraint("trial", "token", name="screening_ids_patient"),
    )


def outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("outlet", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due", sa.String(), nullable=False),
        sa.Column("error", sa.String(), server_default="", nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.Column("settled", sa.String(), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("outlet", "key", name="outbox_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_subject", "outbox", ["subject", "outlet"], unique=False)
    op.create_index(
        "outbox_waiting", "outbox", ["outlet", "subject", "id"], unique=False, sqlite_where=sa.text("state = 'waiting'")
    )


def outbox_remotes() -> None:
    op.create_table(
        "outbox_remotes",
        sa.Column("outlet", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("outlet", "subject"),
    )


def audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("object_type", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )


def users() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("disabled", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("csrf", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.Column("seen", sa.String(), nullable=False),
        sa.Column("expires", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["users.name"]),
        sa.PrimaryKeyConstraint("token_hash"),
    )


def sign_in_tokens() -> None:
    op.create_table(
        "sign_in_tokens",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("expires", sa.String(), nullable=False),
        sa.Column("used", sa.String(), nullable=True),
        sa.CheckConstraint("purpose <> ''", name="sign_in_tokens_purpose"),
        sa.PrimaryKeyConstraint("token_hash"),
    )
