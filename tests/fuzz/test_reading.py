"""A million mutated frames through the framer and the reader: nothing raises, nothing is slow, memory stays where it was."""

import json
import os
import subprocess
import sys

import pytest

from tests import unmeasured
from tests.conftest import ROOT
from tests.fuzz.mutate import Mutator
from tests.fuzz.reading import REFUSALS, Tally

TIMES = int(os.environ.get("FUZZ", "1"))
"""`FUZZ=100 make torture` runs a hundred times as many."""
PROCESSES = 2
FRAMES = 500_000
"""In each process: a minute of one core."""
ONE_SECOND = 1.0
GROWTH_KIB = 16 * 1024

pytestmark = pytest.mark.slow


def tallies(seeds: range, count: int) -> list[Tally]:
    command = [sys.executable, "-m", "tests.fuzz.reading"]
    plain = unmeasured.environment()
    running = [
        subprocess.Popen(
            [*command, str(seed), str(count)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=plain
        )
        for seed in seeds
    ]
    found = []
    for process in running:
        out, err = process.communicate()
        assert process.returncode == 0, err.decode()[-4000:]
        found.append(Tally(**json.loads(out)))
    return found


def test_a_million_mutated_frames() -> None:
    found = [one for turn in range(TIMES) for one in tallies(range(turn * PROCESSES, (turn + 1) * PROCESSES), FRAMES)]
    assert sum(one.frames for one in found) == TIMES * PROCESSES * FRAMES
    for one in found:
        assert one.slowest < ONE_SECOND, one
        assert one.end_kib - one.warm_kib < GROWTH_KIB, one
        assert set(one.refused) <= REFUSALS
        assert one.messages > FRAMES // 2, "most mutants must get past the header to be worth anything"
        assert {"Frame", "Noise", "Truncated"} <= set(one.events)


def test_the_same_seed_gives_the_same_frames() -> None:
    first, second = Mutator(3), Mutator(3)
    assert [first.frame() for _ in range(500)] == [second.frame() for _ in range(500)]
    other = Mutator(4)
    assert [other.frame() for _ in range(3)] != [first.frame() for _ in range(3)]
