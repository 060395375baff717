"""Tells systemd how we are (sd_notify): a datagram to the socket it names, nothing where there is none."""

import contextlib
import os
import socket


def notify(state: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
        peer.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)
