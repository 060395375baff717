"""Infection and onset as people record them, over what the machine finds."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from adapter.domain.onset import ONSET, Onset, stated
from adapter.domain.patient import Determination
from adapter.domain.trial import Trial
from adapter.domain.truth import Truth
from adapter.eligibility.clock import onset_of
from adapter.eligibility.view import Stay, instant

Told = Mapping[str, Determination]


def recorded(trial: Trial, told: Told) -> datetime | None:
    """When a person recorded that there is an infection."""
    answer = told.get(trial.parameters.infection_criterion)
    return instant(answer.at) if answer is not None and answer.answer is Truth.MET else None


def with_onset(trial: Trial, told: Told) -> Told:
    """Whoever says when sepsis began says that it did, unless they answered the criterion itself."""
    sepsis, onset = trial.parameters.sepsis_criterion, stated(told.get(ONSET))
    if onset is None or sepsis in told:
        return told
    return {**told, sepsis: replace(told[ONSET], criterion=sepsis, note=onset.reason)}


def onset_by(stay: Stay, told: Told, at: datetime) -> Onset:
    """A person's time; else the machine's; where it found none, the time a person answered for; none where one says that
    there is no sepsis.
    """
    computed, said = onset_of(stay, at), stated(told.get(ONSET))
    answer = told.get(stay.trial.parameters.sepsis_criterion)
    if answer is not None and answer.answer is Truth.NOT_MET:
        return Onset(None, computed)
    if said is not None and said.at is not None:
        return replace(said, at=instant(said.at), computed=computed)
    if computed is None and answer is not None and answer.answer is Truth.MET:
        return Onset(instant(answer.at), None)
    return Onset(computed, computed)
