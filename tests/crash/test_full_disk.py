"""The disk is full, or lets nobody write: no acknowledgment for what is not stored, an alarm, closed ports; then on again.

The data folder is a small tmpfs in a mount namespace of its own. What the kernel says on a real disk, tmpfs says too:
ENOSPC for bytes and for inodes, EROFS after a remount.
"""

import ast
import contextlib
import os
import resource
import subprocess
import sys
import threading
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from adapter.daemon.clock import utc_now
from tests.crash.nursery import ROOT, Nursery, Quick, deliver, messages, needs_strace, sound
from tests.crash.ward import Sender
from tests.installation import until
from tests.mounts import NO_MOUNT, usable_mount

AGAIN = 10.0
"""Seconds in which acknowledgments come again once there is room (reliability P3)."""
ASK = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1] + '?mode=ro', uri=True).execute(sys.argv[2]).fetchall())"
NO_MARKS = "[store]\nstop_free_mib = 0\nballast_mib = 0\n"


pytestmark = [pytest.mark.slow, pytest.mark.skipif(not usable_mount(), reason=NO_MOUNT)]


class Cellar:
    """A mount namespace, a nursery in it, and what to mount there; it ends with its holder, whatever happens."""

    def __init__(self) -> None:
        self._holder = subprocess.Popen(["unshare", "-m", "sh", "-c", "echo up; read end"], stdin=-1, stdout=-1)
        assert self._holder.stdout
        assert self._holder.stdout.readline() == b"up\n"
        self._enter = ("nsenter", "-t", str(self._holder.pid), "-m", f"--wd={ROOT}")
        self.nursery = Nursery(*self._enter)

    def mount(self, options: str, point: Path) -> None:
        command = [*self._enter, "mount", "-t", "tmpfs", "-o", f"{options},mode=700", "tmpfs", str(point)]
        subprocess.run(command, check=True)

    def python(self, script: str, *words: str) -> str:
        done = subprocess.run([*self._enter, sys.executable, "-c", script, *words], stdout=-1, text=True, check=True)
        return done.stdout

    def seen(self, path: Path) -> Path:
        """From outside."""
        return Path(f"/proc/{self._holder.pid}/root{path}")

    def close(self) -> None:
        self.nursery.close()
        self._holder.communicate()


@pytest.fixture(scope="module")
def cellar() -> Iterator[Cellar]:
    made = Cellar()
    yield made
    made.close()


class Small(Quick):
    """An installation whose data folder is a disk of its own, with the marks of `store` or the ones we ship."""

    def __init__(self, folder: Path, cellar: Cellar, options: str, store: str = "") -> None:
        super().__init__(folder, cellar.nursery, None)
        self.config.write_text(self.config.read_text().replace("[store]\nballast_mib = 0\n", store))
        (folder / "data").mkdir()
        cellar.mount(options, folder / "data")
        self._cellar, self._options = cellar, options
        self.disk = cellar.seen(folder / "data")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """As outside, but in there: SQLite would follow the link out of `/proc` to a folder that is not there."""
        found: list[tuple[Any, ...]] = ast.literal_eval(self._cellar.python(ASK, self.database.as_uri(), sql))
        return found

    def room(self) -> int:
        found = os.statvfs(self.disk)
        return found.f_bavail * found.f_frsize

    def fill(self) -> None:
        """Somebody else takes all the room, which must be much: what the daemon took itself does not come back."""
        assert self.room() > 1 << 20
        file = os.open(self.disk / "other", os.O_CREAT | os.O_WRONLY)
        with contextlib.suppress(OSError):
            while True:
                os.write(file, b"x" * 4096)
        os.close(file)

    def clear(self) -> None:
        for path in self.disk.glob("other*"):
            path.unlink()

    def remount(self, options: str) -> None:
        self._cellar.mount(f"remount,{self._options},{options}", self.folder / "data")

    def says_ready(self) -> int:
        try:
            self.get("/readyz")
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        return 200

    def accepting(self) -> bool:
        return "adapter_accepting 1.0" in self.get("/metrics")


@contextmanager
def small(folder: Path, cellar: Cellar, options: str, store: str = "") -> Iterator[Small]:
    made = Small(folder, cellar, options, store)
    try:
        yield made
    finally:
        made.end()


@contextmanager
def load(place: Small) -> Iterator[Sender]:
    """A sender at work, that sends again what was not acknowledged; done with its last story at the end."""
    enough = threading.Event()
    sender = Sender(1, place.mllp, utc_now(), enough)
    thread = threading.Thread(target=sender.run)
    thread.start()
    try:
        until(lambda: len(sender.acknowledged) > 20)
        yield sender
    finally:
        enough.set()
        place.clear()
        thread.join()


def kept(place: Small, sender: Sender) -> None:
    """Nothing acknowledged is missing, whatever else is there."""
    acknowledged = dict(sender.acknowledged)
    assert acknowledged.items() <= place.stored().items()


def resumes(sender: Sender) -> None:
    before = len(sender.acknowledged)
    until(lambda: len(sender.acknowledged) > before + 5, AGAIN)


@pytest.mark.parametrize("size", ["4m", "8m"])
def test_under_the_mark_the_ports_close_and_open_again_by_themselves(tmp_path: Path, cellar: Cellar, size: str) -> None:
    with small(tmp_path / "place", cellar, f"size={size}") as place:
        assert place.up(), place.log.read_text()
        with load(place) as sender:
            assert (place.disk / "ballast").stat().st_blocks > 0
            place.fill()
            until(lambda: not place.listening())
            until(lambda: place.says_ready() == 503)
            assert not place.accepting()
            assert '"code": "disk-nearly-full", "event": "not accepting"' in place.log.read_text()
            assert not (place.disk / "ballast").exists()
            kept(place, sender)
            place.clear()
            resumes(sender)
            until((place.disk / "ballast").exists)
            assert place.says_ready() == 200
        place.settled(len(sender.sent))
        kept(place, sender)
        sound(place)
        assert place.stop() == 0


def test_a_disk_that_is_full_to_the_last_byte_is_answered_with_silence(tmp_path: Path, cellar: Cellar) -> None:
    """Without a mark and a ballast: what SQLite itself says when nothing goes any more."""
    with small(tmp_path / "place", cellar, "size=8m", NO_MARKS) as place:
        assert place.up(), place.log.read_text()
        with load(place) as sender:
            place.fill()
            until(lambda: '"code": "store-unavailable", "event": "not accepting"' in place.log.read_text())
            assert place.says_ready() == 503
            failed = sender.failed
            until(lambda: sender.failed > failed)  # what it sends again counts too
            kept(place, sender)
            place.clear()
            resumes(sender)
        place.settled(len(sender.sent))
        kept(place, sender)
        sound(place)
        assert place.stop() == 0


def test_the_ballast_lets_what_was_accepted_be_finished_on_a_full_disk(tmp_path: Path, cellar: Cellar) -> None:
    with small(tmp_path / "place", cellar, "size=64m") as place:
        assert place.up()
        with load(place) as sender:
            until((place.disk / "ballast").exists)
            place.fill()
            until(lambda: not place.accepting())
            assert place.room() > 512 << 10, "the ballast was not given back"
            until(lambda: not place.counts()["pending"])
            wal = place.disk / "adapter.db-wal"
            until(lambda: wal.stat().st_size < 64 << 10)  # emptied into the database: that is room too
            kept(place, sender)
        assert place.stop() == 0


def test_no_more_names_can_be_made_and_nothing_is_lost(tmp_path: Path, cellar: Cellar) -> None:
    """A running daemon needs none; one that starts says so, and starts once there are some again."""
    with small(tmp_path / "place", cellar, "size=8m,nr_inodes=40") as place:
        assert place.up()
        with load(place) as sender:
            take_names(place)
            resumes(sender)
        place.settled(len(sender.sent))
        assert place.stop() == 0
        take_names(place)
        assert not place.up()
        assert place.stop() == 3
        place.clear()
        assert place.up(), place.log.read_text()
        assert place.stop() == 0
        kept(place, sender)


def take_names(place: Small) -> None:
    with contextlib.suppress(OSError):
        for number in range(1000):
            (place.disk / f"other{number}").touch()


@needs_strace
def test_a_disk_that_turns_read_only_ends_the_daemon_until_it_can_be_written_again(
    tmp_path: Path, cellar: Cellar
) -> None:
    sent = messages(40)
    with small(tmp_path / "place", cellar, "size=8m") as place:
        assert place.up("pwrite64,fdatasync,fallocate:error=EROFS:when=250+"), place.log.read_text()
        told = deliver(place, sent)
        assert place.stop() == 3
        place.remount("ro")
        assert not place.up()
        assert place.stop() == 3
        assert "read-only" in place.log.read_text()
        place.remount("rw")
        assert place.up(), place.log.read_text()
        assert told.acknowledged.items() <= place.stored().items()
        assert len(deliver(place, sent).acknowledged) == len(sent)
        sound(place)
        assert place.stop() == 0


def test_a_limit_on_the_size_of_a_file_ends_the_daemon_and_loses_nothing(place: Quick) -> None:
    """RLIMIT_FSIZE: SQLite calls it a failed write, not a full disk (reliability 0.1)."""
    sent = messages(200)
    assert place.up()
    assert place.process is not None
    deliver(place, dict(list(sent.items())[:5]))
    resource.prlimit(place.process.pid, resource.RLIMIT_FSIZE, (400_000, 400_000))
    told = deliver(place, sent)
    assert len(told.acknowledged) < len(sent)
    assert place.stop() == 3
    assert "SQLITE_IOERR_WRITE" in place.log.read_text()
    began = time.monotonic()
    assert place.up()
    assert time.monotonic() - began < AGAIN
    assert told.acknowledged.items() <= place.stored().items()
    assert place.stop() == 0
