"""Who went how far, by trial: CONSORT's steps with the reasons of everybody who did not go on; each step adds up."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from adapter.domain.trial import Trial
from adapter.store.screening_log import Judged, Logged
from adapter.web import words
from adapter.web.tongue import inner, mark, say


class Stage(IntEnum):
    """How far somebody came; each includes those before it (SEAR: screened, eligible, approached, randomised)."""

    FLAGGED = 0
    ELIGIBLE = 1
    APPROACHED = 2
    CONSENTED = 3
    RANDOMISED = 4


REACHED = {
    "eligible": Stage.ELIGIBLE,
    "consent-asked": Stage.APPROACHED,
    "consented": Stage.CONSENTED,
    "on-study": Stage.RANDOMISED,
}
NOT_ELIGIBLE, DECLINED, WITHDRAWN = "not-eligible", "declined", "withdrawn"
ENDED = frozenset({NOT_ELIGIBLE, DECLINED, WITHDRAWN})
ASKED = frozenset({"patient", "relative"})
"""Who declined was asked; where a physician declined, nobody was."""
AFTER_CONSENT = "consent-withdrawn"
OTHER = "other"
"""Stands for a reason that is no code of the trial's page: a person's words are in no count."""
NAMES = {
    Stage.FLAGGED: mark("Shown to people"),
    Stage.ELIGIBLE: mark("Found eligible by a person"),
    Stage.APPROACHED: mark("Approached for consent"),
    Stage.CONSENTED: mark("Consented"),
    Stage.RANDOMISED: mark("Randomised"),
}
WAITING = {
    Stage.FLAGGED: mark("not decided yet"),
    Stage.ELIGIBLE: mark("not approached yet"),
    Stage.APPROACHED: mark("no answer yet"),
    Stage.CONSENTED: mark("not randomised yet"),
}


@dataclass(frozen=True, slots=True)
class Passage:
    """How far an episode came, and with which words it ended there; `why` is empty while it goes on."""

    stage: Stage
    why: str = ""

    @property
    def settled(self) -> bool:
        """Whether a person said if the patient was eligible."""
        return self.stage >= Stage.ELIGIBLE or bool(self.why)


@dataclass(frozen=True, slots=True)
class Step:
    """`left` are those of `count` who did not go on, by reason, the most frequent first; the rest are the next step's."""

    name: str
    count: int
    left: tuple[tuple[str, int], ...] = ()

    @property
    def gone(self) -> int:
        return sum(number for _, number in self.left)

    def as_json(self) -> dict[str, Any]:
        return {"step": self.name, "count": self.count, "left": dict(self.left)}


def passage(one: Logged, trial: Trial) -> Passage:
    """By what people decided, in its order. Once randomised is randomised; `not-eligible` takes an `eligible` back."""
    past = [made.status for made in one.decisions]
    consent = next((a.answer for a in one.answers if a.id == trial.parameters.consent_criterion and a.by), "")
    stage = Stage.RANDOMISED if "on-study" in past else _last_reached(past)
    if stage < Stage.CONSENTED and consent == "met":
        stage = Stage.CONSENTED
    last = one.decisions[-1] if one.decisions else None
    if last is not None and last.status in ENDED:
        return _ended(stage, last.status, coded(trial, last.status, last.reason))
    if consent == "not-met" and stage < Stage.RANDOMISED:
        return Passage(Stage.APPROACHED, say("consent was not given"))
    return Passage(stage)


def _last_reached(past: Sequence[str]) -> Stage:
    """A step back is a correction."""
    return next((REACHED[status] for status in reversed(past) if status in REACHED), Stage.FLAGGED)


def _ended(stage: Stage, status: str, reason: str) -> Passage:
    if status == NOT_ELIGIBLE and stage is Stage.ELIGIBLE:
        stage = Stage.FLAGGED
    if status == DECLINED:
        stage = max(stage, Stage.APPROACHED if reason in ASKED else Stage.ELIGIBLE)
    if status == WITHDRAWN and reason == AFTER_CONSENT:
        stage = max(stage, Stage.CONSENTED)
    said = inner(words.sentence(status))
    return Passage(stage, f"{said}: {inner(words.sentence(reason))}" if reason else said)


def coded(trial: Trial, status: str, reason: str) -> str:
    """Only a reason code of the trial's page is told."""
    return reason if reason in dict(trial.statuses).get(status, ()) else OTHER * bool(reason)


def flow(trial: Trial, judged: Judged, listed: Iterable[Logged]) -> tuple[Step, ...]:
    """From everybody the rules looked at to those who were randomised."""
    many = [(one, passage(one, trial)) for one in listed]
    untold = {inner(words.verdict(verdict)): number for verdict, number in judged.untold.items()}
    first = Step(say("Looked at by the rules"), judged.episodes, _ordered(untold))
    return (first, *(_step(stage, many) for stage in Stage))


def _step(stage: Stage, many: Sequence[tuple[Logged, Passage]]) -> Step:
    here = [(one, found) for one, found in many if found.stage >= stage]
    if stage is Stage.RANDOMISED:
        return Step(say(NAMES[stage]), len(here))
    stayed = Counter(found.why or _waits(one, stage) for one, found in here if found.stage is stage)
    return Step(say(NAMES[stage]), len(here), _ordered(stayed))


def _waits(one: Logged, stage: Stage) -> str:
    """Nobody decided: because the machine took it back, because the time ran out, or not yet."""
    if stage is Stage.FLAGGED and one.verdict == "expired":
        return say("time ran out before anybody decided")
    if stage is Stage.FLAGGED and not one.standing:
        return say("taken back by the machine before anybody decided")
    return say(WAITING[stage])


def _ordered(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda one: (-one[1], one[0])))
