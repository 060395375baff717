"""After randomisation: study days and survival, as far as the hospital tells."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapter.domain.assessment import Assessment
from adapter.domain.encounter import EncounterAction, EncounterStatement
from adapter.domain.follow_up import FollowUp
from adapter.domain.observation import Observation
from adapter.domain.patient import Decision, Demographics, PatientState, Stated
from adapter.domain.trial import FollowUpPlan
from adapter.eligibility.explain import as_json
from tests.builders import observation, state_of, visit

RANDOMISED = datetime(2026, 1, 2, 15, tzinfo=UTC)
"""Day 1 is 2 January; day 28 is over at the midnight after 29 January."""
DAY_28_OVER = datetime(2026, 1, 30, tzinfo=UTC)
LATER = DAY_28_OVER + timedelta(days=1)
PLAN = FollowUpPlan(sofa_days=(1, 2, 28), survival_days=(28,), carry_forward=timedelta(hours=48))

Judge = Callable[..., Assessment]


def person(
    *results: Observation, died: str = "", told: datetime = RANDOMISED, moves: tuple[EncounterStatement, ...] = ()
) -> PatientState:
    decided = Decision("immunosep", "V1", "on-study", RANDOMISED, "ilse")
    patient = state_of(*results, encounter=(visit(), *moves), decisions=(decided,))
    if not died:
        return patient
    return replace(patient, demographics=Demographics({**patient.demographics.fields, "died": Stated(died, told)}))


def followed(judged: Judge, patient: PatientState, at: datetime) -> FollowUp:
    found = judged(patient, at, follow_up=PLAN).follow_up
    assert found is not None
    return found


def test_nobody_is_followed_before_randomisation(judged: Judge) -> None:
    assert judged(person(), RANDOMISED - timedelta(seconds=1), follow_up=PLAN).follow_up is None


def test_a_day_is_told_when_it_is_over_and_the_next_look_is_then(judged: Judge) -> None:
    one = judged(
        person(observation("platelets", "90", None, RANDOMISED)), RANDOMISED + timedelta(hours=1), follow_up=PLAN
    )
    assert one.follow_up is not None
    assert (one.follow_up.days, one.review_at) == ((), datetime(2026, 1, 3, tzinfo=UTC))
    two = judged(
        person(observation("platelets", "90", None, RANDOMISED)), datetime(2026, 1, 3, tzinfo=UTC), follow_up=PLAN
    )
    assert two.follow_up is not None
    (day,) = two.follow_up.days
    assert (day.day.number, day.organs["coagulation"].score, two.review_at) == (1, 2, datetime(2026, 1, 4, tzinfo=UTC))


def test_a_result_of_a_day_that_comes_later_is_part_of_it(judged: Judge) -> None:
    late = observation("platelets", "18", None, RANDOMISED + timedelta(hours=2), issued=RANDOMISED + timedelta(days=3))
    assert followed(judged, person(late), LATER).days[0].organs["coagulation"].score == 4


def test_no_day_is_asked_for_after_a_death(judged: Judge) -> None:
    found = followed(judged, person(died="2026-01-03T10:00:00+00:00"), LATER)
    assert [day.day.number for day in found.days] == [1, 2]


@pytest.mark.parametrize(
    ("died", "status"),
    [
        ("2026-01-29T23:59:59+00:00", "died"),
        ("2026-01-29", "died"),
        ("2026-01-30T00:00:00+00:00", "alive"),
        ("2026-01-30", "alive"),
        ("2026-01", "unknown"),  # told on the 31st: before or after the 29th?
    ],
)
def test_survival_goes_by_what_the_time_of_death_says(judged: Judge, died: str, status: str) -> None:
    (one,) = followed(judged, person(died=died, told=DAY_28_OVER + timedelta(hours=9)), LATER).survival
    assert one.status == status


def test_a_death_whose_day_nobody_wrote_was_before_we_were_told(judged: Judge) -> None:
    (one,) = followed(judged, person(died="2026", told=DAY_28_OVER - timedelta(days=4)), LATER).survival
    assert one.status == "died"


def test_silence_is_neither_life_nor_death(judged: Judge) -> None:
    (one,) = followed(judged, person(), LATER).survival
    assert (one.status, one.known_by) == ("unknown", None)


@pytest.mark.parametrize(("hours", "status"), [(-1, "unknown"), (0, "alive"), (20, "alive"), (30, "unknown")])
def test_a_measurement_after_the_day_is_a_sign_of_life(judged: Judge, hours: int, status: str) -> None:
    """One that is dated later than now is not."""
    seen = observation("map", "70", None, DAY_28_OVER + timedelta(hours=hours))
    (one,) = followed(judged, person(seen), LATER).survival
    assert one.status == status


@pytest.mark.parametrize(
    ("action", "status"),
    [
        (EncounterAction.TRANSFER, "alive"),
        (EncounterAction.ADMIT, "alive"),
        (EncounterAction.UPDATE, "unknown"),
        (EncounterAction.DISCHARGE, "unknown"),
    ],
)
def test_only_movements_that_the_living_make_are_signs_of_life(
    judged: Judge, action: EncounterAction, status: str
) -> None:
    moved = visit(action=action, at=DAY_28_OVER + timedelta(hours=1))
    (one,) = followed(judged, person(moves=(moved,)), LATER).survival
    assert one.status == status


def test_the_story_is_told_in_the_explanation(judged: Judge) -> None:
    patient = person(observation("platelets", "90", None, RANDOMISED), observation("map", "70", None, LATER))
    told = as_json(judged(patient, LATER, follow_up=PLAN), patient="x", software="y")["follow_up"]
    assert [day["day"] for day in told["days"]] == [1, 2, 28]
    assert told["days"][0]["components"]["coagulation"]["score"] == 2
    assert told["days"][1]["carried"] == ["coagulation"]
    assert told["survival"] == [{"day": 28, "date": "2026-01-29", "status": "alive", "known_by": LATER.isoformat()}]
    assert told["next"] is None


@pytest.mark.parametrize(
    ("at", "episode"), [(DAY_28_OVER - timedelta(seconds=1), "V1"), (DAY_28_OVER, "V2"), (LATER, "V2")]
)
def test_a_new_visit_is_no_new_episode_while_somebody_is_followed(judged: Judge, at: datetime, episode: str) -> None:
    """Else the ferritin of the readmission would be shown, and who is treated already be asked again (reliability P11)."""
    gone = visit(action=EncounterAction.DISCHARGE, at=RANDOMISED + timedelta(days=3))
    back = visit(at=RANDOMISED + timedelta(days=5), number="V2")
    ferritin = observation("ferritin", "613", None, RANDOMISED + timedelta(days=6))
    found = judged(person(ferritin, moves=(gone, back)), at, follow_up=PLAN)
    assert (found.episode, "ferritin" in found.facts) == (episode, episode == "V2")


def test_a_trial_without_a_plan_follows_nobody(judged: Judge) -> None:
    found = judged(person(), LATER, follow_up=FollowUpPlan())
    assert found.follow_up == FollowUp(RANDOMISED)


@pytest.mark.parametrize(("days", "status"), [(27, "died"), (28, "alive")])
def test_a_discharge_of_whoever_died_is_a_death(judged: Judge, days: int, status: str) -> None:
    """One of day 29 says that the patient lived on day 28."""
    gone = replace(visit(action=EncounterAction.DISCHARGE, at=RANDOMISED + timedelta(days=days)), expired=True)
    (one,) = followed(judged, person(moves=(gone,)), LATER).survival
    assert one.status == status
