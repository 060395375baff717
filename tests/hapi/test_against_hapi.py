"""HAPI FHIR as the trial's EDC and as the hospital's server: what a server that others wrote makes of us."""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from adapter.daemon.clock import utc_now
from adapter.domain.message import Delivery, RemoteResource
from adapter.errors import RejectedError
from adapter.fhir.bundle import DecisionEvent, bundle_text, candidate_bundle
from adapter.fhir.codes import SCREENING_NUMBER
from adapter.sinks.edc_fhir import Edc, EdcFhir
from tests.assessments import CONTEXT, assessment, evidence
from tests.hapi.server import Peer, Servers, hapi
from tests.peers import Script, misbehaving

__all__ = ["hapi"]
Json = dict[str, Any]
KINDS = ("Patient", "ResearchSubject", "Observation", "Device", "Provenance")

# --- as the EDC ------------------------------------------------------------------------------------------------------


@dataclass
class Pushing:
    edc: Peer
    base: str
    script: Script
    sink: EdcFhir = field(init=False)
    remote: RemoteResource | None = None

    def __post_init__(self) -> None:
        self.sink = EdcFhir(Edc(self.base), utc_now)

    def push(self, event: DecisionEvent | None = None, *, forgetful: bool = False, **changes: Any) -> None:
        """`forgetful`: as if the answer to what went before had been lost."""
        context = replace(CONTEXT, secret=self.edc.mark.encode())
        bundle = candidate_bundle(assessment(**changes), screening_id=self.edc.mark, context=context, event=event)
        remote = None if forgetful else self.remote
        delivery = Delivery(1, "edc", self.edc.mark, "bundle", bundle_text(bundle), "key", remote=remote)
        self.remote = asyncio.run(self.sink.deliver(delivery))

    @property
    def number(self) -> str:
        return f"identifier={SCREENING_NUMBER}|{self.edc.mark}"

    def versions(self) -> dict[str, list[tuple[str, str]]]:
        return {kind: [(one["id"], one["meta"]["versionId"]) for one in self.edc.found(kind)] for kind in KINDS}

    def subject(self) -> Json:
        (one,) = self.edc.found("ResearchSubject", self.number)
        return one

    def edited(self, **changes: Any) -> None:
        """By a person at the EDC."""
        self.edc.put(self.subject() | changes)


@pytest.fixture
def edc(hapi: Servers) -> Any:
    peer = hapi.another("edc")
    origin, _, path = peer.base.partition("/fhir")
    with ExitStack() as stack:
        script = Script()
        proxy = stack.enter_context(misbehaving(origin, script))
        yield Pushing(peer, f"{proxy}/fhir{path}", script)


def coded(one: Json) -> str:
    return str(one["code"]["coding"][0]["code"])


def asserted(subject: Json) -> dict[str, Any]:
    (ours,) = subject["extension"]
    return {part["url"]: next(v for k, v in part.items() if k.startswith("value")) for part in ours["extension"]}


def test_what_arrives_is_what_was_judged_and_all_of_it_is_tied_together(edc: Pushing) -> None:
    edc.push()
    subject = edc.subject()
    assert (subject["status"], asserted(subject)["stratum"]) == ("candidate", "mals")
    (patient,) = edc.edc.found("Patient", edc.number)
    assert subject["individual"]["reference"] == f"Patient/{patient['id']}"
    assert patient.keys() == {"resourceType", "id", "meta", "identifier"}
    (sofa,) = edc.edc.found("Observation", f"code=http://loinc.org|96790-1&subject=Patient/{patient['id']}")
    inputs = {f"Observation/{one['id']}" for one in edc.edc.found("Observation") if one["id"] != sofa["id"]}
    assert {one["reference"] for one in sofa["derivedFrom"]} < inputs
    (ferritin,) = edc.edc.found("Observation", "code=http://loinc.org|2276-4")
    assert (ferritin["valueQuantity"]["value"], ferritin["valueQuantity"]["code"]) == (5200, "ng/mL")
    (provenance,) = edc.edc.found("Provenance", f"target=ResearchSubject/{subject['id']}")
    assert {one["reference"] for one in provenance["target"]} > inputs


def test_sent_again_nothing_changes_even_where_the_answer_was_lost(edc: Pushing) -> None:
    edc.push()
    before = edc.versions()
    edc.push()
    edc.push(forgetful=True)
    edc.script.steps = ["drop-after"]
    with pytest.raises(Exception, match="no complete answer"):
        edc.push()
    edc.push(forgetful=True)
    assert edc.versions() == before


def test_a_corrected_value_changes_its_observation_and_no_other(edc: Pushing) -> None:
    edc.push()
    before = {coded(one): one["id"] for one in edc.edc.found("Observation")}
    corrected = evidence("ferritin", "6100", "ng/mL", laboratory="central")
    edc.push(stratum_evidence=(corrected,), facts=assessment().facts | {"ferritin": corrected})
    after = {coded(one): one for one in edc.edc.found("Observation")}
    assert {code: one["id"] for code, one in after.items()} == before
    assert after["2276-4"]["valueQuantity"]["value"] == 6100
    assert [one["meta"]["versionId"] for code, one in after.items() if code != "2276-4"] == ["1"] * (len(after) - 1)


def test_a_withdrawal_arrives_with_its_reason(edc: Pushing) -> None:
    edc.push()
    edc.push(DecisionEvent("withdrawn", "sofa-fell-below-2"), shown=False)
    assert edc.subject()["status"] == "ineligible"
    kinds = {one["activity"]["coding"][0]["code"]: one for one in edc.edc.found("Provenance")}
    assert kinds.keys() == {"CREATE", "NULLIFY"}
    assert coded({"code": kinds["NULLIFY"]["reason"][0]}) == "sofa-fell-below-2"


def test_what_a_person_set_at_the_edc_stays_whenever_they_set_it(edc: Pushing) -> None:
    edc.push()
    edc.script.steps = [lambda: edc.edited(status="on-study", period={"start": "2026-01-02", "end": "2026-02-01"})]
    edc.push(stratum="immunoparalysis")
    subject = edc.subject()
    assert (subject["status"], subject["period"]["end"]) == ("on-study", "2026-02-01")
    assert (asserted(subject)["stratum"], asserted(subject)["asserted-status"]) == ("immunoparalysis", "candidate")
    assert len([path for method, path, *_ in edc.script.seen if method == "POST"]) == 3


def test_two_subjects_of_one_number_are_never_picked_from(edc: Pushing) -> None:
    edc.push()
    twin = {key: value for key, value in edc.subject().items() if key not in ("id", "meta")}
    edc.edc.done("POST", "ResearchSubject", twin)
    with pytest.raises(RejectedError, match="more than one"):
        edc.push(forgetful=True)
    assert len(edc.edc.found("ResearchSubject", edc.number)) == 2


def test_a_subject_deleted_at_the_edc_is_a_persons_matter(edc: Pushing) -> None:
    edc.push()
    for one in edc.edc.found("Provenance"):
        edc.edc.delete("Provenance", one["id"])
    edc.edc.delete("ResearchSubject", edc.subject()["id"])
    with pytest.raises(RejectedError, match="deleted this subject"):
        edc.push()
