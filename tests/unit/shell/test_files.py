"""Messages in files, read in pieces: wherever a piece ends, and wherever lines lie until their patient is complete."""

import io
import json
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapter.cli.files import read_messages
from adapter.daemon.spool import Letter, Spool, spool
from adapter.domain.message import MessageKind
from adapter.errors import ConfigError
from adapter.fhir.gather import Gathering
from adapter.hl7.lines import MOST_LINES
from adapter.sources import files
from tests.builders import obx, oru

BOM = b"\xef\xbb\xbf"
MESSAGE = oru(obx("777-3", "90", "10*3/uL"))
PATIENT = {"resourceType": "Patient", "id": "a"}
RESULTS = [{"resourceType": "Observation", "id": f"o{n}", "subject": {"reference": "Patient/a"}} for n in range(3)]
BUNDLE = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}]}


def framed(*bodies: bytes) -> bytes:
    return b"noise" + b"".join(b"\x0b" + body + b"\x1c\r" for body in bodies)


def ndjson(*resources: object) -> bytes:
    return b"\xef\xbb\xbf\r\n" + b"\r\n \n".join(json.dumps(one).encode() for one in resources)


SHAPES = {
    "framed": framed(MESSAGE, MESSAGE + MESSAGE, b""),
    "unfinished": framed(MESSAGE)[:-1],
    "cut off": framed(MESSAGE) + framed(MESSAGE)[:-2] + framed(MESSAGE),
    "plain": MESSAGE + MESSAGE,
    "batch of none": b"FHS|^~\\&\rBHS|^~\\&\r\rBTS|0\rFTS|1\r",
    "rubbish first": b"rubbish\n" + MESSAGE + MESSAGE,
    "line feeds": (BOM + MESSAGE + MESSAGE).replace(b"\r", b"\n"),
    "batch": b"FHS|^~\\&\r" + MESSAGE + b"FTS\r",
    "ndjson": ndjson(PATIENT, *RESULTS, BUNDLE),
    "lone carriage returns": ndjson(PATIENT, *RESULTS).replace(b"\n", b""),
    "indented": b"\xef\xbb\xbf  " + json.dumps(BUNDLE, indent=1).encode(),
    "indented resource": json.dumps(RESULTS[0], indent=1).encode(),
    "blank": b" \r\n" * 20,
    "empty": b"",
}
SOME = {
    "framed": 3,
    "unfinished": 1,
    "cut off": 3,
    "plain": 2,
    "batch of none": 0,
    "rubbish first": 3,
    "line feeds": 2,
    "batch": 1,
    "ndjson": 2,
    "indented": 1,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in SHAPES.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


@pytest.mark.parametrize("size", [1, 7, 64])
@pytest.mark.parametrize("name", SHAPES)
def test_where_a_piece_ends_changes_nothing(
    name: str, size: int, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = list(read_messages([str(folder / name)]))
    assert len(whole) == SOME.get(name, len(whole))
    monkeypatch.setattr(files, "CHUNK", size)
    with spool(tmp_path) as shelf:
        assert list(read_messages([str(folder / name)], Gathering(shelf))) == whole


def test_a_message_that_is_cut_off_is_marked(folder: Path) -> None:
    assert [one.lost for one in read_messages([str(folder / "cut off")])] == ["", "FRAME_TRUNC", ""]


def test_a_frame_beyond_every_limit_is_told_by_its_beginning(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(framed(MESSAGE + b"x" * (17 << 20)))
    (found,) = read_messages([str(tmp_path / "big")])
    assert (found.lost, len(found.body) < 1 << 20) == ("TOO_BIG", True)


def test_a_plain_message_beyond_every_limit_takes_no_other_with_it(tmp_path: Path) -> None:
    long = MESSAGE + b"OBX|2|TX|x||" + b"x" * (17 << 20) + b"\r"
    (tmp_path / "big").write_bytes(MESSAGE + long + MESSAGE)
    found = list(read_messages([str(tmp_path / "big")]))
    assert [one.lost for one in found] == ["", "TOO_BIG", ""]
    assert (found[0].body, found[2].body, len(found[1].body) < 1 << 20) == (MESSAGE, MESSAGE, True)


@pytest.mark.parametrize("dressed", [lambda body: body, framed])
def test_a_message_of_too_many_lines_is_not_taken_apart(dressed: Callable[[bytes], bytes], tmp_path: Path) -> None:
    endless = MESSAGE + b"NTE|1\r" * (20 * MOST_LINES) + b"BTS|1\r"
    (tmp_path / "endless").write_bytes(dressed(endless))
    tracemalloc.start()
    try:
        (found,) = read_messages([str(tmp_path / "endless")])
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.body == endless, "the line of the envelope too: it was never looked for"
    assert held < 20 * files.CHUNK, held


def test_a_byte_order_mark_is_that_of_every_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(BOM + MESSAGE + MESSAGE)
    assert [one.body for one in read_messages([str(tmp_path / "file")])] == [BOM + MESSAGE] * 2


def test_a_line_that_is_cut_off_spoils_no_other(tmp_path: Path) -> None:
    lines = [json.dumps(one).encode() for one in (PATIENT, *RESULTS)]
    (tmp_path / "file").write_bytes(b"\n".join([*lines[:2], b'{"resourceType": "Obs', *lines[2:]]))
    cut, together = read_messages([str(tmp_path / "file")])
    assert cut.body == b'{"resourceType": "Obs'
    assert together.body.splitlines() == lines


@pytest.mark.parametrize(
    "cut", [[b'{"resourceType": "Obs'], [b'{"resourceType": "Obs', b'{"resourceType": "Observation", "id": 1']]
)
def test_a_first_line_that_is_cut_off_spoils_no_other(cut: list[bytes], tmp_path: Path) -> None:
    lines = [json.dumps(one).encode() for one in (PATIENT, *RESULTS)]
    (tmp_path / "file").write_bytes(b"\n\n".join([*cut, *lines]))
    *found, together = read_messages([str(tmp_path / "file")])
    assert [one.body for one in found] == cut
    assert together.body.splitlines() == lines


CONTAINED = json.dumps({"resourceType": "Medication", "id": "m"})
MANY_LINES = {
    "contained": '{"resourceType": "Observation",\n"contained": [\n%s\n]\n}',
    "at once": '{"resourceType": "Observation", "contained": [\n\n%s]}',
    "the second": '{"resourceType": "Observation", "contained": [{"resourceType": "Medication"},\n%s\n]}',
    "named": '{"resourceType": "Bundle", "entry": [{\n"resource":\n%s\n}]}',
    "commas first": '{"resourceType": "Observation"\n,"contained": [\n%s\n]}',
    "broken": '{"resourceType": "Observation"\n{"id": "a" "b"}\n}',
}


@pytest.mark.parametrize("shape", MANY_LINES)
def test_a_resource_over_many_lines_is_one_whatever_stands_on_a_line_of_its_own(shape: str, tmp_path: Path) -> None:
    text = MANY_LINES[shape].replace("%s", CONTAINED)
    (tmp_path / "file").write_text(text)
    (found,) = read_messages([str(tmp_path / "file")])
    assert found.body == text.replace("\n", " ").encode()


def test_what_is_read_of_each_shape(folder: Path) -> None:
    def bodies(name: str) -> list[bytes]:
        return [one.body for one in read_messages([str(folder / name)])]

    assert bodies("framed") == [MESSAGE, MESSAGE, MESSAGE]
    assert [one.kind for one in read_messages([str(folder / "framed")])] == [
        MessageKind.HL7V2,
        *[MessageKind.HL7V2_SHARED] * 2,
    ]
    bundle, together = bodies("ndjson")
    assert json.loads(bundle) == BUNDLE
    assert [json.loads(line)["id"] for line in together.splitlines()] == ["a", "o0", "o1", "o2"]
    assert [json.loads(one) for one in bodies("indented")] == [BUNDLE]
    assert bodies("empty") == bodies("blank") == []


def test_standard_input_is_read_like_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SHAPES["framed"])))
    assert [one.source for one in read_messages(["-"])] == ["-#1", "-#2", "-#3"]


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        list(read_messages([str(tmp_path / "nothing")]))


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Spool]:
    with spool(tmp_path) as opened:
        yield opened


def test_what_is_put_aside_is_found_again_by_its_place(shelf: Spool) -> None:
    sent = Letter("a\nb \udce4#1", b"\r\n\0\xff", datetime(2026, 1, 2, 3, 4, 5, 678, UTC), MessageKind.HL7V2_SHARED)
    places = [shelf.put(b"one"), shelf.put_letter(sent), shelf.put(b""), shelf.put(b"four")]
    assert [shelf.get(place) for place in (places[3], places[0], places[2])] == [b"four", b"one", b""]
    assert shelf.letter(places[1]) == sent


def test_nothing_of_it_has_a_name(shelf: Spool, tmp_path: Path) -> None:
    shelf.put(MESSAGE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the disk that is always full is Linux's: run it there")
def test_a_full_disk_is_told_in_words() -> None:
    with pytest.raises(ConfigError, match="--out needs room"), Path("/dev/full").open("r+b", buffering=0) as full:
        Spool(full).put(MESSAGE)
