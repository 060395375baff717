"""What is known of patients is not looked through for cycles; cycles are found all the same, later."""

import gc
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter.daemon import collector
from tests.installation import Installation


class Thing:
    other: object = None


@pytest.fixture(autouse=True)
def sparing() -> Iterator[None]:
    threshold, callbacks = gc.get_threshold(), list(gc.callbacks)
    collector.spare_what_is_known()
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks[:] = callbacks
        gc.unfreeze()


ENDING = (
    "import atexit, gc; atexit.register(lambda: print('threshold', *gc.get_threshold(), gc.isenabled(), flush=True)); "
)


def test_the_daemon_itself_spares_what_it_knows(tmp_path: Path) -> None:
    daemon = (sys.executable, "-c", f"{ENDING}from adapter.cli import main; main()")
    place = Installation(tmp_path / "house", "", program=daemon)
    place.start()
    assert place.stop() == 0
    (told,) = [line for line in place.log.read_text().splitlines() if line.startswith("threshold ")]
    assert told.startswith(f"threshold {collector.YOUNG} {collector.OLDER} ")
    assert told.endswith(" True"), "looked through again once the program is read"


def test_what_outlived_a_young_collection_is_set_aside_and_goes_with_its_last_reference() -> None:
    thing = Thing()
    gc.collect(0)
    before = gc.get_freeze_count()
    gc.collect(1)
    assert gc.get_freeze_count() > before
    gone = weakref.ref(thing)
    del thing
    assert gone() is None


def test_a_cycle_that_was_set_aside_is_found_when_everything_is_looked_through() -> None:
    one, other = Thing(), Thing()
    one.other, other.other = other, one
    gone = weakref.ref(one)
    gc.collect(1)
    del one, other
    gc.collect()
    assert gone() is not None
    collector.everything()
    assert gone() is None
    assert gc.get_freeze_count() > 0
