"""What was moved to taken/ is looked at for a while: a writer that paused with its file open writes on there, where nobody reads."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from adapter.sources import drop
from adapter.sources.drop import Seen

LOOKS = 30
"""Of a folder, for which a file that was moved is looked at."""


@dataclass(slots=True)
class _Moved:
    seen: Seen
    looks: int = 0
    trouble: bool = False
    """It has grown, and cannot be brought back."""


class Taken:
    """The last files moved, by their names there; forgotten at a restart."""

    def __init__(self) -> None:
        self._moved: dict[str, _Moved] = {}

    @property
    def stuck(self) -> int:
        return sum(one.trouble for one in self._moved.values())

    def add(self, name: str, seen: Seen) -> None:
        self._moved.pop(name, None)
        self._moved[name] = _Moved(seen)
        if len(self._moved) > drop.MOST:
            del self._moved[next((old for old, one in self._moved.items() if not one.trouble), name)]

    def look(self, folder: int) -> Iterator[tuple[Seen, OSError | None]]:
        """Brings back what has been written since; of each that it now could or could not. Raises OSError."""
        if not self._moved:
            return
        try:
            with drop.below(folder, drop.TAKEN) as taken:
                for name, one in tuple(self._moved.items()):
                    if _written_since(taken, name, one.seen):
                        yield from self._back(folder, taken, name)
                    else:
                        self._wait(name)
        except (FileNotFoundError, NotADirectoryError):
            self._moved.clear()

    def _wait(self, name: str) -> None:
        one = self._moved[name]
        one.looks, one.trouble = one.looks + 1, False
        if one.looks >= LOOKS:
            del self._moved[name]

    def _back(self, folder: int, taken: int, name: str) -> Iterator[tuple[Seen, OSError | None]]:
        one = self._moved[name]
        try:
            drop.bring_back(folder, taken, name, one.seen)
        except OSError as error:
            if not one.trouble:
                yield one.seen, error
            one.trouble = True
        else:
            del self._moved[name]
            yield one.seen, None


def _written_since(taken: int, name: str, seen: Seen) -> bool:
    """Not so where it was taken away, replaced or shortened: what is there now is the operator's."""
    with suppress(FileNotFoundError):
        now = drop.stands(taken, name, seen)
        return now != seen and (now.number, now.device) == (seen.number, seen.device) and now.size >= seen.size
    return False
