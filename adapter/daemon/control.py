"""The Unix socket by which commands reach a running daemon: 0600, one JSON line each way."""

import asyncio
import json
import os
from pathlib import Path

from adapter import telemetry
from adapter.daemon.commands import Desk, Json, perform
from adapter.daemon.reaching import NAME, SECONDS
from adapter.errors import AdapterError, RejectedError

LONGEST = 64 * 1024
OWNER_ONLY = 0o177


async def serve(folder: Path, desk: Desk) -> asyncio.Server:
    """Listening when it returns. A socket left by a process that died is replaced: the lock says that it is dead."""
    path = folder / NAME
    path.unlink(missing_ok=True)
    before = os.umask(OWNER_ONLY)
    try:
        return await asyncio.start_unix_server(lambda r, w: _answer(r, w, desk), str(path), limit=LONGEST)
    finally:
        os.umask(before)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, desk: Desk) -> None:
    try:
        async with asyncio.timeout(SECONDS):
            line = await reader.readline()
        reply = await asyncio.to_thread(_reply, desk, line)
        async with asyncio.timeout(SECONDS):
            writer.write(json.dumps(reply).encode() + b"\n")
            await writer.drain()
    except (TimeoutError, OSError, ValueError):
        pass
    finally:
        writer.close()


def _reply(desk: Desk, line: bytes) -> Json:
    try:
        return {"ok": perform(desk, json.loads(line))}
    except RejectedError as error:
        return {"refused": str(error)}
    except AdapterError as error:
        return {"unavailable": str(error)}
    except Exception as error:  # noqa: BLE001 — a bug in a command must not end the daemon
        telemetry.bug("command failed", error)
        return {"unavailable": f"the command failed ({type(error).__name__}) — see the log"}
