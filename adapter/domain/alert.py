"""What people are told about a candidate, and when it is taken back."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from adapter.domain.assessment import Assessment

SHORT = 6


def short_number(candidate: str) -> str:
    """As much of a candidate's number as people read out to each other: in messages and on the pages alike."""
    return candidate[:SHORT]


class AlertKind(StrEnum):
    RAISED = "raised"
    UPDATED = "updated"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class CandidateAlert:
    """The alert that stands for an episode: one life per trial × patient × encounter (decisions A4).

    `summary` is what a change must alter to be told again: verdict, certainty, stratum, onset.
    """

    trial: str
    episode: str
    standing: bool
    summary: str
    raised: datetime
    changed: datetime


@dataclass(frozen=True, slots=True)
class AlertChange:
    """`sequence` counts the changes of one alert: its part in every delivery key."""

    kind: AlertKind
    alert: CandidateAlert
    assessment: Assessment
    reason: str
