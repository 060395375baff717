"""The tables of who is who: what ties records together, the screening ids of the persons, and whose verdict is to come."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, UniqueConstraint

from adapter.store.columns import NUMBER, WORDS, metadata

# Every merge (`one` into `other`), unlink and move (visit of `one` to `number` of `other`) ever stated, as stated.
ties = Table(
    "ties",
    metadata,
    Column("one", NUMBER, ForeignKey("patients.key"), primary_key=True),
    Column("other", NUMBER, ForeignKey("patients.key"), primary_key=True),
    Column("kind", WORDS, primary_key=True),
    Column("visit", WORDS, primary_key=True),
    Column("number", WORDS, primary_key=True),
    Column("at", WORDS, primary_key=True),
    Column("message", NUMBER, nullable=False),
    Index("ties_other", "other"),
)

# The only bridge between a patient and the number the EDC sees: `token` is a keyed hash, `patient` is encrypted,
# both by keys outside this database (decisions E1).
screening_ids = Table(
    "screening_ids",
    metadata,
    Column("screening_id", WORDS, primary_key=True),
    Column("trial", WORDS, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("patient", LargeBinary, nullable=False),
    UniqueConstraint("trial", "token", name="screening_ids_patient"),
)

# Screening ids of one person whose records turned out to be several, by the tokens of those who may claim them.
contested_ids = Table(
    "contested_ids",
    metadata,
    Column("screening_id", WORDS, ForeignKey("screening_ids.screening_id"), primary_key=True),
    Column("token", LargeBinary, primary_key=True),
    Column("at", WORDS, nullable=False),
    Index("contested_ids_token", "token"),
)

# Of whom a backlog was told; `message` is the last one that spoke of them. No foreign key: a replay makes patients anew,
# and judges everybody.
unjudged = Table(
    "unjudged",
    metadata,
    Column("patient", NUMBER, primary_key=True),
    Column("message", NUMBER, nullable=False),
    Index("unjudged_message", "message"),
)
