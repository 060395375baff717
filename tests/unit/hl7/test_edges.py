"""Edges that a change of one sign in the reader would move: found by a mutation run, held here."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest

from adapter.errors import MalformedMessageError
from adapter.hl7 import ack, compose
from adapter.hl7.datatypes import structured_number
from adapter.hl7.er7 import parse
from adapter.hl7.lines import MOST_BATCH_LINES, MOST_LINES, is_endless

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STRICT = ack.AckPolicy("strict")


def header(**fields: str) -> bytes:
    """MSH by field number (`f11="T"`), of a plain ORU."""
    said = {3: "LAB", 4: "HOSP", 9: "ORU^R01", 10: "C1", 11: "P", 12: "2.5.1"}
    said |= {int(name[1:]): value for name, value in fields.items()}
    return ("MSH|^~\\&|" + "|".join(said.get(n, "") for n in range(3, 19)) + "\r").encode()


@pytest.mark.parametrize(
    ("parts", "value", "sign"),
    [
        (("<", "5"), 5, "<"),
        (("<=", "5"), 5, "<="),
        (("≤", "5"), 5, "<="),
        ((">", "100"), 100, ">"),
        ((">=", "100"), 100, ">="),
        (("≥", "100"), 100, ">="),
        (("=", "7"), 7, None),
        (("", "7.5"), Fraction(15, 2), None),
        ((" < ", "5"), 5, "<"),
    ],
)
def test_a_structured_number_keeps_its_sign(parts: tuple[str, ...], value: Fraction | int, sign: str | None) -> None:
    found = structured_number(parts)
    assert found is not None
    assert (found.value, found.comparator) == (value, sign)


@pytest.mark.parametrize(
    "parts",
    [("<>", "5"), ("~", "5"), ("", "1", "-", "2"), ("", "1", ":", "128"), ("", "2", "+"), ("<", "<5"), ("", "x"), ()],
)
def test_a_ratio_a_range_and_a_made_up_sign_are_no_number(parts: tuple[str, ...]) -> None:
    assert structured_number(parts) is None


def test_a_structured_number_is_read_with_the_sites_mark() -> None:
    found = structured_number(("", "5,5"), decimal=",")
    assert found is not None
    assert found.value == Fraction(11, 2)


@pytest.mark.parametrize(("processing", "code"), [("P", "AA"), ("", "AA"), ("T", "AR"), ("D", "AR"), ("X", "AR")])
def test_a_strict_production_port_takes_what_is_for_production_or_says_nothing(processing: str, code: str) -> None:
    assert ack.judge(parse(header(f11=processing)), STRICT).code == code


@pytest.mark.parametrize("kind", ["ACK", "ACK^R01", "MCF", "MCF^A01"])
def test_an_acknowledgment_is_never_acknowledged(kind: str) -> None:
    assert ack.is_acknowledgment(parse(header(f9=kind)))
    assert ack.judge(parse(header(f9=kind)), ack.AckPolicy()).code is None


def test_what_carries_an_msa_is_one_too() -> None:
    assert ack.is_acknowledgment(parse(header() + b"MSA|AA|1\r"))
    assert not ack.is_acknowledgment(parse(header()))


@pytest.mark.parametrize(
    ("charset", "echoed"),
    [
        ("UNICODE UTF-8", True),
        ("8859/1", True),
        ("~ISO IR87", True),
        ("UNICODE UTF-8~ISO IR87", True),
        ("KLINGON", False),
        ("UNICODE UTF-8~KLINGON", False),
    ],
)
def test_a_character_set_is_echoed_where_all_of_it_is_known(charset: str, echoed: bool) -> None:
    message = parse(header(f18=charset))
    answer = ack.build(message, ack.judge(message, ack.AckPolicy()), control_id="A1", now=NOW)
    assert (charset.encode() in answer) is echoed


@pytest.mark.parametrize(
    ("version", "expected"),
    [("2.5.1", b"ERR||MSH^1^11|202^"), ("2.4", b"ERR|MSH^1^11^202&")],
)
def test_an_error_says_where_in_the_marks_of_its_version(version: str, expected: bytes) -> None:
    message = parse(header(f11="T", f12=version))
    answer = ack.build(message, ack.judge(message, STRICT), control_id="A1", now=NOW)
    assert expected in answer


@pytest.mark.parametrize(
    ("payload", "code", "says"),
    [
        ("MSH|^~\\&|x".encode("utf-16"), "CHARSET", "UTF-16"),
        ("MSH|^~\\&|x".encode("utf-16-be"), "CHARSET", "UTF-16"),
        (b"<?xml version='1.0'?><ORU_R01/>", "XML", "in XML"),
        (b"  <ORU_R01/>", "XML", "in XML"),
        (b"PID|1||77", "NO_MSH", "does not begin with MSH"),
        (b"", "NO_MSH", "does not begin with MSH"),
    ],
)
def test_a_refusal_says_what_it_is_and_what_to_do_and_nothing_of_its_content(
    payload: bytes, code: str, says: str
) -> None:
    with pytest.raises(MalformedMessageError) as caught:
        parse(payload)
    assert caught.value.code == code
    assert says in str(caught.value)
    assert "— ask the sender for" in str(caught.value)
    assert "77" not in str(caught.value)


@pytest.mark.parametrize("name", ["MSH", "FHS", "BHS"])
def test_a_header_is_written_with_its_separators(name: str) -> None:
    assert compose.segment(name, "LAB") == f"{name}|^~\\&|LAB"


def test_other_segments_have_none() -> None:
    assert compose.segment("PID", "1") == "PID|1"


@pytest.mark.parametrize(
    ("start", "end", "lines", "endless"),
    [
        (b"MSH|^~\\&|", b"\r", MOST_LINES - 1, False),
        (b"MSH|^~\\&|", b"\r", MOST_LINES + 1, True),
        (b"MSH|^~\\&|", b"\n", MOST_LINES + 1, True),
        (b"FHS|^~\\&|", b"\r", MOST_LINES + 1, False),
        (b"FHS|^~\\&|", b"\r", MOST_BATCH_LINES + 1, True),
    ],
)
def test_no_real_message_has_so_many_lines(start: bytes, end: bytes, lines: int, endless: bool) -> None:
    assert is_endless(start + end * lines) is endless


@pytest.mark.parametrize("body", [b"MSH", b"MSH\r", b"MSH|", b"MSH|^~\\\\|LAB\r", b"MSH|^~\\&#!|LAB\r"])
def test_a_header_without_its_marks_is_none(body: bytes) -> None:
    with pytest.raises(MalformedMessageError) as refused:
        parse(body)
    assert refused.value.code in {"DELIMS", "HDR", "NO_MSH"}
