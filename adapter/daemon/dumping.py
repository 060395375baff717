"""PostgreSQL's own programs: pg_dump makes the copy, pg_restore brings it back."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from adapter.errors import ConfigError, UnavailableError
from adapter.settings import Settings
from adapter.store.backup import BrokenOffError, Going, NoPlaceError

LOOK_SECONDS = 0.5
KNOWN = (
    ("version mismatch", "is older than the server", "install the client programs of the server's version"),
    ("password authentication failed", "was refused by the server", "look at [store] password"),
    ("connection to server", "found no server", "look at [store] url, then try again"),
    ("No space left", "found no room", "make room in the folder of backups, or on the server"),
    ("server closed the connection", "lost the server", "look at its log, then try again"),
    ("terminating connection", "lost the server", "look at its log, then try again"),
    (
        "unsupported version",
        "is older than the one that made the file",
        "install the client programs of the server's version",
    ),
)
"""What their messages say → what happened and what to do; their own words may quote rows."""


class RefusedError(UnavailableError):
    """The program did not get on with what it was given."""


def dump(settings: Settings, target: Path, snapshot: str, going: Going) -> None:
    """One file in PostgreSQL's custom format, as the snapshot has it. Raises ConfigError, UnavailableError."""
    words = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={target}"]
    words.append(f"--dbname={settings.store_url()}")
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    _run(settings, "pg_dump", words, going)


def bring_back(settings: Settings, file: Path, going: Going) -> None:
    """All of it or nothing, into the database of the settings."""
    words = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    _run(settings, "pg_restore", [*words, f"--dbname={settings.store_url()}", str(file)], going)


def read_through(settings: Settings, file: Path, going: Going) -> None:
    """From end to end, into nothing."""
    _run(settings, "pg_restore", [f"--file={os.devnull}", str(file)], going)


def refuse_without(program: str) -> str:
    """Its path. Raises ConfigError, with what to install."""
    found = shutil.which(program)
    if found is None:
        raise ConfigError(f"{program} was not found — apt-get install postgresql-client, of the server's version")
    return found


def _run(settings: Settings, program: str, words: Sequence[str], going: Going) -> None:
    """The password goes by the environment: a command line is everybody's to read."""
    secret = {"PGPASSWORD": settings.store_password(), "PGCONNECT_TIMEOUT": "10", "LC_ALL": "C"}
    command = [refuse_without(program), "--no-password", *words]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ADAPTER_")} | secret
    with subprocess.Popen(  # noqa: S603 — a fixed program, words of our own
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        said = _said(process, going)
    if process.returncode and not going():  # a terminal ends all that it started
        raise BrokenOffError("broken off")
    if process.returncode:
        raise _told(program, said, process.returncode)


def _said(process: "subprocess.Popen[str]", going: Going) -> str:
    while True:
        try:
            return process.communicate(timeout=LOOK_SECONDS)[1]
        except subprocess.TimeoutExpired:
            if not going():
                process.kill()
                process.communicate()
                raise BrokenOffError("broken off") from None


def _told(program: str, said: str, code: int) -> UnavailableError:
    for sign, happened, mend in KNOWN:
        if sign in said:
            return NoPlaceError(f"{program} {happened} — {mend}")
    return RefusedError(f"{program} ended with code {code} — run it by hand on this database to see why")
