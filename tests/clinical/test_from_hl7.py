"""The worked examples of the clinical specification, by number, from HL7 v2 bytes to the explanation.

Expectations are the specification's own numbers; nothing but messages and the shipped rules goes in.
"""

from typing import Any

import pytest

from adapter.domain.ledger import Bucket
from tests.bedside import MONDAY, WELL, WELL_SI, Patient, answer, criterion_of, organ, scores
from tests.builders import er7, msh, pid, pv1

FAILING = {**WELL, "plt": "90"}
"""SOFA 2 by platelets alone."""


def emergency(site: str = "generic", **parts: Any) -> Patient:
    return Patient(site, **parts).admit(ward="TEP" if site == "attikon" else "ED")


def with_sepsis(**parts: Any) -> Patient:
    return emergency(**parts).labs(0.5, **FAILING)


def test_example_01_plain_mals() -> None:
    told = (
        emergency()
        .labs(0.5, pao2="68", fio2="40", device="mask", plt="140", bili="1.2", map="68", gcs="15", crea="1.9")
        .labs(1, ferritin="5200")
        .explain()
    )
    assert scores(told) == (2, 1, 1, 1, 0, 1)
    assert (told["sofa"]["low"], told["sofa"]["high"]) == (6, 6)
    assert (told["verdict"], told["certainty"], told["stratum"], told["shown"]) == (
        "candidate",
        "certain",
        "mals",
        True,
    )
    assert (told["sepsis"]["context"], told["sepsis"]["hours_left"]) == ("emergency", 70.5)
    assert (answer(told, "I6"), answer(told, "I7"), answer(told, "I8")) == ("met", "met", "met")
    assert {c["needs"] for c in told["criteria"] if c["answer"] == "unknown"} == {"person"}


@pytest.mark.parametrize(
    ("value", "unit", "flag"), [("40", "%", ""), ("0.4", "1", ""), ("0.4", "%", "repaired"), ("40", "1", "repaired")]
)
@pytest.mark.parametrize(("pao2", "points"), [("80", 2), ("79.9", 3)])
def test_example_02_every_form_of_fio2_is_the_same_fraction(
    value: str, unit: str, flag: str, pao2: str, points: int
) -> None:
    told = emergency().labs(0.5, pao2=pao2, fio2=(value, unit), device="invasive").explain()
    lung = organ(told, "respiration")
    assert lung["score"] == points
    assert ("fio2_unit_repaired" in lung["flags"]) == bool(flag)


def test_example_02_a_flow_in_the_fio2_field_is_a_flow_and_four_percent_is_nothing() -> None:
    flow = emergency().labs(0.5, pao2="80", fio2=("4", "L/min"), device="nasal cannula").explain()
    assert organ(flow, "respiration")["score"] == 2
    assert "fio2_estimated" in organ(flow, "respiration")["flags"]
    assert "0.36" in organ(flow, "respiration")["evidence"][0]["note"]
    patient = emergency().labs(0.5, pao2="80", fio2=("4", "%"), device="invasive")
    assert organ(patient.explain(), "respiration")["score"] is None
    assert patient.seen[-1].ledger.counts[Bucket.BAD_VALUE] == 1


@pytest.mark.parametrize(
    ("pao2", "fio2", "points", "discordant"),
    [("9.3", "35", 3, False), ("9.34", "35", 3, True), ("8.0", "60", 3, False), ("7.98", "60", 3, True)],
)
def test_example_03_kilopascals_are_read_in_their_own_column(
    pao2: str, fio2: str, points: int, discordant: bool
) -> None:
    told = emergency().labs(0.5, pao2=(pao2, "kPa"), fio2=fio2, device="invasive").explain()
    lung = organ(told, "respiration")
    assert (lung["score"], "unit_discordant" in lung["flags"]) == (points, discordant)
    assert lung["evidence"][0]["original"] == {"value": pao2, "unit": "kPa"}


@pytest.mark.parametrize(
    ("name", "value", "native", "converted"),
    [
        ("crea", "109", 0, 1),
        ("crea", "110", 1, 1),
        ("crea", "175", 2, 1),
        ("crea", "305", 3, 2),
        ("crea", "310", 3, 3),
        ("crea", "440", 3, 3),
        ("crea", "441", 4, 3),
        ("crea", "442", 4, 4),
        ("bili", "20", 1, 0),
        ("bili", "33", 2, 1),
        ("bili", "34.2", 2, 2),
        ("bili", "102", 3, 2),
        ("bili", "205", 4, 3),
        ("bili", "206", 4, 4),
    ],
)
@pytest.mark.parametrize("spelling", ["umol/L", "µmol/l"])
def test_example_04_micromoles_are_read_in_their_own_column(
    name: str, value: str, native: int, converted: int, spelling: str
) -> None:
    told = emergency().labs(0.5, **{name: (value, spelling)}).explain()
    found = organ(told, "renal" if name == "crea" else "liver")
    assert (found["score"], "unit_discordant" in found["flags"]) == (native, native != converted)


@pytest.mark.parametrize(
    ("name", "organ_name", "points"),
    [
        ("bili", "liver", "1.19:0 1.2:1 1.95:1 2.0:2 5.95:2 6.0:3 11.9:3 12.0:4"),
        ("crea", "renal", "1.19:0 1.2:1 2.0:2 3.4:2 3.5:3 4.9:3 5.0:4"),
        ("plt", "coagulation", "150:0 149:1 100:1 99:2 50:2 49:3 20:3 19:4"),
        ("gcs", "cns", "15:0 14:1 13:1 12:2 10:2 9:3 6:3 5:4"),
        ("map", "cardiovascular", "70:0 69.9:1"),
    ],
)
def test_example_05_edges_of_the_conventional_column(name: str, organ_name: str, points: str) -> None:
    for pair in points.split():
        value, expected = pair.split(":")
        told = emergency().labs(0.5, **{name: value}).explain()
        assert organ(told, organ_name)["score"] == int(expected), pair


def test_example_06_a_sedated_gcs_is_the_one_before_sedation() -> None:
    sedated = emergency().labs(-6, device="invasive").labs(0, device="invasive", rass="-4", gcs="3")
    assert organ(sedated.explain(1), "cns")["score"] is None
    with_earlier = sedated.labs(-6.5, gcs="14")
    nerves = organ(with_earlier.explain(1), "cns")
    assert (nerves["score"], nerves["status"]) == (1, "carried")


def test_example_06_by_the_hour_as_a_flowsheet_tells_it() -> None:
    """The clock of the example: 01:30 GCS 14, 02:00 tube and propofol, 08:00 GCS 3; RASS from the first hour on."""
    patient = emergency().labs(-8, gcs="15").labs(-6.5, gcs="14").labs(-6, device="invasive", rass="-4")
    for hour in (-4, -2, 0):
        patient.labs(hour, device="invasive", rass="-4", gcs="3")
    nerves = organ(patient.explain(1), "cns")
    assert (nerves["score"], nerves["low"], nerves["high"], nerves["evidence"][0]["value"]) == (1, 1, 1, "14")


def test_example_07_a_corrected_result_replaces() -> None:
    patient = emergency().labs(0, **{**WELL, "plt": "18"}).labs(0.5, ferritin="5200")
    before = patient.explain(1)
    assert (scores(before)[1], before["sofa"]["low"], before["verdict"]) == (4, 4, "candidate")
    right = patient.line("plt", "181", status="C")
    after = patient.report(0, right, order="F1", sent=patient.time(1.2)).explain(2)
    assert (scores(after)[1], after["sofa"]["low"], after["verdict"]) == (0, 0, "not-candidate")


def hourly(*millilitres: str) -> Patient:
    patient = emergency().labs(0.5, crea="0.9")
    for hour, volume in enumerate(millilitres, 1):
        patient.labs(hour, urine=volume)
    return patient


@pytest.mark.parametrize(
    ("entries", "shown", "certain"),
    [
        (["30"] * 10, 0, 0),  # 300 mL in 10 h: nothing, though 720 if extrapolated
        (["15"] * 10, 0, 0),  # 150 mL in 10 h: too short to say anything
        (["12.5"] * 12, 3, 0),  # 150 mL in 12 h: shown, decides nothing
        (["20"] * 21 + ["30"], 3, 3),  # 450 mL in 22 h: 490.9 a day
        (["8"] * 21 + ["12"], 4, 4),  # 180 mL in 22 h: 196.4 a day
        (["60"] * 8 + ["40"], 0, 0),  # 520 mL in 9 h
    ],
)
def test_example_08_hourly_urine(entries: list[str], shown: int, certain: int) -> None:
    kidney = organ(hourly(*entries).explain(len(entries)), "renal")
    assert (kidney["score"], kidney["low"]) == (shown, certain)


@pytest.mark.parametrize(("total", "points"), [("500", 0), ("480", 3), ("200", 3), ("199", 4)])
def test_example_08_a_days_urine(total: str, points: int) -> None:
    told = emergency().labs(0.5, crea="0.9").labs(24, urine24=total).explain(24.2)
    assert organ(told, "renal")["score"] == points


@pytest.mark.parametrize(
    ("ferritin", "hladr", "stratum", "verdict"),
    [
        ("4420", "4999", "immunoparalysis", "candidate"),
        ("4420.1", "", "mals", "candidate"),
        ("4420", "5000", "unclassified", "not-candidate"),
    ],
)
def test_example_09_the_thresholds_are_strict(ferritin: str, hladr: str, stratum: str, verdict: str) -> None:
    told = with_sepsis().labs(1, ferritin=ferritin, **({"hladr": hladr} if hladr else {})).explain()
    assert (told["stratum"], told["verdict"]) == (stratum, verdict)
    assert "near_threshold" in told["flags"]
    assert (answer(told, "I7") == "met") == (verdict == "candidate")


def test_example_10_both_states_belong_to_mals() -> None:
    assert with_sepsis().labs(1, ferritin="6000", hladr="2500").explain()["stratum"] == "mals"


def test_example_12a_emergency_counts_the_total() -> None:
    two = emergency().labs(0.5, **FAILING).explain()
    one = emergency().labs(0.5, **{**WELL, "plt": "140"}).explain()
    assert (answer(two, "I6"), answer(one, "I6")) == ("met", "not-met")
    assert (one["verdict"], one["sofa"]["high"]) == ("not-candidate", 1)


@pytest.mark.parametrize(("bilirubin", "sofa", "met"), [("1.5", 5, "not-met"), ("2.5", 6, "met")])
def test_example_12b_the_ward_counts_the_increase(bilirubin: str, sofa: int, met: str) -> None:
    chronic = {**WELL, "plt": "80", "crea": "2.5"}
    patient = Patient().admit(event="A01", cls="I", ward="NEPH").labs(2, **chronic)
    told = patient.labs(140, **{**chronic, "bili": bilirubin}).labs(140, ferritin="5200").explain(141)
    assert (told["sepsis"]["context"], told["sepsis"]["baseline"]["low"], told["sofa"]["low"]) == ("inpatient", 4, sofa)
    assert (told["sepsis"]["increase"]["low"], answer(told, "I6")) == (sofa - 4, met)
    assert told["verdict"] == ("candidate" if met == "met" else "not-candidate")


def test_example_12c_a_transfer_without_admission_sofa_is_for_a_person() -> None:
    five = {**WELL, "plt": "40", "bili": "2.5"}
    told = Patient().admit(event="A01", cls="I", ward="ICU").labs(1, **five).explain()
    sepsis = criterion_of(told, "I6")
    assert (told["sofa"]["low"], sepsis["answer"], sepsis["needs"]) == (5, "unknown", "person")
    assert "SOFA before" in sepsis["ask"]


def test_example_13_a_charted_rate_in_micrograms_a_minute_is_weighed() -> None:
    """Without a weight it ran for certain; the pressure alone would make it a firm 0."""
    patient = (
        emergency("attikon").labs(0.5, map="75", norad=("20", "ug/min")).labs(1.5, map="75", norad=("20", "mcg/min"))
    )
    heart = organ(patient.explain(2), "cardiovascular")
    assert (heart["score"], heart["low"], heart["high"], heart["flags"]) == (3, 3, 4, ["weight_missing"])


@pytest.mark.parametrize(
    ("drug", "rate", "points"),
    [("dopa", "5.0", 2), ("dopa", "5.1", 3), ("dopa", "15", 3), ("dopa", "15.1", 4), ("dobu", "2", 2)],
)
def test_example_14_dopamine_and_dobutamine(drug: str, rate: str, points: int) -> None:
    told = emergency("attikon").labs(0.5, map="75", **{drug: rate}).labs(1, **{drug: rate}).explain(1.5)
    assert organ(told, "cardiovascular")["score"] == points


def test_example_14_vasopressin_alone_scores_nothing_and_is_flagged() -> None:
    heart = organ(emergency("attikon").labs(0.5, map="75", vaso="0.03").explain(), "cardiovascular")
    assert heart["score"] == 0
    assert "unscored_vasoactive" in heart["flags"]


def test_example_15_ventilated_250_is_two_points() -> None:
    told = emergency().labs(0.5, pao2="100", fio2="40", device="invasive").explain()
    assert organ(told, "respiration")["score"] == 2


@pytest.mark.parametrize(("value", "unit", "points"), [("98000", "/uL", 2), ("98", "10*9/L", 2), ("98", "/uL", None)])
def test_example_16_the_unit_of_platelets(value: str, unit: str, points: int | None) -> None:
    patient = emergency().labs(0.5, plt=(value, unit))
    assert organ(patient.explain(), "coagulation")["score"] == points
    if points is None:
        assert patient.seen[-1].ledger.counts[Bucket.BAD_VALUE] == 1
        assert "impossible-value" in patient.issues


def test_example_16_clumps_in_a_comment_are_flagged() -> None:
    patient = emergency()
    patient.report(0.5, patient.line("plt", "98"), "NTE|1|L|Platelet clumps seen")
    assert "platelet_clumps" in organ(patient.explain(), "coagulation")["flags"]


@pytest.mark.parametrize(
    ("counts", "told_e5", "verdict"),
    [
        ({"wbc": "2.0", "neut": "70"}, "met", "not-candidate"),
        ({"anc": ("1500", "/mm3")}, "not-met", "candidate"),
        ({"anc": ("1.5", "")}, "unknown", "candidate"),
    ],
)
def test_example_18_neutrophils(counts: dict[str, Any], told_e5: str, verdict: str) -> None:
    told = with_sepsis().labs(1, **counts).labs(1, ferritin="5200").explain()
    assert (answer(told, "E5"), told["verdict"]) == (told_e5, verdict)
    if told_e5 == "met":
        assert criterion_of(told, "E5")["evidence"][0]["value"] == "1.4"


def thursday(hour: float) -> dict[str, Any]:
    """Sepsis on Monday 08:00; the central laboratory's pair drawn on Thursday 04:00, told at 06:00."""
    patient = Patient("attikon", trials=("immunosep",)).admit(ward="TEP").labs(0, **{**WELL_SI, "plt": "90"})
    pair = (patient.line(name, value, laboratory="HISS") for name, value in (("ferritin", "900"), ("hladr", "4200")))
    return patient.report(68, *pair, sent=patient.time(70)).explain(hour)


def test_example_20_the_clock_ends_strictly_before_seventy_two_hours() -> None:
    at_six = thursday(70)
    assert at_six["sepsis"]["onset"] == MONDAY.isoformat()
    assert (at_six["verdict"], at_six["stratum"], at_six["sepsis"]["hours_left"]) == (
        "candidate",
        "immunoparalysis",
        2.0,
    )
    assert "less_than_12_h_left" in at_six["flags"]
    assert not at_six["stratum_provisional"]
    minute_to, eight = thursday(72 - 1 / 60), thursday(72)
    assert (minute_to["verdict"], answer(minute_to, "I8")) == ("candidate", "met")
    assert (eight["verdict"], answer(eight, "I8"), eight["shown"]) == ("expired", "not-met", False)


@pytest.mark.parametrize(
    ("value", "unit", "canonical", "stratum", "flags"),
    [
        ("9931", "pmol/L", "4419.67", "indeterminate", {"near_threshold", "molar_ferritin"}),
        ("9932", "pmol/L", "4420.12", "mals", {"near_threshold", "molar_ferritin"}),
        ("442", "ug/dL", "4420", "indeterminate", {"near_threshold"}),
    ],
)
def test_example_21_molar_ferritin(value: str, unit: str, canonical: str, stratum: str, flags: set[str]) -> None:
    told = with_sepsis().labs(1, ferritin=(value, unit)).explain()
    assert told["stratum"] == stratum
    assert told["facts"]["ferritin"]["value"].startswith(canonical)
    assert set(told["flags"]) >= flags


@pytest.mark.parametrize(("unit", "stratum"), [("AB/C", "indeterminate"), ("kAB/C", "unclassified")])
def test_thousands_of_hladr_are_such_only_where_the_unit_says_so(unit: str, stratum: str) -> None:
    told = with_sepsis().labs(1, ferritin="900", hladr=("12.5", unit)).explain()
    assert told["stratum"] == stratum
    assert ("mhladr" in told["missing"]) == (unit == "AB/C")


@pytest.mark.parametrize(("value", "unit"), [("22", "%"), ("310", "MFI")])
def test_example_22_hladr_as_share_or_brightness_is_no_count(value: str, unit: str) -> None:
    told = with_sepsis().labs(1, ferritin="900", hladr=(value, unit)).explain()
    assert (told["stratum"], told["verdict"], told["shown"]) == ("indeterminate", "incomplete", True)
    assert "antibodies bound per cell" in criterion_of(told, "I7")["ask"]
    assert "mhladr" in told["missing"]


@pytest.mark.parametrize(
    ("text", "kind", "stratum", "verdict"),
    [
        (">2000", "NM", "indeterminate", "incomplete"),
        (">^2000", "SN", "indeterminate", "incomplete"),
        (">7500", "ST", "mals", "candidate"),
        (">^7500", "SN", "mals", "candidate"),
    ],
)
def test_example_23_censored_ferritin(text: str, kind: str, stratum: str, verdict: str) -> None:
    patient = with_sepsis()
    told = patient.report(1, patient.line("ferritin", text, type=kind)).explain()
    assert (told["stratum"], told["verdict"]) == (stratum, verdict)
    if stratum == "indeterminate":
        assert "dilute" in criterion_of(told, "I7")["ask"]


def test_example_23_a_thousands_mark_that_may_be_a_decimal_mark_is_no_value() -> None:
    patient = with_sepsis().labs(1, ferritin="4.420")
    told = patient.explain()
    assert (told["stratum"], told["verdict"], "ferritin" in told["facts"]) == ("indeterminate", "incomplete", False)
    assert "ambiguous-number" in patient.issues


def test_example_25_the_lower_bound_is_enough() -> None:
    two = emergency().labs(0.5, plt="120", map="66").explain()
    assert (two["sofa"]["low"], answer(two, "I6"), two["sofa"]["high"]) == (2, "met", 18)
    assert (two["verdict"], two["certainty"], two["shown"]) == ("incomplete", "possible", True)
    one = emergency().labs(0.5, plt="120").explain()
    assert (one["sofa"]["low"], scores(one).count(None), answer(one, "I6")) == (1, 5, "unknown")
    assert (one["verdict"], one["shown"]) == ("incomplete", False)


def woman(born: str) -> Patient:
    return with_sepsis(sex="F", born=born).labs(1, ferritin="5200")


def test_example_27_pregnancy() -> None:
    positive = woman("19911105").labs(1, hcg="Positive").explain()
    assert (answer(positive, "E15"), positive["verdict"]) == ("met", "not-candidate")
    untested = woman("19911105").explain()
    assert (answer(untested, "E15"), untested["verdict"]) == ("unknown", "candidate")
    assert "urine pregnancy test" in criterion_of(untested, "E15")["ask"]
    older = criterion_of(woman("19580701").explain(), "E15")
    assert (older["answer"], older["needs"]) == ("unknown", "person")


@pytest.mark.parametrize(
    ("value", "status", "kind"),
    [
        ("", "F", "NM"),
        ('""', "F", "NM"),
        ("haemolysed", "F", "ST"),
        ("see comment", "F", "TX"),
        ("18", "X", "NM"),
    ],
)
@pytest.mark.parametrize("name", ["plt", "bili", "crea", "map", "gcs", "ferritin"])
def test_example_28_what_is_no_value_is_never_zero(value: str, status: str, kind: str, name: str) -> None:
    patient = emergency()
    told = patient.report(0.5, patient.line(name, value, status=status, type=kind)).explain()
    assert (scores(told), told["sofa"]["low"], told["sofa"]["high"]) == ((None,) * 6, 0, 24)
    assert "ferritin" not in told["facts"]
    assert (told["stratum"], told["verdict"]) == ("indeterminate", "incomplete")


NORADRENALINE, PROPOFOL, VASOPRESSIN = "C01CA03^^ATC", "N01AX10^^ATC", "H01BA01^^ATC"


def infusion(patient: Patient, start: float, end: float | None, code: str, rate: str, unit: str, *more: str) -> bytes:
    """RAS of one RXA; `more` are RXA-12 (per), RXA-13 and RXA-14 (strength)."""
    per, strength, strength_unit = (*more, "", "", "")[:3]
    until = "" if end is None else patient.time(end)
    line = f"RXA|0|1|{patient.time(start)}|{until}|{code}|{rate}|{unit}|||||{per}|{strength}|{strength_unit}||||||CP|A"
    head = msh("RAS^O17", control=f"{code}{start}", at=patient.time(start))
    return er7(head, pid(), pv1(), f"ORC|RE|P{code}|F{code}", line, "RXR|IV")


@pytest.mark.parametrize(
    ("weight", "rate", "points"),
    [
        ("80", ("0.5", "mg", "HR"), 4),
        ("80", ("0.4", "mg/h"), 3),
        ("70", ("8", "mL/h", "", "4", "mg/50 mL"), 4),
        ("70", ("5", "mL/h", "", "4", "mg/50mL"), 3),
        ("80", ("0.1", "ug/kg/min"), 3),
        ("80", ("0.11", "mcg/kg/min"), 4),
        ("80", ("0", "mg/h"), 0),
    ],
)
def test_example_13_norepinephrine_given(weight: str, rate: tuple[str, ...], points: int) -> None:
    """RXA alone: the rate, its unit, per what time, and the syringe; the weight came with the admission's charting.

    The generic site does not know of which salt its doses are, so 4 points may be 3.
    """
    patient = emergency().labs(-1, map="80", weight=weight).labs(2.5, map="80")
    heart = organ(patient.tell(infusion(patient, 0, 2, NORADRENALINE, *rate)).explain(3), "cardiovascular")
    assert (heart["score"], heart["low"], heart["high"]) == (points, min(points, 3), points)


def test_example_13_forty_minutes_do_not_count() -> None:
    patient = emergency().labs(1, map="80")
    heart = organ(
        patient.tell(infusion(patient, 0, 2 / 3, NORADRENALINE, "0.2", "ug/kg/min")).explain(), "cardiovascular"
    )
    assert (heart["score"], heart["flags"]) == (0, ["infusion_under_60_min"])


def test_example_13_a_taken_back_infusion_takes_its_points_with_it() -> None:
    patient = emergency().labs(1, map="80")
    said = infusion(patient, 0, 1.5, NORADRENALINE, "0.2", "ug/kg/min")
    assert organ(patient.tell(said).explain(), "cardiovascular")["score"] == 4
    patient.tell(said.replace(b"|CP|A", b"|CP|D").replace(b"C01CA03^^ATC0|", b"D|"))
    assert organ(patient.explain(), "cardiovascular")["score"] == 0


def test_example_14_vasopressin_given_alone_is_named_and_scores_nothing() -> None:
    patient = emergency().labs(1, map="75")
    heart = organ(patient.tell(infusion(patient, 0, 1.5, VASOPRESSIN, "0.03", "U/min")).explain(), "cardiovascular")
    assert (heart["score"], heart["flags"]) == (0, ["unscored_vasoactive", "vasopressin_running"])


def test_example_06_under_propofol_the_gcs_before_it_counts() -> None:
    """01:30 GCS 14, 02:00 propofol, 08:00 GCS 3; nobody charts a RASS."""
    patient = emergency().labs(-6.5, gcs="14").labs(0, device="invasive", gcs="3")
    nerves = organ(patient.tell(infusion(patient, -6, 4, PROPOFOL, "3", "mg/kg/h")).explain(1), "cns")
    assert (nerves["score"], nerves["status"], nerves["evidence"][0]["value"]) == (1, "carried", "14")
    alone = emergency().labs(0, device="invasive", gcs="3")
    nerves = organ(alone.tell(infusion(alone, -6, 4, PROPOFOL, "3", "mg/kg/h")).explain(1), "cns")
    assert (nerves["score"], nerves["low"], nerves["high"]) == (None, 0, 4)
