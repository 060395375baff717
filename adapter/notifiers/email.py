"""Tells people by mail that a candidate waits: a link, never a patient."""

import asyncio
import contextlib
import json
import smtplib
import ssl
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum
from typing import Any

from adapter.domain.alert import short_number
from adapter.domain.message import Delivery, RemoteResource
from adapter.errors import RejectedError, UnavailableError
from adapter.pipeline.outgoing import INTENDED_USE
from adapter.ports import Clock

PAUSE = 900.0
"""Seconds between attempts at a server that refuses us, until a person mends it."""
PERMANENT = 500
REMEMBERED = 1000
"""Half-delivered mails whose accepted recipients are kept in mind until the rest is settled."""

SUBJECTS = {
    "raised": "Candidate {candidate} waiting",
    "updated": "Candidate {candidate} changed",
    "withdrawn": "Candidate {candidate} taken back",
    "escalated": "Candidate {candidate} waiting, and nobody has looked",
    "handed-over": "Candidate {candidate} handed over to you",
    "deadline": "Candidate {candidate} still undecided, time runs out",
    "many": "{count} candidates new, changed or taken back",
    "digest": "{count} candidates waiting",
    "test": "Test of an alert channel",
}
"""By kind; the same words by every channel."""


def subject_of(kind: str, said: Mapping[str, Any]) -> str:
    words = SUBJECTS.get(kind, SUBJECTS["updated"]).format(
        candidate=short_number(said.get("candidate", "")), count=said.get("count", 0)
    )
    return words.replace("1 candidates", "1 candidate", 1) if said.get("count") == 1 else words


def text_of(said: Mapping[str, Any]) -> str:
    """Everything in it is ours: the candidate's number as the pages show it, the trial, a link, the intended use."""
    number = f"Candidate {short_number(said['candidate'])}\n" if said.get("candidate") else ""
    return f"{number}Trial {said['trial']}\n\n{said['link']}\n\n{INTENDED_USE}\n"


class Encryption(StrEnum):
    """`starttls` fails closed: no mail leaves in clear (bad-input E11)."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class MailServer:
    """`timeout` in seconds for each reply; `verify` a CA file for a server of the hospital's own."""

    host: str
    port: int
    encryption: Encryption = Encryption.STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)
    verify: str = ""
    timeout: float = 20.0


class EmailNotifier:
    """A Notifier. At least once: a repeat follows only a crash or a lost reply, with the same Message-ID (P6)."""

    def __init__(self, server: MailServer, *, sender: str, recipients: tuple[str, ...], clock: Clock) -> None:
        self._server, self._sender, self._recipients, self._clock = server, sender, recipients, clock
        self._reached: OrderedDict[str, set[str]] = OrderedDict()

    async def deliver(self, delivery: Delivery) -> RemoteResource | None:
        """Raises UnavailableError (some recipient later) or RejectedError (some recipient never)."""
        await asyncio.to_thread(self._deliver, delivery)
        return None

    def _deliver(self, delivery: Delivery) -> None:
        message = compose(delivery, sender=self._sender, recipients=self._recipients)
        message["Date"] = format_datetime(self._clock())
        reached = self._reached.setdefault(delivery.key, set())
        self._forget_oldest()
        refused = self._send(message, [r for r in self._recipients if r not in reached])
        reached.update(r for r in self._recipients if r not in refused)
        if any(code < PERMANENT for code in refused.values()):
            raise UnavailableError(f"the mail server postponed {len(refused)} of the recipients — tried again")
        self._reached.pop(delivery.key, None)
        if refused:
            raise RejectedError(f"the mail server refused {len(refused)} of the recipients — check their addresses")

    def _forget_oldest(self) -> None:
        while len(self._reached) > REMEMBERED:
            self._reached.popitem(last=False)

    def _send(self, message: EmailMessage, recipients: list[str]) -> dict[str, int]:
        """Reply code of each refused recipient."""
        try:
            with self._connection() as connection:
                return {r: code for r, (code, _) in self._hand_over(connection, message, recipients).items()}
        except smtplib.SMTPNotSupportedError:
            raise UnavailableError(
                "the mail server offers no STARTTLS or log-in — mend it", retry_after=PAUSE
            ) from None
        except smtplib.SMTPAuthenticationError:
            raise UnavailableError("the mail server refuses our log-in — mend it", retry_after=PAUSE) from None
        except smtplib.SMTPResponseException as error:
            raise _judged(error.smtp_code) from None
        except (smtplib.SMTPException, OSError) as error:
            raise UnavailableError(f"no answer from the mail server ({type(error).__name__}) — tried again") from None

    def _hand_over(
        self, connection: smtplib.SMTP, message: EmailMessage, recipients: list[str]
    ) -> dict[str, tuple[int, bytes]]:
        try:
            return connection.send_message(message, self._sender, recipients)
        except smtplib.SMTPRecipientsRefused as error:
            return dict(error.recipients)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        server = self._server
        if server.encryption is Encryption.TLS:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=server.timeout, context=_trust(server)
            )
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=server.timeout)
        try:
            if server.encryption is Encryption.STARTTLS:
                connection.starttls(context=_trust(server))
            if server.user:
                connection.login(server.user, server.password)
            yield connection
            _part(connection)
        finally:
            connection.close()


def _part(connection: smtplib.SMTP) -> None:
    """A goodbye that fails takes nothing back: the mail was accepted."""
    with contextlib.suppress(smtplib.SMTPException, OSError):
        connection.quit()


def _trust(server: MailServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.verify or None)


def _judged(code: int) -> Exception:
    if code >= PERMANENT:
        return RejectedError(f"the mail server refused the mail (SMTP {code}) — read its log, mend it, send again")
    return UnavailableError(f"the mail server postponed the mail (SMTP {code}) — tried again")


def compose(delivery: Delivery, *, sender: str, recipients: tuple[str, ...]) -> EmailMessage:
    """Everything in it is ours: a fixed subject, an opaque number, a link; the default policy refuses CR and LF."""
    payload = json.loads(delivery.payload)
    message = EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message["Subject"] = subject_of(delivery.kind, payload)
    message["Message-ID"] = f"<{delivery.key}@{sender.rpartition('@')[2].rstrip('>') or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text_of(payload))
    return message
