"""An EDC that was restored from a backup is found out and told again; one that lost nothing hears nothing."""

import asyncio
import copy
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.fhir.bundle import DecisionEvent, bundle_text, candidate_bundle
from adapter.fhir.codes import SCREENING_NUMBER
from adapter.pipeline.deliver import deliver_next
from adapter.pipeline.outgoing import Owed
from adapter.sinks.edc_fhir import Edc, EdcFhir
from adapter.standins.edc import create_edc
from adapter.standins.edc_store import EdcStore
from adapter.store import outbox
from tests import stores
from tests.assessments import CONTEXT, assessment, evidence
from tests.peers import Script, misbehaving, serving

Json = dict[str, Any]


@dataclass
class House:
    folder: Path
    stack: ExitStack
    now: datetime = datetime(2026, 1, 2, 10, tzinfo=UTC)
    store: EdcStore = field(default_factory=EdcStore)
    script: Script = field(default_factory=lambda: Script(only="POST"))

    def __post_init__(self) -> None:
        self.database = stores.opened(self.folder)
        self.stack.callback(self.database.close)
        base = self.stack.enter_context(
            misbehaving(self.stack.enter_context(serving(create_edc(self.store))), self.script)
        )
        self.sink = EdcFhir(Edc(base), lambda: self.now)

    def owe(self, number: str, key: str = "", **changes: Any) -> None:
        event = DecisionEvent("updated" if key else "raised")
        bundle = candidate_bundle(assessment(**changes), screening_id=number, context=CONTEXT, event=event)
        with self.database.write() as tx:
            outbox.add(tx, Owed("edc", number, "bundle", bundle_text(bundle), f"{number}{key}"), self.now)
        self.rounds()

    def rounds(self, number: int = 2) -> int:
        return sum(
            asyncio.run(deliver_next(self.database, {"edc": self.sink}, lambda: self.now)) for _ in range(number)
        )

    def tomorrow(self) -> int:
        """How many deliveries went out."""
        self.now += timedelta(days=1)
        return self.rounds()

    def held(self) -> dict[tuple[str, str], Json]:
        kept = copy.deepcopy(self.store.resources)
        return {key: {name: value for name, value in one.items() if name != "meta"} for key, one in kept.items()}

    def states(self) -> outbox.OutletCounts:
        with self.database.read() as conn:
            return outbox.counts(conn)["edc"]

    def searches(self) -> int:
        return sum(path.endswith("/_search") for _, path, *_ in self.script.seen)


@pytest.fixture
def house(each_store: str, tmp_path: Path) -> Iterator[House]:
    with ExitStack() as stack:
        yield House(tmp_path, stack)


def test_an_edc_that_has_everything_hears_nothing(house: House) -> None:
    house.owe("7Q2KX")
    house.owe("8B3LM")
    assert house.tomorrow() == 0
    assert house.searches() == 2
    house.rounds()
    assert house.searches() == 2, "once a day"
    assert all("7Q2KX" not in path for _, path, *_ in house.script.seen)


def test_a_backup_of_before_the_subject_was_there_is_told_again(house: House) -> None:
    house.owe("7Q2KX")
    backup = copy.deepcopy(house.store.resources)
    house.owe("8B3LM")
    before = house.held()
    house.store.resources = backup
    assert house.tomorrow() == 1
    assert {key for key in house.held() if key[0] != "ResearchSubject"} == {
        k for k in before if k[0] != "ResearchSubject"
    }
    assert len([key for key in house.held() if key[0] == "ResearchSubject"]) == 2
    assert house.tomorrow() == 0


@pytest.mark.parametrize(
    "change",
    [
        {"stratum": "immunoparalysis"},
        {"facts": assessment().facts | {"ferritin": (corrected := evidence("ferritin", "6100", "ng/mL"))}},
    ],
)
def test_a_backup_of_before_the_last_decision_is_told_again(house: House, change: Json) -> None:
    house.owe("7Q2KX")
    backup = copy.deepcopy(house.store.resources)
    house.owe("7Q2KX", "2", **change | {"at": assessment().at + timedelta(hours=1)})
    before = house.held()
    house.store.resources = backup
    assert house.tomorrow() == 1
    assert house.held() == before
    assert house.tomorrow() == 0


def test_what_a_person_changed_there_is_no_loss(house: House) -> None:
    house.owe("7Q2KX")
    (key,) = (key for key in house.store.resources if key[0] == "ResearchSubject")
    house.store.update(*key, house.store.resources[key] | {"status": "on-study"}, None)
    assert house.tomorrow() == 0


def test_an_edc_that_keeps_neither_tags_nor_extensions_is_not_told_every_day(house: House) -> None:
    house.owe("7Q2KX")
    for key, one in house.store.resources.items():
        house.store.resources[key] = {k: v for k, v in one.items() if k != "extension"} | {"meta": {"versionId": "1"}}
    assert house.tomorrow() == 0


def test_what_waits_or_was_refused_is_not_asked_about(house: House) -> None:
    house.owe("7Q2KX")
    house.script.steps = [422]
    house.owe("7Q2KX", "2", stratum="immunoparalysis")
    assert house.states().dead == 1
    house.store.resources.clear()
    assert house.tomorrow() == 0
    assert house.searches() == 0


NUMBER = {"system": SCREENING_NUMBER, "value": "7Q2KX"}
ODD = {"resourceType": "ResearchSubject", "identifier": [NUMBER], "extension": [7]}


def page(*entries: object) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entries}).encode()


@pytest.mark.parametrize(
    "answer",
    [503, 400, 404, (200, {}, b"<html>"), page({"resource": ODD})],
)
def test_an_edc_that_cannot_be_asked_is_asked_again_in_an_hour_and_deliveries_go_on(house: House, answer: Any) -> None:
    house.owe("7Q2KX")
    backup: dict[tuple[str, str], Json] = {}
    house.store.resources = backup
    house.script.steps = [answer]
    assert house.tomorrow() == 0
    house.now += timedelta(hours=1)
    assert house.rounds() == 1
    assert len(house.held()) == 9


def test_an_edc_whose_pages_are_short_has_lost_nothing_that_stands_on_the_next(house: House) -> None:
    for number in ("7Q2KX", "8B3LM", "9C4NP"):
        house.owe(number)
    (first,) = (one for one in house.store.search("ResearchSubject", f"identifier={SCREENING_NUMBER}|7Q2KX"))
    more = [{"relation": "next", "url": "https://edc.example/?page=2"}]
    short = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": first}], "link": more}
    house.script.steps = [(200, {}, json.dumps(short).encode())]
    assert house.tomorrow() == 0
    assert house.searches() == 6, "all together, then one by one and two at a time"
    house.store.resources.clear()
    assert house.tomorrow() == 3
