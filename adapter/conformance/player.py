"""The player: a case's acts on real sockets; every wait has an end."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from adapter.conformance.judge import GOOD_LINE, Owed
from adapter.conformance.model import CLOSED, NONE, REFUSED, Act, Case, Deaf, Door, Hear, Heard, Leave, Made, Rest, Say
from adapter.conformance.probe import framed
from adapter.hl7.mllp import END

CHUNK = 65536
UNASKED = 0.25
"""Seconds in which an answer that nobody asked for would have come."""
STUCK = 0.2
"""Seconds that a receiver which no longer reads is given to answer or hang up."""


@dataclass(frozen=True, slots=True)
class Where:
    """The receiver; `doors` says how each way of connecting is spoken (None: without TLS)."""

    host: str
    port: int
    doors: Mapping[Door, ssl.SSLContext | None] = field(default_factory=lambda: {Door.AGREED: None, Door.PLAIN: None})
    patience: float = 3.0


class Line:
    """One connection, and all that comes on it."""

    def __init__(self, heard: Heard) -> None:
        self.heard = heard
        self._news = asyncio.Event()
        self._listening = asyncio.Event()
        self._listening.set()
        self.left = self.stuck = False
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self, where: Where, door: Door) -> None:
        try:
            async with asyncio.timeout(where.patience):
                reader, self._writer = await asyncio.open_connection(
                    where.host, where.port, ssl=where.doors[door], limit=CHUNK
                )
        except (OSError, TimeoutError):
            self.heard.end = "unreachable"
            return
        self._writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._task = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        loop = asyncio.get_running_loop()
        try:
            while data := await reader.read(CHUNK):
                self.heard.take(data, loop.time())
                self._news.set()
                await self._listening.wait()
            self.heard.end = "closed"
        except OSError:
            self.heard.end = "reset"
        self._news.set()

    async def say(self, act: Say, patience: float) -> None:
        """A receiver that hangs up is heard, not said; one that reads no further is given up."""
        if self._writer is None:
            return
        size = 1 if act.drip else CHUNK
        try:
            for start in range(0, len(act.data), size):
                async with asyncio.timeout(patience):
                    self._writer.write(act.data[start : start + size])
                    await self._writer.drain()
                    await asyncio.sleep(0)
        except TimeoutError:
            self.stuck = True
        except OSError:
            pass
        self.heard.said.append(asyncio.get_running_loop().time())

    async def until(self, answers: float, patience: float) -> None:
        """So many answers in all, or the end of the line."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while len(self.heard.ended) < answers and self.heard.end == "open":
                    self._news.clear()
                    await self._news.wait()

    async def until_about(self, good: Made, answers: int, patience: float) -> None:
        """The answer to the good message, all answers there can be, or the end of the line."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while not self._has(good, answers) and self.heard.end == "open":
                    self._news.clear()
                    await self._news.wait()

    def _has(self, good: Made, answers: int) -> bool:
        whole = self.heard.data.endswith(END)
        return len(self.heard.ended) >= answers or (whole and (good.control_id or b"") in self.heard.data)

    def deaf(self, *, deaf: bool) -> None:
        if deaf:
            self._listening.clear()
        else:
            self._listening.set()

    async def leave(self, how: str) -> None:
        if self._writer is None or self._writer.is_closing():
            return
        with contextlib.suppress(OSError):
            if how == "half" and self._writer.can_write_eof():
                self._writer.write_eof()
                return
            if how == "reset":
                linger = struct.pack("ii", 1, 0)
                self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self._writer.transport.abort()
            await self.close()

    async def close(self) -> None:
        """What the receiver has done stays as it was heard."""
        self.left = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await self._writer.wait_closed()


class Player:
    """One case; `lines` is what was heard, by number."""

    def __init__(self, where: Where, case: Case) -> None:
        self._where, self._case = where, case
        self._patience = max(where.patience * case.times, case.seconds)
        self._lines: dict[int, Line] = {}

    @property
    def lines(self) -> dict[int, Heard]:
        return {number: line.heard for number, line in self._lines.items()}

    @property
    def slowest(self) -> float:
        """Seconds that the slowest of these answers took."""
        waits = [
            ended - said
            for line in self._lines.values()
            for said, ended in zip(line.heard.said, line.heard.ended, strict=False)
        ]
        return max(waits, default=0.0)

    async def play(self, due: Iterable[Act], owed: list[Owed]) -> None:
        """The acts, then the good message that the probe made last."""
        good = owed[-1].made
        try:
            for act in due:
                await self._do(act)
            await self._wait_for(owed[:-1])
            if self._lacks(owed[:-1]):
                return
            if any(one.word == NONE for one in owed):
                await asyncio.sleep(UNASKED)
            if self._case.after == "same":
                line = await self._line(0)
                await line.say(Say(framed(good.body)), self._patience)
                await line.until_about(good, answers_on(owed, 0), self._patience)
            else:
                line = await self._line(GOOD_LINE)
                await line.say(Say(framed(good.body)), self._patience)
                await line.until(1, self._patience)
        finally:
            await asyncio.gather(*(line.close() for line in self._lines.values()))

    async def _do(self, act: Act) -> None:
        match act:
            case Say():
                await (await self._line(act.line)).say(act, self._patience)
            case Rest():
                await asyncio.sleep(act.seconds)
            case Hear():
                line = await self._line(act.line)
                await line.until(act.answers, STUCK if line.stuck else self._patience)
                line.stuck = len(line.heard.ended) < act.answers
            case Leave():
                await (await self._line(act.line)).leave(act.how)
            case Deaf():
                line = await self._line(act.line)
                line.deaf(deaf=True)
                await asyncio.sleep(act.seconds)
                line.deaf(deaf=False)

    async def _line(self, number: int) -> Line:
        line = self._lines.get(number)
        if line is None:
            line = self._lines[number] = Line(Heard())
            await line.open(self._where, self._case.door if number != GOOD_LINE else Door.AGREED)
        return line

    async def _wait_for(self, owed: list[Owed]) -> None:
        """What each line is owed, or its end where the receiver must or may hang up."""
        for number, line in list(self._lines.items()):
            count = answers_on(owed, number) + (self._case.closes and number == 0)
            if count and not line.left:
                await line.until(count, STUCK if line.stuck else self._patience)

    def _lacks(self, owed: list[Owed]) -> bool:
        """Whether an answer that must come has not come: then the case has failed, whatever follows."""
        demanded = [one for one in owed if not {NONE, REFUSED, CLOSED} & set(one.word.split("/"))]
        return any(len(line.heard.ended) < answers_on(demanded, number) for number, line in self._lines.items())


def answers_on(owed: Iterable[Owed], line: int) -> int:
    return sum(one.made.line == line and one.word != NONE for one in owed)
