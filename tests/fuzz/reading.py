"""Mutated frames through the framer and the reader: `python -m tests.fuzz.reading SEED COUNT` prints what became of them."""

import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from adapter.errors import MalformedMessageError
from adapter.hl7 import er7
from adapter.hl7.mllp import Frame, FrameDecoder, Noise, Oversize, Truncated
from tests.fuzz.mutate import Mutator

LIMIT = 1 << 20
LOOKED_AT = 40
"""Segments of a message that are read field by field."""
WARM = 20_000
"""Frames before memory is first weighed: caches fill, the allocator finds its size."""
REFUSALS = frozenset({"NO_MSH", "DELIMS", "XML", "CHARSET"})


@dataclass
class Tally:
    frames: int = 0
    events: dict[str, int] = field(default_factory=dict)
    messages: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    slowest: float = 0
    """Seconds of processor time of one frame, from its bytes to its last field."""
    slowest_at: int = 0
    warm_kib: int = 0
    end_kib: int = 0
    seconds: float = 0


def read(seed: int, count: int) -> Tally:
    """Raises whatever the reader raises, with the number of the frame."""
    mutator, decoder, tally = Mutator(seed), FrameDecoder(limit=LIMIT), Tally()
    events: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    clock = time.process_time
    began = clock()
    for number in range(count):
        data = mutator.frame()
        start = clock()
        try:
            taken(decoder, data, number, events, refused)
        except Exception as error:
            raise AssertionError(f"seed {seed}, frame {number}: {data[:2000]!r}") from error
        spent = clock() - start
        if spent > tally.slowest:
            tally.slowest, tally.slowest_at = spent, number
        if number == WARM:
            tally.warm_kib = resident()
    tally.frames, tally.seconds, tally.end_kib = count, clock() - began, resident()
    tally.events, tally.refused, tally.messages = dict(events), dict(refused), events["message"]
    return tally


def taken(decoder: FrameDecoder, data: bytes, number: int, events: Counter[str], refused: Counter[str]) -> None:
    found = decoder.feed(data)
    if number % 3 == 0:
        found += decoder.idle()
    for event in found:
        events[type(event).__name__] += 1
        if isinstance(event, Frame):
            for part in er7.split(event.payload):
                looked_at(part, events, refused)
        else:
            assert isinstance(event, Noise | Truncated | Oversize)
            assert event.size > 0


def looked_at(part: bytes, events: Counter[str], refused: Counter[str]) -> None:
    """As mapping reads: every field, by its text, its components, its repetitions."""
    er7.headline(part)
    try:
        message = er7.parse(part)
    except MalformedMessageError as error:
        refused[error.code] += 1
        return
    assert message.print() == part
    events["message"] += 1
    for segment in message.segments[:LOOKED_AT]:
        for number in (1, 3, 5, 6, 11, 14):
            segment.text(number)
        segment.text(3, 4, 2)
        segment.components(3)
        segment.whole(5)
        for repetition in range(1, min(segment.repetitions(3), LOOKED_AT) + 1):
            segment.text(3, 5, 1, repetition)
    assert message.misnamed is not None


def resident() -> int:
    """KiB of memory in use."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4


if __name__ == "__main__":
    print(json.dumps(asdict(read(int(sys.argv[1]), int(sys.argv[2])))))
