from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import MalformedMessageError
from adapter.hl7 import compose, er7

CHARSETS = ["", "ASCII", "8859/1", "8859/7", "UNICODE UTF-8", "~ISO IR87", "GB 18030-2000", "BIG-5", "KS X 1001", "?"]
SPECIAL = st.lists(
    st.sampled_from(
        [b"\r", b"\n", b"\r\n", b"|", b"^", b"~", b"\\", b"&", b"\x00", b"OBX|", b"MSH|", b"\x1b$B", b"\xff", b"a"]
    ),
    max_size=40,
)
TAIL = st.one_of(st.binary(max_size=200), SPECIAL.map(b"".join))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(lead=st.sampled_from([b"", b"\xef\xbb\xbf", b"\r\n", b"\x00 "]), charset=st.sampled_from(CHARSETS), tail=TAIL)
def test_printing_undoes_parsing_for_any_bytes_with_a_header(lead: bytes, charset: str, tail: bytes) -> None:
    payload = lead + b"MSH|^~\\&||||||||||||||||" + charset.encode() + b"\r" + tail
    message = er7.parse(payload)
    assert message.print() == payload
    for segment in message.segments:
        assert segment.text(5) == segment.text(5, 1, 1, 1)
        assert segment.components(3)[:1] in ((), (segment.text(3),))


def print_or_reason(data: bytes) -> bytes:
    try:
        return er7.parse(data).print()
    except MalformedMessageError as error:
        return error.code.encode()


@given(payload=st.binary(max_size=200))
def test_parsing_raises_only_for_the_header(payload: bytes) -> None:
    for data in (payload, b"MSH" + payload, b"MSH|^~\\&|" + payload):
        assert print_or_reason(data) in {data, b"NO_MSH", b"DELIMS", b"XML"}
        er7.headline(data)
        er7.split(data)


@given(payload=TAIL)
def test_splitting_loses_no_line_of_a_message(payload: bytes) -> None:
    message = b"MSH|^~\\&|A\r" + payload.replace(b"MSH", b"").replace(b"HS|", b"").replace(b"TS|", b"")
    batch = b"FHS|^~\\&\r" + message + b"\rMSH|^~\\&|B\rFTS|1\r"
    assert len(er7.split(batch)) == 2


@given(first=TEXT, second=TEXT, third=TEXT)
def test_reading_undoes_composing(first: str, second: str, third: str) -> None:
    line = compose.segment("OBX", first, ((first, second), third), [(first, third), second])
    read = er7.parse(compose.er7([compose.segment("MSH", "A"), line])).segments[1]
    assert read.text(1) == first
    assert (read.text(2), read.text(2, 1, 2), read.text(2, 2)) == (first, second, third)
    assert (read.text(3, 2), read.text(3, repetition=2)) == (third, second)
