"""What became of an alert: created → sent → delivered → opened → claimed → decided."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

STEPS = ("created", "sent", "delivered", "opened", "claimed", "decided")


@dataclass(frozen=True, slots=True)
class Step:
    """`at` is the first moment it was so, `None` while it is not; `by` the person, where it was one."""

    name: str
    at: datetime | None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened, and by whom."""

    at: datetime
    by: str = ""


def life(raised: datetime, **happened: Iterable[Mark]) -> tuple[Step, ...]:
    """Of the present life of the alert: what happened before it was raised belongs to another one."""
    found = {name: _first(raised, happened.get(name, ())) for name in STEPS}
    found["created"] = Mark(raised)
    return tuple(Step(name, mark.at if mark else None, mark.by if mark else "") for name, mark in found.items())


def _first(raised: datetime, marks: Iterable[Mark]) -> Mark | None:
    return min((mark for mark in marks if mark.at >= raised), key=lambda mark: mark.at, default=None)
