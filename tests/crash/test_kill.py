"""Kill -9 under load, with senders that resend what was not acknowledged and, at times, what was.

Nothing acknowledged may be lost, nothing stored twice. A kill proves recovery and bookkeeping, not that the disk was
flushed: the kernel keeps what a killed process wrote (reliability 0, point 1). ADAPTER_KILLS sets the number of kills.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adapter.store import inbox
from adapter.store.database import Database
from tests import stores
from tests.ports import free_port
from tests.postgres import PASSWORD

VICTIM = Path(__file__).with_name("victim.py")
KILLS = int(os.environ.get("ADAPTER_KILLS", "5"))
SENDERS = 4
RESENT = 0.1


@dataclass
class Sender:
    """One lock-step sender, as hospitals' engines are: the next message only after the answer to the last."""

    name: str
    port: int
    stop: threading.Event
    acknowledged: list[str] = field(default_factory=list)
    resent: int = 0
    _chance: random.Random = field(default_factory=lambda: random.Random(7))

    def run(self) -> None:
        number = 0
        while not self.stop.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=10) as peer:
                    number = self._converse(peer, number)
            except OSError:
                time.sleep(0.01)

    def _converse(self, peer: socket.socket, number: int) -> int:
        while not self.stop.is_set():
            if not self._exchange(peer, f"{self.name}-{number}"):
                return number
            self.acknowledged.append(f"{self.name}-{number}")
            number += 1
            if self._chance.random() < RESENT:
                self.resent += self._exchange(peer, self._chance.choice(self.acknowledged))
        return number

    def _exchange(self, peer: socket.socket, control_id: str) -> bool:
        header = f"MSH|^~\\&|LAB|HOSP|||20260102||ORU^R01|{control_id}|P|2.5.1\r"
        peer.sendall(b"\x0b" + header.encode() + b"OBX|1|NM|777-3^^LN||98\r" * 20 + b"\x1c\r")
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            part = peer.recv(4096)
            if not part:
                return False
            answer += part
        return f"MSA|AA|{control_id}".encode() in answer


def victim(url: str, port: int) -> subprocess.Popen[bytes]:
    started = subprocess.Popen([sys.executable, VICTIM, url, PASSWORD, str(port)])
    for _ in range(1000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return started
        time.sleep(0.02)
    raise AssertionError("the listener did not start")


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_and_nothing_is_stored_twice(each_store: str, tmp_path: Path) -> None:
    url, port, stop = stores.address(tmp_path), free_port(), threading.Event()
    senders = [Sender(f"S{number}", port, stop) for number in range(SENDERS)]
    threads = [threading.Thread(target=sender.run) for sender in senders]
    for thread in threads:
        thread.start()
    chance = random.Random(11)
    try:
        for _ in range(KILLS):
            process = victim(url, port)
            time.sleep(chance.uniform(0.05, 0.6))
            process.send_signal(signal.SIGKILL)
            process.wait()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    judge(url, senders)


def judge(url: str, senders: list[Sender]) -> None:
    database = Database.open(url, password=PASSWORD)
    with database.read() as conn:
        if stores.on_sqlite():
            assert conn.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        stored = Counter(row.control_id for row in inbox.listing(conn))
        counts = inbox.counts(conn)
    database.close()
    acknowledged = {control_id for sender in senders for control_id in sender.acknowledged}
    assert len(acknowledged) > KILLS * 10, "the senders hardly got through: this run proves nothing"
    assert acknowledged <= set(stored)
    assert max(stored.values()) == 1
    assert counts.duplicate >= sum(sender.resent for sender in senders) > 0
    assert counts.control_id_reuse == 0
    assert counts.received == counts.duplicate + counts.pending == counts.duplicate + len(stored)
