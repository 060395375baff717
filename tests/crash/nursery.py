"""Daemons that start in a moment, and strace as the hand of fate.

A nursery is a process that has imported the program and forks one daemon for each life: the true daemon on true files and
sockets, without the second that Python takes to read its libraries. A life may be held until strace is attached.
"""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapter.daemon.clock import utc_now
from adapter.hl7.mllp import encode
from tests import unmeasured
from tests.crash.ward import story
from tests.installation import Installation, until
from tests.nursery import LIFE, ROOT, Born

NO_STRACE = "needs root and strace: apt-get install strace"
RESENT = 0.1


def usable_strace() -> bool:
    """Whether it may hold a process here. Its absence is a failure in CI, elsewhere a reason to skip."""
    found = shutil.which("strace") is not None and os.geteuid() == 0
    assert found or "CI" not in os.environ, NO_STRACE
    return found


needs_strace = pytest.mark.skipif(not usable_strace(), reason=NO_STRACE)


# --- the nursery ------------------------------------------------------------------------------------------------------


def main() -> None:
    """The nursery itself: `run CONFIG LOG HELD` answers the process's number, `wait PID` its exit code."""
    import adapter.daemon.checks
    import adapter.daemon.service  # both so that children find everything read
    from adapter.cli import main as run
    from adapter.store import checkpoint

    assert adapter.daemon
    checkpoint.MOST_COMMITS = 20  # a short run meets several checkpoints
    for line in sys.stdin:
        words = json.loads(line)
        answer = _bear(run, *words[1:]) if words[0] == "run" else os.waitstatus_to_exitcode(os.waitpid(words[1], 0)[1])
        print(answer, flush=True)


def _bear(run: Callable[[], None], config: str, log: str, held: bool, sabotage: str) -> int:
    child = os.fork()
    if child:
        if held:
            os.waitpid(child, os.WUNTRACED)
        return child
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(out, number)
    SABOTAGES[sabotage]()
    if held:
        os.kill(os.getpid(), signal.SIGSTOP)
    sys.argv = ["adapter", "run", "--config", config]
    try:
        run()
    except SystemExit as end:
        os._exit(int(end.code or 0))
    os._exit(0)


def _acknowledge_first() -> None:
    """S1: the receipt before the commit."""
    from adapter.domain.message import RawMessage, Receipt
    from adapter.pipeline.receive import StoreInbox

    stored = StoreInbox.put

    def put(self: StoreInbox, message: RawMessage) -> "asyncio.Future[Receipt]":
        stored(self, message)
        answer = asyncio.get_running_loop().create_future()
        answer.set_result(Receipt(0, duplicate=False, acknowledgment=message.acknowledgment))
        return answer

    StoreInbox.put = put


def _synchronous(word: str, number: int) -> None:
    """S2, S3: a commit that is not flushed."""
    from adapter.store import engines

    engines.PRAGMAS = {**engines.PRAGMAS, "synchronous": (word, number)}


def _touch() -> None:
    """S11: the daemon opens and closes its own database, as a check of its size or its hash might."""
    from adapter.daemon import systemd

    def notify(state: str) -> None:
        config = Path(sys.argv[-1]).parent / "data" / "adapter.db"
        config.open("rb").close()

    systemd.notify = notify


def _fail_late() -> None:
    """The log is lost while the daemon stops, under a thread that nobody waits for any more."""
    from adapter.daemon.running import Daemon
    from adapter.errors import StorageFailedError

    finish = Daemon._finish

    async def late(self: Daemon) -> None:
        await finish(self)
        store = self._parts.database
        store.path.with_name(f"{store.path.name}-wal").unlink()
        with contextlib.suppress(StorageFailedError), store.write():
            pass

    Daemon._finish = late


SABOTAGES: dict[str, Callable[[], None]] = {
    "": lambda: None,
    "acknowledge-first": _acknowledge_first,
    "normal": lambda: _synchronous("NORMAL", 1),
    "off": lambda: _synchronous("OFF", 0),
    "touch": _touch,
    "fail-late": _fail_late,
}
"""Builds that lie, for the tests of the tests (reliability 1.4): made in a child of the nursery, never an option we ship."""


class Nursery:
    """`enter` is what its command begins with: the way into another mount namespace."""

    def __init__(self, *enter: str) -> None:
        self._process = subprocess.Popen(
            [*enter, sys.executable, "-m", "tests.crash.nursery"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=unmeasured.environment(),
        )  # fmt: skip

    def ask(self, *words: Any) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


class Quick(Installation):
    """An installation whose daemons come from a nursery, with a store and a key from `template`.

    `fate` is what strace injects into the next one (`fdatasync:error=EIO:when=3`), `traced` the calls that are written
    down, with `data` to the last byte, `only` those on one file of the data folder; `sabotage` is one of `SABOTAGES`.
    """

    def __init__(self, folder: Path, nursery: Nursery, template: Path | None) -> None:
        super().__init__(folder, "")
        self.nursery, self.strace = nursery, None
        self.trace = folder / "strace"
        if template is not None:
            (folder / "data").mkdir(mode=0o700)
            for name in ("adapter.db", "site.key"):
                shutil.copy2(template / name, folder / "data" / name)

    def launch(
        self, fate: str = "", *, traced: str = "", data: bool = False, only: str = "", sabotage: str = ""
    ) -> Born:
        watched = bool(fate or traced)
        pid = self.nursery.ask("run", str(self.config), str(self.log), watched, sabotage)
        self.process = Born(self.nursery, pid)
        if watched:
            words = ["-e", f"trace={traced or fate.partition(':')[0]}", *(["-e", f"inject={fate}"] if fate else [])]
            words += ["-xx", "-s", "70000"] if data else []
            words += ["-P", str(self.folder / "data" / only)] if only else []
            self._attach(pid, words)
            os.kill(pid, signal.SIGCONT)
        return self.process

    def _attach(self, pid: int, words: list[str]) -> None:
        command = ["strace", "-f", "-y", "-o", self.trace, *words, "-p", str(pid)]
        self.strace = subprocess.Popen(command, stderr=subprocess.PIPE)
        assert self.strace.stderr
        assert b"attached" in (line := self.strace.stderr.readline()), line

    def stop(self, number: int = signal.SIGTERM) -> int:
        code = super().stop(number)
        self._let_go()
        return code

    def end(self) -> None:
        super().end()
        self._let_go()

    def _let_go(self) -> None:
        if self.strace is not None:
            self.strace.communicate()
            self.strace = None

    def injected(self) -> list[str]:
        """The lines of the calls that fate met; after the daemon's end."""
        return [line for line in self.trace.read_text(errors="replace").splitlines() if "INJECTED" in line]

    def listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.mllp)) == 0

    def up(self, fate: str = "", **more: Any) -> bool:
        """Whether it came to listen, rather than end."""
        process = self.launch(fate, **more)
        return until(lambda: "up" if self.listening() else "ended" if process.poll() is not None else "", LIFE) == "up"

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Through SQLite, read-only, as anybody may beside the daemon."""
        with contextlib.closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as store:
            return store.execute(sql).fetchall()

    def stored(self) -> dict[str, bytes]:
        rows = self.rows("SELECT control_id, body FROM inbox")
        assert len(rows) == len(dict(rows)), "something is stored twice"
        return dict(rows)


# --- the senders ------------------------------------------------------------------------------------------------------


NOW = utc_now()


def messages(number: int) -> dict[str, bytes]:
    """Whole stories of as many patients as it takes, by control id; the same whenever they are asked for."""
    told = chain.from_iterable(story(f"{patient:05}", NOW) for patient in range(1, number))
    return dict(pair for pair, _ in zip(told, range(number), strict=False))


@dataclass
class Delivery:
    """Lock-step senders, each with its share of the patients; each gives up when nobody listens any more."""

    port: int
    sent: Mapping[str, bytes]
    acknowledged: dict[str, bytes] = field(default_factory=dict)
    resent: list[str] = field(default_factory=list)
    senders: int = 2

    def run(self) -> None:
        shares: list[dict[str, bytes]] = [{} for _ in range(self.senders)]
        for control_id, body in self.sent.items():
            shares[int(control_id[1:]) % self.senders][control_id] = body
        threads = [threading.Thread(target=self._send, args=(share,)) for share in shares]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _send(self, share: Mapping[str, bytes]) -> None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=LIFE) as peer:
            chance = Random(7)
            for control_id, body in share.items():
                if not self._exchange(peer, control_id, body):
                    return
                if chance.random() < RESENT:
                    again = chance.choice(sorted(share.keys() & self.acknowledged.keys()))
                    if self._exchange(peer, again, share[again]):
                        self.resent.append(again)

    def _exchange(self, peer: socket.socket, control_id: str, body: bytes) -> bool:
        peer.sendall(encode(body))
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            part = peer.recv(4096)
            if not part:
                return False
            answer += part
        assert b"MSA|AA|" + control_id.encode() + b"\r" in answer
        self.acknowledged[control_id] = body
        return True


def deliver(place: Quick, sent: Mapping[str, bytes]) -> Delivery:
    made = Delivery(place.mllp, sent)
    made.run()
    return made


def resume(place: Quick, sent: Mapping[str, bytes], before: Delivery) -> float:
    """A new life after a bad end; what it took to listen again. What was not acknowledged comes again, and a tenth more."""
    began = time.monotonic()
    assert place.up(), place.log.read_text()
    took = time.monotonic() - began
    kept = place.stored()
    assert before.acknowledged.items() <= kept.items(), "an acknowledged message is lost"
    again = [name for n, name in enumerate(sent) if name not in before.acknowledged or n % 10 == 0]
    after = deliver(place, {name: sent[name] for name in again})
    assert len(after.acknowledged) == len(again)
    until(lambda: not place.counts()["pending"], LIFE)
    assert place.stop() == 0
    assert place.stored() == dict(sent)
    sound(place)
    return took


# --- the judges -------------------------------------------------------------------------------------------------------

STATE = (
    "SELECT id, trial, episode, verdict, certainty, stratum, shown, status, deadline, standing FROM candidates",
    "SELECT control_id, state, reason FROM inbox JOIN inbox_outcomes USING (id)",
    "SELECT value, kind, digest, s.at FROM statements AS s JOIN patients AS p ON s.patient = p.key",
    # Digests stand for what was stated, whoever carried it: the number of the message differs from run to run.
    """SELECT value, concept, identity, effective, (SELECT group_concat(digest) FROM (SELECT
    json_extract(v.value, '$.digest') AS digest FROM json_each(r.versions) AS v ORDER BY 1))
    FROM results AS r JOIN patients AS p ON r.patient = p.key""",
)


def state(place: Quick) -> list[list[tuple[Any, ...]]]:
    """What must not depend on what happened on the way."""
    return [sorted(place.rows(sql), key=repr) for sql in STATE]


def sound(place: Quick) -> None:
    """Whole, and nobody was raised twice."""
    assert place.rows("PRAGMA integrity_check") == [("ok",)]
    assert place.rows("PRAGMA foreign_key_check") == []
    raised = "SELECT candidate FROM candidate_history WHERE kind = 'raised' GROUP BY candidate HAVING count(*) > 1"
    assert place.rows(raised) == []


def counted(trace: Path) -> dict[str, int]:
    """For each call the most that one thread made of it: strace counts by thread."""
    found: Counter[tuple[str, str]] = Counter()
    for line in trace.read_text(errors="replace").splitlines():
        if call := re.match(r"(\d+) +(\w+)\(", line):
            found[call[2], call[1]] += 1
    return {call: max(n for (c, _), n in found.items() if c == call) for call, _ in found}


def sample(found: Mapping[str, int], number: int, chance: Random) -> Iterator[tuple[str, int]]:
    """(call, N) pairs, as many for each call as there is a share of, spread over the run; all when there are fewer."""
    share = -(-number // len(found))
    for call, most in sorted(found.items()):
        yield from ((call, n) for n in sorted(chance.sample(range(1, most + 1), min(share, most))))


if __name__ == "__main__":
    main()
