"""EDCs without transactions, or with a limit: the same resources, in waves, each entry with its own outcome."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from adapter.errors import RejectedError, UnavailableError
from adapter.sinks.edc_requests import Manner, abilities
from adapter.sinks.edc_waves import waves
from adapter.standins.edc import statement
from tests.unit.sinks.test_edc_fhir import Bench, delivery

Json = dict[str, Any]


def without_transactions(*able: str) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(stack, able)


@pytest.fixture
def batches() -> Iterator[Bench]:
    yield from without_transactions("batch")


@pytest.fixture
def singles() -> Iterator[Bench]:
    yield from without_transactions()


@pytest.fixture
def whole() -> Iterator[Bench]:
    yield from without_transactions("transaction")


def essence(bench: Bench) -> set[str]:
    """What is held, without versions and the EDC's own ids."""
    held = [one | {"meta": one.get("meta", {}).get("tag")} for one in bench.store.resources.values()]
    return {json.dumps(one, sort_keys=True).replace(bench.subject()["id"], "SUBJECT") for one in held}


def posts(bench: Bench) -> list[tuple[str, str]]:
    return [(method, path.split("/")[1]) for method, path, *_ in bench.script.seen if method != "GET"]


def test_in_batches_and_one_by_one_the_same_arrives(batches: Bench, singles: Bench, whole: Bench) -> None:
    for bench in (batches, singles, whole):
        bench.deliver(delivery())
    assert essence(batches) == essence(singles) == essence(whole)
    assert len(posts(whole)) == 1
    assert posts(batches) == [
        ("POST", ""),
        ("POST", "ResearchSubject"),
        ("POST", ""),
        ("PUT", "Observation"),
        ("PUT", "Provenance"),
    ]
    assert [path for _, path in posts(singles)] == [
        *["Patient", "Device", "ResearchSubject"],
        *["Observation"] * 5,
        "Provenance",
    ]


@pytest.mark.parametrize("able", ["batches", "singles"])
def test_sent_again_there_is_no_second_of_anything(able: str, request: pytest.FixtureRequest) -> None:
    bench: Bench = request.getfixturevalue(able)
    remote = bench.deliver(delivery())
    before = bench.store.resources.keys()
    bench.deliver(delivery())
    again = bench.deliver(delivery(remote, stratum="immunoparalysis"))
    assert bench.store.resources.keys() == before
    assert again is not None
    assert (again.id, again.version) == (bench.subject()["id"], "2")


def test_a_transaction_over_the_edc_s_limit_is_split_and_keeps_its_ids(whole: Bench) -> None:
    whole.script.steps = [413]
    whole.deliver(delivery())
    keys = whole.store.resources.keys()
    whole.deliver(delivery())
    assert (len(posts(whole)), whole.store.resources.keys()) == (1 + 9 + 1, keys)


def test_a_resource_over_the_limit_by_itself_is_a_dead_letter(whole: Bench) -> None:
    whole.script.steps = [413, 413]
    with pytest.raises(RejectedError, match="413"):
        whole.deliver(delivery())


def test_a_batch_over_the_limit_is_sent_one_by_one(batches: Bench) -> None:
    batches.script.steps = [413]
    batches.deliver(delivery())
    assert [path for _, path in posts(batches)][:4] == ["", "Patient", "Device", "ResearchSubject"]


@pytest.mark.parametrize(("status", "error"), [("422", RejectedError), ("503", UnavailableError)])
def test_an_entry_of_a_batch_that_is_refused_is_named_and_the_rest_comes_again(
    batches: Bench, status: str, error: type[Exception]
) -> None:
    issue = [{"severity": "error", "code": "business-rule", "diagnostics": "MRN 4711"}]
    outcome = {"status": status, "outcome": {"resourceType": "OperationOutcome", "issue": issue}}
    answer = [{"response": {"status": "201", "location": "Patient/x"}}, {"response": outcome}]
    body = {"resourceType": "Bundle", "type": "batch-response", "entry": answer}
    batches.script.steps = [(200, {}, json.dumps(body).encode())]
    with pytest.raises(error, match=r"\(business-rule\), at entry 2") as said:
        batches.deliver(delivery())
    assert "4711" not in str(said.value)
    batches.deliver(delivery())
    assert len(batches.store.resources) == 9


def test_a_person_who_writes_between_our_reading_and_writing_wins_here_too(singles: Bench) -> None:
    remote = singles.deliver(delivery())
    singles.script.only = "PUT"
    singles.script.steps = [singles.by_a_person(status="on-study")]
    singles.deliver(delivery(remote, stratum="immunoparalysis"))
    assert singles.subject()["status"] == "on-study"


def said(*codes: str, **resource: Any) -> Json:
    return {"rest": [{"interaction": [{"code": code} for code in codes], "resource": [resource] if resource else []}]}


@pytest.mark.parametrize(
    ("told", "manner"),
    [
        (None, Manner.TRANSACTION),
        ({"rest": "?"}, Manner.TRANSACTION),
        (said(), Manner.TRANSACTION),
        (said("batch", "transaction"), Manner.TRANSACTION),
        (said("batch"), Manner.BATCH),
        (said("history-system", type="Patient", interaction=[{"code": "update"}]), Manner.INDIVIDUAL),
        (statement(()), Manner.INDIVIDUAL),
    ],
)
def test_an_edc_is_asked_as_it_says_it_can_be(told: Json | None, manner: Manner) -> None:
    assert abilities(told).manner is manner


def test_what_is_referred_to_goes_before_what_refers_to_it() -> None:
    entries = json.loads(delivery().payload)["entry"]
    seen: set[str] = set()
    for wave in waves(entries):
        for number in wave:
            wanted = {
                part for part in json.dumps(entries[number]["resource"]).split('"') if part.startswith("urn:uuid:")
            }
            assert wanted <= seen
        seen |= {entries[number]["fullUrl"] for number in wave}
    assert len(seen) == len(entries)
