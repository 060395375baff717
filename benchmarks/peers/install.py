"""Peers in `.cache/bench`, outside the tree's own environment: `python -m benchmarks.peers.install`. What cannot be had is left out.

Python from PyPI, JavaScript by npm, HAPI HL7v2 by Maven and javac; each is installed once, again when its list changes.
"""

import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "bench"
PYTHON, NODE, JAVA = CACHE / "python", CACHE / "node", CACHE / "java"


def python() -> None:
    venv.create(PYTHON, with_pip=True, clear=True)
    listed = str(HERE / "requirements.txt")
    run(str(PYTHON / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", listed)


def node() -> None:
    shutil.rmtree(NODE / "node_modules", ignore_errors=True)  # npm takes a half tidied one for whole
    NODE.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "package.json", NODE)
    run("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(NODE))


def java() -> None:
    local = f"-Dmaven.repo.local={CACHE / 'm2'}"
    run(
        "mvn",
        "-q",
        "-B",
        "-f",
        str(HERE / "pom.xml"),
        local,
        "dependency:copy-dependencies",
        f"-DoutputDirectory={JAVA / 'lib'}",
    )
    run("javac", "-cp", f"{JAVA / 'lib'}/*", "-d", str(JAVA / "classes"), str(HERE / "Peer.java"))


KINDS: dict[str, tuple[Callable[[], None], tuple[str, ...], tuple[str, ...]]] = {
    "python": (python, (), ("requirements.txt",)),
    "node": (node, ("node", "npm"), ("package.json",)),
    "java": (java, ("java", "javac", "mvn"), ("pom.xml", "Peer.java")),
}
"""Kind → how, the programs it needs, the files that say what."""


PROOF = {
    "python": PYTHON / "bin" / "python",
    "node": NODE / "node_modules" / "@medplum" / "hl7" / "dist" / "cjs" / "index.cjs",
    "java": JAVA / "classes" / "Peer.class",
}
"""Is there when an installation came to its end and nobody has tidied it away since."""


def run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)


def _wanted(files: tuple[str, ...]) -> str:
    return hashlib.sha256(b"".join((HERE / name).read_bytes() for name in files)).hexdigest()


def has(kind: str) -> bool:
    stamp = CACHE / f"{kind}.stamp"
    return stamp.exists() and stamp.read_text() == _wanted(KINDS[kind][2]) and PROOF[kind].exists()


def main() -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    for kind, (install, needs, files) in KINDS.items():
        absent = [program for program in needs if shutil.which(program) is None]
        if has(kind) or absent:
            print(f"peers, {kind}: {'there' if not absent else f'left out, no {absent[0]} here'}", file=sys.stderr)
            continue
        print(f"peers, {kind}: installing", file=sys.stderr)
        try:
            install()
        except (subprocess.CalledProcessError, OSError) as error:
            print(f"peers, {kind}: left out ({error})", file=sys.stderr)
            continue
        (CACHE / f"{kind}.stamp").write_text(_wanted(files))


if __name__ == "__main__":
    main()
