"""The database server is killed with -9, postmaster and backends, while a ward sends; the daemon goes on by itself.

Nothing acknowledged may be lost, and nobody can tell afterwards (reliability 1, T-PGKILL). A kill proves recovery and
bookkeeping, not that the disk was flushed. ADAPTER_KILLS sets the number of kills.
"""

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter.daemon.clock import utc_now
from tests import stores
from tests.crash.test_daemon_kill import KILLS, SENDERS, alerts_once, alike, delivered_once, finished, run, stored_once
from tests.crash.test_daemon_kill import tell_all as tell
from tests.crash.ward import Sender
from tests.installation import until
from tests.postgres import Cluster, cluster

AWAY = 2.0
"""Seconds at most that the server stays away."""
RECOVERS = 20.0
"""Seconds within which the daemon is ready again once the server is: crash recovery and our own patience."""


@pytest.fixture
def server() -> Iterator[Cluster]:
    """Of our own: the session's has other tests on it."""
    with cluster() as own, stores.using(own):
        yield own


@pytest.mark.slow
def test_a_killed_server_loses_nothing_and_the_daemon_goes_on(server: Cluster, tmp_path: Path) -> None:
    chance, enough = random.Random(17), threading.Event()
    with run(tmp_path / "killed") as broken:
        broken.place.start()
        senders = [Sender(n, broken.place.mllp, utc_now(), enough) for n in range(1, SENDERS + 1)]
        threads = [threading.Thread(target=sender.run) for sender in senders]
        for thread in threads:
            thread.start()
        try:
            for _ in range(KILLS):
                time.sleep(chance.uniform(0.3, 1.5))
                server.kill()
                time.sleep(chance.uniform(0, AWAY))
                server.start()
                until(broken.place.ready, RECOVERS)
        finally:
            enough.set()
            for thread in threads:
                thread.join()
        assert broken.place.process is not None
        assert broken.place.process.poll() is None, "the daemon did not outlive its server"
        assert broken.place.log.read_bytes().count(b'"event": "started"') == 1
        sent = {control_id: body for sender in senders for control_id, body in sender.sent.items()}
        finished(broken, len(sent))
    with run(tmp_path / "whole", tmp_path / "killed" / "data" / "site.key") as whole:
        whole.place.start()
        tell(whole, list(sent.values()))
        finished(whole, len(sent))
    assert sum(len(sender.acknowledged) for sender in senders) > KILLS * 20
    assert sum(sender.failed for sender in senders) >= KILLS
    stored_once(senders, broken)
    alike(broken, whole)
    for one in (broken, whole):
        delivered_once(one)
        alerts_once(one)
