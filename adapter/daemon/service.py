"""`adapter run`: serve until stopped."""

import asyncio
import contextlib
import ctypes
import errno
import logging
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from adapter import telemetry
from adapter.daemon import loop
from adapter.daemon.clock import utc_now
from adapter.daemon.collector import spare_what_is_known
from adapter.daemon.lock import data_folder, held
from adapter.daemon.memory import give_back_big_buffers
from adapter.daemon.parts import Parts, open_parts, refuse_clear_text
from adapter.daemon.recording import on_duty
from adapter.daemon.rules import SECRET
from adapter.daemon.running import Daemon, stop_on_signals
from adapter.errors import StorageFailedError
from adapter.settings import Settings
from adapter.store import accounts
from adapter.store.disk import refuse_exposed
from adapter.store.engines import sqlite_path
from adapter.web import once

PRIVATE_FILES = 0o077
"""Nobody but this account reads what the daemon writes."""
LEVELS = {"info": logging.INFO, "debug": logging.DEBUG}
NO_CORE = (0, 0)
"""A crash leaves no memory on the disk: patients stand in it (reliability P10)."""
PR_SET_DUMPABLE = 4
"""linux/prctl.h; 0 also keeps other processes of this account from reading our memory."""
DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG})


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Until SIGTERM, SIGINT or SIGHUP. Raises ConfigError, UnavailableError (another daemon, the store, its disk)."""
    refuse_clear_text(settings)
    seal()
    telemetry.configure_log(level=LEVELS[settings.adapter.log])
    spare_what_is_known()
    give_back_big_buffers()
    folder = settings.adapter.data
    private = sqlite_path(settings.store_url()) if settings.on_sqlite() else folder / SECRET
    with disk_errors(), held(data_folder(folder)):
        refuse_exposed(folder, private)  # before anything is migrated
        with open_parts(settings, utc_now) as parts:
            invitation = _first_invitation(parts) if "web" in settings.adapter.roles else None
            if invitation:
                say(f"Nobody can sign in yet. Make the administrator's account: {invitation}")
            with on_duty(settings, parts.rules, parts.database, parts.clock), unwrapped():
                loop.run(_serve(parts))


def seal() -> None:
    """What this process writes and holds is nobody else's."""
    os.umask(PRIVATE_FILES)
    resource.setrlimit(resource.RLIMIT_CORE, NO_CORE)
    with contextlib.suppress(AttributeError, OSError):  # another system than Linux
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


@contextmanager
def disk_errors() -> Iterator[None]:
    """A file beside the store that the disk refuses is the disk's fault too: the supervisor tries again."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK:
            raise
        raise StorageFailedError(f"the data disk refused ({error.strerror}) — make room, or check it") from error


async def _serve(parts: Parts) -> None:
    asyncio.get_running_loop().set_exception_handler(_unexpected)
    daemon = Daemon(parts)
    stop_on_signals(daemon)
    await daemon.run()
    if parts.database.failure is not None:  # the disk failed a thread that nobody waited for any more
        raise parts.database.failure


def _unexpected(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A callback's exception: its type and place; the loop's own text may hold data."""
    telemetry.bug("loop", context.get("exception") or RuntimeError())


@contextmanager
def unwrapped() -> Iterator[None]:
    """The one error that ended a group of tasks, instead of the group: the exit code depends on it."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None


def _first_invitation(parts: Parts) -> str | None:
    now = parts.clock()
    with parts.database.write() as tx:
        if accounts.list_users(tx):
            return None
        token = once.issue(tx, once.FIRST_RUN, now)
    return f"{parts.settings.web_base()}/sign-in/once/{token}"
