"""Synthetic senders for a daemon that dies: each tells its own patients' stories, and resends what was not answered."""

import random
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapter.hl7.mllp import encode
from tests.builders import adt, dtm, obx, oru
from tests.web_house import organs

RESENT = 0.1
PATIENCE = 120.0
PAUSE = 0.002
"""Seconds between two messages of a sender: the daemon must still be busy when it is killed."""


def story(number: str, now: datetime) -> Iterator[tuple[str, bytes]]:
    """(control id, message) of one patient: candidate by ferritin, then corrected, for some of them withdrawn."""
    came, drawn = now - timedelta(hours=3), now - timedelta(hours=2)
    visit = {"patient": number, "visit": f"V{number}", "name": f"FAM{number}^GIV"}

    def report(control: str, *lines: str, order: str, **more: str) -> tuple[str, bytes]:
        return control, oru(*lines, at=dtm(drawn), order=order, control=control, sent=dtm(now), **visit, **more)

    yield (
        f"A{number}",
        adt("A01", cls="E", ward="ED", bed="1", at=dtm(came), sent=dtm(came), control=f"A{number}", **visit),
    )
    yield report(f"R{number}", *organs(), order=f"R-{number}")
    yield report(f"F{number}", obx("2276-4", "5200", "ng/mL"), order=f"F-{number}")
    yield report(f"T{number}", *organs(), order=f"T-{number}", processing="T")
    yield f"S{number}", oru(control=f"S{number}", sent=dtm(now), **visit).replace(b"ORU^R01", b"SIU^S12")
    yield f"N{number}", oru(control=f"N{number}", sent=dtm(now), **visit | {"patient": ""})
    if int(number) % 3 == 0:
        high = obx("mhladr-abc", "21000", "{AB}/{cell}", system="L", sub="2")
        yield report(f"C{number}", obx("2276-4", "900", "ng/mL", status="C"), high, order=f"F-{number}")
    if int(number) % 3 == 1:
        yield report(f"C{number}", obx("2276-4", "6100", "ng/mL", status="C"), order=f"F-{number}")


@dataclass
class Sender:
    """Lock-step over one connection; a new one whenever it breaks. Ends with a whole story once `enough` is set."""

    name: int
    port: int
    now: datetime
    enough: threading.Event
    sent: dict[str, bytes] = field(default_factory=dict)
    acknowledged: dict[str, bytes] = field(default_factory=dict)
    failed: int = 0
    resent: int = 0
    _peer: socket.socket | None = None
    _chance: random.Random = field(default_factory=lambda: random.Random(7))

    def run(self) -> None:
        number = 0
        while not self.enough.is_set():
            number += 1
            for control_id, body in story(f"{self.name}{number:05}", self.now):
                self.sent[control_id] = body
                self.through(control_id, body)
                if self._chance.random() < RESENT:
                    again = self._chance.choice(list(self.acknowledged))
                    self.through(again, self.acknowledged[again])
                    self.resent += 1
                time.sleep(PAUSE)
        if self._peer is not None:
            self._peer.close()

    def through(self, control_id: str, body: bytes) -> None:
        """Sent until it is acknowledged, as a hospital's engine does; but a test ends, where a daemon never comes back."""
        began = time.monotonic()
        while not self._answered(control_id, body):
            assert time.monotonic() - began < PATIENCE, "nobody acknowledges any more"
            self.failed += 1
            time.sleep(0.02)
        self.acknowledged[control_id] = body

    def _answered(self, control_id: str, body: bytes) -> bool:
        try:
            if self._peer is None:
                self._peer = socket.create_connection(("127.0.0.1", self.port), timeout=10)
            self._peer.sendall(encode(body))
            answer = b""
            while not answer.endswith(b"\x1c\r"):
                part = self._peer.recv(4096)
                if not part:
                    raise ConnectionResetError
                answer += part
        except OSError:
            if self._peer is not None:
                self._peer.close()
                self._peer = None
            return False
        assert b"MSA|AA|" + control_id.encode() + b"\r" in answer
        return True
