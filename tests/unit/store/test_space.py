"""The marks of the data disk and the ballast, against the true figures of the disk the test runs on."""

import os
from pathlib import Path

from adapter.store.space import BALLAST_SHARE, STOP_SHARE, Marks, Room, Space

KIB = 1 << 10


def disk(folder: Path) -> tuple[int, int]:
    found = os.statvfs(folder)
    return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize


def space(folder: Path, *, percent: float = 0, warn: int = 0, stop: int = 0, ballast: int = 0) -> Space:
    return Space(folder, Marks(percent, warn, stop, ballast))


def test_room_is_judged_by_the_higher_of_bytes_and_percent(tmp_path: Path) -> None:
    total, _ = disk(tmp_path)
    assert space(tmp_path).look() is Room.ENOUGH
    assert space(tmp_path, warn=total).look() is Room.LOW
    assert space(tmp_path, percent=100).look() is Room.LOW


def test_the_ballast_is_really_allocated_kept_and_private(tmp_path: Path) -> None:
    one = space(tmp_path, ballast=256 * KIB)
    for _ in range(2):
        assert one.look() is Room.ENOUGH
        seen = (tmp_path / "ballast").stat()
        assert seen.st_size == 256 * KIB
        assert seen.st_blocks * 512 >= 256 * KIB
        assert seen.st_mode & 0o777 == 0o600


def test_looking_for_a_check_changes_nothing(tmp_path: Path) -> None:
    assert space(tmp_path, ballast=256 * KIB).examine() is Room.ENOUGH
    assert not (tmp_path / "ballast").exists()


def test_marks_shrink_with_the_disk(tmp_path: Path) -> None:
    """A disk of 20 GiB stops at 1 GiB, one of 2 GiB at a twentieth."""
    gib = 1 << 30
    one = Space(tmp_path, Marks(0, 0, gib, 256 * KIB))
    assert one._stop(20 * gib) == gib
    assert one._stop(2 * gib) == 2 * gib // STOP_SHARE
    assert one._ballast(KIB) == KIB // BALLAST_SHARE


def test_a_folder_that_takes_no_ballast_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "ballast").mkdir()
    (tmp_path / "ballast" / "something").touch()
    assert space(tmp_path / "ballast", ballast=64 * KIB).look() is Room.ENOUGH
