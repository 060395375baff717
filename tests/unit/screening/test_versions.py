"""One ORU and one ADT as every version of HL7 v2 writes them: read alike. And text that is no result we know: kept and listed."""

import pytest

from adapter.domain.ledger import Bucket
from tests.builders import adt, obx, oru
from tests.unit.screening.test_interpret import buckets, codes, observations, read

VERSIONS = {
    "2.1": ("ORU", "ADT"),
    "2.2": ("ORU^R01", "ADT^A01"),
    "2.3": ("ORU^R01", "ADT^A01"),
    "2.3.1": ("ORU^R01^ORU_R01", "ADT^A01^ADT_A01"),
    "2.4^DEU&Germany&ISO3166": ("ORU^R01^ORU_R01", "ADT^A01^ADT_A01"),
    "2.5": ("ORU^R01^ORU_R01", "ADT^A01^ADT_A01"),
    "2.5.1": ("ORU^R01^ORU_R01", "ADT^A01^ADT_A01"),
    "2.6": ("ORU^R01^ORU_R01", "ADT^A01^ADT_A01"),
    "2.7": ("ORU^R01^ORU_R01", "ADT^A01^ADT_A01"),
    "2.7.1": ("ORU^R01^ORU_R01", "ADT^A01^ADT_A01"),
    "2.8": ("ORU^R01^ORU_R01", "ADT^A01^ADT_A01"),
}
"""MSH-12 → MSH-9 of the two, as the version writes them."""


def written(body: bytes, old: str, new: str, version: str) -> bytes:
    marks = body.replace(rb"|^~\&|", rb"|^~\&#|", 1) if version >= "2.7" else body
    return marks.replace(f"||{old}|".encode(), f"||{new}|".encode(), 1).replace(b"|2.5.1|", f"|{version}|".encode(), 1)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_of_a_result_and_of_an_admission_is_read_alike(version: str) -> None:
    result = oru(
        obx("777-3", "98", "10*9/L"), obx("2160-0", "159", "umol/L"), "NTE|1||clumps", at="20260102030000+0000"
    )
    admission = adt("A01", at="20260102020000+0000", sent="20260102020100+0000", name="ΠΑΠΠΑΣ^ΝΙΚΟΣ")
    for body, old, new in zip((result, admission), ("ORU^R01", "ADT^A01"), VERSIONS[version], strict=True):
        changed = written(body, old, new, version)
        assert f"||{new}|".encode() in changed
        assert f"|{version}|".encode() in changed
        plain, other = read(body), read(changed)
        assert (other.disposition, other.events, buckets(other)) == (plain.disposition, plain.events, buckets(plain))
        assert plain.events


@pytest.mark.parametrize("kind", ["TX", "FT", "ST", "ED"])
def test_text_of_a_code_nobody_named_is_kept_and_listed(kind: str) -> None:
    report = obx("REPORT", r"Chest: infiltrate\.br\probably pneumonia", type=kind, system="L")
    seen = read(oru(report, obx("777-3", "98", "10*9/L")))
    assert (seen.disposition, len(observations(seen))) == ("applied", 1)
    assert buckets(seen) == {Bucket.UNMAPPED_CODE: 1, Bucket.USED: 1}
    assert codes(seen) == {"unmapped-code"}
    assert "infiltrate" not in repr(seen.issues)
