"""uvicorn on a socket that is already bound, inside a loop that is not its own."""

import asyncio
import contextlib
import socket
from typing import Any

import uvicorn

from adapter.errors import ConfigError


def bound(host: str, port: int) -> socket.socket:
    """Listening already: only then is the address refused to another. Raises ConfigError where it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen()
    except OSError as error:
        made.close()
        raise ConfigError(
            f"[web] {host}:{port} cannot be listened on ({error.strerror}) — choose another port"
        ) from error
    return made


class Web:
    """uvicorn on a socket that is already ours; it leaves signals to the daemon."""

    def __init__(self, app: Any, bound: socket.socket) -> None:
        self._app = app
        self._socket = bound
        self._server = uvicorn.Server(
            uvicorn.Config(
                app, log_config=None, access_log=False, lifespan="off", server_header=False, timeout_graceful_shutdown=5
            )
        )
        self._server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]  # signals are the daemon's own

    async def run(self) -> None:
        serving = asyncio.ensure_future(self._server.serve(sockets=[self._socket]))
        try:
            await asyncio.shield(serving)
        finally:
            self._app.state.live.stop()
            self._server.should_exit = True
            await serving

    def close(self) -> None:
        self._socket.close()
