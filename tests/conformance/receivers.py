"""The receivers that the tool is tried on: our daemon, python-hl7's server, HAPI's; each a process of its own."""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from adapter.conformance.cases import CASES
from adapter.conformance.model import Case, Finding, Verdict
from adapter.conformance.player import Where
from adapter.conformance.profiles import PROFILES
from adapter.conformance.run import Plan, Report, run
from adapter.daemon.clock import utc_now
from tests.installation import Installation, say, until
from tests.jars import BRIEF
from tests.ports import free_port

HERE = Path(__file__).parent / "peers"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "immunosep-adapter" / "hapi"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
INSTALL = "apt-get install default-jdk-headless maven"
LIMIT = 2 * 1024 * 1024
"""The agreed size here: what a larger one would show costs only time."""


def played(
    port: int, profile: str = "generic", *, patience: float = 3.0, cases: Sequence[Case] = CASES, limit: int = LIMIT
) -> Report:
    plan = Plan(Where("127.0.0.1", port, patience=patience), PROFILES[profile], limit=limit, seconds=300)
    return asyncio.run(run(cases, plan, utc_now, lambda _finding: None))


def certain(port: int, known: Collection[str], profile: str = "generic", **how: Any) -> dict[str, Finding]:
    """Findings by case; a failure that is not known is played again, patiently.

    A busy machine answers late, and a case that waits half a second would take that for silence.
    """
    found = {one.case.id: one for one in played(port, profile, **how).findings}
    doubtful = [one.case for one in found.values() if one.verdict is Verdict.FAILED and one.case.id not in known]
    again = played(port, profile, **how | {"patience": 15.0, "cases": doubtful})
    return found | {one.case.id: one for one in again.findings}


def failures(found: Mapping[str, Finding]) -> dict[str, Finding]:
    return {name: one for name, one in found.items() if one.verdict is Verdict.FAILED}


@contextlib.contextmanager
def ours(folder: Path, profile: str) -> Iterator[int]:
    daemon = Installation(folder, "", source=f'max_bytes = {LIMIT}\nack = "{profile}"')
    try:
        daemon.start()
        yield daemon.mllp
        shows_nobody(daemon)
    finally:
        daemon.end()


def shows_nobody(daemon: Installation) -> None:
    """All of it is stored and read, nobody is a candidate, nothing is owed to anybody."""
    counts = daemon.settled(len(CASES))
    assert counts["received"] == sum(counts[state] for state in ("applied", "duplicate", "ignored", "quarantined"))
    with contextlib.closing(sqlite3.connect(f"file:{daemon.database}?mode=ro", uri=True)) as store:
        assert store.execute("SELECT count(*) FROM candidates WHERE standing").fetchone() == (0,)
        assert store.execute("SELECT count(*) FROM outbox").fetchone() == (0,)


@contextlib.contextmanager
def python_hl7() -> Iterator[int]:
    with _process([sys.executable, str(HERE / "python_hl7.py")]) as port:
        yield port


@contextlib.contextmanager
def hapi(folder: Path) -> Iterator[int]:
    """The jars are fetched once; the receiver is compiled each time."""
    jars = _jars()
    compile_ = ["javac", "-cp", f"{jars}/*", "-d", str(folder), str(HERE / "java" / "Receiver.java")]
    subprocess.run(compile_, check=True, timeout=120)
    with _process(["java", *BRIEF, "-cp", f"{jars}/*:{folder}", "Receiver", str(free_port())], folder) as port:
        _warm(port)
        yield port


def _jars() -> Path:
    missing = [word for word in ("javac", "mvn") if shutil.which(word) is None]
    if missing:
        absent(f"{' and '.join(missing)} not found: {INSTALL}")
    if not list(CACHE.glob("hapi-structures-*.jar")):
        words = ["mvn", "-q", "-B", "-f", str(HERE / "java" / "pom.xml"), COPY, f"-DoutputDirectory={CACHE}"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            absent(f"Maven could not fetch HAPI: {done.stdout[-500:]}")
    return CACHE


def absent(reason: str) -> None:
    """Decisions F11: a failure where CI runs, a skip elsewhere."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextlib.contextmanager
def _process(words: list[str], folder: Path | None = None) -> Iterator[int]:
    """A receiver that prints its port, and ends when its standard input does; HAPI counts in a file where it runs."""
    pipe, quiet = subprocess.PIPE, subprocess.DEVNULL
    process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=quiet, cwd=folder)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def _warm(port: int) -> None:
    """The first message of a fresh Java machine takes seconds."""
    ping = b"\x0bMSH|^~\\&|A|B|C|D|20260102||ORU^R01^ORU_R01|1|P|2.5.1\rPID|1||1\rOBR|1\rOBX|1|ST|A||1\r\x1c\r"
    until(lambda: b"MSA|AA" in say(port, ping))
