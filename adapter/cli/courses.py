"""SOFA over time of the episodes that would have been shown: quartiles at every sixth hour round the moment of showing."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import timedelta
from statistics import median
from typing import Any

from adapter.web.figures import quartiles
from adapter.web.pictures import Moment

HOURS = range(-24, 73, 6)
Row = dict[str, Any]


def moments(rows: Sequence[Row]) -> list[Moment]:
    """An episode counts from its first assessment to its last; before and after nothing is said of it."""
    found = [_moment(hour, [point for row in rows if (point := _at(row, hour)) is not None]) for hour in HOURS]
    return [one for one in found if one is not None]


def _at(row: Row, hour: int) -> tuple[int, int] | None:
    """Lower and upper end of the score then."""
    if row["first_shown"] is None:
        return None
    at = row["first_shown"] + timedelta(hours=hour)
    before = bisect_right([step[0] for step in row["sofa_course"]], at)
    if not before or at > row["last"]:
        return None
    _, low, high = row["sofa_course"][before - 1]
    return low, high


def _moment(hour: int, points: Sequence[tuple[int, int]]) -> Moment | None:
    low, middle, high = quartiles(sorted(low for low, _ in points))
    if low is None or middle is None or high is None:
        return None
    return Moment(hour, len(points), low, middle, high, median(upper for _, upper in points))
