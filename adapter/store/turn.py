"""One at a time, and whoever waits goes before the thread that just let go (decisions F2)."""

import threading


class Turn:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turnstile = threading.Lock()
        """Who waits holds it, so that nobody overtakes."""

    def take(self, *, wait: bool = True) -> bool:
        """False where somebody else has it, or waits for it, and we do not."""
        if not self._turnstile.acquire(blocking=wait):
            return False
        try:
            return self._lock.acquire(blocking=wait)
        finally:
            self._turnstile.release()

    def leave(self) -> None:
        self._lock.release()
