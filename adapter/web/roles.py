"""Who may do what: deny by default (reliability 4.4)."""

from enum import StrEnum


class Right(StrEnum):
    COUNTS = "counts"
    """Feeds, numbers of messages and candidates; no patient."""
    PATIENTS = "patients"
    """Worklist and candidate pages with names: those who must find the bedside (decisions F5)."""
    ACT = "act"
    """Answer a criterion, enter a result, change a status."""

    PSEUDONYMS = "pseudonyms"
    """Who was screened, under screening numbers alone."""
    ENROLLED = "enrolled"
    """The same of those who take part, and of nobody else."""

    QUARANTINE = "quarantine"
    """That a message could not be read and why; nothing of its content."""
    UNMAPPED = "unmapped"
    """The codes and units nobody mapped, as their senders write them."""
    SETTLE = "settle"
    """Look into such a message, have it read again, give it up."""
    PROPOSE = "propose"
    """Say what a code nobody mapped means."""
    APPROVE = "approve"
    """Let such a line come into force: it changes what is seen of patients (reliability 2.6)."""
    IDENTIFY = "identify"
    """Approve what was proposed of somebody in doubt: who it is, and which screening number counts."""
    TEST_ALERTS = "test-alerts"
    """Send a test through a channel of alerts."""

    AUDIT_OWN = "audit-own"
    """What oneself saw and did."""
    AUDIT_TECHNICAL = "audit-technical"
    """What was done to accounts, messages, mappings; nothing about a candidate."""
    AUDIT_ALL = "audit-all"
    """Who saw and did what, by screening's own ids."""

    BREAK_GLASS = "break-glass"
    """Ask to see patients in an emergency."""
    VOUCH = "vouch"
    """Let somebody else do so."""


CLINICAL = frozenset(
    {
        Right.COUNTS,
        Right.PATIENTS,
        Right.ACT,
        Right.PSEUDONYMS,
        Right.QUARANTINE,
        Right.UNMAPPED,
        Right.AUDIT_OWN,
        Right.TEST_ALERTS,
    }
)
SPONSOR = frozenset({Right.ENROLLED, Right.AUDIT_ALL})
"""Never the linkage of numbers and patients."""
RIGHTS = {
    "coordinator": CLINICAL,
    "investigator": CLINICAL | {Right.APPROVE, Right.IDENTIFY, Right.VOUCH, Right.AUDIT_ALL},
    "monitor": SPONSOR,
    "data-manager": SPONSOR | {Right.COUNTS, Right.UNMAPPED, Right.PROPOSE},
    "pharmacist": frozenset[Right](),
    "interface-admin": frozenset(
        {Right.COUNTS, Right.QUARANTINE, Right.UNMAPPED, Right.SETTLE, Right.PROPOSE, Right.AUDIT_TECHNICAL}
    ),
    "admin": frozenset({Right.COUNTS, Right.TEST_ALERTS, Right.AUDIT_TECHNICAL, Right.BREAK_GLASS}),
    "auditor": frozenset({Right.PSEUDONYMS, Right.AUDIT_ALL}),
}
"""`pharmacist` is the unblinded one: an account for what a protocol may say of it, and nothing until then."""


def may(role: str, right: Right) -> bool:
    return right in RIGHTS.get(role, frozenset())
