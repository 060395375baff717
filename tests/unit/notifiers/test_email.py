"""Mail to real SMTP servers, good and bad."""

import asyncio
import json
import socket
import ssl
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from adapter.domain.message import Delivery
from adapter.errors import RejectedError, UnavailableError
from adapter.notifiers.email import PAUSE, EmailNotifier, Encryption, MailServer, compose
from adapter.pipeline.outgoing import INTENDED_USE
from adapter.standins.mailbox import Mailbox, catcher
from tests.peers import self_signed
from tests.ports import free_port
from tests.smtp import Server, smtp

NOW = datetime(2026, 1, 2, 10, tzinfo=UTC)
BOTH = ("one@hospital.example", "two@hospital.example")


def delivery(kind: str = "raised", candidate: str = "c-1") -> Delivery:
    payload = {"kind": kind, "candidate": candidate, "link": "https://w/c/c-1", "trial": "immunosep"}
    return Delivery(1, "mail", "c-1", kind, json.dumps(payload), "deadbeef")


def notifier(port: int, encryption: Encryption = Encryption.NONE, **options: Any) -> EmailNotifier:
    server = MailServer(
        "localhost" if encryption is not Encryption.NONE else "127.0.0.1", port, encryption, timeout=1, **options
    )
    return EmailNotifier(server, sender="adapter@hospital.example", recipients=BOTH, clock=lambda: NOW)


def send(made: EmailNotifier, given: Delivery | None = None) -> None:
    asyncio.run(made.deliver(given or delivery()))


def test_a_mail_holds_a_link_an_opaque_number_and_the_intended_use(tmp_path: Path) -> None:
    box = Mailbox(tmp_path / "mail")
    controller = catcher(box, free_port())
    controller.start()
    try:
        for kind in ("raised", "updated", "withdrawn"):
            send(notifier(controller.port), delivery(kind))
    finally:
        controller.stop()
    first = box.mails[0]
    assert first["Subject"] == "Candidate c-1 waiting"
    assert first["Message-ID"] == "<deadbeef@hospital.example>"
    assert first["Date"] == "Fri, 02 Jan 2026 10:00:00 +0000"
    assert first["Auto-Submitted"] == "auto-generated"
    assert first.get_content().split() == [
        "Candidate",
        "c-1",
        "Trial",
        "immunosep",
        "https://w/c/c-1",
        *INTENDED_USE.split(),
    ]
    assert [m["Subject"] for m in box.mails[1:]] == ["Candidate c-1 changed", "Candidate c-1 taken back"]
    assert len(list((tmp_path / "mail").iterdir())) == 3


def test_a_message_names_its_candidate_as_briefly_as_the_pages_do() -> None:
    mail = compose(delivery(candidate="d9375c8fddea01f21935"), sender="a@b", recipients=BOTH)
    assert mail["Subject"] == "Candidate d9375c waiting"
    assert mail.get_content().startswith("Candidate d9375c\nTrial immunosep\n")


@pytest.mark.parametrize(
    ("reply", "error"), [("451 later", UnavailableError), ("421 closing", UnavailableError), ("554 no", RejectedError)]
)
def test_a_mail_is_postponed_or_refused_as_the_server_says(reply: str, error: type[Exception]) -> None:
    server = Server(data=[reply])
    with smtp(server) as port:
        with pytest.raises(error):
            send(notifier(port))
        send(notifier(port))
    assert len(server.taken) == 1


def test_a_reply_lost_after_acceptance_repeats_with_the_same_message_id() -> None:
    server = Server(data=["drop"])
    with smtp(server) as port:
        made = notifier(port)
        with pytest.raises(UnavailableError):
            send(made)
        send(made)
    ids = {line for _, content in server.taken for line in content.splitlines() if line.startswith(b"Message-ID")}
    assert (len(server.taken), len(ids)) == (2, 1)


def test_who_has_the_mail_does_not_get_it_again_because_of_another() -> None:
    server = Server(recipients={BOTH[1]: ["450 busy", "250 OK"]})
    with smtp(server) as port:
        made = notifier(port)
        with pytest.raises(UnavailableError):
            send(made)
        send(made)
    assert [to for to, _ in server.taken] == [(BOTH[0],), (BOTH[1],)]


def test_a_recipient_refused_for_good_is_seen_and_the_others_have_their_mail() -> None:
    server = Server(recipients={BOTH[1]: ["550 unknown"]})
    with smtp(server) as port, pytest.raises(RejectedError, match="1 of the recipients"):
        send(notifier(port))
    assert [to for to, _ in server.taken] == [(BOTH[0],)]


def test_all_recipients_refused_is_a_dead_letter() -> None:
    server = Server(recipients={r: ["550 unknown"] for r in BOTH})
    with smtp(server) as port, pytest.raises(RejectedError, match="2 of the recipients"):
        send(notifier(port))


def test_without_starttls_nothing_leaves_in_clear() -> None:
    server = Server()
    with smtp(server) as port, pytest.raises(UnavailableError) as error:
        send(notifier(port, Encryption.STARTTLS))
    assert (error.value.retry_after, server.taken) == (PAUSE, [])


def test_starttls_checks_the_certificate(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = Server()
    with smtp(server, tls_context=context) as port:
        with pytest.raises(UnavailableError):
            send(notifier(port, Encryption.STARTTLS))
        assert server.taken == []
        send(notifier(port, Encryption.STARTTLS, verify=str(certificate)))
    assert len(server.taken) == 1


def test_a_refused_log_in_waits_for_a_person() -> None:
    def refuse(*_args: Any) -> AuthResult:
        return AuthResult(success=False, handled=False)

    with smtp(Server(), authenticator=refuse, auth_require_tls=False) as port:
        with pytest.raises(UnavailableError) as error:
            send(notifier(port, user="u", password="p"))
        assert error.value.retry_after == PAUSE


def test_a_silent_server_and_an_absent_one_are_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        held: list[socket.socket] = []
        thread = threading.Thread(target=lambda: held.append(silent.accept()[0]))
        thread.start()
        with pytest.raises(UnavailableError):
            send(notifier(silent.getsockname()[1]))
        thread.join()
        held[0].close()
    with pytest.raises(UnavailableError):
        send(notifier(free_port()))


def test_a_line_break_never_becomes_a_header() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        compose(delivery(candidate="c\r\nBcc: x@y"), sender="a@b", recipients=("c@d",))


def test_a_password_is_not_in_the_representation() -> None:
    assert "hunter2" not in repr(MailServer("h", 25, password="hunter2"))
