"""DG1 and PRB from HL7 v2 bytes: codes with a status, no free text."""

import pytest

from adapter.assets import load_rulebook
from adapter.domain.condition import Condition, ConditionStatus, standing
from adapter.domain.events import ConditionStated
from adapter.screening.interpret import interpret
from tests.builders import adt, er7, msh, pid, pv1, raw

RULES = load_rulebook(None, trials=())


def conditions(body: bytes) -> list[Condition]:
    seen = interpret(raw(body), RULES, message_id="7")
    return [event.condition for event in seen.events if isinstance(event, ConditionStated)]


def admitted(*diagnoses: str) -> bytes:
    return adt("A01") + ("\r".join(diagnoses) + "\r").encode()


def ppr(*problems: str, kind: str = "PPR^PC1", **parts: str) -> bytes:
    return er7(msh(kind, **parts), pid(), pv1(), *problems)


def test_an_admission_s_diagnoses_are_conditions_by_code_kind_and_time() -> None:
    first, second = conditions(
        admitted("DG1|1||J18.9^Pneumonia^I10||20260102|A", "DG1|2|I9|038.9^Septicaemia||20260101|W")
    )
    assert (first.system, first.code, first.kind, first.status) == ("icd-10", "J18.9", "admitting", "active")
    assert first.at.isoformat() == "2026-01-02T00:00:00+00:00"
    assert (second.system, second.code, second.kind) == ("icd-9", "038.9", "working")


def test_no_text_of_a_diagnosis_is_kept() -> None:
    (said,) = conditions(admitted("DG1|1||A41.9^ZEBRA ZEBRA^I10|ZEBRA|20260102|A"))
    assert "ZEBRA" not in repr(said)


def test_both_codings_of_one_diagnosis_are_read_and_one_without_a_code_is_not() -> None:
    found = conditions(admitted("DG1|1||A41.9^Sepsis^I10C^91302008^Sepsis^SCT", "DG1|2||^Only words", 'DG1|3||""'))
    assert [(one.system, one.code) for one in found] == [("icd-10", "A41.9"), ("snomed-ct", "91302008")]


def test_a_deleted_diagnosis_is_refuted_and_the_last_telling_stands() -> None:
    (said,) = conditions(admitted("DG1|1||N10^x^I10||20260102|W"))
    deleted = f"DG1|1||N10^x^I10||20260102|W{'|' * 15}D"
    later = adt("A08", sent="20260103000000") + (deleted + "\r").encode()
    (gone,) = conditions(later)
    assert (gone.identity, gone.status) == (said.identity, ConditionStatus.REFUTED)
    assert standing([gone, said]) == (gone,)


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        ("PRB|AD|20260101|B20^HIV^I10|P1", "active"),
        ("PRB|DE|20260101|B20^HIV^I10|P1", "refuted"),
        ("PRB|UP|20260101|B20^HIV^I10|P1|||||20260102", "resolved"),
        ("PRB|UP|20260101|B20^HIV^I10|P1|||||20990101", "active"),
        ("PRB|UP|20260101|B20^HIV^I10|P1|||||||||RO^ruled out", "refuted"),
        ("PRB|UP|20260101|B20^HIV^I10|P1||||||||||resolved", "resolved"),
    ],
)
def test_the_status_of_a_problem(problem: str, status: str) -> None:
    (said,) = conditions(ppr(problem))
    assert (said.code, said.kind, said.status) == ("B20", "problem", status)


def test_a_problem_began_at_its_onset() -> None:
    (said,) = conditions(ppr(f"PRB|AD|20260103|B20^HIV^I10|P1|||20251224{'|' * 9}20200101"))
    assert said.at.year == 2020
