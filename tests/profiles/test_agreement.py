"""The committed profiles and the code name the same codes, numbers and promises; no server is needed to see it."""

import json
import re
from dataclasses import replace
from functools import cache
from typing import Any

from adapter.assets import load_rulebook
from adapter.domain.assessment import Certainty, Verdict
from adapter.domain.encounter import Encounter
from adapter.domain.follow_up import VitalStatus
from adapter.domain.truth import Truth
from adapter.eligibility.episode import NEWER_VISIT
from adapter.eligibility.evaluate import DELETED
from adapter.eligibility.words import INDETERMINATE, UNCLASSIFIED
from adapter.fhir import codes
from adapter.fhir.bundle import reason_code
from adapter.fhir.provenance import ACTIVITY
from adapter.screening.alerts import why_not
from adapter.sinks.edc_requests import CLIENT_ID, ways
from adapter.standins.edc import statement
from tests.assessments import AT, assessment, criterion
from tests.conftest import ROOT
from tests.profiles import sent
from tests.profiles.faults import one
from tests.profiles.sushi import GENERATED

Json = dict[str, Any]


@cache
def definition(name: str) -> Json:
    read: Json = json.loads((GENERATED / f"{name}.json").read_text())
    return read


def of_system(name: str) -> set[str]:
    return {concept["code"] for concept in definition(f"CodeSystem-{name}")["concept"]}


def of_value_set(name: str) -> set[tuple[str, str]]:
    found = set()
    for part in definition(f"ValueSet-{name}")["compose"]["include"]:
        own = part["system"].removeprefix(f"{codes.NAMESPACE}CodeSystem/")
        listed = [c["code"] for c in part["concept"]] if "concept" in part else of_system(own)
        found |= {(part["system"], code) for code in listed}
    return found


def test_what_may_be_told_is_what_is_told() -> None:
    assert of_value_set("measured-concept") == {(code.system, code.code) for code in codes.CONCEPTS.values()}
    assert of_system("immunosep-lab") == {c.code for c in codes.CONCEPTS.values() if c.system == codes.LAB_SYSTEM}


def test_the_page_for_edcs_lists_every_concept_with_its_unit() -> None:
    page = (ROOT / "docs" / "edc" / "resources.md").read_text()
    dictionary = load_rulebook(None, trials=["immunosep"]).dictionary
    for concept, code in codes.CONCEPTS.items():
        unit = dictionary.concepts[concept].unit
        assert f"| {code.code} | {f'`{unit}`' if unit else 'words of'}" in page, concept
    assert all(f"| {organ} | {loinc} |" in page for organ, loinc in codes.SOFA_ORGANS.items())


def test_the_page_for_edcs_lists_every_status_that_we_assert() -> None:
    page = (ROOT / "docs" / "edc" / "resources.md").read_text()
    asserted = {one(bundle, "ResearchSubject")["status"] for bundle in sent.bundles().values()}
    assert asserted == {
        row[1]
        for row in re.finditer(r"^\| `([a-z-]+)` \|.*\| (machine|person|machine, person) \|$", page, re.MULTILINE)
    }


def test_every_link_of_the_guide_leads_somewhere() -> None:
    for page in (ROOT / "docs" / "edc").glob("*.md"):
        links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
        assert links
        assert not [link for link in links if not (page.parent / link).exists()]


def test_bedside_concepts_and_kinds_of_support_are_those_of_the_dictionary() -> None:
    words = set(load_rulebook(None, trials=["immunosep"]).dictionary.concepts["respiratory-support"].answers.values())
    assert {code for _, code in of_value_set("respiratory-support")} == words
    charted = {code.code for code in codes.CONCEPTS.values() if code.system == codes.CONCEPT_SYSTEM}
    lived = {str(status) for status in VitalStatus if status is not VitalStatus.UNKNOWN}
    assert {code for _, code in of_value_set("vital-status")} == lived
    assert of_system("concept") == charted | words | lived | {codes.VITAL_STATUS}


def test_verdicts_certainties_strata_and_activities_are_those_of_the_code() -> None:
    (trial,) = load_rulebook(None, trials=["immunosep"]).trials
    strata = {name for stratum in trial.strata for name in (stratum.id, stratum.blocked_as) if name}
    assert of_system("screening-verdict") == set(Verdict)
    assert of_system("screening-certainty") == set(Certainty)
    assert of_system("stratum") == strata | {INDETERMINATE, UNCLASSIFIED}
    assert {code for _, code in of_value_set("decision-activity")} == set(ACTIVITY.values())


def test_reasons_are_those_of_the_trials_page_and_of_the_machine() -> None:
    (trial,) = load_rulebook(None, trials=["immunosep"]).trials
    chosen = {reason for _, reasons in trial.statuses for reason in reasons}
    quiet = replace(assessment(), criteria=(), encounter=None)
    ended = Encounter("9", None, "", "", AT, AT, started_in_emergency=False)
    grounds = [
        replace(quiet, verdict=Verdict.EXPIRED),
        replace(quiet, flags=(DELETED,)),
        replace(quiet, flags=(NEWER_VISIT,)),
        replace(quiet, encounter=ended),
        quiet,
    ]
    found = {reason_code(why_not(ground)) for ground in grounds}
    assert len(found) == len(grounds)
    assert of_system("screening-reason") == chosen | found | {"other"}
    against = replace(quiet, criteria=(criterion("I5", Truth.NOT_MET),))
    assert reason_code(why_not(against)) == "against-i5"


def test_the_systems_of_numbers_are_described() -> None:
    paths = GENERATED.glob("NamingSystem-*.json")
    described = {definition(path.stem)["uniqueId"][0]["value"] for path in paths}
    assert described == {codes.SCREENING_NUMBER, codes.RESOURCE_NUMBER, codes.MESSAGE_NUMBER}


def test_every_profile_that_a_resource_names_is_defined() -> None:
    defined = {definition(path.stem)["url"] for path in GENERATED.glob("StructureDefinition-*.json")}
    named = {
        url
        for bundle in sent.bundles().values()
        for entry in bundle["entry"]
        for url in entry["resource"]["meta"]["profile"]
    }
    assert named <= defined
    assert len(named) == 11


def test_our_stand_in_offers_what_an_edc_must() -> None:
    (wanted,), (offered,) = definition("CapabilityStatement-edc")["rest"], statement()["rest"]
    held = {resource["type"]: resource for resource in offered["resource"]}
    for resource in filter(must, wanted["resource"]):
        ours = held[resource["type"]]
        acts = {act["code"] for act in resource["interaction"] if must(act)}
        assert acts <= {act["code"] for act in ours["interaction"]}
        promised = {k: v for k, v in resource.items() if k in ("updateCreate", "conditionalCreate", "versioning")}
        assert promised.items() <= ours.items(), resource["type"]
    assert wanted["interaction"][0]["code"] == offered["interaction"][0]["code"] == "transaction"


def must(part: Json) -> bool:
    return bool(part["extension"][0]["valueCode"] == "SHALL")


def test_the_adapter_writes_to_such_an_edc_by_its_own_ids() -> None:
    kinds = ways(definition("CapabilityStatement-edc"))
    assert {kinds[kind] for kind in sent.TYPES} == {CLIENT_ID}
