"""Big frames take turns: memory holds a few of them, whatever the number of connections (decisions F9)."""

from typing import Protocol

BIG = 512 * 1024
"""Bytes of one connection in hand, unfinished or unanswered; below that nobody waits."""
AT_ONCE = 2


class Guest(Protocol):
    def go_on(self) -> None:
        """It is your turn."""


class Turns:
    """Shared by all connections of the process; used in one event loop."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._inside: set[Guest] = set()
        self._waiting: dict[Guest, None] = {}

    def admits(self, guest: Guest, size: int) -> bool:
        """Whether who has so much in hand may read on; if not, it is told when it may, in the order of asking."""
        if size <= BIG:
            if self._inside or self._waiting:
                self.leave(guest)
            return True
        if guest not in self._inside:
            self._waiting.setdefault(guest)
            self._fill(but=guest)
        return guest in self._inside

    def waits(self, guest: Guest) -> bool:
        return guest in self._waiting

    def leave(self, guest: Guest) -> None:
        self._waiting.pop(guest, None)
        if guest in self._inside:
            self._inside.discard(guest)
            self._fill()

    def _fill(self, but: Guest | None = None) -> None:
        while self._waiting and len(self._inside) < self._at_once:
            guest = next(iter(self._waiting))
            del self._waiting[guest]
            self._inside.add(guest)
            if guest is not but:
                guest.go_on()
