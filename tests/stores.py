"""Which store a test runs on: SQLite, or PostgreSQL. Whoever opens a store for a test asks here for the one in a folder."""

import atexit
import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from adapter.store.database import Database
from tests.postgres import PASSWORD, Cluster

KINDS = ("sqlite", "postgresql")


@dataclass
class _Choice:
    """`server` is there while a test runs on PostgreSQL; `places` are the databases of its folders."""

    server: Cluster | None = None
    places: dict[Path, str] = field(default_factory=dict)


_now = _Choice()


@contextlib.contextmanager
def using(server: Cluster | None) -> Iterator[None]:
    global _now  # noqa: PLW0603 — one test runs at a time in a process
    before, _now = _now, _Choice(server)
    try:
        yield
    finally:
        if server is not None:
            for url in _now.places.values():
                server.drop(url)
        _now = before


def address(folder: Path, name: str = "adapter.db", *, bare: bool = False) -> str:
    """The URL of the store that stands for this file; the same again for the same file. `bare` is without a schema."""
    if _now.server is None:
        return f"sqlite:///{folder / name}"
    if folder / name not in _now.places:
        _now.places[folder / name] = _now.server.new_database() if bare else _now.server.migrated()
    return _now.places[folder / name]


@cache
def empty() -> Path:
    """A SQLite store with the newest schema and nothing in it, built once in a process, to be copied."""
    folder = tempfile.mkdtemp(prefix="schema-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "adapter.db"
    made = Database.open(f"sqlite:///{path}")
    made.migrate()
    made.close()
    return path


def opened(folder: Path, name: str = "adapter.db", *, read_only: bool = False) -> Database:
    """With the newest schema."""
    if on_sqlite() and not read_only and not (folder / name).exists():
        shutil.copy(empty(), folder / name)
    database = Database.open(address(folder, name), password=PASSWORD, read_only=read_only)
    if not read_only:
        database.migrate()
    return database


@dataclass(frozen=True)
class Kept:
    """A folder with its store, to be copied for many tests."""

    folder: Path
    database: str


def keep(folder: Path) -> Kept:
    """What stands in this folder and its store, which nobody has open any more; it outlives the test."""
    return Kept(folder, _now.places.pop(folder / "adapter.db", "").rpartition("/")[2])


def again(kept: Kept, folder: Path) -> None:
    """The same in another folder, to be opened."""
    shutil.copytree(kept.folder, folder)
    if _now.server is not None:
        _now.places[folder / "adapter.db"] = _now.server.new_database(kept.database)


def on_sqlite() -> bool:
    return _now.server is None


def lines(folder: Path) -> str:
    """What a configuration says in its `[store]` section for a daemon in this folder; SQLite needs nothing."""
    if _now.server is None:
        return ""
    return f'url = "{address(folder)}"\npassword = "file:{_now.server.password}"\n'


def settings(folder: Path) -> str:
    """The section itself, for a configuration that has none."""
    return f"\n[store]\n{lines(folder)}\n"


@contextlib.contextmanager
def beside(folder: Path, name: str = "adapter.db") -> Iterator[Any]:
    """The driver's own connection to a test's store, past the adapter: what it did is committed at the end."""
    if _now.server is None:
        with contextlib.closing(sqlite3.connect(folder / name)) as conn, conn:
            yield conn
    else:
        with psycopg.connect(address(folder, name), password=PASSWORD) as conn:
            yield conn
