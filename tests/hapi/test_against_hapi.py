"""HAPI FHIR, and Medplum's router, as the trial's EDC and as the hospital's server: what others' servers make of us."""

import asyncio
import json
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from adapter.daemon.clock import utc_now
from adapter.domain.message import Delivery, RemoteResource
from adapter.errors import RejectedError
from adapter.fhir.bundle import DecisionEvent, bundle_text, candidate_bundle
from adapter.fhir.codes import SCREENING_NUMBER
from adapter.sinks.edc_fhir import Edc, EdcFhir
from adapter.sinks.edc_requests import Manner
from adapter.sources.fhir_crawl import Crawl, Desk
from tests.assessments import CONTEXT, assessment, evidence
from tests.fhir_server import FhirServer, observation, patient
from tests.hapi import synthea
from tests.hapi.ends import (
    POLLED,
    PUSHED,
    Worklist,
    asserted,
    coded,
    current,
    named,
    polled,
    pushed,
    read,
    settled,
    values,
)
from tests.hapi.hospital import Hospital, story
from tests.hapi.server import Peer, Servers, hapi
from tests.hapi.stays import Charts, End, furnished
from tests.icu.resources import resources
from tests.icu.window import running
from tests.installation import Installation, tell, until
from tests.medplum.server import Medplum, medplum
from tests.peers import Script, misbehaving
from tests.polling import bench

__all__ = ["hapi", "medplum"]
Json = dict[str, Any]
DIFFER = {
    Servers: {
        "version": True,
        "again": True,
        "page": True,
        "entry": True,
        "link": False,
        "unknown": 400,
        "stale": 409,
        "deleted": 410,
    },
    Medplum: {
        "version": False,
        "again": False,
        "page": False,
        "entry": False,
        "link": True,
        "unknown": 200,
        "stale": 412,
        "deleted": 404,
    },
}
COUNTS = {"Patient": 1, "ResearchSubject": 1, "Observation": 5, "Device": 1, "Provenance": 1}

# --- as they are -----------------------------------------------------------------------------------------------------


def test_in_what_the_two_differ(other: Servers | Medplum) -> None:
    """What the tables of docs/fhir-polling.md and docs/edc/exchange.md say."""
    peer, body = other.another("bare"), {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    named = body | {"id": f"{peer.mark}-o1"}
    first, again = peer.put(named), peer.put(named)
    for number in range(2, 5):
        peer.put(body | {"id": f"{peer.mark}-o{number}"})
    page = peer.done("GET", "Observation?_count=2&_sort=_lastUpdated")
    link = next(one["url"] for one in page["link"] if one["relation"] == "next")
    unknown = peer.send("GET", "Observation?of-nobody=1")
    peer.put(named | {"status": "amended"})
    before = {"If-Match": f'W/"{first["meta"]["versionId"]}"'}
    stale = peer.send("PUT", f"Observation/{named['id']}", named, **before)
    peer.delete("Observation", named["id"])
    found = {
        "version": first["meta"]["versionId"].isdigit(),
        "again": first["meta"]["versionId"] == again["meta"]["versionId"],
        "page": {"meta", "id"} <= page.keys(),
        "entry": {"fullUrl", "search"} <= page["entry"][0].keys(),
        "link": "_offset=2" in link,
        "unknown": unknown.status_code,
        "stale": stale.status_code,
        "deleted": peer.send("GET", f"Observation/{named['id']}").status_code,
    }
    assert found == DIFFER[type(other)]


# --- as the EDC ------------------------------------------------------------------------------------------------------


@dataclass
class Pushing:
    edc: Peer
    base: str
    script: Script
    renews: bool = False
    """The server makes a new version of a resource that is written again as it was."""
    sink: EdcFhir = field(init=False)
    remote: RemoteResource | None = None

    def __post_init__(self) -> None:
        self.sink = EdcFhir(Edc(self.base), utc_now)

    def push(self, event: DecisionEvent | None = None, *, forgetful: bool = False, **changes: Any) -> Delivery:
        """`forgetful`: as if the answer to what went before had been lost."""
        context = replace(CONTEXT, secret=self.edc.mark.encode())
        bundle = candidate_bundle(assessment(**changes), screening_id=self.edc.mark, context=context, event=event)
        remote = None if forgetful else self.remote
        delivery = Delivery(1, "edc", self.edc.mark, "bundle", bundle_text(bundle), "key", remote=remote)
        self.remote = asyncio.run(self.sink.deliver(delivery))
        return delivery

    def lost(self, *sent: Delivery) -> list[int]:
        return list(asyncio.run(self.sink.lost(sent)))

    @property
    def number(self) -> str:
        return f"identifier={SCREENING_NUMBER}|{self.edc.mark}"

    def held(self) -> dict[str, dict[str, str]]:
        """Of each type by id the version; where that does not tell, what it says."""
        return {kind: {one["id"]: self.state(one) for one in self.edc.found(kind)} for kind in PUSHED}

    def state(self, one: Json) -> str:
        told = {key: value for key, value in one.items() if key != "meta"}
        return json.dumps(told, sort_keys=True) if self.renews else str(one["meta"]["versionId"])

    def subject(self) -> Json:
        (one,) = self.edc.found("ResearchSubject", self.number)
        return one

    def edited(self, **changes: Any) -> None:
        """By a person at the EDC."""
        self.edc.put(self.subject() | changes)


@pytest.fixture(params=["hapi", "medplum"])
def other(request: pytest.FixtureRequest) -> Servers | Medplum:
    """A server that others wrote."""
    made: Servers | Medplum = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def edc(other: Servers | Medplum) -> Iterator[Pushing]:
    peer, script = other.another("edc"), Script()
    parts = urlsplit(peer.base)
    with misbehaving(f"{parts.scheme}://{parts.netloc}", script) as proxy:
        yield Pushing(peer, f"{proxy}{parts.path}", script, renews=isinstance(other, Medplum))


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
    before = edc.held()
    edc.push()
    edc.push(forgetful=True)
    edc.script.steps = ["drop-after"]
    with pytest.raises(Exception, match="no complete answer"):
        edc.push()
    edc.push(forgetful=True)
    assert edc.held() == before


def test_a_corrected_value_changes_its_observation_and_no_other(edc: Pushing) -> None:
    edc.push()
    before = {coded(one): (one["id"], edc.state(one)) for one in edc.edc.found("Observation")}
    corrected = evidence("ferritin", "6100", "ng/mL", laboratory="central")
    edc.push(stratum_evidence=(corrected,), facts=assessment().facts | {"ferritin": corrected})
    after = {coded(one): one for one in edc.edc.found("Observation")}
    assert {code: one["id"] for code, one in after.items()} == {code: name for code, (name, _) in before.items()}
    assert after["2276-4"]["valueQuantity"]["value"] == 6100
    assert [code for code, one in after.items() if edc.state(one) != before[code][1]] == ["2276-4"]


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


@pytest.mark.parametrize("manner", [Manner.BATCH, Manner.INDIVIDUAL, Manner.TRANSACTION])
def test_in_batches_one_by_one_and_split_the_same_arrives(edc: Pushing, manner: Manner) -> None:
    """A transaction is refused once as too long."""
    edc.sink = EdcFhir(Edc(edc.base, manner=manner), utc_now)
    edc.script.steps = [413] if manner is Manner.TRANSACTION else []
    edc.push()
    before = edc.held()
    assert {kind: len(found) for kind, found in before.items()} == COUNTS
    (patient,) = before["Patient"]
    (sofa,) = edc.edc.found("Observation", f"code=http://loinc.org|96790-1&subject=Patient/{patient}")
    assert {one["reference"] for one in sofa["derivedFrom"]} < {f"Observation/{one}" for one in before["Observation"]}
    edc.push()
    edc.sink = EdcFhir(Edc(edc.base), utc_now)
    edc.push()
    assert edc.held() == before


def test_what_the_edc_holds_no_more_is_found_by_asking_it(edc: Pushing) -> None:
    first = edc.push()
    assert edc.lost(first) == []
    edc.edited(status="on-study")
    assert edc.lost(first) == []
    second = edc.push(DecisionEvent("updated"), stratum="immunoparalysis", at=assessment().at + timedelta(hours=1))
    assert (edc.lost(first), edc.lost(second)) == ([1], [])
    (newest,) = (one for one in edc.edc.found("Provenance") if one["activity"]["coding"][0]["code"] == "UPDATE")
    edc.edc.delete("Provenance", newest["id"])
    assert edc.lost(second) == [1]


def deleted(edc: Pushing) -> None:
    for one in edc.edc.found("Provenance"):
        edc.edc.delete("Provenance", one["id"])
    edc.edc.delete("ResearchSubject", edc.subject()["id"])


@pytest.mark.parametrize("other", ["hapi"], indirect=True)
def test_a_subject_deleted_at_the_edc_is_a_persons_matter(edc: Pushing) -> None:
    edc.push()
    deleted(edc)
    with pytest.raises(RejectedError, match="deleted this subject"):
        edc.push()


@pytest.mark.parametrize("other", ["medplum"], indirect=True)
def test_what_a_server_forgets_to_have_deleted_is_told_again(edc: Pushing) -> None:
    """Medplum's store in memory answers 404, as an EDC does that was restored from a backup."""
    first = edc.push()
    deleted(edc)
    assert edc.lost(first) == [1]
    edc.push()
    assert edc.subject()["status"] == "candidate"


def test_a_server_that_takes_no_transaction_as_long_as_ours_is_sent_batches(medplum: Medplum) -> None:
    """Medplum's transactions, once its operator has them on, hold eight entries at most where one is conditional."""
    peer = medplum.another("edc", strict=True)
    refused, edc = Pushing(peer, peer.base, Script()), Pushing(peer, peer.base, Script(), renews=True)
    with pytest.raises(RejectedError, match=r"\(invalid\) answered HTTP 400"):
        refused.push()
    assert not any(edc.held().values())
    edc.sink = EdcFhir(Edc(peer.base, manner=Manner.BATCH), utc_now)
    edc.push()
    before = edc.held()
    assert {kind: len(found) for kind, found in before.items()} == COUNTS
    edc.push()
    assert edc.held() == before


# --- as the hospital's -----------------------------------------------------------------------------------------------


@pytest.fixture
def houses(other: Servers | Medplum, tmp_path: Path) -> Iterator[tuple[Installation, Installation, Hospital]]:
    server = other.another("hospital")
    polling, listening = Installation(tmp_path / "fhir", polled(server)), Installation(tmp_path / "hl7", "")
    try:
        yield polling, listening, Hospital(server, utc_now().replace(microsecond=0) - timedelta(hours=3))
    finally:
        polling.end()
        listening.end()


def test_a_story_read_from_the_server_ends_in_the_worklist_of_hl7_v2(
    houses: tuple[Installation, Installation, Hospital],
) -> None:
    polling, listening, hospital = houses
    listening.start()
    polling.start()
    sent, ends = 0, []
    with closing(Worklist(polling)) as found, closing(Worklist(listening)) as wanted:
        for chapter in story(hospital):
            assert all(b"|AA|" in tell(listening.mllp, body) for body in chapter.messages)
            listening.settled(sent := sent + len(chapter.messages))
            chapter.tell()
            until(lambda: found() == wanted())
            ends.append([f"{one['who'][0]} {one['verdict'][0]}" for one in wanted() if one["verdict"][3]])
    assert ends == [["100 candidate", "200 candidate"]] * 2 + [["100 candidate"]] * 4
    assert polling.stop() == listening.stop() == 0


def test_what_changes_between_two_pages_moves_nothing_past_us(medplum: Medplum, tmp_path: Path) -> None:
    """Its pages are counted from the beginning of what it finds when it is asked; HAPI's are of the first moment."""
    peer = medplum.another("hospital")
    for one in (patient(), *(observation(f"o{n:03}") for n in range(12))):
        peer.put(one)
    asked = 0

    def stopped() -> bool:
        nonlocal asked
        asked += 1
        if asked == 5:  # the Patients, and the first four results
            peer.put(observation("o000", "90"))
        return False

    with bench(FhirServer(now=utc_now()), tmp_path, base=peer.base, count=4, overlap=timedelta(0)) as polled:
        desk = Desk(polled.store, polled.database, utc_now)
        polled.poller.round(Crawl(polled.server, polled.client(), desk, polled.tally, stopped))
        held = {(one["id"], one["meta"]["versionId"]) for one in peer.found("Observation")}
        assert held <= set(polled.stored())


# --- as both ---------------------------------------------------------------------------------------------------------


def test_from_the_hospital_s_server_to_the_edc_s_killed_in_between_nothing_is_lost_or_doubled(
    other: Servers | Medplum, tmp_path: Path
) -> None:
    hospital = Hospital(other.another("hospital"), utc_now().replace(microsecond=0) - timedelta(hours=3))
    edc, chance = other.another("edc"), random.Random(7)
    place = Installation(tmp_path / "house", polled(hospital.server) + pushed(edc))
    try:
        for chapter in story(hospital)[:4]:
            chapter.tell()
            place.start()
            time.sleep(chance.uniform(0, 1.5))
            place.stop(signal.SIGKILL)
        place.start()
        until(lambda: sorted(one["status"] for one in edc.found("ResearchSubject")) == ["candidate", "ineligible"])
        until(lambda: settled(place) and place.owes_nothing())
        assert place.stop() == 0
    finally:
        place.end()
    assert current(hospital.server) <= read(place)
    assert set(Counter(named(edc)).values()) == {1}
    told = {one["status"]: (asserted(one)["verdict"], asserted(one)["stratum"]) for one in edc.found("ResearchSubject")}
    assert told == {"candidate": ("candidate", "mals"), "ineligible": ("incomplete", "mals")}
    assert values(edc, "2160-0") == [("0.9", "corrected"), ("1.9", "final")]


@pytest.mark.timeout(3600)  # all stays, in `make torture`
def test_stays_of_an_icu_end_at_the_edc_as_they_do_by_hl7_v2(hapi: Servers, tmp_path: Path, shared_data: Path) -> None:
    """MIMIC's stays and Synthea's people polled from HAPI, the daemon killed in between, and pushed to HAPI."""
    tables = running(shared_data / "icu" / "mimic-iv-demo", utc_now().replace(microsecond=0))
    patience = 60 + 15 * len(tables.chosen)
    hospital, practice, edc, beside = (hapi.another(name) for name in ("hospital", "practice", "edc", "edc"))
    sources = polled(hospital, site="mimic", page=200, reconcile="24 h") + polled(practice, name="gp", page=200)
    listening = furnished(Installation(tmp_path / "hl7", pushed(beside)))
    polling = furnished(Installation(tmp_path / "fhir", sources + pushed(edc)))
    try:
        listening.start()
        listen(listening, [one.body for one in tables.told()])
        practice.put_all(synthea.resources(shared_data / synthea.FOLDER, POLLED, 2))
        fill(hospital, resources(tables), polling, random.Random(7))
        polling.start()
        until(lambda: settled(polling) and settled(polling, "gp"), patience)
        ends = [End.of(polling, edc), End.of(listening, beside)]
        until(lambda: same(*ends), patience)
        for place, peer in (("ehr", hospital), ("gp", practice)):
            assert current(peer) <= read(polling, place)
        agree(*ends, Charts(tables))
        assert polling.stop() == listening.stop() == 0
    finally:
        polling.end()
        listening.end()


def listen(place: Installation, bodies: list[bytes]) -> None:
    for start in range(0, len(bodies), 100):
        some = bodies[start : start + 100]
        assert tell(place.mllp, *some).count(b"|AA|") == len(some)
    place.settled(len(bodies), 600)


def fill(hospital: Peer, held: list[Json], place: Installation, chance: random.Random) -> None:
    """Part by part, while the daemon reads and is killed."""
    part = -(-len(held) // 3)
    for start in range(0, len(held), part):
        hospital.put_all(held[start : start + part])
        place.start()
        time.sleep(chance.uniform(0, 2))
        place.stop(signal.SIGKILL)


def same(polling: End, listening: End) -> bool:
    """Both houses believe the same, and have told it."""
    return (
        polling.worklist() == listening.worklist() and polling.place.owes_nothing() and listening.place.owes_nothing()
    )


def agree(polling: End, listening: End, charts: Charts) -> None:
    """Both EDCs hold what the worklist says, all of it and once, and no value that was not charted.

    An EDC is told of decisions, each with the score of its moment (ADR 18), and what comes afterwards and changes no decision
    is not told: the two syntaxes bring a stay in another order, so that scores are the same where they rest on the same values.
    """
    shown, told, wanted = polling.worklist(), polling.told(), listening.told()
    assert told.keys() == wanted.keys() == shown.keys()
    assert len(told) >= 3
    for end in (polling, listening):
        assert set(Counter(named(end.edc)).values()) == {1}
        assert len(end.edc.found("ResearchSubject")) == len(shown)
    for who, one in told.items():
        verdict, certainty, stratum, _, deadline = shown[who]["verdict"]
        assert one.verdict() == wanted[who].verdict() == (verdict, certainty, stratum, deadline)
        assert [value for value in one.ever + wanted[who].ever if not charts.hold(who, value)] == []
    alike = [who for who, one in told.items() if one.inputs == wanted[who].inputs]
    assert [who for who in alike if told[who].organs() != wanted[who].organs()] == []
    assert any(told[who].organs() == charts.organs(who, told[who].at) for who in alike)
