"""A question whose answer may never come: asked in a thread of its own, which keeps nobody waiting, nor the end of the process."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Question(Generic[T]):
    """To be used by one thread at a time."""

    ask: Callable[[], T]
    seconds: float
    _asked: Future[T] | None = None
    _until: float = 0.0

    def answer(self, meanwhile: T) -> T:
        """`meanwhile` where none came within the seconds; it is not asked again before one came."""
        if self._asked is None:
            self._asked, self._until = Future(), time.monotonic() + self.seconds
            threading.Thread(target=self._run, args=(self._asked,), daemon=True).start()
        asked = self._asked
        try:
            return asked.result(max(0.0, self._until - time.monotonic()))
        except TimeoutError:
            return meanwhile
        finally:
            if asked.done():
                self._asked = None

    def _run(self, asked: "Future[T]") -> None:
        try:
            asked.set_result(self.ask())
        except BaseException as error:  # noqa: BLE001 — raised where it was asked
            asked.set_exception(error)
