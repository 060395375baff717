"""MLLP framing without a socket: bytes in, frames out, whatever way TCP cut them (HL7 MLLP release 1).

VT starts a frame. FS CR ends it. FS, or FS LF, also ends it when VT follows or the peer falls silent (spec: decisions D);
FS followed by anything else is data. Time and memory are linear in the input, and memory stops at the limit.
"""

import hashlib
from dataclasses import dataclass

VT, FS, CR, LF = 0x0B, 0x1C, 0x0D, 0x0A
START = bytes([VT])
END = bytes([FS, CR])

DEFAULT_LIMIT = 16 * 1024 * 1024
"""Bytes in one frame: reports with an embedded PDF reach several megabytes (spec: mllp-receiver 12)."""
HEAD = 64 * 1024
"""Bytes kept of a frame nobody will read."""
SAMPLE = 16
"""Bytes of noise kept to tell an HTTP request from a TLS greeting."""
HARD_STOP = 4
"""A frame of so many limits is given up without waiting for its end; what follows is noise."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole message; `flags` names what was unusual: `no-cr`, `fs-lf`, `fs-in-data`."""

    payload: bytes
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Noise:
    """Bytes outside frames: `size` of them, the first 16 as a sample."""

    size: int
    sample: bytes


@dataclass(frozen=True, slots=True)
class Truncated:
    """A frame that never ended: the sender started anew, or went away. Never acknowledged."""

    head: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Oversize:
    """A frame over the limit: its first 64 KiB, its size and its SHA-256 (of what came before the hard stop)."""

    head: bytes
    size: int
    sha256: str


FrameEvent = Frame | Noise | Truncated | Oversize


def encode(payload: bytes) -> bytes:
    return START + payload + END


class _Chunk:
    """What one read brought, with the next FS and VT remembered so that no byte is searched twice."""

    __slots__ = ("_fs", "_vt", "data", "size")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)
        self._fs = self._vt = -1

    def start(self, position: int) -> int:
        """Where the next VT stands, or the end."""
        if self._vt < position:
            found = self.data.find(VT, position)
            self._vt = self.size if found < 0 else found
        return self._vt

    def mark(self, position: int) -> int:
        """Where the next FS or VT stands, or the end."""
        if self._fs < position:
            found = self.data.find(FS, position)
            self._fs = self.size if found < 0 else found
        return min(self._fs, self.start(position))


class FrameDecoder:
    """One per connection. Every method returns what has become certain, in the order of the bytes."""

    def __init__(self, *, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._head = min(HEAD, limit)
        self._events: list[FrameEvent] = []
        self._noise_size = 0
        self.noise = 0
        """Bytes outside frames since the last whole frame."""
        self._sample = b""
        self.in_frame = False
        self._begin()

    @property
    def held(self) -> int:
        """Bytes in memory of the frame that is open."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[FrameEvent]:
        if self._is_one_frame(data):
            self.noise = 0
            return [Frame(data[1:-2])]
        chunk = _Chunk(data)
        position = 0
        while position < chunk.size:
            if not self.in_frame:
                position = self._outside(chunk, position)
            elif self._tail:
                position = self._after_fs(chunk, position)
            else:
                position = self._inside(chunk, position)
        return self._take()

    def idle(self) -> list[FrameEvent]:
        """The peer was silent for 500 ms: an FS that waits for its CR ends the frame."""
        self._end_at_fs()
        return self._take()

    def close(self) -> list[FrameEvent]:
        """The peer is gone; the decoder may be thrown away."""
        self._end_at_fs()
        if self.in_frame:
            self._abandon()
        self.in_frame = False
        self._end_noise()
        return self._take()

    def _is_one_frame(self, data: bytes) -> bool:
        """The shortest way, for a sender who waits for its answer."""
        end = len(data) - 2
        return (
            not (self.in_frame or self._noise_size)
            and data.startswith(START)
            and data.find(FS) == end
            and data[-1] == CR
            and data.find(VT, 1) < 0
            and end - 1 <= self._limit
        )

    # --- outside a frame ---------------------------------------------------------------------------------------

    def _outside(self, chunk: _Chunk, position: int) -> int:
        start = chunk.start(position)
        if start > position:
            self._hear_noise(chunk.data[position : min(start, position + SAMPLE)], start - position)
        if start == chunk.size:
            return start
        return self._whole(chunk, start + 1) or self._half(start + 1)

    def _whole(self, chunk: _Chunk, start: int) -> int:
        """The short way for a frame that lies whole in this read: where it ends, or 0."""
        end = chunk.mark(start)
        if end - start > self._limit or chunk.data[end : end + 2] != END:
            return 0
        self._end_noise()
        self._events.append(Frame(chunk.data[start:end]))
        self.noise = 0
        return end + 2

    def _half(self, start: int) -> int:
        self._begin()
        self.in_frame = True
        return start

    def _hear_noise(self, first: bytes, size: int) -> None:
        self._noise_size += size
        self.noise += size
        self._sample = (self._sample + first)[:SAMPLE]

    def _end_noise(self) -> None:
        if self._noise_size:
            self._events.append(Noise(self._noise_size, self._sample))
        self._noise_size, self._sample = 0, b""

    # --- inside a frame ----------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._buffer = bytearray()
        self._size = 0
        self._hash: hashlib._Hash | None = None
        self._tail = b""
        self._flags: tuple[str, ...] = ()

    def _inside(self, chunk: _Chunk, position: int) -> int:
        mark = chunk.mark(position)
        kept = self._keep(chunk.data[position:mark])
        if mark == chunk.size or not self.in_frame:
            return position + kept
        if chunk.data[mark] == VT:
            self._abandon()
            return mark + 1 if self.in_frame else mark
        self._tail = bytes([FS])
        return mark + 1

    def _after_fs(self, chunk: _Chunk, position: int) -> int:
        """FS has been seen (and perhaps LF after it); this byte decides what it meant."""
        byte = chunk.data[position]
        if byte == CR and len(self._tail) == 1:
            self._finish()
            return position + 1
        if byte == VT:
            self._finish(self._tail_flag())
            return position
        if byte == LF and len(self._tail) == 1:
            self._tail += bytes([LF])
            return position + 1
        self._flags = ("fs-in-data",)
        tail, self._tail = self._tail, b""
        kept = self._keep(tail)
        self._hear_noise(tail[kept:], len(tail) - kept)
        return position

    def _end_at_fs(self) -> None:
        if self._tail:
            self._finish(self._tail_flag())

    def _tail_flag(self) -> str:
        return "no-cr" if len(self._tail) == 1 else "fs-lf"

    def _keep(self, data: bytes) -> int:
        """How many bytes were kept or hashed: all of them, but for the hard stop."""
        room = self._limit * HARD_STOP - self._size
        if len(data) > room:
            data = data[:room]
        self._size += len(data)
        if self._hash is not None:
            self._hash.update(data)
        else:
            self._buffer += data
            if self._size > self._limit:
                self._hash = hashlib.sha256(self._buffer)
                self._buffer = self._buffer[: self._head]
        if self._hash is not None and len(data) == room:
            self._finish()
        return len(data)

    def _finish(self, *flags: str) -> None:
        if self._hash is None:
            self._emit(Frame(bytes(self._buffer), self._flags + flags))
        else:
            self._emit(Oversize(bytes(self._buffer), self._size, self._hash.hexdigest()))
        self.noise = 0

    def _abandon(self) -> None:
        """A second VT with nothing in between loses nothing, so it is noise; the frame stays open."""
        if not self._size:
            self._hear_noise(START, 1)
            return
        self._emit(Truncated(bytes(self._buffer[: self._head]), self._size))

    def _emit(self, event: FrameEvent) -> None:
        self._end_noise()
        self._events.append(event)
        self.in_frame = False
        self._begin()

    def _take(self) -> list[FrameEvent]:
        events, self._events = self._events, []
        return events
