"""What became of somebody who was randomised: the SOFA of study days and whether they lived."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from adapter.domain.assessment import OrganScore, SofaScore


class VitalStatus(StrEnum):
    ALIVE = "alive"
    DIED = "died"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StudyDay:
    """A whole calendar day where the hospital lies, `[start, end)`: 23 or 25 hours where the clocks change."""

    number: int
    date: date
    start: datetime
    end: datetime

    @property
    def last(self) -> datetime:
        """A result of midnight belongs to the day that begins."""
        return self.end - timedelta.resolution


@dataclass(frozen=True, slots=True)
class DaySofa:
    """The worst of each organ on a study day; `carried` names those that were measured on an earlier one."""

    day: StudyDay
    sofa: SofaScore
    carried: tuple[str, ...] = ()

    @property
    def organs(self) -> Mapping[str, OrganScore]:
        return self.sofa.organs


@dataclass(frozen=True, slots=True)
class DaySurvival:
    """Whether the patient lived at the end of a study day; `known_by` is when what says so happened."""

    day: StudyDay
    status: VitalStatus
    known_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Of days that are over. `next_at` is when the next one of the plan will be."""

    randomised: datetime
    days: tuple[DaySofa, ...] = ()
    survival: tuple[DaySurvival, ...] = field(default=())
    next_at: datetime | None = None
