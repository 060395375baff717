"""Debian's PostgreSQL for tests: a cluster of our own on a free port, safe settings, a new database for each test."""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapter.store.database import Database
from tests.ports import free_port

INSTALL = "PostgreSQL's server was not found: apt-get install -y --no-install-recommends postgresql"
PASSWORD = "quiet heron"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "log_error_verbosity": "terse",
}
"""Nothing of this touches durability: fsync, full_page_writes and synchronous_commit are as PostgreSQL ships them."""


@cache
def programs() -> Path | None:
    """The folder of initdb, pg_ctl and postgres; the newest where Debian has several."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    found = shutil.which("initdb")
    candidates = [*debian, *([Path(found).resolve().parent] if found else [])]
    return next((path for path in candidates if (path / "postgres").exists() and (path / "initdb").exists()), None)


def needed() -> Path:
    """As `programs`; where there is none, the test is skipped, or fails in CI."""
    found = programs()
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(INSTALL)
    return found


def _account() -> dict[str, Any]:
    """Who runs the server: it refuses root."""
    if os.getuid():
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@dataclass
class Cluster:
    """`start`, `kill` and `stop` may follow each other; what was committed stays."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    _names: Iterator[int] = field(default_factory=itertools.count)

    def make(self) -> None:
        self.password.write_text(PASSWORD)
        account = _account()
        for path in (self.folder, self.password):
            if account:
                os.chown(path, account["user"], account["group"])
        words = (
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-U",
            "adapter",
            f"--pwfile={self.password}",
            "-D",
            self.data,
        )
        self._run("initdb", "--auth-local=trust", "--auth-host=scram-sha-256", *words)

    @property
    def password(self) -> Path:
        return self.folder / "password"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self, **settings: str) -> None:
        wanted = SETTINGS | {"port": str(self.port), "unix_socket_directories": str(self.folder)} | settings
        words = [f"--{name.replace('_', '-')}={value}" for name, value in wanted.items()]
        # Whatever ends the tests ends the server.
        command = ["setpriv", "--pdeathsig", "INT", needed() / "postgres", "-D", self.data, *words]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd="/", start_new_session=True, **_account()
            )
        for _ in range(600):
            with contextlib.suppress(psycopg.OperationalError), self.session():
                return
            assert self.process.poll() is None, self.log.read_text(errors="replace")
            time.sleep(0.05)
        raise AssertionError("PostgreSQL did not start")

    def kill(self) -> None:
        """-9 to the postmaster and every backend at once: as if the machine lost its processes, not its disk."""
        assert self.process is not None
        for one in (self.process.pid, *children(self.process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # fast shutdown
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill()

    def session(self, database: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=str(self.folder), port=self.port, user="adapter", dbname=database, autocommit=True, connect_timeout=5
        )

    def url(self, database: str) -> str:
        return f"postgresql://adapter@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template0") -> str:
        """Its URL; the password is `PASSWORD`."""
        name = f"test_{next(self._names)}"
        with self.session() as conn:
            conn.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def migrated(self) -> str:
        """A new database with the newest schema, which is built once and copied."""
        with self.session() as conn:
            made = conn.execute("SELECT 1 FROM pg_database WHERE datname = 'migrated'").fetchone()
            if not made:
                conn.execute("CREATE DATABASE migrated TEMPLATE template0")
        if not made:
            database = Database.open(self.url("migrated"), password=PASSWORD)
            database.migrate()
            database.close()
        return self.new_database("migrated")

    def drop(self, url: str) -> None:
        with self.session() as conn:
            conn.execute(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    def _run(self, program: str, *words: object) -> None:
        command = [str(word) for word in (needed() / program, *words)]
        done = subprocess.run(command, capture_output=True, cwd="/", timeout=60, check=False, **_account())
        assert done.returncode == 0, done.stderr.decode(errors="replace")


def children(parent: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, check=False)
    return [int(word) for word in found.stdout.split()]


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """A running cluster in a short path of its own, for a socket's name is short."""
    needed()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    made = Cluster(folder)
    try:
        made.make()
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)
