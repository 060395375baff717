"""A port for a server that will be started, or started again, and must find nobody there.

The kernel hands out the ports of its own range to every connection that goes out and to every server that asked for port 0:
a port of that range that was free a moment ago may be anybody's when the server comes. These are below the range, each
worker of the tests has its own, and none is given twice while another is left.
"""

import os
import socket
from itertools import cycle

_A_WORKER = 1_500
_FIRST = 10_000 + _A_WORKER * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 14)
_START = os.getpid() % _A_WORKER
_ports = cycle(_FIRST + (_START + step) % _A_WORKER for step in range(_A_WORKER))


def free_port() -> int:
    """A port of 127.0.0.1 where nobody listens."""
    for port in _ports:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("the ports have no end")
