"""Cases about headers, repetition and character sets: rows H of the catalogue, mllp-receiver 4.4 and 4.5."""

from functools import partial

from adapter.conformance import answer_checks as checks
from adapter.conformance import odd
from adapter.conformance.model import Act, Case, Hear, Say, Severity
from adapter.conformance.probe import APPLICATION, FACILITY, Probe, er7, framed, in_turn, obx

SHOULD, MAY = Severity.SHOULD, Severity.MAY
FUTURE, PAST = "20991231235959+0000", "20160102031000+0000"


def with_header(probe: Probe, kind: str = "ORU^R01", **parts: str) -> bytes:
    return framed(probe.oru(type=kind, **parts))


def result(probe: Probe, *lines: str, **parts: str) -> bytes:
    return framed(probe.oru(*lines, **parts))


def repeated(probe: Probe) -> list[Act]:
    body = probe.oru()
    return in_turn(body, probe.again(body))


def repeated_on_another_line(probe: Probe) -> list[Act]:
    body = probe.oru()
    return [Say(framed(body)), Hear(1), Say(framed(probe.on(1).again(body)), line=1), Hear(1, line=1)]


def other_bytes(probe: Probe) -> list[Act]:
    """The MSH-10 of the message before, under another body."""
    first = probe.oru(obx("1"))
    return in_turn(first, probe.oru(obx("2"), control=(probe.made[0].control_id or b"").decode()))


def cut_header(probe: Probe) -> bytes:
    head = f"MSH|^~\\&|{APPLICATION}|{FACILITY}|A|B|20260102031000"
    probe.oru()
    return framed(probe.changed(er7(head, probe.pid(), obx("1")), b""))


def broken_marks(probe: Probe, how: str) -> bytes:
    """An MSH-2 that is missing takes no field away; where marks are unusable the separator alone is known."""
    return framed(probe.turned(partial(odd.with_broken_marks, how=how), probe.oru()))


def other_processing(probe: Probe, letter: str) -> bytes:
    return with_header(probe, processing=letter)


HEADER = (
    Case(
        "H01",
        "no MSH first: never a positive answer",
        "H01 27 32",
        lambda p: framed(p.nameless(er7(p.pid()))),
        "refused",
    ),
    Case(
        "H01-word",
        "no MSH first: AE 100, MSA-2 empty",
        "H01 32 D",
        lambda p: framed(p.changed(p.nameless(er7(p.pid())), b"")),
        "AE 100",
        severity=SHOULD,
    ),
    Case(
        "R32",
        "plain text in a frame: never a positive answer",
        "32",
        lambda p: framed(p.nameless(b"hello\r")),
        "refused",
    ),
    Case("H02", "MSH ends before MSH-9", "H02 D", cut_header, strict="AE 101"),
    Case("H03", "MSH-10 empty: MSA-2 empty", "H03 D", lambda p: result(p, control=""), strict="AE 101"),
    Case("H05", "the same message again: the same answer", "H05 40", repeated),
    Case("H05-line", "the same message again on another connection", "H05 40", repeated_on_another_line, after="new"),
    Case(
        "R40",
        "the repetition is given the stored answer",
        "40",
        repeated,
        check=checks.stored_answer,
        severity=MAY,
    ),
    Case("H06", "the same MSH-10 over other bytes: a new message", "H06 41", other_bytes, strict="AA, AA/AE 205"),
    Case(
        "H07",
        "other separators: the answer uses them",
        "H07 33 49",
        lambda p: framed(p.turned(odd.in_own_separators, p.oru())),
        check=checks.same_marks,
    ),
    Case(
        "H07-fifth",
        "five encoding characters (v2.7)",
        "H07 49",
        lambda p: framed(p.turned(odd.with_fifth_mark, p.oru())),
    ),
    *(
        Case(f"H08-{how}", f"MSH-2 {how}", "H08 D", partial(broken_marks, how=how), strict="AE 102")
        for how in odd.BROKEN_MARKS
    ),
    Case("H09", "MSH-9 without an event", "H09", lambda p: with_header(p, "ORU")),
    *(
        Case(
            f"H10-{kind[:3].lower()}",
            f"unsupported type {kind}",
            "H10 26 27 29 30 D",
            partial(with_header, kind=kind),
            strict="AR 200",
        )
        for kind in ("SIU^S12", "MDM^T02", "DFT^P03")
    ),
    *(
        Case(
            f"H11-{kind[-3:].lower()}",
            f"unsupported event {kind}",
            "H11 26 30 D",
            partial(with_header, kind=kind),
            strict="AR 201",
        )
        for kind in ("ADT^A60", "ORU^R40")
    ),
    *(
        Case(
            f"H12-{letter.lower()}",
            f"MSH-11 = {letter} on a production port",
            "H12 31 D",
            partial(other_processing, letter=letter),
            strict="AR 202",
            needs="production",
        )
        for letter in "TDVN"
    ),
    Case("H13", "MSH-12 = 2.9", "H13 50", lambda p: with_header(p, version="2.9")),
    Case("H13-3.0", "MSH-12 = 3.0", "H13 50", lambda p: with_header(p, version="3.0"), strict="AR 203"),
    Case("H13-junk", "MSH-12 = latest", "H13 50", lambda p: with_header(p, version="latest"), strict="AR 203"),
    Case("H14", "MSH-12 empty", "H14 50", lambda p: with_header(p, version="")),
    Case("H15", "a sender nobody configured", "H15 D", lambda p: with_header(p, app="NOBODY"), strict="AA/AR 207"),
    Case("H16", "MSH-7 missing", "H16", lambda p: with_header(p, sent="")),
    Case("H17", "MSH-7 in the future", "H17", lambda p: with_header(p, sent=FUTURE)),
    Case("H18", "MSH-7 ten years old", "H18", lambda p: with_header(p, sent=PAST)),
    Case("R47", "a sequence number in MSH-13", "47", lambda p: with_header(p, sequence="7")),
    Case(
        "H22",
        "MSH-18 silent, bytes of ISO 8859-7",
        "H22 56",
        lambda p: framed(p.turned(lambda body: body.decode().encode("iso-8859-7"), p.oru(name=odd.NAMES["Greek"]))),
    ),
    Case(
        "H23",
        "MSH-18 says UTF-8, bytes are not",
        "H23 56",
        lambda p: framed(p.turned(odd.latin_e, p.oru(name="ZZTEST^Renée", charset="UNICODE UTF-8"))),
    ),
    Case(
        "H23-greek",
        "MSH-18 says 8859/7, bytes are UTF-8",
        "H23 56",
        lambda p: result(p, name=odd.NAMES["Greek"], charset="8859/7"),
    ),
    Case(
        "H24",
        "ISO 2022 escapes, two character sets",
        "H24 56",
        lambda p: framed(
            p.turned(lambda body: body.replace(b"@", odd.JAPANESE), p.oru(name="@", charset="ASCII~ISO IR87"))
        ),
    ),
    Case("H24-unknown", "an unknown character set", "H24 56", lambda p: result(p, charset="KLINGON")),
    Case("M27", "a byte order mark before MSH", "M27 56", lambda p: framed(p.turned(odd.marked, p.oru()))),
    Case("M28", "a NUL byte in a note", "M28 48", lambda p: result(p, obx("1"), odd.NUL_IN_NOTE)),
    Case(
        "M29",
        "a body of UTF-16",
        "M29 56",
        lambda p: framed(p.changed(odd.utf_16(p.oru()), None)),
        severity=SHOULD,
    ),
)
