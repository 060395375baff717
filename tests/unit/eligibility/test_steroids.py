"""E11 in its three readings (clinical 1.6): a person (as shipped), any day, or each of fifteen days; data says no in none of them."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from adapter import assets
from adapter.domain.administration import Administration
from adapter.domain.observation import Observation
from adapter.domain.quantity import decimal_text
from adapter.domain.trial import Comparison, Trial
from adapter.domain.truth import Truth
from adapter.eligibility.evaluate import assess
from adapter.eligibility.finding import Reading
from adapter.eligibility.plan import plan_of
from adapter.eligibility.protocol import read_trial
from adapter.eligibility.steroids import NO_WEIGHT, every_day, steroid
from adapter.eligibility.view import Stay, View
from adapter.scoring.chart import Chart
from adapter.scoring.options import ScoringOptions
from tests.builders import T0, dictionary, given, observation, state_of, visit

PAGE = (Path(__file__).parents[3] / "profiles/immunosep/trial.yaml").read_text()
AS_SHIPPED = "suggested_when: {fact: steroid.daily, of: corticosteroid, at_least: 0.4, within: 15 d}"
ANY_DAY = AS_SHIPPED.replace("suggested_when", "met_when")
EVERY_DAY = ANY_DAY.replace("steroid.daily", "steroid.every_day")
ADMITTED = T0 - timedelta(days=20)
FULL, LITTLE = "28", "27.9"
"""Milligrams of prednisone at 70 kg: 0.4 mg/kg, and less."""

WEIGHT = observation("weight", 70, at=ADMITTED)
NOW = T0 + timedelta(hours=2)

Read = Callable[..., Truth]
Fact = Callable[[View, Comparison], Reading]


@pytest.fixture
def read_as(tmp_path: Path) -> Read:
    def read(mode: str, *drugs: Administration, hours: float = 2) -> Truth:
        assert PAGE.count(AS_SHIPPED) == 1
        path = tmp_path / "trial.yaml"
        path.write_text(PAGE.replace(AS_SHIPPED, mode))
        trial = read_trial(assets.load_document(path), dictionary().vocabulary)
        state = state_of(WEIGHT, encounter=visit(at=ADMITTED), administrations=drugs)
        at = T0 + timedelta(hours=hours)
        found = assess(trial, state, at, options=ScoringOptions(), rulebook="")
        return next(one.answer for one in found.criteria if one.id == "E11")

    return read


def taken(days: range, dose: str = FULL) -> list[Administration]:
    """Once a day, at the hour of T0, so many days ago."""
    return [given("prednisone", dose=dose, unit="mg", at=T0 - timedelta(days=n), route="oral") for n in days]


@pytest.mark.parametrize(
    ("drugs", "any_day", "every_day"),
    [
        ([], Truth.UNKNOWN, Truth.UNKNOWN),
        (taken(range(1)), Truth.MET, Truth.UNKNOWN),
        (taken(range(1), LITTLE), Truth.UNKNOWN, Truth.UNKNOWN),
        (taken(range(14)), Truth.MET, Truth.UNKNOWN),
        (taken(range(15)), Truth.MET, Truth.MET),
        (taken(range(15), LITTLE), Truth.UNKNOWN, Truth.UNKNOWN),
        ([*taken(range(7)), *taken(range(7, 8), LITTLE), *taken(range(8, 15))], Truth.MET, Truth.UNKNOWN),
        ([*taken(range(7)), *taken(range(8, 16))], Truth.MET, Truth.UNKNOWN),
    ],
)
def test_three_readings_of_one_sentence(
    read_as: Read, drugs: list[Administration], any_day: Truth, every_day: Truth
) -> None:
    assert read_as(AS_SHIPPED, *drugs) is Truth.UNKNOWN
    assert read_as(ANY_DAY, *drugs) is any_day
    assert read_as(EVERY_DAY, *drugs) is every_day


def test_a_dose_that_is_not_due_yet_today_breaks_no_course(read_as: Read) -> None:
    """Fifteen days up to yesterday are fifteen days; the window of fifteen days must still reach the first of them."""
    assert read_as(EVERY_DAY, *taken(range(1, 16)), hours=-1) is Truth.MET


def test_a_course_that_ended_is_told_by_its_last_days(read_as: Read) -> None:
    assert read_as(EVERY_DAY, *taken(range(3, 20))) is Truth.UNKNOWN


# --- what is shown beside it ------------------------------------------------------------------------------------------


@pytest.fixture
def reading(immunosep: Trial) -> Callable[..., Reading]:
    criterion = immunosep.criterion("E11")
    assert criterion is not None
    asked = criterion.suggested_when
    assert isinstance(asked, Comparison)

    def read(*drugs: Administration, weights: tuple[Observation, ...] = (WEIGHT,), fact: Fact = steroid) -> Reading:
        state = state_of(*weights, administrations=drugs)
        stay = Stay(immunosep, plan_of(immunosep), Chart(state), ScoringOptions(), None, None)
        return fact(View(stay, NOW), asked)

    return read


@pytest.mark.parametrize(("fact", "name"), [(steroid, "steroid.daily"), (every_day, "steroid.every_day")])
def test_the_amount_is_shown_with_its_unit_its_time_and_where_it_was_told(
    reading: Callable[..., Reading], fact: Fact, name: str
) -> None:
    """Of the day with the highest sum, which need not be that of the highest dose, nor the newest one; with its doses."""
    when = [T0 - timedelta(hours=h) for h in (26, 25, 1)]
    doses = [
        given("prednisone", dose=mg, unit="mg", at=at, route="oral", message=told)
        for at, mg, told in zip(when, ("20", "15", "28"), ("11", "12", "13"), strict=True)
    ]
    shown, *rest = reading(*doses, fact=fact).evidence
    assert (shown.concept, shown.unit, shown.effective, shown.message) == (name, "mg/kg", when[0], "11")
    assert shown.note == "median 0.45 mg/kg over 2 days with any; 2 days of 0.4 mg/kg or more"
    assert [one.message for one in rest] == ["11", "12"]


@pytest.mark.parametrize(
    ("weights", "per_kg"),
    [
        ([(70, -1)], "0.4"),
        ([(70, -1), (56, 0)], "0.5"),  # of this very moment
        ([(70, -1), (56, 1)], "0.4"),  # of later
        ([(70, -1), (0, 0)], None),  # nobody weighs nothing
        ([("0.8", 0)], "35"),
        ([], None),
    ],
)
def test_the_newest_weight_that_is_known_by_now_counts(
    reading: Callable[..., Reading], weights: list[tuple[str | int, int]], per_kg: str | None
) -> None:
    known = tuple(observation("weight", kg, at=NOW + timedelta(hours=h)) for kg, h in weights)
    found = reading(*taken(range(1)), weights=known)
    assert [decimal_text(one.low) for one in found.intervals if one.low is not None] == ([per_kg] if per_kg else [])
    assert (found.asks, found.missing) == (((), ()) if per_kg else ((NO_WEIGHT,), ("weight",)))
