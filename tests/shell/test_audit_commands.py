"""The audit log as an inspector takes it along, and what tells a log that was cut or written anew."""

import csv
import hashlib
import io
import json
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter import flushed
from adapter.daemon.audit_export import COLUMNS, Cut, exported
from adapter.daemon.noted import contradicted, noted
from adapter.domain.patient import PatientId
from adapter.errors import ConfigError
from adapter.store import audit, screening_ids
from adapter.store.audit import Act, Head
from adapter.store.audit_walk import check
from adapter.store.database import Database
from adapter.store.secret import SiteSecret
from tests import stores
from tests.installation import Installation

NOW = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
ALL = Cut()


@pytest.fixture
def place(each_store: str, tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path, "")
    yield made
    made.end()


@pytest.fixture
def database(each_store: str, tmp_path: Path) -> Iterator[Database]:
    opened = stores.opened(tmp_path)
    yield opened
    opened.close()


def proves_itself(lines: list[bytes]) -> bool:
    """The recipe of docs/audit.md, with nothing but hashlib and json."""
    previous, number = "0" * 64, 0
    for line in lines:
        entry = json.loads(line)
        digest = entry.pop("hash")
        text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            return False
        if (entry["seq"], entry["previous"]) != (number + 1, previous):
            return False
        previous, number = digest, entry["seq"]
    return True


def filled(database: Database, *acts: Act, step: timedelta = timedelta(hours=1)) -> Head:
    with database.write() as tx:
        for number, act in enumerate(acts):
            last = audit.append(tx, act, NOW + number * step)
    return last


def lines(database: Database, cut: Cut = ALL, form: str = "ndjson") -> list[bytes]:
    with database.read() as conn:
        upto = audit.head(conn).seq
    return list(exported(database, cut, form, upto))


def rows(database: Database, cut: Cut = ALL) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(database, cut)]


ACTS = (
    Act("άννα", "coordinator", "sign-in", detail={"by": "password"}),
    Act("anna", "coordinator", "view-log", "trial", "one", {"rows": 2}),
    Act("anna", "coordinator", "view-log", "trial", "two", {"rows": 3}),
    Act("=cmd", "operator", "inbox-show", "message", "7", reason='@SUM(1) "x"\r\nsecond line'),
    Act("anna", "coordinator", "claim", "candidate", "gone", {"trial": "two"}),
)
NUMBERED = (
    Act("adapter", "system", "push-sent", "screening-number", "N1", {"outlet": "edc"}),
    Act("adapter", "system", "alert-sent", "delivery", "key", {"outlet": "mail", "subject": "N1"}),
    Act("adapter", "system", "alert-sent", "delivery", "several", {"outlet": "mail", "subject": "several"}),
    Act("anna", "coordinator", "view-candidate", "candidate", "gone"),
    Act("adapter", "system", "push-sent", "screening-number", "N2", {"outlet": "edc"}),
    Act("adapter", "system", "alert-sent", "delivery", "key", {"outlet": "mail", "subject": "gone"}),
    Act("adapter", "system", "alert-escalated", "delivery", "key", {"candidates": ["N1", "gone"]}),
    Act("adapter", "system", "alert-failed", "delivery", "key", outcome="failed"),
)


def test_the_exported_chain_is_verified_with_nothing_but_hashlib_and_json(database: Database) -> None:
    filled(database, *ACTS)
    copy = lines(database)
    assert proves_itself(copy)
    assert [set(json.loads(line)) for line in copy] == [set(COLUMNS)] * len(ACTS)
    spoilt = [*copy[:3], copy[3].replace(b"inbox-show", b"inbox-list"), *copy[4:]]
    assert not proves_itself(spoilt)
    assert not proves_itself([*copy[:2], *copy[3:]])


def test_a_cut_by_time_and_trial_takes_its_entries_and_no_other(database: Database) -> None:
    filled(database, *ACTS)
    hour = timedelta(hours=1)
    assert [row["seq"] for row in rows(database, Cut(NOW + hour, NOW + 3 * hour))] == [2, 3]
    assert [row["seq"] for row in rows(database, Cut(trial="one"))] == [1, 2, 4]
    assert [row["seq"] for row in rows(database, Cut(trial="two"))] == [1, 3, 4, 5]


def test_what_left_the_house_is_of_the_trial_of_its_screening_number(database: Database) -> None:
    secret = SiteSecret(b"k" * 32)
    with database.write() as tx:
        screening_ids.allocate(tx, secret, "one", PatientId("generic", "HOSP", "1"), "N1")
    filled(database, *NUMBERED)
    assert [row["seq"] for row in rows(database, Cut(trial="one"))] == [1, 2, 3, 8]
    assert [row["seq"] for row in rows(database, Cut(trial="two"))] == [3, 8]


def test_a_blinded_copy_holds_no_details_no_words_and_no_hash_that_would_confirm_a_guess(database: Database) -> None:
    filled(database, *ACTS)
    for form in ("ndjson", "csv", "fhir"):
        copy = b"".join(lines(database, Cut(blinded=True), form))
        assert b"SUM" not in copy
        assert b"password" not in copy
        assert not any(row["hash"].encode() in copy for row in rows(database))
        assert b"inbox-show" in copy


def test_a_spreadsheet_runs_nothing_of_it_and_reads_what_was_written(database: Database) -> None:
    filled(database, *ACTS)
    copy = b"".join(lines(database, form="csv")).decode("utf-8-sig")
    head, *cells = csv.reader(io.StringIO(copy, newline=""))
    assert tuple(head) == COLUMNS
    assert [row[2] for row in cells] == ["άννα", "anna", "anna", "'=cmd", "anna"]
    assert cells[3][9] == '\'@SUM(1) "x"\r\nsecond line'


def test_a_hundred_thousand_entries_need_the_memory_of_a_portion(tmp_path: Path) -> None:
    """Written past `append`, which takes its time, by the recipe."""
    database = stores.opened(tmp_path)
    previous, put = "0" * 64, f"INSERT INTO audit ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * 12)})"
    with stores.beside(tmp_path) as conn:
        for number in range(1, 100_001):
            row: dict[str, Any] = dict.fromkeys(COLUMNS[:-1], "")
            row |= {
                "seq": number,
                "at": "2026-01-02T03:00:00.000000Z",
                "action": "seen",
                "detail": "{}",
                "outcome": "ok",
            }
            row["previous"] = previous
            previous = hashlib.sha256(json.dumps(row, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
            conn.execute(put, tuple((row | {"hash": previous}).values()))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with database.read() as conn:
        upto = audit.head(conn).seq
    count = 0
    for form in ("ndjson", "csv", "fhir"):
        count += sum(1 for _ in exported(database, Cut(), form, upto))
    assert count == 300_001
    assert check(database).problems == ()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    database.close()
    assert grown < 40, f"{grown} MiB more"


# --- against what was noted elsewhere --------------------------------------------------------------------------------


def against(database: Database, text: str) -> str | None:
    return contradicted(database, noted(text.splitlines(keepends=True), "noted"))[1]


def test_a_log_that_was_cut_or_written_anew_is_told_by_an_export_a_log_line_and_a_line_by_hand(
    database: Database, tmp_path: Path
) -> None:
    head = filled(database, *ACTS)
    export = b"".join(lines(database)).decode()
    line = f'Nov 27 01:00:00 host adapter[7]: {{"event": "audit head", "count": {head.seq}, "digest": "{head.hash}"}}\n'
    other = '{"event": "started", "digest": "x"}\n'
    ways = (export, other + line, f"# noted on Friday\n\n{head.seq} {head.hash}\n")
    assert [against(database, text) for text in ways] == [None] * 3
    assert contradicted(database, noted(export.splitlines(), "x"))[0] == len(ACTS)
    cut_off(database, tmp_path, head.seq - 1)
    assert check(database).problems == ()
    assert {against(database, text) for text in ways} == {"entries 5 to 5 are missing at the end"}
    cut_off(database, tmp_path, 0)
    filled(database, *(Act("eve", "admin", "seen") for _ in range(6)))
    assert check(database).problems == ()
    said = [against(database, text) for text in ways]
    assert said == [f"entry {number} is not the one that was anchored" for number in (1, 5, 5)]


def cut_off(database: Database, folder: Path, keep: int) -> None:
    triggers = ("audit_no_update", "audit_no_delete") if stores.on_sqlite() else ("audit_only_grows ON audit",)
    with stores.beside(folder) as conn:
        for trigger in triggers:
            conn.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        conn.execute(f"DELETE FROM audit WHERE seq > {keep}")
    with database.read() as conn:
        assert audit.head(conn).seq == keep


@pytest.mark.parametrize(
    "text",
    ["", "# nothing\n", "5\n", "5 abc\n", '{"seq": "5", "hash": "x"}\n', "{not json\n", '{"seq": 1}\n', "\x00\n"],
)
def test_a_file_that_notes_nothing_is_refused_in_words(database: Database, text: str) -> None:
    with pytest.raises(ConfigError, match=r"noted: .*(notes no entry)"):
        against(database, text)


# --- the commands ----------------------------------------------------------------------------------------------------


def test_an_export_is_on_record_in_a_file_of_ones_own_beside_the_running_daemon(place: Installation) -> None:
    place.start()
    out = place.folder / "audit.ndjson"
    done = place.command("audit", "export", "--reason", "inspection", "--out", str(out))
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    copy = out.read_bytes().splitlines()
    assert proves_itself(copy)
    last = json.loads(copy[-1])
    assert (last["action"], last["reason"], last["role"]) == ("audit-export", "inspection", "operator")
    assert f"{out.stat().st_size} bytes".encode() in done.stderr
    verified = place.command("audit", "verify", "--against", str(out))
    assert b"as they were noted in audit.ndjson" in verified.stdout
    again = place.command("audit", "export", "--reason", "x", "--out", str(out), check=False)
    assert (again.returncode, b"is there already" in again.stderr) == (2, True)
    assert [one.name for one in place.folder.iterdir() if ".part" in one.name] == []
    looked = json.loads(place.command("audit", "export", "--reason", "y").stdout.splitlines()[-2])
    assert (looked["action"], looked["outcome"]) == ("audit-verify", "ok")


def test_a_disk_that_fails_while_it_is_noted_that_one_looked_is_told_by_the_exit_code(tmp_path: Path) -> None:
    place = Installation(tmp_path, "")
    place.command("user", "add", "anna", "--role", "admin")
    with stores.beside(place.database.parent) as conn:
        conn.execute("CREATE TABLE torn (word TEXT)")
        conn.execute("CREATE TRIGGER reads_it BEFORE INSERT ON audit BEGIN SELECT count(*) FROM torn; END")
        (page,) = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = 'torn'").fetchone()
        (size,) = conn.execute("PRAGMA page_size").fetchone()
        conn.commit()
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with place.database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(bytes(size))
    done = place.command("audit", "verify", check=False)
    assert (done.returncode, b"each as it was written" in done.stdout) == (3, True), done.stderr
    assert b"the database is damaged" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, b"--reason"),
        (("--reason", " "), 1, b"say why"),
        (("--reason", "x", "--from", "yesterday"), 2, b"--from yesterday: write it as"),
        (("--reason", "x", "--to", "2026-01-02"), 2, b"add the offset"),
        (("--reason", "x", "--trial", "immunosep-dem"), 2, b"did you mean 'immunosep-demo'?"),
        (("--reason", "x", "--format", "xml"), 2, b"xml"),
        (("--reason", "x", "--out", "/nowhere/audit"), 2, b"cannot be written"),
    ],
)
def test_what_is_wrong_is_said(place: Installation, words: tuple[str, ...], code: int, said: bytes) -> None:
    place.command("user", "add", "anna", "--role", "admin")
    done = place.command("audit", "export", *words, check=False)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert done.stdout == b""


def test_who_looks_at_a_patient_from_the_command_line_is_on_record(place: Installation) -> None:
    place.command("user", "add", "anna", "--role", "admin")
    assert place.command("explain", "4TQ7K2M9XA", "--reason", "ticket 7", check=False).returncode == 1
    seen = json.loads(place.command("audit", "export", "--reason", "y").stdout.splitlines()[-2])
    assert (seen["action"], seen["role"], seen["outcome"], seen["reason"]) == (
        "explain",
        "operator",
        "not found",
        "ticket 7",
    )


def test_the_recipe_of_the_page_verifies_an_export_and_finds_what_was_changed(
    database: Database, tmp_path: Path
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "audit.md").read_text()
    recipe = page.split("```python\n")[1].split("```")[0]
    head = filled(database, *ACTS)
    copy = lines(database)
    for number, content in enumerate((copy, [*copy[:1], *copy[2:]])):
        (tmp_path / "copy").write_bytes(b"".join(content))
        run = [sys.executable, "-I", "-c", recipe, str(tmp_path / "copy")]
        done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, head.hash in done.stdout) == ((1, False) if number else (0, True))
    assert "entry 3 is not in its place" in done.stderr


@pytest.mark.parametrize("links", [True, False])
def test_a_new_file_is_there_whole_or_not_at_all_and_over_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """Also where the file system knows no links, as that of a memory stick."""
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError(1, "Operation not permitted")))
    with flushed.new_file(tmp_path / "one") as file:
        file.write(b"first")
        assert [path.name for path in tmp_path.iterdir() if path.name == "one"] == []
    with pytest.raises(FileExistsError), flushed.new_file(tmp_path / "one") as file:
        file.write(b"second")
    with pytest.raises(ZeroDivisionError), flushed.new_file(tmp_path / "two") as file:
        raise ZeroDivisionError
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"one": b"first"}
