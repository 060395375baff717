"""The tables of who may sign in: part of the schema."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Table

from adapter.store.columns import NUMBER, WORDS, metadata

users = Table(
    "users",
    metadata,
    Column("name", WORDS, primary_key=True),
    Column("role", WORDS, nullable=False),
    Column("password_hash", WORDS, nullable=False),
    Column("disabled", NUMBER, nullable=False, server_default="0"),
    Column("created", WORDS, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", WORDS, primary_key=True),
    Column("csrf", WORDS, nullable=False),
    Column("user", WORDS, ForeignKey("users.name"), nullable=False),
    Column("created", WORDS, nullable=False),
    Column("seen", WORDS, nullable=False),
    Column("expires", WORDS, nullable=False),
)

sign_in_tokens = Table(
    "sign_in_tokens",
    metadata,
    Column("token_hash", WORDS, primary_key=True),
    Column("purpose", WORDS, nullable=False),
    Column("expires", WORDS, nullable=False),
    Column("used", WORDS),
    CheckConstraint("purpose <> ''", name="sign_in_tokens_purpose"),
)
