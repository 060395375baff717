"""What stays of a ResearchSubject that others wrote on."""

from dataclasses import replace
from typing import Any

import pytest

from adapter.fhir import bundle as bundle_module
from adapter.fhir.bundle import DecisionEvent, candidate_bundle
from adapter.fhir.codes import ASSESSMENT_EXTENSION
from adapter.fhir.subject import Study, merged
from tests.assessments import CONTEXT, assessment

OURS: dict[str, Any] = candidate_bundle(assessment(), screening_id="7Q2KX", context=CONTEXT)["entry"][0]["resource"]


def test_profiles_tags_and_extensions_of_others_stay_and_versions_do_not() -> None:
    other = {"url": "https://edc.example/x", "valueString": "theirs"}
    meta = {"versionId": "3", "lastUpdated": "2026-01-02T00:00:00Z", "profile": ["https://edc.example/p"]}
    kept = merged(OURS | {"meta": meta, "extension": [other, *OURS["extension"]]}, OURS)
    assert kept["meta"] == {"profile": ["https://edc.example/p"]}
    assert [e["url"] for e in kept["extension"]] == ["https://edc.example/x", ASSESSMENT_EXTENSION]
    assert "meta" not in merged(OURS | {"meta": {"versionId": "3"}}, OURS)


def test_the_snapshot_stays_when_only_a_status_is_told() -> None:
    notice = candidate_bundle(assessment(status="on-study"), screening_id="7Q2KX", context=CONTEXT)
    kept = merged(OURS, notice["entry"][0]["resource"])
    parts = {p["url"]: p for p in kept["extension"][0]["extension"]}
    assert kept["status"] == "on-study"
    assert parts["stratum"]["valueCode"] == "mals"


def parts(subject: dict[str, Any]) -> dict[str, Any]:
    return {part["url"]: part for part in subject["extension"][0]["extension"]}


def test_a_reason_and_an_onset_that_no_longer_stand_do_not_stay() -> None:
    """Taken back for a reason, then raised again; and the onset is known no more."""
    event = DecisionEvent("withdrawn", "against-i5-e3")
    back = candidate_bundle(assessment(shown=False), screening_id="7Q2KX", context=CONTEXT, event=event)
    reason = merged(OURS, back["entry"][0]["resource"])
    assert parts(reason)["reason"]["valueCode"] == "against-i5-e3"
    unknown = assessment(sepsis=replace(assessment().sepsis, onset=None, deadline=None))
    again = candidate_bundle(unknown, screening_id="7Q2KX", context=CONTEXT)["entry"][0]["resource"]
    assert {"reason", "onset", "deadline"}.isdisjoint(parts(merged(reason, again)))
    assert {"onset", "verdict"} <= parts(merged(reason, OURS)).keys()


def test_the_study_is_a_logical_reference_and_the_edcs_own_where_configured() -> None:
    assert "reference" not in Study("NCT04990232").json()
    assert Study("NCT04990232", "ResearchStudy/1").json()["reference"] == "ResearchStudy/1"


def test_a_code_outside_its_value_set_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_module, "subject_status", lambda *_args, **_options: "found")
    with pytest.raises(ValueError, match=r"ResearchSubject\.status"):
        candidate_bundle(assessment(), screening_id="7Q2KX", context=CONTEXT)
