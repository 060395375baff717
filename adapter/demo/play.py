"""`adapter demo`: the daemon, a synthetic ward that feeds it, a stand-in EDC and a mail catcher, in one process."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from adapter.daemon import loop
from adapter.daemon.clock import utc_now
from adapter.daemon.lock import data_folder, held
from adapter.daemon.parts import Parts, open_parts
from adapter.daemon.running import Daemon, stop_on_signals
from adapter.daemon.service import unwrapped
from adapter.demo.stage import HOST, SITES, Ports, Wish, edc_at, folder_for, log_to, mail_at, ports_for, settings_for
from adapter.domain.assessment import Verdict
from adapter.errors import UnavailableError
from adapter.simulation.messages import Sent
from adapter.simulation.ward import ward
from adapter.sinks.mllp_sender import MllpSender, code_of
from adapter.standins.edc_store import EdcStore
from adapter.standins.mailbox import Mailbox
from adapter.store import inbox, worklist
from adapter.web import once

RESEND_SECONDS = 1.0
POLL_SECONDS = 0.2

Say = Callable[[str], None]


@dataclass(slots=True)
class Story:
    """What happened, for the summary."""

    acknowledged: Counter[str] = field(default_factory=Counter)
    first_candidate: float | None = None
    candidates: int = 0
    shown: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    bundles: int = 0
    mails: int = 0

    @property
    def accepted(self) -> bool:
        """Whether the demonstration showed what it should."""
        return self.candidates > 0 and self.bundles > 0 and self.mails > 0

    def text(self) -> str:
        counts = ", ".join(f"{number} {name}" for name, number in self.counts.items() if number)
        return (
            f"Messages: {counts}. On the worklist: {self.shown}, of them {self.candidates} candidates "
            f"(the first after {self.first_candidate} s). In the EDC: {self.bundles} subjects. Mails: {self.mails}."
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "messages": self.counts,
            "acknowledged": dict(sorted(self.acknowledged.items())),
            "shown": self.shown,
            "candidates": self.candidates,
            "first_candidate_seconds": self.first_candidate,
            "bundles_in_edc": self.bundles,
            "mails_caught": self.mails,
        }


def run(wish: Wish, say: Say) -> Story:
    """Blocking, until the time is over or somebody interrupts. Raises ConfigError, UnavailableError."""
    with folder_for(wish.folder) as folder, held(data_folder(folder)), log_to(folder), unwrapped():
        return loop.run(_run(wish, folder, say))


async def _run(wish: Wish, folder: Path, say: Say) -> Story:
    ports = ports_for(wish)
    settings = settings_for(folder, ports)
    edc, mailbox, story = EdcStore(), Mailbox(folder / "mails"), Story()
    with open_parts(settings, utc_now) as parts, edc_at(edc, ports.edc), mail_at(mailbox, ports.smtp):
        daemon = Daemon(parts, demo=True)
        stop_on_signals(daemon)
        with parts.database.write() as tx:
            token = once.issue(tx, once.DEMO, utc_now(), timedelta(days=1))
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            await daemon.started.wait()
            _greet(say, ports, token, folder)
            feeding = group.create_task(_feed(wish, ports, story))
            watching = group.create_task(_watch(parts, story, say))
            if wish.seconds is not None:
                asyncio.get_running_loop().call_later(wish.seconds, daemon.stop)
            await daemon.asked_to_stop()
            feeding.cancel()
            watching.cancel()
        _sum_up(parts, story, edc, mailbox)
    return story


def _greet(say: Say, ports: Ports, token: str, folder: Path) -> None:
    say(f"Worklist  http://{HOST}:{ports.web}/sign-in/once/{token}   (signs in once, as coordinator)")
    say(f"EDC       http://{HOST}:{ports.edc}/   (a stand-in: what has arrived)")
    feeds = ", ".join(f"{site} {HOST}:{port}" for site, port in zip(SITES, ports.mllp, strict=True))
    say(f"MLLP      {feeds}")
    say(f"Folder    {folder}   (database, log, caught mails)")
    say("A synthetic ward is sending; nobody in it ever lived. Ctrl-C stops.")


# --- the ward --------------------------------------------------------------------------------------------------------


async def _feed(wish: Wish, ports: Ports, story: Story) -> None:
    """Every message in its time, over one connection a site, again until it is acknowledged."""
    start = utc_now()
    began = asyncio.get_running_loop().time()
    async with _senders(ports) as senders:
        for sent in ward(start):
            delay = began + sent.after.total_seconds() / wish.speed - asyncio.get_running_loop().time()
            await asyncio.sleep(max(0.0, delay))
            story.acknowledged[await _send(senders[sent.site], sent)] += 1


@contextlib.asynccontextmanager
async def _senders(ports: Ports) -> AsyncIterator[dict[str, MllpSender]]:
    async with contextlib.AsyncExitStack() as stack:
        yield {
            site: await stack.enter_async_context(MllpSender(HOST, port))
            for site, port in zip(SITES, ports.mllp, strict=True)
        }


async def _send(sender: MllpSender, sent: Sent) -> str:
    while True:
        try:
            return code_of(await sender.send(sent.body))
        except UnavailableError:
            await asyncio.sleep(RESEND_SECONDS)


# --- what happened ---------------------------------------------------------------------------------------------------


async def _watch(parts: Parts, story: Story, say: Say) -> None:
    """Tells of each row that appears on the worklist or leaves it."""
    began = asyncio.get_running_loop().time()
    known: dict[str, str] = {}
    while True:
        for row in await asyncio.to_thread(_rows, parts):
            words = f"{row.verdict} {row.stratum}".strip() if row.standing else "taken back"
            seconds = asyncio.get_running_loop().time() - began
            if row.standing and row.verdict == Verdict.CANDIDATE and story.first_candidate is None:
                story.first_candidate = round(seconds, 1)
            if known.get(row.id) != words:
                known[row.id] = words
                say(f"  {seconds:5.1f} s  {_place(row)}: {words}")
        await asyncio.sleep(POLL_SECONDS)


def _place(row: worklist.CandidateRow) -> str:
    """Whoever sends a result of their own to the demo sends no admission."""
    return f"{row.ward} bed {row.bed}" if row.ward else f"candidate {row.id[:6]}, place not known"


def _rows(parts: Parts) -> list[worklist.CandidateRow]:
    with parts.database.read() as conn:
        return worklist.shown(conn, utc_now())


def _sum_up(parts: Parts, story: Story, edc: EdcStore, mailbox: Mailbox) -> None:
    rows = [row for row in _rows(parts) if row.standing]
    story.shown = len(rows)
    story.candidates = sum(row.verdict == Verdict.CANDIDATE for row in rows)
    with parts.database.read() as conn:
        counts = inbox.counts(conn)
    names = ("received", "applied", "duplicate", "ignored", "quarantined", "pending")
    story.counts = {name: getattr(counts, name) for name in names}
    story.bundles = sum(kind == "ResearchSubject" for kind, _ in edc.resources)
    story.mails = len(mailbox.mails)
