"""Answers, statuses and central results as people and scripts ask for them, checked before they become an act."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from adapter.domain.onset import ONSET, onset_note
from adapter.domain.overlay import SAME_PERSON
from adapter.domain.trial import ON_STUDY, Trial
from adapter.domain.truth import Truth
from adapter.eligibility.evaluate import AS_RANDOMISED
from adapter.pipeline.numbers import WHICH_NUMBER
from adapter.screening import actions
from adapter.store.worklist import CandidateRow
from adapter.web import board, times, words
from adapter.web.context import WebContext
from adapter.web.tongue import figure, say

LONGEST_NOTE = 500
SURE = "sure"
"""In the place of a reason: whoever chose it was told what it does."""
NUMBER = re.compile(r"(<=|>=|<|>)?\s*\d{1,9}(\.\d{1,6})?", re.ASCII)
GROUPED = re.compile(r"\D*[1-9]\d{0,2}\.\d{3}", re.ASCII)
"""`4.420` may be 4420 or 4.42 (clinical 5, example 23): ask, do not guess."""

TESTS = {
    "mhladr": ("{AB}/{cell}",),
    "ferritin": ("ng/mL", "ug/L", "pmol/L"),
}
"""What the central laboratory reports for the stratum, in the units it reports (decisions B9)."""


class RefusedError(Exception):
    """What was asked for cannot be done; the text is for the person who asked. `instead`: what the form then holds in the
    place of what they chose.
    """

    def __init__(self, text: str, **instead: str) -> None:
        super().__init__(text)
        self.instead = instead


@dataclass(frozen=True, slots=True)
class Asked:
    """By whom, when, of which candidate."""

    row: CandidateRow
    by: str
    at: datetime

    def known_at(self, moment: datetime | None) -> "Asked":
        """The same, as of the moment they knew it; raises RefusedError for the future."""
        if moment is not None and moment > self.at:
            raise RefusedError(say("An answer cannot be given in the future."))
        return self if moment is None else replace(self, at=moment)


class Choice(NamedTuple):
    """A status with its reasons as (value, label); without reasons the status itself is the value."""

    status: str
    label: str
    reasons: tuple[tuple[str, str], ...]


def determination(asked: Asked, trial: Trial, criterion: str, answer: str, note: str) -> bytes:
    """Raises RefusedError for a criterion or an answer the trial does not know."""
    if trial.criterion(criterion) is None:
        raise RefusedError(say("This trial has no such criterion."))
    if answer not in set(Truth):
        raise RefusedError(say("Answer met, not-met or unknown."))
    return _determined(asked, criterion, Truth(answer), short_note(note))


def _determined(asked: Asked, criterion: str, answer: Truth, note: str) -> bytes:
    row = asked.row
    return actions.determination_body(
        patient=row.patient,
        trial=row.trial,
        episode=row.episode,
        criterion=criterion,
        answer=answer,
        at=asked.at,
        by=asked.by,
        note=note,
    )


def screening_id(asked: Asked, number: str) -> bytes:
    """Which screening id counts for a person; raises RefusedError for any other number."""
    if number not in (asked.row.assessment.get("screening_ids") or ()):
        raise RefusedError(say("Choose one of the screening numbers of this person."))
    return _determined(asked, WHICH_NUMBER, Truth.MET, number)


def same_person(asked: Asked) -> bytes:
    """It is one person all the same; raises RefusedError where nobody doubts it."""
    described = asked.row.assessment.get("described") or ()
    if not described:
        raise RefusedError(say("Nobody doubts that this is one person."))
    return _determined(asked, SAME_PERSON, Truth.MET, " ".join(described))


def onset(asked: Asked, began: datetime | None, reason: str) -> bytes:
    """When sepsis began, whatever the score says; raises RefusedError for the future, or without a reason."""
    if began is None or began > asked.at:
        raise RefusedError(
            say("Say when sepsis began; it cannot be in the future, and the clock may have skipped that hour.")
        )
    return _determined(asked, ONSET, Truth.MET, onset_note(began, _reason(reason)))


def onset_as_computed(asked: Asked, reason: str) -> bytes:
    """Takes a stated onset back; raises RefusedError without a reason, or where nobody stated one."""
    if not (asked.row.assessment.get("sepsis") or {}).get("onset_by"):
        raise RefusedError(say("Say when sepsis began."))
    return _determined(asked, ONSET, Truth.UNKNOWN, _reason(reason))


def _reason(text: str) -> str:
    if not text.strip():
        raise RefusedError(say("Say why: another time than the computed one needs a reason."))
    return short_note(text.strip())


def sure(asked: Asked, wanted: str) -> None:
    """Raises RefusedError the first time: of all that is chosen in one list this alone cannot be taken back."""
    if wanted == ON_STUDY and not randomised(asked.row):
        raise RefusedError(
            say(
                "“On study” says that the patient was randomised. From then on this page hides every later result, whatever "
                "status follows. If it is so, save again."
            ),
            choice=f"{ON_STUDY}|{SURE}",
        )


def status(asked: Asked, trial: Trial, wanted: str, reason: str, note: str) -> bytes:
    """Raises RefusedError for a status the trial does not know, or a reason that is missing or not one of its own."""
    reasons = dict(trial.statuses).get(wanted)
    if reasons is None:
        raise RefusedError(say("This trial has no such status."))
    if reasons and reason not in reasons:
        raise RefusedError(say("Say why: %(reasons)s.", reasons=", ".join(reasons)))
    if reason and not reasons:
        raise RefusedError(say("This status takes no reason; use the note."))
    return actions.status_body(
        patient=asked.row.patient,
        trial=asked.row.trial,
        episode=asked.row.episode,
        status=wanted,
        at=asked.at,
        by=asked.by,
        reason=reason,
        note=short_note(note),
    )


def result(asked: Asked, concept: str, value: str, unit: str, drawn: datetime | None) -> bytes:
    """Raises RefusedError for anything but a number of a known test in a known unit, drawn in the past; and after
    randomisation, when it could tell the treatment (reliability 4.7).
    """
    if randomised(asked.row):
        raise RefusedError(say("After randomisation no result is entered here: it could tell the treatment."))
    if unit not in TESTS.get(concept, ()):
        raise RefusedError(say("Only ferritin and mHLA-DR (antibodies per cell) can be entered here."))
    if not NUMBER.fullmatch(value):
        raise RefusedError(say("Write the value as a number with a decimal point, such as 4420 or >7500."))
    if GROUPED.fullmatch(value):
        meant = {"many": value.replace(".", ""), "few": figure(value.rstrip("0"))}
        raise RefusedError(
            say("Does %(value)s mean %(many)s or %(few)s? Write it that way.", value=figure(value), **meant)
        )
    if drawn is None:
        raise RefusedError(say("Say when the sample was drawn; the clock may have skipped that hour."))
    if drawn > asked.at:
        raise RefusedError(say("The sample cannot have been drawn in the future."))
    return actions.result_body(
        patient=asked.row.patient,
        concept=concept,
        value=value.replace(" ", ""),
        unit=unit,
        drawn=drawn,
        at=asked.at,
        by=asked.by,
    )


def randomised(row: CandidateRow) -> bool:
    return row.status == ON_STUDY or AS_RANDOMISED in row.assessment.get("flags", ())


def drawn(text: str, row: CandidateRow, context: WebContext) -> datetime | None:
    return times.typed(text, board.zone_of(context, row.patient.site))


def choices(trial: Trial) -> tuple[Choice, ...]:
    return tuple(
        Choice(name, words.sentence(name), tuple((f"{name}|{reason}", words.sentence(reason)) for reason in reasons))
        for name, reasons in trial.statuses
    )


def tests() -> tuple[tuple[str, str], ...]:
    """The select box of the result form: (`concept|unit`, label)."""
    return tuple(
        (f"{concept}|{unit}", f"{words.concept(concept)}, {words.unit(unit)}")
        for concept, units in TESTS.items()
        for unit in units
    )


def short_note(text: str) -> str:
    if len(text) > LONGEST_NOTE:
        raise RefusedError(say("A note has at most %(number)s characters.", number=LONGEST_NOTE))
    return text
