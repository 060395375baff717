"""Which channel carries a message next, when the one before did not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Tried:
    """A message in the outbox of one channel: `delivered`, `dead` or still waiting since `at`."""

    at: datetime
    delivered: bool = False
    dead: bool = False


def following(channels: Sequence[str], tried: Mapping[str, Tried], now: datetime, patience: timedelta) -> str | None:
    """The first channel not tried yet, once every one that was tried has failed; `None`: wait, or there is none left."""
    if any(one.delivered for one in tried.values()) or not _all_failed(tried, now, patience):
        return None
    return next((name for name in channels if name not in tried), None)


def failed(channels: Sequence[str], tried: Mapping[str, Tried], now: datetime, patience: timedelta) -> bool:
    """No channel is left to carry it: somebody else must be told."""
    if any(one.delivered for one in tried.values()):
        return False
    return all(name in tried for name in channels) and _all_failed(tried, now, patience)


def _all_failed(tried: Mapping[str, Tried], now: datetime, patience: timedelta) -> bool:
    return all(one.dead or now - one.at >= patience for one in tried.values())
