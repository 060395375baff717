"""The tables: what is kept, under which key; migrations/ builds them, tests hold the two together."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

# Instants that SQL orders or compares are `codec.instant` text: UTC, fixed width, so that text order is time order.

# The inbox is written once and never changed but for `duplicates`: what became of a message stands in inbox_outcomes,
# what is still to do in inbox_pending. So finishing a message does not write its bytes again.
inbox = Table(
    "inbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", String, nullable=False),
    Column("site", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("sender", String, nullable=False),
    Column("control_id", String, nullable=False),
    Column("type", String, nullable=False),
    Column("peer", String, nullable=False),
    Column("received", String, nullable=False),
    Column("quarantine", String),
    Column("sha256", LargeBinary, nullable=False),
    Column("duplicates", Integer, nullable=False, server_default="0"),
    Column("acknowledgment", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # The duplicate key (decisions C3). Its first three columns also find a control id used again.
    UniqueConstraint("source", "sender", "control_id", "sha256", name="inbox_message"),
)

inbox_pending = Table(
    "inbox_pending",
    metadata,
    Column("id", Integer, ForeignKey("inbox.id"), primary_key=True, autoincrement=False),
    Column("source", String, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("error", String),
)

inbox_outcomes = Table(
    "inbox_outcomes",
    metadata,
    Column("id", Integer, ForeignKey("inbox.id"), primary_key=True, autoincrement=False),
    Column("state", String, nullable=False),
    Column("reason", String),
    Column("ledger", Text),
    Column("issues", Text, nullable=False),
    Column("finished", String, nullable=False),
    Index("inbox_outcomes_quarantined", "id", sqlite_where=text("state = 'quarantined'")),
)

# What no mapping knew, in the sender's own spelling; counted with the ending of the message it came in.
unmapped = Table(
    "unmapped",
    metadata,
    Column("source", String, primary_key=True),
    Column("code", String, primary_key=True),
    Column("detail", String, primary_key=True),
    Column("count", Integer, nullable=False),
)

# One row per source, so that a scrape never walks the inbox. Storing a new message touches it once a second at most:
# the row's page would otherwise be written, flushed and checkpointed with every commit.
feeds = Table(
    "feeds",
    metadata,
    Column("source", String, primary_key=True),
    Column("duplicate", Integer, nullable=False, server_default="0"),
    Column("control_id_reuse", Integer, nullable=False, server_default="0"),
    Column("applied", Integer, nullable=False, server_default="0"),
    Column("ignored", Integer, nullable=False, server_default="0"),
    Column("quarantined", Integer, nullable=False, server_default="0"),
    Column("last_received", String, nullable=False),
)

patients = Table(
    "patients",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("site", String, nullable=False),
    Column("authority", String, nullable=False),
    Column("value", String, nullable=False),
    Column("demographics", Text, nullable=False),
    # Set once this identifier was merged into another patient (HL7 A40).
    Column("merged_into", Integer, ForeignKey("patients.key")),
    UniqueConstraint("site", "authority", "value", name="patients_identifier"),
    Index("patients_merged", "merged_into"),
)

# Every merge ever stated, as stated; `patients.merged_into` is what follows from them (adapter/domain/persons.py).
merges = Table(
    "merges",
    metadata,
    Column("merged", Integer, ForeignKey("patients.key"), primary_key=True),
    Column("survivor", Integer, ForeignKey("patients.key"), primary_key=True),
    Column("message", Integer, nullable=False),
    Index("merges_survivor", "survivor"),
)

# Clustered by patient and time: loading one patient is one walk along neighbouring rows, and the results of one message
# are neighbours too. Where the newest version says another time, the row moves (`patients.save_many`).
results = Table(
    "results",
    metadata,
    Column("patient", Integer, ForeignKey("patients.key"), primary_key=True),
    Column("effective", String, primary_key=True),
    Column("concept", String, primary_key=True),
    Column("identity", String, primary_key=True),
    Column("versions", Text, nullable=False),
    sqlite_with_rowid=False,
)

# What was said of the patient besides results: visits, determinations, decisions (`kind`), one row per statement.
statements = Table(
    "statements",
    metadata,
    Column("patient", Integer, ForeignKey("patients.key"), primary_key=True),
    Column("kind", String, primary_key=True),
    Column("digest", String, primary_key=True),
    Column("at", String, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

candidates = Table(
    "candidates",
    metadata,
    Column("id", String, primary_key=True),
    Column("patient", Integer, ForeignKey("patients.key"), nullable=False),
    Column("trial", String, nullable=False),
    Column("episode", String, nullable=False),
    Column("verdict", String, nullable=False),
    Column("certainty", String, nullable=False),
    Column("stratum", String, nullable=False),
    Column("shown", Integer, nullable=False),
    Column("status", String, nullable=False),
    Column("deadline", String),
    Column("ward", String, nullable=False),
    Column("bed", String, nullable=False),
    Column("family", String, nullable=False),
    Column("given", String, nullable=False),
    Column("birth_date", String, nullable=False),
    Column("raised", String),
    Column("changed", String),
    Column("sequence", Integer, nullable=False),
    Column("standing", Integer, nullable=False),
    Column("summary", String, nullable=False),
    Column("review_at", String),
    Column("assessment", Text, nullable=False),
    Column("evaluated_at", String, nullable=False),
    # One row and one alert life per episode (decisions A4).
    UniqueConstraint("patient", "trial", "episode", name="candidates_episode"),
    Index("candidates_shown", "trial", "shown", "standing"),
    Index("candidates_review", "review_at"),
)

# A candidate whose patient was merged into another: links that people hold still lead to the row that stands.
candidate_aliases = Table(
    "candidate_aliases",
    metadata,
    Column("former", String, primary_key=True),
    Column("candidate", String, ForeignKey("candidates.id"), nullable=False),
)

candidate_history = Table(
    "candidate_history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("candidate", String, ForeignKey("candidates.id"), nullable=False),
    Column("at", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("verdict", String, nullable=False),
    Column("text", String, nullable=False),
    Column("message", Integer),
    Column("by", String, nullable=False),
    Index("candidate_history_candidate", "candidate", "id"),
)

# The only bridge between a patient and the number the EDC sees: `token` is a keyed hash, `patient` is encrypted,
# both by keys outside this database (decisions E1).
screening_ids = Table(
    "screening_ids",
    metadata,
    Column("screening_id", String, primary_key=True),
    Column("trial", String, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("patient", LargeBinary, nullable=False),
    UniqueConstraint("trial", "token", name="screening_ids_patient"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("outlet", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("key", String, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due", String, nullable=False),
    Column("error", String, nullable=False, server_default=""),
    Column("created", String, nullable=False),
    Column("settled", String),
    Column("payload", Text, nullable=False),
    # The digest of what a snapshot tells, whenever it was told; empty for what is no snapshot.
    Column("content", String, nullable=False, server_default=""),
    UniqueConstraint("outlet", "key", name="outbox_key"),
    Index("outbox_subject", "subject", "outlet"),
    Index("outbox_waiting", "outlet", "subject", "id", sqlite_where=text("state = 'waiting'")),
    sqlite_autoincrement=True,
)

outbox_remotes = Table(
    "outbox_remotes",
    metadata,
    Column("outlet", String, primary_key=True),
    Column("subject", String, primary_key=True),
    Column("remote_id", String, nullable=False),
    Column("version", String, nullable=False),
)

# Append-only: triggers of the first migration refuse UPDATE and DELETE (reliability 4.2).
audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("role", String, nullable=False),
    Column("action", String, nullable=False),
    Column("object_type", String, nullable=False),
    Column("object_id", String, nullable=False),
    Column("detail", Text, nullable=False),
    Column("outcome", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("previous", String, nullable=False),
    Column("hash", String, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("name", String, primary_key=True),
    Column("role", String, nullable=False),
    Column("password_hash", String, nullable=False),
    Column("disabled", Integer, nullable=False, server_default="0"),
    Column("created", String, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String, primary_key=True),
    Column("csrf", String, nullable=False),
    Column("user", String, ForeignKey("users.name"), nullable=False),
    Column("created", String, nullable=False),
    Column("seen", String, nullable=False),
    Column("expires", String, nullable=False),
)

sign_in_tokens = Table(
    "sign_in_tokens",
    metadata,
    Column("token_hash", String, primary_key=True),
    Column("purpose", String, nullable=False),
    Column("expires", String, nullable=False),
    Column("used", String),
    CheckConstraint("purpose <> ''", name="sign_in_tokens_purpose"),
)
