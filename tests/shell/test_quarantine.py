"""What nobody could read: put back by a person, read again under today's rules, given up; by commands and by hand."""

import base64
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapter.daemon.figures import figures
from adapter.daemon.health import Pulse
from adapter.pipeline.process import Processor
from adapter.store import inbox, quarantine
from adapter.store.space import Marks, Space
from adapter.telemetry import Metrics
from tests import nursery, stores
from tests.builders import adt, er7, msh, obr, obx, oru, pid, raw
from tests.installation import Installation, tell
from tests.walking import House, open_house

LINES = (
    obx("777-3", "140", "10*3/uL"),
    obx("1975-2", "1.2", "mg/dL"),
    obx("2160-0", "1.9", "mg/dL"),
    obx("8478-0", "68", "mm[Hg]"),
    obx("2276-4", "5200", "ng/mL"),
)
ADMITTED = adt("A01", cls="E", ward="ED", control="A1")
RESULTS = oru(*LINES, control="R1", processing="T")


@pytest.fixture
def house(each_store: str, tmp_path: Path) -> Iterator[House]:
    built = open_house(tmp_path)
    yield built
    built.database.close()


def today(house: House, *, production: bool) -> None:
    """Other rules from now on, as after a restart."""
    rules = replace(house.keeper.rules, production=production)
    house.processor.close()
    house.processor = Processor(house.database, rules, house.keeper, lambda: house.now, lambda: None)


def ledgers(house: House) -> list[dict[str, int]]:
    with house.database.read() as conn:
        rows = conn.exec_driver_sql("SELECT ledger FROM inbox_outcomes ORDER BY id").all()
    return [json.loads(row[0]) for row in rows]


def test_a_released_message_makes_the_candidate_it_would_have_made(house: House, tmp_path: Path) -> None:
    house.tell(RESULTS, ADMITTED)
    assert (house.rows, house.counts().quarantined) == ([], 1)
    with house.database.write() as tx:
        quarantine.release(tx, 1)
    house.work()
    assert (house.rows, house.counts().quarantined) == ([], 1)
    today(house, production=False)
    with house.database.write() as tx:
        assert quarantine.release_all(tx, "PROCID", 0) == [1]
    house.work()
    counts = house.counts()
    assert (counts.applied, counts.quarantined, counts.pending) == (2, 0, 0)
    (tmp_path / "other").mkdir()
    other = open_house(tmp_path / "other")
    today(other, production=False)
    other.tell(RESULTS, ADMITTED)
    assert house.row.verdict == "candidate"
    assert house.row.assessment | {"patient": ""} == other.row.assessment | {"patient": ""}
    assert ledgers(house) == ledgers(other)
    other.database.close()


def test_every_ending_has_a_ledger_that_counts_what_looks_like_a_result(house: House) -> None:
    lost = b"OBX|1|NM|K||1\rOBX|2|NM|K||2\r"
    with house.database.write() as tx:
        inbox.put_many(tx, [raw(b"?\r" + lost, quarantine="NO_MSH"), raw(b"??\r" + lost), raw(lost, site="gone")])
    house.work()
    assert len(ledgers(house)) == 3
    for ledger in ledgers(house):
        assert ledger["observations"] == ledger["message_not_used"] == 2


def test_a_message_we_fail_on_has_one_too(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    house.put(RESULTS)
    with monkeypatch.context() as patch:
        patch.setattr("adapter.pipeline.ahead.interpret", broken)
        house.work()
    assert ledgers(house)[0]["message_not_used"] == len(LINES)
    space = Space(tmp_path, Marks(0, 0, 0, 0))
    assert Pulse(house.database, space, lambda: house.now).health().codes == ("message-failed",)
    metrics = Metrics()
    metrics.compute(lambda: figures(house.database, space, lambda: house.now))
    text = metrics.text().decode()
    assert 'adapter_quarantine{code="INTERNAL",feed="lab"} 1.0' in text
    assert "# TYPE adapter_messages_quarantined gauge" in text
    with house.database.write() as tx:
        assert quarantine.release(tx, 1).reason == "INTERNAL ZeroDivisionError"
    today(house, production=False)
    house.work()
    assert house.counts().applied == 1


# --- as an operator meets it ------------------------------------------------------------------------------------------


@pytest.fixture
def place(each_store: str, tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path / "here", "")
    yield made
    made.end()


def run(place: Installation, *words: str) -> subprocess.CompletedProcess[str]:
    return nursery.run("quarantine", *words, "--config", str(place.config), text=True)


def listed(place: Installation, *words: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in run(place, "list", "--json", *words).stdout.splitlines()]


def in_training(control: str) -> bytes:
    return er7(msh("ORU^R01", control=control, processing="T"), pid(name="SECRET^S"), obr(control), LINES[0])


WHY = ("--reason", "ticket 77")


def test_beside_a_running_daemon_messages_are_listed_shown_released_and_given_up(place: Installation) -> None:
    place.start()
    tell(place.mllp, in_training("1"), in_training("\x1b[2J2"), b"nobody", oru(LINES[1], control="9"))
    place.settled(4)
    first, _, door = listed(place)
    assert (first["id"], first["source"], first["control_id"], first["type"]) == (1, "lab", "1", "ORU^R01")
    assert (first["reason"], first["releasable"], door["releasable"]) == ("PROCID", True, False)
    assert "MSH-11 says test" in str(first["explained"])
    assert [row["id"] for row in listed(place, "--code", "NO_MSH")] == [3]
    told = run(place, "list").stdout
    assert "\x1b" not in told
    assert "SECRET" not in told
    shown = json.loads(run(place, "show", "1", *WHY, "--json").stdout)
    assert base64.b64decode(shown["body"]) == in_training("1")
    assert "SECRET^S" in run(place, "show", "1", *WHY).stdout
    for words, code, said in (
        (("show", "4", *WHY), 1, "message 4 is not in quarantine"),
        (("show", "1"), 2, "--reason"),
        (("release", "1", "--reason", " "), 1, "say why"),
        (("release", "3", *WHY), 1, "came in broken (NO_MSH)"),
        (("release", *WHY), 2, "give an ID"),
        (("release", "--all-with-reason", "NO_MSH", *WHY), 1, "nothing with the reason NO_MSH can be released"),
        (("discard", "77", *WHY), 1, "message 77 is not in quarantine"),
    ):
        done = run(place, *words)
        assert (done.returncode, said in done.stderr) == (code, True), (words, done.stderr)
    assert json.loads(run(place, "release", "--all-with-reason", "PROCID", *WHY, "--json").stdout)["released"] == [1, 2]
    assert place.settled(4)["quarantined"] == 3
    assert run(place, "discard", "3", *WHY).returncode == 0
    counts = place.settled(4)
    assert (counts["applied"], counts["ignored"], counts["quarantined"]) == (1, 1, 2)
    assert place.stop() == 0
    assert "SECRET" not in place.log.read_text()


def test_what_is_released_while_the_daemon_rests_is_read_by_the_next_one(place: Installation) -> None:
    place.start()
    tell(place.mllp, in_training("1"))
    place.settled(1)
    assert place.stop() == 0
    assert run(place, "release", "1", *WHY).stdout.startswith("released 1")
    assert listed(place) == []
    place.config.write_text(place.config.read_text().replace('"production"', '"test"'))
    place.start()
    assert place.settled(1)["applied"] == 1


def test_before_the_first_start_there_is_no_quarantine(each_store: str, tmp_path: Path) -> None:
    stores.address(tmp_path / "here" / "data", bare=True)
    none_yet = Installation(tmp_path / "here", "")
    assert run(none_yet, "list").returncode == (2 if stores.on_sqlite() else 3)
