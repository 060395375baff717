"""From a frame to messages and lines: where a message, a line and the header begin and end."""

import pytest

from adapter.errors import MalformedMessageError
from adapter.hl7 import er7
from adapter.hl7.lines import BOM

HEADER = b"MSH|^~\\&|LAB|HOSP\r"


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_each_line_of_a_message_is_a_segment_of_its_own_without_its_end(end: bytes) -> None:
    message = er7.parse(end.join([b"MSH|^~\\&|LAB", b"PID|1", b"obx|2", b"PV1|1|I", b""]))
    assert [segment.wire for segment in message.segments[1:]] == [b"PID|1", b"obx|2", b"PV1|1|I"]


@pytest.mark.parametrize("lead", [b"", b"\r\n", BOM, b"\n \x00\n"])
def test_one_message_comes_back_whole_with_what_stands_before_it(lead: bytes) -> None:
    assert er7.split(lead + HEADER) == (lead + HEADER,)


@pytest.mark.parametrize("start", [b"", b"BHS|^~\\&\r"])
@pytest.mark.parametrize("rest", [b"", HEADER, b"NTE|1||as MSH-4 says\r", b"BTS|1\r"])
def test_a_byte_order_mark_says_of_every_message_after_it_that_it_is_utf_8(start: bytes, rest: bytes) -> None:
    payload = BOM + start + HEADER + "PID|1||||Παπάς\r".encode() + rest
    messages = [er7.parse(part, "iso8859-7") for part in er7.split(payload)]
    assert {message.charset for message in messages} == {"utf-8"}
    assert messages[0].segments[1].text(5) == "Παπάς"


@pytest.mark.parametrize("first", [b"PID|1\r", b"some text\r", b"<xml/>\r"])
def test_what_begins_with_no_header_is_not_taken_apart(first: bytes) -> None:
    assert er7.split(first + HEADER + HEADER) == (first + HEADER + HEADER,)


@pytest.mark.parametrize("line", [b"MSHx. says the lab\r", b"MSH\r", b"MSH says so\r"])
def test_a_line_that_only_begins_like_a_header_starts_no_message(line: bytes) -> None:
    assert er7.split(HEADER + line + HEADER) == (HEADER + line, HEADER)


@pytest.mark.parametrize(
    ("rest", "issues"),
    [
        (HEADER, ("second-header",)),
        (b"PID|1\r" + HEADER, ("second-header",)),
        (b"NTE|1||MSH is the header\r", ()),
        (b"NTE|1||as MSH says\rNTE|2||and MSH\r", ()),
    ],
)
def test_a_second_header_is_a_line_and_not_a_word(rest: bytes, issues: tuple[str, ...]) -> None:
    assert er7.parse(HEADER + rest).issues == issues


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (
            "MSH|^~\\&|x".encode("utf-16"),
            "The message is in UTF-16, which MLLP cannot carry safely — ask the sender for UTF-8 and MSH-18 UNICODE UTF-8",
        ),
        (b"<ORU_R01/>", "The message is in XML — ask the sender for HL7 v2 with bars and hats (ER7)"),
        (b"PID|1", "The message does not begin with MSH — ask the sender for a whole HL7 v2 message"),
        (b"MSH|^~^&|", "MSH-1 and MSH-2 are not five or six different marks — ask the sender to mend them"),
    ],
)
def test_an_operator_reads_what_is_wrong_and_whom_to_ask(payload: bytes, text: str) -> None:
    with pytest.raises(MalformedMessageError) as refused:
        er7.parse(payload)
    assert str(refused.value) == text
