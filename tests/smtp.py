"""A real SMTP server for tests, which does as it is told."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller

from tests.ports import free_port


@dataclass
class Server:
    """Answers by the script: a reply to DATA, or per recipient; everything taken is kept. `hang` is silence, `drop` takes the
    mail and cuts the line."""

    data: list[str] = field(default_factory=list)
    recipients: dict[str, list[str]] = field(default_factory=dict)
    taken: list[tuple[tuple[str, ...], bytes]] = field(default_factory=list)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 — aiosmtpd's name
        replies = self.recipients.get(address)
        reply = replies.pop(0) if replies else "250 OK"
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 — as above
        reply = self.data.pop(0) if self.data else "250 OK"
        if reply == "hang":
            await asyncio.sleep(2)
        if reply == "drop":
            self.taken.append((tuple(envelope.rcpt_tos), envelope.content))
            _server.transport.abort()
        if reply.startswith("250"):
            self.taken.append((tuple(envelope.rcpt_tos), envelope.content))
        return reply


@contextlib.contextmanager
def smtp(server: Server, **options: Any) -> Iterator[int]:
    controller = Controller(server, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield int(controller.port)
    finally:
        controller.stop()
