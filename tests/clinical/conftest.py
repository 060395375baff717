"""Patients of the worked examples: an emergency arrival, a SOFA by hand, ferritin and mHLA-DR."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from adapter import assets
from adapter.domain.assessment import Assessment, CriterionResult
from adapter.domain.observation import Laboratory, Observation
from adapter.domain.patient import Determination, PatientState
from adapter.domain.trial import Trial
from adapter.domain.truth import Truth
from adapter.eligibility.evaluate import assess
from adapter.eligibility.protocol import read_trial
from adapter.scoring.options import ScoringOptions
from tests.builders import T0, after, dictionary, observation

PROFILES = Path(__file__).parents[2] / "profiles"

Judge = Callable[..., Assessment]
AN_HOUR_LATER, ASKED_LATER, JUDGED_LATER = after(1), after(1.5), after(2)


@pytest.fixture(scope="session")
def immunosep() -> Trial:
    return read_trial(assets.load_document(PROFILES / "immunosep/trial.yaml"), dictionary().vocabulary)


@pytest.fixture
def judged(immunosep: Trial) -> Judge:
    """`judged(state, at)`: by default the local laboratory may decide; `requires="central"` is the protocol's way."""

    def judge(state: PatientState, at: datetime = JUDGED_LATER, *, requires: str = "any", **parts: Any) -> Assessment:
        trial = replace(immunosep, stratum_requires=requires, **parts)
        return assess(trial, state, at, options=ScoringOptions(), rulebook="sha256:0")

    return judge


@pytest.fixture
def central() -> Callable[..., Observation]:
    """A result of the central laboratory, an hour after arrival unless said otherwise."""

    def make(
        concept: str, value: object, unit: str | None = None, at: datetime = AN_HOUR_LATER, **parts: Any
    ) -> Observation:
        return observation(concept, str(value), unit, at, laboratory=Laboratory.CENTRAL, **parts)

    return make


@pytest.fixture
def six_organs() -> Callable[..., tuple[Observation, ...]]:
    """All six organs measured and normal, but for what is given: `six_organs(platelets=90)`."""

    def make(at: datetime = T0, **values: object) -> tuple[Observation, ...]:
        normal = {"pao2": 90, "fio2": "0.21", "platelets": 200, "bilirubin": "0.8", "map": 85, "creatinine": "0.9"}
        wanted = {**normal, "gcs-total": 15, **{name.replace("_", "-"): value for name, value in values.items()}}
        return tuple(
            observation(concept, str(value), None, at, specimen="arterial" if concept == "pao2" else "")
            for concept, value in wanted.items()
            if value is not None
        )

    return make


@pytest.fixture
def answered() -> Callable[..., Determination]:
    def make(criterion: str, answer: str, at: datetime = ASKED_LATER, by: str = "nurse") -> Determination:
        return Determination("immunosep", criterion, Truth(answer), at, by)

    return make


@pytest.fixture
def criterion() -> Callable[[Assessment, str], CriterionResult]:
    return lambda assessment, wanted: next(c for c in assessment.criteria if c.id == wanted)
