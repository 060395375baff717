"""The disk fails once, at a call of our choice: no acknowledgment is a lie, the daemon ends, and comes back clean.

strace answers the N-th call of a run with EIO instead of the kernel. ADAPTER_EIO sets the number of (call, N) pairs.
"""

import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest

from adapter.hl7.mllp import encode
from tests.builders import oru
from tests.crash.nursery import Nursery, Quick, counted, deliver, messages, needs_strace, resume, sample
from tests.installation import until

PAIRS = int(os.environ.get("ADAPTER_EIO", "42"))
CALLS = "fdatasync,fsync,ftruncate,openat,pwrite64,unlink"
MESSAGES = 60
STORE_WRITE = re.compile(r"\b(?:fdatasync|fsync|pwrite64)\(\d+<[^>]*/adapter\.db(?:-wal)?>")

pytestmark = [pytest.mark.slow, needs_strace]


@pytest.fixture(scope="module")
def sent() -> Mapping[str, bytes]:
    return messages(MESSAGES)


def test_after_an_error_of_the_disk_nothing_acknowledged_is_missing_and_the_daemon_has_ended(
    nursery: Nursery, template: Path, tmp_path: Path, sent: Mapping[str, bytes]
) -> None:
    whole = Quick(tmp_path / "whole", nursery, template)
    assert whole.up(traced=CALLS)
    deliver(whole, sent)
    assert whole.stop() == 0
    ended, pairs = 0, list(sample(counted(whole.trace), PAIRS, Random(5)))
    for call, number in pairs:
        place = Quick(tmp_path / f"{call}-{number}", nursery, template)
        ended += struck(place, f"{call}:error=EIO:when={number}", sent)
    assert ended > len(pairs) / 4, "hardly any error met the store: this run proves nothing"


def struck(place: Quick, fate: str, sent: Mapping[str, bytes]) -> bool:
    """One life under this fate and the next without it; whether the store met it."""
    place.up(fate)
    told = deliver(place, sent)
    code = place.stop()
    met = any(STORE_WRITE.search(line) for line in place.injected())
    assert code != 0 or not met, f"{fate}: the daemon went on after a failed write"
    assert code in {0, 2, 3, 70}, f"{fate}: {code} {place.log.read_text()}"  # 70: a file of our own that will not open
    resume(place, sent, told)
    shutil.rmtree(place.folder)
    return met


@pytest.mark.parametrize("fate", ["fdatasync:error=EIO:when=30", "pwrite64:error=EIO:when=300"])
def test_the_first_failed_write_ends_the_daemon_and_says_so(place: Quick, fate: str, sent: Mapping[str, bytes]) -> None:
    assert place.up(fate)
    told = deliver(place, sent)
    assert place.process.wait() == place.stop() == 3
    assert len(told.acknowledged) < len(sent)
    assert "the disk failed to write or to flush" in place.log.read_text()
    resume(place, sent, told)


def test_a_checkpoint_that_the_disk_fails_at_ends_the_daemon_too(place: Quick, sent: Mapping[str, bytes]) -> None:
    """SQLite's own checkpoint would have said nothing of it."""
    assert place.up("fdatasync:error=EIO:when=1", only="adapter.db")
    told = deliver(place, sent)
    assert place.process.wait() == place.stop() == 3
    assert len(place.injected()) == 1
    resume(place, sent, told)


def test_a_full_disk_by_injection_refuses_and_goes_on(place: Quick) -> None:
    """ENOSPC of the log's writes for a while: no answer, no end, and acknowledgments by themselves afterwards."""
    sent = messages(160)  # on a busy machine they share commits, and fewer writes are made of each
    assert place.up("pwrite64:error=ENOSPC:when=200..260")
    told = deliver(place, sent)
    assert len(told.acknowledged) < len(sent)
    assert place.process.poll() is None
    until(lambda: place.listening() and len(deliver(place, sent).acknowledged) == len(sent))
    assert told.acknowledged.items() <= place.stored().items()
    assert place.stop() == 0


RATE = 25
SLOW = 10_000
"""Microseconds of a flush on a slow disk."""
ROUNDS = 3
"""Of five seconds each: other tests use this machine too, and one quiet round tells what the daemon can do."""


def test_a_slow_disk_is_answered_within_a_quarter_of_a_second_and_memory_stays_flat(place: Quick) -> None:
    assert place.up(f"fdatasync:delay_enter={SLOW}")
    tell_at_a_rate(place, "warm", 2)
    before = resident(place)
    for number in range(ROUNDS):
        times = sorted(tell_at_a_rate(place, f"slow{number}", 5))
        assert times[0] > SLOW / 1e6, "the disk was not slow"
        if (p99 := times[int(len(times) * 0.99)]) < 0.25:
            break
    assert p99 < 0.25
    assert resident(place) - before < 16 << 20
    assert place.stop() == 0
    assert place.injected() or "DELAYED" in place.trace.read_text()


def tell_at_a_rate(place: Quick, name: str, seconds: float) -> list[float]:
    """From four senders together; how long each answer took."""
    times: list[float] = []

    def send(sender: int) -> None:
        with socket.create_connection(("127.0.0.1", place.mllp), timeout=10) as peer:
            for number in range(round(RATE * seconds / 4)):
                began = time.monotonic()
                peer.sendall(encode(oru(control=f"{name}-{sender}-{number}", patient=f"{sender}{number:04}")))
                assert b"MSA|AA" in peer.recv(4096)
                times.append(time.monotonic() - began)
                time.sleep(4 / RATE)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def resident(place: Quick) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{place.process.pid}/status").read_text())
    assert found
    return int(found[1]) << 10
