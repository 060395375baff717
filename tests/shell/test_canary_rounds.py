"""The patient who was made up, in a running daemon: found each time, known to nobody, an alarm where it is missed (P12)."""

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapter import assets
from adapter.daemon.canary import CanaryRounds
from adapter.errors import StorageFailedError, UnavailableError
from adapter.pipeline.receive import StoreInbox
from adapter.settings import CanarySection
from tests import stores
from tests.installation import Installation, lines, until
from tests.peers import Script, misbehaving
from tests.walking import rulebook

NOW = datetime(2026, 11, 27, 4, 0, tzinfo=UTC)
TRIAL = "profiles/immunosep/trial.yaml"
SECTIONS = """
[canary]
every = "1 s"

[[sink]]
kind = "csv"
name = "files"
path = "{folder}/out"
push_when = "candidate"
dates = "exact"

[[notifier]]
kind = "webhook"
name = "hook"
url = "{hook}/hook"
secret = "env:HOOK_SECRET"
allow_private = true

[heartbeat]
url = "file:{folder}/watcher"
every = "1 s"
allow_private = true
"""
FOUND = "adapter_canary_last_success_timestamp_seconds"
HEARD = "adapter_heartbeat_last_success_timestamp_seconds"


@pytest.fixture
def place(each_store: str, tmp_path: Path) -> Iterator[tuple[Installation, Script, Path]]:
    pages = tmp_path / "pages" / TRIAL
    pages.parent.mkdir(parents=True)
    well, script = (200, dict[str, str](), b""), Script()
    watcher = Script(only="GET", steps=[well] * 1000)
    with misbehaving("http://127.0.0.1:9", script) as hook, misbehaving("http://127.0.0.1:9", watcher) as beat:
        (tmp_path / "watcher").write_text(beat)
        made = Installation(
            tmp_path,
            SECTIONS.format(folder=tmp_path, hook=hook),
            HOOK_SECRET="whsec_" + "A" * 32,
            ADAPTER_ADAPTER__ASSETS=str(tmp_path / "pages"),
        )
        yield made, script, pages
        made.end()


def figure(place: Installation, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} ([\d.e+]+)$", place.get("/metrics"), re.MULTILINE)
    return float(found[1]) if found else 0.0


def page(*change: str) -> str:
    text = assets.find(None, TRIAL).read_text(encoding="utf-8")
    return text.replace(*change) if change else text


def test_it_is_found_again_and_again_and_is_on_no_list_in_no_push_and_in_no_count(
    place: tuple[Installation, Script, Path],
) -> None:
    house, script, pages = place
    pages.write_text(page())
    house.start()
    first = until(lambda: figure(house, FOUND))
    until(lambda: figure(house, FOUND) > first and figure(house, HEARD))
    told = house.get("/metrics")
    assert (figure(house, "adapter_shown"), figure(house, "adapter_watching")) == (0, 0)
    assert 'feed="canary"' in told
    assert "adapter_verdicts_total{" not in told
    assert "adapter_analyte_last_seen_timestamp_seconds{" not in told
    assert script.seen == []
    assert list((house.folder / "out").glob("*")) == []
    stored = [json.loads(line) for line in house.command("inbox", "list", "--json").stdout.splitlines()]
    assert {(one["source"], one["state"], one["reason"]) for one in stored} == {("canary", "ignored", "canary-passed")}
    shown = house.command("inbox", "show", str(stored[0]["id"]), "--reason", "a look").stdout
    assert b"CANARY" in shown
    house.stop()


def test_a_limit_broken_by_an_edit_is_an_alarm_and_stops_the_heartbeat_until_it_is_mended(
    place: tuple[Installation, Script, Path],
) -> None:
    house, _, pages = place
    pages.write_text(page("above: 4420", "above: 44200"))
    checked = house.command("check", check=False)
    assert checked.returncode != 0
    assert b"immunosep-demo: the patient is not shown (not-candidate)" in checked.stdout
    house.start()
    until(lambda: 'adapter_alarm{code="canary-missed"} 1.0' in house.get("/metrics"))
    until(lambda: b"held back: screening is not to be trusted (canary-missed)" in house.log.read_bytes())
    assert json.loads(house.get("/healthz")) == {"status": "degraded"}
    warned = [one for one in lines(house.log.read_bytes()) if one["event"] == "canary missed"]
    assert [one["text"] for one in warned] == [
        "site 'generic': immunosep-demo: the patient is not shown (not-candidate) — compare the trial's and the site's page with those that passed last"
    ]
    house.stop()
    pages.write_text(page())
    house.start()
    until(lambda: figure(house, FOUND))
    assert 'code="canary-missed"' not in house.get("/metrics")
    house.stop()


def test_messages_that_nobody_screens_are_told_by_the_canary_that_waits(tmp_path: Path) -> None:
    database = stores.opened(tmp_path)
    rounds = CanaryRounds(
        CanarySection(), lambda: rulebook("immunosep-demo"), ("generic",), database, lambda: NOW, patience=0.1
    )

    async def one_round() -> tuple[str, ...]:
        inbox = StoreInbox(database, lambda: None)
        await rounds.round(inbox)
        await asyncio.to_thread(inbox.close)
        return rounds.alarms()

    assert asyncio.run(one_round()) == ("canary-missed",)
    assert list(rounds.figures()) == []
    database.close()


@pytest.mark.parametrize("error", [UnavailableError("no store"), StorageFailedError("the disk failed")])
def test_a_store_that_takes_nothing_is_told_and_one_whose_disk_failed_ends_the_daemon(
    tmp_path: Path, error: UnavailableError
) -> None:
    database = stores.opened(tmp_path)
    rounds = CanaryRounds(CanarySection(), lambda: rulebook("immunosep-demo"), ("generic",), database, lambda: NOW)

    async def one_round() -> tuple[str, ...]:
        inbox = StoreInbox(database, lambda: None)
        await asyncio.to_thread(inbox.close)
        inbox._refusing = error
        await rounds.round(inbox)
        return rounds.alarms()

    if isinstance(error, StorageFailedError):
        with pytest.raises(StorageFailedError):
            asyncio.run(one_round())
    else:
        assert asyncio.run(one_round()) == ("canary-missed",)
    database.close()
