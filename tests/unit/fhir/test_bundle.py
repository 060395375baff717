"""The transaction of one decision event."""

import gzip
import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.domain.assessment import Verdict
from adapter.domain.patient import PatientId
from adapter.domain.truth import Truth
from adapter.fhir.bindings import REQUIRED, SUBJECT_STATUS, problems
from adapter.fhir.bundle import (
    DecisionEvent,
    bundle_text,
    candidate_bundle,
    reason_code,
    subject_status,
    tells_values,
)
from adapter.fhir.calendar import Dates
from adapter.fhir.codes import ASSESSMENT_EXTENSION, CONCEPTS, LOINC, SOFA_TOTAL
from tests.assessments import AT, CONTEXT, assessment, criterion, evidence, organ, sofa

Json = dict[str, Any]


def made(given: Any = None, **options: Any) -> Json:
    return candidate_bundle(given or assessment(), screening_id="7Q2KX", context=CONTEXT, **options)


def resources(bundle: Json, kind: str) -> list[Json]:
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


def observation(bundle: Json, code: str) -> Json:
    return next(o for o in resources(bundle, "Observation") if o["code"]["coding"][0]["code"] == code)


def test_a_bundle_holds_one_subject_its_pseudonym_score_values_software_and_provenance() -> None:
    kinds = [e["resource"]["resourceType"] for e in made()["entry"]]
    assert kinds == ["ResearchSubject", "Patient", "Device", *["Observation"] * 5, "Provenance"]
    values = {o["code"]["coding"][0]["code"] for o in resources(made(), "Observation")}
    assert values == {"2276-4", "mhladr-abc", "26515-7", "2160-0", SOFA_TOTAL}


def test_the_same_assessment_gives_the_same_bytes() -> None:
    assert bundle_text(made()) == bundle_text(made())


def test_every_reference_leads_to_an_entry_and_every_entry_has_its_own_name() -> None:
    bundle = made()
    names = [e["fullUrl"] for e in bundle["entry"]]
    assert len(set(names)) == len(names)
    assert set(re.findall(r'"reference":"([^"]*)"', bundle_text(bundle))) <= set(names)


def test_the_subject_is_created_on_condition_and_everything_else_has_its_own_id() -> None:
    subject, *others = made()["entry"]
    assert subject["request"]["method"] == "POST"
    assert subject["request"]["ifNoneExist"].endswith("|7Q2KX")
    assert all(e["request"]["url"] == f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in others)


def test_the_total_is_silent_while_an_organ_is_missing_and_missing_is_never_zero() -> None:
    total = observation(made(), SOFA_TOTAL)
    assert "valueQuantity" not in total
    assert total["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert [p["valueInteger"] for p in total["extension"][0]["extension"]] == [5, 9]
    liver = next(c for c in total["component"] if c["code"]["coding"][0]["code"] == "96825-5")
    assert "valueQuantity" not in liver
    assert "dataAbsentReason" in liver


def test_a_settled_total_is_stated_and_derived_from_what_was_measured() -> None:
    bundle = made(assessment(sofa=sofa(coagulation=organ(3, evidence("platelets", "40", "10*3/uL")))))
    total = observation(bundle, SOFA_TOTAL)
    assert total["valueQuantity"]["value"] == 3
    platelets = observation(bundle, "26515-7")
    assert total["derivedFrom"] == [{"reference": f"urn:uuid:{platelets['id']}"}]
    assert len(total["component"]) == 6


@pytest.mark.parametrize(
    ("value", "expected"),
    [("5200", {"value": 5200}), ("1.79864", {"value": 1.79864}), (">100000", {"value": 100000, "comparator": ">"})],
)
def test_a_number_keeps_its_digits_and_its_comparator(value: str, expected: Json) -> None:
    given = assessment(stratum_evidence=(evidence("ferritin", value, "ng/mL"),), facts={})
    quantity = observation(made(given), "2276-4")["valueQuantity"]
    assert {k: v for k, v in quantity.items() if k in ("value", "comparator")} == expected
    assert quantity["code"] == "ng/mL"


def test_a_coded_input_is_a_code_and_free_text_stays_in_the_hospital() -> None:
    support = evidence("respiratory-support", "invasive", "")
    text = evidence("fio2", "per Mrs Jansen", "1")
    bundle = made(assessment(sofa=sofa(respiration=organ(3, support, text))))
    coded = observation(bundle, "respiratory-support")["valueCodeableConcept"]
    assert coded["coding"][0]["code"] == "invasive"
    assert "dataAbsentReason" in observation(bundle, "71835-3")
    assert "Jansen" not in bundle_text(bundle)


def test_a_concept_that_is_not_listed_never_leaves() -> None:
    culture = evidence("culture-organism", "escherichia-coli", "")
    assert "escherichia" not in bundle_text(made(assessment(sofa=sofa(cns=organ(1, culture)))))


def test_nothing_that_identifies_the_patient_is_in_the_bundle() -> None:
    canary = assessment(
        patient=PatientId("attikon", "AUTHCANARY", "MRNCANARY"),
        episode="EPISODECANARY",
        status="",
        stratum_evidence=(
            evidence(
                "ferritin", "5200", "ng/mL", note="NOTECANARY", original_value="VALUECANARY", original_unit="UNITCANARY",
                identity="IDENTITYCANARY", message="MESSAGECANARY",
            ),
        ),
    )  # fmt: skip
    assert "CANARY" not in bundle_text(made(canary)).upper()


def test_a_corrected_result_keeps_its_observation() -> None:
    first = observation(made(), "2276-4")
    corrected = assessment(stratum_evidence=(evidence("ferritin", "4100", "ng/mL", message="18"),), facts={})
    assert observation(made(corrected), "2276-4")["id"] == first["id"]


def test_ids_differ_by_secret_trial_and_screening_number() -> None:
    ours = resources(made(), "Patient")[0]["id"]
    other_secret = candidate_bundle(assessment(), screening_id="7Q2KX", context=replace(CONTEXT, secret=b"t" * 32))
    other_number = candidate_bundle(assessment(), screening_id="7Q2KY", context=CONTEXT)
    other_trial = candidate_bundle(assessment(trial="other"), screening_id="7Q2KX", context=CONTEXT)
    ids = {ours, *(resources(b, "Patient")[0]["id"] for b in (other_secret, other_number, other_trial))}
    assert len(ids) == 4


def test_shifted_dates_keep_every_interval_and_hide_the_day() -> None:
    def times(dates: Dates) -> list[datetime]:
        bundle = candidate_bundle(assessment(), screening_id="7Q2KX", context=replace(CONTEXT, dates=dates))
        found = re.findall(r'"(\d{4}-\d\d-\d\dT[^"]*)"', bundle_text(bundle))
        return [datetime.fromisoformat(text) for text in found]

    exact, shifted = times(Dates.EXACT), times(Dates.SHIFTED)
    moved = {a - b for a, b in zip(sorted(exact), sorted(shifted), strict=True)}
    assert len(moved) == 1
    assert timedelta(days=1) <= moved.pop() <= timedelta(days=365)
    assert AT.date().isoformat() not in "".join(t.isoformat() for t in shifted)


def test_a_withdrawal_says_why_in_a_code() -> None:
    bundle = made(assessment(shown=False), event=DecisionEvent("withdrawn", reason_code("against: I6")))
    (provenance,) = resources(bundle, "Provenance")
    assert provenance["reason"][0]["coding"][0]["code"] == "against-i6"
    assert provenance["activity"]["coding"][0]["code"] == "NULLIFY"
    assert resources(bundle, "ResearchSubject")[0]["status"] == "ineligible"


@pytest.mark.parametrize("screening_id", ["", "a|b", "Jansen, Piet", "x" * 65])
def test_a_screening_id_that_could_carry_more_than_a_pseudonym_is_refused(screening_id: str) -> None:
    with pytest.raises(ValueError, match="screening id"):
        candidate_bundle(assessment(), screening_id=screening_id, context=CONTEXT)


def test_a_reason_in_words_is_refused() -> None:
    with pytest.raises(ValueError, match="reason"):
        made(event=DecisionEvent("withdrawn", "son of Mr Jansen said no"))


INCOMPLETE = {"verdict": Verdict.INCOMPLETE}
ALL = (criterion("I1", Truth.MET), criterion("I4", Truth.UNKNOWN))


@pytest.mark.parametrize(
    ("changes", "earlier", "status"),
    [
        (INCOMPLETE, (), "potential-candidate"),
        ({}, (), "candidate"),
        ({"shown": False, "verdict": Verdict.NOT_CANDIDATE}, (), "ineligible"),
        ({"shown": False, "verdict": Verdict.EXPIRED}, (), "ineligible"),
        ({"status": "screening", "criteria": (criterion("I1", Truth.UNKNOWN),)}, (), "screening"),
        ({"status": "screening", "criteria": ALL}, (), "eligible"),
        ({"status": "screening", "criteria": ALL, **INCOMPLETE}, (), "screening"),
        ({"status": "screening", "shown": False, "verdict": Verdict.NOT_CANDIDATE}, (), "screening"),
        ({"status": "eligible"}, (), "eligible"),
        ({"status": "consent-asked"}, (), "eligible"),
        ({"status": "consented"}, (), "pending-on-study"),
        ({"criteria": (criterion("I4", Truth.MET),)}, (), "pending-on-study"),
        ({"criteria": (criterion("I4", Truth.NOT_MET),)}, (), "not-registered"),
        ({"criteria": (criterion("I4", Truth.NOT_MET),), "status": "consented"}, (), "withdrawn"),
        ({"criteria": (criterion("I4", Truth.NOT_MET),), "status": "on-study"}, (), "off-study"),
        ({"status": "on-study"}, (), "on-study"),
        ({"status": "declined"}, ("screening",), "not-registered"),
        ({"status": "not-eligible"}, ("screening",), "ineligible"),
        ({"status": "withdrawn"}, ("consented",), "withdrawn"),
        ({"status": "withdrawn"}, ("consented", "on-study"), "off-study"),
    ],
)  # fmt: skip
def test_the_status_follows_r4s_own_definitions(changes: Json, earlier: tuple[str, ...], status: str) -> None:
    assert subject_status(assessment(**changes), earlier=earlier) == status
    assert status in SUBJECT_STATUS


@pytest.mark.parametrize("status", ["on-study", "declined", "withdrawn", "not-eligible"])
def test_after_registration_or_a_no_the_status_goes_and_nothing_measured(status: str) -> None:
    given = assessment(status=status)
    bundle = made(given)
    assert not tells_values(given)
    assert resources(bundle, "Observation") == []
    assert "stratum" not in bundle_text(bundle)


def test_there_is_no_arm_and_no_consent_in_any_bundle() -> None:
    for status in ("", "consented", "on-study"):
        assert (
            not {"assignedArm", "actualArm", "consent"} & made(assessment(status=status))["entry"][0]["resource"].keys()
        )


def test_the_extension_tells_the_finding() -> None:
    (ours,) = [e for e in resources(made(), "ResearchSubject")[0]["extension"] if e["url"] == ASSESSMENT_EXTENSION]
    parts = {p["url"]: p for p in ours["extension"]}
    assert parts["stratum"]["valueCode"] == "mals"
    assert parts["asserted-status"]["valueCode"] == "candidate"
    assert parts["deadline"]["valueDateTime"].startswith("2026-01-05T09:00:00+02:00")


def test_required_bindings_are_those_of_r4(shared_data: Path) -> None:
    """Every value set of the table, read from the R4 definitions themselves."""
    definitions = shared_data / "fhir" / "r4-definitions" / "valuesets.json.gz"
    systems = {
        e["resource"]["url"].rpartition("/")[2]: {c["code"] for c in _all(e["resource"].get("concept", []))}
        for e in json.loads(gzip.decompress(definitions.read_bytes()))["entry"]
        if e["resource"]["resourceType"] == "CodeSystem"
    }
    names = {
        ("Observation", "status"): "observation-status",
        ("ResearchSubject", "status"): "research-subject-status",
        ("Device", "status"): "device-status",
        ("Device", "deviceName.type"): "device-nametype",
        ("Patient", "gender"): "administrative-gender",
        ("Provenance", "entity.role"): "provenance-entity-role",
        ("Observation", "valueQuantity.comparator"): "quantity-comparator",
        ("Observation", "component.valueQuantity.comparator"): "quantity-comparator",
        ("*", "identifier.use"): "identifier-use",
        ("Bundle", "type"): "bundle-type",
        ("AuditEvent", "action"): "audit-event-action",
        ("AuditEvent", "outcome"): "audit-event-outcome",
        ("Bundle", "entry.request.method"): "http-verb",
    }
    assert {key: systems[names[key]] for key in REQUIRED} == {key: set(codes) for key, codes in REQUIRED.items()}


def _all(concepts: list[Json]) -> list[Json]:
    return [c for concept in concepts for c in (concept, *_all(concept.get("concept", [])))]


def test_a_code_outside_its_value_set_is_found() -> None:
    assert problems({"resourceType": "ResearchSubject", "status": "found"}) == ("ResearchSubject.status",)
    assert problems({"resourceType": "Provenance", "entity": [{"role": "x"}]}) == ("Provenance.entity.role",)


def test_what_we_call_a_concept_is_what_the_dictionary_calls_it() -> None:
    """The EDC is told a code that the hospital's own messages may use for the same thing."""
    from adapter.assets import load_rulebook

    known = load_rulebook(None, trials=["immunosep"]).dictionary.concepts
    for concept, code in CONCEPTS.items():
        assert concept in known
        if code.system == LOINC:
            assert code.code in {found for _, found in known[concept].codes}, concept
