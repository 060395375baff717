"""Whether people must be told: raise, update, withdraw, or nothing; one life per episode (decisions A4)."""

from dataclasses import replace
from datetime import datetime

from adapter.domain.alert import AlertChange, AlertKind, CandidateAlert
from adapter.domain.assessment import Assessment, Verdict
from adapter.eligibility.episode import NEWER_VISIT
from adapter.eligibility.evaluate import DELETED
from adapter.eligibility.verdict import stands_against

SUMMARY = ("verdict", "certainty", "stratum", "onset", "status")
"""What a summary is made of, in its order; what must change for people to be told again."""


def decide(standing: CandidateAlert | None, assessment: Assessment, now: datetime) -> AlertChange | None:
    """A resent result changes nothing; a lost ground withdraws; a regained one raises again."""
    summary = summarise(assessment)
    if assessment.shown:
        return _tell(standing, assessment, summary, now)
    if standing is None or not standing.standing:
        return None
    taken_back = replace(standing, standing=False, summary=summary, changed=now)
    return AlertChange(AlertKind.WITHDRAWN, taken_back, assessment, why_not(assessment))


def _tell(standing: CandidateAlert | None, assessment: Assessment, summary: str, now: datetime) -> AlertChange | None:
    if standing is None or not standing.standing:
        raised = CandidateAlert(assessment.trial, assessment.episode, True, summary, now, now)  # noqa: FBT003 — named by the dataclass
        reason = "ground regained" if standing else "ground given"
        return AlertChange(AlertKind.RAISED, raised, assessment, reason)
    if standing.summary == summary:
        return None
    updated = replace(standing, summary=summary, changed=now)
    return AlertChange(AlertKind.UPDATED, updated, assessment, difference(standing.summary, summary))


def summarise(assessment: Assessment) -> str:
    """What must change for people to be told again."""
    onset = assessment.sepsis.onset
    words = (
        str(assessment.verdict),
        str(assessment.certainty),
        assessment.stratum,
        onset.isoformat() if onset else "-",
    )
    return " ".join((*words, assessment.status or "-"))


def substance(summary: str) -> str:
    """A summary without the status, which people set themselves and need not be told of."""
    return " ".join(summary.split()[: SUMMARY.index("status")])


def difference(before: str, now: str) -> str:
    """`verdict incomplete → candidate, stratum indeterminate → mals`: what changed between two summaries."""
    pairs = zip(SUMMARY, before.split(), now.split(), strict=True)
    return ", ".join(f"{name} {old} → {new}" for name, old, new in pairs if old != new)


def why_not(assessment: Assessment) -> str:
    """The criteria that stand against, or the clock, or the end of the visit."""
    if assessment.verdict is Verdict.EXPIRED:
        return "the time limit has passed"
    against = [c.id for c in assessment.criteria if stands_against(c)]
    if against:
        return f"against: {', '.join(against)}"
    if DELETED in assessment.flags:
        return "record deleted"
    if NEWER_VISIT in assessment.flags:
        return "a newer visit has begun"
    if assessment.encounter is not None and assessment.encounter.discharged is not None:
        return "the visit has ended"
    return "no longer enough evidence"
