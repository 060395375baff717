"""The daemon is killed with -9 while it reads dropped files: no message is lost, none is stored twice, no file is left behind.

A file is moved after its last message is on the disk, and the inbox knows what it has; so the next life reads it again from
the beginning, and stores what was missing.
"""

import os
import random
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from tests.builders import obx, oru
from tests.installation import Installation, until

KILLS = int(os.environ.get("ADAPTER_KILLS", "3"))
FILES, EACH = 6, 600
SOURCE = '[[source]]\nkind = "folder"\nname = "files"\nsite = "generic"\npath = "{path}"\nevery = "1 s"\n'


def control_ids(place: Installation) -> list[str]:
    with closing(sqlite3.connect(f"{place.database.as_uri()}?mode=ro", uri=True)) as store:
        return [row[0] for row in store.execute("SELECT control_id FROM inbox ORDER BY control_id")]


def test_killed_between_messages_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    chance = random.Random(7)
    path = tmp_path / "drop"
    path.mkdir()
    names = [f"M{file}-{number:04}" for file in range(FILES) for number in range(EACH)]
    told = [oru(obx("777-3", "90", "10*3/uL"), control=name) for name in names]
    dropped = [b"".join(told[file * EACH : (file + 1) * EACH]) for file in range(FILES)]
    place = Installation(tmp_path / "house", SOURCE.format(path=path))
    taken = path / "taken"
    interrupted = []
    try:
        place.start()
        assert place.stop() == 0
        for number, body in enumerate(dropped):
            (path / f"f{number}").write_bytes(body)
        for _ in range(KILLS):
            before = len(control_ids(place))
            place.launch()
            until(lambda before=before: len(control_ids(place)) > before)  # type: ignore[misc]
            time.sleep(chance.uniform(0, 0.4))
            place.stop(signal.SIGKILL)
            interrupted.append((len(control_ids(place)), len(list(taken.iterdir())) if taken.exists() else 0))
        place.start()
        until(lambda: taken.exists() and len(list(taken.iterdir())) == FILES)
        assert place.stop() == 0
    finally:
        place.end()
    assert all(stored >= moved * EACH for stored, moved in interrupted), "a file was moved before it was stored"
    assert any(0 < stored < len(names) for stored, _ in interrupted), "killed too early or too late to tell anything"
    assert control_ids(place) == sorted(names)
    assert sorted(one.name for one in taken.iterdir()) == [f"f{file}" for file in range(FILES)]
