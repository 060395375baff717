"""Cases about frames, streams and sizes: rows M of the catalogue, and mllp-receiver 4.1."""

from collections.abc import Iterable
from functools import partial

from adapter.conformance import odd
from adapter.conformance.model import Act, Case, Hear, Rest, Say, Severity, always
from adapter.conformance.probe import Probe, framed, obx
from adapter.hl7.mllp import START

SHOULD = Severity.SHOULD
PIPELINED = 50
KIB, MIB = 1024, 1024 * 1024
SILENCE = 0.8
"""Longer than the 500 ms after which an FS ends its frame by itself."""
INSIDE = 1.5
"""A pause inside a frame that every receiver must bear."""
HARD_STOP = 5
"""A stream without FS is given up at the latest after so many limits."""


def large(probe: Probe, size: int) -> bytes:
    """A document of so many bytes in OBX-5, cut to the limit that was agreed."""
    room = min(size, probe.limit) - KIB
    return framed(probe.oru(obx("^AP^PDF^Base64^" + "A" * room, kind="ED")))


def too_large(probe: Probe) -> bytes:
    return framed(probe.oru(obx("^AP^PDF^Base64^" + "A" * probe.limit, kind="ED")))


def unfinished(probe: Probe, end: bytes = b"") -> bytes:
    """A message with a header and no end."""
    return START + probe.oru() + end


def cut(probe: Probe, place: int, pause: float = 0.2) -> Iterable[Act]:
    """Two frames, cut so many bytes before the end of the first."""
    first, second = framed(probe.oru()), framed(probe.oru())
    yield Say(first[:-place])
    yield Rest(pause)
    yield Say(first[-place:] + second[:30])
    yield Rest(pause)
    yield Say(second[30:])


def mixed(probe: Probe) -> bytes:
    """A long message among short ones."""
    long = probe.oru(*(obx(str(number)) for number in range(2000)))
    return framed(long, *probe.count_up(5))


def by_silence(probe: Probe, end: bytes) -> Iterable[Act]:
    yield Say(unfinished(probe, end))
    yield Rest(SILENCE)
    yield Hear(1)


STREAM = (
    Case("M01", "one byte a TCP segment", "M01 2", lambda p: [Say(framed(p.oru()), drip=True)]),
    Case("M02", "two frames in one segment", "M02 2 6", lambda p: framed(*p.count_up(2))),
    Case(
        "M03",
        f"{PIPELINED} frames without waiting, answered in order",
        "M03 6",
        lambda p: framed(*p.count_up(PIPELINED)),
    ),
    Case("R06", "a long message among short ones: the order stays", "6", mixed),
    Case("R02-end", "a frame cut between FS and CR, the next one behind it", "2", partial(cut, place=1)),
    Case("R02-middle", "a frame cut in the middle, the next one behind it", "2", partial(cut, place=40)),
    Case("R11", f"pauses of {INSIDE} s inside a frame are borne", "11 2", partial(cut, place=60, pause=INSIDE)),
    Case("M04", "CR, LF, blanks and NUL before a frame", "M04 3", lambda p: odd.BLANK_NOISE + framed(p.oru())),
    Case(
        "M04-between",
        "CR, LF, blanks and NUL between frames",
        "M04 3",
        lambda p: [Say(framed(p.oru()) + odd.BLANK_NOISE), Hear(1), Say(framed(p.oru()))],
    ),
    Case(
        "R05-little",
        "500 bytes of text between frames are dropped",
        "5",
        lambda p: [Say(framed(p.oru())), Hear(1), Say(b"stray text " * 45 + framed(p.oru()))],
        severity=SHOULD,
    ),
    Case(
        "R05",
        "12 KB of noise: this connection is closed, the others live",
        "5",
        lambda p: [Say(framed(p.oru())), Hear(1), Say(b"noise. " * 1800)],
        closes=True,
        after="new",
        severity=SHOULD,
    ),
    Case(
        "M05-http",
        "an HTTP request on the port: no answer, closed",
        "M05 5",
        always(odd.HTTP_REQUEST),
        "none",
        closes=True,
        after="new",
        severity=SHOULD,
    ),
    Case(
        "M05-tls",
        "a TLS greeting on a plain port: no answer, closed",
        "M05 5",
        always(odd.TLS_GREETING),
        "none",
        closes=True,
        after="new",
        severity=SHOULD,
        needs="plain",
    ),
    Case(
        "M06",
        "a second VT inside a frame: the unfinished message is never acknowledged",
        "M06 4",
        lambda p: unfinished(p) + framed(p.oru()),
        "none, AA",
        do="drop what stood before the second VT; two messages made one would be two patients in one",
    ),
    Case("M06-half", "half a header, then VT and a good frame", "M06 4", lambda p: odd.HALF_FRAME + framed(p.oru())),
    Case("M07", "FS without CR, then VT", "M07 3 D", lambda p: odd.without_cr(p.oru()) + framed(p.oru())),
    Case("M07-silence", "FS without CR, then silence", "M07 3 D", partial(by_silence, end=b"\x1c"), severity=SHOULD),
    Case("R03-lf", "FS LF, then VT", "3 D", lambda p: unfinished(p, b"\x1c\n") + framed(p.oru()), severity=SHOULD),
    Case("R03-lf-silence", "FS LF, then silence", "3 D", partial(by_silence, end=b"\x1c\n"), severity=SHOULD),
    Case("M08", "FS inside data", "M08 D", lambda p: framed(p.oru(obx("1"), odd.FS_IN_DATA))),
    Case("M11", "an empty frame: no answer", "M11", always(odd.EMPTY_FRAME), "none", severity=SHOULD),
    *(
        Case(
            f"M32-{what.split()[-1].lower()}",
            f"MLLP release 2 commit bytes, {what}",
            "M32 17",
            always(sent),
            "none",
            severity=SHOULD,
        )
        for what, sent in odd.COMMIT_BYTES.items()
    ),
    Case(
        "M34",
        "a byte of ISO 8859-1 where UTF-8 is expected",
        "M34 56",
        lambda p: framed(p.turned(odd.latin_e, p.oru(name="ZZTEST^Renée"))),
    ),
)

SIZE = (
    Case("M17-70k", "a message of 70 KiB", "M17 12", partial(large, size=70 * KIB)),
    Case("M17-1m", "a message of 1 MiB", "M17 12", partial(large, size=MIB), times=3),
    Case("M17", "a message just below the agreed limit (up to 9 MiB)", "M17 12", partial(large, size=9 * MIB), times=3),
    Case(
        "M18",
        "a message over the agreed limit is answered, or its connection closed; the next one is served",
        "M18 12 D",
        too_large,
        "AA/AE/AR/closed",
        after="new",
        times=3,
    ),
    Case(
        "M18-word",
        "a message over the agreed limit: AE 207",
        "M18 12 D",
        too_large,
        "AE 207",
        after="new",
        times=3,
        severity=SHOULD,
    ),
    Case(
        "M19",
        f"a stream of {HARD_STOP} limits without FS is given up",
        "M19 12",
        lambda p: START + p.oru() + b"A" * (p.limit * HARD_STOP),
        "refused",
        closes=True,
        after="new",
        seconds=20,
        needs="slow",
        severity=SHOULD,
    ),
)
