"""The runbooks name every alarm there is, and their commands exist: they are run beside a running daemon."""

import ast
import re
import shlex
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adapter import ENVIRONMENT_VARIABLE
from adapter.cli.entry import app
from adapter.daemon import anchoring, canary, certificates, clock, health, trial_watch
from adapter.errors import RejectedError
from adapter.sources import fhir_client, fhir_tally, folder_tally
from adapter.store import rehearsal_log
from adapter.store.space import Room
from tests.builders import obx
from tests.installation import Installation, lines, tell, until
from tests.web_house import arrival, organs, results

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8")
SECTIONS = {one[:4]: one for one in re.split(r"^## (?=RB)", PAGE, flags=re.MULTILINE)[1:]}
PARTS = ("**Seen**", "**Alarm**", "```sh", "**Do**", "**Never**", "**Escalate**", "**On record**")
MOST_LINES = 15
STOPPED = {"RB09", "RB23"}
"""Their commands take the house apart: whoever wrote those commands runs them in a house of its own."""
CODE = re.compile(r"[a-z]+(-[a-z]+)*")
DONE, NO = 0, 1


def strings(path: str | None, *functions: str) -> Iterator[str]:
    """Every text that these functions of a module hold, but for their descriptions."""
    assert path is not None
    for found in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
        if isinstance(found, ast.FunctionDef) and found.name in functions:
            said = (one.value for one in ast.walk(found) if isinstance(one, ast.Constant))
            yield from (one for one in said if isinstance(one, str) and CODE.fullmatch(one))


def polled() -> Iterator[str]:
    """What can be wrong with a polled server; the reasons of HTTP's library beside our own."""
    yield from {*fhir_tally.AT_ONCE, *fhir_tally.ODD, *fhir_client.ADVICE, "connection", "timeout"}
    for path in (ROOT / "adapter" / "sources").glob("*.py"):
        for found in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(found, ast.Call) and getattr(found.func, "id", "") == "PollError":
                first = found.args[0]
                if isinstance(first, ast.Constant):
                    yield first.value


def alarms() -> set[str]:
    ours = strings(health.__file__, "_waiting_alarms", "_held", "_probe")
    dated = strings(certificates.__file__, "alarms")
    others = {
        *strings(anchoring.__file__, "alarms"),
        health.HELD,
        canary.ALARM,
        trial_watch.SILENT,
        trial_watch.STORMS,
        rehearsal_log.UNTESTED,
        rehearsal_log.FAILED,
        clock.STEPPED,
        clock.UNSYNCHRONISED,
    }
    folders = {folder_tally.UNREACHABLE, folder_tally.FILE, folder_tally.LEFT, folder_tally.STUCK}
    rooms = {room for room in Room if room}
    return {*ours, *dated, *others, *folders, *rooms, health.SLOW, *(f"poll-{kind}" for kind in polled())}


def test_every_alarm_is_named_by_a_runbook() -> None:
    known = alarms()
    assert {"feed-silent", "quarantine", "disk-low", "certificate-expired", "store-unavailable", "poll-loop"} <= known
    named = set(re.findall(r"`([a-z-]+)`", PAGE))
    assert known - named == set(), "no runbook says what to do"
    told = {
        code for one in SECTIONS.values() for line in one.splitlines() if "**Alarm**" in line for code in codes(line)
    }
    assert told - known == set(), "a runbook waits for an alarm that nobody raises"


def codes(line: str) -> list[str]:
    return re.findall(r"`([a-z]+(?:-[a-z]+)*)`", line.partition("**Alarm**")[2])


def test_there_are_24_in_order_each_short_and_whole() -> None:
    assert list(SECTIONS) == [f"RB{number:02}" for number in range(1, 25)]
    for name, text in SECTIONS.items():
        places = [text.find(part) for part in PARTS]
        assert all(earlier < later for earlier, later in pairwise(places)), f"{name}: {PARTS} in this order"
        assert sum(1 for line in text.splitlines() if line.strip()) <= MOST_LINES, name


def commands() -> list[str]:
    """Of the blocks and within the words."""
    found: dict[str, None] = {}
    for name, text in SECTIONS.items():
        if name not in STOPPED:
            blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
            spoken = re.findall(r"`(adapter [a-z][^`]*)`", text)
            found |= dict.fromkeys([line for block in blocks for line in block.splitlines()] + spoken)
    return list(found)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A daemon with a candidate, and a message nobody can read."""
    made, now = Installation(tmp_path_factory.mktemp("house"), ""), datetime.now(UTC)  # noqa: TID251 — the daemon's own clock
    try:
        made.start()
        lab = results("100", *organs(), obx("2276-4", "5200", "ng/mL"), name="X^Y", at=now - timedelta(hours=1))
        tell(made.mllp, arrival("100", "X^Y", at=now - timedelta(hours=2)), lab, b"nobody")
        until(lambda: "adapter_shown 1.0" in made.get("/metrics"))
        made.command("user", "add", "anna", "--role", "coordinator")
        yield made
    finally:
        made.end()


def test_the_commands_of_the_runbooks_run(place: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(place.config))
    (held,) = lines(place.command("quarantine", "list", "--json").stdout)
    with_names = {
        "MESSAGE": str(held["id"]),
        "CANDIDATE": candidate(place),
        "NAME": "anna",
        "SITE|AUTHORITY|NUMBER": "generic|HOSP|100",
    }
    ours = [line for line in commands() if re.search(r"(^|\| )adapter ", line)]
    assert len(ours) > 15
    for line in ours:
        filled = line
        for word, meant in with_names.items():
            filled = filled.replace(word, meant)
        ended = run(filled)
        assert ended.exit_code in {DONE, NO} or isinstance(ended.exception, RejectedError), (line, ended.output)
        assert "bug" not in ended.output, line


def candidate(place: Installation) -> str:
    with sqlite3.connect(f"file:{place.database}?mode=ro", uri=True) as conn:
        (found,) = conn.execute("SELECT id FROM candidates WHERE standing = 1").fetchone()
    return str(found)


def run(line: str) -> Result:
    """`echo WORDS | adapter …` too."""
    said, _, command = line.rpartition(" | ")
    words = shlex.split(command)
    assert words[0] == "adapter", line
    return CliRunner().invoke(app, words[1:], input=shlex.split(said)[1] + "\n" if said else None)


def test_the_addresses_of_the_runbooks_answer(place: Installation) -> None:
    asked = {
        found[1] for line in commands() if (found := re.fullmatch(r"curl -s http://127\.0\.0\.1:8080(/\w+)", line))
    }
    assert asked == {"/healthz", "/metrics"}
    for path in asked:
        assert place.get(path)


def test_a_command_that_is_none_is_found_out() -> None:
    assert run("adapter chekc").exit_code == 2
    assert run("adapter check --verbose").exit_code == 2
