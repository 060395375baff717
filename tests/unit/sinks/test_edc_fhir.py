"""Delivery to a real HTTP receiver, behind a proxy that misbehaves."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from adapter.domain.message import Delivery, RemoteResource
from adapter.errors import ConfigError, RejectedError, UnavailableError
from adapter.fhir.bundle import bundle_text, candidate_bundle
from adapter.pipeline.authorize import Client, Fixed, Tokens
from adapter.pipeline.exchange import PAUSE, Limits, session
from adapter.sinks.edc_fhir import Edc, EdcFhir
from adapter.standins.edc import create_edc
from adapter.standins.edc_store import EdcStore
from tests.assessments import CONTEXT, assessment
from tests.fhir_server import running
from tests.peers import Script, misbehaving, serving

Json = dict[str, Any]
NOW = datetime(2026, 1, 2, 10, tzinfo=UTC)
LIMITS = Limits(connect=10, read=20, total=30, size=1024 * 1024)
HASTY = replace(LIMITS, read=1, total=2)
"""For a peer that hangs: all others have the time that a busy machine takes."""


def delivery(remote: RemoteResource | None = None, **changes: Any) -> Delivery:
    bundle = candidate_bundle(assessment(**changes), screening_id="7Q2KX", context=CONTEXT)
    return Delivery(1, "edc", "7Q2KX", "bundle", bundle_text(bundle), "key", remote=remote)


class Bench:
    """A receiver, the proxy before it and our sink."""

    def __init__(self, stack: ExitStack, able: tuple[str, ...] = ("transaction",)) -> None:
        self.store, self.script = EdcStore(), Script()
        self.direct = stack.enter_context(serving(create_edc(self.store, able=able)))
        self.base = stack.enter_context(misbehaving(self.direct, self.script))
        self.by(LIMITS)

    def by(self, limits: Limits) -> None:
        self.sink = EdcFhir(Edc(self.base, authorization=Fixed("Bearer t"), limits=limits), lambda: NOW)

    def deliver(self, given: Delivery) -> RemoteResource | None:
        return asyncio.run(self.sink.deliver(given))

    def held(self, kind: str) -> list[Json]:
        return [r for (k, _), r in self.store.resources.items() if k == kind]

    def subject(self) -> Json:
        (one,) = self.held("ResearchSubject")
        return one

    def by_a_person(self, **changes: Any) -> Callable[[], None]:
        def write() -> None:
            key = ("ResearchSubject", self.subject()["id"])
            self.store.update(*key, self.subject() | changes, None)

        return write


@pytest.fixture
def bench() -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(stack)


def test_a_token_is_fetched_sent_and_renewed_once_when_it_is_refused(bench: Bench) -> None:
    with running() as tokens:
        given = iter(["first", "second", "third"])
        tokens.token = lambda _form, _headers: (200, {"access_token": next(given), "expires_in": 300})
        client = Client("us", bench.base, f"{tokens.url}/token", ("system/Patient.cruds",), "secret")
        who = Tokens(client, session(), lambda: NOW, lambda _odd: None)
        bench.sink = EdcFhir(Edc(bench.base, who, limits=LIMITS), lambda: NOW)
        bench.script.steps = [401]
        bench.deliver(delivery())
        bench.script.steps = [401, 401]
        with pytest.raises(UnavailableError, match="401"):
            bench.deliver(delivery())
    sent = [headers["Authorization"] for method, _, headers, _ in bench.script.seen if method == "POST"]
    assert sent == ["Bearer first", "Bearer second", "Bearer second", "Bearer third"]


def test_a_bundle_arrives_and_the_edc_tells_its_own_id(bench: Bench) -> None:
    remote = bench.deliver(delivery())
    assert remote == RemoteResource(bench.subject()["id"], "1")
    assert len(bench.held("Observation")) == 5
    assert bench.script.seen[-1][2]["Authorization"] == "Bearer t"


def test_an_update_changes_the_same_subject(bench: Bench) -> None:
    remote = bench.deliver(delivery())
    again = bench.deliver(delivery(remote, status="consent-asked"))
    assert bench.subject()["status"] == "eligible"
    assert again == RemoteResource(bench.subject()["id"], "2")
    assert bench.subject()["individual"]["reference"].startswith("Patient/")


def test_commit_then_drop_has_no_second_effect(bench: Bench) -> None:
    bench.script.steps = ["drop-after"]
    with pytest.raises(UnavailableError):
        bench.deliver(delivery())
    before = json.dumps(bench.subject())
    assert bench.deliver(delivery()) is not None
    assert json.dumps(bench.subject()) == before
    assert len(bench.held("Provenance")) == 1
    assert len(bench.held("Observation")) == 5


@pytest.mark.parametrize("step", [408, 425, 429, 500, 502, 503, 504, "drop", "hang"])
def test_what_may_pass_is_tried_again_and_then_arrives(bench: Bench, step: Any) -> None:
    bench.script.steps = [step]
    bench.by(HASTY if step == "hang" else LIMITS)
    with pytest.raises(UnavailableError):
        bench.deliver(delivery())
    assert bench.store.resources == {}
    bench.by(LIMITS)
    assert bench.deliver(delivery()) is not None


def test_the_peers_wish_is_heard(bench: Bench) -> None:
    bench.script.steps = [
        (503, {"Retry-After": "120"}, b""),
        (429, {"Retry-After": "Fri, 02 Jan 2026 10:01:00 GMT"}, b""),
    ]
    for seconds in (120, 60):
        with pytest.raises(UnavailableError) as error:
            bench.deliver(delivery())
        assert error.value.retry_after == seconds


@pytest.mark.parametrize("status", [400, 410, 412, 422])
def test_a_no_is_a_dead_letter(bench: Bench, status: int) -> None:
    bench.script.steps = [status]
    with pytest.raises(RejectedError, match=str(status)):
        bench.deliver(delivery())


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404])
def test_a_locked_or_moved_door_pauses_and_loses_nothing(bench: Bench, status: int) -> None:
    bench.script.steps = [(status, {"Location": "http://127.0.0.1:1/"}, b"")]
    with pytest.raises(UnavailableError) as error:
        bench.deliver(delivery())
    assert error.value.retry_after == PAUSE
    assert [seen[0] for seen in bench.script.seen] == ["GET", "POST"]


@pytest.mark.parametrize(
    "body",
    [b"<html>log in</html>", b'{"a": NaN}', b"[" * 100_000, b'{"resourceType": "Bundle"}', b"", b"x" * 2_000_000],
)
def test_an_answer_that_is_no_answer_is_tried_again(bench: Bench, body: bytes) -> None:
    bench.script.steps = [(200, {"Content-Type": "application/fhir+json"}, body)]
    with pytest.raises(UnavailableError):
        bench.deliver(delivery())


def test_a_refused_bundle_names_the_issue_and_repeats_nothing_the_edc_said(bench: Bench) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"code": "required", "diagnostics": "Piet Jansen"}]}
    bench.script.steps = [(422, {}, json.dumps(outcome).encode())]
    with pytest.raises(RejectedError, match="required") as error:
        bench.deliver(delivery())
    assert "Jansen" not in str(error.value)


def test_one_refused_entry_of_a_mixed_answer_refuses_the_delivery(bench: Bench) -> None:
    bad = json.loads(delivery().payload)
    answer = [{"response": {"status": "201 Created"}}] * (len(bad["entry"]) - 1) + [{"response": {"status": "422"}}]
    body = {"resourceType": "Bundle", "type": "batch-response", "entry": answer}
    bench.script.steps = [(200, {}, json.dumps(body).encode())]
    with pytest.raises(RejectedError, match=f"entry {len(answer)}"):
        bench.deliver(delivery())


@pytest.mark.parametrize(
    ("severity", "note"), [("warning", "delivered, with warnings (code-invalid)"), ("information", "")]
)
def test_what_an_edc_warns_of_beside_success_is_noted_by_its_codes(bench: Bench, severity: str, note: str) -> None:
    issue = [{"severity": severity, "code": "code-invalid", "diagnostics": "of Piet Jansen"}]
    outcome = {"resourceType": "OperationOutcome", "issue": issue}
    made = {"status": "201", "location": "ResearchSubject/7/_history/1", "outcome": outcome}
    number = len(json.loads(delivery().payload)["entry"])
    body = {"resourceType": "Bundle", "type": "transaction-response", "entry": [{"response": made}] * number}
    bench.script.steps = [(200, {}, json.dumps(body).encode())]
    remote = bench.deliver(delivery())
    assert remote is not None
    assert (remote.id, remote.note) == ("7", note)


@pytest.mark.parametrize(
    "outcome", ["delivered", ["x"], {"resourceType": "OperationOutcome", "issue": [{"severity": ["warning"]}, "x"]}]
)
def test_an_outcome_that_is_none_beside_success_changes_nothing(bench: Bench, outcome: Any) -> None:
    made = {"status": "201", "location": "ResearchSubject/7/_history/1", "outcome": outcome}
    number = len(json.loads(delivery().payload)["entry"])
    body = {"resourceType": "Bundle", "type": "transaction-response", "entry": [{"response": made}] * number}
    bench.script.steps = [(200, {}, json.dumps(body).encode())]
    assert bench.deliver(delivery()) == RemoteResource("7", "1")


def test_what_a_person_set_at_the_edc_stays(bench: Bench) -> None:
    remote = bench.deliver(delivery())
    consent = {"reference": "ResearchStudy/c"}
    bench.by_a_person(status="on-study", period={"start": "2026-01-05"}, consent=consent)()
    bench.deliver(delivery(remote, stratum="unclassified", status="consent-asked"))
    held = bench.subject()
    assert (held["status"], held["period"], held["consent"]) == ("on-study", {"start": "2026-01-05"}, consent)
    assert "unclassified" in json.dumps(held["extension"])
    bench.deliver(delivery(bench.deliver(delivery(remote)), status="consented"))
    assert bench.subject()["status"] == "on-study"


def test_a_person_who_writes_between_our_reading_and_writing_wins(bench: Bench) -> None:
    remote = bench.deliver(delivery())
    bench.script.steps = [bench.by_a_person(status="screening")]
    bench.deliver(delivery(remote, status="consent-asked", certainty="possible"))
    assert bench.subject()["status"] == "screening"
    assert [seen[0] for seen in bench.script.seen[-4:]] == ["GET", "POST", "GET", "POST"]
    assert len(bench.held("ResearchSubject")) == 1


def test_a_subject_that_never_rests_is_left_for_later(bench: Bench) -> None:
    remote = bench.deliver(delivery())
    bench.script.steps = [bench.by_a_person(period={"start": f"2026-01-0{n}"}) for n in (1, 2, 3)]
    with pytest.raises(UnavailableError):
        bench.deliver(delivery(remote, status="consent-asked"))


@pytest.mark.parametrize("status", [409, 412])
def test_a_conflict_that_is_no_race_is_a_dead_letter(bench: Bench, status: int) -> None:
    remote = bench.deliver(delivery())
    bench.script.steps = [status] * 3
    with pytest.raises(RejectedError):
        bench.deliver(delivery(remote, status="consent-asked"))


def test_several_subjects_of_one_number_are_never_picked_from(bench: Bench) -> None:
    bench.deliver(delivery())
    twin = bench.subject() | {"id": "twin"}
    bench.store.resources["ResearchSubject", "twin"] = twin
    with pytest.raises(RejectedError, match="more than one"):
        bench.deliver(delivery())


def test_a_subject_somebody_else_entered_keeps_their_status_and_gets_our_finding(bench: Bench) -> None:
    bench.deliver(delivery())
    theirs = {k: v for k, v in bench.subject().items() if k != "extension"} | {"status": "screening"}
    bench.store.resources["ResearchSubject", theirs["id"]] = theirs
    bench.deliver(delivery())
    assert bench.subject()["status"] == "screening"
    assert "mals" in json.dumps(bench.subject()["extension"])


def test_an_edc_restored_from_yesterday_gets_the_subject_again(bench: Bench) -> None:
    remote = bench.deliver(delivery())
    bench.store.resources.clear()
    assert bench.deliver(delivery(remote)) is not None
    assert bench.subject()["status"] == "candidate"


class Reticent(EdcStore):
    """It answers without saying where it put anything."""

    def transaction(self, bundle: Json) -> Json:
        reply = super().transaction(bundle)
        for entry in reply["entry"]:
            entry["response"].pop("location", None)
        return reply


def reticent(stack: ExitStack) -> Bench:
    bench = Bench(stack)
    bench.store = Reticent()
    bench.direct = stack.enter_context(serving(create_edc(bench.store)))
    bench.base = stack.enter_context(misbehaving(bench.direct, bench.script))
    bench.by(LIMITS)
    return bench


def test_an_edc_that_does_not_say_where_it_put_the_subject_is_asked_for_it_by_its_number() -> None:
    with ExitStack() as stack:
        bench = reticent(stack)
        assert bench.deliver(delivery()) is None
        remote = bench.deliver(delivery(status="declined"))
        assert bench.subject()["status"] == "not-registered"
        assert remote is not None
        assert remote.id == bench.subject()["id"]
        assert all("7Q2KX" not in path for _, path, *_ in bench.script.seen)


@pytest.mark.parametrize(
    ("found", "error"),
    [([], UnavailableError), (["a", "b"], RejectedError), (["../Patient"], UnavailableError), ([{}], UnavailableError)],
)
def test_a_subject_that_is_found_in_no_one_place_is_not_taken_for_told(
    found: list[Any], error: type[Exception]
) -> None:
    with ExitStack() as stack:
        bench = reticent(stack)
        bench.deliver(delivery())
        identifier = bench.subject()["identifier"]
        entries = [
            {"resource": {"resourceType": "ResearchSubject", "id": one, "identifier": identifier}} for one in found
        ]
        page = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
        bench.script.steps = [None, (200, {}, json.dumps(page).encode())]
        with pytest.raises(error, match=r"location|more than one"):
            bench.deliver(delivery(status="declined"))


def test_an_id_that_names_another_subject_now_is_never_written_to(bench: Bench) -> None:
    remote = bench.deliver(delivery())
    bench.subject()["identifier"][0]["value"] = "OTHER"
    with pytest.raises(RejectedError, match="another screening number"):
        bench.deliver(delivery(remote))


@pytest.mark.parametrize(
    ("says", "method"),
    [({"conditionalUpdate": True}, "PUT"), ({"conditionalCreate": True}, "POST"), ({"updateCreate": True}, "PUT")],
)
def test_an_edc_that_gives_ids_of_its_own_is_asked_conditionally(bench: Bench, says: Json, method: str) -> None:
    kinds = ("Patient", "Device", "Observation", "Provenance", "ResearchSubject")
    statement = {"resourceType": "CapabilityStatement", "rest": [{"resource": [{"type": k, **says} for k in kinds]}]}
    bench.script.only, bench.script.steps = "GET", [(200, {}, json.dumps(statement).encode())]
    bench.deliver(delivery())
    bench.deliver(delivery())
    assert len(bench.held("Observation")) == 5
    assert len(bench.held("Device")) == 1
    sent = json.loads(bench.script.seen[1][3])["entry"]
    assert {e["request"]["method"] for e in sent if e["resource"]["resourceType"] == "Observation"} == {method}
    own_ids = all(r["id"].startswith("edc-") for r in bench.held("Observation"))
    assert own_ids == ("updateCreate" not in says)


def test_a_slow_drip_is_not_waited_for(bench: Bench) -> None:
    async def drip(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(20):
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
            await asyncio.sleep(0.1)

    with serving(drip) as base:
        sink = EdcFhir(Edc(base, limits=replace(LIMITS, total=0.5)), lambda: NOW)
        started = time.monotonic()
        with pytest.raises(UnavailableError, match="too long"):
            asyncio.run(sink.deliver(delivery()))
        assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "base", ["ftp://edc", "http://edc.example", "https://user:pw@edc.example", "https://edc.example?x=1", "edc.example"]
)
def test_a_base_that_is_unsafe_or_unclear_is_refused_at_start(base: str) -> None:
    with pytest.raises(ConfigError):
        EdcFhir(Edc(base), lambda: NOW)


def test_an_edc_that_is_not_there_is_tried_again() -> None:
    sink = EdcFhir(Edc("http://127.0.0.1:9", limits=LIMITS), lambda: NOW)
    with pytest.raises(UnavailableError):
        asyncio.run(sink.deliver(delivery()))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((410, {}, b""), RejectedError),
        ((503, {}, b""), UnavailableError),
        ((200, {}, b"<html>"), UnavailableError),
    ],
)
def test_a_subject_that_cannot_be_read_is_not_written(bench: Bench, answer: Any, error: type[Exception]) -> None:
    remote = bench.deliver(delivery())
    bench.script.only, bench.script.steps = "GET", [answer]
    sent = len(bench.script.seen)
    with pytest.raises(error):
        bench.deliver(delivery(remote, status="consent-asked"))
    assert [seen[0] for seen in bench.script.seen[sent:]] == ["GET"]


def test_an_edc_that_will_not_say_what_it_can_is_asked_again_later(bench: Bench) -> None:
    bench.script.only, bench.script.steps = "GET", [503, 404]
    with pytest.raises(UnavailableError):
        bench.deliver(delivery())
    assert bench.deliver(delivery()) is not None


def test_while_a_request_hangs_no_other_overtakes_it(bench: Bench) -> None:
    bench.script.steps = ["hang"]
    bench.by(HASTY)

    async def both() -> list[Any]:
        return await asyncio.gather(*(bench.sink.deliver(delivery()) for _ in range(2)), return_exceptions=True)

    assert all(isinstance(result, UnavailableError) for result in asyncio.run(both()))
    assert [seen[0] for seen in bench.script.seen] == ["GET", "POST"]
