"""Column types that differ between SQLite and PostgreSQL, so that both keep, compare and count alike."""

from sqlalchemy import BigInteger, Integer, MetaData, String

metadata = MetaData()

WORDS = String().with_variant(String(collation="C"), "postgresql")
"""Text compared by its bytes, as SQLite does: no locale, and no index that an upgrade of the C library can break."""

NUMBER = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite's integers have 64 bits whatever their name; at a hundred messages a second 32 bits last 248 days."""
