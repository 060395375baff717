"""Java for tests: what Maven fetches by a pom of ours, once."""

import os
from functools import cache
from pathlib import Path

from tests import fetched as fetching
from tests.conftest import ROOT

JARS = Path(os.environ.get("ADAPTER_JARS", ROOT / ".cache" / "java"))
BRIEF = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")
"""For a machine that lives for a minute, beside other tests: what the second compiler does would only pay in a longer run."""
INSTALL = "needs Java 17 and Maven: apt-get install default-jdk-headless maven"


def absent() -> str:
    """Why there is no Java here; empty where there is. On CI an absent one is a failure."""
    return fetching.absent(("java", "javac", "mvn"), INSTALL)


@cache
def fetched(source: Path, name: str) -> Path:
    """The folder with the jars of `source/pom.xml`."""
    return fetching.jars(source / "pom.xml", JARS / name)
