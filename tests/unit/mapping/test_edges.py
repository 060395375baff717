"""Corners of the hospital's words: what senders do seldom, and what whoever mends a file is told."""

from fractions import Fraction
from pathlib import Path

import pytest

from adapter import assets
from adapter.assets import load_rows
from adapter.errors import ConfigError, RejectedError
from adapter.mapping import amend, suggest
from adapter.mapping.amend import SiteLine, line_of, stands
from adapter.mapping.examples import Example, examples
from adapter.mapping.formulary import read_formulary
from adapter.mapping.site import SiteMap, read_site
from adapter.mapping.suggest import Shape, Suggestion
from adapter.screening.interpret import Interpretation, interpret
from tests.builders import dictionary, er7, msh, obr, obx, oru, pid, pv1, quantity, raw

RULES = assets.load_rulebook(None, trials=())
WORDS = RULES.words["generic"]
SUBSTANCES = "substance,group,system,code,match,verified,source\n"
SITE = "site: x\nencoding: utf-8\ntimezone: UTC\ndecimal: '.'\npatient_identifier: {authority: X, type: MR}\n"


def read(body: bytes, site: str = "generic") -> Interpretation:
    return interpret(raw(body, site=site), RULES, message_id="7")


def codes(seen: Interpretation) -> list[str]:
    return [issue.code for issue in seen.issues if issue.code != "timezone-assumed"]


# --- files a person writes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (
            "a,vasopressor,ATC,C01,exact,true,x\na,steroid,ATC,C02,exact,true,x\n",
            r"3: 'a' stands in two groups: vasopressor, steroid",
        ),
        ("a,g,ATC,C01,exact,true,x\nb,g,ATC,C01,exact,true,x\n", r"3: code C01 stands under 'a' and 'b'"),
    ],
)
def test_a_drug_has_one_group_and_a_code_one_drug(tmp_path: Path, rows: str, complaint: str) -> None:
    path = tmp_path / "substances.csv"
    path.write_text(SUBSTANCES + rows)
    with pytest.raises(ConfigError, match=complaint):
        read_formulary(load_rows(path))


def test_the_longest_beginning_of_a_drug_s_code_names_it(tmp_path: Path) -> None:
    path = tmp_path / "substances.csv"
    path.write_text(
        SUBSTANCES + "a,g,ATC,C01,prefix,true,x\nb,g,ATC,C01CA,prefix,true,x\nc,g,ATC,C01CA03,exact,true,x\n"
    )
    found = read_formulary(load_rows(path))
    named = [getattr(found.find("ATC", code), "name", None) for code in ("C01AA05", "C01CA04", "C01CA03", "C02")]
    assert named == ["a", "b", "c", None]
    assert found.find("RXNORM", "C01CA03") is None


def site(folder: Path, text: str) -> SiteMap:
    path = folder / "x.yaml"
    path.write_text(text)
    return read_site(assets.load_document(path), dictionary())


def test_a_zone_left_open_and_an_unknown_drug_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'timezone' is not filled in — write an IANA zone"):
        site(tmp_path, SITE.replace("timezone: UTC", 'timezone: ""'))
    with pytest.raises(ConfigError, match="unknown substance 'norepinefrine' — did you mean 'norepinephrine'"):
        site(tmp_path, f"{SITE}drugs: {{NORA: norepinefrine}}\n")


# --- one line more ------------------------------------------------------------------------------------------------------


def test_a_line_is_told_without_what_it_does_not_say() -> None:
    line = line_of({"kind": "code", "word": " PO2A ", "meaning": "pao2", "specimen": "arterial"})
    assert line == SiteLine("code", "PO2A", "pao2", specimen="arterial")
    assert line.as_json() == {"kind": "code", "word": "PO2A", "meaning": "pao2", "specimen": "arterial"}
    assert amend.by_hand(line) == "codes: PO2A: {concept: pao2, specimen: arterial}"
    assert amend.by_hand(SiteLine("not-needed", "NA")) == "not_needed: - NA"


def test_a_unit_that_stands_there_otherwise_is_a_persons_to_change() -> None:
    document = assets.document_of('site: x\nunits: {"K/ul": "10*3/uL"}\n', "x.yaml")
    assert stands(document, SiteLine("unit", "K/ul", "10*3/uL"))
    assert not stands(document, SiteLine("unit", "G/l", "10*9/L"))
    with pytest.raises(RejectedError, match=r"x\.yaml:2: 'K/ul' stands there already"):
        stands(document, SiteLine("unit", "K/ul", "10*6/uL"))


def test_a_section_with_no_place_for_a_line_leaves_the_text_as_it_is() -> None:
    """A key in quotes or on a line of its own: a person writes the line."""
    text = "site: x\n? codes\n: {PLT: platelets}\n"
    assert amend.amended(text, assets.document_of(text, "x.yaml"), SiteLine("code", "A", "crp"), "E") == text


def test_a_word_we_do_not_know_is_refused_with_the_nearest() -> None:
    known = dictionary().concepts
    amend.unknown(SiteLine("code", "A", "platelets"), known, "concept")
    with pytest.raises(RejectedError, match="unknown concept 'plateletes' — did you mean 'platelets'"):
        amend.unknown(SiteLine("code", "A", "plateletes"), known, "concept")


# --- suggestions --------------------------------------------------------------------------------------------------------


def best(shape: Shape) -> Suggestion:
    return suggest.concepts(shape, dictionary(), dictionary().units)[0]


def test_an_unknown_unit_says_nothing_and_the_next_spelling_is_tried() -> None:
    both = best(Shape("", ("Platelets",), ("Tsd.", "10*9/L"), Fraction(50), Fraction(400)))
    assert "its unit 10*9/L is one of this concept's (10*9/L)" in both.reasons
    alone = best(Shape("", ("Platelets",), ("Tsd.",), Fraction(50), Fraction(400)))
    assert "its unit Tsd. is not known: add it with --unit-spelling" in alone.reasons
    assert alone.as_json() | {"reasons": ()} == {
        "meaning": "platelets",
        "display": alone.display,
        "score": alone.score,
        "reasons": (),
    }


def test_a_unit_of_another_kind_speaks_against_it() -> None:
    found = best(Shape("", ("Platelets",), ("mg/dL",), Fraction(50), Fraction(400)))
    assert any("cannot be converted" in reason for reason in found.reasons)
    assert found.score < best(Shape("", ("Platelets",), ("10*9/L",), Fraction(50), Fraction(400))).score


def test_numbers_speak_against_an_answer_in_words_and_no_unit_asks_for_one() -> None:
    numbers = best(Shape("", ("Pregnancy test",), (), Fraction(1), Fraction(9)))
    assert any("comes with numbers" in reason for reason in numbers.reasons)
    words = best(Shape("", ("Pregnancy test",), ()))
    assert not any("numbers" in reason for reason in words.reasons)
    assert any("state one with --unit" in reason for reason in best(Shape("", ("Platelets",), ())).reasons)


# --- what no mapping knows ----------------------------------------------------------------------------------------------


def found(*segments: str) -> list[Example]:
    return list(examples(raw(er7(*segments)), WORDS))


HEAD = (msh("ORU^R01"), pid(), pv1())


def test_an_unmapped_result_is_told_with_its_name_unit_and_number() -> None:
    (one,) = found(*HEAD, obr(), "OBX|1|NM|THRO^Thrombozyten^L||98|G/l|||||F")
    assert (one.code, one.detail, one.person) == ("unmapped-code", "THRO", "HOSP|100")
    assert (one.name, one.unit, one.number, one.worded) == ("Thrombozyten", "G/l", Fraction(98), False)
    (worded,) = found(*HEAD, obr(), "OBX|1|ST|SARS^Sars^L||nachgewiesen||||||F")
    assert (worded.number, worded.worded, worded.unit) == (None, True, "")
    (behind,) = found(*HEAD, obr(), "OBX|1|ST|THRO^Thrombozyten^L||98 G/L||||||F")
    assert (behind.number, behind.unit) == (Fraction(98), "G/L")


def test_an_unmapped_unit_is_told_with_the_concept_it_came_with() -> None:
    (one,) = found(*HEAD, obr(), obx("777-3", "98", "Tsd."))
    assert (one.code, one.detail, one.concept) == ("unmapped-unit", "Tsd.", "platelets")
    assert found(*HEAD, obr(), obx("777-3", "98", "10*9/L")) == []


def test_what_is_known_not_to_be_needed_is_no_example() -> None:
    system, code = min(dictionary().known_not_needed)
    assert found(*HEAD, obr(), obx(code, "140", "mmol/L", system=system)) == []


def test_an_unmapped_drug_is_told_and_a_known_one_not() -> None:
    drug = "RXA|0|1|20260102030000||{}|1|mg|||||||||||||CP|A"
    lines = (msh("RAS^O17"), pid(), pv1(), "ORC|RE|P1|F1")
    (one,) = found(*lines, drug.format("X1^Unbekannt^L"))
    assert (one.code, one.detail, one.name) == ("unmapped-drug", "X1", "Unbekannt")
    assert found(*lines, drug.format("C01CA03^norepinephrine^ATC")) == []


def test_a_specimen_nobody_knows_is_an_example_for_each_result() -> None:
    (one,) = found(*HEAD, obr(specimen="Punktat^^L"), obx("777-3", "98", "10*9/L"))
    assert (one.code, one.detail) == ("unknown-specimen", "Punktat")


def test_a_message_that_cannot_be_read_gives_none_and_spoils_none_beside_it() -> None:
    sound = er7(*HEAD, obr(), "OBX|1|NM|THRO^T^L||98|G/l|||||F")
    assert len(list(examples(raw(b"MSH|^^\r" + sound), WORDS))) == 1
    assert list(examples(raw(b"MSH|^^\r"), WORDS)) == []


def test_a_result_of_nobody_tells_no_patient() -> None:
    (one,) = found(msh("ORU^R01"), obr(), "OBX|1|NM|THRO^T^L||98|G/l|||||F")
    assert one.person == ""


# --- grammar ------------------------------------------------------------------------------------------------------------


def test_the_only_pid_speaks_of_what_stands_before_it_too() -> None:
    """An OBR before the PID: some engines turn segments about (reliability H26)."""
    seen = read(er7(msh("ORU^R01"), obr(), obx("777-3", "98", "10*9/L"), pid(), pv1()))
    assert [who.value for who in seen.patients] == ["100"]
    assert len([event for event in seen.events if hasattr(event, "observation")]) == 1


def test_a_drug_without_an_order_is_a_drug_all_the_same() -> None:
    body = er7(
        msh("RAS^O17"),
        pid(),
        pv1(),
        "RXA|0|1|20260102030000||C01CA03^norepinephrine^ATC|0.1|ug/kg/min|||||||||||||CP|A",
    )
    (drug,) = [event.administration for event in read(body).events if hasattr(event, "administration")]
    assert drug.substance == "norepinephrine"


@pytest.mark.parametrize(
    ("rxr", "route"),
    [
        ("RXR|IV^Intravenous^HL70162", "iv"),
        ("RXR|X9^Intravenous^L^IV^Intravenous^HL70162", "iv"),
        ("RXR|99^Somehow^L", "other"),
        ("RXR|99^Somehow^L\rRXR|PO^Oral^HL70162", "oral"),
    ],
)
def test_a_route_is_the_first_word_we_know_of_any_way_told(rxr: str, route: str) -> None:
    rxa = "RXA|0|1|20260102030000||C01CA03^norepinephrine^ATC|0.1|ug/kg/min|||||||||||||CP|A"
    (drug,) = [
        e.administration
        for e in read(er7(msh("RAS^O17"), pid(), pv1(), rxa, rxr)).events
        if hasattr(e, "administration")
    ]
    assert drug.route == route


def test_a_quantity_may_bring_its_unit_with_it() -> None:
    seen = read(oru("OBX|1|CQ|777-3^Platelets^LN||98^10*9/L||||||F"))
    (result,) = [event.observation for event in seen.events if hasattr(event, "observation")]
    assert (result.quantity.value, result.quantity.unit) == (98, "10*3/uL")
    assert "unmapped-unit" not in codes(seen)


def test_a_bed_swap_of_which_one_patient_is_nobody_moves_the_other() -> None:
    body = er7(msh("ADT^A17"), "EVN|A17|20260102030000", pid(), pv1(), "PID|1||", pv1(visit="V2"))
    seen = read(body)
    assert [who.value for who in seen.patients] == ["100"]
    assert [event.statement.visit for event in seen.events if hasattr(event, "statement")] == ["V1"]


def test_a_movement_without_a_visit_says_so() -> None:
    seen = read(er7(msh("ADT^A01"), "EVN|A01|20260102030000", pid()))
    assert (seen.disposition, codes(seen)) == ("applied", ["no-visit"])
    assert [event for event in seen.events if hasattr(event, "statement")] == []


def test_a_message_that_says_no_version_is_read_and_said_to_be_odd() -> None:
    assert "no-version" in codes(read(oru(obx("777-3", "98", "10*9/L"), version="")))


def test_ten_thousand_parts_are_no_message() -> None:
    assert read(oru("OBX|1|ST|777-3^P^LN||" + "a&" * 10_001)).reason == "LIMIT"


def test_a_unit_of_another_dimension_is_never_converted() -> None:
    platelets = dictionary().concepts["platelets"]
    assert platelets.canonical(quantity("90", "mg/dL")) is None
    assert platelets.canonical(quantity("<90", "10*9/L")) == quantity("<90", "10*3/uL")


@pytest.mark.parametrize(
    ("number", "reason"),
    [("1" * 65, "LIMIT"), ("\N{GREEK SMALL LETTER ALPHA}1", "BAD_MRN"), ("1\N{REPLACEMENT CHARACTER}", "CHARSET")],
)
def test_a_number_that_no_hospital_gives_is_refused(number: str, reason: str) -> None:
    assert read(oru(obx("777-3", "98", "10*9/L"), patient=number, charset="UNICODE UTF-8")).reason == reason


def test_of_several_numbers_the_preferred_kind_is_taken_else_the_first() -> None:
    def chosen(pid_3: str) -> list[str]:
        seen = read(er7(msh("ORU^R01"), f"PID|1||{pid_3}", pv1(), obr(), obx("777-3", "98", "10*9/L")))
        return [who.value for who in seen.patients]

    assert chosen("1^^^A^XX~2^^^B^MR") == ["2"]
    assert chosen("1^^^A^XX~2^^^B^YY") == ["1"]


def test_a_score_without_a_unit_is_judged_by_its_range() -> None:
    found = best(Shape("", ("Glasgow coma scale total",), (), Fraction(3), Fraction(15)))
    assert found.meaning == "gcs-total"
    assert any("plausible" in reason for reason in found.reasons)
