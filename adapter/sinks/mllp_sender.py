"""An MLLP sender: one message, its answer, the next; for `adapter send`, the demonstration and tests."""

import asyncio
import contextlib
import os
import re
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from adapter.errors import MalformedMessageError, UnavailableError
from adapter.hl7.ack import AckPolicy, judge
from adapter.hl7.er7 import parse
from adapter.hl7.mllp import Frame, FrameDecoder, encode

ANSWER_SECONDS = 30.0
"""The deadline for a whole answer, not the gap between two bytes (mllp-receiver 4.1, 13)."""
MSH_10 = 10
POSITIVE = frozenset({"AA", "CA"})
NO_ANSWER = "none"
NOT_OWED = "not owed"
"""MSH-15 and MSH-16 ask for no answer to a stored message, or it is an answer itself (decisions D)."""
_MSA = re.compile(rb"(?:^|[\r\n])MSA(.)([A-Z]{2})(?:\1([^\r\n]*?)(?=\1|[\r\n]|$))?")


class MllpSender:
    """One connection, opened when first needed and again after it was lost. Use `async with`."""

    def __init__(
        self, host: str, port: int, *, tls: ssl.SSLContext | None = None, seconds: float = ANSWER_SECONDS
    ) -> None:
        self._address = (host, port)
        self._tls = tls
        self._seconds = seconds
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._decoder = FrameDecoder()
        self._not_owed: set[bytes] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def send(self, payload: bytes) -> bytes:
        """The answer to it, unframed; empty, at once, where none is owed.

        Raises UnavailableError when none came; the next call connects anew.
        """
        try:
            async with asyncio.timeout(self._seconds):
                return await self._exchange(payload)
        except (OSError, TimeoutError, EOFError) as error:
            await self.close()
            raise UnavailableError(f"no answer came ({type(error).__name__}) — send again") from error

    async def close(self) -> None:
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _exchange(self, payload: bytes) -> bytes:
        if self._streams is None:
            self._decoder = FrameDecoder()
            self._not_owed.clear()
            self._streams = await asyncio.open_connection(*self._address, ssl=self._tls)
        reader, writer = self._streams
        writer.write(encode(payload))
        await writer.drain()
        asked, control_id = wish(payload)
        if not asked:
            self._not_owed.add(control_id)
            return b""
        while data := await reader.read(65536):
            for event in self._decoder.feed(data):
                if isinstance(event, Frame) and not self._unasked(event.payload, control_id):
                    return event.payload
        raise EOFError

    def _unasked(self, answer: bytes, control_id: bytes) -> bool:
        """Whether a receiver answers an earlier message that asked for none."""
        found = _MSA.search(answer)
        about = found[3] if found else None
        return about != control_id and about in self._not_owed


def wish(payload: bytes) -> tuple[bool, bytes]:
    """Whether a message that is stored is owed an answer, and its MSH-10 as it stands."""
    try:
        message = parse(payload)
    except MalformedMessageError:
        return True, b""
    header = message.header.wire_fields()
    control_id = header[MSH_10] if len(header) > MSH_10 else b""
    return judge(message, AckPolicy()).code is not None, control_id


def code_of(answer: bytes) -> str:
    """MSA-1, or `none` where there is none."""
    found = _MSA.search(answer)
    return found[2].decode() if found else NO_ANSWER


def why(error: BaseException | None) -> str:
    """Of an exchange that failed."""
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return "no answer in time" if isinstance(error, TimeoutError) else "the connection ended"


@dataclass(slots=True)
class Summary:
    """What became of everything sent; latencies in seconds."""

    codes: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    silences: Counter[str] = field(default_factory=Counter)
    """Why no answer came, of those that got none."""

    @property
    def sent(self) -> int:
        return self.codes.total()

    @property
    def accepted(self) -> bool:
        return self.sent == sum(self.codes[code] for code in (*POSITIVE, NOT_OWED))

    def quantile(self, share: float) -> float:
        """The latency that this share of the messages did not exceed; 0 when nothing was answered."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0

    def as_json(self) -> dict[str, object]:
        milliseconds = {f"p{share}": round(self.quantile(share / 100) * 1000, 3) for share in (50, 95, 99)}
        rate = round(self.sent / self.seconds, 1) if self.seconds else 0.0
        return {"sent": self.sent, "codes": dict(sorted(self.codes.items())), "latency_ms": milliseconds, "rate": rate}


@dataclass(frozen=True, slots=True)
class Pace:
    """`rate` in messages a second over all connections; 0 is as fast as answers come."""

    connections: int = 1
    rate: float = 0.0


async def send_all(
    messages: Iterable[bytes], connect: Callable[[], MllpSender], pace: Pace, told: Callable[[str], None]
) -> Summary:
    """Every message once, lock-step on each connection; `told` hears the code of each answer (`none`: no answer)."""
    summary = Summary()
    began = time.monotonic()
    waiting = enumerate(messages)
    work = [_worker(waiting, connect, _Timing(began, pace.rate), summary, told) for _ in range(pace.connections)]
    await asyncio.gather(*work)
    summary.seconds = time.monotonic() - began
    return summary


@dataclass(frozen=True, slots=True)
class _Timing:
    began: float
    rate: float

    async def wait_for(self, number: int) -> None:
        if self.rate:
            await asyncio.sleep(max(0.0, self.began + number / self.rate - time.monotonic()))


async def _worker(
    waiting: Iterator[tuple[int, bytes]],
    connect: Callable[[], MllpSender],
    timing: _Timing,
    summary: Summary,
    told: Callable[[str], None],
) -> None:
    async with connect() as sender:
        for number, message in waiting:
            await timing.wait_for(number)
            sent = time.monotonic()
            try:
                answer = await sender.send(message)
                code = code_of(answer) if answer else NOT_OWED
                if answer:
                    summary.latencies.append(time.monotonic() - sent)
            except UnavailableError as error:
                code = NO_ANSWER
                summary.silences[why(error.__cause__)] += 1
            summary.codes[code] += 1
            told(code)
