"""Cases about segments, batches and escapes: rows H of the catalogue, mllp-receiver 4.4 and 4.5."""

from functools import partial

from adapter.conformance import odd
from adapter.conformance.heading import result
from adapter.conformance.model import Case, Severity
from adapter.conformance.probe import Probe, framed, obr, obx, pv1

SHOULD = Severity.SHOULD
MILLION = 1_000_000
REPETITIONS = 100_000


def enveloped(probe: Probe, **parts: int) -> bytes:
    return framed(odd.enveloped(probe.count_up(2), count=parts.get("count")))


def two_headers(probe: Probe) -> bytes:
    return framed(b"".join(probe.count_up(2)))


def with_line(probe: Probe, line: str) -> bytes:
    """A good result with one more segment."""
    return result(probe, obx("1"), line)


CASES = (
    Case("M09", "no CR before FS", "M09 48", lambda p: framed(p.turned(lambda body: body[:-1], p.oru()))),
    Case("M10", "LF as segment end", "M10 48", lambda p: framed(p.turned(odd.with_lf, p.oru()))),
    Case("M10-crlf", "CR LF as segment end", "M10 48", lambda p: framed(p.turned(odd.with_crlf, p.oru()))),
    Case("H25", "unknown and Z segments", "H25 51", lambda p: result(p, *odd.UNKNOWN_SEGMENTS, obx("1"), "ZZ2|x")),
    Case(
        "R52",
        "a Z segment right behind MSH",
        "52",
        lambda p: framed(p.message("ORU^R01", "ZBX|1|x", p.pid(), obr(), obx("1"))),
    ),
    Case(
        "R51",
        "fields and components past the end",
        "51",
        lambda p: result(p, obx("1") + "|" * 30 + "future^of^HL7", sex="U^^^^^^^^^new"),
    ),
    Case(
        "R53",
        "ORC, TQ1, NTE, SPM and Z between order and results",
        "53",
        lambda p: result(p, "TQ1|1", "NTE|1||x", "SPM|1", "ZZZ|1", obx("1"), "NTE|1||y"),
    ),
    Case(
        "H26",
        "PID behind the results",
        "H26",
        lambda p: framed(p.message("ORU^R01", obr(), obx("1"), p.pid())),
        severity=SHOULD,
    ),
    Case(
        "H26-obr", "OBX without OBR", "H26", lambda p: framed(p.message("ORU^R01", p.pid(), obx("1"))), severity=SHOULD
    ),
    Case("H27", "two PID in one movement", "H27", lambda p: framed(p.adt("A08", p.pid(patient="ZZTEST-2"), pv1()))),
    Case(
        "H28",
        "results of two patients",
        "H28",
        lambda p: result(p, obx("1"), p.pid(patient="ZZTEST-2"), obr(), obx("2")),
    ),
    Case("H29", "a segment name in lower case", "H29", lambda p: result(p, obx("1").lower())),
    Case("H29-two", "a segment name of two letters", "H29", lambda p: result(p, obx("1"), "OB|1|NM")),
    Case(
        "H31",
        f"{REPETITIONS:,} repetitions in a field",
        "H31",
        lambda p: result(p, patient="1~" * REPETITIONS),
        times=3,
    ),
    Case(
        "H31-components",
        f"{REPETITIONS:,} components in a field",
        "H31",
        lambda p: result(p, obx("1^" * REPETITIONS)),
        times=3,
    ),
    Case("H32", "every escape sequence", "H32 54", lambda p: result(p, name=odd.ESCAPES)),
    Case(
        "H32-broken",
        "an escape nobody knows, and one without its end",
        "H32 54",
        lambda p: result(p, name=odd.BROKEN_ESCAPES),
    ),
    Case("H33", "an escaped escape", "H33 54", lambda p: result(p, name=odd.DOUBLE_ESCAPE)),
    Case("H34", 'the HL7 null `""`', "H34 55", lambda p: framed(p.adt("A08", name='""'))),
    Case("H35", "a batch in one frame: one answer a message, in order", "H35 46 D", enveloped, "AA, AA"),
    Case("H35-count", "a batch whose count is wrong", "H35 46", partial(enveloped, count=9), "AA, AA", severity=SHOULD),
    Case(
        "R46",
        "two MSH in one frame without an envelope: the first is answered",
        "46 D",
        two_headers,
        "AA, none",
        severity=SHOULD,
        do="two messages made one would be two patients in one; ask the sender for a frame each",
    ),
    Case("H36", "a field of 1 MB", "H36", lambda p: result(p, name="N" * MILLION), times=3),
    *(
        Case(
            f"H37-{what.lower()}",
            f"continuation by {what}",
            "H37 47",
            partial(with_line, line=line),
        )
        for what, line in odd.CONTINUATIONS.items()
    ),
    Case(
        "H38",
        "text behind the last segment",
        "H38",
        lambda p: framed(p.turned(lambda body: body + odd.LAST_WORDS, p.oru())),
    ),
    Case("H39", "HL7 in XML", "H39", lambda p: p.nameless(odd.XML_FRAME), "AA", "AR 200", severity=SHOULD),
    Case(
        "H40",
        "a segment of delimiters only",
        "H40",
        lambda p: framed(p.message("ORU^R01", odd.ONLY_BARS, obr(), obx("1"))),
        strict="AA/AE 101",
    ),
)
