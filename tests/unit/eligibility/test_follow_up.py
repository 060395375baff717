"""After randomisation: study days and survival, as far as the hospital tells."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from adapter.domain.assessment import Assessment
from adapter.domain.encounter import EncounterAction, EncounterStatement
from adapter.domain.follow_up import FollowUp
from adapter.domain.observation import Observation
from adapter.domain.patient import Decision, Demographics, PatientState, Stated
from adapter.domain.trial import FollowUpPlan, Trial
from adapter.eligibility.evaluate import assess
from adapter.eligibility.explain import as_json
from adapter.eligibility.follow_up import follow_up
from adapter.scoring.chart import Chart
from adapter.scoring.options import ScoringOptions
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
    assert followed(judged, person(), RANDOMISED).randomised == RANDOMISED


def test_of_two_randomisations_the_first_counts_in_whichever_order_they_were_told(judged: Judge) -> None:
    patient = person()
    again = replace(patient.decisions[0], at=RANDOMISED + timedelta(days=3), by="ben")
    for told in ((*patient.decisions, again), (again, *patient.decisions)):
        assert followed(judged, replace(patient, decisions=told), LATER).randomised == RANDOMISED


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
    midnight = followed(judged, person(died="2026-01-03T00:00:00+00:00"), LATER)
    assert [day.day.number for day in midnight.days] == [1, 2], "midnight belongs to the day that begins"


@pytest.mark.parametrize(
    ("died", "status", "known_by"),
    [
        ("2026-01-29T23:59:59+00:00", "died", "2026-01-29T23:59:59"),
        ("2026-01-29", "died", "2026-01-29T23:59:59.999999"),  # by the end of that day
        ("2026-01-30T00:00:00+00:00", "alive", "2026-01-30T00:00:00"),
        ("2026-01-30", "alive", "2026-01-30T00:00:00"),  # until it began
        ("2026-02", "alive", "2026-02-01T00:00:00"),
        ("2026-01", "unknown", None),  # told on the 30th: before or after the 29th?
    ],
)
def test_survival_goes_by_what_the_time_of_death_says(
    judged: Judge, died: str, status: str, known_by: str | None
) -> None:
    (one,) = followed(judged, person(died=died, told=DAY_28_OVER + timedelta(hours=9)), LATER).survival
    assert (one.day.number, one.status) == (28, status)
    assert one.known_by == (datetime.fromisoformat(f"{known_by}+00:00") if known_by else None)


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
    for at in (DAY_28_OVER, LATER):
        (one,) = followed(judged, person(moves=(visit(action=action, at=at),)), LATER).survival
        assert (one.status, one.known_by) == (status, at if status == "alive" else None)


def test_the_story_is_told_in_the_explanation(judged: Judge) -> None:
    patient = person(observation("platelets", "90", None, RANDOMISED), observation("map", "70", None, LATER))
    told = as_json(judged(patient, LATER, follow_up=PLAN), patient="x", software="y")["follow_up"]
    assert [day["day"] for day in told["days"]] == [1, 2, 28]
    first = {key: said for key, said in told["days"][0].items() if key not in {"components", "missing"}}
    assert first == {"day": 1, "date": "2026-01-02", "low": 2, "high": 22, "carried": []}
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
    gone = visit(action=EncounterAction.DISCHARGE, at=RANDOMISED + timedelta(hours=1))
    back = visit(at=RANDOMISED + timedelta(hours=2), number="V2")
    at = RANDOMISED + timedelta(hours=3)
    assert judged(person(moves=(gone, back)), at, follow_up=FollowUpPlan()).episode == "V2"


@pytest.mark.parametrize(("days", "status"), [(27, "died"), (28, "alive")])
def test_a_discharge_of_whoever_died_is_a_death(judged: Judge, days: int, status: str) -> None:
    """One of day 29 says that the patient lived on day 28."""
    gone = replace(visit(action=EncounterAction.DISCHARGE, at=RANDOMISED + timedelta(days=days)), expired=True)
    (one,) = followed(judged, person(moves=(gone,)), LATER).survival
    assert one.status == status


# --- where the hospital lies, where the machine stands ---------------------------------------------------------------

ATHENS = ZoneInfo("Europe/Athens")
NIGHT = datetime(2026, 1, 2, 22, 30, tzinfo=UTC)
"""Half past midnight of 3 January in Athens: day 28 is the 30th, and over at 22:00 UTC."""
NIGHT_OVER = datetime(2026, 1, 30, 22, tzinfo=UTC)


def in_athens(trial: Trial, patient: PatientState, at: datetime) -> Assessment:
    (decided,) = patient.decisions
    asked = replace(trial, follow_up=PLAN)
    known = replace(patient, decisions=(replace(decided, at=NIGHT),))
    return assess(asked, known, at, options=ScoringOptions(timezone=ATHENS), rulebook="")


def test_study_days_are_those_of_the_hospital(immunosep: Trial) -> None:
    """In UTC the first result was still of the day before; the second day carries the worst of the first."""
    results = (
        observation("platelets", value, None, NIGHT + timedelta(minutes=minutes))
        for value, minutes in (("18", -20), ("90", 12 * 60))
    )
    found = in_athens(immunosep, person(*results), NIGHT + timedelta(days=2)).follow_up
    assert found is not None
    assert [(one.day.date.isoformat(), one.organs["coagulation"].score, one.carried) for one in found.days] == [
        ("2026-01-03", 4, ()),
        ("2026-01-04", 4, ("coagulation",)),
    ]
    assert found.days[0].day.start == datetime(2026, 1, 2, 22, tzinfo=UTC)


@pytest.mark.parametrize(("early", "episode"), [(timedelta.resolution, "V1"), (timedelta(0), "V2")])
def test_somebody_is_followed_until_the_last_midnight_of_the_hospital(
    immunosep: Trial, early: timedelta, episode: str
) -> None:
    gone = visit(action=EncounterAction.DISCHARGE, at=RANDOMISED + timedelta(days=3))
    back = visit(at=RANDOMISED + timedelta(days=5), number="V2")
    assert in_athens(immunosep, person(moves=(gone, back)), NIGHT_OVER - early).episode == episode


@pytest.mark.parametrize(
    ("died", "status", "known_by"),
    [
        ("2026-01-30", "died", NIGHT_OVER - timedelta.resolution),
        ("2026-01-31", "alive", NIGHT_OVER),
        ("2026-02", "alive", NIGHT_OVER + timedelta(days=1)),
    ],
)
def test_a_date_of_death_is_one_of_the_hospital(immunosep: Trial, died: str, status: str, known_by: datetime) -> None:
    found = in_athens(immunosep, person(died=died), NIGHT_OVER + timedelta(days=3)).follow_up
    assert found is not None
    assert [(one.status, one.known_by) for one in found.survival] == [(status, known_by)]


@pytest.fixture
def in_auckland(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own clock, which says nothing of the hospital."""
    with monkeypatch.context() as here:
        here.setenv("TZ", "Pacific/Auckland")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_auckland")
@pytest.mark.parametrize(
    "patient",
    [
        person(died="2026-01-20T08:00:00+02:00"),
        person(died="2026-01-20"),
        person(died="2026", told=RANDOMISED + timedelta(days=7)),
        person(moves=(visit(action=EncounterAction.TRANSFER, at=LATER.astimezone(ATHENS)),)),
    ],
    ids=["a moment of death", "a day", "a year", "a movement"],
)
def test_times_are_told_in_utc_wherever_the_machine_stands(judged: Judge, patient: PatientState) -> None:
    told = as_json(judged(patient, LATER, follow_up=PLAN), patient="x", software="y")["follow_up"]
    assert told["survival"][0]["known_by"].endswith("+00:00")


# --- what is remembered ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "options"),
    [
        (replace(PLAN, sofa_days=(28,)), ScoringOptions()),
        (replace(PLAN, carry_forward=timedelta(0)), ScoringOptions()),
        (PLAN, ScoringOptions(rrt_scores_4=True)),
    ],
    ids=["other days", "nothing is carried", "other points"],
)
def test_another_plan_is_answered_anew_on_the_same_chart(
    immunosep: Trial, plan: FollowUpPlan, options: ScoringOptions
) -> None:
    results = (
        observation("renal-replacement", "crrt", None, RANDOMISED),
        observation("platelets", "90", None, DAY_28_OVER - timedelta(hours=30)),
    )
    chart = Chart(person(*results))
    first = follow_up(replace(immunosep, follow_up=PLAN), chart, RANDOMISED, LATER, ScoringOptions())
    asked = replace(immunosep, follow_up=plan)
    other = follow_up(asked, chart, RANDOMISED, LATER, options)
    assert other == follow_up(asked, Chart(chart.state), RANDOMISED, LATER, options) != first


def test_a_late_result_is_looked_at_on_the_same_chart(immunosep: Trial) -> None:
    chart, score = Chart(person()), list[int | None]()
    late = person(observation("platelets", "18", None, RANDOMISED + timedelta(hours=2)))
    for state in (chart.state, late):
        chart = chart.followed_by(state)
        told = follow_up(replace(immunosep, follow_up=PLAN), chart, RANDOMISED, LATER, ScoringOptions())
        score.append(told.days[0].organs["coagulation"].score)
    assert score == [None, 4]
