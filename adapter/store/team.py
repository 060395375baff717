"""The tables of the people who work with the list: who has whom in hand, what they wrote, how far each has looked."""

from sqlalchemy import Column, Index, Table

from adapter.store.columns import NUMBER, WORDS, metadata

# No foreign keys to candidates: these are made anew by a replay, and what people did stays.
claims = Table(
    "claims",
    metadata,
    Column("candidate", WORDS, primary_key=True),
    Column("holder", WORDS, nullable=False),
    Column("since", WORDS, nullable=False),
    Index("claims_holder", "holder"),
)

# Never altered: a trigger refuses UPDATE. `kind` is note, claim, release or hand-over, `addressee` who got it.
candidate_notes = Table(
    "candidate_notes",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("candidate", WORDS, nullable=False),
    Column("at", WORDS, nullable=False),
    Column("by", WORDS, nullable=False),
    Column("kind", WORDS, nullable=False),
    Column("addressee", WORDS, nullable=False),
    Column("text", WORDS, nullable=False),
    Index("candidate_notes_candidate", "candidate", "id"),
)

# What a person has seen: everything up to `looks.at`, and single candidates that were opened since.
looks = Table("looks", metadata, Column("reader", WORDS, primary_key=True), Column("at", WORDS, nullable=False))
seen = Table(
    "seen",
    metadata,
    Column("reader", WORDS, primary_key=True),
    Column("candidate", WORDS, primary_key=True),
    Column("at", WORDS, nullable=False),
)
