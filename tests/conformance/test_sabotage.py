"""Receivers with one thing wrong: the case that is there for it finds it, and an honest one passes the same cases."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from adapter.conformance.cases import CASES
from adapter.conformance.model import Verdict
from tests.conformance.receivers import certain, failures
from tests.conformance.tiny import Nervous, NoRestart, TailReader, Tiny, field_of, honest, listening, read, swapped

CONTROL = ("R01", "H09")
"""An ordinary good message, which most of them answer well."""
PATIENCE, SLOW_PATIENCE = 0.7, 2.0


@dataclass(frozen=True)
class Sabotage:
    what: str
    caught_by: str
    tiny: Callable[[], Tiny]
    words: str = ""
    """Part of what the report says came."""
    profile: str = "generic"
    spoils: tuple[str, ...] = ()
    """Those of CONTROL that it spoils too."""
    limit: int = 256 * 1024


def otherwise(change: Callable[[bytes, bytes], bytes]) -> Callable[[], Tiny]:
    """The honest answer, changed by (message, answer)."""

    def judged(body: bytes) -> bytes:
        answer = honest(body)
        return change(body, answer) if answer else answer

    return lambda: Tiny(judged=judged)


def answered(change: Callable[[bytes], bytes]) -> Callable[[], Tiny]:
    return lambda: Tiny(judged=change)


def swallowing() -> Tiny:
    seen: set[bytes] = set()

    def judged(body: bytes) -> bytes:
        known = body in seen
        seen.add(body)
        return b"" if known else honest(body)

    return Tiny(judged=judged)


def refusing(body: bytes) -> bytes:
    return honest(body, code="AR") if field_of(body, 9).startswith(b"SIU") else honest(body)


def always_aa(body: bytes) -> bytes:
    message = read(body)
    answer = honest(body, code="AA")
    return answer if message is not None else b"MSH|^~\\&|\rMSA|AA|\r"


def deaf_above(size: int) -> Callable[[bytes], bytes]:
    return lambda body: honest(body) if len(body) < size else b""


def later_too(body: bytes, answer: bytes) -> bytes:
    asks = field_of(body, 16) == b"AL"
    return answer + b"\x1c\r\x0b" + honest(body, code="AA") if asks and b"|CA|" in answer else answer


def hesitating(seconds: float) -> Iterator[float]:
    """Over one answer."""
    return itertools.chain((0.0, seconds), itertools.repeat(0.0))


def for_ever() -> Tiny:
    return Tiny(busy=asyncio.Lock())


SABOTAGES = (
    Sabotage("says AA to everything: to NE", "H19", answered(always_aa), "AA"),
    Sabotage("says AA to everything: to a frame without MSH", "H01", answered(always_aa), "AA"),
    Sabotage("says AA to everything: to plain text", "R32", answered(always_aa), "AA"),
    Sabotage("says AA to everything: to an acknowledgment", "M33", answered(always_aa), "AA"),
    Sabotage("says AA where CA is asked for", "H20", answered(always_aa), "AA"),
    Sabotage(
        "says CA where nothing is asked for", "R21", answered(lambda b: honest(b, code="CA")), "CA", spoils=CONTROL
    ),
    Sabotage(
        "gives back MSH-10 as its own",
        "R34-id",
        otherwise(lambda b, a: swapped(a, b"MSH", 10, field_of(b, 10))),
        "received one",
    ),
    Sabotage("has one MSH-10 for all", "R34-id", otherwise(lambda b, a: swapped(a, b"MSH", 10, b"1")), "same MSH-10"),
    Sabotage("answers out of order", "M02", lambda: Tiny(batch=lambda answers: answers[::-1]), "another message"),
    Sabotage("answers fifty out of order", "M03", lambda: Tiny(batch=lambda answers: answers[::-1]), "another message"),
    Sabotage(
        "sends answers in no frame", "R01", lambda: Tiny(framed=lambda answer: answer), "in no frame", spoils=CONTROL
    ),
    Sabotage(
        "sends a CR behind the frame",
        "R01",
        lambda: Tiny(framed=lambda a: b"\x0b" + a + b"\x1c\r\r"),
        "beside the frames",
        spoils=("R01",),
    ),
    Sabotage(
        "sends a commit byte first",
        "R17",
        lambda: Tiny(framed=lambda a: b"\x06\x0b" + a + b"\x1c\r"),
        "0x06",
        spoils=("R01",),
    ),
    Sabotage("leaves out the last CR", "R18", otherwise(lambda _b, a: a[:-1]), "last segment"),
    Sabotage("ends segments with LF", "R18", otherwise(lambda _b, a: a.replace(b"\r", b"\r\n")), "", spoils=CONTROL),
    Sabotage(
        "answers twice", "R25", otherwise(lambda b, a: a + b"\x1c\r\x0b" + honest(b)), "a second answer", spoils=CONTROL
    ),
    Sabotage("closes after each answer", "R07", lambda: Tiny(closes=True), "closed", spoils=CONTROL),
    Sabotage("swallows repetitions", "H05", swallowing, "no answer"),
    Sabotage(
        "gives MSA-2 in capitals",
        "R37-case",
        otherwise(lambda b, a: swapped(a, b"MSA", 2, field_of(b, 10).upper())),
        "another message",
        spoils=CONTROL,
    ),
    Sabotage("decodes MSA-2", "R37-escape", otherwise(lambda _b, a: a.replace(b"\\T\\", b"&")), "another message"),
    Sabotage(
        "takes MSH-10 for a number",
        "R37-zeros",
        otherwise(lambda b, a: swapped(a, b"MSA", 2, field_of(b, 10).lstrip(b"0"))),
        "another message",
    ),
    Sabotage(
        "cuts MSH-10 at 20 characters",
        "H04",
        otherwise(lambda b, a: swapped(a, b"MSA", 2, field_of(b, 10)[:20])),
        "another message",
    ),
    Sabotage(
        "has one set of separators", "H07", otherwise(lambda _b, a: a.replace(b"MSH#!@?%", b"MSH#^~\\&", 1)), "marks"
    ),
    Sabotage(
        "keeps the addresses", "R33-addresses", otherwise(lambda b, a: swapped(a, b"MSH", 3, field_of(b, 3))), "MSH-3"
    ),
    Sabotage(
        "loses components", "R33-components", otherwise(lambda _b, a: swapped(a, b"MSH", 4, b"UNDER")), "components"
    ),
    Sabotage(
        "stamps without a zone",
        "R34-time",
        otherwise(lambda _b, a: swapped(a, b"MSH", 7, b"20260102030405")),
        "no zone",
    ),
    Sabotage(
        "stamps another day",
        "R34-time",
        otherwise(lambda _b, a: swapped(a, b"MSH", 7, b"20200102030405+0000")),
        "away from our clock",
    ),
    Sabotage("says ACK alone", "R35-oru", otherwise(lambda _b, a: swapped(a, b"MSH", 9, b"ACK")), "MSH-9 is ACK"),
    Sabotage(
        "says three parts to 2.3", "R35-2.3", otherwise(lambda _b, a: swapped(a, b"MSH", 9, b"ACK^R01^ACK")), "MSH-9"
    ),
    Sabotage("has one version", "R36-2.3.1", otherwise(lambda _b, a: swapped(a, b"MSH", 12, b"2.5.1")), "MSH-12"),
    Sabotage("forgets the character set", "R36-charset", otherwise(lambda _b, a: a.replace(b"|8859/1", b"")), "MSH-18"),
    Sabotage(
        "names the patient",
        "R38",
        otherwise(lambda _b, a: a[:-1] + b"|stored ZZTEST CONFORMANCE\r"),
        "patient",
    ),
    Sabotage("refuses what stops the feed", "H10-siu", answered(refusing), "AR", profile="intersystems"),
    Sabotage("answers again later", "R24", otherwise(later_too), "a second answer"),
    Sabotage("joins two messages at a second VT", "M06", lambda: Tiny(decoder=NoRestart), "AA"),
    Sabotage("is deaf after noise", "M04", lambda: Tiny(decoder=Nervous), "no answer"),
    Sabotage("looks at the end of its buffer only", "M02", lambda: Tiny(decoder=TailReader), ""),
    Sabotage("loses the frame that a read cuts", "R02-middle", lambda: Tiny(decoder=TailReader), ""),
    Sabotage("loses what is over 64 KiB", "M17-70k", answered(deaf_above(65536)), "no answer"),
    Sabotage("takes its time", "R13-second", lambda: Tiny(before=hesitating(1.2)), "1.2 s"),
    Sabotage("dribbles", "R13-whole", lambda: Tiny(dribble=hesitating(1.1)), "first byte"),
    Sabotage("has one connection at a time", "R09", for_ever, "no answer"),
    Sabotage("hangs up after a second of silence", "M14", lambda: Tiny(idle=1.0), "closed"),
    Sabotage("hangs up inside a frame", "R11", lambda: Tiny(idle=1.0), "closed"),
    Sabotage("acknowledges a frame that was cut off", "M12-half", lambda: Tiny(on_cut=True), "AA"),
)


def chosen(*ids: str) -> list:
    """In their own order, the first case not first: it would end the run."""
    return sorted((case for case in CASES if case.id in ids), key=lambda case: case.id == "R01")


@pytest.mark.parametrize("one", SABOTAGES, ids=lambda one: f"{one.caught_by}: {one.what}")
def test_what_is_wrong_is_found_by_the_case_that_is_there_for_it(one: Sabotage) -> None:
    patience = SLOW_PATIENCE if one.caught_by.startswith("R13") else PATIENCE
    known = {one.caught_by, *one.spoils}
    cases = chosen(one.caught_by, *CONTROL)
    with listening(one.tiny()) as port:
        found = failures(certain(port, known, one.profile, patience=patience, cases=cases, limit=one.limit))
    assert found.keys() == known
    assert one.words in found[one.caught_by].came
    assert found[one.caught_by].do


def test_an_honest_one_passes_all_of_these_cases() -> None:
    with listening(Tiny()) as port:
        cases = chosen(*{one.caught_by for one in SABOTAGES}, *CONTROL)
        found = certain(port, (), cases=cases, limit=256 * 1024)
    assert {one.verdict for one in found.values()} == {Verdict.PASSED}
