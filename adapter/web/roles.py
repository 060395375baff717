"""Who may do what: deny by default (reliability 4.4)."""

from enum import StrEnum


class Right(StrEnum):
    COUNTS = "counts"
    """Feeds, numbers of messages and candidates; no patient."""
    PATIENTS = "patients"
    """Worklist and candidate pages with names: those who must find the bedside (decisions F5)."""
    ACT = "act"
    """Answer a criterion, enter a result, change a status."""

    QUARANTINE = "quarantine"
    """That a message could not be read and why, and the codes and units nobody mapped; nothing of its content."""
    SETTLE = "settle"
    """Look into such a message, have it read again, give it up."""
    PROPOSE = "propose"
    """Say what a code nobody mapped means."""
    APPROVE = "approve"
    """Let such a line come into force: it changes what is seen of patients (reliability 2.6)."""
    TEST_ALERTS = "test-alerts"
    """Send a test through a channel of alerts."""


CLINICAL = frozenset({Right.COUNTS, Right.PATIENTS, Right.ACT, Right.QUARANTINE, Right.TEST_ALERTS})
RIGHTS = {
    "coordinator": CLINICAL,
    "investigator": CLINICAL | {Right.APPROVE},
    "interface-admin": frozenset({Right.COUNTS, Right.QUARANTINE, Right.SETTLE, Right.PROPOSE}),
    "admin": frozenset({Right.COUNTS, Right.TEST_ALERTS}),
}


def may(role: str, right: Right) -> bool:
    return right in RIGHTS.get(role, frozenset())
