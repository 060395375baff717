"""Cases about connections and TLS: rows M of the catalogue, and mllp-receiver 4.1."""

from collections.abc import Iterable

from adapter.conformance import answer_checks as checks
from adapter.conformance import odd
from adapter.conformance.framing import unfinished
from adapter.conformance.model import Act, Case, Deaf, Door, Hear, Leave, Rest, Say, Severity, always
from adapter.conformance.probe import Probe, framed

SHOULD = Severity.SHOULD
MANY_LINES = 25
"""Connections at the same time: more than a receiver lets one peer have, less than a load."""
FRAME_TIMEOUT, IDLE = 40.0, 75.0
"""For the slow cases: past the 30 s a frame may take, past a minute of silence."""
DEAF = 2.0


def two_rounds(probe: Probe) -> Iterable[Act]:
    """Two connections, taking turns."""
    for number in (1, 2):
        for line in (0, 1):
            yield Say(framed(probe.on(line).oru()), line=line)
            yield Hear(number, line=line)


def line_for_each(probe: Probe) -> Iterable[Act]:
    for line in range(3):
        yield Say(framed(probe.on(line).oru()), line=line)
        yield Hear(1, line=line)
        yield Leave(line=line)


def crowd(probe: Probe) -> Iterable[Act]:
    for line in range(MANY_LINES):
        yield Say(framed(probe.on(line).oru()), line=line)
    for line in range(MANY_LINES):
        yield Hear(1, line=line)
    for line in range(MANY_LINES):
        yield Leave(line=line)
    yield Rest(0.2)


def beside_a_dead_one(probe: Probe) -> Iterable[Act]:
    yield Say(odd.HALF_FRAME, line=1)
    yield Rest(0.1)
    yield Say(framed(probe.oru()))
    yield Hear(1)


def leaving(data: bytes, how: str) -> list[Act]:
    return [Say(data), Rest(0.1), Leave(how)]


CONNECTIONS = (
    Case("R08", "a connection for each message", "8", line_for_each, after="new"),
    Case("R09", "two connections at the same time, taking turns", "9", two_rounds),
    Case("M15", "a dead connection beside a new one", "M15 9", beside_a_dead_one, after="new"),
    Case(
        "M16",
        f"{MANY_LINES} connections of one peer: answered or closed, none left hanging",
        "M16 9",
        crowd,
        "AA/closed",
        after="new",
        check=checks.none_hangs,
        severity=SHOULD,
    ),
    Case(
        "M12",
        "the sender closes inside a frame",
        "M12",
        always(leaving(odd.HALF_FRAME, "close")),
        "none",
        after="new",
    ),
    Case(
        "M12-half",
        "a frame cut off by half a close is not acknowledged",
        "M12",
        lambda p: leaving(unfinished(p), "half"),
        "refused",
        closes=True,
        after="new",
    ),
    Case(
        "M21",
        "the sender closes right after sending",
        "M21",
        lambda p: [Say(framed(p.oru())), Leave()],
        "none/AA",
        after="new",
    ),
    Case(
        "M21-half",
        "half a close after a message: it is still answered",
        "M21",
        lambda p: [Say(framed(p.oru())), Leave("half")],
        after="new",
        severity=SHOULD,
    ),
    Case("M22", "a reset inside a frame", "M22", always(leaving(odd.HALF_FRAME, "reset")), "none", after="new"),
    Case(
        "M20",
        f"answers that are read {DEAF:.0f} s late are all there",
        "M20",
        lambda p: [Say(framed(*p.count_up(20))), Deaf(DEAF)],
    ),
    Case(
        "M14",
        "two seconds of silence between messages",
        "M14 7 10 11",
        lambda p: [Say(framed(p.oru())), Hear(1), Rest(2.0)],
    ),
    Case(
        "M14-slow",
        f"{IDLE:.0f} s of silence between messages",
        "M14 7 10 11",
        lambda p: [Say(framed(p.oru())), Hear(1), Rest(IDLE)],
        needs="slow",
    ),
    Case(
        "M13",
        f"a frame that does not end within {FRAME_TIMEOUT:.0f} s: no answer, closed",
        "M13 11",
        always([Say(odd.HALF_FRAME), Rest(FRAME_TIMEOUT)]),
        "none",
        closes=True,
        after="new",
        needs="slow",
        severity=SHOULD,
    ),
)

TLS = (
    Case(
        "R16",
        "TLS 1.1 is refused",
        "16",
        lambda p: framed(p.oru()),
        "refused",
        after="new",
        needs="tls",
        door=Door.OLD_TLS,
    ),
    Case(
        "M25",
        "plain text on a TLS port is refused",
        "M25 16",
        lambda p: framed(p.oru()),
        "refused",
        after="new",
        needs="tls",
        door=Door.PLAIN,
    ),
    Case(
        "M23",
        "no client certificate: refused",
        "M23 16",
        lambda p: framed(p.oru()),
        "refused",
        after="new",
        needs="client certificate",
        door=Door.NO_CERTIFICATE,
    ),
    Case(
        "M24",
        "a client certificate nobody vouches for: refused",
        "M24 16",
        lambda p: framed(p.oru()),
        "refused",
        after="new",
        needs="client certificate",
        door=Door.STRANGER,
    ),
)
