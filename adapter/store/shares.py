"""Which patients a processor keeps: all of them, or on PostgreSQL its share, held by locks of its session (docs/adr/0017)."""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from sqlalchemy import Connection

from adapter.store.partitions import ALL


class Shares(ABC):
    """`write` is the only way in which a processor may change its patients."""

    @property
    @abstractmethod
    def held(self) -> frozenset[int]:
        """Partitions whose patients nobody else changes."""

    @abstractmethod
    def under(self, rules: str) -> None:
        """By which rules we process, as a word for all that a verdict rests on. Who goes by others at the same time keeps
        nothing. Raises UnavailableError where others are at work, who would go on by theirs.
        """

    @abstractmethod
    def renew(self) -> frozenset[int]:
        """Give up what others wait for, take what is free; returns what came or went, to be forgotten."""

    @abstractmethod
    def apart(self, needed: Callable[[], frozenset[int]]) -> frozenset[int]:
        """Hold exactly what is needed at once, until the next `renew`; what came or went. `needed` is asked when nobody else
        holds anything apart.
        """

    @abstractmethod
    def write(self) -> AbstractContextManager[Connection]: ...

    @abstractmethod
    def close(self) -> None: ...


class Everything(Shares):
    """The one processor of a store."""

    def __init__(self, write: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._write = write

    @property
    def held(self) -> frozenset[int]:
        return ALL

    def under(self, rules: str) -> None:
        """Nobody else processes."""

    def renew(self) -> frozenset[int]:
        return frozenset()

    def apart(self, needed: Callable[[], frozenset[int]]) -> frozenset[int]:  # noqa: ARG002 — everything is held
        return frozenset()

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        with self._write() as tx:
            yield tx

    def close(self) -> None:
        """Nothing is held."""
