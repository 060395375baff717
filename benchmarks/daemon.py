"""The real daemon as a process of its own: started from a configuration, fed over sockets, watched from outside."""

import asyncio
import contextlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests import unmeasured
from tests.ports import free_port

MIB = 1024 * 1024
CONFIG = """
[adapter]
data = "{folder}/data"
trials = ["immunosep-demo"]
environment = "production"

[[source]]
kind = "mllp"
name = "lab"
site = "generic"
listen = "127.0.0.1:{mllp}"
peers = ["127.0.0.0/8"]

[web]
listen = "127.0.0.1:{web}"
"""
END = b"\x1c\r"


class Daemon:
    """`python -m adapter run` on free ports, with `more` of a configuration; all roles, or those named."""

    def __init__(self, folder: Path, more: str = "", roles: str = "") -> None:
        self.folder, self.mllp, self.web, self.pages = folder, free_port(), free_port(), not roles or "web" in roles
        self.config = folder / "adapter.toml"
        self.config.write_text(CONFIG.format(folder=folder, mllp=self.mllp, web=self.web) + more)
        self.began = time.perf_counter()
        with (folder / "log").open("wb") as log:
            command = [sys.executable, "-m", "adapter", "run", "--config", str(self.config)]
            # Where coverage measures child processes, its own memory is not ours.
            spoken = {"ADAPTER_ADAPTER__ROLES": roles} if roles else {}
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=unmeasured.environment() | spoken)
        while not self._ready():
            if self.process.poll() is not None:
                raise SystemExit((folder / "log").read_text())
            time.sleep(0.01)
        self.start_up = time.perf_counter() - self.began

    def _ready(self) -> bool:
        with contextlib.suppress(OSError):
            if self.pages:
                return self.get("/readyz") == "ok\n"
            socket.create_connection(("127.0.0.1", self.mllp), timeout=1).close()
            return True
        return False

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web}{path}", timeout=60) as answer:
            return str(answer.read().decode())

    def memory(self, field: str = "VmRSS") -> float:
        """MiB; `VmHWM` is the most there ever was."""
        said = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        found = re.search(rf"^{field}:\s+(\d+) kB$", said, re.MULTILINE)
        assert found
        return int(found[1]) / 1024

    def waiting(self) -> int:
        """Messages stored and not yet screened."""
        return sum(
            int(float(n))
            for n in re.findall(r"^adapter_inbox_pending\{.*\} (\S+)$", self.get("/metrics"), re.MULTILINE)
        )

    def applied(self) -> int:
        page = self.get("/metrics")
        return sum(int(float(n)) for n in re.findall(r"^adapter_messages_applied\{.*\} (\S+)$", page, re.MULTILINE))

    def settle(self, seconds: float = 3600) -> None:
        """Until nothing waits."""
        deadline = time.monotonic() + seconds
        while self.waiting():
            if time.monotonic() > deadline:
                raise SystemExit("messages still wait")
            time.sleep(0.1)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@contextlib.contextmanager
def running(folder: Path, more: str = "", roles: str = "") -> Iterator[Daemon]:
    daemon = Daemon(folder, more, roles)
    try:
        yield daemon
    finally:
        daemon.stop()


@contextlib.contextmanager
def idle_connections(port: int, number: int) -> Iterator[None]:
    """So many that say nothing."""
    with contextlib.ExitStack() as stack:
        for _ in range(number):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        yield


def send(port: int, bodies: Iterable[bytes], connections: int = 4) -> None:
    """Every body acknowledged with AA, each connection in lock-step; raises on any other answer."""
    asyncio.run(_send(port, bodies, connections))


async def _send(port: int, bodies: Iterable[bytes], connections: int) -> None:
    waiting = iter(bodies)
    await asyncio.gather(*(_talk(port, waiting) for _ in range(connections)))


async def _talk(port: int, waiting: Iterator[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for body in waiting:
        writer.write(b"\x0b" + body + END)
        await writer.drain()
        answer = await reader.readuntil(END)
        if b"MSA|AA" not in answer:
            raise SystemExit(f"not acknowledged: {answer!r}")
    writer.close()
    await writer.wait_closed()
