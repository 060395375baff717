"""A tiny honest receiver, and ways of spoiling it one at a time."""

import asyncio
import itertools
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from adapter.daemon.clock import utc_now
from adapter.errors import MalformedMessageError
from adapter.hl7.ack import AckPolicy, build, judge
from adapter.hl7.er7 import Message, headline, parse
from adapter.hl7.mllp import END, START, Frame, FrameDecoder, Oversize, Truncated, encode

COUNT = itertools.count(1)
NEVER = itertools.repeat(0.0)


@dataclass
class Tiny:
    """Honest as it stands; each field is one thing that can be done otherwise."""

    judged: Callable[[bytes], bytes] = field(default_factory=lambda: honest)
    """A message's answer, unframed."""
    framed: Callable[[bytes], bytes] = encode
    batch: Callable[[list[bytes]], list[bytes]] = list
    """The answers to what one read brought."""
    decoder: Callable[[], FrameDecoder] = FrameDecoder
    closes: bool = False
    busy: asyncio.Lock | None = None
    before: Iterator[float] = NEVER
    """Seconds before each answer."""
    dribble: Iterator[float] = NEVER
    """Seconds inside each answer."""
    idle: float = 30.0
    on_cut: bool = False
    """Whether a frame that never ended is answered too."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, asyncio.CancelledError):
            if self.busy is None:
                await self._talk(reader, writer)
            else:
                async with self.busy:
                    await self._talk(reader, writer)
        if writer.get_extra_info("sslcontext"):
            await writer.drain()
            writer.transport.abort()  # a TLS farewell would outlive the loop
        writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder = self.decoder()
        while True:
            async with asyncio.timeout(self.idle):
                data = await reader.read(65536)
            events = decoder.feed(data) if data else decoder.close()
            answers = [self.judged(one) for one in self._bodies(events)]
            for answer in self.batch([one for one in answers if one]):
                await self._say(writer, self.framed(answer))
                if self.closes:
                    return
            if not data:
                return

    def _bodies(self, events: list[object]) -> Iterator[bytes]:
        for event in events:
            if isinstance(event, Frame):
                yield event.payload
            elif isinstance(event, Oversize) or (self.on_cut and isinstance(event, Truncated)):
                yield event.head

    async def _say(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        await asyncio.sleep(next(self.before))
        half, pause = len(data) // 2, next(self.dribble)
        for part in (data[:half], data[half:]) if pause else (data,):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)


def read(body: bytes) -> Message | None:
    try:
        return parse(body)
    except MalformedMessageError:
        return headline(body)


def honest(body: bytes, **changed: str) -> bytes:
    """What the generic profile owes; `changed` may name another `code`."""
    if not body.strip():
        return b""
    message = read(body)
    owed = judge(message, AckPolicy(changed.get("profile", "generic")))
    if "code" in changed:
        owed = type(owed)(changed["code"])
    return build(message, owed, control_id=f"T{next(COUNT)}", now=utc_now())


def field_of(body: bytes, number: int) -> bytes:
    found = body.split(b"\r")[0].split(b"|")
    return found[number - 1] if number <= len(found) else b""


def swapped(answer: bytes, segment: bytes, number: int, value: bytes) -> bytes:
    """The answer with another field."""
    lines = answer.split(b"\r")
    for place, line in enumerate(lines):
        if line.startswith(segment):
            fields = line.split(b"|")
            fields[number - (segment == b"MSH")] = value
            lines[place] = b"|".join(fields)
    return b"\r".join(lines)


class NoRestart(FrameDecoder):
    """A second VT is taken for data."""

    def feed(self, data: bytes) -> list[object]:  # type: ignore[override]
        found = self.__dict__.setdefault("_bytes", bytearray())
        found += data
        frames = [Frame(one) for one in re.findall(rb"\x0b(.*?)\x1c\r", bytes(found), re.DOTALL)]
        if frames:
            found.clear()
        return list(frames)

    def close(self) -> list[object]:  # type: ignore[override]
        return []


class Nervous(FrameDecoder):
    """A byte before VT makes it deaf."""

    def feed(self, data: bytes) -> list[object]:  # type: ignore[override]
        if self.__dict__.get("deaf") or (not self.in_frame and data[:1] not in (START, b"")):
            self.__dict__["deaf"] = True
            return []
        return list(super().feed(data))


class TailReader(FrameDecoder):
    """A frame is seen only where a read ends with it."""

    def feed(self, data: bytes) -> list[object]:  # type: ignore[override]
        found = self.__dict__.setdefault("_bytes", bytearray())
        found += data
        if not found.endswith(END):
            return []
        body = bytes(found[1:-2])
        found.clear()
        return [Frame(body)]

    def close(self) -> list[object]:  # type: ignore[override]
        return []


async def turns(number: int) -> None:
    """So many turns of the loop, however busy the machine is."""
    for _ in range(number):
        await asyncio.sleep(0.01)


@contextmanager
def listening(tiny: Tiny, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Its port; it lives in a thread of its own."""
    ready, ports, loops = threading.Event(), [], []

    async def main() -> None:
        words = {"ssl": tls, "ssl_shutdown_timeout": 0.1, "ssl_handshake_timeout": 5.0} if tls else {}
        server = await asyncio.start_server(tiny.serve, "127.0.0.1", 0, **words)
        ports.append(server.sockets[0].getsockname()[1])
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        ready.set()
        await stop.wait()
        await turns(10)  # who knocks is let in: asyncio forgets him when the server closes in between
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await turns(10)  # sockets are closed in the next turns of the loop

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    ready.wait(10)
    try:
        yield ports[0]
    finally:
        loop, stop = loops[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join()
