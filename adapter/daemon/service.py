"""`adapter run`: serve until stopped."""

import asyncio
import gc
import logging
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from adapter import telemetry
from adapter.daemon import loop
from adapter.daemon.clock import utc_now
from adapter.daemon.lock import data_folder, held
from adapter.daemon.parts import Parts, open_parts, refuse_clear_text
from adapter.daemon.running import Daemon, stop_on_signals
from adapter.settings import Settings
from adapter.store import accounts
from adapter.web import once

PRIVATE_FILES = 0o077
"""Nobody but this account reads what the daemon writes."""
COLLECT_AFTER = 50_000
"""Objects made before the collector looks for cycles: what is known of patients is much and holds none."""
LEVELS = {"info": logging.INFO, "debug": logging.DEBUG}
NO_CORE = (0, 0)
"""A crash leaves no memory on the disk: patients stand in it (reliability P10)."""


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Until SIGTERM or SIGINT. Raises ConfigError, UnavailableError (another daemon, the store, its disk)."""
    refuse_clear_text(settings)
    os.umask(PRIVATE_FILES)
    resource.setrlimit(resource.RLIMIT_CORE, NO_CORE)
    telemetry.configure_log(level=LEVELS[settings.adapter.log])
    gc.set_threshold(COLLECT_AFTER)
    with held(data_folder(settings.adapter.data)), open_parts(settings, utc_now) as parts:
        invitation = _first_invitation(parts)
        if invitation:
            say(f"Nobody can sign in yet. Make the administrator's account: {invitation}")
        with unwrapped():
            loop.run(_serve(parts))


async def _serve(parts: Parts) -> None:
    asyncio.get_running_loop().set_exception_handler(_unexpected)
    daemon = Daemon(parts)
    stop_on_signals(daemon)
    await daemon.run()


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
