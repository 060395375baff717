"""The daemon is killed with -9 while it reads pages of a FHIR server: no page is lost, none is stored twice.

A page and its bookmark are one commit, so whatever the moment of the kill, the next life goes on behind what is stored.
"""

import os
import random
import signal
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

from adapter.daemon.clock import utc_now
from tests.fhir_server import FhirServer, first, observation, patient, running
from tests.installation import Installation, until
from tests.shell.test_polling import polled, stored

KILLS = int(os.environ.get("ADAPTER_KILLS", "2"))
PAGES = 80


def slow() -> None:
    time.sleep(0.02)


def test_killed_between_pages_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    chance = random.Random(5)
    with running(FhirServer(now=utc_now() - timedelta(hours=1))) as fhir:
        fhir.put(patient())
        for n in range(2 * PAGES):
            fhir.put(observation(f"o{n:04}"))
            fhir.later(seconds=1)
        fhir.faults = [("_getpages", first(slow))] * 10 * PAGES
        place = Installation(tmp_path / "house", polled(fhir))
        try:
            for _ in range(KILLS):
                asked = len(fhir.seen)
                place.launch()
                until(lambda asked=asked: len(fhir.seen) > asked + 1)  # type: ignore[misc]
                time.sleep(chance.uniform(0, 0.4))
                place.stop(signal.SIGKILL)
            interrupted = len(stored(place))
            place.start()
            until(lambda: 'outcome="whole"' in place.get("/metrics"))
            assert place.stop() == 0
        finally:
            place.end()
        found = [one for page in stored(place) for one in page["entry"] if one["search"]["mode"] == "match"]
        entries = Counter(one["resource"]["id"] for one in found)
    assert 1 < interrupted < PAGES, "killed too early or too late to tell anything"
    assert set(entries) == {"p1"} | {f"o{n:04}" for n in range(2 * PAGES)}
    assert set(entries.values()) == {1}
