"""`adapter erase` as a data protection officer meets it: beside the daemon, without one, and given the wrong things."""

import json
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests import stores
from tests.installation import ADAPTER, Installation, lines, tell
from tests.shell.test_replay import admitted, ferritin, organs

CANARY, NAME = "7731905Q", "KANARAKISX"
REASON = ("--reason", "request of 12 May, file 7")


@pytest.fixture
def place(each_store: str, tmp_path: Path) -> Iterator[Installation]:
    place = Installation(tmp_path, "")
    try:
        yield place
    finally:
        place.end()


def asked(
    place: Installation, *words: str, number: str = f"generic|HOSP|{CANARY}\n"
) -> subprocess.CompletedProcess[bytes]:
    command = [*ADAPTER, "erase", "--patient", "-", *words, "--config", str(place.config)]
    return subprocess.run(command, input=number.encode(), capture_output=True, timeout=120, check=False)


def told(place: Installation, *numbers: str) -> None:
    bodies = [one for number in numbers for one in (admitted(number), organs(number), ferritin(number, "5200"))]
    tell(place.mllp, *(body.replace(b"DOE", NAME.encode()) for body in bodies))
    place.settled(len(bodies))


# The control ids of these messages hold the patient's number, as some senders' do.
def stored(place: Installation) -> bytes:
    """Bytes of the files of the store; for PostgreSQL what the inbox says."""
    if stores.on_sqlite():
        return b"".join(file.read_bytes() for file in place.database.parent.glob("adapter.db*"))
    with stores.beside(place.database.parent) as conn:
        rows = conn.execute("SELECT body || acknowledgment || control_id::bytea FROM inbox")
        return b"".join(bytes(row[0]) for row in rows)


def test_a_person_is_erased_while_messages_come_and_stays_away(place: Installation) -> None:
    place.start()
    told(place, CANARY, "2")
    assert CANARY.encode() in stored(place)
    planned = asked(place, *REASON, "--opt-out")
    assert (planned.returncode, b"This would be erased:" in planned.stdout) == (0, True)
    assert b"nothing was erased" in planned.stderr
    assert CANARY.encode() in stored(place)
    done = asked(place, *REASON, "--opt-out", "--yes", "--json")
    (certificate,) = lines(done.stdout)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (certificate["erased"], certificate["records"], certificate["messages"]) == (True, 1, 3)
    assert certificate["log_emptied"]
    assert certificate["backups_hold_it_until"] is None
    assert CANARY.encode() not in done.stdout
    assert CANARY.encode() not in stored(place)
    tell(place.mllp, ferritin(CANARY, "9000"), ferritin("2", "9000"))
    place.settled(8)
    place.stop()
    assert CANARY.encode() not in stored(place)
    place.start()
    last = lines(place.command("inbox", "list", "--json", "--config", str(place.config)).stdout)[-2:]
    assert [(one["state"], one["reason"], bool(one["erased"])) for one in last] == [
        ("ignored", "opted-out", True),
        ("applied", None, False),
    ]
    assert "adapter_messages_opted_out 0.0" in place.get("/metrics")
    assert CANARY not in place.log.read_text()
    shown = place.command("inbox", "show", "1", *REASON, "--config", str(place.config), check=False)
    assert (shown.returncode, b"were erased on" in shown.stderr) == (1, True)
    again = asked(place, *REASON, "--yes")
    assert (again.returncode, b"list of those who want no part" in again.stderr) == (1, True)
    back = asked(place, *REASON, "--opt-in")
    assert (back.returncode, b"read again" in back.stdout) == (0, True)
    tell(place.mllp, ferritin(CANARY, "9100"))
    place.settled(9)
    assert CANARY.encode() in stored(place)
    verified = json.loads(place.command("audit", "verify", "--json", "--config", str(place.config)).stdout)
    assert verified["whole"]


def test_without_a_daemon_it_is_done_under_its_lock_and_a_replay_brings_nobody_back(place: Installation) -> None:
    place.start()
    told(place, CANARY, "2")
    place.stop()
    done = asked(place, *REASON, "--yes")
    assert done.returncode == 0, done.stderr
    assert b"Certificate of erasure, production" in done.stdout
    assert b"--opt-out prevents that" in done.stdout
    assert CANARY.encode() not in stored(place)
    for words in (("--diff",), ()):
        replayed = place.command("replay", *words, "--config", str(place.config), check=False)
        assert replayed.returncode == 0, (replayed.stdout, replayed.stderr)
        assert b"3 were erased and cannot be told" in replayed.stderr
    assert CANARY.encode() not in stored(place)


@pytest.mark.parametrize(
    ("number", "words", "code", "said"),
    [
        ("", REASON, 2, b"nothing came"),
        (f"generic|HOSP|{CANARY}\ngeneric|HOSP|2\n", REASON, 2, b"more than one line came"),
        (f"generic|{CANARY}\n", REASON, 2, b"write SITE|AUTHORITY|NUMBER"),
        (f"generic|HOSP|{CANARY}\n", ("--reason", " "), 1, b"say why with --reason"),
        (f"generic|HOSP|{CANARY}\n", ("--reason", f"{CANARY} asked"), 1, b"holds the number itself"),
        (f"generc|HOSP|{CANARY}\n", REASON, 1, b"did you mean 'generic'"),
        (f"generic|HOSP|{CANARY}\n", REASON, 1, b"nobody is known under this number"),
        (f"generic|HOSP|{CANARY}\n", (*REASON, "--opt-in"), 1, b"not on the list"),
        (f"generic|HOSP|{CANARY}\n", (*REASON, "--opt-in", "--opt-out"), 2, b"leave the other options away"),
        (f"generic|HOSP|{CANARY}\n", (*REASON, "--opt-in", "--dry-run"), 2, b"leave the other options away"),
        (f"generic|HOSP|{CANARY}\n", (), 2, b"--reason"),
    ],
)
def test_what_is_asked_wrongly_is_said_and_never_repeats_the_number(
    tmp_path: Path, number: str, words: tuple[str, ...], code: int, said: bytes
) -> None:
    done = asked(Installation(tmp_path, ""), *words, "--yes", number=number)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert CANARY.encode() not in done.stdout + done.stderr


def test_a_number_on_the_command_line_is_refused(tmp_path: Path) -> None:
    place = Installation(tmp_path, "")
    words = ("erase", "--patient", f"generic|HOSP|{CANARY}", *REASON, "--config", str(place.config))
    done = place.command(*words, check=False)
    assert (done.returncode, b"no hospital number on the command line" in done.stderr) == (2, True)


def test_the_certificate_says_until_when_our_backups_hold_the_person(tmp_path: Path) -> None:
    place = Installation(tmp_path / "house", f'[backup]\nto = "{tmp_path / "copies"}"\nkeep = "10 d"\n')
    try:
        place.start()
        told(place, CANARY)
        (certificate,) = lines(asked(place, *REASON, "--yes", "--json").stdout)
        said = asked(place, *REASON, "--opt-out", "--yes").stdout.decode()
    finally:
        place.end()
    until = datetime.fromisoformat(certificate["at"]) + timedelta(days=10)
    assert certificate["backups_hold_it_until"] == until.date().isoformat()
    assert f"Backups of [backup] hold the data until {until.date().isoformat()}." in said
