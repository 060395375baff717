"""An installation in a folder: a configuration, the daemon as a process of its own, and what an operator sees of it."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from adapter.hl7.mllp import encode
from tests import nursery, stores
from tests.ports import free_port

T = TypeVar("T")
ADAPTER = (sys.executable, "-m", "adapter")
HEAD = """
[adapter]
data = "{data}"
trials = ["immunosep-demo"]
environment = "production"

[store]
{store}ballast_mib = 0

[[source]]
kind = "mllp"
name = "lab"
site = "generic"
listen = "127.0.0.1:{mllp}"
{source}

[web]
listen = "127.0.0.1:{web}"
"""
STATES = ("applied", "duplicate", "ignored", "quarantined", "pending")


class Installation:
    """`outlets` is TOML for sinks and notifiers, `source` more of the source's; `program` what is run in the place of
    the adapter of `tests.nursery`, such as `ADAPTER`; `store` the data folder of another installation whose store is shared.
    """

    def __init__(
        self,
        folder: Path,
        outlets: str,
        *,
        program: Sequence[str] = (),
        store: Path | None = None,
        source: str = "max_bytes = 65536",
        **environment: str,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.program, self.environment = folder, tuple(program), os.environ | environment
        self.mllp, self.web = free_port(), free_port()
        self.config = folder / "adapter.toml"
        data = folder / "data"
        self.config.write_text(
            HEAD.format(data=data, mllp=self.mllp, web=self.web, store=stores.lines(store or data), source=source)
            + outlets
        )
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | nursery.Born | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.web}"

    @property
    def database(self) -> Path:
        return self.folder / "data" / "adapter.db"

    def launch(self) -> subprocess.Popen[bytes] | nursery.Born:
        """Started, perhaps not yet listening."""
        words = ("run", "--config", str(self.config))
        with self.log.open("ab") as log, Path(os.devnull).open("rb") as nothing:
            if self.program:
                self.process = subprocess.Popen([*self.program, *words], stdout=log, stderr=log, env=self.environment)
            else:
                self.process = nursery.nursery().bear(words, (nothing, log, log), self.environment)
        return self.process

    def start(self) -> None:
        process = self.launch()
        with contextlib.suppress(AssertionError):
            until(lambda: process.poll() is not None or self.ready())
        assert process.poll() is None, self.log.read_text()
        assert self.ready(), self.log.read_text()

    def ready(self) -> bool:
        try:
            return self.get("/readyz") == "ok\n"
        except OSError:
            return False

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def end(self) -> None:
        """Whatever happened: no process is left."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def command(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        environment = self.environment | {"ADAPTER_CONFIG": str(self.config)}
        return nursery.run(*words, environment=environment, timeout=60, check=check)

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.base + path, timeout=30) as answer:
            return str(answer.read().decode())

    def counts(self) -> dict[str, int]:
        """What `/metrics` says became of the messages of the feed `lab`."""
        page = self.get("/metrics").replace("adapter_inbox_pending{", "adapter_messages_pending{")
        found = dict(re.findall(r'^adapter_messages_(\w+?)(?:_total)?\{feed="lab"\} ([\d.]+)$', page, re.MULTILINE))
        return {name: int(float(found.get(name, 0))) for name in ("received", *STATES)}

    def settled(self, received: int, seconds: float = 90) -> dict[str, int]:
        """The counts, once so many were received and none waits."""
        return until(lambda: (c := self.counts())["received"] >= received and not c["pending"] and c, seconds)

    def owes_nothing(self) -> bool:
        """Whether no outlet waits for a delivery."""
        waiting = re.findall(r"^adapter_outbox_waiting\{.*\} ([\d.]+)$", self.get("/metrics"), re.MULTILINE)
        return not any(float(number) for number in waiting)


def until(found: Callable[[], T | bool], seconds: float = 60) -> T:
    """What `found` returns, once that is something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := found():
            return result  # type: ignore[return-value]
        time.sleep(0.05)
    raise AssertionError(f"did not come within {seconds} s")


def say(port: int, sent: bytes, *, answers: int = 1) -> bytes:
    """Every byte the daemon answers, until so many frames came or it closes; 0 waits for the close."""
    heard = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as peer, contextlib.suppress(ConnectionError):
        peer.sendall(sent)
        while not answers or heard.count(b"\x1c\r") < answers:
            part = peer.recv(65536)
            if not part:
                break
            heard += part
    return heard


def tell(port: int, *bodies: bytes) -> bytes:
    """In frames, one after the other; the answers."""
    return say(port, b"".join(map(encode, bodies)), answers=len(bodies))


def lines(text: bytes) -> list[dict[str, Any]]:
    """The JSON lines among whatever else a program wrote."""
    return [json.loads(line) for line in text.splitlines() if line.startswith(b"{")]


def hashing(seed: int, *words: str) -> "subprocess.CompletedProcess[bytes]":
    """`adapter WORDS` by a process whose sets have another order than those of another `seed`: all that one nursery forks have the same."""
    surroundings = os.environ | {"PYTHONHASHSEED": str(seed)}
    return subprocess.run([*ADAPTER, *words], capture_output=True, timeout=180, check=False, env=surroundings)
