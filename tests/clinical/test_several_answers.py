"""Answers that repeat, contradict themselves or are documents, from HL7 v2 bytes to the criterion."""

from typing import Any

import pytest

from adapter.domain.ledger import Bucket
from tests.bedside import WELL, Patient, criterion_of

FAILING = {**WELL, "plt": "90", "ferritin": "5200"}


def told(name: str, value: str, kind: str = "CWE", **person: Any) -> Patient:
    patient = Patient(**person).admit(ward="ED").labs(0.5, **FAILING)
    return patient.report(1, patient.line(name, value, type=kind))


FEMALE = {"sex": "F", "born": "19900101"}


@pytest.mark.parametrize(
    ("name", "value", "criterion"),
    [
        ("dnr", "FULL~DNR", "E6"),
        ("dnr", "DNI^^L~FULL^Full code^L", "E6"),
        ("hcg", "NEG~POS", "E15"),
        ("hcg", "260385009^Positive^SCT", "E15"),
        ("hcg", "260385009^Negative^SCT^POS^Positive^L", "E15"),
    ],
)
def test_answers_that_contradict_each_other_are_none(name: str, value: str, criterion: str) -> None:
    patient = told(name, value, **FEMALE)
    assert criterion_of(patient.explain(), criterion)["evidence"] == []
    assert patient.issues == ["contradicting-answers"]
    assert patient.seen[-1].ledger.counts[Bucket.BAD_VALUE] == 1


def test_a_detection_beside_a_negative_is_not_taken_for_a_negative() -> None:
    for value in ("NEG~POS", "260415000^Detected^SCT", "NEG~weakly seen"):
        patient = told("covid", value)
        patient.explain()
        assert patient.seen[-1].ledger.counts[Bucket.BAD_VALUE] == 1


@pytest.mark.parametrize("value", ["DNR~DNR", "DNR^Do not resuscitate^L", "^DNAR~DNR", "~DNR"])
def test_the_same_answer_twice_is_one(value: str) -> None:
    patient = told("dnr", value)
    (shown,) = criterion_of(patient.explain(), "E6")["evidence"]
    assert (shown["value"], patient.issues) == ("dnr", [])


@pytest.mark.parametrize("kind", ["ED", "RP", "EI"])
def test_a_document_is_no_answer(kind: str) -> None:
    for name, value in (("dnr", "DNR^application^pdf^Base64^JVBERi0="), ("culture", "LAB^application^pdf^Base64^JVB")):
        patient = told(name, value, kind)
        found = patient.explain()
        assert [criterion_of(found, one)["evidence"] for one in ("E6", "I5")] == [[], []]
        assert patient.issues == ["unreadable-value"]


def test_the_first_of_several_organisms_counts_and_all_are_shown() -> None:
    patient = told("culture", "3092008^Staphylococcus aureus^SCT~112283007^Escherichia coli^SCT")
    (shown,) = criterion_of(patient.explain(), "I5")["evidence"]
    assert shown["value"] == "staphylococcus aureus"
    assert "Escherichia coli" in shown["original"]["value"]
    assert patient.issues == ["several-answers"]
    again = told("culture", "3092008^Staphylococcus aureus^SCT~^S. aureus")
    assert (len(criterion_of(again.explain(), "I5")["evidence"]), again.issues) == (1, [])
