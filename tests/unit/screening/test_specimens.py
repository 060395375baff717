"""OUL and ORU with specimens wherever the standard and real senders put them: each result of its own order and specimen."""

import pytest

from adapter.domain.ledger import Bucket
from adapter.domain.observation import Observation
from tests.builders import er7, msh, obr, obx, pid, pv1
from tests.unit.screening.test_interpret import buckets, codes, observations, read

PLATELETS = obx("777-3", "98", "10*9/L")
CREATININE = obx("2160-0", "1.9", "mg/dL")
CULTURE = obx("6463-4", "112283007^Escherichia coli^SCT", type="CWE", sub="1")
BLOOD_AT, SPUTUM_AT = "20260102010000+0000", "20260102020000+0000"


def spm(number: str, kind: str, at: str = "", role: str = "P") -> str:
    return f"SPM|1|^{number}||{kind}|||||||{role}||||||{at}"


def sac(number: str, kind: str) -> str:
    return f"SAC|||{number}|||{kind}"


BLOOD = spm("B1", "BLD^Blood^HL70487", BLOOD_AT)
SPUTUM = spm("S1", "SPT^Sputum^HL70487", SPUTUM_AT)
FIRST, SECOND = obr("F1", at="20260102030000+0000"), obr("F2", at="20260102030000+0000")
ORC1, ORC2 = "ORC|RE|P1|F1", "ORC|RE|P2|F2"


def message(kind: str, *lines: str) -> bytes:
    return er7(msh(kind), pid(), pv1(), *lines)


def said(found: Observation) -> tuple[str, str, str, str]:
    """Concept, specimen, its number, and the hour the result counts from."""
    return found.concept, found.specimen, found.specimen_id, f"{found.effective:%H}"


TWO = [("culture-organism", "blood", "B1", "01"), ("culture-other", "respiratory", "S1", "02")]


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("OUL^R22^OUL_R22", (BLOOD, FIRST, ORC1, CULTURE, SPUTUM, SECOND, ORC2, CULTURE)),
        ("OUL^R22", (BLOOD, "SAC|||C1", "INV|X", FIRST, ORC1, "TQ1|1", CULTURE, SPUTUM, "SAC|||C2", SECOND, CULTURE)),
        ("OUL^R22", (BLOOD, ORC1, FIRST, CULTURE, SPUTUM, ORC2, SECOND, CULTURE)),
        ("OUL^R23", (BLOOD, "SAC|||C1", FIRST, CULTURE, "NTE|1||x", SPUTUM, "SAC|||C2", SECOND, ORC2, CULTURE)),
        ("OUL^R24", (FIRST, ORC1, CULTURE, BLOOD, "SAC|||C1", SECOND, ORC2, CULTURE, SPUTUM, "SAC|||C2")),
        ("OUL^R24", (FIRST, ORC1, BLOOD, CULTURE, SECOND, SPUTUM, CULTURE)),
        ("ORU^R01", (ORC1, FIRST, CULTURE, BLOOD, ORC2, SECOND, CULTURE, SPUTUM)),
        ("ORU^R01", (FIRST, CULTURE, BLOOD, SECOND, CULTURE, SPUTUM)),
        ("ORU^R01", (ORC1, BLOOD, FIRST, CULTURE, ORC2, SPUTUM, SECOND, CULTURE)),
        ("ORU^R01", (BLOOD, ORC1, FIRST, CULTURE, SPUTUM, ORC2, SECOND, CULTURE)),
    ],
)
def test_two_orders_of_two_specimens_are_never_mixed(kind: str, lines: tuple[str, ...]) -> None:
    seen = read(message(kind, *lines))
    found = observations(seen)
    assert [said(one) for one in found] == TWO
    assert len({one.identity for one in found}) == 2
    assert codes(seen) == set()


def test_one_specimen_serves_the_orders_that_follow_it() -> None:
    found = observations(read(message("OUL^R22", BLOOD, FIRST, ORC1, PLATELETS, SECOND, ORC2, CREATININE)))
    assert [said(one)[2:] for one in found] == [("B1", "01")] * 2
    alone = observations(read(message("ORU^R01", ORC1, SPUTUM, FIRST, CULTURE, ORC2, SECOND, PLATELETS)))
    assert [said(one)[1:] for one in alone] == [("respiratory", "S1", "02"), ("blood", "", "03")]


def test_results_behind_a_second_specimen_are_its_own() -> None:
    """One order, two specimens: what stands before both may be of either, so neither its kind nor its time is known."""
    own = observations(read(message("OUL^R24", FIRST, BLOOD, CULTURE, SPUTUM, CULTURE)))
    assert [said(one) for one in own] == TWO
    either = observations(read(message("ORU^R01", FIRST, CULTURE, BLOOD, SPUTUM)))
    assert [said(one) for one in either] == [("culture-other", "", "", "03")]
    sets = observations(read(message("ORU^R01", FIRST, CULTURE, BLOOD, spm("B2", "BLD", BLOOD_AT))))
    assert [said(one) for one in sets] == [("culture-organism", "blood", "", "01")]


def test_the_older_form_names_the_specimen_at_the_container() -> None:
    r21 = (sac("T1", "BLD&Blood"), ORC1, FIRST, CULTURE, sac("T2", "SPT&Sputum"), SECOND, CULTURE)
    found = observations(read(message("OUL^R21", *r21)))
    assert [said(one) for one in found] == [
        ("culture-organism", "blood", "T1", "03"),
        ("culture-other", "respiratory", "T2", "03"),
    ]


def test_an_order_number_in_orc_behind_its_obr_is_found() -> None:
    bare = "OBR|1|||PANEL|||20260102030000+0000"
    here, there = (observations(read(message("OUL^R22", BLOOD, bare, orc, PLATELETS)))[0] for orc in (ORC1, ORC2))
    before = observations(read(message("ORU^R01", ORC1, bare, PLATELETS, BLOOD)))[0]
    assert here.identity == before.identity != there.identity


@pytest.mark.parametrize("role", ["Q", "C", "L"])
def test_a_control_is_nobodys_result(role: str) -> None:
    seen = read(message("OUL^R22", spm("Q1", "SER", BLOOD_AT, role=role), FIRST, CREATININE))
    assert (observations(seen), buckets(seen)) == ([], {Bucket.UNSUITABLE_SPECIMEN: 1})
    assert codes(seen) == {"nobodys-specimen"}
    assert observations(read(message("OUL^R22", spm("P1", "SER", BLOOD_AT), FIRST, CREATININE)))


def test_a_status_decides_in_oul_as_in_oru() -> None:
    preliminary = obx("2160-0", "1.9", "mg/dL", status="P")
    seen = read(message("OUL^R22", BLOOD, FIRST, preliminary, obx("777-3", "98", "10*9/L", status="")))
    assert [one.status for one in observations(seen)] == ["preliminary", "final"]


GAS = obx("2703-7", "40", "mm[Hg]")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        *(
            (GAS, name)
            for name in ("Venous blood gas^^L", "^Blood, central venous line", "VBG (venous)", "Venöses Blut")
        ),
        *(
            (CREATININE, name)
            for name in ("Urine sample^^L", "U^24h-Urin^L", "Urin", "Sammelurin 24 h", "^Pleural fluid, left")
        ),
    ],
)
def test_a_longer_name_of_another_specimen_is_no_unknown_one(line: str, name: str) -> None:
    seen = read(message("ORU^R01", obr("F1"), line, spm("S1", name)))
    assert (buckets(seen), codes(seen)) == ({Bucket.UNSUITABLE_SPECIMEN: 1}, {"unsuitable-specimen"})


@pytest.mark.parametrize(
    "name", ["Serum (venous catheter)^^L", "Arterial line, venous side", "Punktat", "Urine or serum", "Catheter tip"]
)
def test_a_name_that_speaks_of_two_or_of_none_stays_unknown(name: str) -> None:
    seen = read(message("ORU^R01", obr("F1"), CREATININE, spm("S1", name)))
    assert (buckets(seen), codes(seen)) == ({Bucket.USED: 1}, {"unknown-specimen"})


def test_a_longer_name_makes_nothing_arterial() -> None:
    unsaid = obx("11556-8", "80", "mm[Hg]")
    (gas,) = observations(read(message("ORU^R01", obr("F1"), unsaid, spm("S1", "Arterial sample"))))
    assert gas.specimen == "blood"


@pytest.mark.parametrize(
    ("source", "bucket"),
    [
        ("^^Urine", Bucket.UNSUITABLE_SPECIMEN),
        ("^^24h-Urin", Bucket.UNSUITABLE_SPECIMEN),
        ("^^venipuncture", Bucket.USED),
        ("SER^^Urine bag beside", Bucket.USED),
    ],
)
def test_free_text_of_obr_15_is_read_where_nothing_else_says_what_it_is(source: str, bucket: Bucket) -> None:
    seen = read(message("ORU^R01", obr("F1", specimen=source), CREATININE))
    assert (buckets(seen), "unknown-specimen" in codes(seen)) == ({bucket: 1}, False)
