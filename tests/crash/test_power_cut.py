"""The power goes at any moment of a run of the daemon: what was acknowledged is on the disk, and the store is whole.

A kill cannot show this, since the kernel keeps what a killed process wrote (reliability 0, point 1). Three sabotaged builds
show that the simulation would see it. ADAPTER_CUTS sets the number of states.
"""

import os
import shutil
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from adapter.errors import AdapterError
from adapter.store.database import Database
from tests.crash.nursery import Nursery, Quick, deliver, messages, needs_strace
from tests.crash.power import TRACED, Op, cuts, recorded

CUTS = int(os.environ.get("ADAPTER_CUTS", "1200"))
SABOTAGED = 200
MESSAGES = 60

pytestmark = [pytest.mark.slow, needs_strace]


@pytest.fixture(scope="module")
def sent() -> Mapping[str, bytes]:
    return messages(MESSAGES)


def run(place: Quick, sent: Mapping[str, bytes], sabotage: str = "") -> tuple[dict[str, bytes], list[Op]]:
    """The database's files before a run, and what the run did."""
    before = {path.name: path.read_bytes() for path in (place.folder / "data").glob("adapter.db*")}
    assert place.up(traced=TRACED, data=True, sabotage=sabotage), place.log.read_text()
    assert len(deliver(place, sent).acknowledged) == len(sent)
    assert place.stop() == 0
    return before, recorded(place.trace, place.folder / "data")


def verdict(folder: Path, left: Mapping[str, bytes], acknowledged: set[str], sent: Mapping[str, bytes]) -> str:
    """What the store says when it starts from what is left: whole, lost or damaged."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in left.items():
        (folder / name).write_bytes(data)
    try:
        with closing(Database.open(f"sqlite:///{folder / 'adapter.db'}")) as store, store.read() as conn:
            if conn.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one() != "ok":
                return "damaged"
            stored = dict(conn.exec_driver_sql("SELECT control_id, body FROM inbox").all())
    except AdapterError:
        return "damaged"
    return "whole" if all(stored.get(name) == sent[name] for name in acknowledged) else "lost"


def test_a_power_cut_at_any_moment_loses_nothing_acknowledged(
    place: Quick, tmp_path: Path, sent: Mapping[str, bytes]
) -> None:
    files, ops = run(place, sent)
    kinds = {op.kind for op in ops}
    assert kinds >= {"write", "sync", "ack", "create", "unlink", "folder"}
    assert any(op.kind == "sync" and op.name == "adapter.db" for op in ops), "no checkpoint was met"
    found = [verdict(tmp_path / "cut", left, acked, sent) for left, acked in cuts(files, ops, CUTS, Random(2))]
    assert len(found) == CUTS
    assert set(found) == {"whole"}


@pytest.mark.parametrize("sabotage", ["acknowledge-first", "normal", "off"])
def test_the_simulation_sees_a_build_that_lies(
    nursery: Nursery, template: Path, tmp_path: Path, sent: Mapping[str, bytes], sabotage: str
) -> None:
    """S1, S2 and S3 of the sabotage suite: each looks well to whoever only kills the process."""
    place = Quick(tmp_path / "place", nursery, template)
    files, ops = run(place, sent, sabotage)
    found = {verdict(tmp_path / "cut", left, acked, sent) for left, acked in cuts(files, ops, SABOTAGED, Random(2))}
    assert "lost" in found
