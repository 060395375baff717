"""Who may do what: deny by default (reliability 4.4)."""

from enum import StrEnum


class Right(StrEnum):
    COUNTS = "counts"
    """Feeds, numbers of messages and candidates; no patient."""
    PATIENTS = "patients"
    """Worklist and candidate pages with names: those who must find the bedside (decisions F5)."""
    ACT = "act"
    """Answer a criterion, enter a result, change a status."""


CLINICAL = frozenset(Right)
RIGHTS = {
    "coordinator": CLINICAL,
    "investigator": CLINICAL,
    "admin": frozenset({Right.COUNTS}),
}


def may(role: str, right: Right) -> bool:
    return right in RIGHTS.get(role, frozenset())
