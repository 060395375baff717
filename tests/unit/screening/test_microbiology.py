"""Cultures with their organisms, and the susceptibilities below them, which are never organisms."""

import pytest

from adapter.domain.ledger import Bucket
from adapter.domain.observation import Result, joined
from adapter.eligibility.answers import grew
from tests.builders import er7, msh, obr, obx, pid, pv1
from tests.unit.screening.test_interpret import buckets, codes, observations, read

BLOOD = "SPM|1|^B1||BLD|||||||P||||||20260102010000+0000"
AUREUS = obx("600-7", "3092008^Staphylococcus aureus^SCT", type="CWE", sub="1")
EPIDERMIDIS = obx("600-7", "60875001^Staph epidermidis^SCT", type="CWE", sub="2")
DRUG = obx("OXA", "<=0.25", "ug/mL", system="L", sub="1")


def child(order: str, panel: str = "AST^Susceptibility^L", parent: str = "", number: str = "") -> str:
    """An OBR of susceptibilities: OBR-11 G, OBR-26 the parent result, OBR-29 the parent's number."""
    head = f"OBR|2||{order}|{panel}|||20260102030000+0000||||G"
    return f"{head}{'|' * 14}F|{parent}|||{number}"


def message(*lines: str) -> bytes:
    return er7(msh("ORU^R01"), pid(), pv1(), *lines)


def answer(obx_8: str, code: str = "OXA") -> str:
    return f"OBX|1|SN|{code}^Oxacillin^L|1|<=^0.25|ug/mL||{obx_8}|||F"


@pytest.mark.parametrize(
    "order",
    [
        child("F1.1", parent="600-7&Blood culture&LN^1^Staphylococcus aureus"),
        child("F1.1", parent="BC&Culture&L&600-7&Bacteria&LN^1"),
        child("F1.1", panel="29576-6^Bacterial susceptibility panel^LN"),
        child("F1.1", panel="AST^Susceptibility^L^50545-3^MIC^LN"),
        child("F1.1", number="P1^F1"),
        child("F1.1", number="^F1&LAB"),
        child("F1.1", parent="^1^Staphylococcus aureus", number="^F1"),
    ],
)
def test_a_childs_susceptibilities_are_passed_by_without_noise(order: str) -> None:
    """Even where the child names the organism again, under the culture's own code."""
    again = obx("600-7", "Staphylococcus aureus", type="ST", sub="9")
    seen = read(message(obr("F1"), AUREUS, BLOOD, order, DRUG, again))
    assert [(one.code, one.specimen) for one in observations(seen)] == [("staphylococcus aureus", "blood")]
    assert buckets(seen) == {Bucket.USED: 1, Bucket.KNOWN_NOT_NEEDED: 2}
    assert codes(seen) == set()


def test_other_children_are_results() -> None:
    """A differential count below a blood count; an identification below a Gram stain."""
    count = child("F1.1", panel="DIFF^Differential^L", parent="6690-2&Leucocytes&LN", number="P1^F1")
    seen = read(message(obr("F1"), obx("6690-2", "12", "10*9/L"), count, obx("751-8", "9", "10*9/L")))
    assert [one.concept for one in observations(seen)] == ["wbc", "neutrophils"]
    identified = child("F2.1", parent="664-3&Gram stain&LN", number="P2^F2")
    seen = read(message(obr("F2"), obx("664-3", "Gram-positive cocci", type="ST"), identified, AUREUS))
    assert [one.code for one in observations(seen)] == ["staphylococcus aureus"]


def test_susceptibilities_in_the_order_of_the_culture_are_told_by_obx_8() -> None:
    seen = read(message(obr("F1"), AUREUS, answer("S"), answer("N~R"), answer("SDD")))
    assert buckets(seen) == {Bucket.USED: 1, Bucket.KNOWN_NOT_NEEDED: 3}
    loose = read(message(obr("F1"), obx("777-3", "98", "10*9/L"), answer("S")))
    assert buckets(loose) == {Bucket.USED: 1, Bucket.UNMAPPED_CODE: 1}


def test_every_isolate_of_a_culture_is_kept_with_specimen_and_time() -> None:
    found = observations(read(message(obr("F1"), AUREUS, EPIDERMIDIS, "NTE|1||Probable contaminant", BLOOD)))
    assert [one.code for one in found] == ["staphylococcus aureus", "staphylococcus epidermidis"]
    assert {(one.specimen, one.specimen_id, f"{one.effective:%H}") for one in found} == {("blood", "B1", "01")}
    assert [one.flags for one in found] == [(), ("possible_contaminant",)]
    assert found[0].original.value == "3092008^Staphylococcus aureus^SCT"


def test_a_culture_goes_from_preliminary_to_final_to_corrected() -> None:
    def told(status: str, value: str, order_status: str = "") -> Result:
        culture = obx("600-7", value, type="ST", status=status, sub="1")
        order = obr("F1", status=order_status, issued=f"2026010{1 + len(versions)}0000+0000")
        versions[:] = joined(tuple(versions), *observations(read(message(order, culture, BLOOD))))
        return Result(tuple(versions))

    versions: list = []  # type: ignore[type-arg]
    early = told("", "Gram-positive cocci in clusters", "P")
    assert (early.usable, early.current.status if early.current else "") == (None, "preliminary")
    final, corrected = told("F", "S. aureus"), told("C", "Staphylococcus lugdunensis")
    assert final.usable is not None
    assert final.usable.code == "staphylococcus aureus"
    assert corrected.usable is not None
    assert corrected.usable.code == "staphylococcus lugdunensis"
    assert told("X", "").usable is None


@pytest.mark.parametrize(
    "value", ["264868006^No growth^SCT", "264868006^^SCT", "No growth to date", "NO GROWTH AFTER 5 DAYS", "sterile"]
)
def test_no_growth_is_one_answer_and_no_growth(value: str) -> None:
    (found,) = observations(read(message(obr("F1"), obx("600-7", value, type="CWE"), BLOOD)))
    assert (found.code, grew(found)) == ("no growth", False)


@pytest.mark.parametrize(
    ("code", "specimen"),
    [("630-4", "urine"), ("624-7", "respiratory"), ("606-4", "csf"), ("611-4", "fluid"), ("6462-6", "other")],
)
def test_cultures_of_other_specimens_are_kept_apart(code: str, specimen: str) -> None:
    (found,) = observations(read(message(obr("F1"), obx(code, "E. coli", type="ST"))))
    assert (found.concept, found.code, found.specimen) == ("culture-other", "escherichia coli", specimen)
