"""INSERT with ON CONFLICT, in the one form that SQLAlchemy compiles for SQLite and for PostgreSQL alike."""

from sqlalchemy.dialects.postgresql import insert

__all__ = ["insert"]
