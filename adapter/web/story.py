"""What happened to a candidate, in the order in which it happened: verdicts, answers, corrections, and what people did."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

from adapter.domain.overlay import SAME_PERSON
from adapter.domain.patient import Decision, Determination, PatientState
from adapter.domain.trial import Trial
from adapter.screening.course import Correction, Course
from adapter.store import doubted
from adapter.store.candidate_rows import HistoryRow
from adapter.store.doubted import Proposed
from adapter.store.teamwork import CLAIM, HAND_OVER, RELEASE, Note
from adapter.web import told, words
from adapter.web.charts import quantity
from adapter.web.tongue import inner, mark, say

STATUS = "status"
"""A line of the history that says less than the decision itself."""
DEEDS = {CLAIM: mark("Taken in hand"), RELEASE: mark("Let go")}


@dataclass(frozen=True, slots=True)
class Moment:
    at: datetime
    kind: str
    verdict: str = ""
    text: str = ""
    message: str = ""
    by: str = ""
    note: bool = False


@dataclass(frozen=True, slots=True)
class About:
    """Whose story: the episode of a trial, with all that is known of it."""

    trial: Trial
    episode: str
    state: PatientState
    course: Course
    zone: tzinfo


Said = tuple[Iterable[HistoryRow], Iterable[Note], Iterable[Proposed]]


def story(about: About, said: Said) -> tuple[Moment, ...]:
    """The newest first."""
    history, notes, proposed = said
    moments = (
        *_told(history, about.zone),
        *(_corrected(one) for one in about.course.corrections),
        *_decided(about),
        *_answered(about),
        *(noted(one) for one in notes),
        *(moment for one in proposed for moment in _doubted(one)),
    )
    return tuple(sorted(moments, key=lambda one: one.at, reverse=True))


def decision(state: PatientState, trial: str, episode: str) -> Decision | None:
    """What a person decided last."""
    return next(reversed(state.decided(trial, episode)), None)


def reasoned(one: Decision) -> str:
    """`Declined: relative. Note`."""
    parts = (words.sentence(one.status), inner(words.sentence(one.reason)) if one.reason else "")
    return ". ".join(part for part in (": ".join(part for part in parts if part), one.note) if part)


def answered(one: Determination) -> str:
    """`I4 not met: Note`."""
    text = f"{one.criterion} {say(str(one.answer).replace('-', ' '))}"
    return f"{text}: {one.note}" if one.note else text


def _told(history: Iterable[HistoryRow], zone: tzinfo) -> Iterator[Moment]:
    """Without the lines that only say that a status was set: the decision stands beside them with its reason."""
    for one in history:
        if one.kind == STATUS or (one.text.startswith(f"{STATUS} ") and ", " not in one.text):
            continue
        message = "" if one.message_id is None else str(one.message_id)
        kind, verdict = words.happened(one.kind), words.verdict(one.verdict) if one.verdict else ""
        yield Moment(one.at, kind, verdict, told.change(one.text, zone), message, one.by)


def _corrected(one: Correction) -> Moment:
    """`Platelets 18 → 181 ×10³/µL; SOFA 7 → 3`."""
    before, now = quantity(one.before), quantity(one.after) if one.after else say("none")
    text = f"{words.concept(one.before.concept)} {before} → {now}"
    if one.was is not None and one.now is not None:
        was, is_now = (words.interval(score.low, score.high) for score in (one.was, one.now))
        text += f"; SOFA {was} → {is_now}" if was != is_now else f"; {say('SOFA stays %(points)s', points=was)}"
    return Moment(one.at, say("Corrected") if one.after else say("Result taken back"), text=text, message=one.message)


def _decided(about: About) -> Iterator[Moment]:
    for one in about.state.decided(about.trial.id, about.episode):
        yield Moment(one.at, say("Status"), text=reasoned(one), by=one.by)


def _answered(about: About) -> Iterator[Moment]:
    for one in about.state.determinations:
        if one.trial == about.trial.id and about.trial.criterion(one.criterion) is not None:
            yield Moment(one.at, say("Answer"), text=answered(one), by=one.by)


DECIDED = {doubted.APPROVED: mark("Proposal approved"), doubted.SENT_BACK: mark("Proposal sent back")}


def proposal(one: Proposed) -> str:
    """What was proposed, in words."""
    return say("It is one person") if one.question == SAME_PERSON else one.answer


def _doubted(one: Proposed) -> Iterator[Moment]:
    what = proposal(one)
    yield Moment(one.at, say("Proposed"), text=f"{what}: {one.reason}", by=one.by)
    if one.decided_at is not None and one.state in DECIDED:
        text = f"{what}: {one.why}" if one.why else what
        yield Moment(one.decided_at, say(DECIDED[one.state]), text=text, by=one.decided_by)


def noted(one: Note) -> Moment:
    """What somebody wrote or did, in words."""
    kind = _deed(one)
    let_go = say("was with %(name)s", name=one.addressee) if one.kind == RELEASE and one.addressee != one.by else ""
    return Moment(one.at, kind, text=one.text or let_go, by=one.by, note=bool(one.text))


def _deed(one: Note) -> str:
    if one.kind == HAND_OVER:
        return say("Handed over to %(name)s", name=one.addressee)
    return say(DEEDS.get(one.kind, mark("Note")))
