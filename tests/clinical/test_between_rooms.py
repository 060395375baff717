"""Edges between the rooms, from HL7 v2 bytes to the explanation: what no room's own tests can see."""

from pathlib import Path
from typing import Any

import pytest

from adapter.store import inbox
from tests.bedside import LONG_AFTER, MONDAY, WELL, WELL_SI, Patient, answer, criterion_of, organ
from tests.builders import raw
from tests.walking import open_house

FAILING = {**WELL, "plt": "90"}
FAILING_SI = {**WELL_SI, "plt": "90"}


def emergency(site: str = "generic", **parts: Any) -> Patient:
    return Patient(site, **parts).admit(ward="TEP" if site == "attikon" else "ED")


def candidate(**parts: Any) -> Patient:
    return emergency(**parts).labs(0.5, **FAILING).labs(1, ferritin="5200")


# --- oxygen -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("charted", "score"),
    [
        (1, 3),  # the gas's own moment
        (0, 3),  # an hour before
        (-2.9, 3),  # just under four hours before
        (-3.1, None),  # too old
        (1.05, None),  # after the gas: says nothing of it
    ],
)
def test_a_gas_is_divided_by_oxygen_charted_up_to_four_hours_before_it(charted: float, score: int | None) -> None:
    told = emergency().labs(1, pao2="80").labs(charted, fio2="50", device="invasive").explain()
    assert organ(told, "respiration")["score"] == score


def test_a_worst_gas_and_a_worst_oxygen_of_two_moments_are_never_divided() -> None:
    told = (
        emergency()
        .labs(0.5, pao2="70", fio2="40", device="mask")
        .labs(1.5, pao2="140", fio2="90", device="invasive")
        .explain()
    )
    assert organ(told, "respiration")["score"] == 3  # 140/0.9 = 155 ventilated; never 70/0.9 = 78


@pytest.mark.parametrize("specimen", ["BLDV", "Venous blood"])
def test_a_venous_gas_is_no_arterial_one_whatever_its_code(specimen: str) -> None:
    patient = emergency()
    patient.report(1, patient.line("pao2", "38"), patient.line("fio2", "40"), specimen=specimen)
    assert organ(patient.explain(), "respiration")["score"] is None
    assert "unsuitable-specimen" in patient.issues


# --- pressure and pumps -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("readings", "score"),
    [
        ([(1, "line", "62"), (1, "cuff", "80")], 1),  # the line wins
        ([(1, "line", "85"), (1.1, "cuff", "60")], 0),  # the line wins
        ([(1, "cuff", "60"), (1.5, "line", "85")], 1),  # half an hour apart: both count
        ([(1, "map", "62"), (1.1, "map", "75"), (1.2, "map", "76")], 0),  # a single dip among neighbours
        ([(1, "map", "62"), (1.1, "map", "66"), (1.2, "map", "76")], 1),
        ([(1, "sbp", "90"), (1, "dbp", "45")], 1),  # (90 + 2·45)/3 = 60
        ([(1, "sbp", "90"), (1.1, "dbp", "45")], None),  # not of one moment
    ],
)
def test_pressure_from_line_cuff_and_arithmetic(readings: list[tuple[float, str, str]], score: int | None) -> None:
    patient = emergency()
    for hour, name, value in readings:
        patient.labs(hour, **{name: value})
    assert organ(patient.explain(), "cardiovascular")["score"] == score


def test_an_infusion_counts_from_its_sixtieth_minute_by_the_clock_alone() -> None:
    patient = emergency("attikon").labs(0.2, map="80").labs(0.5, norad="0.08")
    before = patient.explain(1.49)
    assert organ(before, "cardiovascular")["score"] == 0
    assert before["review_at"] == "2026-03-02T09:30:00+00:00"
    assert organ(patient.explain(1.5), "cardiovascular")["score"] == 3


@pytest.mark.parametrize(
    ("rates", "score"),
    [
        ([(0.5, "0.1"), (1.5, "0.1")], 3),
        ([(0.5, "0.11"), (1.5, "0.11")], 4),
        ([(0.5, "0.2"), (1.0, "0.05"), (1.5, "0.05")], 3),  # 0.2 ran 30 minutes
        ([(0.5, "0.08"), (1.2, "0")], 0),  # 42 minutes
        ([(0.5, "0")], 0),
    ],
)
def test_only_the_rate_sustained_for_an_hour_scores(rates: list[tuple[float, str]], score: int) -> None:
    patient = emergency("attikon").labs(0.2, map="80")
    for hour, rate in rates:
        patient.labs(hour, norad=rate)
    assert organ(patient.explain(2), "cardiovascular")["score"] == score


@pytest.mark.parametrize("unit", ["mg/h", "ug/min", "mL/h"])
def test_a_rate_that_needs_a_weight_is_not_guessed(unit: str) -> None:
    patient = emergency("attikon").labs(0.2, map="80").labs(0.5, norad=("8", unit))
    heart = organ(patient.explain(), "cardiovascular")
    assert (heart["score"], heart["low"], heart["high"]) == (3, 3, 4)
    assert "unmapped-unit" not in patient.issues


# --- consciousness ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rass_at", [0.9, 1, 1.5])
def test_sedation_charted_before_with_or_soon_after_the_coma_score(rass_at: float) -> None:
    told = emergency().labs(-1, gcs="14").labs(1, gcs="3", device="invasive").labs(rass_at, rass="-4").explain()
    nerves = organ(told, "cns")
    assert (nerves["score"], nerves["status"]) == (1, "carried")


def test_the_coma_that_led_to_the_tube_scores_though_sedation_was_charted_within_the_hour() -> None:
    told = emergency().labs(-3, gcs="15").labs(0.2, gcs="8", device="mask").labs(0.5, device="invasive", rass="-4")
    assert organ(told.labs(1, gcs="3", rass="-4").explain(), "cns")["score"] == 3


def test_awake_or_without_a_word_of_sedation_or_tube_a_coma_score_stands() -> None:
    assert organ(emergency().labs(1, gcs="3").explain(), "cns")["score"] == 4
    assert organ(emergency().labs(1, gcs="9", rass="0").explain(), "cns")["score"] == 3


# --- urine ------------------------------------------------------------------------------------------------------------


def test_a_days_total_is_not_added_to_the_hours() -> None:
    patient = emergency().labs(0.5, crea="0.9")
    for hour in range(1, 25):
        patient.labs(hour, urine="15")
    told = patient.labs(24, urine24="360").explain(24)
    assert organ(told, "renal")["score"] == 3  # 360; added they would be 720


# --- corrections ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statements", "score"),
    [
        ([("18", "F"), ("181", "C")], 0),
        ([("18", "F"), ("", "X")], 0),
        ([("18", "F"), ("", "D")], 0),
        ([("18", "F"), ("18", "W")], 0),
        ([("18", "F"), ("haemolysed", "C")], 0),  # what stood there is no longer true
        ([("18", "P")], 0),
        ([("18", "P"), ("", "U")], 4),
        ([("18", "P"), ("45", "F")], 3),
        ([("18", "F"), ("200", "P")], 4),
        ([("18", "")], 4),  # OBX-11 silent: OBR-25 says F
        ([("18", "I")], 0),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_platelets_stated_again(statements: list[tuple[str, str]], score: int, backwards: bool) -> None:
    """Other platelets of the day are normal: 0 without the statement. Arrival order says nothing."""
    patient = emergency().labs(0.2, **WELL)
    first = len(patient.told)
    for number, (value, status) in enumerate(statements):
        line = patient.line("plt", value, status=status, type="ST" if value == "haemolysed" else "NM")
        patient.report(1, line, order="P1", sent=patient.time(1.2 + number))
    if backwards:
        patient.told[first:] = reversed(patient.told[first:])
    assert organ(patient.explain(3), "coagulation")["score"] == score


def test_a_deleted_chart_entry_is_gone() -> None:
    patient = emergency().labs(0.2, **WELL)
    patient.report(1, patient.line("map", "50", at=patient.time(1)), order="V9")
    assert organ(patient.explain(), "cardiovascular")["score"] == 1
    patient.report(1, patient.line("map", "", status="D", at=patient.time(1)), order="V9", sent=patient.time(1.5))
    assert organ(patient.explain(), "cardiovascular")["score"] == 0


# --- strata -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ferritin", "hladr", "verdict", "missing"),
    [
        ("HISS", "HISS", "candidate", []),
        ("", "", "incomplete", ["ferritin", "mhladr"]),
        ("HISS", "", "incomplete", ["mhladr"]),
        ("", "HISS", "incomplete", ["ferritin"]),
    ],
)
def test_the_trial_asks_for_the_central_laboratory_and_the_demonstration_for_any(
    ferritin: str, hladr: str, verdict: str, missing: list[str]
) -> None:
    patient = Patient("attikon", trials=("immunosep", "immunosep-demo")).admit(ward="TEP").labs(0.5, **FAILING_SI)
    lines = patient.line("ferritin", "900", laboratory=ferritin), patient.line("hladr", "3000", laboratory=hladr)
    told = patient.report(1, *lines).explain_all(2)
    assert (told["immunosep"]["verdict"], told["immunosep"]["missing"]) == (verdict, missing)
    assert told["immunosep"]["stratum_provisional"] == bool(missing)
    assert ("central" in criterion_of(told["immunosep"], "I7")["ask"]) == bool(missing)
    assert (told["immunosep-demo"]["verdict"], told["immunosep-demo"]["shown"]) == ("candidate", True)


def test_the_central_pair_outweighs_a_local_ferritin() -> None:
    patient = Patient("attikon", trials=("immunosep",)).admit(ward="TEP").labs(0.5, **FAILING_SI)
    patient.labs(1, ferritin="9000")
    pair = (patient.line(name, value, laboratory="HISS") for name, value in (("ferritin", "900"), ("hladr", "7000")))
    told = patient.report(1.2, *pair).explain()
    assert (told["stratum"], told["verdict"], told["stratum_provisional"]) == ("unclassified", "not-candidate", False)


@pytest.mark.parametrize(
    ("tests", "stratum", "question"),
    [
        ([], "immunoparalysis", "No conclusive"),
        ([(0.2, "Not detected")], "immunoparalysis", ""),
        ([(0.2, "Detected")], "immunoparalysis-blocked-by-covid", ""),
        ([(0.2, "Detected"), (1, "Inconclusive")], "immunoparalysis-blocked-by-covid", ""),
        ([(-100, "Not detected"), (1, "Detected")], "immunoparalysis-blocked-by-covid", ""),
        ([(0.2, "Detected"), (1, "Not detected")], "immunoparalysis", "another test did not detect"),
        ([(1, "Detected"), (1, "Not detected")], "immunoparalysis", "another test did not detect"),
        ([(-15 * 24, "Detected")], "immunoparalysis", "No conclusive"),
    ],
)
def test_covid_by_its_tests_and_discordant_ones_are_for_a_person(
    tests: list[tuple[float, str]], stratum: str, question: str
) -> None:
    patient = emergency().labs(0.5, **FAILING).labs(1, ferritin="3000", hladr="4200")
    for hour, word in tests:
        patient.labs(hour, covid=word)
    told = patient.explain()
    assert told["stratum"] == stratum
    assert [q for q in told["questions"] if "COVID" in q] == [
        q for q in told["questions"] if question and question in q
    ]
    assert bool(question) == any("COVID" in q for q in told["questions"])


@pytest.mark.parametrize(
    ("apart", "stratum", "flagged"), [(0, "immunoparalysis", False), (4, "immunoparalysis", True), (25, "", False)]
)
def test_ferritin_and_hladr_of_two_draws(apart: float, stratum: str, flagged: bool) -> None:
    told = emergency().labs(0.5, **FAILING).labs(1, ferritin="900").labs(1 + apart, hladr="3000").explain(27)
    assert told["stratum"] == (stratum or "indeterminate")
    assert ("pair_not_same_draw" in told["flags"]) == flagged


@pytest.mark.parametrize(("count_at", "e5"), [(0.6, "met"), (1.2, "not-met"), (1.4, "not-met")])
def test_the_newest_neutrophils_decide_counted_or_derived(count_at: float, e5: str) -> None:
    told = candidate().labs(count_at, anc="3.0").labs(1.2, wbc="1.0", neut="50").explain()
    assert answer(told, "E5") == e5


# --- persons ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("born", "i1", "e1"),
    [
        ("20080302", "met", "not-met"),  # eighteen today
        ("20080303", "not-met", "met"),  # tomorrow
        ("2008", "unknown", "unknown"),
        ("", "unknown", "unknown"),
        ('""', "unknown", "unknown"),
    ],
)
def test_the_eighteenth_birthday(born: str, i1: str, e1: str) -> None:
    told = candidate(born=born).explain()
    assert (answer(told, "I1"), answer(told, "E1")) == (i1, e1)
    assert told["verdict"] == ("not-candidate" if e1 == "met" else "candidate")


@pytest.mark.parametrize("sex", ["F", "M", "U", "O", "A", ""])
def test_only_a_registered_man_is_not_asked_about_pregnancy(sex: str) -> None:
    told = candidate(sex=sex).explain()
    settled = sex == "M"
    assert (answer(told, "I3"), answer(told, "E15")) == (("met", "not-met") if settled else ("unknown", "unknown"))
    assert any(q.startswith(("I3", "E15")) for q in told["questions"]) != settled


@pytest.mark.parametrize(("sex", "hour", "e15"), [("F", -480, "unknown"), ("U", 1, "unknown"), ("M", 1, "not-met")])
def test_a_positive_pregnancy_test_is_in_sight_even_where_it_does_not_decide(sex: str, hour: float, e15: str) -> None:
    found = criterion_of(candidate(sex=sex).labs(hour, hcg="Positive").explain(), "E15")
    assert found["answer"] == e15
    assert [item["value"] for item in found["evidence"]] == ["positive"]


def test_a_code_or_test_only_lays_evidence_before_a_person() -> None:
    told = candidate().labs(1, dnr="DNR", hiv="Reactive", culture="Staphylococcus epidermidis").explain()
    for criterion, value in (("E6", "dnr"), ("E9", "positive"), ("E7", "staphylococcus epidermidis")):
        found = criterion_of(told, criterion)
        assert (found["answer"], found["needs"]) == ("unknown", "person")
        assert [item["value"] for item in found["evidence"]] == [value]
    assert told["verdict"] == "candidate"


def test_every_organism_of_the_week_is_laid_out() -> None:
    told = candidate().labs(0.6, culture="Escherichia coli").labs(1, culture="Staphylococcus hominis").explain()
    assert [item["value"] for item in criterion_of(told, "I5")["evidence"]] == [
        "escherichia coli",
        "staphylococcus hominis",
    ]
    assert [item["value"] for item in criterion_of(told, "E7")["evidence"]] == ["staphylococcus hominis"]


@pytest.mark.parametrize(
    "said",
    ["No growth after 48 hours", "No organisms isolated", "Culture negative", "Not detected", "see comment", "Pending"],
)
def test_a_culture_without_growth_is_no_sign_of_infection(said: str) -> None:
    told = Patient().admit(event="A01", cls="I", ward="MED").labs(0.5, **FAILING).labs(1, culture=said).explain()
    assert (told["sepsis"]["infection"], criterion_of(told, "I5")["evidence"]) == (None, [])


def test_every_question_of_the_page_reads_in_the_direction_of_its_criterion() -> None:
    """`met` is yes: an exclusion never asks for its opposite."""
    asks = {c["id"]: c["ask"] for c in Patient(born="", sex="").admit().explain()["criteria"] if c["needs"] == "person"}
    assert "lower than 1,500" in asks["E5"]
    assert "18 years old or older?" in asks["I1"]
    assert "younger than 18" in asks["E1"]
    assert {i for i, ask in asks.items() if "?" not in ask} == set()


# --- visits -----------------------------------------------------------------------------------------------------------


def test_a_registration_and_an_admission_at_one_stated_time_are_an_emergency_arrival() -> None:
    """Systems that repeat the time of arrival in PV1-44; tried with several beds, for no hash may decide."""
    for bed in "1234567":
        patient = Patient().admit(at="", admitted=Patient().time(0), bed=bed)
        patient.admit(5, event="A01", cls="I", ward="MED", at="", admitted=patient.time(0), bed=bed)
        assert patient.labs(0.5, **FAILING).explain(6)["sepsis"]["context"] == "emergency"


@pytest.mark.parametrize(("cls", "context", "met"), [("E", "emergency", "met"), ("I", "inpatient", "unknown")])
def test_a_visit_known_by_updates_alone_began_when_they_say(cls: str, context: str, met: str) -> None:
    """The first day of the feed: everybody is in bed already."""
    patient = Patient().admit(1, event="A08", cls=cls, admitted=Patient().time(0)).labs(0.5, **FAILING)
    told = patient.explain()
    assert (told["sepsis"]["context"], answer(told, "I6"), told["encounter"]["admitted"]) == (
        context,
        met,
        MONDAY.isoformat(),
    )


def test_an_update_without_a_beginning_leaves_the_context_to_a_person() -> None:
    told = Patient().admit(event="A08", cls="E").labs(0.5, **FAILING).explain()
    assert (answer(told, "I6"), criterion_of(told, "I6")["needs"]) == ("unknown", "person")


def test_the_ward_counts_the_increase_after_an_emergency_stay_of_two_days() -> None:
    patient = emergency().labs(0.5, **WELL).admit(10, event="A02", cls="I", ward="MED")
    told = patient.labs(60, **{**WELL, "plt": "140"}).explain(61)
    assert (told["sepsis"]["context"], told["sofa"]["low"], answer(told, "I6")) == ("inpatient", 1, "not-met")
    rose = patient.labs(62, **FAILING).explain(63)
    assert (rose["sepsis"]["baseline"]["low"], answer(rose, "I6")) == (0, "met")


@pytest.mark.parametrize(
    ("event", "parts", "shown"),
    [
        ("A03", {}, False),
        ("A08", {"dead": "Y"}, False),
        ("A08", {"died": "20260302093000+0000"}, False),
        ("A08", {"dead": "N"}, True),
        ("A11", {}, False),
    ],
)
def test_who_left_died_or_was_never_admitted_is_not_shown(event: str, parts: dict[str, str], shown: bool) -> None:
    assert candidate().admit(1.5, event=event, **parts).explain()["shown"] is shown


def test_a_cancelled_discharge_shows_again() -> None:
    assert candidate().admit(1.5, event="A03").admit(1.6, event="A13").explain()["shown"]


# --- time -------------------------------------------------------------------------------------------------------------


def test_a_result_dated_ahead_waits_for_its_time() -> None:
    patient = emergency().labs(0.5, **FAILING).labs(3, ferritin="5200")
    assert patient.explain(2)["stratum"] == "indeterminate"
    assert patient.explain(2)["review_at"] == "2026-03-02T11:00:00+00:00"
    assert patient.explain(3)["stratum"] == "mals"


def test_a_late_result_moves_the_onset_back_by_its_own_time() -> None:
    patient = emergency().labs(10, **FAILING)
    assert patient.explain(12)["sepsis"]["onset"] == "2026-03-02T18:00:00+00:00"
    patient.report(1, patient.line("plt", "80"), sent=patient.time(13))
    assert patient.explain(14)["sepsis"]["onset"] == "2026-03-02T09:00:00+00:00"


def test_seventy_two_hours_are_elapsed_hours_across_the_change_of_clocks() -> None:
    """Athens, 25 October 2026: 04:00 summer time is 03:00 winter time. Times without offset, as the site writes them."""
    patient = Patient("attikon")
    patient.admit(ward="TEP", at="20261024230000", sent="20261024230000")
    lines = [patient.line(name, value) for name, value in FAILING_SI.items()]
    patient.report(0, *lines, at="20261024233000", sent="20261024234000")
    patient.report(0, patient.line("ferritin", "5200"), at="20261025033000", sent="20261025034000")
    hours = (24 * 236) + 21.5  # 24 October, 21:30 UTC
    told = patient.explain(hours)
    assert told["sepsis"]["onset"] == "2026-10-24T20:30:00+00:00"
    assert (told["sepsis"]["deadline"], told["sepsis"]["hours_left"]) == ("2026-10-27T20:30:00+00:00", 63.0 + 0)
    assert "dst-ambiguous" in told["flags"]


# --- the house keeps what the pure reading says -----------------------------------------------------------------------


def test_message_by_message_through_the_house_ends_where_reading_all_at_once_does(tmp_path: Path) -> None:
    patient = emergency().labs(0.2, **WELL).labs(0.5, plt="18", gcs="3", rass="-3").labs(0.4, gcs="14")
    patient.labs(1, ferritin="3000", hladr="4200").labs(1, covid="Detected").labs(1.2, map="60").labs(1.3, map="62")
    patient.report(0.5, patient.line("plt", "95", status="C"), order="F2", sent=patient.time(2))
    patient.labs(1.5, ferritin="5200").labs(0.3, crea="2.1").admit(1.6, event="A02", cls="I", ward="ICU")
    house = open_house(tmp_path)
    house.now = MONDAY
    house.later(hours=3)
    for body in patient.told:
        with house.database.write() as tx:
            inbox.put_many(tx, [raw(body, received=LONG_AFTER)])
        house.work()
    kept, told = house.row.assessment, patient.explain(3)
    for name in ("verdict", "certainty", "stratum", "sepsis", "flags", "missing", "questions", "review_at"):
        assert kept[name] == told[name], name
    assert [c["answer"] for c in kept["criteria"]] == [c["answer"] for c in told["criteria"]]
    assert {n: (o["score"], o["low"], o["high"]) for n, o in kept["sofa"]["components"].items()} == {
        n: (o["score"], o["low"], o["high"]) for n, o in told["sofa"]["components"].items()
    }
