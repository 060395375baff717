"""The disk is lost under load: what the backup has is all there, the gap is told exactly, and sent again it leaves no trace.

The true daemon, real senders, the real commands. What had left for the EDC does not arrive a second time; nothing leaves at
all until a person says so. ADAPTER_CALLS sets the number of calls at which a backup is killed.
"""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapter.daemon import copies
from adapter.daemon.clock import utc_now
from adapter.daemon.copies import NAME
from adapter.standins.edc import create_edc
from adapter.standins.edc_store import EdcStore
from adapter.standins.mailbox import Mailbox, catcher
from tests import stores
from tests.crash.nursery import LIFE, Nursery, Quick, counted, deliver, messages, needs_strace, sample, sound, state
from tests.crash.ward import story
from tests.installation import ADAPTER, Installation, lines, tell, until
from tests.peers import serving
from tests.ports import free_port

MANY = 900
BATCH, AFTER = 10, 100

UNAVAILABLE = 3


def received(folder: Path) -> dict[str, datetime]:
    """When each message was stored, as the lost disk would tell."""
    with sqlite3.connect(f"{(folder / 'adapter.db').as_uri()}?mode=ro", uri=True) as store:
        rows = store.execute("SELECT control_id, received FROM inbox").fetchall()
    store.close()
    return {name: datetime.fromisoformat(at) for name, at in rows}


def lost(place: Installation) -> Path:
    """The daemon dies, its disk is gone; the key was kept elsewhere. What was on that disk is for the judges alone."""
    place.stop(signal.SIGKILL)
    data = place.folder / "data"
    gone = data.rename(place.folder / "gone")
    data.mkdir(mode=0o700)
    shutil.copy2(gone / "site.key", data / "site.key")
    return gone


def restored(place: Installation, file: Path) -> dict[str, Any]:
    [said] = lines(place.command("restore", str(file), "--yes", "--json").stdout)
    return said


def copy_of(place: Installation) -> Path:
    words = ("backup", "--to", str(place.folder / "out"), "--json")
    # The daemon may have made one of the same second: exit 3 says so, and to try again.
    made = until(lambda: (done := place.command(*words, check=False)).returncode != UNAVAILABLE and done, 10)
    made.check_returncode()
    [said] = lines(made.stdout)
    assert said["recorded"]
    return Path(said["path"])


@pytest.mark.slow
def test_a_store_lost_under_load_is_back_and_nobody_can_tell(nursery: Nursery, template: Path, tmp_path: Path) -> None:
    sent = messages(MANY)
    twin, place = (Quick(tmp_path / name, nursery, template) for name in ("twin", "place"))
    try:
        assert twin.up()
        deliver(twin, sent)
        until(lambda: not twin.counts()["pending"], LIFE)
        assert twin.stop() == 0
        assert place.up()
        _drill(place, sent)
        assert state(place) == state(twin)
    finally:
        twin.end()
        place.end()


def _sent_beside(place: Quick, sent: dict[str, bytes], made: threading.Event) -> dict[str, bytes]:
    """All of it, slowly until the backup is made, and the last of it only then."""
    acknowledged: dict[str, bytes] = {}
    left = list(sent.items())
    while left:
        if len(left) <= AFTER:
            made.wait(LIFE)
        batch, left = dict(left[:BATCH]), left[BATCH:]
        acknowledged.update(deliver(place, batch).acknowledged)
        made.wait(0.03)
    return acknowledged


def _drill(place: Quick, sent: dict[str, bytes]) -> None:
    """`sent` by two senders, with a backup in the midst of it, the loss, the restore, and what is missing sent again."""
    half = dict(list(sent.items())[: MANY * 2 // 3])
    acknowledged: dict[str, bytes] = {}
    made = threading.Event()
    sender = threading.Thread(target=lambda: acknowledged.update(_sent_beside(place, half, made)))
    sender.start()
    until(lambda: place.counts()["received"] > MANY // 6, LIFE)
    begun = set(place.stored())
    file = copy_of(place)
    made.set()
    sender.join()
    assert acknowledged.keys() == half.keys()
    gone = lost(place)
    said = restored(place, file)
    kept, truth = place.stored(), received(gone)
    assert begun <= kept.keys(), "what was acknowledged before the backup began is in it"
    assert kept.keys() < half.keys(), "and something came after it"
    [lab] = [gap for gap in said["gaps"] if gap["feed"] == "lab"]
    assert datetime.fromisoformat(lab["last_stored"]) == max(truth[name] for name in kept)
    since = datetime.fromisoformat(lab["resend_from"])
    assert all(truth[name] >= since for name in half.keys() - kept.keys()), "nothing that is missing came before"
    assert place.up(), place.log.read_text()
    assert place.stored() == kept
    again = {name: body for name, body in sent.items() if name not in truth or truth[name] >= since}
    assert deliver(place, again).acknowledged.keys() == again.keys()
    until(lambda: not place.counts()["pending"], LIFE)
    told = json.loads(place.command("restore", "--release", "--yes", "--json").stdout)
    assert [(feed["feed"], feed["messages"]) for feed in told["feeds"]] == [("lab", len(sent) - len(kept))]
    assert place.stop() == 0
    assert place.stored() == sent
    sound(place)
    assert b'"whole": true' in place.command("audit", "verify", "--json").stdout


# --- what leaves ------------------------------------------------------------------------------------------------------

OUTLETS = """
[[sink]]
kind = "fhir"
name = "edc"
base = "{edc}"
push_when = "candidate"
dates = "exact"

[[notifier]]
kind = "email"
name = "mail"
host = "127.0.0.1"
port = {port}
sender = "adapter@example.org"
to = ["team@example.org"]
encryption = "none"

[backup]
to = "{to}"
"""


@dataclass
class Outside:
    place: Installation
    edc: EdcStore
    box: Mailbox

    def subjects(self) -> set[str]:
        return {key[1] for key in self.edc.resources if key[0] == "ResearchSubject"}

    def mails(self) -> list[str]:
        """The number of the candidate that each was about."""
        return [found[1] for mail in self.box.mails if (found := re.search(r"/c/(\S+)", mail.get_content()))]


@contextmanager
def outside(folder: Path) -> Iterator[Outside]:
    edc, box, port = EdcStore(), Mailbox(), free_port()
    controller = catcher(box, port)
    controller.start()
    try:
        with serving(create_edc(edc)) as base:
            place = Installation(folder, OUTLETS.format(edc=base, port=port, to=folder / "out"))
            try:
                yield Outside(place, edc, box)
            finally:
                place.end()
    finally:
        controller.stop()


def told(patient: str) -> list[bytes]:
    """Of somebody whose first findings make a candidate, and no more."""
    return [body for name, body in story(patient, utc_now()) if name[0] in "ARF"]


@pytest.mark.slow
def test_nothing_leaves_before_the_release_and_nothing_arrives_twice(tmp_path: Path) -> None:
    with outside(tmp_path / "house") as world:
        place, before, after = world.place, told("00010"), told("00022")
        place.start()
        tell(place.mllp, *before)
        until(lambda: len(world.mails()) == 1 and place.owes_nothing())
        first = world.mails()[0]
        file = copy_of(place)
        tell(place.mllp, *after)
        until(lambda: len(set(world.mails())) == 2 and place.owes_nothing())
        until(lambda: numbers(place.folder / "out") == 2, 30)
        everything, subjects, mails = dict(world.edc.resources), world.subjects(), len(world.box.mails)
        assert len(subjects) == 2
        lost(place)
        assert restored(place, file)["screening_numbers"] == 1
        place.start()
        assert 'adapter_alarm{code="restored"} 1.0' in place.get("/metrics")
        assert json.loads(place.get("/healthz"))["status"] == "degraded"
        tell(place.mllp, *before, *after)
        place.settled(9)
        time.sleep(5)  # more than two rounds of deliveries
        assert (len(world.box.mails), world.edc.resources) == (mails, everything), "held"
        assert place.command("restore", "--release", "--yes").returncode == 0
        until(place.owes_nothing)
        assert world.subjects() == subjects, "nobody is a second subject"
        more = world.edc.resources.keys() - everything.keys()
        assert {kind for kind, _ in more} <= {"Provenance"}, (
            "nothing of them is there twice, but that it was decided again"
        )
        assert world.mails().count(first) == 1, "who was told before the backup is not told again"
        assert len(set(world.mails())) == 2, (
            "who was told after it is told again under the same number, by the same link"
        )
        assert 'code="restored"' not in place.get("/metrics")


def numbers(folder: Path) -> int:
    """How many screening numbers are kept beside the backups."""
    return sum(len(json.loads(path.read_text())["numbers"]) for path in folder.glob("screening-numbers-*.json"))


@pytest.mark.slow
def test_on_postgresql_too(postgres: Any, tmp_path: Path) -> None:
    with stores.using(postgres):
        place = Installation(tmp_path, f'[backup]\nto = "{tmp_path}/out"\n')
        try:
            place.start()
            before, after = told("00010"), told("00022")
            tell(place.mllp, *before)
            place.settled(3)
            until(lambda: b'"backup made"' in place.log.read_bytes(), 30)
            assert "adapter_backup_last_success_timestamp_seconds 1" in place.get("/metrics")
            file = copy_of(place)
            tell(place.mllp, *after)
            place.settled(6)
            place.stop(signal.SIGKILL)
            refused = place.command("restore", str(file), "--yes", check=False)
            assert (refused.returncode, b"createdb another one" in refused.stderr) == (2, True)
            other = postgres.new_database()
            place.config.write_text(place.config.read_text().replace(stores.address(tmp_path / "data"), other))
            [lab, _pages] = restored(place, file)["gaps"]
            assert lab["how"] == "resend"
            place.start()
            assert 'adapter_alarm{code="restored"} 1.0' in place.get("/metrics")
            tell(place.mllp, *before, *after)
            place.settled(9)
            assert (place.counts()["applied"], place.counts()["duplicate"]) == (6, 3)
            assert place.command("restore", "--release", "--yes").returncode == 0
        finally:
            place.end()


# --- a backup that is killed ------------------------------------------------------------------------------------------

CALLS = ("pwrite64", "ftruncate", "fsync", "rename", "unlink", "sendto")
"""What changes a file or a name, and what asks the daemon to put it on record; Python itself makes none of them when it starts."""


def traced(place: Installation, trace: Path, *words: str) -> int:
    command = ["strace", "-f", "-o", str(trace), *words, *ADAPTER, "backup", "--to", str(place.folder / "out")]
    environment = place.environment | {"ADAPTER_CONFIG": str(place.config)}
    return subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False).returncode


@pytest.mark.slow
@pytest.mark.timeout(0)  # of `make torture` every call: half an hour
@needs_strace
def test_a_backup_killed_at_any_call_leaves_no_file_that_looks_good(place: Quick, tmp_path: Path) -> None:
    assert place.up()
    deliver(place, messages(60))
    until(lambda: not place.counts()["pending"], LIFE)
    out, trace = place.folder / "out", tmp_path / "trace"
    assert traced(place, trace, "-e", f"trace={','.join(CALLS)}") == 0
    whole = _good(out)
    assert len(whole) == 1
    found = {call: most for call, most in counted(trace).items() if call in CALLS}
    killed = 0
    for call, number in sample(found, int(os.environ.get("ADAPTER_CALLS", "12")), Random(7)):
        code = traced(place, trace, "-e", f"inject={call}:signal=SIGKILL:when={number}")
        killed += code != 0
        assert {path.name for path in out.iterdir() if NAME.fullmatch(path.name)} == set(_good(out))
        time.sleep(1)  # a name is a second long
    assert killed
    assert place.command("backup", "--to", str(out)).returncode == 0
    assert not [path for path in out.iterdir() if path.name.startswith(".")]
    assert place.stop() == 0


def _good(folder: Path) -> list[str]:
    """By name, those that a restore would take."""
    named = [path for path in folder.iterdir() if NAME.fullmatch(path.name)]
    return [path.name for path in named if copies.sha256(path) == copies.read(path).sha256]
