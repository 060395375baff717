"""An onset belongs to an infection: what a patient suffered long before it is another illness (ADR 42)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from adapter.domain.administration import Administration
from adapter.domain.assessment import Assessment, Sepsis
from adapter.domain.condition import Condition, ConditionStatus
from adapter.domain.encounter import EncounterClass
from adapter.domain.observation import Observation
from adapter.domain.trial import Trial
from adapter.eligibility.evaluate import assess
from adapter.scoring.chart import Chart
from adapter.scoring.options import ScoringOptions
from tests.builders import T0, after, given, observation, state_of, visit

Judge = Callable[..., Assessment]
Make = Callable[..., Any]
ED = visit(at=T0)
WARD = visit(at=T0, cls=EncounterClass.INPATIENT, ward="SURG")
IMMUNE = (("ferritin", "900"), ("mhladr", "3000"))


def immune(at: float) -> tuple[Observation, ...]:
    return tuple(observation(concept, value, at=after(at)) for concept, value in IMMUNE)


def antibiotic(at: float) -> Administration:
    return given("antibacterial", dose="1", unit="g", at=after(at))


@pytest.fixture
def injured(six_organs: Make) -> tuple[Observation, ...]:
    """SOFA 3 on arrival, 1 from the second day on, 6 on the sixth; a sputum that grew an hour later."""
    days = (one for day in range(1, 5) for one in six_organs(at=after(24 * day), platelets=140, creatinine="1.1"))
    worse = six_organs(at=after(122), platelets=80, creatinine="2.2", gcs_total=13, map=65)
    sputum = observation("culture-other", "klebsiella pneumoniae", at=after(123))
    return (*six_organs(at=after(1), platelets=90, creatinine="1.3"), *days, *worse, *immune(126), sputum)


def test_a_pneumonia_of_the_sixth_day_is_not_the_injury_of_the_first(
    judged: Judge, injured: tuple[Observation, ...]
) -> None:
    state = state_of(*injured, encounter=ED, administrations=(antibiotic(123.5),))
    found = judged(state, after(127))
    sepsis = found.sepsis
    assert sepsis.baseline is not None
    assert (sepsis.context, sepsis.infection, sepsis.baseline.low) == ("inpatient", after(123), 3)
    assert (found.verdict, sepsis.onset, sepsis.onset_low, sepsis.increase_low) == ("candidate", after(122), 6, 3)


def test_while_no_infection_is_on_record_the_onset_stays_where_it_was_found(
    immunosep: Trial, injured: tuple[Observation, ...]
) -> None:
    """And it is searched again on the same chart when the antibiotic is told."""
    chart, onsets = Chart(state_of(*injured, encounter=ED)), list[datetime | None]()
    for drugs in ((), (antibiotic(123.5),)):
        chart = chart.followed_by(state_of(*injured, encounter=ED, administrations=drugs))
        onsets.append(assess(immunosep, chart, after(127), options=ScoringOptions(), rulebook="").sepsis.onset)
    assert onsets == [after(1), after(122)]


def test_a_rise_after_an_operation_is_not_the_sepsis_of_a_week_later(judged: Judge, six_organs: Make) -> None:
    healthy = (one for day in (0, 1, 4, 5, 6, 7, 8) for one in six_organs(at=after(24 * day + 1)))
    operated = six_organs(at=after(50), platelets=95, creatinine="1.3")
    septic = six_organs(at=after(218), platelets=90, creatinine="2.2", map=65)
    sputum = observation("culture-other", "klebsiella pneumoniae", at=after(219))
    told = (*healthy, *operated, *septic, *immune(222), sputum)
    found = judged(state_of(*told, encounter=WARD, administrations=(antibiotic(219.5),)), after(223))
    assert (found.verdict, found.sepsis.onset, found.sepsis.increase_low) == ("candidate", after(218), 5)


@pytest.mark.parametrize(
    ("hour", "context", "onset"),
    [
        (48, "emergency", 30),
        (48.01, "inpatient", 30),
        (78, "inpatient", 30),
        (78.01, "inpatient", 30.01),
        (102.01, "inpatient", None),
    ],
)
def test_the_search_begins_two_days_before_the_infection(
    judged: Judge, six_organs: Make, hour: float, context: str, onset: float | None
) -> None:
    """Three points from hour 30 on, gone when they have left the day at hour 54."""
    told = (*six_organs(), *six_organs(at=after(30), platelets=45), *six_organs(at=after(53)))
    grown = observation("culture-organism", "escherichia coli", at=after(hour))
    sepsis = judged(state_of(*told, grown, encounter=ED), after(103)).sepsis
    assert (sepsis.context, sepsis.onset) == (context, None if onset is None else after(onset))


def test_a_contaminated_bottle_of_the_second_day_leaves_the_admission_score_known(
    judged: Judge, six_organs: Make, answered: Make
) -> None:
    healthy = (one for day in range(7) for one in six_organs(at=after(24 * day + 1)))
    bottle = observation("culture-organism", "staphylococcus epidermidis", at=after(26))
    told = (*healthy, bottle, *six_organs(at=after(170), platelets=90, creatinine="2.2", map=65), *immune(172))
    for answers in ((), (answered("I5", "met", after(171)),)):
        found = judged(state_of(*told, encounter=WARD, determinations=answers), after(175))
        assert (found.verdict, found.sepsis.onset, found.sepsis.increase_low) == ("candidate", after(170), 5)
        assert found.sepsis.infection == (after(171) if answers else None)


# --- what somebody recorded was known by then ------------------------------------------------------------------------


def recorded(how: str, at: float, answered: Make) -> dict[str, Any]:
    if how == "answer":
        return {"determinations": (answered("I5", "met", after(at)),)}
    coded = Condition("J18.9", "icd-10", "J18.9", ConditionStatus.ACTIVE, after(at), "1", digest=str(at))
    return {"conditions": (coded,)}


@pytest.mark.parametrize("how", ["answer", "diagnosis"])
@pytest.mark.parametrize("encounter", [ED, WARD], ids=["emergency", "ward"])
def test_an_answer_while_the_clock_runs_confirms_its_onset_and_does_not_move_it(
    judged: Judge, six_organs: Make, answered: Make, encounter: Any, how: str
) -> None:
    """Septic since hour 60 (on the ward) or since the first hour; who answers two days and a half later says not since when."""
    began = 1 if encounter is ED else 60
    told = (*six_organs(), *six_organs(at=after(began), platelets=45), *six_organs(at=after(began + 30)))

    def sepsis(**parts: Any) -> Sepsis:
        return judged(state_of(*told, encounter=encounter, **parts), after(began + 71)).sepsis

    before, since = sepsis(), sepsis(**recorded(how, began + 70, answered))
    assert (before.onset, before.provisional) == (after(began), True)
    assert (since.onset, since.provisional, since.context) == (after(began), False, before.context)


def test_an_answer_after_the_clock_has_ended_is_of_another_infection(
    judged: Judge, injured: tuple[Observation, ...], answered: Make
) -> None:
    found = judged(state_of(*injured, encounter=ED, **recorded("answer", 123, answered)), after(127))
    assert (found.verdict, found.sepsis.context, found.sepsis.onset) == ("candidate", "inpatient", after(122))
