"""A patient's state with some of its concepts replaced: what the scorer would have been given under another convention."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from adapter.domain.administration import Administration
from adapter.domain.observation import Observation, Original, Result, ResultStatus
from adapter.domain.patient import PatientState
from adapter.domain.quantity import Quantity
from tests.builders import usable


def only(state: PatientState, concepts: Iterable[str]) -> PatientState:
    return replace(state, results={name: state.results[name] for name in concepts if name in state.results})


def put(state: PatientState, concept: str, observations: Iterable[Observation]) -> PatientState:
    """`observations` in the place of all of that concept."""
    ordered = sorted(observations, key=lambda one: (one.effective, one.identity))
    return replace(state, results={**state.results, concept: tuple(Result((one,)) for one in ordered)})


def drop(state: PatientState, *concepts: str) -> PatientState:
    return replace(state, results={name: kept for name, kept in state.results.items() if name not in concepts})


def keep(state: PatientState, concept: str, such: Callable[[Observation], bool]) -> PatientState:
    return put(state, concept, filter(such, usable(state, concept)))


def given(state: PatientState, such: Callable[[Administration], bool]) -> PatientState:
    return replace(state, administrations=tuple(filter(such, state.administrations)))


def made(
    concept: str, at: datetime, value: Fraction | None, unit: str, *, code: str | None = None, specimen: str = ""
) -> Observation:
    """An observation that nobody sent."""
    amount = None if value is None else Quantity(value, unit)
    return Observation(
        identity=f"{concept} {at.isoformat()} {value} {code}",
        concept=concept,
        effective=at,
        status=ResultStatus.FINAL,
        original=Original("", unit, "", "mimic-code"),
        message="",
        quantity=amount,
        native=amount,
        code=code,
        specimen=specimen,
    )
