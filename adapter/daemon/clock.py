"""The one place that asks the machine for the time."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """A `Clock`: aware, UTC."""
    return datetime.now(UTC)  # noqa: TID251 — the shell's clock; everything else is told the time
