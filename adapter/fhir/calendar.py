"""When things happened, as the EDC may know it: exactly, or shifted by a secret number of days (decisions E3)."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum

DAYS = 365


class Dates(StrEnum):
    EXACT = "exact"
    SHIFTED = "shifted"


@dataclass(frozen=True, slots=True)
class Calendar:
    """One shift for everything of one subject, so that every interval and every time of day stays true."""

    shift: timedelta

    def text(self, moment: datetime) -> str:
        """FHIR dateTime, and instant, with the offset the moment came with."""
        offset = moment.utcoffset() or timedelta()
        fixed = moment.astimezone(timezone(offset)) - self.shift
        return fixed.isoformat(timespec="seconds")


def calendar(secret: bytes, trial: str, screening_id: str, dates: Dates) -> Calendar:
    """Shifted: 1 to 365 days into the past, by HMAC of the screening id."""
    if dates is Dates.EXACT:
        return Calendar(timedelta())
    digest = hmac.new(secret, f"v1|{trial}|calendar|{screening_id}|".encode(), hashlib.sha256).digest()
    return Calendar(timedelta(days=1 + int.from_bytes(digest[:8]) % DAYS))
