import time
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.hl7.mllp import Frame, FrameDecoder, FrameEvent, encode

WIRE = st.lists(st.sampled_from([b"\x0b", b"\x1c", b"\r", b"\n", b"\x1c\r", b"a", b"bc", b"\x1c\n"]), max_size=60).map(
    b"".join
)


def events_of(chunks: list[bytes], limit: int = 5) -> list[FrameEvent]:
    decoder = FrameDecoder(limit=limit)
    return [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.close()


@settings(max_examples=300)
@given(wire=WIRE, cuts=st.lists(st.integers(0, 80)))
def test_framing_ignores_how_tcp_cuts_the_bytes(wire: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    pieces = [wire[start:end] for start, end in pairwise(edges)]
    whole = events_of([wire])
    assert events_of(pieces) == whole
    assert events_of([bytes([byte]) for byte in wire]) == whole


@given(payloads=st.lists(st.binary().map(lambda data: data.replace(b"\x0b", b"").replace(b"\x1c", b""))))
def test_decoding_undoes_encoding(payloads: list[bytes]) -> None:
    assert events_of([b"".join(map(encode, payloads))], limit=10_000) == [Frame(payload) for payload in payloads]


@given(wire=WIRE)
def test_no_byte_is_lost_or_counted_twice(wire: bytes) -> None:
    decoder = FrameDecoder(limit=10_000)
    events = decoder.feed(wire) + decoder.close()
    seen = sum(len(event.payload) if isinstance(event, Frame) else event.size for event in events)
    assert seen <= len(wire)


def test_decoding_is_linear_in_its_input() -> None:
    def seconds(size: int, chunk: int) -> float:
        wire = (b"\x0b" + b"x\x0b" * (size // 2))[:size]
        decoder = FrameDecoder(limit=size)
        start = time.process_time()
        for position in range(0, len(wire), chunk):
            decoder.feed(wire[position : position + chunk])
        return time.process_time() - start

    for chunk in (1, 100_000):
        small, large = (min(seconds(size, chunk) for _ in range(3)) for size in (10_000, 40_000))
        assert large < 12 * small + 0.05
