"""Dates that software writes where it has none, from HL7 v2 bytes to the verdict: 0001, 1900, the first day of 1970, 9999."""

import pytest

from tests.bedside import WELL, Patient, answer, scores
from tests.builders import er7, msh, oru, pid, pv1

NO_DATES = ("00010101000000", "17530101", "19000101", "19700101000000", "20991231", "99991231235959", "99991231")
FAILING = {**WELL, "plt": "90", "ferritin": "5200"}


def candidate() -> Patient:
    return Patient().admit(ward="ED").labs(0.5, **FAILING)


@pytest.mark.parametrize("none", NO_DATES)
def test_a_patient_without_a_date_of_death_lives(none: str) -> None:
    told = candidate().admit(1, event="A08", died=none).explain()
    assert (told["verdict"], told["shown"]) == ("candidate", True)


def test_a_death_whose_date_nobody_knows_is_one_and_so_is_one_with_a_date() -> None:
    assert not candidate().admit(1, event="A08", died="00010101", dead="Y").explain()["shown"]
    assert not candidate().admit(1, event="A08", died="202603021100").explain()["shown"]


@pytest.mark.parametrize("none", NO_DATES)
def test_an_admission_without_a_date_is_told_by_the_next_best_time(none: str) -> None:
    told = Patient().admit(ward="ED", at=none).labs(0.5, **FAILING).explain()
    assert (told["verdict"], told["sepsis"]["context"], answer(told, "I6")) == ("candidate", "emergency", "met")


@pytest.mark.parametrize("none", NO_DATES)
def test_a_visit_known_by_an_update_alone_began_at_no_such_date(none: str) -> None:
    told = Patient().admit(event="A08", ward="ED", admitted=none).labs(0.5, **FAILING).explain()
    assert answer(told, "I6") == "unknown"


@pytest.mark.parametrize("none", NO_DATES)
def test_a_specimen_without_a_date_is_told_by_its_order(none: str) -> None:
    patient = Patient().admit(ward="ED").labs(0.5, **WELL)
    line = patient.line("plt", "40")
    body = oru(line, order="F9", at=patient.time(1), sent=patient.time(1.2), authority="HOSP")
    body = body.removesuffix(b"\r") + f"\rSPM|1|S1||BLD{'|' * 13}{none}\r".encode()
    told = patient.tell(body).explain()
    assert scores(told)[1] == 3


def given(patient: Patient, drug: str, end: str, *, start: float = 0.5) -> Patient:
    """A dose of which the pharmacy writes an end."""
    line = f"RXA|0|1|{patient.time(start)}|{end}|{drug}^^ATC|50|mg"
    head = msh("RAS^O17", control="R1", at=patient.time(1), app="PHARM")
    return patient.tell(er7(head, pid(authority="HOSP", born=patient.born, sex="M"), pv1(), "ORC|NW|P1|R1", line))


@pytest.mark.parametrize("none", ["99991231235959", "29991231", "20991231"])
@pytest.mark.parametrize("drug", ["H02AB09", "L04AC03"])
def test_a_dose_without_an_end_is_within_its_window_and_not_for_ever(drug: str, none: str) -> None:
    criterion = {"H02AB09": "E11", "L04AC03": "E12"}[drug]

    def evidence(hour: float) -> list[object]:
        told = given(candidate(), drug, none).explain(hour)
        return next(list(one["evidence"]) for one in told["criteria"] if one["id"] == criterion)

    assert evidence(2)
    assert not evidence(24 * 40)
