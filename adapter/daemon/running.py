"""The daemon at work: sources, processing, deliveries, ticks and the web in one TaskGroup; stopped in reverse."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from prometheus_client.core import Metric

from adapter import telemetry
from adapter.daemon import anchoring, calling, control, erasing, housekeeping, stepping, systemd, workbench
from adapter.daemon.bench import PageBench
from adapter.daemon.commands import Desk
from adapter.daemon.enduring import endless, patience, reporting
from adapter.daemon.gate import Gate
from adapter.daemon.parts import Parts, web_context
from adapter.daemon.rules import load_rules
from adapter.daemon.web_server import Web, bound
from adapter.errors import ConfigError, RejectedError, StorageFailedError, UnavailableError
from adapter.pipeline.process import Processor
from adapter.pipeline.receive import StoreInbox
from adapter.screening.rulebook import Rulebook
from adapter.screening.whose import whose
from adapter.store.database import News
from adapter.telemetry import gauge
from adapter.web.app import create_app

REVIEW_SECONDS = 30
OVERDUE_SECONDS = 3 * REVIEW_SECONDS
"""By the monotonic clock: later than this the scheduler is not believed."""
BEAT_SECONDS = 1.0
DELIVERY_SECONDS = 2.0
"""How long an idle delivery loop sleeps at most: postponed deliveries fall due without a message."""
LOOK_AGAIN = 0.5
"""Seconds an idle processor sleeps at most where others share the store: they may wait for a patient it keeps."""
LAST_DELIVERIES_SECONDS = 5.0
SHORTEST_WAIT, LONGEST_WAIT = 0.5, 5.0
"""Seconds between tries while the store is away."""

T = TypeVar("T")


class StoppedError(Exception):
    """Somebody asked the daemon to stop: the way out of the TaskGroup."""


class Daemon:
    """`started` is set once everything listens; `stop` may be called from any task of the loop."""

    def __init__(self, parts: Parts, *, demo: bool = False) -> None:
        self._parts = parts
        self._loop = asyncio.get_running_loop()
        self._stored, self._owed = asyncio.Event(), {name: asyncio.Event() for name in parts.outlets}
        self._stopping = asyncio.Event()
        self.started = asyncio.Event()
        self._reviewed = self._loop.time()
        self._roles = frozenset(parts.settings.adapter.roles)
        self.inbox = StoreInbox(parts.database, self._wake_reader, lambda message: whose(message, parts.rules))
        self._gate = Gate(parts.pulse, self.inbox, parts.servers)
        self._processor = Processor(parts.database, parts.rules, parts.keeper, parts.clock, self._wake_outlets)
        self._processor.heard = parts.metrics.heard
        # One thread screens: the keeper's memory of patients is its own.
        self._screening = ThreadPoolExecutor(1, thread_name_prefix="screening")
        self._rules = parts.rules
        self._bench = workbench.Desk(
            parts.database,
            parts.clock,
            lambda: load_rules(parts.settings),
            self._wake_reader,
            lambda: self._rules,
            self._adopt,
        )
        bench = PageBench(self._bench, parts.settings.adapter.assets)
        self._context = replace(web_context(parts, self.inbox, bench, demo=demo), wake=self._wake_reader)
        parts.pulse.stopping = self._stopping.is_set
        parts.metrics.compute(self._figures)

    def stop(self) -> None:
        self._stopping.set()

    async def asked_to_stop(self) -> None:
        await self._stopping.wait()

    async def run(self) -> None:
        """Until `stop`. Raises what ended it: StorageFailedError, or a bug in one of the parts."""
        try:
            async with self._listening() as web:
                await self._group(self._jobs(web))
        finally:
            await self._finish()

    def _jobs(self, web: Web | None) -> Iterator[Coroutine[Any, Any, None]]:
        """What this process does (`[adapter] roles`): sources and outlets are there only for those who serve them."""
        yield from self._sources()
        yield from self._deliveries()
        yield from self._parts.beats(self.inbox)
        yield self._ticks()
        yield from (anchoring.rounds(self._parts.anchors), stepping.rounds(self._parts))
        if "process" in self._roles:
            yield self._process()
        if web is not None:
            yield web.run()
        if self._parts.database.many_writers:
            yield self._hear()

    async def _group(self, jobs: Iterable[Coroutine[Any, Any, None]]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for part in jobs:
                    group.create_task(endless(part))
                group.create_task(self._gate.run())
                group.create_task(self._watch_storage())
                group.create_task(self._wait_for_stop())
                group.create_task(self._beat())
                self.started.set()
                systemd.notify("READY=1")
                telemetry.log(
                    "started", digest=self._parts.rules.digest, environment=self._parts.settings.adapter.environment
                )
        except* StoppedError:
            telemetry.log("stopping")

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[Web | None]:
        """Every address taken, or none: a port in use is the operator's to mend."""
        parts, settings, web = self._parts, self._parts.settings, None
        async with contextlib.AsyncExitStack() as stack:
            if "web" in self._roles:
                web = Web(create_app(self._context), bound(settings.web.listen.host, settings.web.listen.port))
                stack.callback(web.close)
            for server in self._parts.servers:
                try:
                    await server.start(self.inbox)
                except OSError as error:
                    raise ConfigError(
                        f"{server.host}:{server.port} cannot be listened on ({error.strerror}) — choose another port"
                    ) from error
                stack.push_async_callback(server.stop)
            eraser = erasing.beside(parts, self._processor.eraser, self._screening)
            desk = Desk(parts.database, parts.clock, settings.web_base(), self._wake_reader, self._bench, eraser)
            commands = await control.serve(settings.adapter.data, desk)
            stack.callback(commands.close)
            yield web

    # --- the parts ---------------------------------------------------------------------------------------------

    def _sources(self) -> Iterator[Coroutine[Any, Any, None]]:
        yield from (one.run(self.inbox) for one in self._parts.servers)
        yield from (one.run(self.inbox) for one in self._parts.pollers)
        yield from (one.run(self.inbox) for one in self._parts.folders)

    async def _process(self) -> None:
        """Message after message, as fast as they can be screened; asleep while the inbox is empty."""
        wait = SHORTEST_WAIT
        while True:
            self._stored.clear()
            try:
                done = await self._screened(self._processor.step)
                wait = SHORTEST_WAIT
            except StorageFailedError:
                raise
            except UnavailableError as error:
                telemetry.warn("store unavailable", text=str(error), seconds=wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
                continue
            self._parts.metrics.processed.inc(self._processor.taken)
            if not done:
                await self._waited(self._stored, LOOK_AGAIN if self._parts.database.many_writers else None)

    def _deliveries(self) -> Iterator[Coroutine[Any, Any, None]]:
        """A loop for each outlet: a slow EDC keeps no mail waiting."""
        yield from calling.rounds(self._parts, self._wake_outlets)
        for name in self._parts.outlets:
            yield self._deliver(name)

    async def _deliver(self, name: str) -> None:
        parts = self._parts
        outlet = {name: parts.outlets[name]}
        while True:
            self._owed[name].clear()
            with patience():
                if await parts.deliver(outlet):
                    continue
            await self._waited(self._owed[name], DELIVERY_SECONDS)

    async def _waited(self, event: asyncio.Event, seconds: float | None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()

    async def _hear(self) -> None:
        """What the other processes of the store announce; what is not heard is found by looking again."""
        wake = {News.STORED: self._wake_reader, News.OWED: self._wake_outlets}
        while True:
            with patience():
                await asyncio.to_thread(self._parts.database.hear, lambda news: wake[news](), self._stopping.is_set)
            await asyncio.sleep(SHORTEST_WAIT)

    async def _ticks(self) -> None:
        """Time passes without a message: windows close, deadlines pass (decisions A6)."""
        scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        failed: asyncio.Future[None] = self._loop.create_future()
        often = ((self._review, REVIEW_SECONDS), (self._tell_alarms, REVIEW_SECONDS))
        for job, seconds in (*often, *housekeeping.jobs(self._parts)):
            scheduler.add_job(reporting(job, failed), "interval", seconds=seconds)
        scheduler.start()
        try:
            await failed
        finally:
            scheduler.shutdown(wait=False)

    async def _review(self) -> None:
        self._reviewed = self._loop.time()
        if "process" in self._roles:
            while await self._screened(self._processor.review):
                pass

    async def _tell_alarms(self) -> None:
        await asyncio.to_thread(self._parts.pulse.tell)

    async def _beat(self) -> None:
        while True:
            self._parts.pulse.beat()
            systemd.notify("WATCHDOG=1")
            if self._loop.time() - self._reviewed > OVERDUE_SECONDS:
                # The scheduler waits for a clock that was set back to catch up; patients do not (reliability 5.6).
                telemetry.warn("review overdue", seconds=OVERDUE_SECONDS)
                with patience():
                    await self._review()
            await asyncio.sleep(BEAT_SECONDS)

    async def _watch_storage(self) -> None:
        raise await asyncio.wrap_future(self.inbox.failed)

    async def _wait_for_stop(self) -> None:
        await self._stopping.wait()
        systemd.notify("STOPPING=1")
        raise StoppedError

    # --- the end -----------------------------------------------------------------------------------------------

    async def _finish(self) -> None:
        """Listeners are closed by now: store what was accepted, screen what is at hand, deliver what is owed."""
        self._stopping.set()  # whatever ended us: the thread that listens looks at it
        await asyncio.to_thread(self.inbox.close)
        parts = self._parts
        with contextlib.suppress(Exception):  # the inbox keeps what is not finished; the next start takes it up
            async with asyncio.timeout(LAST_DELIVERIES_SECONDS):
                if "process" in self._roles:
                    await self._screened(self._processor.step)
                await parts.deliver(parts.outlets)
        await self._screened(self._processor.close)
        await asyncio.to_thread(self._screening.shutdown)
        telemetry.log("stopped")

    def _adopt(self, rules: Rulebook) -> None:
        """Read by these from the next message on. From any thread but the one that screens; raises RejectedError."""
        if "process" not in self._roles:
            raise RejectedError("this process reads no messages — ask the one that does")
        self._screening.submit(self._processor.adopt, rules).result()
        self._rules = rules

    # --- small things ------------------------------------------------------------------------------------------

    async def _screened(self, work: Callable[[], T]) -> T:
        return await self._loop.run_in_executor(self._screening, work)

    def _figures(self) -> Iterator[Metric]:
        waiting, oldest = self.inbox.waiting()
        yield gauge("receiving_waiting", "Messages that wait for their commit", float(waiting))
        yield gauge("receiving_oldest_seconds", "How long the oldest of them has waited", oldest)
        yield gauge("accepting", "Whether the ports are open", float(self._gate.open))

    def _wake(self, event: asyncio.Event) -> None:
        """From any thread."""
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is left to wake
            self._loop.call_soon_threadsafe(event.set)

    def _wake_reader(self) -> None:
        self._wake(self._stored)

    def _wake_outlets(self) -> None:
        for event in self._owed.values():
            self._wake(event)


def stop_on_signals(daemon: Daemon) -> None:
    loop = asyncio.get_running_loop()
    hung_up = () if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else (signal.SIGHUP,)  # nohup means it
    for number in (signal.SIGTERM, signal.SIGINT, *hung_up):
        loop.add_signal_handler(number, daemon.stop)
