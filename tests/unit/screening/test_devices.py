"""IHE PCD-01: what bedside monitors send, in the codes and units of IEEE 11073-10101."""

import pytest

from adapter.assets import find, load_rows
from adapter.domain.ledger import Bucket
from adapter.mapping.codesets import MDC
from tests.builders import dictionary, er7, pid, pv1
from tests.unit.screening.test_interpret import buckets, codes, observations, read

HEAD = (
    r"MSH|^~\&|MON^ACDE48234567ABCD^EUI-64|ICU|ADAPTER|TRIAL|20260102030100+0000||ORU^R01^ORU_R01|1|P|2.6|||NE|AL|||||"
    "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO"
)
OBR = "OBR|1|P1^MON|F1^MON^ACDE48234567ABCD^EUI-64|182777000^monitoring of patient^SCT|||20260102030000+0000"
MMHG, PERCENT = "266016^MDC_DIM_MMHG^MDC", "262688^MDC_DIM_PERCENT^MDC"
PLAIN = "|||||F|||"


def metric(code: str, value: str, unit: str, place: str = "1.1.1.1", *, status: str = "F", at: str = "") -> str:
    return f"OBX|1|NM|{code}^MDC|{place}|{value}|{unit}|||||{status}|||{at}|||MON7^^ACDE48234567ABCD^EUI-64"


def message(*lines: str) -> bytes:
    return er7(HEAD, pid(), pv1(), OBR, *lines)


@pytest.mark.parametrize(
    ("code", "value", "unit", "concept", "canonical"),
    [
        ("150456^MDC_PULS_OXIM_SAT_O2", "94", PERCENT, "spo2", 94),
        ("MDC_PULS_OXIM_SAT_O2^SpO2", "94", "%", "spo2", 94),
        ("MDC_PULS_OXIM_SAT_O2^^", "94", "%", "spo2", 94),
        ("150023^MDC_PRESS_BLD_NONINV_MEAN", "62", MMHG, "map-cuff", 62),
        ("150039^MDC_PRESS_BLD_ART_ABP_MEAN", "62", "^MDC_DIM_MMHG^MDC", "map-arterial", 62),
        ("150019^MDC_PRESS_BLD_MEAN", "62", "MDC_DIM_MMHG", "map", 62),
        ("150021^MDC_PRESS_BLD_NONINV_SYS", "12", "265987^MDC_DIM_KILO_PASCAL^MDC", "sbp", 90),
        ("152196^MDC_CONC_AWAY_O2_INSP", "40", PERCENT, "fio2", 0.4),
        ("153728^MDC_SCORE_GLAS_COMA", "12", "262656^MDC_DIM_DIMLESS^MDC", "gcs-total", 12),
        ("188736^MDC_MASS_BODY_ACTUAL", "70", "263875^MDC_DIM_KILO_G^MDC", "weight", 70),
        ("188736^MDC_MASS_BODY_ACTUAL", "70", "264864^MDC_DIM_KG^MDC", "weight", 70),
    ],
)
def test_a_monitors_code_and_unit_are_read(code: str, value: str, unit: str, concept: str, canonical: float) -> None:
    seen = read(message(metric(code, value, unit)))
    (found,) = observations(seen)
    assert found.quantity is not None
    assert (found.concept, round(float(found.quantity.value), 1)) == (concept, canonical)
    assert codes(seen) == set()


def test_one_code_in_two_channels_is_two_results() -> None:
    code = "150039^MDC_PRESS_BLD_ART_ABP_MEAN"
    found = observations(read(message(metric(code, "62", MMHG, "1.2.1.1"), metric(code, "64", MMHG, "1.2.2.1"))))
    assert len({one.identity for one in found}) == 2


def test_the_time_of_a_line_goes_before_the_orders() -> None:
    code = "150456^MDC_PULS_OXIM_SAT_O2"
    own, shared = observations(
        read(message(metric(code, "94", PERCENT, at="20260102021500+0000"), metric(code, "94", PERCENT, "1.1.1.2")))
    )
    assert (f"{own.effective:%H:%M}", f"{shared.effective:%H:%M}") == ("02:15", "03:00")


def test_what_is_not_verified_waits_and_what_cannot_be_had_is_nothing() -> None:
    code = "150456^MDC_PULS_OXIM_SAT_O2"
    seen = read(message(metric(code, "94", PERCENT, status="R"), metric(code, "", PERCENT, "1.1.1.2", status="X")))
    assert buckets(seen) == {Bucket.NOT_FINAL: 1, Bucket.WITHDRAWN: 1}
    assert [one.status for one in observations(seen)] == ["preliminary", "withdrawn"]


def test_lines_that_describe_the_device_make_no_noise() -> None:
    seen = read(
        message(
            "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X",
            "OBX|2||150020^MDC_PRESS_BLD_NONINV^MDC|1.1.9.0|||||||X|||20260102030000+0000",
            "OBX|3||528391^MDC_DEV_SPEC_PROFILE_BP^MDC|1|||||||R",
            "OBX|4|DTM|67975^MDC_ATTR_TIME_ABS^MDC|1.0.0.1|20260102030000+0000||||||F",
            "OBX|5|CWE|68220^MDC_TIME_SYNC_PROTOCOL^MDC|0.0.0.1|532224^MDC_TIME_SYNC_NONE^MDC||||||F",
            "OBX|6|ST|MDC_ATTR_ID_MODEL^Model^MDC|1.0.0.2|M7||||||F",
            metric("147842^MDC_ECG_HEART_RATE", "88", "264864^MDC_DIM_BEAT_PER_MIN^MDC"),
        )
    )
    assert (buckets(seen), codes(seen)) == ({Bucket.KNOWN_NOT_NEEDED: 7}, set())


def test_a_pumps_rate_is_listed_with_the_reason() -> None:
    seen = read(message(metric("157784^MDC_FLOW_FLUID_PUMP", "6", "265266^MDC_DIM_MILLI_L_PER_HR^MDC")))
    (issue,) = [one for one in seen.issues if one.code == "unmapped-code"]
    assert "does not name its drug" in issue.text
    assert buckets(seen) == {Bucket.UNMAPPED_CODE: 1}


def test_a_unit_whose_number_and_name_disagree_is_nobodys() -> None:
    """Seen in the wild: 262688 is per cent."""
    seen = read(message(metric("188736^MDC_MASS_BODY_ACTUAL", "70", "262688^MDC_DIM_KILO_G^MDC")))
    assert (buckets(seen), codes(seen)) == ({Bucket.UNMAPPED_UNIT: 1}, {"contradicting-units"})


def test_a_sentinel_is_no_saturation() -> None:
    assert buckets(read(message(metric("150456^MDC_PULS_OXIM_SAT_O2", "-100", PERCENT)))) == {Bucket.BAD_VALUE: 1}


def test_every_listed_code_means_what_the_file_says() -> None:
    known = dictionary()
    for row in load_rows(find(None, "mappings/codesets/mdc.csv")).data:
        for code in (row["code"], row["reference"]):
            concept = known.find(MDC, code)
            told = {
                "measurement": concept is not None and concept.id == row["target"],
                "unit": known.units.ucum(code) == row["target"],
                "known": (MDC, code) in known.known_not_needed,
                "pump": (MDC, code) in known.pumps,
            }
            assert told[row["use"]], code
