"""When a failed delivery is tried again, or that it never will be: pure."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from adapter.errors import RejectedError, UnavailableError

FIRST = 2.0
"""Seconds before the second attempt; doubled each time, so that an alert still leaves within a minute (P7)."""
LONGEST = 3600.0
"""Seconds: the cap of our own back-off and of the peer's Retry-After (bad-input F13). Attempts have no cap (P8)."""
BUG_ATTEMPTS = 3
"""An error that is none of the four leaves is a bug: after three attempts a person must look (house §7)."""

_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


def after(attempts: int, error: Exception, now: datetime, *, key: str = "") -> datetime | None:
    """The next attempt after `attempts` failed ones, or `None`: dead letter.

    The jitter, a half to the whole of the step, is drawn from `key`, so that subjects do not come in step again.
    """
    if isinstance(error, RejectedError):
        return None
    if not isinstance(error, UnavailableError) and attempts >= BUG_ATTEMPTS:
        return None
    step = min(LONGEST, FIRST * 2 ** min(attempts - 1, 20)) * (0.5 + 0.5 * _share(f"{key}|{attempts}"))
    wish = min(getattr(error, "retry_after", None) or 0.0, LONGEST)
    return now + timedelta(seconds=max(step, wish))


def _share(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) / 2**32


def retry_after(header: str | None, now: datetime) -> float | None:
    """RFC 9110 §10.2.3 in seconds: delta or date, absurd ones cut to the cap; `None` where it says nothing usable."""
    text = (header or "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST)
