"""`adapter simulate`: files that `send` and `convert` read, and a feed to a real daemon."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import nursery
from tests.installation import Installation, hashing

SMALL = ("--beds", "40", "--hours", "1.5", "--seed", "7")


def adapter(*words: str) -> subprocess.CompletedProcess[bytes]:
    return nursery.run(*words)


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path / "place", "")
    yield made
    made.end()


def test_the_files_are_those_of_the_manifest_and_the_same_for_the_same_seed(tmp_path: Path) -> None:
    for seed, name in enumerate(("one", "two"), 1):
        done = hashing(seed, "simulate", *SMALL, "--site", "attikon", "--out", str(tmp_path / name))
        assert done.returncode == 0, done.stderr
    told = manifest(tmp_path / "one")
    assert told == manifest(tmp_path / "two")
    assert [file["name"] for file in told["files"]] == ["messages/hour-000.mllp", "messages/hour-001.mllp"]
    for file in told["files"]:
        data = (tmp_path / "one" / file["name"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file["sha256"]
        assert data == (tmp_path / "two" / file["name"]).read_bytes()
        assert (data.count(b"\x1c\r"), len(data)) == (file["messages"], file["bytes"])
    assert sum(told["types"].values()) == told["messages"] == sum(file["messages"] for file in told["files"])
    again = adapter("simulate", *SMALL, "--out", str(tmp_path / "one"))
    assert again.returncode == 2
    assert b"holds files already" in again.stderr


def test_convert_reads_every_message_of_the_files(tmp_path: Path) -> None:
    adapter("simulate", *SMALL, "--site", "nl-example", "--out", str(tmp_path))
    done = adapter("convert", "--site", "nl-example", "--json", str(tmp_path / "messages"))
    found = [json.loads(line) for line in done.stdout.splitlines()]
    told = manifest(tmp_path)
    assert len(found) == told["messages"]
    unused = [one for one in found if one["disposition"] != "applied"]
    assert len(unused) == told["oddities"].get("malformed", 0)
    assert not sum(one["ledger"]["unmapped_code"] + one["ledger"]["unmapped_unit"] for one in found)


def test_the_files_are_sent_to_a_daemon_and_all_accounted_for(tmp_path: Path, place: Installation) -> None:
    adapter("simulate", *SMALL, "--out", str(tmp_path / "sim"))
    told = manifest(tmp_path / "sim")
    place.start()
    done = adapter("send", "--to", f"127.0.0.1:{place.mllp}", "--json", str(tmp_path / "sim" / "messages"))
    codes = json.loads(done.stdout)["codes"]
    assert sum(codes.values()) == told["messages"]
    assert codes["AA"] >= told["messages"] - told["oddities"].get("malformed", 0)
    counts = place.settled(told["messages"])
    assert counts["received"] == told["messages"]
    assert counts["duplicate"] == told["oddities"]["duplicate"]
    assert counts["quarantined"] == told["oddities"].get("malformed", 0)


def test_a_feed_ends_now_when_sent_as_fast_as_answers_come(place: Installation) -> None:
    place.start()
    to = ("--to", f"127.0.0.1:{place.mllp}")
    done = adapter("simulate", "--beds", "20", "--hours", "1", *to, "--speed", "0", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["refused"] == 0
    assert told["sent"] == told["messages"] > 20
    assert place.settled(told["messages"])["received"] == told["messages"]


def test_nobody_listening_is_told_by_the_exit_code() -> None:
    done = adapter("simulate", "--beds", "1", "--hours", "0.1", "--to", "127.0.0.1:1", "--speed", "0", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == (1 if told["messages"] else 0)
    assert told["refused"] == told["messages"]


def test_wrong_use_is_said_in_a_sentence(tmp_path: Path) -> None:
    assert adapter("simulate").returncode == 2
    assert b"did you mean 'attikon'" in adapter("simulate", "--site", "atikon", "--out", str(tmp_path / "x")).stderr
    late = adapter("simulate", "--start", "2026-01-01T00:00:00", "--out", str(tmp_path / "x"))
    assert b"--start 2026-01-01T00:00:00: add the offset" in late.stderr
