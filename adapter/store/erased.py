"""The tables of what was erased: emptied messages, who wants no part, and what the screening log goes on counting."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text

from adapter.store.columns import NUMBER, WORDS, metadata

# Messages whose bytes are gone. Their row in `inbox` stays with its hash, so that counts add up and a resend is known;
# `bytes` is how long it was, `cause` why, `shared` whether it spoke of others too, whose state stays.
erased_messages = Table(
    "erased_messages",
    metadata,
    Column("id", NUMBER, ForeignKey("inbox.id"), primary_key=True, autoincrement=False),
    Column("at", WORDS, nullable=False),
    Column("bytes", NUMBER, nullable=False),
    Column("cause", WORDS, nullable=False),
    Column("shared", NUMBER, nullable=False),
    Index("erased_messages_cause", "cause"),
)

# `token` is a keyed hash of an identifier, by a key outside this database; those of one `person` come and go together.
opt_outs = Table(
    "opt_outs",
    metadata,
    Column("token", LargeBinary, primary_key=True),
    Column("person", WORDS, nullable=False),
    Column("at", WORDS, nullable=False),
)

# What is left of an episode: `id` and `person` are random, days stand for moments, `said` holds no free text and no name.
erased_episodes = Table(
    "erased_episodes",
    metadata,
    *(Column(name, WORDS, primary_key=name == "id", nullable=False) for name in ("id", "person", "site", "trial")),
    *(Column(name, WORDS, nullable=False) for name in ("verdict", "certainty", "stratum", "status", "sex", "flag")),
    Column("listed", NUMBER, nullable=False),
    Column("standing", NUMBER, nullable=False),
    Column("flagged", WORDS),
    Column("said", Text, nullable=False),
)
