"""Silence and a wrong clock are noticed by somebody outside of what is silent (reliability P12, P17)."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from adapter import telemetry
from adapter.daemon.clock import STEPPED, UNSYNCHRONISED, ClockWatch, synchronised
from adapter.daemon.heartbeat import Heartbeat
from adapter.errors import ConfigError
from adapter.settings import HeartbeatSection
from adapter.web.context import Health
from tests.installation import Installation, until
from tests.peers import Script, misbehaving

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
WELL = Health(live=True, ready=True, status="ok", codes=())
HEARD = (200, dict[str, str](), b"OK")
HEARTBEAT = """
[heartbeat]
url = "file:{file}"
every = "1 s"
allow_private = true
"""


# --- the clock -------------------------------------------------------------------------------------------------------


@dataclass
class Wrist:
    """Two clocks that a test moves, one of them the wall's."""

    wall: datetime = NOW
    ticks: float = 1000.0
    kept: bool | None = True
    step: float = 0
    watch: ClockWatch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = ClockWatch(lambda: self.wall, lambda: self.ticks, lambda: self.kept)

    def after(self, seconds: float, set_by: float = 0) -> tuple[str, ...]:
        self.ticks += seconds
        self.wall += timedelta(seconds=seconds + set_by)
        self.step = self.watch.look()
        return self.watch.alarms()


@pytest.mark.parametrize(("set_by", "seen"), [(0.9, ()), (-0.9, ()), (1.1, (STEPPED,)), (-3600, (STEPPED,))])
def test_a_clock_that_is_set_is_an_alarm_for_an_hour(set_by: float, seen: tuple[str, ...]) -> None:
    wrist = Wrist()
    assert wrist.after(30) == ()
    first, step = wrist.after(30, set_by), wrist.step
    assert first == wrist.after(3599) == seen
    assert (step, wrist.step) == (set_by if seen else 0, 0)
    assert wrist.after(1) == ()


def test_a_clock_that_no_time_service_keeps_for_an_hour_is_an_alarm_until_one_does() -> None:
    wrist = Wrist()
    wrist.after(30)
    wrist.kept = False
    assert wrist.after(3600) == ()
    assert wrist.after(30) == (UNSYNCHRONISED,)
    assert wrist.after(1, 60) == (STEPPED, UNSYNCHRONISED)
    wrist.kept = True
    assert wrist.after(3600) == ()
    assert [(one.name, one.samples[0].value) for one in wrist.watch.figures()] == [("adapter_clock_synchronised", 1.0)]


def test_a_system_that_does_not_say_whether_its_clock_is_kept_is_not_accused() -> None:
    wrist = Wrist(kept=None)
    assert wrist.after(90_000) == ()
    assert list(wrist.watch.figures()) == []
    assert synchronised() in (True, False, None)


def test_the_shipped_unit_lets_the_daemon_ask_for_the_clock_and_nobody_set_it() -> None:
    """The C library asks by either call; @system-service has none of them, and ~@privileged takes them out."""
    lines = (ROOT / "deploy" / "adapter.service").read_text().splitlines()
    assert "ProtectClock=yes" not in lines, "it forbids the question too"
    filters = [line.partition("=")[2] for line in lines if line.startswith("SystemCallFilter=")]
    assert filters[0] == "@system-service"
    assert filters.index("~@privileged @resources") < filters.index("adjtimex clock_adjtime"), "the later line counts"
    assert "CapabilityBoundingSet=" in lines, "without a capability these calls set nothing"


# --- the watcher outside ---------------------------------------------------------------------------------------------


@pytest.fixture
def watcher() -> Iterator[tuple[str, Script]]:
    script = Script(only="GET")
    with misbehaving("http://127.0.0.1:9", script) as base:
        yield base, script


@pytest.fixture
def book() -> io.StringIO:
    stream = io.StringIO()
    telemetry.configure_log(stream)
    return stream


def heart(tmp_path: Path, url: str, **more: object) -> Heartbeat:
    (tmp_path / "url").write_text(f"{url}\n")
    return Heartbeat(HeartbeatSection(url=f"file:{tmp_path / 'url'}", **{"allow_private": True} | more))


def stamp(one: Heartbeat) -> float | None:
    return next((figure.samples[0].value for figure in one.figures()), None)


def test_the_watcher_hears_of_a_daemon_that_is_well_and_of_nothing_else(
    tmp_path: Path, watcher: tuple[str, Script], book: io.StringIO
) -> None:
    base, script = watcher
    script.steps = [HEARD, HEARD]
    one = heart(tmp_path, f"{base}/ping/secret-word")
    one.beat(WELL, NOW)
    assert stamp(one) == NOW.timestamp()
    for health in (
        Health(live=True, ready=False, status="failing", codes=("store-unavailable",)),
        Health(live=True, ready=True, status="degraded", codes=("inbox-waiting",)),
    ):
        one.beat(health, NOW + timedelta(hours=1))
    assert [(method, path, body) for method, path, _, body in script.seen] == [("GET", "/ping/secret-word", b"")]
    assert stamp(one) == NOW.timestamp()
    one.beat(Health(live=True, ready=True, status="degraded", codes=("disk-low",)), NOW + timedelta(hours=2))
    assert len(script.seen) == 2
    assert "heartbeat not heard" in book.getvalue()
    assert "secret-word" not in book.getvalue()


@pytest.mark.parametrize("trouble", [500, 404, "drop", (302, {"Location": "http://127.0.0.1/"}, b"")])
def test_a_watcher_that_does_not_answer_is_told_once_in_the_log_and_asked_again(
    tmp_path: Path, watcher: tuple[str, Script], trouble: object, book: io.StringIO
) -> None:
    base, script = watcher
    script.steps = [trouble, trouble, HEARD]
    one = heart(tmp_path, base)
    for minute in range(3):
        one.beat(WELL, NOW + timedelta(minutes=minute))
    assert len(script.seen) == 3
    assert stamp(one) == (NOW + timedelta(minutes=2)).timestamp()
    assert book.getvalue().count("heartbeat not heard") == book.getvalue().count("heard again") == 1


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://watcher.example/ping", "plain http"),
        ("https://u:p@watcher.example/", "holds a user"),
        ("ping", "no http"),
        ("https://watcher.example:99999/", "no http"),
        ("https://watcher.example:x/", "no http"),
        ("https://watcher..example/", "no http"),
        ("https://[::1/", "no http"),
        ("https://" + "w" * 64 + ".example/", "no http"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_at_the_start(tmp_path: Path, url: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        heart(tmp_path, url)


def test_the_address_goes_by_reference_and_a_private_one_only_where_that_is_meant(
    tmp_path: Path, watcher: tuple[str, Script]
) -> None:
    with pytest.raises(ValidationError, match="secrets go by reference"):
        HeartbeatSection(url="https://watcher.example/ping")
    one = heart(tmp_path, watcher[0], allow_private=False)
    one.beat(WELL, NOW)
    assert watcher[1].seen == []


def test_a_daemon_that_is_killed_is_silent_and_one_that_starts_again_is_heard(
    tmp_path: Path, watcher: tuple[str, Script]
) -> None:
    base, script = watcher
    script.steps = [HEARD] * 1000
    (tmp_path / "url").write_text(base)
    place = Installation(tmp_path / "house", HEARTBEAT.format(file=tmp_path / "url"))
    try:
        place.start()
        until(lambda: len(script.seen) >= 2)
        assert "adapter_heartbeat_last_success_timestamp_seconds" in place.get("/metrics")
        place.end()
        script.seen.clear()
        place.start()
        until(lambda: script.seen)
        found = [json.loads(line) for line in place.command("check", "--json", check=False).stdout.splitlines()]
    finally:
        place.end()
    assert [one["text"] for one in found if one["about"] == "watcher"] == ["told every 1 s that all is well"]
