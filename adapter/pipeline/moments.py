"""What time it is where an answer came from."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """The Date header, to the second; None where there is none that can be read."""
    try:
        moment = parsedate_to_datetime(headers.get("Date") or "")
    except (ValueError, TypeError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
