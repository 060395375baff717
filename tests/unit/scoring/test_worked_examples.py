"""The worked examples of the clinical specification that concern the score, by their numbers."""

from datetime import datetime
from fractions import Fraction

import pytest

from adapter.domain.assessment import OrganScore, OrganStatus, SofaScore
from adapter.domain.observation import Observation, ResultStatus
from adapter.scoring.baseline import admission_baseline
from adapter.scoring.options import ScoringOptions
from adapter.scoring.oxygen import estimates
from adapter.scoring.sofa import score
from tests.builders import T0, after, hours, observation, state_of

OPTIONS = ScoringOptions()
NOW = after(1)
KG_80, KG_70 = 80, 70


def scored(*given: Observation, at: datetime = NOW, options: ScoringOptions = OPTIONS) -> SofaScore:
    return score(state_of(*given), at, options)


def points(sofa: SofaScore) -> list[int | None]:
    return [organ.score for organ in sofa.organs.values()]


def gas(pao2: str, unit: str, fio2: str, fio2_unit: str = "1", device: str = "invasive") -> OrganScore:
    return scored(
        observation("pao2", pao2, unit, specimen="arterial"),
        observation("fio2", fio2, fio2_unit),
        observation("respiratory-support", device),
    ).organs["respiration"]


def running(drug: str, rate: str | Fraction, *, minutes: int = 60, options: ScoringOptions = OPTIONS) -> OrganScore:
    rates = observation(drug, rate), observation(drug, 0, at=T0 + hours(minutes / 60))
    return scored(*rates, observation("map", 80), at=after(3), options=options).organs["cardiovascular"]


def urine(*volumes: tuple[float, str], at: float = 30) -> OrganScore:
    entries = [observation("urine-output", volume, at=after(hour)) for hour, volume in volumes]
    creatinine = observation("creatinine", "0.8", at=after(at - 1))
    return scored(creatinine, *entries, at=after(at)).organs["renal"]


PLAIN = (
    observation("pao2", 68, specimen="arterial"),
    observation("fio2", "0.40"),
    observation("respiratory-support", "mask"),
    observation("platelets", 140),
    observation("bilirubin", "1.2"),
    observation("map", 68),
    observation("gcs-total", 15),
    observation("creatinine", "1.9"),
)


def test_example_01_plain_case_scores_six_and_the_unsupported_lung_two() -> None:
    sofa = scored(*PLAIN)
    assert points(sofa) == [2, 1, 1, 1, 0, 1]
    assert (sofa.low, sofa.high, sofa.missing) == (6, 6, ())
    assert sofa.organs["respiration"].evidence[0].note == "PaO2/FiO2 170 mm[Hg], FiO2 0.4"


@pytest.mark.parametrize(("fio2", "unit"), [("40", "%"), ("0.4", "1")])
def test_example_02_forms_of_fio2_are_one(fio2: str, unit: str) -> None:
    assert gas("80", "mm[Hg]", fio2, unit).score == 2
    assert gas("79.9", "mm[Hg]", fio2, unit).score == 3


def test_example_02_a_flow_on_the_nasal_cannula_is_an_estimate() -> None:
    lung = scored(
        observation("pao2", 80, specimen="arterial"),
        observation("respiratory-support", "nasal-cannula"),
        observation("oxygen-flow", 4),
    ).organs["respiration"]
    assert (lung.score, lung.low, lung.high, lung.status) == (2, 2, 2, OrganStatus.DERIVED)
    assert "fio2_estimated" in lung.flags
    assert lung.evidence[0].note == "PaO2/FiO2 222.222 mm[Hg], FiO2 0.36 (estimated)"


def test_example_02_without_fio2_the_lung_is_missing() -> None:
    lung = scored(observation("pao2", 80, specimen="arterial"), observation("respiratory-support", "invasive")).organs[
        "respiration"
    ]
    assert (lung.score, lung.low, lung.high, lung.flags) == (None, 0, 4, ("fio2_missing",))


def ends(found: OrganScore) -> tuple[int | None, int, int]:
    return found.score, found.low, found.high


@pytest.mark.parametrize(
    ("pao2", "fio2", "native", "converted"),
    [("9.3", "0.35", 3, 3), ("9.34", "0.35", 3, 2), ("8.0", "0.60", 3, 3), ("7.98", "0.60", 3, 4)],
)
def test_example_03_kilopascals(pao2: str, fio2: str, native: int, converted: int) -> None:
    lung = gas(pao2, "kPa", fio2)
    assert ends(lung) == (native, min(native, converted), max(native, converted))
    assert ("unit_discordant" in lung.flags) == (native != converted)


@pytest.mark.parametrize(
    ("concept", "value", "native", "converted"),
    [
        *[("creatinine", v, n, c) for v, n, c in [(109, 0, 1), (110, 1, 1), (175, 2, 1), (305, 3, 2), (310, 3, 3)]],
        *[("creatinine", v, n, c) for v, n, c in [(440, 3, 3), (441, 4, 3), (442, 4, 4)]],
        *[("bilirubin", v, n, c) for v, n, c in [(20, 1, 0), (33, 2, 1), ("34.2", 2, 2), (102, 3, 2)]],
        *[("bilirubin", v, n, c) for v, n, c in [(205, 4, 3), (206, 4, 4)]],
    ],
)
def test_example_04_micromoles(concept: str, value: float | str, native: int, converted: int) -> None:
    organ = "renal" if concept == "creatinine" else "liver"
    found = scored(observation(concept, value, "umol/L")).organs[organ]
    assert ends(found) == (native, min(native, converted), max(native, converted))
    assert ("unit_discordant" in found.flags) == (native != converted)


@pytest.mark.parametrize(
    ("organ", "concept", "edges"),
    [
        ("liver", "bilirubin", "1.19:0 1.2:1 1.95:1 2.0:2 5.95:2 6.0:3 11.9:3 12.0:4"),
        ("renal", "creatinine", "1.19:0 1.2:1 2.0:2 3.4:2 3.5:3 4.9:3 5.0:4"),
        ("coagulation", "platelets", "150:0 149:1 100:1 99:2 50:2 49:3 20:3 19:4"),
        ("cns", "gcs-total", "15:0 14:1 13:1 12:2 10:2 9:3 6:3 5:4"),
        ("cardiovascular", "map", "70:0 69.9:1"),
    ],
)
def test_example_05_edges(organ: str, concept: str, edges: str) -> None:
    for edge in edges.split():
        value, expected = edge.split(":")
        assert scored(observation(concept, value)).organs[organ].score == int(expected), edge


SEDATED = (
    observation("respiratory-support", "invasive", at=after(5)),
    observation("rass", -4, at=after(5)),
    observation("gcs-total", 3, at=after(5)),
)


def test_example_06_a_sedated_gcs_is_not_scored_but_the_one_before() -> None:
    brain = scored(*SEDATED, observation("gcs-total", 14, at=after(-1.5)), at=after(6)).organs["cns"]
    assert (brain.score, brain.low, brain.high, brain.status) == (1, 1, 1, OrganStatus.CARRIED)
    assert {"gcs_before_sedation", "sedated"} <= set(brain.flags)
    assert brain.evidence[0].note == "GCS 14, charted 6.5 h before sedation"


def test_example_06_without_a_gcs_before_sedation_the_organ_is_missing() -> None:
    sofa = scored(*SEDATED, at=after(6))
    assert (sofa.organs["cns"].score, sofa.organs["cns"].low, sofa.organs["cns"].high) == (None, 0, 4)
    assert "cns" in sofa.missing


def test_example_07_a_corrected_platelet_count_takes_four_points_back() -> None:
    wrong = observation("platelets", 18, identity="p", issued=after(0))
    right = observation("platelets", 181, identity="p", issued=after(1.2), status=ResultStatus.CORRECTED)
    assert scored(wrong).organs["coagulation"].score == 4
    assert scored(wrong, right, at=after(2)).organs["coagulation"].score == 0


def test_example_08_ten_hours_say_nothing() -> None:
    renal = urine((0, "0"), (10, "300"), at=10)
    assert (renal.score, renal.low, renal.high) == (0, 0, 0)
    alone = scored(*[observation("urine-output", 30, at=after(h)) for h in range(11)], at=after(10))
    assert alone.organs["renal"].score is None


def test_example_08_twelve_hours_are_shown_and_decide_nothing() -> None:
    renal = urine((0, "0"), (12, "150"), at=12)
    assert (renal.score, renal.low, renal.high) == (3, 0, 3)
    assert "urine_provisional" in renal.flags


@pytest.mark.parametrize(
    ("volume", "length", "expected", "per_day"),
    [
        ("450", 22, 3, "490.909"),
        ("180", 22, 4, "196.364"),
        ("499", 24, 3, "499"),
        ("480", 24, 3, "480"),
        ("200", 24, 3, "200"),
        ("199", 24, 4, "199"),
    ],
)
def test_example_08_a_day_of_urine(volume: str, length: int, expected: int, per_day: str) -> None:
    """Looked after in each shift."""
    silent = ((length * quarter / 4, "0") for quarter in range(4))
    renal = urine(*silent, (length, volume), at=length)
    assert (renal.score, renal.low) == (expected, expected)
    assert f"{per_day} mL per 24 h" in next(e.note for e in renal.evidence if e.concept == "urine-output")


def test_example_08_thirty_hours_are_a_day_and_entries_so_far_apart_decide_nothing() -> None:
    renal = urine((0, "0"), (30, "499"), at=30)
    assert (renal.score, renal.low) == (3, 0)
    assert "399.2 mL per 24 h" in next(e.note for e in renal.evidence if e.concept == "urine-output")


def test_example_08_hourly_entries_add_up_to_the_same() -> None:
    hourly = [(hour, "20") for hour in range(1, 25)]
    assert urine(*hourly, at=24).score == 3
    assert urine(*[(hour, "8") for hour in range(1, 25)], at=24).score == 4
    assert urine(*[(float(h), "20.454545") for h in range(1, 23)], at=22).score == 3


def test_example_08_five_hundred_millilitres_settle_it_early() -> None:
    assert urine((1, "300"), (9, "220"), at=9).score == 0
    alone = scored(observation("urine-output", 520), at=after(1)).organs["renal"]
    assert (alone.score, alone.low, alone.high) == (0, 0, 4)
    assert "creatinine_missing" in alone.flags
    assert urine((0, "0"), (24, "500"), at=24).score == 0


def test_example_12_an_increase_is_counted_from_the_admission_score() -> None:
    admission = (observation("creatinine", "2.5"), observation("platelets", 80), *normal_but_chronic(T0))
    base = admission_baseline(state_of(*admission), T0, after(24), OPTIONS)
    assert (base.low, base.high) == (4, 4)
    later = after(6 * 24)
    chronic = (observation("creatinine", "2.5", at=later), observation("platelets", 80, at=later))
    liver = observation("bilirubin", "1.3", at=later)
    stable = [o for o in normal_but_chronic(later) if o.concept != "bilirubin"]
    now = score(state_of(*admission, *chronic, *stable, liver), later, OPTIONS)
    assert (now.low, now.high) == (5, 5)
    pressure = observation("map", 60, at=later)
    worse = [o for o in stable if o.concept != "map"]
    assert score(state_of(*admission, *chronic, *worse, liver, pressure), later, OPTIONS).low == 6


def normal_but_chronic(at: datetime) -> tuple[Observation, ...]:
    return (
        observation("pao2", 95, at=at, specimen="arterial"),
        observation("fio2", "0.21", at=at),
        observation("bilirubin", "0.6", at=at),
        observation("map", 85, at=at),
        observation("gcs-total", 15, at=at),
    )


def test_example_12_an_admission_nobody_measured_may_have_been_anything() -> None:
    base = admission_baseline(state_of(observation("platelets", 80)), T0, after(24), OPTIONS)
    assert (base.low, base.high) == (2, 22)
    assert base.source.endswith("not measured: respiration, liver, cardiovascular, cns, renal")


def test_example_13_norepinephrine_doses() -> None:
    assert running("norepinephrine-rate", Fraction(500, 60 * KG_80)).score == 4  # 0.5 mg/h, 80 kg
    assert running("norepinephrine-rate", Fraction(400, 60 * KG_80)).score == 3
    assert running("norepinephrine-rate", Fraction(8 * 80, 60 * KG_70)).score == 4  # 8 mL/h of 4 mg/50 mL, 70 kg
    assert running("norepinephrine-rate", "0.1").score == 3


def test_example_13_the_salt_of_norepinephrine_halves_the_dose() -> None:
    dose = Fraction(500, 60 * KG_80)
    salt = running("norepinephrine-rate", dose, options=ScoringOptions(norepinephrine_basis="bitartrate"))
    assert (salt.score, salt.low, salt.high) == (3, 3, 3)
    assert "norepinephrine_salt_converted" in salt.flags
    unknown = running("norepinephrine-rate", dose, options=ScoringOptions(norepinephrine_basis="unknown"))
    assert (unknown.score, unknown.low, unknown.high) == (4, 3, 4)
    assert "norepinephrine_salt_unknown" in unknown.flags


def test_example_13_forty_minutes_do_not_count_and_a_rate_of_zero_is_off() -> None:
    short = running("norepinephrine-rate", "0.2", minutes=40)
    assert (short.score, short.flags) == (0, ("infusion_under_60_min",))
    assert running("norepinephrine-rate", "0").score == 0


@pytest.mark.parametrize(
    ("drug", "rate", "expected"),
    [
        ("dopamine-rate", "5.0", 2),
        ("dopamine-rate", "5.1", 3),
        ("dopamine-rate", "15", 3),
        ("dopamine-rate", "15.1", 4),
        ("dobutamine-rate", "2", 2),
    ],
)
def test_example_14_dopamine_and_dobutamine(drug: str, rate: str, expected: int) -> None:
    assert running(drug, rate).score == expected


def test_example_14_vasopressin_alone_scores_nothing_and_is_flagged() -> None:
    heart = scored(observation("vasopressin-rate", "0.03"), observation("map", 75)).organs["cardiovascular"]
    assert (heart.score, heart.flags) == (0, ("unscored_vasoactive", "vasopressin_running"))


def test_example_15_ventilated_ratio_of_250_scores_two() -> None:
    assert gas("100", "mm[Hg]", "0.40").score == 2


@pytest.mark.parametrize(("value", "unit"), [("98000", "/uL"), ("98", "10*9/L"), ("98", "10*3/uL")])
def test_example_16_units_of_platelets(value: str, unit: str) -> None:
    assert scored(observation("platelets", value, unit)).organs["coagulation"].score == 2


def test_example_16_the_note_on_clumps_travels_with_the_score() -> None:
    """They make the count too low: it bounds the points from above, and another count settles them."""
    clumped = observation("platelets", 30, flags=("platelet_clumps",))
    found = scored(clumped).organs["coagulation"]
    assert (ends(found), found.flags) == ((3, 0, 3), ("platelet_clumps",))
    again = scored(clumped, observation("platelets", 140, at=after(0.5))).organs["coagulation"]
    assert ends(again) == (3, 1, 3)


def test_example_24_without_a_gas_the_saturation_is_shown_and_decides_nothing() -> None:
    cannula = observation("respiratory-support", "nasal-cannula"), observation("oxygen-flow", 4)
    lung = scored(*cannula, observation("spo2", 92)).organs["respiration"]
    assert (lung.score, lung.low, lung.high, lung.status) == (2, 0, 4, OrganStatus.DERIVED)
    assert {"sf_imputed", "fio2_estimated"} <= set(lung.flags)
    assert lung.evidence[0].note == "SpO2/FiO2 255.556, FiO2 0.36 (estimated)"
    assert scored(*cannula, observation("spo2", 99)).organs["respiration"].score is None
    assert estimates("nasal-cannula", Fraction(4))[0] == Fraction("0.36")


def test_example_25_the_lower_bound_counts_what_is_certain() -> None:
    both = scored(observation("platelets", 120), observation("map", 66))
    assert (both.low, both.high) == (2, 18)
    assert both.missing == ("respiration", "liver", "cns", "renal")
    one = scored(observation("platelets", 120))
    assert (one.low, len(one.missing)) == (1, 5)


def test_example_26_sofa_one_of_the_comparison_scores_fourteen() -> None:
    sofa = scored(
        observation("respiratory-support", "niv"),
        observation("pao2", 84, specimen="arterial"),
        observation("fio2", "0.40"),
        observation("platelets", 90),
        observation("bilirubin", "2.5"),
        observation("norepinephrine-rate", "0.15"),
        observation("vasopressin-rate", "0.03"),
        observation("map", 68),
        observation("gcs-total", 12),
        observation("creatinine", "2.0"),
    )
    assert points(sofa) == [2, 2, 2, 4, 2, 2]
    assert "unscored_vasoactive" in sofa.organs["cardiovascular"].flags
