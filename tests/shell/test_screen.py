"""`adapter screen`: an archive told again by its own clock; the same rows however it lies in files and however many work."""

import csv
import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests import nursery
from tests.builders import adt, obx, oru
from tests.installation import hashing
from tests.unmeasured import environment

FILES = {"assessments.csv", "linkage.csv", "report.html", "summary.json"}


def arrival(patient: str, **parts: str) -> bytes:
    parts = {"cls": "E", "ward": "ED", "visit": f"V{patient}", "sent": "20260102020100"} | parts
    return adt(parts.pop("event", "A01"), patient=patient, control=f"A{patient}", **parts)


def organs(patient: str, sent: str = "20260102031000") -> bytes:
    lines = (obx("777-3", "90", "10*3/uL"), obx("8478-0", "60", "mm[Hg]"))
    return oru(*lines, patient=patient, order=f"O{patient}", control=f"O{patient}", visit=f"V{patient}", sent=sent)


def ferritin(patient: str, value: str, sent: str = "20260102041000") -> bytes:
    return oru(
        obx("2276-4", value, "ng/mL"), patient=patient, order=f"F{patient}", control=f"F{patient}",
        visit=f"V{patient}", sent=sent,
    )  # fmt: skip


def neutrophils(patient: str) -> bytes:
    return oru(obx("751-8", "0.9", "10*3/uL"), patient=patient, order=f"N{patient}", control=f"N{patient}")


MERGE = adt("A40", patient="4", merged="5", control="M54", sent="20260102050000", visit="V4")
STORY = [
    *(arrival("1"), organs("1"), ferritin("1", "5200")),
    *(arrival("2"), organs("2"), ferritin("2", "5200"), neutrophils("2")),
    *(arrival("3"), organs("3")),
    *(arrival("4"), organs("5"), ferritin("5", "5200"), MERGE),
    b"MSH|rubbish",
]  # fmt: skip


def screened(
    folder: Path, bodies: list[bytes], *words: str, workers: int = 1, seed: int | None = None
) -> subprocess.CompletedProcess[bytes]:
    """With `seed`, by a process whose sets have another order."""
    folder.mkdir(exist_ok=True)
    archive = folder / "archive.mllp"
    archive.write_bytes(b"".join(b"\x0b" + body + b"\x1c\r" for body in bodies))
    command = ["screen", "--trial", "immunosep-demo", "--workers", str(workers), "--out", str(folder / "out"), *words]
    return nursery.run(*command, str(archive)) if seed is None else hashing(seed, *command, str(archive))


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "out" / "assessments.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    done = screened(folder, STORY, "--json", seed=1)
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    assert summary["seconds"] < 60
    return folder


def by_identifier(folder: Path) -> dict[str, list[dict[str, str]]]:
    with (folder / "out" / "linkage.csv").open(encoding="utf-8", newline="") as file:
        names = {row["person"]: row["identifier"] for row in csv.DictReader(file)}
    found: dict[str, list[dict[str, str]]] = {name: [] for name in names.values()}
    for row in rows(folder):
        found[names[row["person"]]].append(row)
    return found


def test_who_was_shown_and_since_when(one: Path) -> None:
    found = by_identifier(one)
    (row,) = found["1"]
    assert (row["verdict"], row["stratum"]) == ("candidate", "mals")
    assert row["first_shown"] == "2026-01-02T03:10:00+00:00"
    assert row["first_candidate"] == "2026-01-02T04:10:00+00:00"
    assert row["onset"].startswith("2026-01-02T03:00")
    (waiting,) = found["3"]
    assert (waiting["verdict"], waiting["first_candidate"]) == ("incomplete", "")
    assert "ferritin" in waiting["missing"].split()


def test_records_that_were_merged_are_one_person(one: Path) -> None:
    found = by_identifier(one)
    assert set(found) == {"1", "2", "3", "4"}
    assert found["4"][-1]["verdict"] == "candidate"


def test_a_near_miss_names_what_alone_stood_against_it(one: Path) -> None:
    (row,) = by_identifier(one)["2"]
    assert (row["last_verdict"], row["against"]) == ("not-candidate", "E5")
    summary = json.loads((one / "out" / "summary.json").read_text())
    trial = summary["trials"]["immunosep-demo"]
    assert trial["funnel"][0]["episodes"] == len(rows(one))
    assert trial["funnel"][-1] == {"step": "candidate", "episodes": sum(bool(r["first_candidate"]) for r in rows(one))}
    assert summary["messages"]["quarantined"] == 1
    ledger = dict(summary["ledger"])
    assert ledger.pop("observations") == sum(ledger.values())


def test_the_funnel_says_why_each_step_lost_whom(one: Path) -> None:
    trial = json.loads((one / "out" / "summary.json").read_text())["trials"]["immunosep-demo"]
    for step, following in pairwise(trial["flow"]):
        assert step["count"] - sum(step["left"].values()) == following["count"]
    (lost,) = [step["left"] for step in trial["flow"] if step["step"] == "I6 held at some time"]
    assert [why.split()[0] for why in lost] == ["E5"]


def test_the_report_draws_and_asks_nobody_for_anything(one: Path) -> None:
    page = (one / "out" / "report.html").read_text()
    assert page.count('role="img"') == 3
    drawn = re.findall(r'aria-labelledby="([\w-]+) ([\w-]+)"', page)
    assert all(f'id="{name}"' in page for pair in drawn for name in pair)
    assert not re.search(r"<script|<link|src=|url\(|@import|https?://", page)


def test_sofa_over_time_counts_from_the_moment_of_showing(one: Path) -> None:
    trial = json.loads((one / "out" / "summary.json").read_text())["trials"]["immunosep-demo"]
    shown = sum(bool(row["first_shown"]) for row in rows(one))
    moments = {moment["hour"]: moment for moment in trial["sofa_over_time"]}
    assert moments[0]["number"] == shown
    assert (moments[0]["median"], moments[0]["upper"]) == (3, 19)
    assert -24 not in moments


def test_only_the_linkage_names_anybody(one: Path) -> None:
    out = one / "out"
    assert {path.name for path in out.iterdir()} == FILES
    for path in out.iterdir():
        assert path.stat().st_mode & 0o077 == 0
        if path.name != "linkage.csv":
            assert not any(word in path.read_text() for word in ("HOSP", "DOE", "V1", "O1", "19500615"))
    assert "Not for diagnosis" in (out / "report.html").read_text()


def test_neither_the_order_of_the_archive_nor_the_workers_change_a_row(one: Path, tmp_path: Path) -> None:
    done = screened(tmp_path, [*STORY[:-1][::-1], STORY[-1]], workers=2, seed=2)
    assert done.returncode == 0, done.stderr
    assert numberless(tmp_path) == numberless(one)
    summaries = [json.loads((folder / "out" / "summary.json").read_text()) for folder in (one, tmp_path)]
    assert summaries[0] == summaries[1]


def numberless(folder: Path) -> dict[str, list[dict[str, str]]]:
    """In which order persons are numbered is the archive's."""
    return {name: [row | {"person": ""} for row in found] for name, found in by_identifier(folder).items()}


def test_what_is_there_already_is_not_written_over(one: Path) -> None:
    again = screened(one, STORY)
    assert again.returncode == 2
    assert b"holds files already" in again.stderr


def test_an_unknown_site_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    done = screened(tmp_path, STORY, "--site", "attikn")
    assert done.returncode == 2
    assert b"attikon" in done.stderr


def test_what_could_not_be_read_is_told(tmp_path: Path) -> None:
    done = screened(tmp_path, [arrival("1"), b"a page of text"])
    assert done.returncode == 0
    assert b"2 messages (1 of them unread: `reasons` in summary.json says why) of 1 persons" in done.stdout


PEAK = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "adapter", *sys.argv[1:]], stdin=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
sys.exit(done.returncode)
"""
"""The most memory, in MiB, that any process of the command had."""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is counted in KiB on Linux: run it there")
def test_an_archive_is_never_in_memory_whole(tmp_path: Path) -> None:
    """Small it takes 84 MiB; held whole, these 64 MiB took 204."""
    with (tmp_path / "archive.mllp").open("wb") as file:
        for number in range(160):
            letter = b"NTE|1||" + b"x" * 400 * 1024 + b"\r"
            file.write(b"\x0b" + arrival(str(number % 40)) + letter + b"\x1c\r")
    words = ["screen", "--trial", "immunosep-demo", "--workers", "1", "--out", str(tmp_path / "out")]
    command = [sys.executable, "-c", PEAK, *words, str(tmp_path / "archive.mllp")]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False, env=environment())
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) <= 150
    assert len(by_identifier(tmp_path)) == 40
