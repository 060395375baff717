"""When sepsis began, where a person says otherwise than the score (clinical 1.7): both are kept."""

from dataclasses import dataclass
from datetime import datetime

from adapter.domain.patient import Determination
from adapter.domain.truth import Truth

ONSET = "sepsis-onset"
"""The question that a person answers: `met` states a time, `unknown` takes it back; the note holds the time and the reason."""


@dataclass(frozen=True, slots=True)
class Onset:
    """`at` is what the clock runs by; `computed` what the score says; `by` and `reason` are the person's, if one spoke."""

    at: datetime | None
    computed: datetime | None = None
    by: str = ""
    reason: str = ""


def onset_note(at: datetime, reason: str) -> str:
    return f"{at.isoformat()} {reason}"


def stated(answer: Determination | None) -> Onset | None:
    """What a person said; `None` where nobody did or it was taken back."""
    if answer is None or answer.answer is not Truth.MET:
        return None
    time, _, reason = answer.note.partition(" ")
    try:
        at = datetime.fromisoformat(time)
    except ValueError:
        return None
    return None if at.tzinfo is None else Onset(at, by=answer.by, reason=reason)
