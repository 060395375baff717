"""The real daemon's resident memory by the kernel, while it is given patients and the worst of input (decisions F9).

Short: `python -m benchmarks memory` takes 200,000 messages and a million stored ones. ADAPTER_POLLED sets how many Observations
are polled.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import fhir_pages, hostile, memory, poll_memory
from benchmarks.daemon import Daemon, idle_connections, running, send

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not sys.platform.startswith("linux"), reason="resident memory is read from /proc: run it on Linux"
    ),
]
MB = 1.048576
"""Of a MiB."""
IDLE, WITH_PATIENTS, ANY_INPUT = 150, 300, 512
POLLED = int(os.environ.get("ADAPTER_POLLED", "100000"))
FLAT = 16
"""MiB."""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("memory")) as started:
        yield started


def resident(daemon: Daemon) -> float:
    return daemon.memory() * MB


def test_idle_then_with_patients_then_under_the_worst_of_input(daemon: Daemon) -> None:
    assert resident(daemon) <= IDLE
    send(daemon.mllp, memory.first(150))
    send(daemon.mllp, memory.messages(150, 1500))
    daemon.settle(300)
    assert daemon.applied() == 300 + 1500
    assert resident(daemon) <= WITH_PATIENTS
    with idle_connections(daemon.mllp, 90):
        for number, name in enumerate(
            ("an embedded document of 16 MiB", "16 MiB of one-letter segments", "24,000 results nobody mapped")
        ):
            send(daemon.mllp, [hostile.SHAPES[name](f"H{number}")])
            daemon.settle(300)
            assert daemon.memory("VmHWM") * MB <= ANY_INPUT, name
    assert "ok" in daemon.get("/readyz")


def test_stored_messages_take_no_memory(tmp_path: Path) -> None:
    with running(tmp_path):
        pass
    memory.store_many(tmp_path / "data" / "adapter.db", 20_000)
    with running(tmp_path) as daemon:
        assert resident(daemon) <= IDLE
        assert "adapter_messages_received_total" in daemon.get("/metrics")
        assert resident(daemon) <= IDLE


@pytest.mark.timeout(3600)  # a million take ten minutes on a machine that does nothing else
def test_what_was_polled_takes_no_memory(tmp_path: Path) -> None:
    seen = poll_memory.watched(tmp_path, POLLED // fhir_pages.OBSERVATIONS)
    assert poll_memory.growth(seen) <= FLAT, seen
    assert max(memory for _, memory in seen) * MB <= WITH_PATIENTS, seen
