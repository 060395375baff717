"""The tables: what is kept, under which key; migrations/ builds them, tests hold the two together."""

from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from adapter.store import calling, erased, missed_cases, people, polls, team
from adapter.store.columns import NUMBER, WORDS, metadata
from adapter.store.identities import contested_ids, screening_ids, ties

__all__ = [
    "calling", "contested_ids", "erased", "metadata", "missed_cases", "people", "polls", "screening_ids", "team", "ties",
]  # fmt: skip
"""`calling`, `erased`, `missed_cases`, `people`, `polls` and `team` are imported for their tables."""


def _only(condition: str) -> dict[str, Any]:
    """A partial index, in each dialect's own word."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


# Instants that SQL orders or compares are `codec.instant` text: UTC, fixed width, so that text order is time order.

# The inbox is written once and never changed but for `duplicates`: what became of a message stands in inbox_outcomes,
# what is still to do in inbox_pending. So finishing a message does not write its bytes again.
inbox = Table(
    "inbox",
    metadata,
    # One more than the greatest, on both stores: the ids have no gaps, and a smaller one is never committed later.
    Column("id", NUMBER, primary_key=True, autoincrement=False),
    Column("source", WORDS, nullable=False),
    Column("site", WORDS, nullable=False),
    Column("kind", WORDS, nullable=False),
    Column("sender", WORDS, nullable=False),
    Column("control_id", WORDS, nullable=False),
    Column("type", WORDS, nullable=False),
    Column("peer", WORDS, nullable=False),
    Column("received", WORDS, nullable=False),
    Column("quarantine", WORDS),
    Column("sha256", LargeBinary, nullable=False),
    Column("duplicates", NUMBER, nullable=False, server_default="0"),
    Column("acknowledgment", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # The duplicate key (decisions C3). Its first three columns also find a control id used again.
    UniqueConstraint("source", "sender", "control_id", "sha256", name="inbox_message"),
)

inbox_pending = Table(
    "inbox_pending",
    metadata,
    Column("id", NUMBER, ForeignKey("inbox.id"), primary_key=True, autoincrement=False),
    Column("source", WORDS, nullable=False),
    Column("attempts", NUMBER, nullable=False, server_default="0"),
    Column("error", WORDS),
    # Set for a message that was read before: what it says now takes the place of what it said (store/again.py).
    Column("again", NUMBER, nullable=False, server_default="0"),
    # Where several processors share a PostgreSQL store (store/partitions.py).
    Column("partition", NUMBER, nullable=False, server_default="0"),
)

inbox_outcomes = Table(
    "inbox_outcomes",
    metadata,
    Column("id", NUMBER, ForeignKey("inbox.id"), primary_key=True, autoincrement=False),
    Column("state", WORDS, nullable=False),
    Column("reason", WORDS),
    Column("ledger", Text),
    Column("issues", Text, nullable=False),
    Column("finished", WORDS, nullable=False),
    Index("inbox_outcomes_quarantined", "id", **_only("state = 'quarantined'")),
)

# What no mapping knew, in the sender's own spelling; counted with the ending of the message it came in.
unmapped = Table(
    "unmapped",
    metadata,
    Column("source", WORDS, primary_key=True),
    Column("code", WORDS, primary_key=True),
    Column("detail", WORDS, primary_key=True),
    Column("count", NUMBER, nullable=False),
    # Of the messages counted the oldest and the newest; 0 where it was counted before this was kept.
    Column("first_message", NUMBER, nullable=False, server_default="0"),
    Column("last_message", NUMBER, nullable=False, server_default="0"),
)

# What each source sends of each analyte: numbers, no values and no patients (reliability C44, C45).
analytes = Table(
    "analytes",
    metadata,
    *(Column(name, WORDS, primary_key=True) for name in ("source", "concept", "code", "unit")),
    *(Column(name, NUMBER, nullable=False) for name in ("messages", "usual", "longest")),
    *(Column(name, WORDS, nullable=False) for name in ("first", "last")),
    *(Column(name, Text, nullable=False) for name in ("recent", "history")),
)

# One row per source, so that a scrape never walks the inbox. Storing a new message touches it once a second at most:
# the row's page would otherwise be written, flushed and checkpointed with every commit.
feeds = Table(
    "feeds",
    metadata,
    Column("source", WORDS, primary_key=True),
    Column("duplicate", NUMBER, nullable=False, server_default="0"),
    Column("control_id_reuse", NUMBER, nullable=False, server_default="0"),
    Column("applied", NUMBER, nullable=False, server_default="0"),
    Column("ignored", NUMBER, nullable=False, server_default="0"),
    Column("quarantined", NUMBER, nullable=False, server_default="0"),
    Column("last_received", WORDS, nullable=False),
)

patients = Table(
    "patients",
    metadata,
    Column("key", NUMBER, primary_key=True),
    Column("site", WORDS, nullable=False),
    Column("authority", WORDS, nullable=False),
    Column("value", WORDS, nullable=False),
    Column("demographics", Text, nullable=False),
    # Both follow from `ties`: the identifier the person goes by, where it is another one; what all records tied together,
    # this one among them, are kept by. Nothing in a record that stands alone.
    Column("merged_into", NUMBER, ForeignKey("patients.key")),
    Column("knot", NUMBER),
    UniqueConstraint("site", "authority", "value", name="patients_identifier"),
    Index("patients_merged", "merged_into"),
    Index("patients_knot", "knot"),
)

# Clustered by patient and time: loading one patient is one walk along neighbouring rows, and the results of one message
# are neighbours too. Where the newest version says another time, the row moves (`patients.save_many`).
results = Table(
    "results",
    metadata,
    Column("patient", NUMBER, ForeignKey("patients.key"), primary_key=True),
    Column("effective", WORDS, primary_key=True),
    Column("concept", WORDS, primary_key=True),
    Column("identity", WORDS, primary_key=True),
    Column("versions", Text, nullable=False),
    sqlite_with_rowid=False,
)

# What was said of the patient besides results: visits, determinations, decisions (`kind`), one row per statement.
statements = Table(
    "statements",
    metadata,
    Column("patient", NUMBER, ForeignKey("patients.key"), primary_key=True),
    Column("kind", WORDS, primary_key=True),
    Column("digest", WORDS, primary_key=True),
    Column("at", WORDS, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

STANDING, SHOWN, TOLD = "standing = 1", "shown = 1", "raised IS NOT NULL"
WATCHED = "verdict = 'incomplete' AND shown = 0 AND raised IS NULL AND status = ''"
"""Nobody was told, nobody acted. It is the episode judged last: an earlier one would have been forgotten."""
BOARD = (
    *("standing", "changed", "deadline", "id", "certainty", "verdict", "trial", "stratum", "ward", "status"),
    *("sequence", "decided_sequence", "raised", "patient"),
)
"""All that sorts and counts the worklist, so that ten thousand rows are counted without being read."""
LEFT = "verdict = 'incomplete' AND shown = 0 AND (raised IS NOT NULL OR status <> '')"
"""What the worklist asks for, in the very words of the partial indexes below: only those make the planner use them."""

candidates = Table(
    "candidates",
    metadata,
    Column("id", WORDS, primary_key=True),
    Column("patient", NUMBER, ForeignKey("patients.key"), nullable=False),
    Column("trial", WORDS, nullable=False),
    Column("episode", WORDS, nullable=False),
    Column("verdict", WORDS, nullable=False),
    Column("certainty", WORDS, nullable=False),
    Column("stratum", WORDS, nullable=False),
    Column("shown", NUMBER, nullable=False),
    Column("status", WORDS, nullable=False),
    Column("deadline", WORDS),
    Column("ward", WORDS, nullable=False),
    Column("bed", WORDS, nullable=False),
    Column("family", WORDS, nullable=False),
    Column("given", WORDS, nullable=False),
    Column("birth_date", WORDS, nullable=False),
    Column("raised", WORDS),
    Column("changed", WORDS),
    Column("sequence", NUMBER, nullable=False),
    Column("standing", NUMBER, nullable=False),
    Column("summary", WORDS, nullable=False),
    Column("review_at", WORDS),
    Column("assessment", Text, nullable=False),
    Column("evaluated_at", WORDS, nullable=False),
    # When somebody last decided upon the status, and `sequence` at that time.
    Column("decided_at", WORDS),
    Column("decided_sequence", NUMBER, nullable=False, server_default="0"),
    # One row and one alert life per episode (decisions A4).
    UniqueConstraint("patient", "trial", "episode", name="candidates_episode"),
    Index("candidates_standing", "id", **_only(STANDING)),
    Index("candidates_shown", "id", **_only(SHOWN)),
    Index("candidates_told", "changed", **_only(TOLD)),
    Index("candidates_board", *BOARD, **_only(TOLD)),
    Index("candidates_watched", "patient", "trial", **_only(WATCHED)),
    Index("candidates_left", "patient", "trial", **_only(LEFT)),
    Index("candidates_review", "review_at"),
)

# A candidate whose episode became another patient's: links that people hold still lead to the row that stands.
candidate_aliases = Table(
    "candidate_aliases",
    metadata,
    Column("former", WORDS, primary_key=True),
    Column("candidate", WORDS, ForeignKey("candidates.id"), nullable=False),
    Index("candidate_aliases_candidate", "candidate"),
)

candidate_history = Table(
    "candidate_history",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("candidate", WORDS, ForeignKey("candidates.id"), nullable=False),
    Column("at", WORDS, nullable=False),
    Column("kind", WORDS, nullable=False),
    Column("verdict", WORDS, nullable=False),
    Column("text", WORDS, nullable=False),
    Column("message", NUMBER),
    Column("by", WORDS, nullable=False),
    Index("candidate_history_candidate", "candidate", "id"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("outlet", WORDS, nullable=False),
    Column("subject", WORDS, nullable=False),
    Column("kind", WORDS, nullable=False),
    Column("key", WORDS, nullable=False),
    Column("state", WORDS, nullable=False),
    Column("attempts", NUMBER, nullable=False, server_default="0"),
    Column("due", WORDS, nullable=False),
    Column("error", WORDS, nullable=False, server_default=""),
    Column("created", WORDS, nullable=False),
    Column("settled", WORDS),
    Column("payload", Text, nullable=False),
    # The digest of what a snapshot tells, whenever it was told; empty for what is no snapshot.
    Column("content", WORDS, nullable=False, server_default=""),
    UniqueConstraint("outlet", "key", name="outbox_key"),
    Index("outbox_subject", "subject", "outlet"),
    Index("outbox_states", "outlet", "state", "created"),
    Index("outbox_waiting", "outlet", "subject", "id", **_only("state = 'waiting'")),
    sqlite_autoincrement=True,
)

outbox_remotes = Table(
    "outbox_remotes",
    metadata,
    Column("outlet", WORDS, primary_key=True),
    Column("subject", WORDS, primary_key=True),
    Column("remote_id", WORDS, nullable=False),
    Column("version", WORDS, nullable=False),
)

VIEWED = "action = 'view-candidate'"
"""A person saw a candidate; in the very words of the partial index."""

# Append-only: triggers of the first migration refuse UPDATE and DELETE (reliability 4.2).
audit = Table(
    "audit",
    metadata,
    Column("seq", NUMBER, primary_key=True, autoincrement=False),
    Column("at", WORDS, nullable=False),
    Column("actor", WORDS, nullable=False),
    Column("role", WORDS, nullable=False),
    Column("action", WORDS, nullable=False),
    Column("object_type", WORDS, nullable=False),
    Column("object_id", WORDS, nullable=False),
    Column("detail", Text, nullable=False),
    Column("outcome", WORDS, nullable=False),
    Column("reason", WORDS, nullable=False),
    Column("previous", WORDS, nullable=False),
    Column("hash", WORDS, nullable=False),
    Index("audit_seen", "object_id", "at", **_only(VIEWED)),
)

# Facts of the whole store: which site key it belongs to.
marks = Table(
    "marks",
    metadata,
    Column("name", WORDS, primary_key=True),
    Column("value", WORDS, nullable=False),
)
