"""What an acknowledgment must hold, field by field (mllp-receiver 4.3): each check says what is wrong, or nothing."""

import re
from datetime import UTC, datetime

from adapter.conformance.model import Exchange, Seen
from adapter.conformance.probe import NAME, PATIENT, RECEIVER, RECEIVERS_HOUSE

SKEW = 600
"""Seconds that MSH-7 may differ from our clock."""
LONGEST_ID = 199
ANSWER_SECONDS, ANSWER_LIMIT = 1.0, 5.0
"""A sender's usual deadline lies between 5 and 30 s; one message at a time, the answer is the throughput (rule 13)."""
_STAMP = re.compile(rb"(\d{14})(?:\.\d{1,4})?([+-]\d{4})?$")


def _last(seen: Seen) -> Exchange:
    return seen.exchanges[-1]


def sent_field(body: bytes, number: int) -> bytes:
    """MSH as it was sent; MSH-1 is the separator."""
    fields = body[body.find(b"MSH") :].split(b"\r")[0].split(body[body.find(b"MSH") + 3 :][:1])
    return fields[number - 1] if number <= len(fields) else b""


def alone_in_its_frame(seen: Seen) -> str:
    """VT, the answer, FS, CR, and nothing else on the line."""
    outside = seen.lines[0].outside()
    return f"{len(outside)} bytes beside the frames: {outside[:16].hex(' ')}" if outside else ""


def no_commit_bytes(seen: Seen) -> str:
    """No 0x06 and no 0x15 of MLLP release 2."""
    found = sorted(set(seen.lines[0].data) & {0x06, 0x15})
    return f"byte {found[0]:#04x} came" if found else ""


def segments_end_with_cr(seen: Seen) -> str:
    """MSH, MSA, each segment ended by CR, the last one too; no LF, VT or FS inside."""
    answer = _last(seen).answer
    if [fields[0] for fields in answer.segments[:2]] != [b"MSH", b"MSA"]:
        return "the answer does not begin with MSH and MSA"
    if not answer.raw.endswith(b"\r"):
        return "the last segment does not end with CR"
    found = sorted(set(answer.raw) & {0x0A, 0x0B, 0x1C})
    return f"byte {found[0]:#04x} stands in the answer" if found else ""


def same_marks(seen: Seen) -> str:
    """MSH-1 and MSH-2 as sent."""
    one = _last(seen)
    sent = one.sent[3 : one.sent.find(one.sent[3:4], 4)]
    return "" if one.answer.raw[3:].startswith(sent) else f"marks {one.answer.raw[3:8]!r} instead of {sent!r}"


def addresses_turned(seen: Seen) -> str:
    """MSH-3/4 are the received MSH-5/6, MSH-5/6 the received MSH-3/4, with all components."""
    one = _last(seen)
    for ours, theirs in ((3, 5), (4, 6), (5, 3), (6, 4)):
        if one.answer.field("MSH", ours) != sent_field(one.sent, theirs):
            return f"MSH-{ours} is not the received MSH-{theirs}"
    return ""


def addresses_whole(seen: Seen) -> str:
    """MSH-3 and MSH-4 keep their components."""
    got = [_last(seen).answer.field("MSH", number).decode("utf-8", "replace") for number in (3, 4)]
    return "" if got == [RECEIVER, RECEIVERS_HOUSE] else "components of MSH-5 or MSH-6 were lost"


def stamped_now(seen: Seen) -> str:
    """MSH-7 is the time of the answer, with its zone."""
    stamp = _STAMP.match(_last(seen).answer.field("MSH", 7))
    if stamp is None:
        return "MSH-7 is no time to the second"
    if stamp[2] is None:
        return "MSH-7 has no zone"
    at = datetime.strptime((stamp[1] + stamp[2]).decode(), "%Y%m%d%H%M%S%z")
    away = abs((at.astimezone(UTC) - datetime.fromtimestamp(seen.now, UTC)).total_seconds())
    return f"MSH-7 is {away:.0f} s away from our clock" if away > SKEW else ""


def own_control_id(seen: Seen) -> str:
    """MSH-10 of each answer is new: not the received one, not that of another answer."""
    ids = [one.answer.field("MSH", 10) for one in seen.exchanges]
    if not all(0 < len(one) <= LONGEST_ID for one in ids):
        return "MSH-10 is empty or too long"
    if any(mine == sent_field(one.sent, 10) for mine, one in zip(ids, seen.exchanges, strict=True)):
        return "MSH-10 is the received one"
    return "two answers have the same MSH-10" if len(set(ids)) < len(ids) else ""


def typed_ack(seen: Seen) -> str:
    """MSH-9 is ACK^event^ACK, with the event that was sent."""
    one = _last(seen)
    event = sent_field(one.sent, 9).split(b"^")[1]
    got = one.answer.field("MSH", 9)
    return "" if got == b"ACK^" + event + b"^ACK" else f"MSH-9 is {got.decode('ascii', 'replace')}"


def typed_for_23(seen: Seen) -> str:
    """MSH-9 is ACK or ACK^event: 2.3 has no third part."""
    got = _last(seen).answer.field("MSH", 9)
    return "" if got in (b"ACK", b"ACK^R01") else f"MSH-9 is {got.decode('ascii', 'replace')}"


def processing_and_version(seen: Seen) -> str:
    """MSH-11 and MSH-12 as sent."""
    one = _last(seen)
    for number in (11, 12):
        if one.answer.field("MSH", number) != sent_field(one.sent, number):
            return f"MSH-{number} is not the received one"
    return ""


def charset_kept(seen: Seen) -> str:
    """MSH-18 as sent, and the bytes of MSH-5 are those of the received MSH-3."""
    one = _last(seen)
    if one.answer.field("MSH", 18) != sent_field(one.sent, 18):
        return "MSH-18 is not the received one"
    return (
        "" if one.answer.field("MSH", 5) == sent_field(one.sent, 3) else "MSH-5 has other bytes than the received MSH-3"
    )


def no_patient(seen: Seen) -> str:
    """Nothing of PID or OBX stands in an answer."""
    told = [PATIENT.encode(), NAME.encode(), NAME.replace("^", " ").encode(), b"CANARY-VALUE"]
    everything = b"".join(bytes(heard.data) for heard in seen.lines.values())
    return "the answer tells of the patient" if any(word in everything for word in told) else ""


def error_segment(seen: Seen) -> str:
    """ERR with a code of table 0357 in ERR-3 and its severity in ERR-4 (2.5 and later)."""
    answer = _last(seen).answer
    if not re.fullmatch(rb"10[0-3]|20[0-7]", answer.parts("ERR", 3)[0]):
        return "ERR-3 holds no code of table 0357"
    return "" if answer.field("ERR", 4) in (b"E", b"W", b"I") else "ERR-4 holds no severity"


def old_error_segment(seen: Seen) -> str:
    """ERR-1 holds place and code together (2.4 and earlier)."""
    answer = _last(seen).answer
    if answer.field("ERR", 3):
        return "ERR-3 came to a sender of 2.3"
    return "" if answer.error else "ERR-1 holds no code in its fourth component"


def stored_answer(seen: Seen) -> str:
    """The repetition gets the same answer, byte for byte."""
    first, again = (one.answer.raw for one in seen.exchanges[-2:])
    return "" if first == again else "the second answer differs from the first"


def _waits(seen: Seen) -> list[float]:
    heard = seen.lines[0]
    return [answered - said for said, answered in zip(heard.said, heard.ended, strict=False)]


def within_the_limit(seen: Seen) -> str:
    """Each answer within 5 s."""
    slowest = max(_waits(seen))
    return f"{slowest:.1f} s" if slowest > ANSWER_LIMIT else ""


def within_a_second(seen: Seen) -> str:
    """Each answer within 1 s."""
    slowest = max(_waits(seen))
    return f"{slowest:.1f} s" if slowest > ANSWER_SECONDS else ""


def in_one_go(seen: Seen) -> str:
    """The bytes of an answer come together."""
    heard = seen.lines[0]
    slowest = max(ended - began for began, ended in zip(heard.began, heard.ended, strict=False))
    return f"{slowest:.1f} s from its first byte to its last" if slowest > ANSWER_SECONDS else ""


def still_open(seen: Seen) -> str:
    """The receiver keeps the connection open."""
    return "" if seen.lines[0].end == "open" else f"the connection was {seen.lines[0].end}"


def none_hangs(seen: Seen) -> str:
    """Every connection is answered, or closed; none is left unread."""
    hanging = sum(heard.end == "open" and not heard.ended for heard in seen.lines.values())
    return f"{hanging} of {len(seen.lines)} connections neither answered nor closed" if hanging else ""
