"""Java for tests: what Maven fetches by a pom of ours, once; other test processes wait for it."""

import fcntl
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.conftest import ROOT

JARS = Path(os.environ.get("ADAPTER_JARS", ROOT / ".cache" / "java"))
INSTALL = "needs Java 17 and Maven: apt-get install default-jdk-headless maven"


def absent() -> str:
    """Why there is no Java here; empty where there is. On CI an absent one is a failure."""
    there = shutil.which("java") and shutil.which("javac") and shutil.which("mvn")
    return "" if there or os.environ.get("CI") else INSTALL


@cache
def fetched(source: Path, name: str) -> Path:
    """The folder with the jars of `source/pom.xml`."""
    folder = JARS / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pom, stamp = source / "pom.xml", folder / "pom.xml"
        if not stamp.exists() or stamp.read_bytes() != pom.read_bytes():
            fetch = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
            subprocess.run([*fetch, f"-DoutputDirectory={folder}"], check=True, capture_output=True, timeout=500)
            shutil.copy(pom, stamp)
    return folder
