"""The daemon is killed at its N-th system call: what is outside of it changes at calls only, so nothing lies between.

ADAPTER_CALLS sets the number of (call, N) pairs; `make torture` takes every one.
"""

import os
from pathlib import Path
from random import Random

import pytest

from adapter.daemon.clock import utc_now
from tests.crash.nursery import Nursery, Quick, counted, deliver, messages, needs_strace, resume, sample, state

PAIRS = int(os.environ.get("ADAPTER_CALLS", "64"))
CALLS = "close,fdatasync,fsync,ftruncate,openat,pwrite64,sendto,unlink,write"
MESSAGES = 200
RECOVERY = 5.0

pytestmark = [pytest.mark.slow, needs_strace]


def test_a_kill_at_any_call_loses_nothing_and_doubles_nothing(
    nursery: Nursery, template: Path, tmp_path: Path
) -> None:
    sent = messages(MESSAGES, utc_now())
    whole = Quick(tmp_path / "whole", nursery, template)
    assert whole.up(traced=CALLS)
    assert len(deliver(whole, sent).acknowledged) == len(sent)
    whole.settled(len(sent))
    assert whole.stop() == 0
    wanted, killed = state(whole), 0
    assert all(wanted)
    for call, number in sample(counted(whole.trace), PAIRS, Random(3)):
        place = Quick(tmp_path / f"{call}-{number}", nursery, template)
        place.up(f"{call}:signal=SIGKILL:when={number}")
        told = deliver(place, sent)
        killed += place.stop() == -9
        assert resume(place, sent, told) < RECOVERY
        assert state(place) == wanted, f"killed at {call} {number}"
    assert killed > PAIRS * 0.7, "too few were killed: this run proves little"
