"""The adapter as a process of its own that starts in a moment: a nursery has imported the program, and forks it for each start.

The process has its own number, files, sockets, environment and end, as any other. It is spared the second and a half that Python
takes to read some thousand modules, which the tests would spend some hundred times. What is about a start itself, or about
the memory of a process, starts `python -m adapter` (`tests.installation.ADAPTER`).
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Protocol

ROOT = Path(__file__).parents[1]
LIFE = 60
"""Seconds after which a process is believed to hang."""
MOST = 1 << 20
"""Bytes of what is asked of a nursery: the environment is the most of it."""

READ = ("adapter.daemon.service", "adapter.daemon.checks", "alembic.command", "fhir.resources.R4B.bundle")
"""So that children find everything read."""
_open: "list[Nursery]" = []


class Parent(Protocol):
    def ask(self, *words: Any) -> int: ...


class Born:
    """A process that a nursery forked, as `subprocess.Popen` shows one."""

    def __init__(self, nursery: Parent, pid: int) -> None:
        self._nursery, self.pid, self.returncode = nursery, pid, None
        self._watch = os.pidfd_open(pid)

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float = LIFE) -> int:
        if self.returncode is None:
            if not select.select([self._watch], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("adapter", timeout)
            self.returncode = self._nursery.ask("wait", self.pid)
            os.close(self._watch)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Nursery:
    """One for a process of tests; it ends with it."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._door, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        quiet = subprocess.DEVNULL
        with theirs:
            command = [sys.executable, "-c", f"from tests.nursery import tend; tend({theirs.fileno()})"]
            self._process = subprocess.Popen(command, stdin=quiet, stdout=quiet, cwd=ROOT, pass_fds=[theirs.fileno()])

    def ask(self, *words: Any, files: Sequence[int] = ()) -> int:
        """An answer names nobody: it is that of who asked last, so one asks at a time."""
        with self._asking:
            socket.send_fds(self._door, [json.dumps(words).encode()], files)
            return int(self._door.recv(64))

    def bear(
        self,
        words: Sequence[str],
        files: Sequence[IO[bytes]],
        environment: Mapping[str, str],
        folder: Path | None = None,
    ) -> Born:
        """`adapter WORDS` with `files` as its standard input, output and errors."""
        numbers = [file.fileno() for file in files]
        return Born(self, self.ask("bear", words, dict(environment), str(folder or Path.cwd()), files=numbers))

    def close(self) -> None:
        self._door.close()
        self._process.wait()


def nursery() -> Nursery:
    """That of what coverage follows, or the other: as the environment says, which `conftest` sets for each test."""
    return _nursery(measured="COVERAGE_PROCESS_CONFIG" in os.environ)


@cache
def _nursery(measured: bool) -> Nursery:
    _open.append(made := Nursery())
    return made


def end() -> None:
    """All of them, once nothing is asked any more; what coverage followed in them is then written."""
    while _open:
        _open.pop().close()
    _nursery.cache_clear()


def run(
    *words: str,
    stdin: bytes = b"",
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float = 180,
    check: bool = False,
    text: bool = False,
) -> "subprocess.CompletedProcess[Any]":
    """`adapter WORDS`, as `subprocess.run` runs it."""
    with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
        given.write(stdin)
        for file in (given, out, err):
            file.seek(0)
        born = nursery().bear(words, (given, out, err), environment or os.environ, folder)
        try:
            born.wait(timeout)
        finally:
            born.kill()
            born.wait()
        said = [_from_start(file) for file in (out, err)]
    done: subprocess.CompletedProcess[Any] = subprocess.CompletedProcess(
        ("adapter", *words), born.returncode or 0, *(one.decode() if text else one for one in said)
    )
    if check:
        done.check_returncode()
    return done


def _from_start(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


# --- the nursery itself -----------------------------------------------------------------------------------------------


def tend(number: int) -> None:
    """`bear WORDS ENVIRONMENT FOLDER` answers the number of the process, `wait PID` its exit code."""
    for module in READ:
        importlib.import_module(module)
    from adapter.cli import main

    gc.freeze()
    with socket.socket(fileno=number) as door:
        while (asked := socket.recv_fds(door, MOST, 3))[0]:
            word, *rest = json.loads(asked[0])
            child = os.fork() if word == "bear" else 0
            if word == "bear" and not child:
                break
            answer = child or os.waitstatus_to_exitcode(os.waitpid(rest[0], 0)[1])
            for file in asked[1]:
                os.close(file)
            door.send(str(answer).encode())
        else:
            return
    _become(*rest, asked[1])
    os._exit(_lived(main))


def _lived(main: Callable[[], None]) -> int:
    """All that Python does at its end, but for taking apart each module, which would copy the whole nursery."""
    code: Any = 0
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
    finally:
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
    return int(code)


def _become(words: list[str], environment: dict[str, str], folder: str, files: list[int]) -> None:
    for standard, file in enumerate(files):
        os.dup2(file, standard)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = ["adapter", *words]
