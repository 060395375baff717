"""What a message says: events, findings, and one bucket for every OBX."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from adapter import assets
from adapter.domain.encounter import EncounterAction, EncounterClass
from adapter.domain.events import EncounterChanged, ObservationReceived, PatientDescribed, RecordsTied
from adapter.domain.ledger import Bucket
from adapter.domain.message import MessageKind
from adapter.domain.observation import Laboratory, Observation, ResultStatus
from adapter.domain.patient import Demographics, PatientId
from adapter.domain.quantity import Comparator
from adapter.domain.ties import Merge, Tie
from adapter.errors import MalformedMessageError
from adapter.screening.describe import as_json
from adapter.screening.interpret import Interpretation, interpret
from adapter.screening.rulebook import Rulebook
from tests.builders import adt, er7, msh, obr, obx, oru, pid, pv1, raw

PLATELETS = obx("777-3", "98", "10*9/L")


@cache
def rules(*, production: bool = True) -> Rulebook:
    return assets.load_rulebook(None, trials=["immunosep"], production=production)


def read(body: bytes, **parts: Any) -> Interpretation:
    return interpret(raw(body, **parts), rules(), message_id="7")


def observations(seen: Interpretation) -> list[Observation]:
    return [event.observation for event in seen.events if isinstance(event, ObservationReceived)]


def one(body: bytes, **parts: Any) -> Observation:
    (found,) = observations(read(body, **parts))
    return found


def buckets(seen: Interpretation) -> dict[Bucket, int]:
    return seen.ledger.counts


def codes(seen: Interpretation) -> set[str]:
    return {issue.code for issue in seen.issues} - {"timezone-assumed"}


# --- an ordinary result -----------------------------------------------------------------------------------------------


def test_a_result_is_read_whole() -> None:
    found = one(oru(obx("2160-0", "159", "µmol/L"), at="20260102030405+0100", issued="20260102040000+0100"))
    assert found.quantity is not None
    assert found.native is not None
    assert found.quantity.value == Fraction(1590, 884)
    assert (found.native.value, found.native.unit) == (159, "umol/L")
    assert found.effective == datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1)))
    assert found.issued == datetime(2026, 1, 2, 3, tzinfo=UTC)
    assert (found.status, found.laboratory, found.visit, found.message) == ("final", "local", "V1", "7")
    assert (found.original.value, found.original.unit, found.original.code) == ("159", "µmol/L", "2160-0")
    assert len(found.identity) == 32


def test_every_message_describes_its_patient() -> None:
    seen = read(oru(PLATELETS, name="ΠΑΠΠΑΣ^ΝΙΚΟΣ", born="19500615", sex="M"))
    (said,) = [event.demographics for event in seen.events if isinstance(event, PatientDescribed)]
    assert [said.get(name) for name in ("family", "given", "birth_date", "sex")] == [
        "ΠΑΠΠΑΣ",
        "ΝΙΚΟΣ",
        "1950-06-15",
        "male",
    ]
    assert seen.patients == (PatientId("generic", "HOSP", "100"),)
    assert seen.identifiers == (("HOSP", "100", "MR"),)


def test_greek_local_codes_are_read_in_the_sites_charset_and_zone() -> None:
    text = oru(obx("ΚΡΕΑΤ", "1.4", "mg/dl", system="L"), authority="ATTIKON", name="ΔΟΚΙΜΗ").decode()
    seen = read(text.encode("iso-8859-7"), site="attikon")
    (found,) = observations(seen)
    assert found.concept == "creatinine"
    assert found.effective.utcoffset() == timedelta(hours=2)
    assert seen.charset == "iso8859-7"


def test_the_central_laboratory_is_known_by_its_name() -> None:
    for line, facility in (
        (obx("FERR", "5200", "ng/mL", laboratory="HISS"), "A"),
        (obx("FERR", "1", "ng/mL"), "CENTRAL"),
    ):
        body = oru(line, authority="ATTIKON", facility=facility)
        assert one(body, site="attikon").laboratory is Laboratory.CENTRAL


def test_a_bare_loinc_is_known_by_its_check_digit() -> None:
    assert one(oru(obx("777-3", "98", "10*9/L", system=""))).concept == "platelets"
    assert buckets(read(oru(obx("777-4", "98", "10*9/L", system="")))) == {Bucket.UNMAPPED_CODE: 1}


def test_an_alternate_code_serves() -> None:
    line = obx("PLT", "98", "10*9/L", system="L").replace("PLT^PLT^L", "PLT^PLT^L^777-3^Platelets^LN")
    assert one(oru(line)).concept == "platelets"


# --- values (clinical 5, examples 2, 16, 18, 21, 22, 23, 28) -----------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "unit", "fraction", "flags"),
    [
        ("40", "%", "2/5", ()),
        ("0.4", "1", "2/5", ()),
        ("40%", "", "2/5", ()),
        ("0.4", "%", "2/5", ("fio2_unit_repaired",)),
        ("40", "1", "2/5", ("fio2_unit_repaired",)),
        ("20", "%", "21/100", ()),
        ("0.20", "1", "21/100", ()),
        ("20.9", "%", "21/100", ()),
        ("0.209", "1", "21/100", ()),
        ("100", "%", "1", ()),
        ("1", "1", "1", ("fio2_ambiguous",)),
    ],
)
def test_example_02_inspired_oxygen_in_every_form(value: str, unit: str, fraction: str, flags: tuple[str, ...]) -> None:
    found = one(oru(obx("3150-0", value, unit, type="ST")))
    assert found.quantity is not None
    assert (found.quantity.value, found.flags) == (Fraction(fraction), flags)


@pytest.mark.parametrize(
    ("value", "unit"), [("4", "%"), ("4", "1"), ("1", "%"), ("19", "%"), ("101", "%"), (">40", "%")]
)
def test_example_02_what_no_lung_breathes_is_rejected(value: str, unit: str) -> None:
    assert buckets(read(oru(obx("3150-0", value, unit)))) == {Bucket.BAD_VALUE: 1}


def test_example_02_a_flow_in_the_fio2_field_is_a_flow() -> None:
    assert one(oru(obx("3150-0", "4", "L/min"))).concept == "oxygen-flow"


def test_example_16_platelets_by_unit() -> None:
    thousand = one(oru(obx("777-3", "98000", "/uL")))
    plain = one(oru(PLATELETS))
    assert thousand.quantity == plain.quantity
    seen = read(oru(obx("777-3", "98", "/uL")))
    assert (buckets(seen), codes(seen)) == ({Bucket.BAD_VALUE: 1}, {"impossible-value"})
    assert one(oru(PLATELETS, "NTE|1||Platelet CLUMPS seen")).flags == ("platelet_clumps",)
    censored = one(oru(obx("777-3", "<5", "10*9/L", type="ST")))
    assert censored.quantity is not None
    assert censored.quantity.comparator is Comparator.LESS


def test_a_note_under_the_order_speaks_of_all_its_results_and_of_no_other_order() -> None:
    clumps = "NTE|1||Platelet clumps seen"
    body = er7(
        *(msh("ORU^R01"), pid(), "NTE|1||clumps of another time", pv1(), obr("F1"), clumps, PLATELETS),
        *(
            obx("26515-7", "99", "10*9/L"),
            obr("F2"),
            obx("777-3", "97", "10*9/L"),
            "ORC|RE",
            obr("F3"),
            PLATELETS,
        ),
    )
    assert [found.flags for found in observations(read(body))] == [("platelet_clumps",), ("platelet_clumps",), (), ()]


def test_a_note_after_the_specimen_and_before_the_results_is_read() -> None:
    body = er7(msh("OUL^R24"), pid(), pv1(), obr("F1"), "SPM|1|S1||BLD", "NTE|1||platelet aggregates", PLATELETS)
    assert one(body).flags == ("platelet_clumps",)


def test_example_18_a_neutrophil_count_without_unit_is_unusable() -> None:
    seen = read(oru(obx("751-8", "1.5")))
    assert (buckets(seen), codes(seen)) == ({Bucket.UNMAPPED_UNIT: 1}, {"missing-unit"})


def test_example_21_molar_ferritin_is_flagged() -> None:
    found = one(oru(obx("2276-4", "9931", "pmol/L")))
    assert found.flags == ("molar_ferritin",)
    assert found.quantity is not None
    assert found.quantity.value == Fraction(9931000, 2247)


def test_example_22_hladr_in_percent_or_fluorescence_is_another_concept() -> None:
    for value, unit, concept in (
        ("22", "%", "mhladr-percent"),
        ("22 %", "", "mhladr-percent"),
        ("310", "MFI", "mhladr-mfi"),
    ):
        line = obx("HLADR", value, unit, type="ST")
        assert one(oru(line, authority="ATTIKON"), site="attikon").concept == concept
    seen = read(oru(obx("HLADR", "4.9", "index"), authority="ATTIKON"), site="attikon")
    assert buckets(seen) == {Bucket.UNMAPPED_UNIT: 1}


def test_example_23_a_censored_ferritin_keeps_its_bound() -> None:
    for line in (obx("2276-4", ">7500", "ng/mL", type="ST"), obx("2276-4", ">^7500", "ng/mL", type="SN")):
        found = one(oru(line))
        assert found.quantity is not None
        assert (found.quantity.value, found.quantity.comparator) == (7500, Comparator.MORE)


@pytest.mark.parametrize("value", ["4.420", "4,420", ">4.420"])
def test_example_23_a_mark_that_may_group_thousands_is_a_question(value: str) -> None:
    seen = read(oru(obx("2276-4", value, "ng/mL", type="ST")))
    assert (buckets(seen), codes(seen)) == ({Bucket.BAD_VALUE: 1}, {"ambiguous-number"})


def test_a_mark_that_cannot_group_thousands_is_no_question() -> None:
    assert one(oru(obx("2160-0", "1.234", "mg/dL"))).quantity is not None


@pytest.mark.parametrize(
    "value", ["", '""', "haemolysed", "see comment", "1:40", "+++", "NaN", "1e400", "1_000", "٤٢", "1~2"]
)
def test_example_28_no_value_is_never_zero(value: str) -> None:
    seen = read(oru(obx("2276-4", value, "ng/mL", type="ST")))
    assert buckets(seen) == {Bucket.BAD_VALUE: 1}
    assert not observations(seen)


def test_a_document_is_never_a_value() -> None:
    assert buckets(read(oru(obx("2276-4", "5200", "ng/mL", type="ED")))) == {Bucket.BAD_VALUE: 1}


def test_implausible_is_kept_and_flagged_and_impossible_refused() -> None:
    assert one(oru(obx("2160-0", "30", "mg/dL"))).flags == ("implausible",)
    assert buckets(read(oru(obx("2160-0", "41", "mg/dL")))) == {Bucket.BAD_VALUE: 1}
    assert buckets(read(oru(obx("9269-2", "16")))) == {Bucket.BAD_VALUE: 1}
    assert buckets(read(oru(obx("9269-2", "14.5")))) == {Bucket.BAD_VALUE: 1}


def test_a_score_needs_no_unit_and_rass_may_be_a_loinc_answer() -> None:
    assert one(oru(obx("9269-2", "14"))).quantity is not None
    rass = one(oru(obx("54632-5", "LA33966-5^Deep sedation^LN", type="CWE")))
    assert rass.quantity is not None
    assert rass.quantity.value == -4


@pytest.mark.parametrize(
    ("code", "value", "answer"),
    [
        ("94500-6", "260373001^Detected^SCT", "detected"),
        ("94500-6", "^NEGATIVE", "not-detected"),
        ("2106-3", "POS^Positive^L", "positive"),
        ("20124-4", "X^BiPAP^L", "niv"),
        ("600-7", "3092008^Staphylococcus aureus^SCT", "staphylococcus aureus"),
        ("600-7", "3092008^^SCT", "staphylococcus aureus"),
        ("600-7", "1^Mystery bug^L", "mystery bug"),
    ],
)
def test_answers_are_read_by_code_or_word(code: str, value: str, answer: str) -> None:
    assert one(oru(obx(code, value, type="CWE"))).code == answer


def test_an_unknown_answer_is_reported() -> None:
    seen = read(oru(obx("94500-6", "maybe", type="ST")))
    assert (buckets(seen), codes(seen)) == ({Bucket.BAD_VALUE: 1}, {"unmapped-answer"})
    assert buckets(read(oru(obx("94500-6", "", type="CWE")))) == {Bucket.BAD_VALUE: 1}


# --- specimens --------------------------------------------------------------------------------------------------------


def test_urine_creatinine_is_not_creatinine() -> None:
    for lines, specimen in (((), "UR^Urine"), (("SPM|1|S9||122575003^Urine^SCT",), ""), ((), "^Urine")):
        seen = read(oru(obx("2160-0", "35", "mg/dL"), *lines, specimen=specimen))
        assert buckets(seen) == {Bucket.UNSUITABLE_SPECIMEN: 1}


@pytest.mark.parametrize(
    ("code", "specimen", "kind"),
    [
        ("2703-7", "", "arterial"),
        ("2703-7", "BLD", "arterial"),
        ("11556-8", "BLDA", "arterial"),
        ("2704-5", "", "capillary"),
    ],
)
def test_the_specimen_of_a_gas_is_recorded(code: str, specimen: str, kind: str) -> None:
    assert one(oru(obx(code, "68", "mmHg"), specimen=specimen)).specimen == kind


def test_a_venous_gas_is_refused_whatever_its_code_says() -> None:
    assert buckets(read(oru(obx("2703-7", "38", "mmHg"), specimen="BLDV"))) == {Bucket.UNSUITABLE_SPECIMEN: 1}


def test_a_general_culture_counts_only_from_blood() -> None:
    """Of another specimen, or of one that nobody names, it is kept as something else (decisions C6)."""
    growth = obx("6463-4", "^E. coli", type="CWE")
    seen = [one(oru(growth, specimen=specimen)) for specimen in ("BLD", "", "SPT")]
    assert [found.concept for found in seen] == ["culture-organism", "culture-other", "culture-other"]
    assert {found.code for found in seen} == {"escherichia coli"}
    assert buckets(read(oru(obx("600-7", "E. coli", type="ST"), specimen="SPT"))) == {Bucket.UNSUITABLE_SPECIMEN: 1}


def test_an_unknown_specimen_is_used_and_flagged() -> None:
    seen = read(oru(PLATELETS, specimen="XYZ"))
    assert observations(seen)[0].flags == ("specimen_unknown",)
    assert codes(seen) == {"unknown-specimen"}


# --- status (decisions C4, C7) ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "status", "bucket"),
    [
        ("F", ResultStatus.FINAL, Bucket.USED),
        ("C", ResultStatus.CORRECTED, Bucket.USED),
        ("A", ResultStatus.CORRECTED, Bucket.USED),
        ("V", ResultStatus.FINAL, Bucket.USED),
        ("P", ResultStatus.PRELIMINARY, Bucket.NOT_FINAL),
        ("R", ResultStatus.PRELIMINARY, Bucket.NOT_FINAL),
        ("S", ResultStatus.PRELIMINARY, Bucket.NOT_FINAL),
        ("D", ResultStatus.WITHDRAWN, Bucket.WITHDRAWN),
        ("W", ResultStatus.WITHDRAWN, Bucket.WITHDRAWN),
        ("X", ResultStatus.WITHDRAWN, Bucket.WITHDRAWN),
    ],
)
def test_a_status_letter_decides(letter: str, status: ResultStatus, bucket: Bucket) -> None:
    seen = read(oru(obx("777-3", "98", "10*9/L", status=letter)))
    assert [o.status for o in observations(seen)] == [status]
    assert buckets(seen) == {bucket: 1}


@pytest.mark.parametrize("letter", ["I", "O", "N"])
def test_a_status_without_a_value_is_counted_only(letter: str) -> None:
    seen = read(oru(obx("777-3", "98", "10*9/L", status=letter)))
    assert (observations(seen), buckets(seen)) == ([], {Bucket.STATUS_ONLY: 1})


def test_u_without_a_value_promotes_what_was_stored() -> None:
    first, later = one(oru(obx("777-3", "98", "10*9/L", status="P"))), one(oru(obx("777-3", "", status="U")))
    assert later.status is ResultStatus.PROMOTED
    assert later.identity == first.identity


def test_a_silent_status_is_the_orders_else_not_final() -> None:
    assert one(oru(obx("777-3", "98", "10*9/L", status=""))).status is ResultStatus.FINAL
    silent = er7(msh("ORU^R01"), pid(), obr(status=""), obx("777-3", "98", "10*9/L", status=""))
    assert one(silent).status is ResultStatus.PRELIMINARY
    assert codes(read(silent)) == {"unknown-status"}
    assert one(oru(obx("777-3", "98", "10*9/L", status="Q"))).status is ResultStatus.PRELIMINARY


@pytest.mark.parametrize(
    ("value", "unit", "specimen"), [("haemolysed", "ng/mL", ""), ("5", "furlong", ""), ("5", "ng/mL", "UR")]
)
def test_a_correction_that_cannot_be_read_takes_the_result_back(value: str, unit: str, specimen: str) -> None:
    before = one(oru(obx("2276-4", "5200", "ng/mL")))
    after = one(oru(obx("2276-4", value, unit, status="C", type="ST"), specimen=specimen))
    assert (after.status, after.identity) == (ResultStatus.WITHDRAWN, before.identity)


def test_a_correction_to_another_concept_takes_the_first_back() -> None:
    line = obx("HLADR", "22", "%", status="C")
    gone, new = observations(read(oru(line, authority="ATTIKON"), site="attikon"))
    assert (gone.concept, gone.status) == ("mhladr", ResultStatus.WITHDRAWN)
    assert (new.concept, new.status) == ("mhladr-percent", ResultStatus.CORRECTED)


def test_a_withdrawal_needs_no_time() -> None:
    gone = one(oru(obx("777-3", "", status="X"), at=""))
    assert gone.identity == one(oru(PLATELETS)).identity


def test_the_buckets_follow_their_precedence() -> None:
    assert buckets(read(oru(obx("NOPE", "1", status="W", system="L")))) == {Bucket.WITHDRAWN: 1}
    assert buckets(read(oru(obx("NOPE", "1", status="P", system="L")))) == {Bucket.NOT_FINAL: 1}
    assert buckets(read(oru(obx("NOPE", "1", status="I", system="L")))) == {Bucket.STATUS_ONLY: 1}
    assert buckets(read(oru(obx("2823-3", "4.1", "mmol/L")))) == {Bucket.KNOWN_NOT_NEEDED: 1}
    assert buckets(read(oru(obx("2160-0", "x", "furlong"), specimen="UR"))) == {Bucket.UNSUITABLE_SPECIMEN: 1}
    assert buckets(read(oru(obx("2160-0", "x", "furlong")))) == {Bucket.UNMAPPED_UNIT: 1}


# --- time (decisions B3) ----------------------------------------------------------------------------------------------


def test_a_specimen_result_has_the_time_of_the_draw_and_charting_its_own() -> None:
    lab, chart = obx("777-3", "98", "10*9/L", at="20260102060000"), obx("8478-0", "68", "mm[Hg]", at="20260102060000")
    assert one(oru(lab)).effective.hour == 3
    assert one(oru(lab, "SPM|1|||BLD|||||||||||||20260102020000^20260102020500")).effective.hour == 2
    assert one(oru(chart)).effective.hour == 6
    assert one(oru(lab, at="")).effective.hour == 6


@pytest.mark.parametrize("at", ["", "2026", "202601", "20261301", "20260229", "2026111", "soon"])
def test_without_a_readable_time_there_is_no_result(at: str) -> None:
    seen = read(oru(PLATELETS, at=at))
    assert (buckets(seen), codes(seen)) == ({Bucket.BAD_VALUE: 1}, {"missing-time"})


def test_a_day_alone_is_flagged() -> None:
    assert one(oru(PLATELETS, at="20260102")).flags == ("time_day_only",)


def test_the_future_is_held_out_and_a_skewed_header_is_no_tie_break() -> None:
    received = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
    seen = read(oru(PLATELETS, at="20260102031600", sent="20260102031600"), received=received)
    assert codes(seen) == {"future-time", "no-sender-time"}
    assert one(oru(PLATELETS, at="20260102031500"), received=received).sender_time == received + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("event", "at", "told"),
    [
        *((event, "20270102030000", {"future-event"}) for event in ("A01", "A02", "A03", "A04", "A08", "A11", "A13")),
        ("A05", "20270102030000", set()),
        ("A01", "20260102031400", set()),
        ("A01", "20260102031600", {"future-event"}),
    ],
)
def test_an_event_in_the_future_is_said_to_be_one(event: str, at: str, told: set[str]) -> None:
    received = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
    seen = read(adt(event, at=at, sent="20260102030000+0000"), received=received)
    assert codes(seen) == told
    assert any(isinstance(one, EncounterChanged) for one in seen.events)


def test_an_assumed_zone_is_reported_once() -> None:
    issues = [issue.code for issue in read(oru(PLATELETS, PLATELETS)).issues]
    assert issues.count("timezone-assumed") == 1
    assert "timezone-assumed" not in {i.code for i in read(oru(PLATELETS, sent="20260102031000+0000")).issues}


# --- identity (decisions C1) ------------------------------------------------------------------------------------------


def test_a_corrected_draw_time_is_the_same_laboratory_result() -> None:
    assert one(oru(PLATELETS)).identity == one(oru(PLATELETS, at="20260102040000")).identity


def test_order_concept_and_sub_id_tell_results_apart() -> None:
    base = one(oru(PLATELETS)).identity
    others = {
        one(oru(PLATELETS, order="F2")).identity,
        one(oru(PLATELETS, order="F1^OTHERLAB")).identity,
        one(oru(obx("777-3", "98", "10*9/L", sub="2"))).identity,
        one(oru(obx("6690-2", "98", "10*9/L"))).identity,
        one(oru(PLATELETS, order="")).identity,
    }
    assert len(others | {base}) == 6


def test_charting_and_results_without_order_are_told_apart_by_time() -> None:
    chart = [obx("8478-0", "68", "mm[Hg]", at=f"2026010206{minute}00") for minute in ("00", "05")]
    first, second = observations(read(oru(*chart)))
    assert first.identity != second.identity
    assert one(oru(PLATELETS, order="")).identity != one(oru(PLATELETS, order="", at="20260102040000")).identity


def test_a_placer_number_or_orc_serves_where_the_filler_is_silent() -> None:
    def placed(orc: str, number: str) -> bytes:
        return er7(msh("ORU^R01"), pid(), orc, f"OBR|1|{number}||P|||20260102030000", PLATELETS)

    found = {one(placed("ORC|RE", "P1")).identity, one(placed("ORC|RE||F9", "P1")).identity}
    assert len(found) == 2


def test_the_content_digest_ignores_who_carried_it() -> None:
    first = one(oru(PLATELETS, sent="20260102031000", control="1"))
    again = one(oru(PLATELETS, sent="20260103031000", control="2"))
    assert first.digest == again.digest
    assert first.digest != one(oru(obx("777-3", "99", "10*9/L"))).digest


def test_two_results_that_claim_to_be_one_are_reported() -> None:
    seen = read(oru(PLATELETS, obx("777-3", "50", "10*9/L")))
    assert codes(seen) == {"repeated-result"}


# --- whole messages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "disposition", "reason"),
    [
        (oru(PLATELETS, patient=""), "quarantined", "NO_PATIENT"),
        (er7(msh("ORU^R01"), obr(), PLATELETS), "quarantined", "NO_PATIENT"),
        (oru(PLATELETS, patient="１００"), "quarantined", "BAD_MRN"),
        (oru(PLATELETS, processing="T"), "quarantined", "PROCID"),
        (oru(PLATELETS, processing="d"), "quarantined", "PROCID"),
        (er7(msh(""), pid(), PLATELETS), "quarantined", "HDR"),
        (er7(msh("SIU^S12"), pid(), PLATELETS), "ignored", "unsupported-type"),
        (er7(msh("ORU^R40"), pid(), PLATELETS), "ignored", "unsupported-type"),
        (er7(msh("ADT^A60"), pid(), "IAM|1|DA|X^Penicillin^L", PLATELETS), "ignored", "allergy-only"),
        (er7(msh("ACK"), "MSA|AA|1", PLATELETS), "ignored", "acknowledgment"),
        (oru(PLATELETS, "DSC|1"), "quarantined", "CONTINUATION"),
        (
            oru(PLATELETS)[:-1].replace(b"HOSP^MR", b"\xff\xfe^MR").replace(b"100^", b"1\xff0^"),
            "quarantined",
            "CHARSET",
        ),
    ],
)
def test_a_message_that_is_not_used_keeps_its_ledger(body: bytes, disposition: str, reason: str) -> None:
    seen = read(body)
    assert (seen.disposition, seen.reason, seen.events) == (disposition, reason, ())
    assert buckets(seen) == {Bucket.MESSAGE_NOT_USED: 1}


def test_a_test_message_is_applied_where_the_environment_is_a_test() -> None:
    body = oru(PLATELETS, processing="T")
    assert interpret(raw(body), rules(production=False), message_id="1").disposition == "applied"


def test_a_number_of_another_authority_is_not_the_sites_patient() -> None:
    assert read(oru(PLATELETS, authority="OTHER"), site="attikon").reason == "NO_MRN"
    both = oru(PLATELETS).replace(b"100^^^HOSP^MR", b"9^^^OTHER^MR~100^^^ATTIKON^MR")
    assert read(both, site="attikon").patients == (PatientId("attikon", "ATTIKON", "100"),)


@pytest.mark.parametrize("kind", ["ORU", "ORU_R01", "oru^r01", "ORU^R30", "ORU^R31", "ORU^R32"])
def test_results_come_by_several_triggers(kind: str) -> None:
    assert observations(read(oru(PLATELETS).replace(b"ORU^R01", kind.encode())))


def test_several_patients_in_one_message_are_never_mixed() -> None:
    body = er7(
        msh("ORU^R01"), pid("1"), obr(), PLATELETS, pid("2"), obr("F2"), PLATELETS, pid(""), obr("F3"), PLATELETS
    )
    seen = read(body)
    assert [e.patient.value for e in seen.events if isinstance(e, ObservationReceived)] == ["1", "2"]
    assert buckets(seen) == {Bucket.USED: 2, Bucket.MESSAGE_NOT_USED: 1}
    assert seen.disposition == "applied"


def test_a_batch_is_read_message_by_message() -> None:
    batch = b"FHS|^~\\&\r" + oru(PLATELETS) + oru(PLATELETS, patient="") + oru(PLATELETS, order="F2") + b"FTS|3\r"
    seen = read(batch)
    assert (seen.disposition, len(observations(seen))) == ("applied", 2)
    assert buckets(seen) == {Bucket.USED: 2, Bucket.MESSAGE_NOT_USED: 1}
    broken = read(b"MSH|||\r" + oru(PLATELETS))
    assert (broken.disposition, len(observations(broken))) == ("applied", 1)


def test_a_message_that_shared_its_frame_is_flagged_whatever_becomes_of_it() -> None:
    shared = {"kind": MessageKind.HL7V2_SHARED}
    alone, read_so = read(oru(PLATELETS)), read(oru(PLATELETS), **shared)
    assert replace(read_so, issues=read_so.issues[1:]) == alone
    for seen in (
        read_so,
        read(oru(PLATELETS, patient=""), **shared),
        read(b"MSH|^^^^|LAB\r", **shared),
        read(b"PID|1\r", quarantine="NO_MSH", **shared),
    ):
        assert [issue.code for issue in seen.issues].count("two-messages-in-frame") == 1


def test_only_a_message_without_header_raises() -> None:
    with pytest.raises(MalformedMessageError):
        read(b"PID|1||100\r")


def test_what_the_door_refused_and_an_unknown_site_are_not_read() -> None:
    assert read(oru(PLATELETS), quarantine="TOO_BIG").reason == "TOO_BIG"
    assert read(oru(PLATELETS), site="nowhere").reason == "SITE"


def test_nothing_that_cannot_be_stored_as_text_leaves() -> None:
    body = oru(PLATELETS, name="D\x00OE^J").replace(b"J|", b"J\xe9\xff|")
    (said,) = [e.demographics for e in read(body).events if isinstance(e, PatientDescribed)]
    assert (said.get("family"), said.get("given")) == ("D�OE", "J��")


# --- ADT --------------------------------------------------------------------------------------------------------------


def visit(body: bytes, **parts: Any) -> Any:
    (found,) = [event.statement for event in read(body, **parts).events if isinstance(event, EncounterChanged)]
    return found


@pytest.mark.parametrize(
    ("event", "action"),
    [
        ("A01", EncounterAction.ADMIT),
        ("A02", EncounterAction.TRANSFER),
        ("A03", EncounterAction.DISCHARGE),
        ("A04", EncounterAction.ADMIT),
        ("A05", EncounterAction.PLAN),
        ("A06", EncounterAction.TRANSFER),
        ("A08", EncounterAction.UPDATE),
        ("A11", EncounterAction.CANCEL_ADMIT),
        ("A12", EncounterAction.CANCEL_TRANSFER),
        ("A13", EncounterAction.CANCEL_DISCHARGE),
    ],
)
def test_a_trigger_event_says_what_happened(event: str, action: EncounterAction) -> None:
    assert visit(adt(event)).action is action


@pytest.mark.parametrize(
    ("event", "disposition", "expired"),
    [("A03", "20", True), ("A03", "41", True), ("A03", "01", False), ("A03", "", False), ("A08", "20", False)],
)
def test_a_discharge_may_be_of_whoever_died(event: str, disposition: str, expired: bool) -> None:
    assert visit(adt(event, disposition=disposition)).expired is expired


def test_a_visit_statement_is_read_whole() -> None:
    said = visit(adt("A01", cls="E", ward="TEP", bed="12", authority="ATTIKON"), site="attikon")
    assert (said.visit, said.ward, said.bed) == ("V1", "TEP", "12")
    assert (said.encounter_class, said.emergency_ward) == (EncounterClass.EMERGENCY, True)
    assert said.at.hour == 2
    assert said.sender_time.minute == 1


@pytest.mark.parametrize(
    ("event", "at", "times", "hour"),
    [
        ("A01", "20260102020000", {"admitted": "20260102010000"}, 2),
        ("A01", "", {"admitted": "20260102010000"}, 1),
        ("A03", "", {"admitted": "20260102010000", "discharged": "20260102040000"}, 4),
        ("A02", "", {"admitted": "20260102010000"}, 2),
    ],
)
def test_when_it_happened_before_when_it_was_recorded(event: str, at: str, times: dict[str, str], hour: int) -> None:
    assert visit(adt(event, at=at, **times)).at.hour == hour


def test_a_visit_without_number_is_told_by_class_and_admission() -> None:
    assert visit(adt("A01", visit="", admitted="20260102010000")).visit == "I@2026-01-02T01:00:00+00:00"
    seen = read(adt("A01", visit=""))
    assert codes(seen) == {"no-visit"}
    assert not [event for event in seen.events if isinstance(event, EncounterChanged)]


def test_a_person_event_describes_and_opens_no_visit() -> None:
    assert {type(event) for event in read(adt("A31")).events} == {PatientDescribed}


def test_a_weight_inside_an_admission_is_read() -> None:
    body = adt("A01") + er7(obx("29463-7", "82", "kg", at="20260102020000"))
    assert one(body).concept == "weight"


def ties(body: bytes) -> list[Tie]:
    return [event.tie for event in read(body).events if isinstance(event, RecordsTied)]


def test_a_merge_names_who_survives() -> None:
    (merge,) = ties(adt("A40", patient="1", merged="2"))
    assert isinstance(merge, Merge)
    assert (merge.survivor.value, merge.merged.value) == ("1", "2")
    assert read(adt("A40")).reason == "NO_MRG"
    assert codes(read(adt("A40", patient="1", merged="1"))) == {"merge-into-self"}


def test_two_patients_in_one_admission_are_quarantined() -> None:
    assert read(adt("A01") + er7(pid("2"))).reason == "DUP_PID"


# --- who a patient is -------------------------------------------------------------------------------------------------


def described(site: str = "generic", **parts: str) -> Demographics:
    authority = "ATTIKON" if site == "attikon" else "HOSP"
    seen = read(oru(PLATELETS, authority=authority, **parts), site=site)
    (found,) = [event.demographics for event in seen.events if isinstance(event, PatientDescribed)]
    return found


@pytest.mark.parametrize(
    ("born", "stated"),
    [("19500615", "1950-06-15"), ("195006151230", "1950-06-15"), ("195006", "1950-06"), ("1950", "1950")],
)
def test_a_date_of_birth_keeps_its_precision(born: str, stated: str) -> None:
    assert described(born=born).get("birth_date") == stated


@pytest.mark.parametrize("born", ["00000000", "18000101", "20300101", "19501301"])
def test_a_date_of_birth_outside_a_life_is_not_stated(born: str) -> None:
    assert "birth_date" not in described(born=born).fields
    assert codes(read(oru(PLATELETS, born=born))) == {"unusable-birth-date"}


def test_null_is_stated_as_empty_and_silence_is_not_stated() -> None:
    assert described(name='""').fields["family"].value == ""
    assert "sex" not in described(sex="").fields
    assert described(sex="X").get("sex") == "unknown"


def test_a_death_is_stated_with_its_time_or_the_time_we_were_told() -> None:
    assert described(died="20260102", dead="Y").get("died") == "2026-01-02"
    assert described(died="202601020100", dead="Y").get("died") == "2026-01-02T01:00:00+00:00"
    assert described(dead="Y").get("died") == "2026-01-02T03:10:00+00:00"
    assert described(died="20260102", dead="N").fields["died"].value == ""
    assert "died" not in described().fields


def test_test_patients_and_refusals_are_marked_by_the_sites_rule() -> None:
    assert described("attikon", name="ZZTEST^A").get("test") == "yes"
    assert described("attikon", patient="TEST-1").get("test") == "yes"
    refusal = er7(msh("ORU^R01"), pid(authority="ATTIKON"), "PD1|||||||||||" + "|Y", pv1(), obr(), PLATELETS)
    (said,) = [e.demographics for e in read(refusal, site="attikon").events if isinstance(e, PatientDescribed)]
    assert said.get("opt_out") == "yes"


# --- the convert object -----------------------------------------------------------------------------------------------


def test_the_convert_object_is_json_and_its_ledger_adds_up() -> None:
    lines = (
        PLATELETS,
        obx("2160-0", "159", "umol/L"),
        obx("NOPE", "1", system="L"),
        obx("777-3", "", status="X", sub="2"),
    )
    described = as_json(read(oru(*lines)), "a.hl7#0")
    json.dumps(described, allow_nan=False)
    ledger = described["ledger"]
    assert ledger["observations"] == 4 == sum(count for name, count in ledger.items() if name != "observations")
    creatinine = next(event for event in described["events"] if event.get("concept") == "creatinine")
    assert (creatinine["value"], creatinine["unit"], creatinine["comparator"]) == ("1.79864", "mg/dL", None)
    assert creatinine["original"] == {"value": "159", "unit": "umol/L", "code": "2160-0", "system": "LN"}
    assert described["type"] == "ORU^R01"
    assert described["patient"] == [{"authority": "HOSP", "id": "100", "type": "MR"}]
    assert next(issue for issue in described["issues"] if issue["code"] == "unmapped-code")["where"] == "OBX-3 #3"


def test_visits_and_merges_are_described() -> None:
    admitted = as_json(read(adt("A01")), "a")["events"][-1]
    assert (admitted["kind"], admitted["event"], admitted["class"]) == ("encounter", "admit", "inpatient")
    merged = as_json(read(adt("A40", patient="1", merged="2")), "a")["events"][-1]
    assert (merged["kind"], merged["from"]["id"], merged["into"]["id"]) == ("merge", "2", "1")
