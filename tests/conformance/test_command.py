"""`adapter conformance` as a person or a script calls it: exit codes, JSON, the page to sign, TLS."""

import json
import re
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter.cli.conforming import ProfileName
from adapter.conformance.cases import CASES
from adapter.conformance.model import Verdict
from adapter.conformance.player import Where
from adapter.conformance.profiles import PROFILES
from adapter.conformance.run import Plan, run
from adapter.conformance.telling import conclusion
from adapter.daemon.clock import utc_now
from adapter.sources.greeting import tls_context
from tests import nursery
from tests.conformance.receivers import played
from tests.conformance.tiny import Tiny, listening
from tests.peers import self_signed
from tests.ports import free_port


def conformance(*words: str) -> subprocess.CompletedProcess[str]:
    return nursery.run("conformance", *words, text=True)


def only(*ids: str) -> list[str]:
    return [word for name in ids for word in ("--only", name)]


@pytest.fixture(scope="module")
def honest() -> Iterator[str]:
    with listening(Tiny()) as port:
        yield f"127.0.0.1:{port}"


def test_nobody_listens_is_unavailable() -> None:
    done = conformance(f"127.0.0.1:{free_port()}")
    assert done.returncode == 3
    assert "nobody listens at 127.0.0.1:" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give HOST:PORT"),
        (("nowhere",), "write HOST:PORT"),
        (("127.0.0.1:1", "--only", "M66"), "there is no such case"),
        (("127.0.0.1:1", "--profile", "lenient"), "lenient"),
        (("127.0.0.1:1", "--ca", "/absent.pem"), "the TLS files cannot be used"),
    ],
)
def test_wrong_use_is_2(words: tuple[str, ...], said: str) -> None:
    done = conformance(*words)
    assert done.returncode == 2
    assert said in done.stderr


def test_help_has_an_example_and_the_profiles_are_those_there_are() -> None:
    assert "Example: adapter conformance" in conformance("--help").stdout
    assert [str(name) for name in ProfileName] == list(PROFILES)


def test_list_names_every_case_with_its_rules() -> None:
    lines = conformance("--list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [case.id for case in CASES]
    assert all(re.search(r"\((rule|row|decisions) ", line) for line in lines)
    found = [json.loads(line) for line in conformance("--list", "--json", "--only", "M05").stdout.splitlines()]
    assert [one["id"] for one in found] == ["M05-http", "M05-tls"]
    assert found[0]["rules"][0] == {"name": "row M05", "source": "the catalogue of bad input (docs/bad-input.md)"}


def test_a_receiver_that_holds_is_0_and_the_table_says_so(honest: str) -> None:
    done = conformance(honest, *only("R01", "H19", "R39", "M14-slow"))
    assert done.returncode == 0, done.stdout
    assert f"Of {len(CASES)} cases 7 were asked for, and what must hold of them holds." in done.stdout
    assert re.search(r"R01 .* 1 18 21 37 .*must .*pass", done.stdout)
    assert re.search(r"R39 .*not", done.stdout)
    assert re.search(r"M14-slow .*skipped", done.stdout)


def test_a_receiver_that_fails_is_1_and_every_failure_says_what_to_do() -> None:
    with listening(Tiny(closes=True)) as port:
        done = conformance(f"127.0.0.1:{port}", "--patience", "0.5", *only("R33-time", "R07", "R18"))
        assert done.returncode == 2
        done = conformance(f"127.0.0.1:{port}", "--patience", "0.5", *only("R34-time", "R07"))
    assert done.returncode == 1
    assert "R07 (must; rule 7): the connection stays open after the answer" in done.stdout
    assert re.search(
        r"  expected  AA; then AA for a good message on the same connection\n  came .*closed\n  do  ", done.stdout
    )
    assert "The receiver does not conform: 1 of what must hold does not." in done.stdout


def test_json_is_one_object_a_case_and_a_summary(honest: str, tmp_path: Path) -> None:
    file = tmp_path / "report.jsonl"
    done = conformance(honest, "--json", "--out", str(file), *only("R01", "R40"))
    assert done.returncode == 0
    assert done.stdout == ""
    first, second, summary = map(json.loads, file.read_text().splitlines())
    assert (first["id"], first["verdict"], first["severity"]) == ("R01", "pass", "must")
    assert first["rules"][0]["source"] == "HL7 MLLP release 1"
    assert (second["id"], second["verdict"], second["came"]) == (
        "R40",
        "fail",
        "the second answer differs from the first",
    )
    assert summary["kind"] == "summary"
    assert summary["conforms"] is True
    assert summary["failed"] == {"must": 0, "should": 0, "may": 1}
    assert (summary["address"], summary["profile"], summary["processing_id"]) == (honest, "generic", "P")


def test_the_page_can_be_signed(honest: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    words = ("--hospital", "Integration <b>", "--team", "Adapter", "--profile", "mirth", "--html", str(file))
    assert conformance(honest, *words, *only("R01", "R40")).returncode == 0
    page = file.read_text(encoding="utf-8")
    assert "Integration &lt;b&gt;" in page
    assert "<td>Adapter</td>" in page
    assert f"MLLP conformance of {honest}, 20" in page
    assert "2 were asked for, and what must hold of them holds; 1 of what should hold does not." in page
    assert "rule 37: MSA-2 is MSH-10, byte for byte <small>[HL7 v2 chapter 2, 2.9.2.2; Mirth]</small>" in page
    assert "Signature" in page
    for field in (
        "Host",
        "Port",
        "Profile of answers",
        "Character set",
        "Form of the answer",
        "Largest message",
        "timeout",
    ):
        assert field in page.partition("Site sheet")[2]
    assert not re.search(r'(src|href)="|https?://|url\(', page)


def test_out_and_html_that_cannot_be_written_are_2(honest: str, tmp_path: Path) -> None:
    for option in ("--out", "--html"):
        done = conformance(honest, option, str(tmp_path / "absent" / "file"), *only("R01"))
        assert done.returncode == 2
        assert "cannot be written" in done.stderr


# --- what is not played ----------------------------------------------------------------------------------------------------


def test_while_no_good_message_is_acknowledged_nothing_else_is_tried() -> None:
    with listening(Tiny(judged=lambda _body: b"")) as port:
        report = played(port, patience=0.3)
    assert [one.verdict for one in report.findings[:2]] == [Verdict.FAILED, Verdict.SKIPPED]
    assert report.findings[1].do == "mend R01 first"
    assert not report.conforms
    assert report.count(Verdict.PASSED) == 0


async def after_its_time(port: int) -> str:
    plan = Plan(Where("127.0.0.1", port), seconds=1e-9)
    report = await run(CASES[:3], plan, utc_now, lambda _finding: None)
    assert [one.came for one in report.findings] == ["the time was up"] * 3
    assert not report.conforms
    return conclusion(report)


def test_what_there_was_no_time_for_proves_nothing() -> None:
    import asyncio

    with listening(Tiny()) as port:
        said = asyncio.run(after_its_time(port))
    assert said == "Nothing that was played failed, but 3 cases were not played: this proves no conformance."


# --- TLS ---------------------------------------------------------------------------------------------------------------------

TLS_CASES = only("R01", "R16", "M23", "M24", "M25", "M05-tls")


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for name in ("server", "client"):
        certificate, key = self_signed(tmp_path_factory.mktemp(name))
        both = certificate.with_name("both.pem")
        both.write_bytes(certificate.read_bytes() + key.read_bytes())
        found |= {name: certificate, f"{name}-key": key, f"{name}-both": both}
    return found


def over_tls(port: int, pems: dict[str, Path]) -> dict[str, str]:
    words = ("--tls", "--ca", str(pems["server"]), "--certificate", str(pems["client-both"]), "--patience", "1")
    done = conformance(f"localhost:{port}", *words, "--json", *TLS_CASES)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == (0 if said[-1]["conforms"] else 1)
    return {one["id"]: one["verdict"] for one in said[:-1]}


def test_a_port_with_mutual_tls_holds(pems: dict[str, Path]) -> None:
    context = tls_context(str(pems["server"]), str(pems["server-key"]), str(pems["client"]))
    with listening(Tiny(), context) as port:
        verdicts = over_tls(port, pems)
    assert verdicts == dict.fromkeys(("R01", "R16", "M25", "M23", "M24"), "pass") | {"M05-tls": "not applicable"}


def test_a_port_that_takes_every_client_and_old_tls_does_not(pems: dict[str, Path]) -> None:
    context = tls_context(str(pems["server"]), str(pems["server-key"]), None)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    with listening(Tiny(), context) as port:
        verdicts = over_tls(port, pems)
    assert {name for name, verdict in verdicts.items() if verdict == "fail"} == {"R16", "M23", "M24"}
