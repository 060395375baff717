"""The patient who was made up, in a running daemon: found each time, known to nobody, an alarm where it is missed (P12)."""

import asyncio
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapter import assets, telemetry
from adapter.daemon.canary import CanaryWatch, rounds
from adapter.errors import StorageFailedError, UnavailableError
from adapter.pipeline.keep import Keeper
from adapter.pipeline.process import Processor
from adapter.pipeline.receive import StoreInbox
from adapter.pipeline.replay import Replay, take_over
from adapter.screening import canary
from adapter.screening.rulebook import Rulebook
from adapter.settings import CanarySection
from adapter.store.database import Database
from adapter.store.inbox import put_many
from adapter.store.secret import SiteSecret
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
    ended = [one for one in stored if one["state"] != "pending"]
    assert {(one["source"], one["state"], one["reason"]) for one in ended} == {("canary", "ignored", "canary-passed")}
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
    assert b"immunosep-demo: of hyper-inflammation, the patient is not shown (not-candidate)" in checked.stdout
    house.start()
    until(lambda: 'adapter_alarm{code="canary-missed"} 1.0' in house.get("/metrics"))
    until(lambda: b"held back: screening is not to be trusted (canary-missed)" in house.log.read_bytes())
    assert json.loads(house.get("/healthz")) == {"status": "degraded"}
    warned = [one for one in lines(house.log.read_bytes()) if one["event"] == "canary missed"]
    assert [one["text"] for one in warned] == [
        "site 'generic': immunosep-demo: of hyper-inflammation, the patient is not shown (not-candidate) — compare the trial's and the site's page with those that passed last"
    ]
    house.stop()
    pages.write_text(page())
    house.start()
    until(lambda: figure(house, FOUND))
    assert 'code="canary-missed"' not in house.get("/metrics")
    house.stop()


@dataclass
class House:
    """A store, its inbox, a clock that a test moves, and no daemon."""

    database: Database
    now: datetime = NOW
    watch: CanaryWatch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = CanaryWatch(CanarySection(), ("generic", "attikon"), lambda: self.now)

    def told(self, expect: canary.Expected = ("mals", "shown")) -> None:
        """As a process that receives does."""
        book = rulebook("immunosep-demo")
        with self.database.write() as tx:
            put_many(
                tx,
                [
                    canary.told(book, book.sites[site], self.now, {"immunosep-demo": expect})
                    for site in self.watch.sites
                ],
            )

    def screened(self, book: Rulebook | None = None) -> None:
        rules = book or rulebook("immunosep-demo")
        keeper = Keeper(self.database, rules, SiteSecret(bytes(32)), (), "")
        processor = Processor(self.database, rules, keeper, lambda: self.now, lambda: None)
        while processor.step():
            pass
        processor.close()

    def after(self, **time: float) -> tuple[str, ...]:
        self.now += timedelta(**time)
        with self.database.read() as conn:
            return self.watch.look(conn)


@pytest.fixture
def store(each_store: str, tmp_path: Path) -> Iterator[House]:
    database = stores.opened(tmp_path)
    yield House(database)
    database.close()


def test_any_process_of_the_store_sees_what_became_of_it(store: House) -> None:
    assert (store.after(), store.watch.fresh(store.now)) == ((), False)
    store.told()
    assert (store.after(minutes=5), store.watch.fresh(store.now)) == ((), False)
    assert store.after(seconds=1) == ("canary-missed",), "nobody screens"
    store.screened()
    assert (store.after(), store.watch.fresh(store.now)) == ((), True)
    (figure,) = store.watch.figures()
    assert figure.samples[0].value == NOW.timestamp()
    assert (store.after(minutes=24), store.watch.fresh(store.now)) == ((), True)
    assert (store.after(minutes=2), store.watch.fresh(store.now)) == (("canary-missed",), False), "nobody tells it"
    store.told()
    store.screened()
    assert (store.after(), store.watch.fresh(store.now)) == ((), True)


def test_a_miss_stands_until_it_is_found_again(store: House) -> None:
    store.told(("immunoparalysis", "shown"))
    store.screened()
    assert (store.after(), store.watch.fresh(store.now)) == (("canary-missed",), False)
    store.now += timedelta(minutes=15)
    store.told()
    assert store.after(minutes=1) == ("canary-missed",), "the next one waits"
    store.screened()
    assert store.after() == ()


def test_one_that_the_program_itself_fails_on_is_a_miss(store: House) -> None:
    demo = rulebook("immunosep-demo")
    (trial,) = demo.trials
    store.told()
    store.screened(replace(demo, trials=(replace(trial, strata=()),)))
    assert store.after() == ("canary-missed",)


def test_a_process_that_starts_after_a_night_waits_for_its_first_round(store: House) -> None:
    store.told()
    store.screened()
    store.now += timedelta(hours=9)
    store.watch = CanaryWatch(CanarySection(), store.watch.sites, lambda: store.now)
    assert (store.after(), store.watch.fresh(store.now)) == ((), False)
    assert store.after(minutes=31) == ("canary-missed",)


def test_what_a_clock_that_was_ahead_told_is_of_no_use(store: House) -> None:
    store.now += timedelta(days=30)
    store.told()
    store.screened()
    store.now -= timedelta(days=30)
    assert (store.after(), store.watch.fresh(store.now)) == ((), False)
    store.told()
    assert store.after(minutes=6) == ("canary-missed",), "nobody screens"
    store.screened()
    assert (store.after(), store.watch.fresh(store.now)) == ((), True)


def test_a_replay_leaves_what_became_of_it_as_it_was(store: House, tmp_path: Path) -> None:
    store.told(("immunoparalysis", "shown"))
    store.screened()
    second = Database.open(f"sqlite:///{tmp_path}/second.db")
    second.migrate()
    rules = rulebook("immunosep-demo")
    replay = Replay(store.database, second, rules, rules, SiteSecret(bytes(32)), store.now)
    assert replay.tell() == 0
    replay.judge()
    assert replay.turns() == []
    take_over(replay)
    second.close()
    assert store.after() == ("canary-missed",)


def test_one_that_is_never_told_is_missed(store: House) -> None:
    assert store.after(minutes=30) == ()
    assert store.after(seconds=1) == ("canary-missed",)


@pytest.mark.parametrize("error", [UnavailableError("no store"), StorageFailedError("the disk failed")])
def test_a_store_that_takes_nothing_is_tried_again_and_one_whose_disk_failed_ends_the_daemon(
    tmp_path: Path, error: UnavailableError
) -> None:
    database, stream = stores.opened(tmp_path), io.StringIO()
    telemetry.configure_log(stream)

    async def two_rounds() -> None:
        inbox = StoreInbox(database, lambda: None)
        await asyncio.to_thread(inbox.close)
        inbox._refusing = error
        section = CanarySection.model_construct(every=timedelta(milliseconds=10), expect={})
        async with asyncio.timeout(10):
            telling = asyncio.ensure_future(rounds(section, demo, ("generic",), inbox, lambda: NOW))
            while stream.getvalue().count("canary not told") < 2 and not telling.done():  # noqa: ASYNC110 — the log rings no bell
                await asyncio.sleep(0.01)
            telling.cancel()
            await telling

    def demo() -> Rulebook:
        return rulebook("immunosep-demo")

    failed = isinstance(error, StorageFailedError)
    with pytest.raises(StorageFailedError if failed else asyncio.CancelledError):
        asyncio.run(two_rounds())
    assert ("canary not told" in stream.getvalue()) is not failed
    database.close()
