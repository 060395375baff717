"""A mail catcher: takes every mail and shows it to nobody but the one who asks."""

from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller


@dataclass(slots=True)
class Mailbox:
    """Mails in memory and, where a folder is given, as `NNNN.eml` in it."""

    folder: Path | None = None
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 — aiosmtpd's name
        content: bytes = envelope.content
        self.mails.append(message_from_bytes(content, policy=default))
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / f"{len(self.mails):04}.eml").write_bytes(content)
        return "250 OK"


def catcher(mailbox: Mailbox, port: int) -> Controller:
    """An SMTP server on 127.0.0.1 in a thread of its own: `.start()`, `.stop()`; the port must be free."""
    return Controller(mailbox, hostname="127.0.0.1", port=port)
