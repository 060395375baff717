"""How each organ reads its window: pairing, support, sustained pressure, infusions, sedation, urine."""

from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from adapter.domain.assessment import OrganScore, OrganStatus
from adapter.domain.observation import Observation, ResultStatus
from adapter.domain.quantity import Quantity
from adapter.scoring.moments import moments
from adapter.scoring.options import ScoringOptions
from adapter.scoring.oxygen import estimates
from adapter.scoring.sofa import score
from tests.builders import T0, after, observation, state_of

OPTIONS = ScoringOptions()


def organ(name: str, *given: Observation, at: float = 1, options: ScoringOptions = OPTIONS) -> OrganScore:
    return score(state_of(*given), after(at), options).organs[name]


def ends(found: OrganScore) -> tuple[int | None, int, int]:
    return found.score, found.low, found.high


def minutes(number: float) -> datetime:
    return T0 + timedelta(minutes=number)


def arterial(value: float, at: float = 0, **parts: str) -> Observation:
    return observation("pao2", value, at=after(at), specimen="arterial", **parts)


# --- windows ---


def test_the_window_is_half_open() -> None:
    low = observation("platelets", 40)
    assert organ("coagulation", low, at=23.99).score == 3
    assert organ("coagulation", low, at=24).score is None
    assert organ("coagulation", low, at=0).score == 3
    assert organ("coagulation", low, at=-0.01).score is None


def test_the_worst_value_of_the_window_decides() -> None:
    assert (
        organ("coagulation", observation("platelets", 40), observation("platelets", 160, at=after(2)), at=3).score == 3
    )


def test_a_window_is_24_elapsed_hours_on_the_night_the_clocks_change() -> None:
    athens = ZoneInfo("Europe/Athens")
    drawn = datetime(2026, 10, 24, 12, tzinfo=athens)
    state = state_of(observation("platelets", 40, at=drawn))
    assert score(state, datetime(2026, 10, 25, 11, tzinfo=athens), OPTIONS).organs["coagulation"].score is None
    assert score(state, datetime(2026, 10, 25, 10, 59, tzinfo=athens), OPTIONS).organs["coagulation"].score == 3


@pytest.mark.parametrize("status", [ResultStatus.PRELIMINARY, ResultStatus.WITHDRAWN])
def test_only_final_and_corrected_results_score(status: ResultStatus) -> None:
    assert organ("coagulation", observation("platelets", 40, status=status)).score is None


def test_an_empty_chart_is_missing_in_every_organ() -> None:
    sofa = score(state_of(), T0, OPTIONS)
    assert (sofa.low, sofa.high, sofa.window_hours, len(sofa.missing)) == (0, 24, 24, 6)
    assert all(o.status is OrganStatus.MISSING for o in sofa.organs.values())


def test_a_bound_scores_what_is_certain_of_it() -> None:
    assert ends(organ("coagulation", observation("platelets", "<5"))) == (4, 4, 4)
    assert ends(organ("coagulation", observation("platelets", "<20"))) == (4, 4, 4)
    assert ends(organ("coagulation", observation("platelets", "<=20"))) == (3, 3, 4)
    assert ends(organ("coagulation", observation("platelets", "<150"))) == (1, 1, 4)
    assert ends(organ("coagulation", observation("platelets", ">100"))) == (0, 0, 1)
    assert ends(organ("liver", observation("bilirubin", "<0.2"))) == (0, 0, 0)
    assert ends(organ("liver", observation("bilirubin", ">206", "umol/L"))) == (4, 4, 4)
    assert ends(organ("liver", observation("bilirubin", ">204", "umol/L"))) == (4, 3, 4)  # or > 11.9 mg/dL
    assert ends(organ("liver", observation("bilirubin", ">=12"))) == (4, 4, 4)
    assert ends(organ("liver", observation("bilirubin", "<=12"))) == (0, 0, 4)
    assert ends(organ("liver", observation("bilirubin", "<12"))) == (0, 0, 3)
    assert "censored" in organ("coagulation", observation("platelets", "<150")).flags


def test_a_result_without_a_number_scores_nothing_and_breaks_nothing() -> None:
    concepts = ("platelets", "bilirubin", "creatinine", "pao2", "fio2", "spo2", "pf-ratio", "map", "sbp", "dbp")
    more = ("gcs-total", "gcs-eye", "rass", "urine-output", "norepinephrine-rate", "vasopressin-rate", "oxygen-flow")
    silent = [replace(observation(c, 3), quantity=None, native=None) for c in (*concepts, *more)]
    device = replace(observation("respiratory-support", "mask"), code=None)
    state = state_of(*silent, device)
    sofa = score(state, after(2), OPTIONS)
    assert (sofa.low, len(sofa.missing)) == (0, 6)
    awake = observation("gcs-total", 9, identity="said")
    gas = observation("pao2", 80, specimen="arterial", identity="said")
    assert score(state_of(*silent, device, gas, awake), after(2), OPTIONS).low == 3
    assert moments(state, after(-1), after(2), OPTIONS)


def test_a_number_that_nobody_told_in_a_unit_is_read_in_the_canonical_one() -> None:
    for concept, organ_ in (("bilirubin", "liver"), ("creatinine", "renal")):
        assert organ(organ_, replace(observation(concept, 3), native=None)).score == 2


def test_bounds_where_only_a_number_will_do_are_not_used() -> None:
    censored = [observation(c, "<4") for c in ("gcs-total", "map", "urine-output", "oxygen-flow")]
    sofa = score(state_of(*censored), after(1), OPTIONS)
    assert len(sofa.missing) == 6
    half = replace(observation("gcs-total", 14), quantity=Quantity(Fraction(29, 2), "{score}"))
    assert organ("cns", half).score is None


# --- lung ---


def test_each_gas_takes_the_oxygen_and_the_support_of_its_own_moment() -> None:
    given = (
        arterial(68),
        observation("fio2", "1.0"),
        observation("respiratory-support", "mask"),
        arterial(120, 5),
        observation("fio2", "1.0", at=after(5)),
        observation("respiratory-support", "invasive", at=after(5)),
    )
    assert organ("respiration", *given, at=6).score == 3


def test_the_fio2_of_the_same_report_comes_before_a_later_charting() -> None:
    own = observation("fio2", "0.5", at=after(-1), specimen_id="S1", identity="a")
    charted = observation("fio2", "1.0", at=after(-0.5), identity="b")
    device = observation("respiratory-support", "invasive", at=after(-2))
    assert organ("respiration", arterial(150, specimen_id="S1"), own, charted, device).score == 1
    assert organ("respiration", arterial(150), own, charted, device).score == 3


def test_a_charted_fio2_holds_for_four_hours_and_no_longer() -> None:
    device = observation("respiratory-support", "invasive", at=after(3))
    assert organ("respiration", arterial(80, 4), observation("fio2", "0.5"), device, at=5).score == 3
    assert organ("respiration", arterial(80, 4.01), observation("fio2", "0.5"), device, at=5).score is None
    longer = ScoringOptions(device_hold=timedelta(hours=6))
    assert organ("respiration", arterial(80, 5.5), observation("fio2", "0.5"), device, at=6, options=longer).score == 3


def test_fio2_charted_after_the_gas_is_not_its_fio2() -> None:
    assert organ("respiration", arterial(80), observation("fio2", "0.5", at=after(0.1))).score is None


def test_a_change_of_device_outdates_the_charted_fio2() -> None:
    ventilated = observation("fio2", "0.6", at=after(-3)), observation("respiratory-support", "invasive", at=after(-3))
    room = observation("respiratory-support", "room-air", at=after(-1))
    found = organ("respiration", arterial(80), *ventilated, room)
    assert (found.score, found.flags) == (1, ())
    again = observation("respiratory-support", "invasive", at=after(-1))
    assert organ("respiration", arterial(80), *ventilated, again).score == 3


@pytest.mark.parametrize("litres", [None, 8], ids=["no flow", "a flow outside the table"])
def test_the_ventilators_fio2_is_not_what_the_cannula_gives(litres: int | None) -> None:
    """Whether or not anybody can say what the cannula gives; without a device charted then, the FiO2 may be its own."""
    cannula = observation("respiratory-support", "nasal-cannula", at=after(-1))
    flow = () if litres is None else (observation("oxygen-flow", litres, at=after(-1)),)
    charted = observation("fio2", "0.6", at=after(-3))
    ventilated = charted, observation("respiratory-support", "invasive", at=after(-3))
    found = organ("respiration", arterial(100), *ventilated, cannula, *flow)
    assert (found.score, found.flags) == (None, ("fio2_missing",))
    assert organ("respiration", arterial(100), charted, cannula, *flow).score == 2


def test_room_air_is_never_assumed() -> None:
    assert organ("respiration", arterial(60)).score is None


def test_unknown_support_leaves_three_and_four_points_possible() -> None:
    found = organ("respiration", arterial(45), observation("fio2", "0.5"))
    assert ends(found) == (2, 2, 4)
    assert {"respiratory_support_unknown", "possibly_venous"} <= set(found.flags)


def test_evidence_names_whoever_sets_each_end_of_the_interval() -> None:
    breath = observation("fio2", "0.5"), observation("fio2", "0.5", at=after(6))
    ventilated = arterial(75), observation("respiratory-support", "invasive")
    found = organ("respiration", *ventilated, arterial(45, 6), *breath, at=7)
    assert ends(found) == (3, 3, 4)
    assert [e.value for e in found.evidence if e.concept == "pao2"] == ["75", "45"]
    assert "respiratory_support_unknown" in found.flags


def test_high_flow_oxygen_is_support_where_the_site_says_so() -> None:
    given = arterial(80), observation("fio2", "0.5"), observation("respiratory-support", "hfnc")
    assert ends(organ("respiration", *given)) == (2, 2, 2)
    assert organ("respiration", *given).flags == ("hfnc_not_counted_as_support",)
    assert ends(organ("respiration", *given, options=ScoringOptions(hfnc_is_support=True))) == (3, 3, 3)


def test_a_venous_gas_is_rejected_and_an_unconfirmed_one_decides_nothing() -> None:
    breath = observation("fio2", "0.5"), observation("respiratory-support", "invasive")
    venous = observation("pao2", 40, specimen="venous")
    assert organ("respiration", venous, *breath).flags == ("venous_gas_rejected",)
    capillary = observation("pao2", 90, specimen="capillary")
    found = organ("respiration", capillary, *breath)
    assert (ends(found), found.flags) == ((3, 0, 4), ("specimen_not_confirmed_arterial",))
    both = organ("respiration", capillary, arterial(140, 0.5), *breath)
    assert ends(both) == (3, 2, 3)


def test_an_estimate_that_straddles_a_cut_point_is_an_interval() -> None:
    given = (
        arterial(90),
        observation("respiratory-support", "mask"),
        observation("oxygen-flow", 6),
    )  # 0.50 or 0.35: P/F 180 or 257
    assert ends(organ("respiration", *given)) == (2, 2, 2)
    higher = (arterial(115), *given[1:])  # 230 or 329
    found = organ("respiration", *higher)
    assert ends(found) == (2, 1, 2)
    assert "estimate_sensitive" in found.flags


@pytest.mark.parametrize(
    ("device", "litres", "expected"),
    [
        ("nasal-cannula", "1", ["0.24", "0.225"]),
        ("nasal-cannula", "6", ["0.44", "0.35"]),
        ("nasal-cannula", "8", []),
        ("mask", "5", ["0.40", "0.30"]),
        ("mask", "6", ["0.50", "0.35"]),
        ("mask", "8", ["0.60", "0.50", "0.45"]),
        ("mask", "10", ["0.60", "0.50", "0.55"]),
        ("mask", "4", []),
        ("non-rebreather", "10", ["0.60", "0.70"]),
        ("non-rebreather", "15", ["0.90", "0.70"]),
        ("venturi", "8", ["0.35"]),
        ("venturi", "9", []),
        ("hfnc", "40", []),
        ("invasive", "10", []),
    ],
)
def test_flows_become_fio2_by_the_published_tables(device: str, litres: str, expected: list[str]) -> None:
    assert list(estimates(device, Fraction(litres))) == [Fraction(value) for value in expected]


def test_a_flow_of_another_device_is_not_used() -> None:
    given = (
        arterial(80),
        observation("respiratory-support", "nasal-cannula"),
        observation("oxygen-flow", 4, at=after(-1)),
    )
    assert organ("respiration", *given).score is None


def test_a_reported_ratio_counts_where_no_gas_of_its_moment_can_be_divided() -> None:
    support = observation("respiratory-support", "invasive")
    reported = observation("pf-ratio", 150)
    assert ends(organ("respiration", reported, support)) == (3, 3, 3)
    own = arterial(150), observation("fio2", "0.5")
    assert organ("respiration", reported, support, *own).score == 1
    kilopascals = organ("respiration", observation("pf-ratio", "26.69", "kPa"), support)
    assert (ends(kilopascals), kilopascals.flags) == ((3, 2, 3), ("unit_discordant",))
    capillary = organ("respiration", observation("pf-ratio", 150, specimen="capillary"), support)
    assert ends(capillary) == (3, 0, 4)


def test_a_saturation_never_stands_beside_a_gas() -> None:
    given = arterial(95), observation("fio2", "0.21"), observation("spo2", 80, at=after(0.5))
    assert ends(organ("respiration", *given)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("spo2", "fio2", "expected"), [(96, "0.24", 0), (95, "0.24", 1), (63, "0.2", None), (94, "0.4", 2)]
)
def test_saturation_over_fio2_by_rice(spo2: float, fio2: str, expected: int | None) -> None:
    given = observation("spo2", spo2), observation("respiratory-support", "invasive")
    oxygen = () if fio2 == "0.2" else (observation("fio2", fio2),)
    assert organ("respiration", *given, *oxygen).score == expected


def test_a_flow_outside_the_table_and_a_venous_ratio_say_nothing() -> None:
    given = arterial(80), observation("respiratory-support", "nasal-cannula"), observation("oxygen-flow", 10)
    assert organ("respiration", *given).flags == ("fio2_missing",)
    assert organ("respiration", observation("pf-ratio", 150, specimen="venous")).flags == ("venous_gas_rejected",)


# --- circulation ---


def test_a_lone_low_pressure_counts_and_one_between_normal_ones_does_not() -> None:
    assert organ("cardiovascular", observation("map", 60)).score == 1
    series = [observation("map", v, at=minutes(t)) for t, v in [(0, 75), (5, 55), (10, 76)]]
    found = organ("cardiovascular", *series)
    assert (ends(found), found.flags) == ((0, 0, 0), ("map_not_sustained",))
    assert found.evidence[0].value == "75"


def test_two_low_pressures_in_a_row_are_sustained_at_the_higher() -> None:
    series = [observation("map", v, at=minutes(t)) for t, v in [(0, 75), (5, 55), (10, 66), (15, 80)]]
    found = organ("cardiovascular", *series)
    assert (found.score, found.evidence[0].value) == (1, "66")


def test_the_arterial_line_wins_over_the_cuff_near_it() -> None:
    line, cuff = observation("map-arterial", 74, at=minutes(10)), observation("map-cuff", 60)
    assert organ("cardiovascular", line, cuff).score == 0
    assert organ("cardiovascular", observation("map-arterial", 74, at=minutes(16)), cuff).score == 1


@pytest.mark.parametrize(("apart", "score"), [(-16, 1), (-15, 0), (-14, 0), (14, 0), (15, 0), (16, 1)])
def test_a_quarter_of_an_hour_is_near_on_either_side(apart: float, score: int) -> None:
    """A low cuff beside the line is not read, not even as one that was not sustained; a low mean of two neither."""
    cuff = observation("map-arterial", 74, at=minutes(apart)), observation("map-cuff", 60)
    mean = observation("map", 74, at=minutes(apart)), observation("sbp", 90), observation("dbp", 50)
    for told in (cuff, mean):
        found = organ("cardiovascular", *told)
        assert (found.score, "map_not_sustained" in found.flags) == (score, False)


@pytest.mark.parametrize(("apart", "score"), [(-15.1, 1), (-15, 0), (15, 0), (15.1, 1)])
def test_a_reading_is_judged_by_a_neighbour_of_a_quarter_of_an_hour(apart: float, score: int) -> None:
    assert organ("cardiovascular", observation("map", 80, at=minutes(apart)), observation("map", 60)).score == score


def test_one_reading_told_under_two_names_does_not_confirm_itself() -> None:
    twice = observation("map", 60, at=minutes(5)), observation("map-arterial", 60, at=minutes(5))
    around = observation("map", 80), observation("map", 82, at=minutes(10))
    assert organ("cardiovascular", *twice, *around).score == 0


@pytest.mark.parametrize("pair", [(60, 120), (80, 80)])
def test_pressures_the_wrong_way_round_make_no_mean(pair: tuple[int, int]) -> None:
    assert organ("cardiovascular", observation("sbp", pair[0]), observation("dbp", pair[1])).score is None


def test_systolic_and_diastolic_make_a_mean_only_where_none_was_measured() -> None:
    cuff = observation("sbp", 90), observation("dbp", 50)
    found = organ("cardiovascular", *cuff)
    assert (found.score, found.status, found.flags) == (1, OrganStatus.DERIVED, ("map_from_sbp_dbp",))
    assert found.evidence[0].note == "MAP 63.3333 mm[Hg]"
    assert organ("cardiovascular", *cuff, observation("map", 75)).score == 0
    assert organ("cardiovascular", observation("sbp", 90)).score is None


def test_of_two_readings_of_one_moment_the_lower_counts() -> None:
    for first, second in ((60, 75), (75, 60)):
        pair = observation("map", first, identity="a"), observation("map", second, identity="b")
        assert organ("cardiovascular", *pair).score == 1


def test_a_reading_just_before_the_window_still_judges_its_neighbour() -> None:
    given = observation("map", 80), observation("map", 60, at=minutes(5)), observation("map", 75, at=minutes(200))
    assert organ("cardiovascular", *given, at=24 + 2 / 60).score == 0


def test_an_infusion_counts_from_its_60th_minute() -> None:
    drug = observation("norepinephrine-rate", "0.05"), observation("map", 75)
    assert organ("cardiovascular", *drug, at=59 / 60).score == 0
    assert organ("cardiovascular", *drug, at=1).score == 3


def test_a_rate_holds_two_hours_and_its_points_a_day_after_its_end() -> None:
    drug = observation("norepinephrine-rate", "0.05")
    assert organ("cardiovascular", drug, at=25.9).score == 3
    assert organ("cardiovascular", drug, at=26).score is None


def test_the_dose_counts_that_was_sustained_for_an_hour() -> None:
    rates = [observation("norepinephrine-rate", v, at=minutes(t)) for t, v in [(0, "0.05"), (60, "0.2"), (100, "0.04")]]
    assert organ("cardiovascular", *rates, at=3).score == 3
    steps = [observation("norepinephrine-rate", v, at=minutes(t)) for t, v in [(0, "0.15"), (30, "0.12"), (60, "0.02")]]
    found = organ("cardiovascular", *steps, at=3)
    assert (found.score, found.evidence[0].value) == (4, "0.12")


@pytest.mark.parametrize(("gap", "expected"), [(5, 3), (6, None)])
def test_pauses_of_five_minutes_do_not_part_an_infusion(gap: int, expected: int | None) -> None:
    rates = [(0, "0.05"), (30, "0"), (30 + gap, "0.05"), (65, "0")]
    given = [observation("norepinephrine-rate", v, at=minutes(t)) for t, v in rates]
    assert organ("cardiovascular", *given, at=2).score == expected


def test_a_running_drug_without_a_pressure_is_enough_and_one_that_is_off_is_not() -> None:
    assert ends(organ("cardiovascular", observation("dobutamine-rate", 2))) == (2, 2, 2)
    assert organ("cardiovascular", observation("dobutamine-rate", 0)).score is None


# --- brain ---


def test_eye_verbal_and_motor_add_up_when_charted_within_six_hours() -> None:
    parts = (
        observation("gcs-eye", 3),
        observation("gcs-verbal", 4, at=after(3)),
        observation("gcs-motor", 5, at=after(6)),
    )
    found = organ("cns", *parts, at=7)
    assert (found.score, found.status, found.flags) == (2, OrganStatus.DERIVED, ("gcs_from_components",))
    late = organ("cns", *parts[:2], observation("gcs-motor", 5, at=after(6.1)), at=7)
    assert (late.score, late.flags) == (None, ("gcs_component_missing",))


def test_a_charted_total_is_preferred_to_the_sum_of_its_moment() -> None:
    parts = observation("gcs-eye", 1), observation("gcs-verbal", 1), observation("gcs-motor", 1)
    assert organ("cns", *parts, observation("gcs-total", 14)).score == 1


def test_a_tube_leaves_the_verbal_answer_open() -> None:
    tube = observation("respiratory-support", "invasive"), observation("rass", 0)
    parts = observation("gcs-eye", 4), observation("gcs-verbal", 1), observation("gcs-motor", 6)
    for given in (parts, (parts[0], parts[2]), (*parts, observation("gcs-total", 11))):
        found = organ("cns", *tube, *given)
        assert ends(found) == (0, 0, 2)
        assert "gcs_verbal_imputed" in found.flags
    assert ends(organ("cns", *tube, observation("gcs-total", 7))) == (2, 2, 3)
    assert ends(organ("cns", *tube, observation("gcs-total", 13))) == (1, 1, 1)


def test_ventilated_with_sedation_unknown_decides_nothing() -> None:
    found = organ("cns", observation("respiratory-support", "invasive"), observation("gcs-total", 3))
    assert ends(found) == (3, 0, 4)
    assert "sedation_unknown" in found.flags


def test_a_charted_fifteen_counts_under_sedation() -> None:
    assert ends(organ("cns", observation("rass", -3), observation("gcs-total", 15))) == (0, 0, 0)


def test_rass_minus_one_is_not_sedation() -> None:
    assert ends(organ("cns", observation("rass", -1), observation("gcs-total", 9))) == (3, 3, 3)
    assert organ("cns", observation("rass", -2), observation("gcs-total", 9)).score is None


def test_a_rass_charted_just_after_the_gcs_belongs_to_it() -> None:
    given = observation("gcs-total", 3), observation("rass", -4, at=minutes(10))
    assert organ("cns", *given).score is None
    assert organ("cns", *given, at=5 / 60).score == 4


def test_sedation_without_any_gcs_of_the_day_takes_the_one_before() -> None:
    before, deep = observation("gcs-total", 13, at=after(-40)), observation("rass", -4)
    found = organ("cns", before, deep)
    assert (found.score, found.status) == (1, OrganStatus.CARRIED)


def test_a_gcs_older_than_seven_days_or_of_another_visit_is_not_carried() -> None:
    deep = observation("rass", -4, visit="V2")
    assert organ("cns", observation("gcs-total", 13, at=after(-24 * 7 - 1)), deep).score is None
    assert organ("cns", observation("gcs-total", 13, at=after(-30), visit="V1"), deep).score is None
    assert organ("cns", observation("gcs-total", 13, at=after(-30), visit="V2"), deep).score == 1


@pytest.mark.parametrize("concept", ["gcs-total", "gcs-eye"])
def test_the_visit_of_sedation_is_that_of_whatever_was_charted_with_it(concept: str) -> None:
    """The interface of the RASS may tell none."""
    before, deep = observation("gcs-total", 13, at=after(-30), visit="V1"), observation("rass", -4)
    for visit, points in (("V1", 1), ("V2", None), ("", 1)):
        assert organ("cns", before, deep, observation(concept, 3, visit=visit)).score == points


def test_an_awake_low_gcs_before_sedation_still_counts() -> None:
    given = (
        observation("gcs-total", 9, at=after(-2)),
        observation("rass", -4),
        observation("gcs-total", 3),
        observation("rass", 0, at=after(6)),
        observation("gcs-total", 14, at=after(6)),
    )
    assert ends(organ("cns", *given, at=7)) == (3, 3, 3)


# --- kidney ---


def test_the_same_volume_told_by_two_feeds_is_counted_once() -> None:
    pair = [observation("urine-output", 250, identity=name) for name in ("hl7", "fhir")]
    assert organ("renal", *pair).score is None


def test_yesterdays_total_is_not_todays() -> None:
    assert organ("renal", observation("urine-output-24h", 100), at=24).score is None


def test_urine_looks_back_thirty_hours_only() -> None:
    given = [observation("urine-output", v, at=after(h)) for h, v in [(0, 0), (8, 100), (28, 100)]]
    assert ends(organ("renal", *given, at=29)) == (4, 0, 4)
    assert "urine_sparsely_charted" in organ("renal", *given, at=29).flags
    assert organ("renal", *given, at=31).flags.count("urine_provisional") == 1


def test_a_bound_among_the_hours_is_no_anuria() -> None:
    hourly = [observation("urine-output", "10" if h % 2 else "<100", at=after(h)) for h in range(25)]
    found = organ("renal", *hourly, at=24)
    assert (ends(found), "censored" in found.flags) == ((4, 0, 4), True)
    exact = [observation("urine-output", 10, at=after(h)) for h in range(25)]
    assert ends(organ("renal", *exact, at=24)) == (3, 3, 4)


def test_a_bound_is_the_least_that_was_passed_and_a_total_that_is_one_says_nothing() -> None:
    told = [observation("urine-output", v, at=after(h)) for h, v in [(1, "100"), (2, ">400")]]
    assert organ("renal", *told, at=3).score == 0
    assert organ("renal", observation("urine-output-24h", "<200"), at=1).score is None


def test_a_24_hour_total_is_not_added_to_the_hours() -> None:
    hourly = [observation("urine-output", 10, at=after(h)) for h in range(25)]
    total = observation("urine-output-24h", 300, at=after(24))
    found = organ("renal", *hourly, total, at=24)
    assert (found.score, found.evidence[0].concept) == (3, "urine-output")
    assert organ("renal", total, at=24).evidence[0].note == "24-hour total"


def test_the_worse_of_creatinine_and_urine_decides() -> None:
    hourly = [observation("urine-output", 15, at=after(h)) for h in range(25)]
    assert ends(organ("renal", *hourly, observation("creatinine", "1.5", at=after(20)), at=24)) == (3, 3, 3)
    assert ends(organ("renal", *hourly, observation("creatinine", "6", at=after(20)), at=24)) == (4, 4, 4)


# --- evidence ---


def test_evidence_shows_the_canonical_value_beside_the_senders() -> None:
    found = organ("renal", observation("creatinine", 159, "umol/L", message="7"))
    (shown,) = found.evidence
    assert (shown.value, shown.unit, shown.original_value, shown.original_unit) == ("1.79864", "mg/dL", "159", "umol/L")
    assert (shown.message, shown.laboratory, shown.effective) == ("7", "local", T0)
    assert found.rule == "creatinine >= 110 umol/L: 1 (Sepsis-3 Table 1)"


def test_the_rule_names_the_cut_point_and_the_missing_support() -> None:
    given = arterial(80), observation("fio2", "0.5"), observation("respiratory-support", "mask")
    rule = organ("respiration", *given).rule
    assert rule == "PaO2/FiO2 < 200 mm[Hg]: 3 (Sepsis-3 Table 1), without respiratory support 2"
    assert organ("cns", observation("gcs-total", 15)).rule == "GCS not < 15: 0 (Sepsis-3 Table 1)"


# --- machines, irrigation, and oxygen in the wrong field ----------------------------------------------------------------


def test_renal_replacement_is_flagged_and_scores_only_where_the_site_says_so() -> None:
    told = observation("creatinine", "1.3"), observation("renal-replacement", "crrt")
    silent = renal_of(*told)
    assert (silent.score, silent.low, silent.high, silent.flags) == (1, 1, 1, ("on_rrt",))
    chosen = renal_of(*told, options=ScoringOptions(rrt_scores_4=True))
    assert (chosen.score, chosen.low, chosen.evidence[0].value) == (4, 4, "crrt")
    ended = renal_of(observation("creatinine", "1.3"), observation("renal-replacement", "none"))
    assert ended.flags == ()


def renal_of(*told: Observation, options: ScoringOptions = OPTIONS, hour: float = 1) -> OrganScore:
    return score(state_of(*told), after(hour), options).organs["renal"]


def test_mechanical_support_and_ecmo_are_flagged() -> None:
    sofa = score(
        state_of(observation("map", 80), observation("circulatory-support", "va-ecmo")), after(1), ScoringOptions()
    )
    assert sofa.organs["cardiovascular"].flags == ("mechanical_circulatory_support",)
    assert sofa.organs["respiration"].flags == ("ecmo",)
    lungs = score(state_of(observation("circulatory-support", "vv-ecmo")), after(1), ScoringOptions()).organs
    assert (lungs["respiration"].flags, lungs["cardiovascular"].flags) == (("ecmo",), ())


def test_what_is_rinsed_in_is_taken_away_and_then_decides_nothing() -> None:
    creatinine = observation("creatinine", "0.8", at=after(23))
    hourly = [observation("urine-output", 60, at=after(hour)) for hour in range(25)]
    rinse = [observation("bladder-irrigation", 50, at=after(hour + 0.5)) for hour in range(24)]
    assert renal_of(creatinine, *hourly, hour=24).score == 0
    rinsed = renal_of(creatinine, *hourly, *rinse, hour=24)
    assert (rinsed.score, rinsed.low, rinsed.high) == (3, 0, 3)
    assert "bladder_irrigation" in rinsed.flags


@pytest.mark.parametrize(("fio2", "flagged"), [("0.84", False), ("0.85", True), ("0.98", True)])
def test_so_much_oxygen_without_a_device_may_be_a_saturation(fio2: str, flagged: bool) -> None:
    gas = observation("pao2", 80, specimen="arterial"), observation("fio2", fio2)
    lung = score(state_of(*gas), after(1), ScoringOptions()).organs["respiration"]
    assert ("fio2_may_be_spo2" in lung.flags) == flagged
    beside = observation("respiratory-support", "invasive")
    lung = score(state_of(*gas, beside), after(1), ScoringOptions()).organs["respiration"]
    assert "fio2_may_be_spo2" not in lung.flags


def scanty(*gaps: float, volume: int = 20, start: float = 0) -> list[Observation]:
    """Entries of so many mL, each so many hours after the one before."""
    times = [start]
    for gap in gaps:
        times.append(times[-1] + gap)
    return [observation("urine-output", volume, at=after(hour)) for hour in times]


def test_little_urine_charted_each_hour_scores_and_says_how_much() -> None:
    creatinine = observation("creatinine", "0.8", at=after(23))
    found = renal_of(creatinine, *scanty(*[1] * 24), hour=24)
    assert (found.score, found.low, found.high, found.status, found.flags) == (3, 3, 3, OrganStatus.DERIVED, ())
    assert found.evidence[0].note == "480 mL in 24 h: 480 mL per 24 h"
    assert len({one.effective for one in found.evidence if one.concept == "urine-output"}) == 24


@pytest.mark.parametrize(("gap", "sparse"), [(8, False), (8.1, True)])
def test_a_shift_without_an_entry_is_flagged_and_decides_nothing(gap: float, sparse: bool) -> None:
    creatinine = observation("creatinine", "0.8", at=after(23))
    found = renal_of(creatinine, *scanty(*[1] * 8, gap, *[1] * 8), hour=8 + gap + 8)
    assert ("urine_sparsely_charted" in found.flags) is sparse
    assert ends(found) == (3, 0 if sparse else 3, 3)
    assert "urine_provisional" not in found.flags


def test_two_voids_a_day_apart_are_no_anuria() -> None:
    """Nobody said that there was no third."""
    creatinine = observation("creatinine", "0.8", at=after(23))
    voids = observation("urine-output", 200), observation("urine-output", 180, at=after(24))
    found = renal_of(creatinine, *voids, hour=25)
    assert (ends(found), found.flags) == ((4, 0, 4), ("urine_sparsely_charted",))


@pytest.mark.parametrize(("hours_", "low"), [(20.5, 0), (21, 3)])
def test_less_than_a_day_of_urine_decides_nothing(hours_: float, low: int) -> None:
    """22 h score, the hour before the first entry included."""
    creatinine = observation("creatinine", "0.8", at=after(1))
    gaps = [0.5] * int(hours_ * 2)
    found = renal_of(creatinine, *scanty(*gaps, volume=5, start=-1), hour=hours_ - 1)
    assert found.low == low
    assert ("urine_provisional" in found.flags) is (low == 0)
