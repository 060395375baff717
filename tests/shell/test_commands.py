"""Commands that need no daemon, as a person or a script calls them."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from adapter.hl7.mllp import encode
from tests import nursery

HEADER = "MSH|^~\\&|LAB|HOSP|A|T|20260102030405+0000||ORU^R01|{}|P|2.5.1\rPID|1||77^^^HOSP^MR\r"
BODY = "OBR|1||F{}|P|||20260102030000+0000\rOBX|1|NM|777-3^Plt^LN||98|10*3/uL|||||F\r"


def oru(number: int) -> bytes:
    return (HEADER + BODY.replace("{}", str(number), 1)).format(number).encode()


def adapter(*words: str, stdin: bytes = b"", folder: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    return nursery.run(*words, stdin=stdin, folder=folder)


def test_a_message_that_is_cut_off_is_told_and_never_read(tmp_path: Path) -> None:
    """Half a message has half of its results: `convert` and `screen` say that it is there, `send` does not pass it on."""
    (tmp_path / "cut").write_bytes(encode(oru(1)) + encode(oru(2))[:-2] + encode(oru(3)))
    told = adapter("convert", "cut", folder=tmp_path).stdout
    assert b"cut#2: ? quarantined (FRAME_TRUNC); 1 observations, 1 message not used\n  ! its frame never ended" in told
    assert adapter("screen", "--out", "out", "cut", folder=tmp_path).returncode == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["reasons"], summary["ledger"]["message_not_used"]) == ({"FRAME_TRUNC": 1}, 1)
    refused = adapter("send", "--to", "127.0.0.1:9", "cut", folder=tmp_path)
    assert (refused.returncode, refused.stderr) == (
        2,
        "adapter: cut#2: is no whole message (FRAME_TRUNC) — leave it out\n".encode(),
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(oru(1) + oru(2), id="plain, two in a file"),
        pytest.param(encode(oru(1)) + b"\n" + encode(oru(2)), id="framed"),
        pytest.param(b"FHS|^~\\&\rBHS|^~\\&\r" + oru(1) + oru(2) + b"BTS|2\rFTS|1\r", id="batch"),
        pytest.param((oru(1) + oru(2)).replace(b"\r", b"\n"), id="lines of a text editor"),
    ],
)
def test_convert_finds_every_message_in_a_file(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "m.hl7"
    file.write_bytes(data)
    done = adapter("convert", "--json", str(file))
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [one["source"] for one in found] == [f"{file}#1", f"{file}#2"]
    assert [one["control_id"] for one in found] == ["1", "2"]
    assert found[0]["events"][-1]["concept"] == "platelets"
    assert found[0]["ledger"]["used"] == 1


def test_convert_flags_and_counts_messages_that_share_a_frame_without_an_envelope(tmp_path: Path) -> None:
    file = tmp_path / "m.hl7"
    file.write_bytes(b"\x0b" + oru(1) + oru(2) + b"\x1c\r\x0b" + oru(3) + b"\x1c\r")
    found = [json.loads(line) for line in adapter("convert", "--json", str(file)).stdout.splitlines()]
    assert [one["source"] for one in found] == [f"{file}#{n}" for n in (1, 2, 3)]
    flagged = [any(issue["code"] == "two-messages-in-frame" for issue in one["issues"]) for one in found]
    assert flagged == [True, True, False]
    summary = adapter("convert", "--summary", str(file)).stdout.decode()
    assert re.search(r"2  MSH\n +another message came in the same frame", summary)


def test_convert_reads_standard_input_and_speaks_to_people() -> None:
    done = adapter("convert", "-", stdin=oru(1))
    assert b"platelets = 98 10*3/uL" in done.stdout


def test_convert_takes_nonsense_for_an_answer_but_not_an_unreadable_path(tmp_path: Path) -> None:
    done = adapter("convert", "--json", "-", stdin=b"nonsense")
    assert done.returncode == 0
    assert json.loads(done.stdout)["reason"] == "NO_MSH"
    assert adapter("convert", str(tmp_path / "absent")).returncode == 2
    assert adapter("convert", "--site", "atikon", "-", stdin=oru(1)).returncode == 2


def test_init_writes_files_that_check_then_asks_to_complete(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert adapter("init", str(folder)).returncode == 0
    assert (folder / "data").stat().st_mode & 0o777 == 0o700
    done = adapter("check", "--config", str(folder / "adapter.toml"))
    assert done.returncode == 2
    assert b"push_when is not decided" in done.stdout
    config = folder / "adapter.toml"
    config.write_text(
        config.read_text().replace('push_when = ""', 'push_when = "consented"').replace('dates = ""', 'dates = "exact"')
    )
    assert b"my-hospital.yaml:6: 'timezone' is not filled in" in adapter("check", "-c", str(config)).stdout
    assert adapter("init", str(folder)).returncode == 2


def test_the_example_of_deploy_is_the_one_that_init_writes() -> None:
    root = Path(__file__).parents[2]
    example = (root / "deploy" / "adapter.example.toml").read_text()
    assert example == (root / "adapter" / "daemon" / "templates" / "adapter.example.toml").read_text()


def test_send_to_nobody_is_a_no() -> None:
    done = adapter("send", "--to", "127.0.0.1:1", "-", stdin=oru(1))
    assert done.returncode == 1
    assert adapter("send", "--to", "somewhere", "-", stdin=oru(1)).returncode == 2


@pytest.mark.parametrize("words", [(), ("inbox",), ("audit",), ("quarantine",), ("user",)])
def test_help_is_there_at_every_level(words: tuple[str, ...]) -> None:
    done = adapter(*words, "--help")
    assert done.returncode == 0
    assert b"Commands" in done.stdout


@pytest.mark.parametrize("word", ["run", "demo", "init", "check", "convert", "send", "explain"])
def test_every_command_has_an_example(word: str) -> None:
    assert f"adapter {word}".encode() in adapter(word, "--help").stdout.split(b"Example:")[1]
