"""Thousands of messages of other people's systems: nothing crashes, nothing vanishes, every answer is the one that is owed."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter.cli.files import read_messages
from tests import nursery
from tests.builders import obx, oru
from tests.corpus.reading import FOLDER, Reading, everything, listed, read, reader
from tests.corpus.table import HEAD, PAGE, page
from tests.installation import Installation, lines, tell

OBX = re.compile(rb"(?:^|[\r\n])OBX(?=[^0-9A-Za-z\s]|[\r\n]|$)")
PATIENTS = re.compile(rb"[\x00\x0c\s]*(?:\xef\xbb\xbf)?MSH(.)[^\r\n]*?\1(?:ORU|ADT)[^A-Z0-9]", re.DOTALL)
ONE_SECOND = 1.0

pytestmark = pytest.mark.skipif(
    not (FOLDER / "messages.csv").is_file(), reason=f"third-party messages not found at {FOLDER}; set ADAPTER_TEST_DATA"
)


# --- convert ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def readings() -> tuple[Reading, ...]:
    return everything()


def accounted(readings: Iterator[Reading] | tuple[Reading, ...]) -> Iterator[Reading]:
    for one in readings:
        ledger = dict(one.seen["ledger"])
        total = ledger.pop("observations")
        assert total == sum(ledger.values()) == len(OBX.findall(one.found.body)), one.found.source
        assert one.seen["disposition"] in {"applied", "ignored", "quarantined"}
        assert (one.seen["disposition"] == "applied") == (one.seen["reason"] is None), one.found.source
        json.dumps(one.seen, ensure_ascii=False).encode()
        yield one


def test_every_listed_message_is_found(readings: tuple[Reading, ...]) -> None:
    found = Counter(one.found.source.rpartition("#")[0] for one in readings)
    split = {str(FOLDER / "lit-python-hl7" / f"samples_{number}.hl7"): 2 for number in ("009", "018", "019")}
    commented = {path: 2 for path in listed() if path.endswith("stago-start4-coagulation.hl7")}
    assert {path: found[path] for path in listed()} == listed() | split | commented, (
        "a BHS or FHS stands in the middle of three messages; a comment before a fourth is a part of its own"
    )
    assert sum(listed().values()) >= 1312


def test_the_ledger_of_every_message_counts_every_obx(readings: tuple[Reading, ...]) -> None:
    assert sum(1 for _ in accounted(readings)) == len(readings)


def test_no_message_takes_a_second(readings: tuple[Reading, ...]) -> None:
    slow = {one.found.source: one.seconds for one in readings if one.seconds > ONE_SECOND}
    assert not slow


@pytest.mark.parametrize("site", ["us-example", "nl-example", "attikon"])
def test_every_site_reads_results_and_movements_in_production_too(site: str, readings: tuple[Reading, ...]) -> None:
    bodies = [one.found for one in readings if one.kind[:3] in {"ORU", "ADT"}]
    for one in accounted(read(reader(site, production=True), bodies)):
        assert one.seconds < ONE_SECOND, one.found.source


def test_the_command_says_the_same(readings: tuple[Reading, ...]) -> None:
    done = nursery.run("convert", "--json", "--test", str(FOLDER))
    assert (done.returncode, done.stderr) == (0, b"")
    sources = {one.found.source for one in readings}
    said = [one for line in done.stdout.splitlines() if (one := json.loads(line))["source"] in sources]
    assert [(one["source"], one["type"]) for one in said] == [(one.found.source, one.seen["type"]) for one in readings]
    # What lay in the future at our fixed time may be past by now: only that may differ.
    ends = Counter((one["disposition"], one["reason"]) for one in said)
    assert ends == Counter((one.seen["disposition"], one.seen["reason"]) for one in readings)


def test_the_page_tells_what_became_of_them(readings: tuple[Reading, ...]) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(readings), "`python -m tests.corpus.table`, then read the diff"
    reasons = {reason for one in readings if one.seen["reason"] for reason in one.seen["reason"].split(", ")}
    assert [reason for reason in sorted(reasons) if f"`{reason}`" not in HEAD] == []


# --- send -------------------------------------------------------------------------------------------------------------


def owed(body: bytes) -> str:
    """The answer by decisions D, from the bytes alone."""
    header, *lines = re.split(rb"[\r\n]+", body[body.index(b"MSH") :])
    fields = header.split(header[3:4])
    accept, application = ((fields[n].decode("latin-1") if len(fields) > n else "") for n in (14, 15))
    if any(line.startswith(b"MSA") for line in lines):
        return "not owed"
    if accept in {"AL", "SU"}:
        return "CA"
    if accept == "ER" or (accept == "NE" and application not in {"AL", "SU"}):
        return "not owed"
    return "AA"


def sort_by_answer(folder: Path) -> Counter[str]:
    """A folder for each answer, a file for each ORU and ADT of the corpus."""
    counts: Counter[str] = Counter()
    for found in read_messages([str(FOLDER)]):
        if PATIENTS.match(found.body):
            answer = owed(found.body)
            counts[answer] += 1
            place = folder / answer.replace(" ", "-")
            place.mkdir(exist_ok=True)
            (place / f"{counts[answer]:05}.hl7").write_bytes(found.body)
    return counts


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Installation]:
    """Beside production, so that test messages are applied too; no message of the corpus is too big for it."""
    made = Installation(tmp_path, "", ADAPTER_ADAPTER__ENVIRONMENT="test")
    made.config.write_text(made.config.read_text().replace("max_bytes = 65536\n", ""))
    made.start()
    yield made
    made.end()


def test_a_running_daemon_answers_each_as_it_owes_and_lives_on(daemon: Installation, tmp_path: Path) -> None:
    (tmp_path / "feed").mkdir()
    counts = sort_by_answer(tmp_path / "feed")
    assert counts.total() >= 850
    for answer, count in counts.items():
        folder = tmp_path / "feed" / answer.replace(" ", "-")
        target = f"127.0.0.1:{daemon.mllp}"
        (sent,) = lines(daemon.command("send", "--json", "--connections", "4", "--to", target, str(folder)).stdout)
        assert sent["codes"] == {answer: count}

    found = daemon.settled(counts.total(), 60)
    rows = lines(daemon.command("inbox", "list", "--json").stdout)
    assert len(rows) + sum(row["duplicates"] for row in rows) == found["received"] == counts.total()
    assert found["duplicate"] == sum(row["duplicates"] for row in rows)
    assert {row["state"] for row in rows} <= {"applied", "ignored", "quarantined"}
    assert [row["reason"] for row in rows if str(row["reason"]).startswith("INTERNAL")] == []

    alive = oru(obx("777-3", "98", "10*3/uL"), control="ALIVE", patient="424242")
    assert b"MSA|AA|ALIVE" in tell(daemon.mllp, alive)
    daemon.settled(counts.total() + 1)
    *_, last = lines(daemon.command("inbox", "list", "--json").stdout)
    assert (last["control_id"], last["state"]) == ("ALIVE", "applied")
    assert daemon.stop() == 0
    assert "Traceback" not in daemon.log.read_text()
