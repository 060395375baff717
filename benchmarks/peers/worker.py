"""Peers as processes: a parser that waits to be asked, a server on a port. Any language; one protocol.

A parser is given a file of messages. It first prints what it reads of each as JSON lists; then for every line of seconds on its
standard input it parses message after message for so long and prints how many a second. It ends with its input.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.peers.install import HERE, JAVA, NODE, PYTHON, has

_PYTHON = str(PYTHON / "bin" / "python")
_JAVA = ("java", "-Xmx512m", "-cp", f"{JAVA / 'classes'}:{JAVA / 'lib'}/*", "Peer")
OURS = "adapter"
PARSERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "plain str.split": ("python", (_PYTHON, str(HERE / "python_parsers.py"), "plain str.split")),
    "python-hl7 0.4.5": ("python", (_PYTHON, str(HERE / "python_parsers.py"), "python-hl7")),
    "hl7apy 1.3.5": ("python", (_PYTHON, str(HERE / "python_parsers.py"), "hl7apy")),
    "hl7types 0.9.5": ("python", (_PYTHON, str(HERE / "python_parsers.py"), "hl7types")),
    "hl7kit 0.2.0 (Rust)": ("python", (_PYTHON, str(HERE / "python_parsers.py"), "hl7kit")),
    "medforge 0.2.0 (Rust)": ("python", (_PYTHON, str(HERE / "python_parsers.py"), "medforge")),
    "HAPI 2.6 generic (Java)": ("java", (*_JAVA, "parse", "generic")),
    "HAPI 2.6 default (Java)": ("java", (*_JAVA, "parse", "default")),
    "Medplum 4.5.2 (JS)": ("node", ("node", str(HERE / "parse.js"), "medplum")),
    "node-hl7-client 4.0.0 (JS)": ("node", ("node", str(HERE / "parse.js"), "node-hl7-client")),
}
"""Name → kind of installation, command; the file of messages comes last."""

SERVERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "HAPI SimpleServer, generic": ("java", (*_JAVA, "serve", "generic")),
    "HAPI SimpleServer, default": ("java", (*_JAVA, "serve", "default")),
    "Medplum Hl7Server": ("node", ("node", str(HERE / "serve.js"))),
    "python-hl7 server": ("python", (_PYTHON, str(HERE / "serve_python_hl7.py"))),
}
"""As `PARSERS`; the port comes last."""


class Parser:
    """One worker; `read` is what it read of each message."""

    def __init__(self, command: Sequence[str], file: Path) -> None:
        self._process = subprocess.Popen(
            [*command, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment()
        )
        self.read: list[list[str]] = json.loads(self._line())

    def rate(self, seconds: float) -> float:
        """Messages a second, for so long."""
        assert self._process.stdin
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        return float(self._line())

    def _line(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._process.args}: ended with {self._process.wait()}")
        return line

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(30)


def parsers(file: Path) -> dict[str, Parser]:
    """Ours first, then every peer that is installed; one that does not start is named and left out."""
    found = {OURS: Parser((sys.executable, "-m", "benchmarks.peers.ours"), file)}
    for name, (kind, command) in PARSERS.items():
        if has(kind):
            try:
                found[name] = Parser(command, file.with_suffix(".lines") if "Peer" in command else file)
            except SystemExit as error:
                print(f"  {name} is left out: {error}")
    return found


def servers() -> dict[str, tuple[str, ...]]:
    return {name: command for name, (kind, command) in SERVERS.items() if has(kind)}


@contextlib.contextmanager
def serving(command: Sequence[str], port: int) -> Iterator[None]:
    """A server that listens on this port until the block ends."""
    process = subprocess.Popen([*command, str(port)], stdout=subprocess.DEVNULL, env=_environment())
    try:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{command}: does not listen")
            time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()


def _environment() -> dict[str, str]:
    return os.environ | {"NODE_PATH": str(NODE / "node_modules")}
