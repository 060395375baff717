"""A daemon that does not answer a command: whoever sent it is told so, and never that it was done."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapter.daemon import reaching
from adapter.errors import UnavailableError

REQUEST = {"command": "x" * 1_000_000}
"""More than the socket takes at once, so that its end is met while sending."""


@contextlib.contextmanager
def daemon(folder: Path, conduct: Callable[[socket.socket], None]) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / reaching.NAME))
        listening.listen()

        def serve() -> None:
            peer, _ = listening.accept()
            with peer:
                conduct(peer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join(10)


def hears_out(peer: socket.socket) -> None:
    with peer.makefile("rb") as said:
        said.readline()


def answers_by_half(peer: socket.socket) -> None:
    hears_out(peer)
    peer.sendall(b'{"ok": {"na')


def is_silent(peer: socket.socket) -> None:
    hears_out(peer)
    peer.recv(1)


def hangs_up(peer: socket.socket) -> None:
    peer.recv(1)


@pytest.mark.parametrize("conduct", [hangs_up, hears_out, answers_by_half, is_silent])
def test_a_command_without_an_answer_is_not_carried_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, conduct: Callable[[socket.socket], None]
) -> None:
    monkeypatch.setattr(reaching, "SECONDS", 1)
    with daemon(tmp_path, conduct), pytest.raises(UnavailableError, match="look whether it was done"):
        reaching.ask(tmp_path, REQUEST)
