"""One MLLP conversation: frames in, each stored before it is answered, answers in the order of the frames."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from adapter.domain.message import MessageKind, RawMessage, Receipt
from adapter.errors import UnavailableError
from adapter.hl7.mllp import Frame, FrameDecoder, FrameEvent, Noise, Oversize, Truncated, encode
from adapter.ports import Inbox
from adapter.sources.envelope import Door, kept
from adapter.sources.strangers import language
from adapter.sources.tally import Tally
from adapter.sources.turns import Turns
from adapter.telemetry import Metrics, bug, log, warn

SILENCE_SECONDS = 0.5
"""An FS without its CR ends the frame after so much silence (decisions D)."""
WRITE_SECONDS = 10.0
"""A peer that takes no answer for so long is dropped (reliability M20)."""
NOISE_BEFORE = 1024
"""Noise borne before the first frame: this peer speaks something else (reliability M05)."""
NOISE_BETWEEN = 4096
IN_HAND = 64
IN_HAND_BYTES = 16 * 1024 * 1024
"""Frames, and their bytes, stored at the same time for one connection; beyond that, the peer waits in its own socket."""

_VIEW = memoryview(bytearray(64 * 1024))


@dataclass(frozen=True, slots=True)
class Limits:
    """`frame_seconds` holds inside a frame only: an idle connection stays for days (mllp-receiver 4.1, 7 and 11)."""

    max_bytes: int = 16 * 1024 * 1024
    frame_seconds: float = 30.0
    write_seconds: float = WRITE_SECONDS
    idle_seconds: float = 0
    """0: never; a connection with nothing in hand for longer is closed."""
    turns: Turns = field(default_factory=Turns, compare=False, repr=False)


Stored = asyncio.Future[Receipt] | asyncio.Future[list[Receipt]]
"""One message's receipt to be, or those of a frame with several."""


@dataclass(slots=True)
class Answer:
    """What one frame will be answered with, once every message of it is stored."""

    messages: list[RawMessage]
    stored: Stored
    began: float
    size: int


class Connection(asyncio.BufferedProtocol):
    """Shared by all connections of a source: `inbox`, `door`, `limits`, `metrics`; `gone` is called once at the end."""

    def __init__(
        self, inbox: Inbox, door: Door, limits: Limits, *, metrics: Metrics, gone: Callable[["Connection"], None]
    ) -> None:
        self._inbox, self._door, self._limits, self._metrics = inbox, door, limits, metrics
        self._tally = Tally(metrics, door)
        self._gone = gone
        self._decoder = FrameDecoder(limit=limits.max_bytes)
        self._answers: deque[Answer] = deque()
        self._loop = asyncio.get_running_loop()
        self._watch: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._heard = self._frame_began = 0.0
        self._frames = self._bytes = 0
        self._finishing = self._paused = False
        self.peer = ""
        self.closed: asyncio.Future[None] = self._loop.create_future()

    # --- called by the event loop ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's transports do not say what they are
        address = transport.get_extra_info("peername")
        self.peer = str(address[0]) if address else ""

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 — the library's signature
        """One for all connections: what is read is taken out at once, in the same turn of the loop.

        A view, because asyncio's TLS slices it, and a slice of a bytearray would be a copy that nobody reads.
        """
        return _VIEW

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(_VIEW[:nbytes]))

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        was_open = self._decoder.in_frame
        events = self._decoder.feed(data)
        if self._decoder.in_frame and (events or not was_open):
            self._frame_began = self._heard
        self._take(events)
        if self._decoder.in_frame:
            if self._watch is None:
                self._watch = self._loop.call_later(SILENCE_SECONDS, self._look)
            self._hold()
        if self._decoder.noise > NOISE_BEFORE:
            self._bear_noise()
        self._settle()

    def eof_received(self) -> bool:
        """Half a close: frames in hand are still answered (reliability M21)."""
        self._take(self._decoder.close())
        self.finish()
        return self._transport.get_extra_info("ssl_object") is None

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 — the library's signature
        for timer in (self._watch, self._stuck, self._idle):
            if timer is not None:
                timer.cancel()
        self._take(self._decoder.close())
        self._limits.turns.leave(self)
        self._gone(self)
        if not self._answers:
            self._resolve()

    def pause_writing(self) -> None:
        self._stuck = self._loop.call_later(self._limits.write_seconds, self._drop, "write-timeout")
        self._hold()

    def resume_writing(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
        self._hold()

    # --- called by the listener --------------------------------------------------------------------------------

    def finish(self) -> None:
        """The frames in hand are stored and answered, then the connection is closed."""
        self._finishing = True
        self._settle()

    def go_on(self) -> None:
        """It is the turn of this big frame; its time begins anew."""
        self._frame_began = self._heard = self._loop.time()
        self._hold()

    def abort(self) -> None:
        self._transport.abort()

    def stand_at(self, door: Door, tally: Tally) -> None:
        """Let in: at this door, which a certificate may have made narrower; from now on idleness counts, where the source minds."""
        self._door, self._tally = door, tally
        self._heard = self._loop.time()
        if self._limits.idle_seconds:
            self._idle = self._loop.call_later(self._limits.idle_seconds, self._look_idle)

    # --- frames ------------------------------------------------------------------------------------------------

    def _take(self, events: list[FrameEvent]) -> None:
        for event in events:
            match event:
                case Noise():
                    self._metrics.noise_bytes.labels(self._door.name).inc(event.size)
                case Frame() | Oversize() | Truncated():
                    self._note(event)
                    self._store(event)

    def _note(self, event: Frame | Oversize | Truncated) -> None:
        self._frames += 1
        kinds: tuple[str, ...]
        match event:
            case Truncated():
                kinds = ("truncated",)
            case Oversize():
                kinds = ("oversize",)
                warn("frame too big", feed=self._door.name, bytes=event.size, sha256=event.sha256)
            case Frame():
                kinds = event.flags
        for kind in kinds:
            self._metrics.frame_errors.labels(self._door.name, kind).inc()

    def _store(self, event: Frame | Oversize | Truncated) -> None:
        messages = kept(self._door, event, self.peer)
        if not messages:
            self._metrics.frame_errors.labels(self._door.name, "empty").inc()
            return
        if len(messages) == 1:
            promised = self._inbox.put(messages[0])
            stored: Stored = promised if isinstance(promised, asyncio.Future) else asyncio.ensure_future(promised)
        else:
            # All of a frame's messages together: none is answered unless each is stored.
            stored = asyncio.gather(*(self._inbox.put(message) for message in messages))
            if messages[0].kind is MessageKind.HL7V2_SHARED:
                self._metrics.frame_errors.labels(self._door.name, "two-messages").inc()
        size = sum([len(message.body) for message in messages])
        self._bytes += size
        self._answers.append(Answer(messages, stored, self._heard, size))
        stored.add_done_callback(self._stored)
        self._hold()

    def _stored(self, _future: Stored) -> None:
        """Some frame is on the disk, or could not be: answer as far as the order allows."""
        while self._answers and self._answers[0].stored.done():
            answer = self._answers.popleft()
            self._bytes -= answer.size
            error = answer.stored.exception()
            if error is not None:
                self._refuse(error)
            elif not self._transport.is_closing():
                self._reply(answer)
        self._hold()
        self._settle()

    def _reply(self, answer: Answer) -> None:
        found = answer.stored.result()
        receipts = found if isinstance(found, list) else [found]
        said = b"".join([encode(one.acknowledgment) for one in receipts if one.acknowledgment])
        if said:
            self._transport.write(said)
        self._tally.answered(answer.messages, receipts, self._loop.time() - answer.began)

    def _refuse(self, error: BaseException) -> None:
        """Not stored, so not acknowledged: the sender keeps the message and comes again."""
        self._metrics.storage_refusals.labels(self._door.name).inc()
        if not isinstance(error, UnavailableError):
            bug("store failed", error, feed=self._door.name)
        elif not self._transport.is_closing():
            warn("not stored", feed=self._door.name, error=type(error).__name__)
        self._transport.abort()

    # --- patience ----------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Every half second while a frame is open: has the peer fallen silent, has the frame taken too long?"""
        self._watch = None
        now = self._loop.time()
        if self._limits.turns.waits(self):
            self._watch = self._loop.call_later(SILENCE_SECONDS, self._look)
            return
        if now - self._heard >= SILENCE_SECONDS:
            self._take(self._decoder.idle())
        if self._decoder.in_frame:
            if now - self._frame_began >= self._limits.frame_seconds:
                self._take(self._decoder.close())
                self._drop("frame-timeout")
                return
            self._watch = self._loop.call_later(SILENCE_SECONDS, self._look)
        self._settle()

    def _look_idle(self) -> None:
        left = self._heard + self._limits.idle_seconds - self._loop.time()
        if left <= 0 and not self._answers and not self._decoder.in_frame:
            self._drop("idle")
            return
        self._idle = self._loop.call_later(max(left, SILENCE_SECONDS), self._look_idle)

    def _bear_noise(self) -> None:
        if not self._decoder.in_frame and self._decoder.noise > (NOISE_BETWEEN if self._frames else NOISE_BEFORE):
            events = self._decoder.close()
            sample = next((event.sample for event in events if isinstance(event, Noise)), b"")
            self._take(events)
            log("no mllp", feed=self._door.name, peer=self.peer, kind=language(sample))
            self._drop("noise")

    def _drop(self, kind: str) -> None:
        self._metrics.frame_errors.labels(self._door.name, kind).inc()
        log("connection dropped", feed=self._door.name, peer=self.peer, kind=kind)
        if kind == "write-timeout":
            self._transport.abort()
        else:
            self.finish()

    def _hold(self) -> None:
        """Read no further while too much is in hand: memory is bounded, the peer's own buffer waits."""
        admitted = self._limits.turns.admits(self, self._bytes + self._decoder.held)
        full = len(self._answers) >= IN_HAND or self._bytes >= IN_HAND_BYTES or self._stuck is not None or not admitted
        if full == self._paused or self._transport.is_closing():
            return
        self._paused = full
        if full:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _settle(self) -> None:
        if self._answers:
            return
        if self._transport.is_closing():
            self._resolve()
        elif self._finishing and not self._decoder.in_frame:
            self._transport.close()

    def _resolve(self) -> None:
        if not self.closed.done():
            self.closed.set_result(None)
