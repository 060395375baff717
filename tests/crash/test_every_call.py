"""The daemon is killed at its N-th system call: what is outside of it changes at calls only, so nothing lies between.

ADAPTER_CALLS sets the number of (call, N) pairs; `make torture` takes every one.
"""

import os
import shutil
from pathlib import Path
from random import Random

import pytest

from tests.crash.nursery import Nursery, Quick, counted, deliver, messages, needs_strace, resume, sample, sound, state

PAIRS = int(os.environ.get("ADAPTER_CALLS", "64"))
CALLS = "close,fdatasync,fsync,ftruncate,openat,pwrite64,sendmsg,sendto,unlink,write,writev"
FIRST = "fdatasync,fsync,ftruncate,link,mkdir,pwrite64,unlink,write"
MESSAGES = 200
RECOVERY = 5.0

pytestmark = [pytest.mark.slow, needs_strace]


def test_a_kill_at_any_call_loses_nothing_and_doubles_nothing(nursery: Nursery, template: Path, tmp_path: Path) -> None:
    sent = messages(MESSAGES)
    whole = Quick(tmp_path / "whole", nursery, template)
    assert whole.up(traced=CALLS)
    assert len(deliver(whole, sent).acknowledged) == len(sent)
    whole.settled(len(sent))
    assert whole.stop() == 0
    wanted, killed = state(whole), 0
    assert all(wanted)
    pairs = list(sample(counted(whole.trace), PAIRS, Random(3)))
    for call, number in pairs:
        place = Quick(tmp_path / f"{call}-{number}", nursery, template)
        place.up(f"{call}:signal=SIGKILL:when={number}")
        told = deliver(place, sent)
        killed += place.stop() == -9
        assert resume(place, sent, told) < RECOVERY
        differing = [set(got) ^ set(want) for got, want in zip(state(place), wanted, strict=True)]
        assert not any(differing), f"killed at {call} {number}: {differing}"
        shutil.rmtree(place.folder)
    assert killed > min(PAIRS, len(pairs)) * 0.7, "too few were killed: this run proves little"


def test_a_kill_in_the_first_start_leaves_a_folder_that_starts(nursery: Nursery, tmp_path: Path) -> None:
    """Lock, key, an empty database, its schema in one transaction: whatever of them is there."""
    whole = Quick(tmp_path / "whole", nursery, None)
    assert whole.up(traced=FIRST)
    assert whole.stop() == 0
    schema = whole.rows("SELECT name, sql FROM sqlite_master ORDER BY name")
    pairs = list(sample(counted(whole.trace), PAIRS // 4, Random(4)))
    for call, number in pairs:
        place = Quick(tmp_path / f"{call}-{number}", nursery, None)
        place.up(f"{call}:signal=SIGKILL:when={number}")
        place.stop()
        assert place.up(), f"killed at {call} {number}: {place.log.read_text()}"
        assert place.stop() == 0
        assert place.rows("SELECT name, sql FROM sqlite_master ORDER BY name") == schema
        sound(place)
        shutil.rmtree(place.folder)
