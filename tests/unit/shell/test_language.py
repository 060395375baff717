"""What the log says of a peer that speaks no MLLP."""

import pytest

from adapter.sources.strangers import language


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (b"GET / HTTP/1.1\r\n", "http"),
        (b"\x16\x03\x01\x02\x00", "tls"),
        (b"MSH|^~\\&|LAB", "hl7-without-frame"),
        (b"PID|1||90817263", "unknown"),
        (b"", "unknown"),
    ],
)
def test_a_stranger_is_named_by_a_word_of_ours_never_by_its_own_bytes(sample: bytes, expected: str) -> None:
    assert language(sample) == expected
