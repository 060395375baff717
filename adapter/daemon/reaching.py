"""One command carried out: by the daemon over its socket where one runs, else here, under its lock (decisions F1)."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapter.daemon.lock import data_folder, held
from adapter.errors import AdapterError, RejectedError, StorageFailedError, UnavailableError
from adapter.settings import Settings

NAME = "adapter.sock"
SECONDS = 10.0
SLOW = frozenset({"erase"})
"""Commands that walk through the whole inbox."""
LONG = 3600.0

Json = dict[str, Any]


def command(settings: Settings, request: Mapping[str, Any]) -> Json:
    """Raises ConfigError, RejectedError, UnavailableError."""
    folder = data_folder(settings.adapter.data)
    answer = ask(folder, request)
    if answer is not None:
        return answer
    with held(folder):
        return _alone(settings, request)


def recorded(settings: Settings, request: Mapping[str, Any]) -> str:
    """As `command`, for what is done already: why it is not on record, else empty. Raises StorageFailedError."""
    try:
        command(settings, request)
    except StorageFailedError:
        raise
    except AdapterError as error:
        return str(error)
    return ""


def too_old(revision: str | None) -> str:
    """Why nothing is written into a store of this schema: that would bring it up to date, which is the daemon's to do."""
    from adapter.store.migrate import HEAD

    return (
        ""
        if revision == HEAD
        else f"the store has schema {revision}, and the daemon of this version was not started yet"
    )


def _alone(settings: Settings, request: Mapping[str, Any]) -> Json:
    from adapter.daemon import erasing
    from adapter.daemon.backup_round import brought_up_to_date
    from adapter.daemon.clock import utc_now
    from adapter.daemon.commands import Desk, perform
    from adapter.daemon.opening import open_store
    from adapter.daemon.rules import load_rules
    from adapter.daemon.workbench import Desk as Bench

    database = open_store(settings)
    try:
        brought_up_to_date(settings, database, utc_now)
        bench = Bench(database, utc_now, lambda: load_rules(settings))
        eraser = erasing.alone(settings, database, utc_now) if request.get("command") in erasing.COMMANDS else None
        return perform(Desk(database, utc_now, settings.web_base(), bench=bench, eraser=eraser), request)
    finally:
        database.close()


def ask(folder: Path, request: Mapping[str, Any]) -> Json | None:
    """The daemon's answer, or None when no daemon runs here. Raises RejectedError, UnavailableError."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(SECONDS)
        try:
            peer.connect(str(folder / NAME))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError as error:
            raise UnavailableError(
                f"the daemon's socket does not open ({error.strerror}) — use its own account"
            ) from None
        try:
            peer.sendall(json.dumps(request).encode() + b"\n")
            peer.settimeout(LONG if request.get("command") in SLOW else SECONDS)
            with peer.makefile("rb") as answer:
                reply = json.loads(answer.readline() or b"{}")
        except (OSError, ValueError):  # it went away, it said nothing in time, or half of it
            reply = {}
    return _read(reply)


def _read(reply: Json) -> Json:
    if "refused" in reply:
        raise RejectedError(reply["refused"])
    if "ok" not in reply:
        raise UnavailableError(
            reply.get("unavailable", "the daemon gave no answer — look whether it was done, then try again")
        )
    done: Json = reply["ok"]
    return done
