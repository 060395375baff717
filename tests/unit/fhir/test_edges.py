"""Corners of FHIR: what an EDC need not hear again, what others wrote on a subject, and elements of other versions."""

from typing import Any

import pytest

from adapter.fhir.bundle import DecisionEvent, candidate_bundle, content_digest, observation_id
from adapter.fhir.codes import ASSESSMENT_EXTENSION
from adapter.fhir.contents import codings, element, elements
from adapter.fhir.subject import merged
from tests.assessments import AT, CONTEXT, assessment


def subject(**changes: Any) -> dict[str, Any]:
    made = candidate_bundle(assessment(**changes), screening_id="7Q2KX", context=CONTEXT)
    resource: dict[str, Any] = made["entry"][0]["resource"]
    return resource


def parts(resource: dict[str, Any]) -> dict[str, Any]:
    (ours,) = (one for one in resource["extension"] if one["url"] == ASSESSMENT_EXTENSION)
    return {part["url"]: part for part in ours["extension"]}


def digest(event: DecisionEvent | None = None, **changes: Any) -> str:
    return content_digest(assessment(**changes), screening_id="7Q2KX", context=CONTEXT, event=event or DecisionEvent())


def test_an_edc_need_not_hear_the_same_again_only_because_somebody_looked_later() -> None:
    assert digest() == digest()
    assert digest(DecisionEvent()) == digest(at=AT)
    assert digest(stratum="immunoparalysis") != digest()
    assert digest(status="on-study") != digest()


def test_a_value_taken_back_goes_by_the_name_it_was_told_under_and_tells_no_number() -> None:
    """The hospital withdrew a ferritin after the EDC had heard of it: the very Observation becomes an error."""
    (ferritin,) = assessment().stratum_evidence
    made = candidate_bundle(
        assessment(), screening_id="7Q2KX", context=CONTEXT, event=DecisionEvent(withdrawn=(ferritin,))
    )
    name = observation_id(CONTEXT, "immunosep", "7Q2KX", ferritin)
    told = [e["resource"] for e in made["entry"] if e["resource"].get("id") == name]
    gone = told[-1]
    assert (gone["resourceType"], gone["status"]) == ("Observation", "entered-in-error")
    assert not any(key.startswith("value") for key in gone)
    first = candidate_bundle(assessment(), screening_id="7Q2KX", context=CONTEXT)
    assert name in {e["resource"].get("id") for e in first["entry"]}


def test_a_status_that_a_person_set_in_the_edc_stays_and_ours_stands_beside_it() -> None:
    """The machine creates, people change: a subject withdrawn by hand is no candidate again because a platelet count came."""
    before = subject()
    by_hand = before | {"status": "withdrawn"}
    kept = merged(by_hand, subject(stratum="immunoparalysis"))
    assert kept["status"] == "withdrawn"
    assert parts(kept)["stratum"]["valueCode"] == "immunoparalysis"
    untouched = merged(before, subject(status="on-study"))
    assert untouched["status"] == "on-study"


def test_a_subject_that_somebody_else_made_keeps_its_status_and_gets_our_extension() -> None:
    theirs = {"resourceType": "ResearchSubject", "status": "screening", "extension": [{"url": "x", "valueString": "y"}]}
    kept = merged(theirs, subject())
    assert (kept["status"], kept["extension"][0]) == ("screening", {"url": "x", "valueString": "y"})
    assert parts(kept)["stratum"]["valueCode"] == "mals"
    assert merged({"status": "screening"}, subject())["status"] == "screening"


@pytest.mark.parametrize("held", [{"class": {"code": "IMP"}}, {"class": [{"code": "IMP"}, {"code": "AMB"}]}])
def test_an_element_is_read_whether_this_version_of_fhir_has_one_or_several(held: dict[str, Any]) -> None:
    assert element(held, "class") == {"code": "IMP"}


def test_where_no_object_stands_none_is_read() -> None:
    assert element({"class": []}, "class") == element({"class": "IMP"}, "class") == element(None, "class") == {}
    assert elements({"name": ["x", {"family": "y"}]}, "name") == [{"family": "y"}]
    assert elements(7, "name") == []


def test_a_coding_without_a_code_names_nothing() -> None:
    said = {"coding": [{"display": "Platelets"}, {"code": "777-3", "system": "urn:oid:2.16.840.1.113883.6.1"}, 7]}
    assert list(codings(said)) == [("777-3", "", "2.16.840.1.113883.6.1")]
    assert list(codings({"code": "777-3"})) == [("777-3", "", "")]
    assert list(codings({"text": "platelets"})) == []
