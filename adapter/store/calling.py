"""The tables of alerting: which messages went to whom, of which candidates, and who followed a link: part of the schema."""

from sqlalchemy import Column, Index, Table, UniqueConstraint, text

from adapter.store.columns import NUMBER, WORDS, metadata

NOT_DELIVERED = text("state <> 'delivered'")
"""Of a message; in the very words of the partial index."""

# One row a message; its deliveries, one for each channel tried, stand in the outbox under the same key.
messages = Table(
    "alert_messages",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("key", WORDS, nullable=False),
    Column("person", WORDS, nullable=False),
    Column("cause", WORDS, nullable=False),
    Column("at", WORDS, nullable=False),
    Column("state", WORDS, nullable=False),
    UniqueConstraint("key", name="alert_messages_key"),
    Index("alert_messages_at", "at"),
    Index("alert_messages_open", "id", sqlite_where=NOT_DELIVERED, postgresql_where=NOT_DELIVERED),
)

# What a message said of each candidate. `raised` is the life of the alert that it belongs to; `told` the summary then.
# No foreign key: a projection is made anew (store/projections.py), and what people were told stays true.
calls = Table(
    "alert_calls",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("candidate", WORDS, nullable=False),
    Column("raised", WORDS, nullable=False),
    Column("person", WORDS, nullable=False),
    Column("cause", WORDS, nullable=False),
    Column("told", WORDS, nullable=False),
    Column("at", WORDS, nullable=False),
    Column("key", WORDS, nullable=False),
    Index("alert_calls_candidate", "candidate", "raised"),
)

# The first look of each person at a candidate in each life of its alert.
openings = Table(
    "alert_openings",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("candidate", WORDS, nullable=False),
    Column("raised", WORDS, nullable=False),
    Column("by", WORDS, nullable=False),
    Column("at", WORDS, nullable=False),
    Index("alert_openings_candidate", "candidate", "raised"),
)
