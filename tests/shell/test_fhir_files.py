"""FHIR files by the command line: `convert`, `screen` of Bulk Data beside the same archive in HL7 v2, `send`."""

import csv
import json
import subprocess
from pathlib import Path

import pytest

from tests import as_fhir, nursery
from tests.builders import adt, obx, oru

STORY = (
    adt("A01", cls="E", ward="ED", sent="20260102020100+0000", at="20260102020000+0000"),
    oru(obx("777-3", "90", "10*3/uL"), obx("8478-0", "60", "mm[Hg]"), order="O1", at="20260102030000+0000",
        issued="20260102031000+0000", sent="20260102031000+0000"),
    oru(obx("2276-4", "5200", "ng/mL"), order="F1", at="20260102030000+0000", issued="20260102041000+0000",
        sent="20260102041000+0000"),
)  # fmt: skip
SAME = (
    "last_verdict",
    "certainty",
    "stratum",
    "sofa_low",
    "sofa_high",
    "onset",
    "deadline",
    "met",
    "against",
    "missing",
)


def adapter(*words: str) -> subprocess.CompletedProcess[bytes]:
    return nursery.run(*words)


@pytest.fixture(scope="module")
def bulk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file for each type, as Bulk Data writes them; the patient in none but Patient.ndjson."""
    folder = tmp_path_factory.mktemp("bulk")
    files: dict[str, dict[str, str]] = {}
    for body in STORY:
        for entry in json.loads(as_fhir.bundle(body))["entry"]:
            resource = entry["resource"]
            files.setdefault(resource["resourceType"], {})[resource["id"]] = json.dumps(resource)
    for kind, lines in files.items():
        (folder / f"{kind}.ndjson").write_text("\n".join(lines.values()) + "\n")
    assert {path.stem for path in folder.iterdir()} == {"Patient", "Encounter", "Observation"}
    return folder


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "assessments.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_screen_finds_the_same_in_bulk_data_as_in_hl7(bulk: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive.hl7"
    archive.write_bytes(b"".join(b"\x0b" + body + b"\x1c\r" for body in STORY))
    for name, path in (("fhir", bulk), ("hl7", archive)):
        done = adapter(
            "screen", "--trial", "immunosep-demo", "--workers", "1", "--out", str(tmp_path / name), str(path)
        )
        assert done.returncode == 0, done.stderr
    (ours,), (theirs,) = rows(tmp_path / "fhir"), rows(tmp_path / "hl7")
    assert {name: ours[name] for name in SAME} == {name: theirs[name] for name in SAME}
    assert ours["first_shown"] == theirs["first_shown"] != ""


def test_convert_puts_the_files_of_a_patient_together(bulk: Path) -> None:
    done = adapter("convert", "--json", str(bulk))
    assert done.returncode == 0, done.stderr
    (found,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (found["type"], found["disposition"], found["ledger"]["used"]) == ("NDJSON", "applied", 3)
    assert {event["kind"] for event in found["events"]} == {"patient", "encounter", "observation"}


def test_convert_says_what_no_resource_is(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"hello": "world"}')
    done = adapter("convert", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert b"quarantined (NO_FHIR)" in done.stdout


def test_send_leaves_fhir_to_others(bulk: Path) -> None:
    done = adapter("send", "--to", "127.0.0.1:1", str(bulk))
    assert done.returncode == 2
    assert b"MLLP carries HL7 v2" in done.stderr
