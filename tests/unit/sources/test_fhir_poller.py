"""Round after round before a strict server: what is asked, what is stored, and where the bookmark stands."""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from adapter.fhir.search import MANNERS, Bookmark
from adapter.sources import fhir_reconcile
from tests.fhir_server import START, FhirServer, first, observation, patient, running, says
from tests.polling import Bench, bench, until


@pytest.fixture
def fhir() -> Iterator[FhirServer]:
    with running() as server:
        server.put(patient())
        yield server


@pytest.fixture
def polled(fhir: FhirServer, tmp_path: Path) -> Iterator[Bench]:
    with bench(fhir, tmp_path) as made:
        yield made


def fill(fhir: FhirServer, number: int, start: int = 0) -> None:
    for n in range(start, start + number):
        fhir.later(seconds=1)
        fhir.put(observation(f"o{n:03}"))


def test_everything_is_stored_once_page_by_page_and_asked_for_again_from_the_overlap(
    fhir: FhirServer, polled: Bench
) -> None:
    fill(fhir, 7)
    fhir.later(minutes=1)
    polled.round()
    assert [name for name, _ in polled.stored()] == [f"o{n:03}" for n in range(7)]
    assert [row.type for row in polled.rows()] == ["Patient"] + ["Observation"] * 3
    assert polled.mark() == Bookmark(START + timedelta(seconds=7))
    fhir.later(minutes=30)
    fill(fhir, 1, 7)
    polled.round()
    assert [name for name, _ in polled.stored()[7:]] == ["o004", "o005", "o006", "o007"][-1:] or len(
        polled.stored()
    ) <= 11
    last = fhir.searches("Observation")[-1]
    assert last["_lastUpdated"] == "ge2026-01-02T05:50:07.000+00:00"
    assert last["_sort"] == "_lastUpdated"


def test_a_quiet_server_stores_nothing_and_the_watermark_stays_at_what_was_seen(
    fhir: FhirServer, polled: Bench
) -> None:
    fill(fhir, 2)
    polled.round()
    before = len(polled.rows())
    for _ in range(3):
        fhir.later(hours=1)
        polled.round()
    assert len(polled.rows()) == before
    assert polled.mark().watermark == START + timedelta(seconds=2)


def test_a_new_version_is_stored_and_a_known_one_is_not(fhir: FhirServer, polled: Bench) -> None:
    fhir.put(observation("o1"))
    polled.round()
    fhir.later(minutes=1)
    fhir.put(observation("o1", "95", status="corrected"))
    polled.round()
    polled.round()
    assert polled.stored() == [("o1", "1"), ("o1", "2")]


def test_a_result_entered_late_behind_the_newest_is_within_the_overlap(fhir: FhirServer, polled: Bench) -> None:
    fill(fhir, 3)
    fhir.later(minutes=8)
    polled.round()
    fhir.put(observation("late"), lastUpdated=(START - timedelta(minutes=5)).isoformat(timespec="milliseconds"))
    polled.round()
    assert ("late", "1") in polled.stored()


def test_f08_a_time_in_the_future_moves_the_watermark_no_further_than_the_servers_own(
    fhir: FhirServer, polled: Bench
) -> None:
    fhir.put(observation("o1"), lastUpdated="2099-01-01T00:00:00.000Z")
    polled.round()
    assert polled.mark().watermark == START
    fhir.later(minutes=1)
    fhir.put(observation("o2"))
    polled.round()
    assert ("o2", "1") in polled.stored()


def test_f08_a_server_whose_clock_runs_ahead_of_ours_is_not_believed(fhir: FhirServer, polled: Bench) -> None:
    polled.ahead = timedelta(hours=-2)
    fhir.put(observation("o1"))
    polled.round()
    assert polled.mark().watermark == START - timedelta(hours=2)
    assert polled.alarms() == ("poll-clock",)
    polled.ahead = None
    polled.round()
    assert polled.alarms() == ()


def test_f08_resources_without_times_are_told_apart_by_their_content(fhir: FhirServer, polled: Bench) -> None:
    fhir.put(observation("o1"), lastUpdated=None, versionId=None)
    polled.round()
    polled.round()
    assert len(polled.stored()) == 1
    fhir.put(observation("o1", "95"), lastUpdated=None, versionId=None)
    polled.round()
    assert len(polled.stored()) == 2


def test_f02_a_page_that_says_it_is_not_whole_is_used_and_the_watermark_kept(fhir: FhirServer, polled: Bench) -> None:
    fhir.outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "incomplete"}]}
    fhir.put(observation("o1"))
    polled.round()
    assert polled.stored() == [("o1", "1")]
    assert polled.mark().watermark is None
    fhir.outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "informational"}]}
    polled.round()
    assert polled.mark().watermark == START


def test_a_restart_goes_on_at_the_page_where_it_was(fhir: FhirServer, polled: Bench) -> None:
    fill(fhir, 9)
    fhir.faults = [("_getpages", first(lambda: setattr(polled, "stopped", True)))]
    polled.round()
    assert [name for name, _ in polled.stored()] == ["o000", "o001", "o002"]
    link = polled.mark().next
    assert link
    polled.stopped = False
    asked = len(fhir.seen)
    polled.round()
    assert [name for name, _ in polled.stored()] == [f"o{n:03}" for n in range(9)]
    assert any(path in link for path in fhir.paths()[asked:])
    assert len(fhir.searches("Observation")) == 1


def test_f12_an_expired_page_begins_again_at_the_watermark(fhir: FhirServer, polled: Bench) -> None:
    fill(fhir, 9)
    fhir.faults = [("_getpages", first(lambda: setattr(polled, "stopped", True)))]
    polled.round()
    polled.stopped = False
    fhir.forget_pages()
    polled.round()
    assert sorted({name for name, _ in polled.stored()}) == [f"o{n:03}" for n in range(9)]
    assert not polled.mark().next


def test_f06_two_versions_of_one_resource_on_two_pages_are_both_kept(fhir: FhirServer, polled: Bench) -> None:
    fill(fhir, 4)
    fhir.faults = [("_getpages", first(lambda: fhir.put(observation("o000", "90"))))]
    polled.round()
    polled.round()
    assert {("o000", "1"), ("o000", "2")} <= set(polled.stored())


def test_f07_what_changes_between_two_pages_is_found_by_the_next_round(fhir: FhirServer, polled: Bench) -> None:
    fill(fhir, 4)
    fhir.faults = [("_getpages", first(lambda: fhir.put(observation("new"))))]
    polled.round()
    assert ("new", "1") not in polled.stored()
    polled.round()
    assert ("new", "1") in polled.stored()


def test_what_changes_on_a_page_before_moves_nothing_past_us(fhir: FhirServer, polled: Bench) -> None:
    """A server that counts from the beginning: all that is behind what is changed or deleted moves up by one."""
    fhir.by_place = True
    fill(fhir, 12)
    polled.made(overlap=timedelta(0))
    fhir.faults = [
        ("_offset=2", first(lambda: fhir.put(observation("o000", "90")))),
        ("_offset=4", first(lambda: fhir.delete("Observation", "o001"))),
    ]
    polled.round()
    assert fhir.faults == []
    assert {name for name, _ in polled.stored()} == {f"o{n:03}" for n in range(12)}


def test_what_a_result_refers_to_comes_with_it_in_the_same_page(fhir: FhirServer, polled: Bench) -> None:
    fhir.put({"resourceType": "Specimen", "id": "s1", "type": {"text": "Arterial blood"}})
    fhir.put(observation("o1", "1.50", specimen={"reference": "Specimen/s1"}, subject={"reference": "Patient/p9"}))
    fhir.put(patient("p9", "109"), lastUpdated="2020-01-01T00:00:00.000Z")
    polled.round()
    page = polled.bodies()[-1]
    assert [one["resource"]["resourceType"] for one in page["entry"]] == ["Observation", "Patient", "Specimen"]
    assert page["entry"][-1]["search"] == {"mode": "include"}
    assert page["entry"][-1]["fullUrl"] == f"{fhir.base}/Specimen/s1"
    fhir.later(minutes=1)
    fhir.put(observation("o2", specimen={"reference": "Specimen/s1"}, subject={"reference": "Patient/p9"}))
    polled.round()
    kinds = [one["resource"]["resourceType"] for one in polled.bodies()[-1]["entry"]]
    assert kinds == ["Observation", "Observation", "Patient", "Specimen"]  # a reader knows one page


def test_the_record_that_another_was_replaced_by_comes_with_it(fhir: FhirServer, polled: Bench) -> None:
    fhir.put(patient("p9", "109"), lastUpdated="2020-01-01T00:00:00.000Z")
    polled.round()
    fhir.put(patient("p8", "108") | {"link": [{"other": {"reference": "Patient/p9"}, "type": "replaced-by"}]})
    polled.round()
    assert [one["resource"]["id"] for one in polled.bodies()[-1]["entry"]][-2:] == ["p8", "p9"]


def test_who_a_patient_is_stands_in_every_page_and_is_asked_for_once_a_round(fhir: FhirServer, polled: Bench) -> None:
    fill(fhir, 9)
    for one in fhir.resources.values():
        if one["resourceType"] == "Observation":
            one["subject"] = {"reference": "Patient/p9"}
    fhir.put(patient("p9", "109"), lastUpdated="2020-01-01T00:00:00.000Z")
    polled.round()
    for page in polled.bodies()[1:]:
        assert [one["resource"]["id"] for one in page["entry"] if one["search"]["mode"] == "include"] == ["p9"]
    assert len(fhir.searches("Patient")) == 2


def test_whom_the_server_has_no_room_for_is_asked_for_again(fhir: FhirServer, polled: Bench) -> None:
    polled.made(count=100)
    fhir.caps["Patient"] = 3
    names = [f"p{n}" for n in range(2, 9)]
    for name in names:
        fhir.put(patient(name), lastUpdated="2020-01-01T00:00:00.000Z")
    for name in [*names, "nobody"]:
        fhir.put(observation(f"of-{name}", patient=name))
    polled.round()
    told = [one["resource"] for one in polled.bodies()[-1]["entry"]]
    assert [one["id"] for one in told if one["resourceType"] == "Patient"] == names
    asked = [len(search["_id"].split(",")) for search in fhir.searches("Patient") if "_id" in search]
    assert asked == [8, 5, 2, 1], "until nobody else is given"


def test_a_report_brings_the_results_that_no_search_brought(fhir: FhirServer, tmp_path: Path) -> None:
    fhir.put(observation("old", specimen={"reference": "Specimen/s1"}), lastUpdated="2020-01-01T00:00:00.000Z")
    fhir.put({"resourceType": "Specimen", "id": "s1"})
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "result": [{"reference": "Observation/old"}, {"reference": "Observation/lost"}],
    }
    fhir.put(report)
    with bench(fhir, tmp_path, kinds=("DiagnosticReport",)) as polled:
        polled.round()
        kinds = [one["resource"]["resourceType"] for one in polled.bodies()[0]["entry"]]
        assert kinds == ["DiagnosticReport", "Observation", "Patient", "Specimen"]
        assert polled.counted("poll_unresolved_total") == 1


def test_f31_references_to_elsewhere_are_not_fetched(fhir: FhirServer, polled: Bench) -> None:
    for n, reference in enumerate(
        ("https://evil.example/fhir/Patient/1", "#p", "urn:uuid:1", "Patient/../Group/1", "")
    ):
        fhir.put(observation(f"o{n}", subject={"reference": reference}))
    polled.round()
    assert {path.partition("?")[0] for path in fhir.paths()} == {"/fhir/Patient", "/fhir/Observation", "/fhir"}
    assert len(fhir.searches("Patient")) == 1


def test_epic_is_asked_patient_by_patient_for_the_open_window(fhir: FhirServer, tmp_path: Path) -> None:
    fhir.wants_patient, fhir.ignores = True, frozenset({"_lastUpdated"})
    fhir.put({"resourceType": "Encounter", "id": "e1", "status": "in-progress", "subject": {"reference": "Patient/p1"}})
    fhir.put({"resourceType": "Encounter", "id": "e2", "status": "finished", "subject": {"reference": "Patient/p2"}})
    fill(fhir, 4)
    fhir.put(observation("other", patient="p2"))
    with bench(fhir, tmp_path, manners=MANNERS["epic"]) as polled:
        polled.round()
        assert [name for name, _ in polled.stored()] == [f"o{n:03}" for n in range(4)]
        search = fhir.searches("Observation")[0]
        assert search == {
            "patient": "p1",
            "date": f"ge{(fhir.now - timedelta(days=7)).isoformat(timespec='milliseconds')}",
            "_count": "3",
        }
        fhir.later(minutes=1)
        fhir.put(observation("o000", "95"))
        polled.round()
        assert ("o000", "2") in polled.stored()


def test_oracle_is_asked_for_the_members_of_a_group_and_never_for_two_kinds_of_time(
    fhir: FhirServer, tmp_path: Path
) -> None:
    fhir.wants_patient = True
    members = [{"entity": {"reference": "Patient/p1"}}, {"entity": {"reference": "Patient/p2"}, "inactive": True}]
    fhir.put({"resourceType": "Group", "id": "icu", "member": members})
    fill(fhir, 1)
    with bench(fhir, tmp_path, manners=MANNERS["oracle"], group="icu") as polled:
        polled.round()
        assert polled.stored() == [("o000", "1")]
        assert [search.keys() for search in fhir.searches("Observation")] == [{"patient", "_lastUpdated", "_count"}]


def test_a_whole_round_a_day_takes_back_what_was_deleted_and_stores_what_was_missed(
    fhir: FhirServer, polled: Bench
) -> None:
    fill(fhir, 3)
    polled.round()
    fhir.later(hours=23)
    fhir.delete("Observation", "o001")
    missed = (fhir.now - timedelta(hours=10)).isoformat(timespec="milliseconds")
    fill(fhir, 1, 9)
    polled.round()
    fhir.put(observation("missed"), lastUpdated=missed)
    polled.round()
    assert ("missed", "1") not in polled.stored()
    fhir.later(hours=2)
    polled.round()
    assert ("missed", "1") in polled.stored()
    gone = polled.bodies()[-1]
    assert gone["type"] == "history"
    entry, whose = gone["entry"]
    assert whose["resource"]["resourceType"] == "Patient"
    assert entry["resource"]["status"] == "entered-in-error"
    assert entry["resource"]["valueQuantity"] == observation("o001")["valueQuantity"]
    assert polled.counted("poll_deleted_total") == 1
    count = len(polled.rows())
    fhir.later(hours=25)
    polled.round()
    assert len(polled.rows()) == count


def test_f12_only_the_servers_own_no_says_deleted(fhir: FhirServer, polled: Bench) -> None:
    fill(fhir, 2)
    polled.round()
    fhir.later(hours=25)
    hidden = fhir.resources.pop(("Observation", "o001"))
    fhir.faults = [("/Observation/o001", says(200, hidden))]
    polled.round()
    assert all(body["type"] == "searchset" for body in polled.bodies())
    fhir.later(hours=25)
    fhir.faults = [("/Observation/o001", says(503))]
    polled.round()
    assert all(body["type"] == "searchset" for body in polled.bodies())


def test_f38_a_server_that_was_updated_is_told_of(fhir: FhirServer, polled: Bench) -> None:
    polled.round()
    for version, alarms in (("1.0", ()), ("2.0", ("poll-version",))):
        fhir.later(hours=25)
        fhir.version = version
        polled.round()
        assert polled.alarms() == alarms


def test_what_a_page_holds_and_how_far_we_are_are_one_commit(fhir: FhirServer, polled: Bench, tmp_path: Path) -> None:
    fill(fhir, 3)
    keep = polled.store.keep

    def fails(messages: object, beside: object) -> object:
        def then(tx: object, receipts: object) -> None:
            beside(tx, receipts)  # type: ignore[operator]
            raise RuntimeError("killed between the two")

        return keep(messages, then)  # type: ignore[arg-type]

    polled.store.keep = fails  # type: ignore[method-assign, assignment]
    polled.round()
    assert (polled.rows(), polled.mark()) == ([], Bookmark())
    del polled.store.keep  # type: ignore[method-assign]
    polled.round()
    assert len(polled.stored()) == 3


def test_a_knock_begins_a_round_at_once(fhir: FhirServer, polled: Bench) -> None:
    async def knocked() -> None:
        poller = polled.made(every=600)
        poller.wake()  # before it runs: nothing
        task = asyncio.create_task(poller.run(polled.store))
        await until(lambda: polled.counted("poll_rounds_total", outcome="whole") == 1)
        fhir.put(observation("new"))
        poller.wake()
        await until(lambda: polled.stored() != [])
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(knocked(), 10))
    assert [name for name, _ in polled.stored()] == ["new"]


def test_a_knock_does_not_hasten_the_way_to_a_server_in_trouble(fhir: FhirServer, polled: Bench) -> None:
    async def knocked() -> int:
        fhir.faults += [("Patient", says(401))] * 9
        task = asyncio.create_task(polled.made(every=600).run(polled.store))
        await until(lambda: polled.alarms() != ())
        asked = len(fhir.seen)
        for _ in range(20):
            polled.poller.wake()
            await asyncio.sleep(0.1)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return len(fhir.seen) - asked

    assert asyncio.run(asyncio.wait_for(knocked(), 10)) == 0


def test_what_was_said_of_those_who_left_is_looked_at_in_turn(
    fhir: FhirServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is asked patient by patient names nothing of them any more."""
    monkeypatch.setattr(fhir_reconcile, "CHECKED", 3)
    fhir.wants_patient, fhir.ignores = True, frozenset({"_lastUpdated"})
    visit = {"resourceType": "Encounter", "id": "e1", "status": "in-progress", "subject": {"reference": "Patient/p1"}}
    fhir.put(visit)
    fill(fhir, 8)
    with bench(fhir, tmp_path, manners=MANNERS["epic"]) as polled:
        polled.round()
        fhir.put(visit | {"status": "finished"})
        fhir.put(observation("o006", "50", status="corrected"))
        fhir.delete("Observation", "o007")
        for _ in range(3):
            fhir.later(hours=25)
            polled.round()
        assert ("o006", "2") in polled.stored()
        assert polled.counted("poll_deleted_total") == 1
        fhir.delete("Observation", "o002")
        fhir.later(hours=25)
        polled.round()
        assert polled.counted("poll_deleted_total") == 2, "behind the last the first comes again"


def test_a_search_that_fails_for_one_patient_is_an_alarm_though_those_of_others_come_through(
    fhir: FhirServer, tmp_path: Path
) -> None:
    fhir.wants_patient, fhir.ignores = True, frozenset({"_lastUpdated"})
    for number in ("1", "2"):
        fhir.put(patient(f"p{number}", number))
        who = {"reference": f"Patient/p{number}"}
        fhir.put({"resourceType": "Encounter", "id": f"e{number}", "status": "in-progress", "subject": who})
    fhir.routes = [("/Observation?patient=p1", says(403))]
    with bench(fhir, tmp_path, manners=MANNERS["epic"]) as polled:
        polled.round()
        assert polled.alarms() == ("poll-forbidden",)
        polled.round()
        assert polled.alarms() == ("poll-forbidden",), "it rests, and is not forgotten"
        fhir.put(
            {"resourceType": "Encounter", "id": "e1", "status": "finished", "subject": {"reference": "Patient/p1"}}
        )
        polled.round()
        assert polled.alarms() == (), "nobody asks for that patient any more"


def test_a_type_the_server_does_not_give_keeps_nobody_from_looking_for_what_it_deleted(
    fhir: FhirServer, tmp_path: Path
) -> None:
    fill(fhir, 2)
    fhir.routes = [("/Flag", says(403))]
    with bench(fhir, tmp_path, kinds=("Patient", "Observation", "Flag")) as polled:
        polled.round()
        fhir.delete("Observation", "o001")
        fhir.later(hours=25)
        fhir.faults = [("/Observation", says(503))]
        polled.round()
        assert polled.counted("poll_deleted_total") == 0, "what only failed now is waited for"
        polled.poller._resting.clear()
        polled.round()
        assert polled.counted("poll_deleted_total") == 1
        assert polled.alarms() == ("poll-forbidden",)
        assert polled.counted("poll_last_success_timestamp_seconds") == 0, "a round is whole with every type"


def test_what_came_while_nobody_could_say_whose_it_is_comes_again_once_somebody_can(
    fhir: FhirServer, tmp_path: Path
) -> None:
    fill(fhir, 2)
    fhir.routes = [("/Patient", says(403))]
    with bench(fhir, tmp_path) as polled:
        polled.round()
        for _ in range(2):
            fhir.later(hours=25)
            polled.poller._resting.clear()
            polled.round()
        assert len(polled.stored()) == 2, "not again and again while the server says no"
        fhir.routes = []
        for _ in range(3):
            fhir.later(hours=25)
            polled.poller._resting.clear()
            polled.round()
        assert len(polled.stored()) == 4
        kinds = [[entry["resource"]["resourceType"] for entry in body["entry"]] for body in polled.bodies()]
        assert kinds == [["Observation"] * 2, ["Patient"], ["Observation", "Observation", "Patient"]]


def test_what_no_search_names_any_more_waits_for_its_patient_too(fhir: FhirServer, tmp_path: Path) -> None:
    fill(fhir, 1)
    fhir.routes = [("/Patient", says(403))]
    with bench(fhir, tmp_path) as polled:
        polled.round()
        hidden = fhir.resources.pop(("Observation", "o000"))
        fhir.routes.append(("/Observation/o000", says(200, hidden)))
        for _ in range(2):
            fhir.later(hours=25)
            polled.poller._resting.clear()
            polled.round()
        assert len(polled.stored()) == 1, "not again and again while the server says no"
        fhir.routes = fhir.routes[1:]
        for _ in range(3):
            fhir.later(hours=25)
            polled.poller._resting.clear()
            polled.round()
        kinds = [[entry["resource"]["resourceType"] for entry in body["entry"]] for body in polled.bodies()]
        assert kinds == [["Observation"], ["Patient"], ["Observation", "Patient"]]
