"""A drop folder: what is taken and when, what is left or refused, and that nothing of a file is lost, doubled or told."""

import asyncio
import errno
import io
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, cast

import pytest
import structlog

from adapter.daemon.clock import utc_now
from adapter.daemon.parts import open_parts, web_context
from adapter.daemon.spool import Spool, spool
from adapter.errors import StorageFailedError
from adapter.fhir.gather import Gathering, InMemory
from adapter.hl7.lines import MOST_LINES
from adapter.pipeline.receive import StoreInbox
from adapter.settings import load_settings
from adapter.sources import drop, folder, taken
from adapter.sources.envelope import Door
from adapter.sources.files import parts_in
from adapter.sources.folder import Desk, Folder, FolderReader
from adapter.sources.folder_tally import FolderMetrics, Tally
from adapter.store import inbox
from adapter.store.database import Database
from adapter.telemetry import Metrics, configure_log
from tests import stores
from tests.builders import obx, oru
from tests.installation import Installation, until

SECRET = "PAPADOPOULOS"


def message(number: int = 1, **more: str) -> bytes:
    return oru(obx("777-3", "90", "10*3/uL"), control=f"C{number}", **more)


def framed(*bodies: bytes) -> bytes:
    return b"".join(b"\x0b" + body + b"\x1c\r" for body in bodies)


PATIENT = {"resourceType": "Patient", "id": "a", "identifier": [{"value": "1"}]}
RESULT = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/a"}}
BUNDLE = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}]}


@dataclass
class Desktop:
    """A folder, its reader, and a store without anybody who screens."""

    path: Path
    database: Database
    inbox: StoreInbox
    metrics: Metrics
    reader: FolderReader
    log: Path

    def drop(self, name: str, data: bytes) -> Path:
        """As a sender should: written elsewhere, renamed in."""
        made = self.path / f".{len(name)}.writing"
        made.write_bytes(data)
        return made.rename(self.path / name)

    def looks(self, number: int = 2) -> None:
        for _ in range(number):
            self.reader.round(self.inbox)

    def stored(self) -> list[tuple[str, str, bytes]]:
        """(type, reason of the door, body), in the order they came."""
        with self.database.read() as conn:
            return [
                (one.message.type, one.message.quarantine or "", one.message.body)
                for one in inbox.pending(conn, 1_000_000)
            ]

    def figure(self, name: str) -> float:
        text = self.metrics.text().decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(f"adapter_{name}"))

    def names(self, below: str = "") -> list[str]:
        place = self.path / below
        return sorted(one.name for one in place.iterdir() if not one.is_dir()) if place.is_dir() else []


@pytest.fixture
def desk(each_store: str, tmp_path: Path) -> Iterator[Desktop]:
    yield from opened(tmp_path)


def opened(tmp_path: Path, *, deletes: bool = False, pattern: str = "*") -> Iterator[Desktop]:
    path = tmp_path / "drop"
    path.mkdir()
    database, metrics = stores.opened(tmp_path), Metrics()
    box = StoreInbox(database)
    tally = Tally("files", FolderMetrics(metrics.registry), metrics)
    door = Door("files", "generic", utc_now, str)
    reader = FolderReader(
        Folder(path, 0.05, pattern, deletes=deletes), door, Desk(database, partial(spool, tmp_path)), tally
    )
    log = tmp_path / "log"
    with log.open("w") as stream:
        configure_log(stream)
        yield Desktop(path, database, box, metrics, reader, log)
    structlog.reset_defaults()
    box.close()
    database.close()


def test_a_file_is_taken_at_the_second_look_and_its_messages_are_stored_before(desk: Desktop) -> None:
    desk.drop("a.hl7", message(1) + message(2))
    desk.looks(1)
    assert (desk.stored(), desk.names()) == ([], ["a.hl7"])
    desk.looks(1)
    assert [body for _, _, body in desk.stored()] == [message(1), message(2)]
    assert (desk.names(), desk.names("taken")) == ([], ["a.hl7"])
    assert desk.figure('folder_files_total{feed="files",outcome="taken"}') == 1


def test_a_file_that_still_grows_waits(desk: Desktop) -> None:
    path = desk.path / "a.hl7"
    path.write_bytes(message(1))
    for number in range(2, 5):
        desk.looks(1)
        with path.open("ab") as file:
            file.write(message(number))
    assert desk.stored() == []
    desk.looks()
    assert len(desk.stored()) == 4


def test_a_file_that_grows_while_it_is_read_gives_no_half_message(
    desk: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = message(1) + message(2)
    path = desk.drop("a.hl7", whole[:-40])

    def grows(file: object, gathered: Gathering) -> Iterator[object]:
        yield from parts_in(file, gathered)  # type: ignore[arg-type]
        if desk.names() and path.stat().st_size < len(whole):
            path.write_bytes(whole)

    monkeypatch.setattr(folder, "parts_in", grows)
    desk.looks()
    assert (desk.stored(), desk.names()) == ([], ["a.hl7"])
    desk.looks()
    assert [body for _, _, body in desk.stored()] == [message(1), message(2)]


def test_ndjson_that_grows_while_it_is_read_gives_no_half_line(desk: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = b"\n".join(json.dumps(PATIENT | {"id": f"p{number}"}).encode() for number in range(150))
    path = desk.drop("a.ndjson", whole[:-20])

    def grows(file: object, gathered: Gathering) -> Iterator[object]:
        yield from parts_in(file, gathered)  # type: ignore[arg-type]
        if path.exists() and path.stat().st_size < len(whole):
            path.write_bytes(whole)

    monkeypatch.setattr(folder, "parts_in", grows)
    desk.looks()
    assert (desk.stored(), desk.names()) == ([], ["a.ndjson"]), "more than a commit takes, and none of it"
    desk.looks()
    assert [body for _, _, body in desk.stored()] == whole.splitlines()


@pytest.mark.parametrize("name", [".a.hl7", "a.hl7.tmp", "a.PART", "a.hl7.filepart"])
def test_names_of_unfinished_files_are_left(name: str, desk: Desktop) -> None:
    (desk.path / name).write_bytes(message())
    desk.looks(3)
    assert (desk.stored(), desk.names()) == ([], [name])
    assert desk.figure('folder_left{feed="files",kind="unfinished"}') == 1


def test_a_pattern_says_which_names_are_read(tmp_path: Path) -> None:
    for desk in opened(tmp_path, pattern="*.hl7"):
        desk.drop("a.hl7", message(1))
        desk.drop("a.csv", b"nothing of ours")
        desk.looks(3)
        assert (len(desk.stored()), desk.names()) == (1, ["a.csv"])


def test_what_is_no_file_is_left_and_nothing_is_followed(desk: Desktop, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(message())
    (desk.path / "link").symlink_to(tmp_path / "elsewhere")
    (desk.path / "folder").mkdir()
    os.mkfifo(desk.path / "pipe")
    (desk.path / "begun").touch()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(desk.path / "socket"))
        desk.looks(3)
    assert desk.stored() == []
    for kind in ("symlink", "folder", "fifo", "empty", "socket"):
        assert desk.figure(f'folder_left{{feed="files",kind="{kind}"}}') == 1, kind
    assert desk.log.read_text().count("left where it lies") == 5, "told once, not at each look"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a device")
def test_a_device_is_left(desk: Desktop) -> None:
    os.mknod(desk.path / "zero", 0o600 | 0o020000, os.makedev(1, 5))
    desk.looks(3)
    assert desk.figure('folder_left{feed="files",kind="device"}') == 1


def test_a_file_replaced_by_a_link_between_look_and_reading_is_not_followed(desk: Desktop, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(message())
    path = desk.drop("a.hl7", message())
    with drop.opened(desk.path) as handle:
        (seen,) = drop.look(handle, "*").files
        path.unlink()
        path.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(OSError, match="symbolic") as refused, drop.reading(handle, seen):
            pass
        assert refused.value.errno == errno.ELOOP
        path.unlink()
        os.mkfifo(path)  # nobody writes: a reader that waits would wait for ever
        with pytest.raises(drop.ChangedError), drop.reading(handle, seen):
            pass


SHAPES = {
    "plain": (message(1) + message(2), [("ORU^R01", "")] * 2),
    "framed": (framed(message(1), message(2)), [("ORU^R01", "")] * 2),
    "batch": (
        b"FHS|^~\\&\rBHS|^~\\&\r" + message(1) + message(2) + b"BTS|9\rFTS|1\r",
        [("ORU^R01", "")] * 2,
    ),
    "batch of none": (b"FHS|^~\\&\rBHS|^~\\&\rBTS|0\rFTS|1\r", []),
    "blank": (b"\r\n \r\n", []),
    "line feeds": (message(1).replace(b"\r", b"\n") + message(2).replace(b"\r", b"\n"), [("ORU^R01", "")] * 2),
    "bundle": (json.dumps(BUNDLE, indent=1).encode(), [("Bundle", "")]),
    "ndjson": (
        b"\n".join(json.dumps(one).encode() for one in (PATIENT, RESULT, BUNDLE)),
        [("Bundle", ""), ("NDJSON", "")],
    ),
    "one line cut off": (
        b"\n".join((json.dumps(PATIENT).encode(), json.dumps(RESULT).encode(), b'{"resourceType": "Obs')),
        [("NDJSON", ""), ("NDJSON", "")],
    ),
    "the first line cut off": (
        b"\n".join((b'{"resourceType": "Obs', json.dumps(PATIENT).encode(), json.dumps(RESULT).encode())),
        [("NDJSON", ""), ("NDJSON", "")],
    ),
    "a bad one among good": (
        message(1) + b"MSH|||||\rPID|1\r" + message(3),
        [("ORU^R01", ""), ("", "DELIMS"), ("ORU^R01", "")],
    ),
    "more lines than any": (
        message(1) + message(2) + b"NTE|1\r" * (MOST_LINES + 1) + b"BTS|1\r" + message(3),
        [("ORU^R01", ""), ("ORU^R01", "LIMIT"), ("ORU^R01", "")],
    ),
    "rubbish first": (b"rubbish\r" + message(1), [("", "NO_MSH"), ("ORU^R01", "")]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_file(shape: str, desk: Desktop) -> None:
    data, expected = SHAPES[shape]
    desk.drop("file", data)
    desk.looks()
    assert [(kind, reason) for kind, reason, _ in desk.stored()] == expected
    assert desk.names("taken") == ["file"]


REFUSED = {
    "text": (b"Dear colleague,\r\nthe results follow by mail.\r\n", "NO_MSH"),
    "csv": (b"patient,value\r\n1,2\r\n" * 10_000, "NO_MSH"),
    "xml": (b"<?xml version='1.0'?><ORU_R01/>", "XML"),
    "gzip": (b"\x1f\x8b\x08\0\0\0\0\0" + bytes(range(256)) * 20, "PACKED"),
    "zip": (b"PK\x03\x04" + bytes(range(256)), "PACKED"),
    "utf-16": (message().decode().encode("utf-16"), "CHARSET"),
    "json": (b'{"a": 1}', "NO_FHIR"),
    "half a bundle": (json.dumps(BUNDLE, indent=1).encode()[:-9], "JSON"),
    "a big one": (b'{"resourceType": "Bundle",\n' + b" " * (33 << 20) + b"}", "TOO_BIG"),
    "noise": (bytes(range(256)) * 64, "FRAME_TRUNC"),
}


@pytest.mark.parametrize("shape", REFUSED)
def test_a_file_in_which_nothing_can_be_read_is_refused_with_its_reason(shape: str, desk: Desktop) -> None:
    data, code = REFUSED[shape]
    desk.drop(f"{SECRET}.hl7", data)
    desk.looks()
    assert (desk.stored(), desk.names()) == ([], [])
    assert desk.names("refused") == [f"{SECRET}.hl7", f"{SECRET}.hl7.reason.txt"]
    told = (desk.path / "refused" / f"{SECRET}.hl7.reason.txt").read_text()
    assert told.splitlines()[0] == code
    assert SECRET not in told
    assert desk.reader.tally.alarms() == ("folder-refused",), "as long as something lies there"
    for one in desk.names("refused"):
        (desk.path / "refused" / one).unlink()
    desk.looks(1)
    assert desk.reader.tally.alarms() == ()
    assert SECRET not in desk.log.read_text()


def test_the_same_file_again_makes_no_second_row(desk: Desktop) -> None:
    data = b"".join(message(number) for number in range(300))
    for name in ("monday", "tuesday"):
        desk.drop(name, data)
        desk.looks()
    assert len(desk.stored()) == 300
    with desk.database.read() as conn:
        assert inbox.counts(conn).duplicate == 300


def test_a_name_that_was_there_before_takes_no_files_place(desk: Desktop) -> None:
    long = "x" * 250
    for number in range(3):
        for name in ("a.hl7", long):
            desk.drop(name, message(number))
        desk.looks()
    kept = [(desk.path / "taken" / name).read_bytes() for name in desk.names("taken")]
    assert sorted(kept) == sorted([message(n) for n in range(3)] * 2)


def test_a_name_that_is_no_text(desk: Desktop) -> None:
    name = os.fsdecode(b"\xff\xfe\n name.hl7")
    desk.drop(name, message())
    desk.drop(os.fsdecode(b"\xff" * 100), b"rubbish")
    desk.looks()
    assert (desk.names("taken"), len(desk.names("refused"))) == ([name], 2)


def test_files_go_by_their_age_then_by_their_name(desk: Desktop) -> None:
    now = utc_now().timestamp()
    for number, (name, age) in enumerate([("b", 30), ("c", 20), ("a", 20), ("d", 90)]):
        os.utime(desk.drop(name, message(number)), (now - age,) * 2)
    desk.looks()
    assert [body for _, _, body in desk.stored()] == [message(n) for n in (3, 0, 2, 1)]


def test_deleted_where_the_operator_said_so(tmp_path: Path) -> None:
    for desk in opened(tmp_path, deletes=True):
        desk.drop("a", message())
        desk.drop("b", b"rubbish")
        desk.looks()
        assert (len(desk.stored()), desk.names()) == (1, ["a"])
        assert desk.names("refused") == ["b", "b.reason.txt"], "what was not read is never deleted"
        desk.looks(1)
        assert (len(desk.stored()), desk.names(), desk.names("taken")) == (1, [], [])
        assert desk.figure('folder_files_total{feed="files",outcome="taken"}') == 1


def test_what_a_writer_adds_before_its_file_is_deleted_is_read(tmp_path: Path) -> None:
    for desk in opened(tmp_path, deletes=True):
        with desk.drop("a", message(1)).open("ab", buffering=0) as writer:
            desk.looks()
            assert len(desk.stored()) == 1
            writer.write(message(2))
            desk.looks(3)
        assert ([body for _, _, body in desk.stored()], desk.names()) == ([message(1), message(2)], [])


def moved_while_written(desk: Desktop) -> IO[bytes]:
    """A file that was taken while its writer paused."""
    writer = desk.drop("a.hl7", message(1)).open("ab", buffering=0)
    desk.looks()
    assert (len(desk.stored()), desk.names(), desk.names("taken")) == (1, [], ["a.hl7"])
    return writer


@pytest.mark.parametrize("links", [True, False])
def test_what_a_writer_adds_after_its_file_was_moved_is_read(
    links: bool, desk: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    if not links:
        monkeypatch.setattr(os, "link", none)
    with moved_while_written(desk) as writer:
        desk.looks(5)
        for number in (2, 3):
            writer.write(message(number))
            desk.looks(1)
            assert (desk.names(), desk.names("taken")) == (["a.hl7"], [])
            desk.looks(2)
            assert (desk.names(), desk.names("taken")) == ([], ["a.hl7"])
    assert [body for _, _, body in desk.stored()] == [message(number) for number in (1, 2, 3)]
    assert desk.log.read_text().count("written on after it was taken") == 2
    assert desk.reader.tally.alarms() == ()


@pytest.mark.parametrize("links", [True, False])
def test_a_file_is_brought_back_over_no_other(links: bool, desk: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    if not links:
        monkeypatch.setattr(os, "link", none)
    with moved_while_written(desk) as writer:
        writer.write(message(2))
    (desk.path / "a.hl7").mkdir()
    desk.looks(taken.LOOKS + 2)
    assert (desk.names("taken"), desk.reader.tally.alarms()) == (["a.hl7"], ("folder-file",))
    assert desk.log.read_text().count("cannot be brought back") == 1, "told once, not at each look"
    (desk.path / "a.hl7").rmdir()
    desk.looks(3)
    assert ([body for _, _, body in desk.stored()], desk.reader.tally.alarms()) == ([message(1), message(2)], ())


def test_a_file_that_waits_to_be_brought_back_is_not_forgotten_for_newer_ones(
    desk: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drop, "MOST", 2)
    with moved_while_written(desk) as writer:
        writer.write(message(2))
    (desk.path / "a.hl7").mkdir()
    desk.looks(1)
    for number in range(3, 9):
        desk.drop(f"{number}", message(number))
    desk.looks(8)
    assert (len(desk.names("taken")), desk.reader.tally.alarms()) == (7, ("folder-file",))
    (desk.path / "a.hl7").rmdir()
    desk.looks(3)
    assert len(desk.stored()) == 8


def test_what_the_operator_does_in_taken_is_none_of_the_readers_business(desk: Desktop) -> None:
    for number in range(4):
        desk.drop(f"{number}", message(number))
    desk.looks()
    below = desk.path / "taken"
    (below / "0").unlink()
    (below / "1").write_bytes(b"")
    (below / "2").rename(below / "2.old")
    (below / "2").write_bytes(message(2) * 2)
    desk.looks(3)
    (below / "3").rename(desk.path.with_name("3"))
    for one in below.iterdir():
        one.unlink()
    below.rmdir()
    desk.looks(3)
    assert (len(desk.stored()), desk.names(), desk.reader.tally.alarms()) == (4, [], ())


def test_a_file_that_was_moved_is_looked_at_for_a_while(desk: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drop, "MOST", 3)
    for number in range(5):
        desk.drop(f"{number}", message(number))
    desk.looks(4)
    assert sorted(desk.reader._taken._moved) == ["2", "3", "4"], "the last, for there may be a million"
    desk.looks(taken.LOOKS)
    assert not desk.reader._taken._moved


def test_a_file_that_vanishes_stops_no_other(desk: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, _ = desk.drop("a", message(1)), desk.drop("b", message(2))
    desk.looks(1)
    look = drop.look

    def and_gone(handle: int, pattern: str, most: int) -> drop.Look:
        found = look(handle, pattern, most)
        gone.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(drop, "look", and_gone)
    desk.looks(1)
    assert [body for _, _, body in desk.stored()] == [message(2)]


def test_a_file_that_cannot_be_moved_is_read_once_and_told_once(desk: Desktop) -> None:
    (desk.path / "taken").write_text("in the way")
    desk.drop(f"{SECRET}", message())
    desk.looks(4)
    assert len(desk.stored()) == 1
    with desk.database.read() as conn:
        assert inbox.counts(conn).duplicate == 0
    assert desk.log.read_text().count("file trouble") == 1
    assert desk.reader.tally.alarms() == ("folder-file",)
    (desk.path / "taken").unlink()
    desk.looks(2)
    assert (desk.names("taken"), desk.reader.tally.alarms()) == ([SECRET], ())
    assert SECRET not in desk.log.read_text()


def test_a_refused_file_that_cannot_be_moved_leaves_no_reason_behind(
    desk: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    desk.drop("a", b"rubbish")
    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", elsewhere)
        desk.looks(5)
    assert (desk.names("refused"), desk.reader.tally.alarms()) == ([], ("folder-file",))
    desk.looks(1)
    assert desk.names("refused") == ["a", "a.reason.txt"]


def test_files_that_are_stuck_keep_no_newer_one_waiting(desk: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drop, "MOST", 3)
    (desk.path / "refused").write_text("in the way")
    now = utc_now().timestamp()
    os.utime(desk.path / "refused", (now - 1000,) * 2)
    for number in range(7):
        os.utime(desk.drop(f"stuck-{number}", b"rubbish"), (now - 100 + number,) * 2)
    desk.drop("newest", message())
    desk.looks(10)
    assert (len(desk.stored()), desk.names("taken")) == (1, ["newest"])
    assert desk.reader.tally.alarms() == ("folder-file",)
    (desk.path / "refused").unlink()
    desk.looks(4)
    assert len(desk.names("refused")) == 14


def test_a_folder_that_is_away_is_an_alarm_until_it_is_back(desk: Desktop) -> None:
    desk.path.rename(desk.path.with_name("away"))
    desk.looks(3)
    assert desk.reader.tally.alarms() == ("folder-unreachable",)
    desk.path.with_name("away").rename(desk.path)
    desk.drop("a", message())
    desk.looks()
    assert (desk.reader.tally.alarms(), len(desk.stored())) == ((), 1)
    assert desk.log.read_text().count("folder unreachable") == 1


def test_a_reader_that_hangs_is_an_alarm(desk: Desktop) -> None:
    desk.reader.tally.alive(time.monotonic() - 200)
    assert desk.reader.tally.alarms() == ("folder-hung",)


def test_a_bug_met_in_one_file_stops_no_other(desk: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(file: object, gathered: Gathering) -> Iterator[object]:
        found = list(parts_in(file, gathered))  # type: ignore[arg-type]
        if found[0].body == message(1):
            raise ZeroDivisionError(SECRET)
        yield from found

    monkeypatch.setattr(folder, "parts_in", breaks)
    desk.drop("a", message(1))
    desk.drop("b", message(2))
    desk.looks(4)
    assert ([body for _, _, body in desk.stored()], desk.names()) == ([message(2)], ["a"])
    assert desk.reader.tally.alarms() == ("folder-file",)
    assert (SECRET in desk.log.read_text(), desk.log.read_text().count("ZeroDivisionError")) == (False, 1)


def test_a_file_waits_while_screening_is_far_behind(desk: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "AHEAD", 250)
    desk.drop("a", b"".join(message(number) for number in range(1000)))
    desk.looks(1)
    worker = threading.Thread(target=desk.looks, args=(1,), daemon=True)
    worker.start()
    until(lambda: len(desk.stored()) >= 300)
    time.sleep(0.5)
    assert len(desk.stored()) == 300, "a result on the wire does not queue behind a whole file"
    desk.reader._stop.set()
    worker.join(10)
    assert desk.names() == ["a"]


class Counted(InMemory):
    """A shelf that does something at each line."""

    def __init__(self, at: Callable[[int], object]) -> None:
        super().__init__()
        self._at = at

    def put(self, text: bytes) -> int:
        place = super().put(text)
        self._at(place)
        return place


LINE = json.dumps(RESULT | {"valueString": "x" * 10_000}).encode()
LINES = 1000
"""Ten pieces of a file."""


def test_a_reader_that_sorts_a_long_file_hears_a_stop(desk: Desktop) -> None:
    reached: list[int] = []

    def stops(place: int) -> None:
        reached.append(place)
        desk.reader._stop.set()

    desk.reader._desk = Desk(desk.database, lambda: nullcontext(Counted(stops)))
    desk.drop("a.ndjson", b"\n".join([LINE] * LINES))
    desk.looks()
    assert (0 < len(reached) < LINES // 2, desk.stored(), desk.names()) == (True, [], ["a.ndjson"])


def test_a_reader_that_sorts_a_long_file_is_alive(desk: Desktop) -> None:
    alarms: list[tuple[str, ...]] = []

    def slow(place: int) -> None:
        if not place:
            desk.reader.tally.alive(time.monotonic() - 200)
        alarms.append(desk.reader.tally.alarms())

    desk.reader._desk = Desk(desk.database, lambda: nullcontext(Counted(slow)))
    desk.drop("a.ndjson", b"\n".join([LINE] * LINES))
    desk.looks()
    assert (alarms[0], alarms[LINES - 1], len(desk.stored())) == (("folder-hung",), (), 1)


def test_it_runs_until_the_disk_fails_which_ends_the_daemon(tmp_path: Path) -> None:
    async def run(desk: Desktop) -> None:
        desk.drop("a", message())
        task = asyncio.create_task(desk.reader.run(desk.inbox))
        await asyncio.to_thread(until, lambda: desk.names("taken"))
        desk.database.failure = StorageFailedError("the disk")
        desk.drop("b", message(2))
        with pytest.raises(StorageFailedError):
            await asyncio.wait_for(task, 30)

    for desk in opened(tmp_path):
        asyncio.run(run(desk))
        assert desk.names() == ["b"]
        assert desk.inbox.failed.done()


def test_nothing_is_stored_while_the_disk_is_full(desk: Desktop) -> None:
    full = [True]
    desk.reader._desk = Desk(desk.database, desk.reader._desk.shelf, lambda: full[0])
    desk.drop("a", message())
    desk.looks(3)
    assert (desk.stored(), desk.names()) == ([], ["a"])
    full[0] = False
    desk.looks()
    assert len(desk.stored()) == 1


@dataclass
class Failing:
    """A disk that fails where it is told to."""

    number: int
    where: str

    def error(self) -> OSError:
        return OSError(self.number, os.strerror(self.number))

    @contextmanager
    def opened(self) -> Iterator[Spool]:
        if self.where == "open":
            raise self.error()
        with TemporaryFile(buffering=0) as file, self.broken(file) as broken:
            yield Spool(broken)

    def broken(self, file: IO[bytes]) -> IO[bytes]:
        failing = self

        class Broken(io.FileIO):
            def write(self, data: object, /) -> int:
                if failing.where == "write":
                    raise failing.error()
                return super().write(data)  # type: ignore[arg-type]

            def read(self, size: int | None = -1, /) -> bytes:
                if failing.where == "read":
                    raise failing.error()
                return super().read(-1 if size is None else size)

        return cast("IO[bytes]", Broken(os.dup(file.fileno()), "r+b"))


@pytest.mark.parametrize("where", ["open", "write", "read"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE])
def test_a_data_disk_that_fails_is_told_as_what_it_is(where: str, number: int, tmp_path: Path) -> None:
    for desk in opened(tmp_path):
        desk.reader._desk = Desk(desk.database, Failing(number, where).opened)
        desk.drop("a.ndjson", json.dumps(PATIENT).encode())
        desk.looks(1)
        if number in {errno.EIO, errno.EROFS}:
            with pytest.raises(StorageFailedError, match=os.strerror(number)):
                desk.looks(1)
        else:
            desk.looks(1)
            assert os.strerror(number) in desk.log.read_text()
        assert (desk.stored(), desk.names(), desk.reader.tally.alarms()) == ([], ["a.ndjson"], ())


# --- beside the daemon -------------------------------------------------------------------------------------------------

SOURCE = '[[source]]\nkind = "folder"\nname = "files"\nsite = "generic"\npath = "{path}"\nevery = "1 s"\n'


def installed(tmp_path: Path, more: str = "") -> tuple[Installation, Path]:
    path = tmp_path / "drop"
    path.mkdir()
    return Installation(tmp_path / "house", SOURCE.format(path=path) + more), path


def counted(place: Installation, name: str) -> Callable[[], int]:
    """Of the feed `files`, by /metrics."""

    def figure() -> int:
        lines = place.get("/metrics").splitlines()
        return sum(
            int(float(one.rsplit(" ", 1)[1])) for one in lines if one.startswith(f'adapter_{name}{{feed="files"')
        )

    return figure


@pytest.mark.slow
def test_the_daemon_reads_ten_thousand_messages_twice_and_none_doubles(tmp_path: Path) -> None:
    place, path = installed(tmp_path)
    data = b"".join(message(number) for number in range(10_000))
    applied, duplicate = counted(place, "messages_applied"), counted(place, "messages_duplicate_total")
    try:
        place.start()
        for number, name in enumerate((f"{SECRET}-1", f"{SECRET}-2")):
            (path / f".{name}").write_bytes(data)
            (path / f".{name}").rename(path / name)
            until(lambda number=number: (path / "taken" / f"{SECRET}-{number + 1}").exists(), 400)  # type: ignore[misc]
        until(lambda: applied() == 10_000, 400)
        assert duplicate() == 10_000
        assert place.stop() == 0
    finally:
        place.end()
    assert SECRET not in place.log.read_text()


def test_check_says_what_is_wrong_with_a_folder(tmp_path: Path) -> None:
    place, path = installed(tmp_path)

    def said() -> str:
        return place.command("check", check=False).stdout.decode()

    assert f"drop folders: files: {path} every 1 s, 0 waiting" in said()
    path.chmod(0o777)
    (path / "refused").mkdir()
    (path / "refused" / SECRET).touch()
    (path / "taken").symlink_to(tmp_path)
    told = said()
    assert "chmod o-w" in told
    assert "each has its reason beside it" in told
    assert "is no folder" in told
    assert SECRET not in told
    path.rename(tmp_path / "away")
    assert "cannot be listed" in said()


SINK = '[[sink]]\nkind = "csv"\nname = "out"\npath = "{path}"\npush_when = "candidate"\ndates = "exact"\n'


def test_links_are_followed_by_check_and_by_nobody_who_reads_the_settings(tmp_path: Path) -> None:
    place, path = installed(tmp_path, SINK.format(path=tmp_path / "link" / "out"))
    link = tmp_path / "link"
    for leads, said in ((path, "lie in one another"), (link, "look at the links there")):
        link.unlink(missing_ok=True)
        link.symlink_to(leads)
        assert load_settings(place.config).folders(), "no place is asked where it leads: it may be a share that hangs"
        found = place.command("check", check=False)
        assert (found.returncode, said in found.stdout.decode()) == (2, True)


def test_a_folder_is_expected_to_speak_as_often_as_its_operator_says(tmp_path: Path) -> None:
    place, _ = installed(tmp_path, 'silent_after = "2 h"\n')
    with open_parts(load_settings(place.config), utc_now) as parts:
        assert parts.pulse.sources["files"] == timedelta(hours=2)
        shown = {one.name: one for one in web_context(parts, StoreInbox(parts.database), None, demo=False).feeds}  # type: ignore[arg-type]
        assert (shown["files"].kind, shown["files"].quiet_after) == ("folder", timedelta(hours=2))
        (reader,) = parts.folders
        assert (reader.folder.pattern, reader.folder.deletes, reader.door.site) == ("*", False, "generic")
        (tmp_path / "drop").rmdir()
        reader.round(StoreInbox(parts.database))
        assert "folder-unreachable" in parts.pulse.health().codes


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (SOURCE.replace("files", "more"), "read the same folder"),
        (
            '[[sink]]\nkind = "csv"\nname = "out"\npath = "{path}/out"\npush_when = "candidate"\ndates = "exact"',
            "lie in one another",
        ),
        ('[[source]]\nkind = "folder"\nname = "own"\nsite = "generic"\npath = "{data}"', "lie in one another"),
        (SOURCE.replace("files", "more").replace("{path}", "{path}/taken"), "keeps what it has read"),
        (SOURCE.replace("files", "more").replace("{path}", "{path}/refused/old"), "keeps what it has read"),
        ('[backup]\nto = "{path}/copies"', "lie in one another"),
        ('[[source]]\nkind = "folder"\nname = "own"\nsite = "generic"\npath = "drop"', "write the whole path"),
        ('[[source]]\nkind = "folder"\nname = "own"\nsite = "generic"\npath = "/srv"\nevery = "0.1 s"', "at least 1 s"),
        ('[[source]]\nkind = "folder"\nname = "own"\nsite = "generic"\npath = "/srv"\npatern = "*"', "pattern"),
    ],
)
def test_settings_that_cannot_be(lines: str, said: str, tmp_path: Path) -> None:
    place, path = installed(tmp_path)
    more = lines.replace("{path}", str(path)).replace("{data}", str(tmp_path / "house" / "data"))
    place.config.write_text(place.config.read_text() + more)
    found = place.command("check", check=False)
    assert found.returncode == 2
    assert said in found.stdout.decode()
