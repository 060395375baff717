"""What a server does wrong, row by row of the catalogue (docs/bad-input.md, F): said by name, stored or not, never lost."""

import asyncio
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapter import telemetry
from adapter.errors import StorageFailedError
from adapter.pipeline.exchange import PAUSE
from adapter.pipeline.origin import Origin
from adapter.sources import fhir_poller
from tests.fhir_server import FhirServer, Step, cut, drips, drops, observation, patient, running, says
from tests.polling import HASTY, Bench, bench, until

PAGE = {"resourceType": "Bundle", "type": "searchset"}


@pytest.fixture
def fhir() -> Iterator[FhirServer]:
    with running() as server:
        server.put(patient())
        server.put(observation("o1"))
        yield server


@pytest.fixture
def polled(fhir: FhirServer, tmp_path: Path) -> Iterator[Bench]:
    with bench(fhir, tmp_path) as made:
        yield made


@dataclass(frozen=True)
class Fault:
    """`kind` is our word for it; `at_once`: an alarm the first time, else after three; `everything`: the round ends."""

    row: str
    what: str
    step: Step
    kind: str
    at_once: bool = False
    everything: bool = False


def deep(levels: int) -> bytes:
    return b'{"resourceType":"Bundle","type":"searchset","entry":' + b"[" * levels


def bomb(times: int) -> bytes:
    packed = b" " * (40 * 1024 * 1024)
    for _ in range(times):
        packed = gzip.compress(packed, 1)
    return packed


FAULTS = [
    Fault("F01", "a login page", says(200, b"<html>log in</html>", Content_Type="text/html"), "content"),
    Fault("F10", "401", says(401), "auth", at_once=True, everything=True),
    Fault("F11", "403", says(403), "forbidden", at_once=True),
    Fault("F13", "429", says(429), "busy", everything=True),
    Fault("F14", "500", says(500), "server"),
    Fault("F14", "503", says(503), "server"),
    Fault("F14", "no answer", drops, "connection", everything=True),
    *(
        Fault(
            "F15",
            str(status),
            says(status, Location="https://evil.example/"),
            "redirect",
            at_once=True,
            everything=True,
        )
        for status in (301, 302, 307, 308)
    ),
    Fault(
        "F16", "a gzip bomb", says(200, bomb(1), Content_Encoding="gzip", Content_Type="application/fhir+json"), "size"
    ),
    Fault(
        "F16",
        "packed twice",
        says(200, bomb(2), Content_Encoding="gzip, gzip", Content_Type="application/fhir+json"),
        "size",
    ),
    Fault(
        "F16",
        "deflate",
        says(200, zlib.compress(b" " * 9_000_000), Content_Encoding="deflate", Content_Type="application/fhir+json"),
        "size",
    ),
    Fault("F17", "fewer bytes than promised", cut(b'{"resourceType":', 500), "connection", everything=True),
    Fault("F18", "a byte at a time", drips(3), "timeout", everything=True),
    Fault("F19", "bottomless nesting", says(200, deep(100_000)), "json"),
    Fault("F24", "UTF-16", says(200, json.dumps(PAGE).encode("utf-16")), "charset"),
    Fault("F24", "another charset", says(200, PAGE, Content_Type="application/fhir+json;charset=utf-16"), "content"),
    Fault("F25", "XML", says(200, b"<Bundle/>", Content_Type="application/fhir+xml"), "content"),
    Fault("F39", "no Bundle", says(200, {"resourceType": "Patient", "id": "1"}), "bundle"),
    Fault("F39", "a batch-response", says(200, PAGE | {"type": "batch-response"}), "bundle"),
    Fault("F39", "half a page", says(200, b'{"resourceType":"Bundle","type":"searchset"'), "json"),
    Fault("F39", "a search it does not know", says(400), "refused"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: f"{one.row} {one.what}")
def test_a_fault_is_named_loses_nothing_and_passes(fhir: FhirServer, polled: Bench, fault: Fault) -> None:
    fhir.faults = [("/Observation", fault.step)]
    polled.limits = HASTY if fault.kind == "timeout" else polled.limits
    wait = polled.round()
    assert polled.counted("poll_errors_total", kind=fault.kind) == 1
    assert (polled.mark().watermark, polled.stored()) == (None, [])
    assert bool(polled.alarms()) is fault.at_once
    assert tuple(polled.server.kinds) == ("Patient", "Observation")
    assert len(polled.stored("Patient")) == 1
    if fault.everything:
        assert 1 <= wait <= PAUSE
    polled.poller._resting.clear()
    polled.round()
    assert polled.stored() == [("o1", "1")]
    assert polled.alarms() == ()


def test_f01_three_in_a_row_are_an_alarm(fhir: FhirServer, polled: Bench) -> None:
    for number in range(1, 4):
        fhir.faults = [("/Observation", says(200, b"<html>", Content_Type="text/html"))]
        polled.poller._resting.clear()
        polled.round()
        assert polled.alarms() == (("poll-content",) if number == 3 else ())


def test_one_search_in_trouble_stops_no_other_and_is_asked_more_and_more_slowly(
    fhir: FhirServer, polled: Bench
) -> None:
    fhir.faults = [("/Patient", says(500))]
    polled.round()
    assert polled.stored() == [("o1", "1")]
    asked = len(fhir.searches("Patient"))
    polled.round()
    assert len(fhir.searches("Patient")) == asked  # resting


def test_a_server_that_fails_with_everything_is_left_alone(fhir: FhirServer, tmp_path: Path) -> None:
    with bench(fhir, tmp_path, kinds=("Patient", "Encounter", "Condition", "Observation")) as polled:
        fhir.faults = [("/fhir", says(502))] * 4
        waits = []
        for _ in range(3):
            polled.poller._resting.clear()
            waits.append(polled.round())
            fhir.faults = [("/fhir", says(502))] * 4
        assert "Observation" not in {path.split("?")[0].rpartition("/")[2] for path in fhir.paths()}
        assert 1 <= waits[0] <= 2 < waits[2] <= 8
        assert "poll-server" in polled.alarms()


@pytest.mark.parametrize(("said", "seconds"), [("120", 120), ("Fri, 02 Jan 2026 06:01:00 GMT", 60), ("9999999", 3600)])
def test_f13_a_servers_wish_is_heard(fhir: FhirServer, polled: Bench, said: str, seconds: int) -> None:
    fhir.faults = [("/Observation", says(429, Retry_After=said))]
    assert polled.round() == seconds


LINKS = [
    "https://ehr.example.evil.com/fhir?x",
    "{url}@evil.example/fhir?x",
    "{url}.evil.example/fhir?x",
    "http://127.0.0.1:1/fhir?x",
    "{url}/fhirevil?x",
    "{url}/fhir/../admin?x",
    "{url}/fhir/%2e%2e/admin?x",
    "{url}\\@evil.example/fhir?x",
    "https:{rest}/fhir?x",
    "//evil.example/fhir?x",
    "Observation?page=2",
    "{url}/fhir?x#fragment",
    "{url}/fhir?x y",
    "file:///etc/passwd",
]


@pytest.mark.parametrize("link", LINKS)
def test_f03_a_link_to_elsewhere_is_not_followed(fhir: FhirServer, polled: Bench, link: str) -> None:
    """Not even asked for, so no token goes there; the page itself is used, the watermark kept."""
    where = link.format(url=fhir.url, rest=fhir.url.removeprefix("http:"))
    page = fhir.answer("/fhir/Observation", "") | {"link": [{"relation": "next", "url": where}]}
    fhir.faults = [("/Observation", says(200, page))]
    polled.round()
    assert polled.counted("poll_errors_total", kind="origin") == 1
    assert polled.alarms() == ("poll-origin",)
    assert polled.stored() == [("o1", "1")]
    assert (polled.mark().watermark, polled.mark().next) == (None, "")
    assert len(fhir.seen) == 2


def test_f03_what_belongs_to_the_server_does() -> None:
    origin = Origin("https://ehr.example/fhir")
    for url in (
        "https://ehr.example/fhir?_getpages=1",
        "https://EHR.example:443/fhir/Observation?a=b%2Fc",
        "https://ehr.example/fhir/",
    ):
        assert origin.holds(url)
    for url in (
        "https://ehr.example/fhi",
        "https://ehr.example:8443/fhir",
        "http://ehr.example/fhir",
        "https://ehr.example:x/fhir",
        "https://[ehr/fhir",
    ):
        assert not origin.holds(url)


def test_f04_a_link_to_itself_or_in_a_circle_is_followed_once(fhir: FhirServer, polled: Bench) -> None:
    circle = {f"a{n}": PAGE | {"link": [{"relation": "next", "url": f"{fhir.base}?x=a{1 - n}"}]} for n in (0, 1)}
    start = PAGE | {"link": [{"relation": "next", "url": f"{fhir.base}?x=a0"}]}
    fhir.faults = [
        ("/Observation", says(200, start)),
        ("x=a0", says(200, circle["a0"])),
        ("x=a1", says(200, circle["a1"])),
    ]
    polled.round()
    assert polled.counted("poll_errors_total", kind="loop") == 1
    assert polled.mark().next == ""
    assert len(fhir.seen) == 4


def test_f05_a_search_without_end_is_stopped(fhir: FhirServer, tmp_path: Path) -> None:
    for n in range(20):
        fhir.put(observation(f"o{n}"))
    with bench(fhir, tmp_path, max_pages=3) as polled:
        polled.round()
        assert len(polled.stored()) == 9
        assert polled.alarms() == ("poll-pages",)
        assert polled.mark().watermark is None


def test_f24_a_byte_order_mark_is_no_reason(fhir: FhirServer, polled: Bench) -> None:
    page = b"\xef\xbb\xbf" + json.dumps(fhir.answer("/fhir/Observation", "")).encode()
    fhir.faults = [("/Observation", says(200, page))]
    polled.round()
    with polled.database.read() as conn:
        from adapter.store import inbox

        stored = json.loads(inbox.raw(conn, 2) or b"")
    came = json.loads(page.removeprefix(b"\xef\xbb\xbf"))
    assert stored["entry"][: len(came["entry"])] == came["entry"]


@pytest.mark.parametrize(
    "said",
    [
        "application/fhir+json",
        "application/json ; charset=UTF-8",
        'application/fhir+json; charset="utf-8"; fhirVersion=4.0',
        "application/fhir+json;fhirVersion=4.0;charset=utf-8",
    ],
)
def test_json_is_json_whatever_else_a_server_says_of_it(fhir: FhirServer, polled: Bench, said: str) -> None:
    fhir.faults = [("/Observation", says(200, fhir.answer("/fhir/Observation", ""), Content_Type=said))]
    polled.round()
    assert polled.stored() == [("o1", "1")]


UNREADABLE = {
    "deep": deep(100_000),
    "half": b'{"resourceType":"Bundle"',
    "bytes": b"\xff\xfe",
    "list": b"[1]",
    "no colon": b'{"a" 1}',
    "more": b"{}x",
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_a_page_nobody_can_read_is_kept_once_for_a_person(fhir: FhirServer, polled: Bench, body: bytes) -> None:
    for _ in range(3):
        fhir.faults = [("/Observation", says(200, body + b" "))]
        polled.poller._resting.clear()
        polled.round()
    kept = [row for row in polled.rows() if row.type == "Observation"]
    assert len(kept) == 1
    assert polled.counted("poll_errors_total", kind="json") + polled.counted("poll_errors_total", kind="charset") == 3


def test_numbers_that_are_none_are_the_readers_business(fhir: FhirServer, polled: Bench) -> None:
    """F20, F21: the page is stored as it came, so that the feed goes on; its reader refuses it."""
    page = json.dumps(fhir.answer("/fhir/Observation", "")).replace("98.0", "NaN").replace('"final"', "9" * 5000)
    fhir.faults = [("/Observation", says(200, page.encode()))]
    polled.round()
    assert len([row for row in polled.rows() if row.type == "Observation"]) == 1
    assert polled.alarms() == ()


def logged() -> io.StringIO:
    book = io.StringIO()
    telemetry.configure_log(book)
    return book


@pytest.fixture
def swift(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir_poller, "LOOK", 0.02)
    monkeypatch.setattr(fhir_poller, "HUNG", 0.3)


def test_it_polls_until_it_is_cancelled(fhir: FhirServer, polled: Bench, swift: None) -> None:
    async def some_rounds() -> None:
        task = asyncio.create_task(polled.made(every=0.05).run(polled.store))
        await until(lambda: len(fhir.searches("Observation")) >= 3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(some_rounds(), 10))
    assert polled.stored() == [("o1", "1")]
    assert polled.counted("poll_rounds_total", outcome="whole") >= 2


def test_a_request_that_hangs_is_left_behind_and_another_is_made(fhir: FhirServer, polled: Bench, swift: None) -> None:
    """A peer that drips its headers outlives every deadline of the library."""

    def drips_headers(handler: Any) -> bool:
        import contextlib
        import time

        handler.close_connection = True
        with contextlib.suppress(OSError):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for n in range(40):
                handler.wfile.write(f"X-{n}: 1\r\n".encode())
                time.sleep(0.05)
        return True

    async def until_stored() -> None:
        task = asyncio.create_task(polled.made(every=0.05).run(polled.store))
        await until(lambda: polled.counted("poll_errors_total", kind="hung") >= 1)
        task.cancel()

    fhir.faults, polled.limits = [("/Patient", drips_headers)], HASTY
    asyncio.run(asyncio.wait_for(until_stored(), 10))
    polled.round()
    assert polled.stored() == [("o1", "1")]


def test_a_bug_is_told_by_its_place_alone_and_the_next_round_comes(
    fhir: FhirServer, polled: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = logged()
    monkeypatch.setattr(fhir_poller, "asked", lambda _crawl: 1 / 0)
    assert polled.round() < 10
    assert "ZeroDivisionError" in book.getvalue()


def test_a_disk_that_fails_ends_it(fhir: FhirServer, polled: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def keep(*_: object) -> None:
        raise StorageFailedError("the disk")

    monkeypatch.setattr(polled.store, "keep", keep)
    with pytest.raises(StorageFailedError):
        asyncio.run(polled.poller.run(polled.store))


def test_no_log_line_tells_of_a_patient(fhir: FhirServer, polled: Bench) -> None:
    book = logged()
    for step in (
        says(
            400, {"resourceType": "OperationOutcome", "issue": [{"code": "invalid", "diagnostics": "Piet Jansen 100"}]}
        ),
        drops,
    ):
        fhir.faults = [("/Observation", step)]
        polled.poller._resting.clear()
        polled.round()
    said = book.getvalue()
    assert "(invalid)" in said
    for word in ("Jansen", "100", "p1", "_lastUpdated", "o1"):
        assert word not in said.replace("127.0.0.1", "")
