import hashlib
from collections.abc import Iterable
from itertools import product

import pytest

from adapter.hl7.mllp import Frame, FrameDecoder, FrameEvent, Noise, Oversize, Truncated, encode

MESSAGE = b"MSH|^~\\&|A\rPID|1\r"


def test_a_whole_frame_comes_out_as_it_went_in() -> None:
    assert FrameDecoder().feed(encode(MESSAGE)) == [Frame(MESSAGE)]


def test_two_frames_in_one_read_come_out_in_order() -> None:
    assert FrameDecoder().feed(encode(b"one") + encode(b"two")) == [Frame(b"one"), Frame(b"two")]


def test_one_byte_a_read_gives_the_same_frame() -> None:
    decoder = FrameDecoder()
    events = [event for byte in encode(MESSAGE) for event in decoder.feed(bytes([byte]))]
    assert events == [Frame(MESSAGE)]
    assert (decoder.noise, decoder.close()) == (0, [])


def test_an_empty_frame_is_a_frame() -> None:
    assert FrameDecoder().feed(encode(b"")) == [Frame(b"")]


def test_noise_between_frames_is_reported_before_the_frame_it_precedes() -> None:
    events = FrameDecoder().feed(encode(b"one") + b"\r\n " + encode(b"two"))
    assert events == [Frame(b"one"), Noise(3, b"\r\n "), Frame(b"two")]


def test_a_web_browser_is_noise_with_a_sample_of_sixteen_bytes() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(b"GET / HTTP/1.1\r\nHost: adapter\r\n\r\n") == []
    assert decoder.noise == 33
    assert decoder.close() == [Noise(33, b"GET / HTTP/1.1\r\n")]


def test_noise_is_counted_since_the_last_whole_frame() -> None:
    decoder = FrameDecoder()
    decoder.feed(b"abc" + encode(b"one"))
    assert decoder.noise == 0
    decoder.feed(b"de\x0bhalf")
    assert decoder.noise == 2
    decoder.feed(b"\x1c\rabc")
    decoder.feed(b"de")
    assert decoder.noise == 5


def test_a_second_start_drops_the_unfinished_frame_and_keeps_the_new_one() -> None:
    events = FrameDecoder().feed(b"\x0bhalf" + encode(b"whole"))
    assert events == [Truncated(b"half", 4), Frame(b"whole")]


def test_a_doubled_start_loses_nothing() -> None:
    assert FrameDecoder().feed(b"\x0b" + encode(b"whole")) == [Noise(1, b"\x0b"), Frame(b"whole")]


def test_a_peer_that_goes_away_inside_a_frame_leaves_a_truncated_one() -> None:
    decoder = FrameDecoder()
    decoder.feed(b"\x0bhalf")
    assert decoder.in_frame
    assert decoder.close() == [Truncated(b"half", 4)]
    assert not decoder.in_frame


def test_fs_without_cr_ends_when_the_next_frame_starts() -> None:
    assert FrameDecoder().feed(b"\x0bone\x1c" + encode(b"two")) == [Frame(b"one", ("no-cr",)), Frame(b"two")]


def test_fs_and_lf_end_when_the_next_frame_starts() -> None:
    assert FrameDecoder().feed(b"\x0bone\x1c\n" + encode(b"two")) == [Frame(b"one", ("fs-lf",)), Frame(b"two")]


@pytest.mark.parametrize(("tail", "flag"), [(b"\x1c", "no-cr"), (b"\x1c\n", "fs-lf")])
def test_fs_ends_when_the_peer_falls_silent(tail: bytes, flag: str) -> None:
    decoder = FrameDecoder()
    assert decoder.feed(b"\x0bone" + tail) == []
    assert decoder.idle() == [Frame(b"one", (flag,))]
    assert decoder.idle() == []


def test_fs_ends_when_the_peer_goes_away() -> None:
    decoder = FrameDecoder()
    decoder.feed(b"\x0bone\x1c")
    assert decoder.close() == [Frame(b"one", ("no-cr",))]


def test_silence_inside_a_frame_without_fs_changes_nothing() -> None:
    decoder = FrameDecoder()
    decoder.feed(b"\x0bone")
    assert decoder.idle() == []
    assert decoder.feed(b" more\x1c\r") == [Frame(b"one more")]


@pytest.mark.parametrize("inside", [b"a\x1cb", b"a\x1c\nb", b"a\x1c\x1cb", b"a\x1c\n\x1cb"])
def test_fs_followed_by_anything_else_is_data(inside: bytes) -> None:
    assert FrameDecoder().feed(encode(inside)) == [Frame(inside, ("fs-in-data",))]


def test_a_frame_at_the_limit_is_read() -> None:
    assert FrameDecoder(limit=8).feed(encode(b"x" * 8)) == [Frame(b"x" * 8)]


def test_a_frame_over_the_limit_keeps_its_head_its_size_and_its_hash() -> None:
    body = b"x" * 200_000
    (event,) = FrameDecoder(limit=100_000).feed(encode(body))
    assert event == Oversize(body[: 64 * 1024], 200_000, hashlib.sha256(body).hexdigest())


def test_the_frame_after_an_oversize_one_is_read() -> None:
    events = FrameDecoder(limit=4).feed(encode(b"too long") + encode(b"good"))
    assert [type(event) for event in events] == [Oversize, Frame]


def test_a_frame_without_end_is_given_up_at_four_limits_and_the_rest_is_noise() -> None:
    decoder = FrameDecoder(limit=10)
    (event,) = decoder.feed(b"\x0b" + b"x" * 100)
    assert event == Oversize(b"x" * 10, 40, hashlib.sha256(b"x" * 40).hexdigest())
    assert decoder.noise == 60
    assert not decoder.in_frame


def test_memory_stays_at_the_head_while_an_oversize_frame_runs_on() -> None:
    decoder = FrameDecoder(limit=128 * 1024)
    decoder.feed(b"\x0b")
    for _ in range(7):
        decoder.feed(b"x" * 64 * 1024)
    assert len(decoder._buffer) == 64 * 1024


def test_a_good_frame_follows_every_bad_beginning() -> None:
    for bad in (b"\x16\x03\x01\x02\x00", b"\x0b\x0b\x0b", b"\x1c\r", b"\x0bhalf", b"\x06", b"\x0bx\x1cy"):
        assert FrameDecoder().feed(bad + encode(MESSAGE))[-1] == Frame(MESSAGE)


def test_what_is_held_of_an_open_frame_is_known_to_whoever_counts_the_memory() -> None:
    decoder = FrameDecoder()
    decoder.feed(b"\x0b" + MESSAGE)
    assert (decoder.in_frame, decoder.held) == (True, len(MESSAGE))
    decoder.feed(b"\x1c\r")
    assert (decoder.in_frame, decoder.held) == (False, 0)


READS = (
    encode(b"abcd"),
    encode(b""),
    encode(b"abcde"),
    encode(b"a\x0bb"),
    b"\x0bhalf",
    b"\x0b",
    b"\x1c",
    b"\r",
    b"\n",
    b"noise",
)
"""What one read brings at a limit of four bytes: whole frames, the one at the limit and the one over it too, and parts."""


def heard(reads: Iterable[bytes]) -> tuple[list[FrameEvent], list[int], int, bool]:
    """What came out, how much noise stood at the end, what is held, and whether a frame is open."""
    decoder = FrameDecoder(limit=4)
    events = [event for read in reads for event in decoder.feed(read)]
    noise, held, is_open = decoder.noise, decoder.held, decoder.in_frame
    return events + decoder.close(), [noise, decoder.noise], held, is_open


@pytest.mark.parametrize("first", READS)
def test_a_read_that_is_one_frame_is_heard_as_its_bytes_would_be(first: bytes) -> None:
    for later in product(READS, repeat=2):
        reads = (first, *later)
        byte_by_byte = heard(bytes([byte]) for byte in b"".join(reads))
        assert heard(reads) == byte_by_byte, reads
        assert heard([b"".join(reads)]) == byte_by_byte, reads


def test_a_frame_at_the_limit_is_read_in_pieces_too() -> None:
    decoder = FrameDecoder(limit=8)
    events = [event for byte in encode(b"12345678") for event in decoder.feed(bytes([byte]))]
    assert events == [Frame(b"12345678")]


def test_a_frame_without_end_is_given_up_at_four_limits_in_pieces_too() -> None:
    decoder = FrameDecoder(limit=10)
    decoder.feed(b"\x0b")
    events = [decoder.feed(b"xxxxxxxx") for _ in range(5)]
    assert events == [[], [], [], [], [Oversize(b"x" * 10, 40, hashlib.sha256(b"x" * 40).hexdigest())]]
    assert not decoder.in_frame
