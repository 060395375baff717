"""Other people's programs for tests, fetched once into `.cache` by the package manager of their language."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def jars(pom: Path, into: Path) -> Path:
    """What a pom names, by Maven."""
    with _outdated(pom, into) as outdated:
        if outdated:
            fetch = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
            subprocess.run([*fetch, f"-DoutputDirectory={into}"], check=True, capture_output=True, timeout=600)
    return into


def modules(package: Path, into: Path) -> Path:
    """What a package.json names, by npm."""
    with _outdated(package, into) as outdated:
        if outdated:
            shutil.rmtree(into / "node_modules", ignore_errors=True)  # npm takes a half tidied one for whole
            shutil.copy(package, into)
            fetch = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--package-lock=false"]
            subprocess.run(fetch, cwd=into, check=True, capture_output=True, timeout=600)
    return into / "node_modules"


def absent(programs: tuple[str, ...], install: str) -> str:
    """How to get what is not there; empty where all is. On CI an absent one is a failure."""
    there = all(shutil.which(program) for program in programs)
    return "" if there or os.environ.get("CI") else install


@contextmanager
def _outdated(wish: Path, into: Path) -> Iterator[bool]:
    """Whether this wish was not fetched yet; other test processes wait until it is."""
    into.mkdir(parents=True, exist_ok=True)
    with (into / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = into / "fetched"
        outdated = not stamp.exists() or stamp.read_bytes() != wish.read_bytes()
        yield outdated
        if outdated:
            stamp.write_bytes(wish.read_bytes())
