"""Cases about the answer itself: its frame, its fields, its mode and its speed (mllp-receiver 4.1 to 4.3)."""

from functools import partial

from adapter.conformance import answer_checks as checks
from adapter.conformance import odd
from adapter.conformance.model import Act, Case, Hear, Rest, Say, Severity
from adapter.conformance.probe import Probe, er7, framed, in_turn, obx

SHOULD = Severity.SHOULD
LOCKSTEP = 20


def asking(probe: Probe, accept: str, application: str = "", **parts: str) -> bytes:
    """A good message with MSH-15 and MSH-16."""
    return framed(probe.oru(accept=accept, application=application, **parts))


def unsupported(probe: Probe, **parts: str) -> bytes:
    """A type that a receiver of results and movements has no use for."""
    return framed(probe.message("SIU^S12", probe.pid(), **parts))


def of_version(probe: Probe, version: str) -> bytes:
    return framed(probe.oru(version=version))


def lockstep(probe: Probe) -> list[Act]:
    return in_turn(*probe.count_up(LOCKSTEP))


def named(probe: Probe, control_id: bytes) -> bytes:
    """A good message with this MSH-10."""
    body = probe.oru(control="@@")
    return framed(probe.changed(body.replace(b"|@@|", b"|" + control_id + b"|"), control_id))


FORM = (
    Case(
        "R01",
        "a good message is answered in one frame",
        "1 18 21 37",
        lambda p: framed(p.oru()),
        check=checks.alone_in_its_frame,
    ),
    Case(
        "R07", "the connection stays open after the answer", "7", lambda p: [Say(framed(p.oru())), Hear(1), Rest(0.5)]
    ),
    Case("R17", "no commit bytes of MLLP release 2", "17", lambda p: framed(p.oru()), check=checks.no_commit_bytes),
    Case(
        "R18",
        "every segment of the answer ends with CR",
        "18",
        lambda p: framed(p.oru()),
        check=checks.segments_end_with_cr,
        do="end the last segment with CR too; many readers lose it otherwise",
    ),
    Case(
        "R25",
        "one message, one answer",
        "25",
        lambda p: [Say(framed(p.oru())), Hear(1), Rest(0.5)],
    ),
    Case(
        "R33-marks",
        "the answer has the separators of the message",
        "33",
        lambda p: framed(p.oru()),
        check=checks.same_marks,
    ),
    Case(
        "R33-addresses",
        "the addresses turn round",
        "33",
        lambda p: framed(p.oru()),
        check=checks.addresses_turned,
        severity=SHOULD,
    ),
    Case(
        "R33-components",
        "addresses keep their components",
        "33",
        lambda p: framed(p.oru()),
        check=checks.addresses_whole,
        severity=SHOULD,
    ),
    Case(
        "R34-time",
        "MSH-7 is now, with its zone",
        "34",
        lambda p: framed(p.oru()),
        check=checks.stamped_now,
        severity=SHOULD,
    ),
    Case(
        "R34-id",
        "MSH-10 of an answer is its own",
        "34",
        lambda p: in_turn(*p.count_up(3)),
        check=checks.own_control_id,
        do="make a new MSH-10 for each answer; engines that file by it would overwrite",
    ),
    Case(
        "R35-oru",
        "MSH-9 to a result of 2.5.1",
        "35",
        lambda p: framed(p.oru()),
        check=checks.typed_ack,
        severity=SHOULD,
    ),
    Case(
        "R35-adt", "MSH-9 to a movement", "35", lambda p: framed(p.adt("A08")), check=checks.typed_ack, severity=SHOULD
    ),
    Case(
        "R35-2.3",
        "MSH-9 to a sender of 2.3",
        "35",
        lambda p: framed(p.oru(version="2.3")),
        check=checks.typed_for_23,
        severity=SHOULD,
    ),
    *(
        Case(
            f"R36-{version}",
            f"MSH-11 and MSH-12 to a sender of {version}",
            "36",
            partial(of_version, version=version),
            check=checks.processing_and_version,
            severity=SHOULD,
        )
        for version in ("2.5.1", "2.3.1", "2.8")
    ),
    Case(
        "R36-charset",
        "MSH-18 is given back and used",
        "36 56",
        lambda p: framed(p.turned(odd.latin_e, p.oru(app="LABé", charset="8859/1"))),
        check=checks.charset_kept,
        severity=SHOULD,
    ),
    Case("R37-case", "MSH-10 in mixed case with blanks inside", "37", lambda p: named(p, b"aB c  D")),
    Case("R37-escape", "MSH-10 with an escape is not decoded", "37", lambda p: named(p, b"a\\T\\b\\X41\\")),
    Case("R37-zeros", "MSH-10 with leading zeros", "37", lambda p: named(p, b"000123")),
    Case("H04", "MSH-10 of 199 odd characters", "H04 37", lambda p: named(p, odd.ODD_ID)),
    Case(
        "R38",
        "no word of the patient in an answer",
        "38",
        lambda p: framed(p.oru(obx("CANARY-VALUE"))),
        check=checks.no_patient,
    ),
    Case(
        "R38-refused",
        "no word of the patient in a refusal",
        "38",
        lambda p: framed(p.nameless(er7(p.pid(), obx("CANARY-VALUE")))),
        "refused",
        check=checks.no_patient,
    ),
    Case(
        "R39",
        "a refusal names its error",
        "39",
        unsupported,
        strict="AR",
        check=checks.error_segment,
        strict_only=True,
        severity=SHOULD,
    ),
    Case(
        "R39-2.3",
        "a refusal to a sender of 2.3",
        "39",
        lambda p: unsupported(p, version="2.3"),
        strict="AR",
        check=checks.old_error_segment,
        strict_only=True,
        severity=SHOULD,
    ),
)

MODE = (
    Case("R21", "MSH-15 and MSH-16 empty: original mode", "21 19 D", lambda p: asking(p, "")),
    Case("H20", "MSH-15 = AL, MSH-16 = AL", "H20 22", lambda p: asking(p, "AL", "AL"), "CA"),
    Case("H20-ne", "MSH-15 = AL, MSH-16 = NE", "H20 22", lambda p: asking(p, "AL", "NE"), "CA"),
    Case("H20-word", "MSH-15 outside table 0155", "H20 22", lambda p: asking(p, "YES"), "AA"),
    Case(
        "H20-error",
        "MSH-15 = AL and an unsupported type",
        "22 26 D",
        lambda p: unsupported(p, accept="AL", application="NE"),
        "CA",
        "CR 200",
    ),
    Case("H19", "MSH-15 = NE, MSH-16 empty: no answer", "H19 22 D", lambda p: asking(p, "NE"), "none"),
    Case("H19-ne", "MSH-15 = NE, MSH-16 = NE: no answer", "H19 22 D", lambda p: asking(p, "NE", "NE"), "none"),
    Case("H19-al", "MSH-15 = NE, MSH-16 = AL: original mode", "H19 23 D", lambda p: asking(p, "NE", "AL"), "AA"),
    Case("H21-er", "MSH-15 = ER and all well: no answer", "H21 22 D", lambda p: asking(p, "ER", "NE"), "none"),
    Case("H21-su", "MSH-15 = SU and all well", "H21 22 D", lambda p: asking(p, "SU", "NE"), "CA"),
    Case(
        "H21-er-error",
        "MSH-15 = ER and an unsupported type",
        "22 D",
        lambda p: unsupported(p, accept="ER", application="NE"),
        "none",
        "CR 200",
    ),
    Case(
        "H21-su-error",
        "MSH-15 = SU and an unsupported type",
        "22 D",
        lambda p: unsupported(p, accept="SU", application="NE"),
        "CA",
        "none",
    ),
    Case(
        "R24",
        "no application answer comes later on the same connection",
        "24",
        lambda p: [Say(asking(p, "AL", "AL")), Hear(1), Rest(1.0)],
        "CA",
        severity=SHOULD,
    ),
    Case(
        "M33",
        "an acknowledgment is not acknowledged",
        "M33 25 D",
        lambda p: framed(p.message("ACK^R01^ACK", "MSA|AA|1")),
        "none",
    ),
    Case(
        "M33-response",
        "a message with MSA is an answer, whatever MSH-9 says",
        "25",
        lambda p: framed(p.message("ORR^O02", "MSA|AA|1")),
        "none",
        severity=SHOULD,
    ),
)

SPEED = (
    Case(
        "R13",
        f"{LOCKSTEP} messages, each after the answer to the one before: the hard limit",
        "13 20",
        lockstep,
        check=checks.within_the_limit,
    ),
    Case("R13-second", "answers within a second", "13 20", lockstep, check=checks.within_a_second, severity=SHOULD),
    Case("R13-whole", "an answer is not dribbled", "13", lockstep, check=checks.in_one_go, severity=SHOULD),
    Case(
        "H30",
        "10,000 OBX are acknowledged before they are understood",
        "H30 20",
        lambda p: framed(p.oru(*(obx(str(number)) for number in range(10_000)))),
        seconds=5,
        check=checks.within_the_limit,
    ),
)
