"""Snapshots as CSV files in a drop folder."""

import asyncio
import csv
import hashlib
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from adapter.domain.message import Delivery, RemoteResource
from adapter.errors import RejectedError, UnavailableError
from adapter.fhir.bundle import bundle_text, candidate_bundle
from adapter.fhir.flat import KINDS
from adapter.sinks.drop_folder import DropFolder, cell
from tests.assessments import CONTEXT, assessment, followed

KEY, NEXT = "0123456789abcdef", "fedcba9876543210"


def delivery(key: str = KEY, *, remote: RemoteResource | None = None, **changes: Any) -> Delivery:
    bundle = candidate_bundle(assessment(**changes), screening_id="7Q2KX", context=CONTEXT)
    return Delivery(1, "csv", "7Q2KX", "bundle", bundle_text(bundle), key, remote=remote)


def deliver(folder: Path, given: Delivery) -> RemoteResource | None:
    return asyncio.run(DropFolder(folder).deliver(given))


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def manifest(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "manifest.json").read_text()))


def test_a_snapshot_is_one_folder_of_files_whose_sums_and_rows_the_manifest_tells(tmp_path: Path) -> None:
    assert deliver(tmp_path, delivery()) == RemoteResource(KEY, "1")
    (place,) = tmp_path.iterdir()
    assert place.name == "7Q2KX-0001-01234567"
    told = manifest(place)
    assert (told["snapshot"], told["sequence"], told["supersedes"], told["study"]) == (KEY, 1, None, "NCT04990232")
    assert {one["name"] for one in told["files"]} == {p.name for p in place.iterdir()} - {"manifest.json"}
    for one in told["files"]:
        data = (place / one["name"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (one["bytes"], one["sha256"])
        assert len(table(place, one["name"])) == one["rows"]
    (record,) = table(place, "record.csv")
    assert (record["screening_number"], record["status"], record["sofa_total_low"]) == ("7Q2KX", "candidate", "5")
    assert record["onset"] == "2026-01-02T09:00:00+02:00"


def test_the_columns_are_the_listed_items_alone(tmp_path: Path) -> None:
    deliver(tmp_path, delivery(status="on-study", follow_up=followed()))
    (place,) = tmp_path.iterdir()
    for kind, name in (("record", "record.csv"), ("observation", "observations.csv"), ("day", "days.csv")):
        items = [item.replace("-", "_") for item in KINDS[kind] if item != "screening-number"]
        assert [*table(place, name)[0]] == ["snapshot", "sequence", "screening_number", "tells", *items]


def test_the_next_snapshot_names_the_one_it_supersedes(tmp_path: Path) -> None:
    first = deliver(tmp_path, delivery())
    second = deliver(tmp_path, delivery(NEXT, remote=first, status="consent-asked"))
    assert second == RemoteResource(NEXT, "2")
    newest = max(tmp_path.iterdir())
    assert newest.name == "7Q2KX-0002-fedcba98"
    assert (manifest(newest)["sequence"], manifest(newest)["supersedes"]) == (2, KEY)
    assert table(newest, "observations.csv")[0]["sequence"] == "2"


def test_the_same_delivery_again_changes_nothing(tmp_path: Path) -> None:
    deliver(tmp_path, delivery())
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.glob("*/*")}
    assert deliver(tmp_path, delivery()) == RemoteResource(KEY, "1")
    assert {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.glob("*/*")} == before


def test_what_a_crash_left_half_written_is_never_seen_as_a_snapshot(tmp_path: Path) -> None:
    part = tmp_path / ".7Q2KX-0001-01234567.part"
    part.mkdir()
    (part / "record.csv").write_text("half")
    deliver(tmp_path, delivery())
    (place,) = tmp_path.iterdir()
    assert table(place, "record.csv")[0]["status"] == "candidate"


def test_what_a_row_does_not_tell_is_told_apart_from_what_nobody_knows(tmp_path: Path) -> None:
    deliver(tmp_path, delivery(status="on-study", follow_up=followed()))
    (place,) = tmp_path.iterdir()
    assert table(place, "record.csv")[0]["tells"] == "status"
    second, last = table(place, "days.csv")
    assert (second["tells"], second["sofa_total"], second["vital_status"]) == ("sofa vital-status", "", "alive")
    assert (last["tells"], last["vital_status"]) == ("vital-status", "")


def test_the_group_of_the_folder_may_read_and_nobody_else(tmp_path: Path) -> None:
    deliver(tmp_path, delivery())
    (place,) = tmp_path.iterdir()
    assert stat.S_IMODE(place.stat().st_mode) == 0o750
    assert {stat.S_IMODE(p.stat().st_mode) for p in place.iterdir()} == {0o640}


def test_a_share_that_is_not_there_is_tried_again_and_never_made(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="drop folder"):
        deliver(tmp_path / "not-mounted", delivery())
    assert [*tmp_path.iterdir()] == []


def test_a_key_or_a_payload_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    for given in (delivery("../../escape"), Delivery(1, "csv", "s", "bundle", "{}", KEY)):
        with pytest.raises(RejectedError):
            deliver(tmp_path, given)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"), ("+A1", "'+A1"), ("-A1", "'-A1"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'\t=1"), ("\r=1", "'\r=1"),
        ("-4", "-4"), ("+0.5", "+0.5"), ("-4+A1", "'-4+A1"), ("<5", "<5"), ("", ""),
    ],
)  # fmt: skip
def test_no_cell_is_a_formula(text: str, written: str) -> None:
    assert cell(text) == written
