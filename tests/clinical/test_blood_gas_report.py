"""The oxygen that stands in the report of a blood gas belongs to it, whichever of its fields holds which time."""

import pytest

from tests.bedside import Patient, organ
from tests.builders import er7, msh, obr, pid, pv1


def report(
    *, drawn: float | None, observed: float, charted: float | None, kind: str = "BLDA", source: str = ""
) -> Patient:
    """PaO2 60 and FiO2 0.6: `drawn` is SPM-17, `observed` OBR-7, `charted` OBX-14 of both."""
    patient = Patient().admit(ward="ED")
    at = "" if charted is None else patient.time(charted)
    lines = [patient.line("pao2", "60", at=at), patient.line("fio2", "60", at=at)]
    told = [] if drawn is None else [f"SPM|1|||{kind}{'|' * 13}{patient.time(drawn)}"]
    head = (msh("ORU^R01", at=patient.time(1)), pid(born=patient.born, sex=patient.sex), pv1())
    return patient.tell(er7(*head, obr("F9", at=patient.time(observed), specimen=source), *lines, *told))


@pytest.mark.parametrize(
    "times",
    [
        {"drawn": 0.5, "observed": 0.5, "charted": None},
        {"drawn": 0.4, "observed": 0.5, "charted": None},
        {"drawn": 0.4, "observed": 0.5, "charted": 0.6},
        {"drawn": None, "observed": 0.5, "charted": 0.6, "source": "BLDA"},
        {"drawn": 0.6, "observed": 0.5, "charted": 0.4},
    ],
)
def test_the_oxygen_of_the_report_goes_with_its_gas(times: dict[str, float]) -> None:
    lung = organ(report(**times).explain(), "respiration")
    assert (lung["score"], "fio2_missing" in lung["flags"]) == (2, False)
    assert {one["effective"] for one in lung["evidence"]} == {lung["evidence"][0]["effective"]}


def test_what_is_charted_without_a_specimen_is_of_its_own_moment() -> None:
    lung = organ(report(drawn=None, observed=0.5, charted=0.6).explain(), "respiration")
    assert lung["flags"] == ["fio2_missing"]
