"""Drugs given (RAS) as the heart and the brain read them: worked examples 6, 13 and 14 and what stands round them."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from adapter.domain.administration import Administration
from adapter.domain.assessment import OrganScore, OrganStatus
from adapter.domain.observation import Observation, Original
from adapter.scoring.moments import moments
from adapter.scoring.options import ScoringOptions
from adapter.scoring.sofa import score
from adapter.scoring.therapy import Therapy
from adapter.scoring.thresholds import SEDATIVES, UNSCORED_VASOACTIVES
from tests.builders import T0, after, given, observation, state_of

LATER = after(3)
MAP_80 = observation("map", 80)


def weight(kilograms: int, at: datetime = T0 - timedelta(hours=1), concept: str = "weight") -> Observation:
    return observation(concept, kilograms, at=at)


def heart(
    *drugs: Administration,
    beside: tuple[Observation, ...] = (MAP_80,),
    at: datetime = LATER,
    basis: str = "base",
) -> OrganScore:
    options = ScoringOptions(norepinephrine_basis=basis)
    return score(state_of(*beside, administrations=drugs), at, options).organs["cardiovascular"]


@pytest.mark.parametrize(
    ("rate", "unit", "concentration", "kilograms", "points"),
    [
        ("0.5", "mg/h", "", 80, 4),
        ("0.4", "mg/h", "", 80, 3),
        ("8", "mL/h", "0.08", 70, 4),
        ("100", "ng/kg/min", "", 0, 3),
        ("101", "ng/kg/min", "", 0, 4),
        ("8", "ug/min", "", 80, 3),
        ("8.001", "ug/min", "", 80, 4),
        ("0.1", "ug/kg/min", "", 0, 3),
        ("6", "ug/kg/h", "", 0, 3),
        ("0.011520", "g/d", "", 80, 3),
    ],
)
def test_example_13_doses_in_every_unit(rate: str, unit: str, concentration: str, kilograms: int, points: int) -> None:
    drug = given("norepinephrine", rate, unit, until=after(2), concentration=concentration)
    found = heart(drug, beside=(MAP_80, weight(kilograms)) if kilograms else (MAP_80,))
    assert (found.score, found.low, found.high) == (points, points, points)


def test_example_13_the_worked_out_dose_is_shown_beside_what_was_told_and_the_weight_used() -> None:
    drug = given("norepinephrine", "0.5", "mg/h", until=after(2), message="7")
    found = heart(drug, beside=(MAP_80, weight(80)))
    dose, kilograms = found.evidence[:2]
    assert (dose.concept, dose.value, dose.unit) == ("norepinephrine-rate", "0.104167", "ug/kg/min")
    assert (dose.original_value, dose.original_unit, dose.message) == ("0.5", "mg/h", "7")
    assert dose.note == "sustained for 60 min; given as 0.5 mg/h"
    assert (kilograms.concept, kilograms.value) == ("weight", "80")


def test_example_13_the_salt_moves_the_dose() -> None:
    drug, beside = given("norepinephrine", "0.5", "mg/h", until=after(2)), (MAP_80, weight(80))
    salt, unknown = heart(drug, beside=beside, basis="bitartrate"), heart(drug, beside=beside, basis="unknown")
    assert (salt.score, salt.flags) == (3, ("norepinephrine_salt_converted",))
    assert (unknown.score, unknown.low, unknown.high, unknown.flags) == (4, 3, 4, ("norepinephrine_salt_unknown",))


@pytest.mark.parametrize(("minutes", "points"), [(40, 0), (59, 0), (60, 3), (61, 3)])
def test_example_13_an_infusion_counts_from_its_hour(minutes: int, points: int) -> None:
    found = heart(given("norepinephrine", "0.05", until=T0 + timedelta(minutes=minutes)))
    assert found.score == points
    assert ("infusion_under_60_min" in found.flags) == (points == 0)


@pytest.mark.parametrize(("gap", "points"), [(5, 3), (6, 0)])
def test_a_change_of_bag_of_five_minutes_is_one_infusion(gap: int, points: int) -> None:
    first = given("norepinephrine", "0.05", until=T0 + timedelta(minutes=30))
    again = T0 + timedelta(minutes=30 + gap)
    second = given("norepinephrine", "0.05", at=again, until=again + timedelta(minutes=30))
    assert heart(first, second).score == points


@pytest.mark.parametrize(
    ("told", "stop", "points"),
    [(after(3), (), 3), (after(2.5), (), 0), (None, (), 0), (after(3), ("stopped",), 0), (after(3), ("not-given",), 3)],
)
def test_a_short_second_giving_does_not_end_a_longer_one_whose_end_was_told_when_it_had_passed(
    told: datetime | None, stop: tuple[str, ...], points: int
) -> None:
    """What is told ahead is a plan, and a later rate may have replaced it."""
    long = given("norepinephrine", "0.05", at=after(0), until=after(2.6), identity="a", sender_time=told)
    short = given("norepinephrine", "0.05", at=after(0.6), until=after(0.8), identity="b", sender_time=after(3))
    ends = [given("norepinephrine", "", at=after(0.7), identity=state, state=state) for state in stop]
    assert heart(long, short, *ends).score == points


def test_what_runs_on_reaches_into_the_day_from_before_it() -> None:
    """The longer giving began before anything the window looks back for."""
    long = given("norepinephrine", "0.05", at=T0, until=after(30), identity="a", sender_time=after(31))
    short = given("norepinephrine", "0.3", at=after(1), until=after(1.2), identity="b", sender_time=after(31))
    for hour, points in ((29, 3), (30, 3), (53.9, 3), (54, 0)):
        assert heart(long, short, beside=(observation("map", 80, at=after(hour - 1)),), at=after(hour)).score == points


def test_of_three_pumps_each_runs_to_its_end() -> None:
    longest = given("norepinephrine", "0.05", at=T0, until=after(3), identity="a", sender_time=after(3))
    middle = given("norepinephrine", "0.3", at=after(0.2), until=after(1.5), identity="b", sender_time=after(3))
    short = given("norepinephrine", "0.4", at=after(0.4), until=after(0.5), identity="c", sender_time=after(3))
    assert heart(longest, middle, short).score == 4
    assert heart(longest, middle, short, at=after(1.1)).score == 3
    assert (
        heart(longest, middle, short, given("norepinephrine", "", at=after(0.45), identity="d", state="stopped")).score
        == 0
    )


def test_a_bag_that_stops_as_the_next_begins_does_not_stop_it() -> None:
    old = given("norepinephrine", "0.2", at=T0, identity="a")
    stop = given("norepinephrine", "", at=after(0.5), identity="z", state="stopped")
    new = given("norepinephrine", "0.2", at=after(0.5), identity="m", until=after(1))
    assert heart(old, stop, new).score == 4


def test_a_stop_ends_what_ran_and_a_rate_of_zero_scores_nothing() -> None:
    stopped = given("norepinephrine", "", at=after(0.5), state="stopped")
    assert heart(given("norepinephrine", "0.2"), stopped).score == 0
    assert heart(given("norepinephrine", "0.2")).score == 4
    assert heart(given("norepinephrine", "0", until=after(2))).flags == ()


def test_a_told_end_holds_longer_than_a_charted_rate_and_leaves_with_the_day() -> None:
    long = given("norepinephrine", "0.05", until=after(30))
    for hour, points in ((29, 3), (30 + 23.9, 3), (54, 0)):
        assert heart(long, beside=(observation("map", 80, at=after(hour - 1)),), at=after(hour)).score == points, hour


def test_a_push_and_what_goes_elsewhere_than_into_a_vein_never_count() -> None:
    assert heart(given("epinephrine", dose="1", unit="mg")).score == 0
    assert heart(given("epinephrine", dose="1", unit="mg", until=T0)).score == 0
    assert heart(given("epinephrine", "0.2", until=after(2), route="inhaled")).score == 0
    assert heart(given("norepinephrine", "0.2", until=after(2), state="not-given")).score == 0
    assert heart(given("norepinephrine", "0.2", until=after(2), state="ordered")).score == 0


def test_a_route_that_nobody_knows_may_lead_into_a_vein_and_may_not() -> None:
    found = heart(given("epinephrine", "0.2", until=after(2), route="other"))
    assert (found.score, found.low, found.high, found.flags) == (4, 0, 4, ("route_unknown",))
    unweighed = heart(given("epinephrine", "100", "ug/h", until=after(2), route="other"))
    assert (unweighed.low, unweighed.high, unweighed.flags) == (0, 4, ("weight_missing", "route_unknown"))
    assert heart(given("epinephrine", "0.2", until=after(2), route="topical")).score == 0


def test_a_dose_over_its_time_is_a_rate() -> None:
    drug = given("norepinephrine", dose="0.96", unit="mg", until=after(2))
    found = heart(drug, beside=(MAP_80, weight(80)))
    assert (found.score, found.evidence[0].value) == (3, "0.1")


@pytest.mark.parametrize(
    ("drug", "low", "high"), [("norepinephrine", 3, 4), ("epinephrine", 3, 4), ("dopamine", 2, 4), ("dobutamine", 2, 2)]
)
def test_without_a_weight_the_dose_is_anything_the_drug_may_be(drug: str, low: int, high: int) -> None:
    """80 kg is never assumed: that it ran is certain, how much is not."""
    found = heart(given(drug, "0.5", "mg/h", until=after(2)))
    assert (found.score, found.low, found.high) == (low, low, high)
    assert found.flags == ("weight_missing",)
    assert found.rule == f"{drug} at an unknown dose: {low} to {high} (Sepsis-3 Table 1)"


def test_without_a_concentration_millilitres_are_no_dose() -> None:
    found = heart(given("norepinephrine", "8", "mL/h", until=after(2)), beside=(MAP_80, weight(80)))
    assert (found.low, found.high, found.flags) == (3, 4, ("concentration_missing",))


@pytest.mark.parametrize(
    ("weights", "flag", "points"),
    [
        ((weight(80),), None, 4),
        ((weight(80, T0 - timedelta(days=7)),), None, 4),
        ((weight(80, T0 - timedelta(days=7, seconds=1)),), "weight_old", 4),
        ((weight(80, after(1)),), "weight_charted_later", 4),
        ((weight(80, T0 - timedelta(days=9)), weight(90, after(1))), "weight_charted_later", 3),
        ((weight(80, concept="weight-stated"),), "weight_stated", 4),
        ((weight(80, after(1), "weight-stated"),), "weight_stated", 4),
        ((weight(90), weight(70, concept="weight-stated")), None, 3),
        ((observation("weight", "<60", at=after(-0.5)), weight(80, after(1))), "weight_charted_later", 4),
        ((observation("weight", "0", at=T0), weight(80, concept="weight-stated")), "weight_stated", 4),
    ],
)
def test_which_weight_makes_the_dose(weights: tuple[Observation, ...], flag: str | None, points: int) -> None:
    found = heart(given("norepinephrine", "0.5", "mg/h", until=after(2)), beside=(MAP_80, *weights))
    assert found.score == points
    assert found.flags == (() if flag is None else (flag,))


@pytest.mark.parametrize(
    "drug",
    ["vasopressin", "terlipressin", "phenylephrine", "angiotensin-ii", "milrinone", "levosimendan", "metaraminol"],
)
def test_example_14_what_the_table_does_not_know_is_named_and_scores_nothing(drug: str) -> None:
    found = heart(given(drug, "0.03", "ug/kg/min", until=after(2)))
    assert (found.score, found.flags) == (0, ("unscored_vasoactive", f"{drug}_running"))
    gone = heart(given(drug, "0.03", until=after(2)), beside=(observation("map", 80, at=after(25)),), at=after(26))
    assert gone.flags == ()


@pytest.mark.parametrize(
    ("drug", "rate", "points"),
    [
        ("dopamine", "5", 2),
        ("dopamine", "5.1", 3),
        ("dopamine", "15", 3),
        ("dopamine", "15.1", 4),
        ("dobutamine", "2", 2),
    ],
)
def test_example_14_dopamine_and_dobutamine(drug: str, rate: str, points: int) -> None:
    assert heart(given(drug, rate, until=after(2))).score == points


@pytest.mark.parametrize(
    ("drug", "rate", "unit", "kilograms", "ends"),
    [
        ("norepinephrine", "20", "ug/min", 80, (4, 4, 4)),
        ("norepinephrine", "8", "ug/min", 80, (3, 3, 3)),
        ("norepinephrine", "0.5", "mg/h", 80, (4, 4, 4)),
        ("norepinephrine", "20", "ug/min", 0, (3, 3, 4)),
        ("norepinephrine", "8", "mL/h", 80, (3, 3, 4)),
        ("norepinephrine", "<20", "ug/min", 80, (3, 3, 4)),
        ("norepinephrine", "0", "ug/min", 80, (0, 0, 0)),
        ("dopamine", "1200", "ug/min", 80, (3, 3, 3)),
        ("dobutamine", "20", "mL/h", 0, (2, 2, 2)),
    ],
)
def test_a_charted_rate_is_weighed_as_a_given_one(
    drug: str, rate: str, unit: str, kilograms: int, ends: tuple[int, int, int]
) -> None:
    charted = [observation(f"{drug}-rate", rate, unit, at=after(hour)) for hour in (0, 1, 2)]
    found = heart(beside=(MAP_80, *charted, *((weight(kilograms),) if kilograms else ())))
    assert (found.score, found.low, found.high) == ends


def test_two_charted_rates_of_one_moment_that_need_a_weight_stay_two() -> None:
    two = [
        observation("norepinephrine-rate", rate, "ug/min", at=after(hour), identity=f"{rate}@{hour}")
        for rate in ("1", "20")
        for hour in (0, 1)
    ]
    assert heart(beside=(MAP_80, weight(80), *two)).high == 4


def test_a_weight_charted_later_is_a_moment_at_which_a_charted_rate_may_score_more() -> None:
    charted = [observation("norepinephrine-rate", "20", "ug/min", at=after(hour)) for hour in (0, 1, 2)]
    assert after(2.5) in moments(state_of(*charted, weight(80, after(2.5))), T0, LATER, ScoringOptions())


def test_an_amount_that_was_written_and_not_read_is_no_push() -> None:
    unread = replace(given("norepinephrine", ""), original=Original("12", "mcg/kg/fortnight", "x", "TEST"))
    found = heart(unread)
    assert (found.score, found.low, found.high, found.flags) == (0, 0, 4, ("dose_unknown",))


def test_a_vasoactive_drug_of_no_amount_is_no_push_either_a_sedative_is() -> None:
    """Missing is never normal. Of a sedative a dose before a procedure would leave the consciousness of a day undecided."""
    untold = Original("", "", "x", "TEST")
    found = heart(replace(given("norepinephrine", ""), original=untold))
    assert (found.score, found.low, found.high, found.flags) == (0, 0, 4, ("dose_unknown",))
    assert Therapy((replace(given("propofol", ""), original=untold),)).of("propofol-rate") == ()


# --- sedation -----------------------------------------------------------------------------------------------------------

GCS_14 = observation("gcs-total", 14, at=after(-0.5))
AT_SIX = after(6)
GCS_3 = observation("gcs-total", 3, at=AT_SIX)


def brain(*given_and_told: Observation | Administration, at: datetime = AT_SIX) -> OrganScore:
    told = [one for one in given_and_told if isinstance(one, Observation)]
    drugs = tuple(one for one in given_and_told if isinstance(one, Administration))
    return score(state_of(*told, administrations=drugs), at, ScoringOptions()).organs["cns"]


def test_example_06_the_gcs_under_propofol_is_not_scored_but_the_one_before() -> None:
    found = brain(given("propofol", "3", "mg/kg/h", until=after(10)), GCS_14, GCS_3)
    assert (found.score, found.low, found.high, found.status) == (1, 1, 1, OrganStatus.CARRIED)
    assert {"gcs_before_sedation", "sedated"} <= set(found.flags)


@pytest.mark.parametrize(("visit", "points"), [("V1", 1), ("V2", None), ("", 1)])
def test_the_gcs_before_a_sedative_is_one_of_its_visit(visit: str, points: int | None) -> None:
    before = observation("gcs-total", 14, at=after(-30), visit="V1")
    assert brain(given("propofol", "3", "mg/kg/h", until=after(10), visit=visit), before).score == points


def test_example_06_without_a_gcs_before_propofol_the_brain_is_missing() -> None:
    found = brain(given("propofol", "3", "mg/kg/h", until=after(10)), GCS_3)
    assert (found.score, found.low, found.high, found.flags) == (None, 0, 4, ("sedated",))


@pytest.mark.parametrize(("ended", "points"), [(5, None), (4.98, 4)])
def test_a_sedative_counts_for_an_hour_after_its_end(ended: float, points: int | None) -> None:
    assert brain(given("midazolam", "2", "mg/h", until=after(ended)), GCS_3).score == points


@pytest.mark.parametrize(
    ("rass", "hour", "points"),
    [(0, 4, 4), (-1, 4, 4), (-2, 4, None), (0, -1, None)],
    ids=["0", "-1", "-2", "before it"],
)
def test_a_light_rass_charted_under_the_sedative_outweighs_it(rass: int, hour: float, points: int | None) -> None:
    sedative = given("dexmedetomidine", "0.4", "ug/kg/h", until=after(10))
    assert brain(sedative, observation("rass", rass, at=after(hour)), GCS_3).score == points


@pytest.mark.parametrize(
    ("rates", "points"),
    [
        ([(0, "3"), (2, "2"), (3.5, "2"), (5.5, "2")], 4),
        ([(0, "3"), (5.5, "2")], None),
        ([(0, "3"), (2, "2"), (4, "0"), (5, "2")], None),
    ],
    ids=["one infusion, its rates turned", "another infusion", "stopped and begun again"],
)
def test_a_light_rass_outweighs_the_infusion_it_was_charted_under_and_no_later_one(
    rates: list[tuple[float, str]], points: int | None
) -> None:
    """RASS 0 at three o'clock: who was awake under propofol then is not asleep of it for its rate was turned since."""
    infusion = [given("propofol", number, "mg/kg/h", at=after(hour)) for hour, number in rates]
    assert brain(*infusion, observation("rass", 0, at=after(3)), GCS_3).score == points


def test_an_opioid_alone_is_no_sedation_and_a_push_of_midazolam_neither() -> None:
    assert brain(given("fentanyl", "100", "ug/h", until=after(10)), GCS_3).score == 4
    assert brain(given("midazolam", dose="2", unit="mg", at=after(5.9)), GCS_3).score == 4


def test_a_single_paralysing_dose_is_enough() -> None:
    paralysed = given("neuromuscular-blocker", dose="50", unit="mg", at=after(5.5))
    assert brain(paralysed, GCS_3).score is None
    assert brain(given("neuromuscular-blocker", dose="50", unit="mg", at=after(4)), GCS_3).score == 4


def test_a_sedative_whose_end_nobody_told_leaves_the_coma_undecided() -> None:
    """Its rate holds two hours; later it may run or not."""
    found = brain(given("propofol", "3", "mg/kg/h"), GCS_3)
    assert (found.score, found.low, found.high) == (4, 0, 4)
    assert "sedation_unknown" in found.flags
    stopped = given("propofol", "", at=after(3), state="stopped")
    assert brain(given("propofol", "3", "mg/kg/h"), stopped, GCS_3).low == 4


@pytest.mark.parametrize(("ends", "points"), [((10, 2.1), None), ((5, 2.1), None), ((4.9, 2.1), 4), ((10, 12), None)])
def test_a_bolus_within_an_infusion_does_not_end_it(ends: tuple[float, float], points: int | None) -> None:
    """Its end was told: the patient sleeps until then, and an hour longer."""
    infusion = given("propofol", "3", "mg/kg/h", until=after(ends[0]))
    bolus = given("propofol", dose="50", unit="mg", at=after(2), until=after(ends[1]))
    assert brain(infusion, bolus, GCS_3).score == points


def test_a_bolus_hides_no_infusion_whose_end_nobody_told() -> None:
    infusion, bolus = (
        given("propofol", "3", "mg/kg/h"),
        given("propofol", dose="50", unit="mg", at=after(4), until=after(4.1)),
    )
    found = brain(infusion, bolus, GCS_3)
    assert (found.score, found.low, found.high) == (4, 0, 4)
    awake = observation("rass", 0, at=after(3))
    assert brain(infusion, bolus, awake, GCS_3).low == 4
    replaced = given("propofol", "1", "mg/kg/h", at=after(2), until=after(4))
    assert brain(infusion, replaced, bolus, GCS_3).low == 4


@pytest.mark.parametrize("drug", SEDATIVES)
def test_a_charted_rate_of_a_sedative_sedates_while_it_holds(drug: str) -> None:
    charted = [observation(drug, "10 mL/h", at=after(hour)) for hour in range(7)]
    found = brain(*charted, GCS_14, GCS_3)
    assert (found.score, found.low, found.high) == (1, 1, 1)
    off = [*charted[:3], observation(drug, "0 mL/h", at=after(3))]
    assert brain(*off, GCS_14, GCS_3).score == 4


@pytest.mark.parametrize("drug", UNSCORED_VASOACTIVES)
def test_a_charted_rate_that_the_table_does_not_know_is_named(drug: str) -> None:
    found = heart(beside=(MAP_80, observation(drug, "0.01", at=after(2))))
    assert (found.score, found.flags) == (0, ("unscored_vasoactive", f"{drug.removesuffix('-rate')}_running"))


@pytest.mark.parametrize("stop", [1, 3])
def test_a_stop_before_or_after_the_bolus_does(stop: float) -> None:
    infusion = given("propofol", "3", "mg/kg/h", until=after(10))
    bolus = given("propofol", dose="50", unit="mg", at=after(2), until=after(2.1))
    stopped = given("propofol", "", at=after(stop), state="stopped")
    assert brain(infusion, bolus, stopped, GCS_3).score == 4


def test_a_fifteen_under_sedation_counts() -> None:
    awake = observation("gcs-total", 15, at=after(6))
    assert brain(given("propofol", "1", "mg/kg/h", until=after(10)), awake).score == 0


@pytest.mark.parametrize("told", [observation("weight", "<60", at=T0), observation("weight", 0, at=T0)])
def test_a_bound_or_nothing_on_the_scales_is_no_weight(told: Observation) -> None:
    found = heart(given("norepinephrine", "0.5", "mg/h", until=after(2)), beside=(MAP_80, told))
    assert (found.low, found.high, found.flags) == (3, 4, ("weight_missing",))
