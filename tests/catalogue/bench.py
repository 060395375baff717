"""Where a case is tried: a real listener, the real store and processor, a peer with a socket, good messages round it."""

import asyncio
import json
import re
import socket
import struct
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select

from adapter.assets import load_rulebook
from adapter.domain.assessment import Assessment
from adapter.domain.observation import Observation
from adapter.domain.patient import PatientId, PatientState
from adapter.domain.quantity import decimal_text
from adapter.hl7.ack import AckPolicy
from adapter.hl7.mllp import encode
from adapter.pipeline.keep import Keeper
from adapter.pipeline.knots import state_of
from adapter.pipeline.outgoing import NotifierOutlet
from adapter.pipeline.process import Processor
from adapter.pipeline.receive import StoreInbox
from adapter.screening.rulebook import Rulebook
from adapter.screening.screen import screen
from adapter.sources.connection import Limits
from adapter.sources.envelope import Door, control_ids
from adapter.sources.mllp_server import MllpServer
from adapter.sources.senders import Senders
from adapter.store import inbox
from adapter.store.candidate_rows import CandidateRow
from adapter.store.schema import inbox_outcomes
from adapter.store.secret import SiteSecret
from adapter.telemetry import Metrics
from tests import stores
from tests.builders import obx, oru, usable
from tests.catalogue.model import Case, Stream
from tests.walking import NOW, House

AUTHORITY = {"attikon": "ATTIKON"}
"""Who assigns patient numbers at a site; elsewhere HOSP."""
GOOD = ("GOOD-1", "GOOD-2")
PATIENCE = 20.0


@cache
def rules() -> Rulebook:
    """The shipped rules, and three sites that differ from `generic` in one thing each."""
    shipped = load_rulebook(None, trials=["immunosep-demo"])
    generic = shipped.sites["generic"]
    ours = {
        "comma": replace(generic, site="comma", decimal=","),
        "athens": replace(generic, site="athens", timezone=ZoneInfo("Europe/Athens"), timezone_flagged=False),
        "latin": replace(generic, site="latin", encoding="iso8859-1"),
    }
    return replace(shipped, sites={**shipped.sites, **ours})


@dataclass
class Seen:
    """What a case left behind."""

    case: Case
    house: House
    answers: list[bytes] = field(default_factory=list)
    metrics: str = ""
    rows: list[inbox.InboxRow] = field(default_factory=list)
    seconds: float = 0

    def patient(self, value: str = "100", authority: str = "") -> PatientId:
        site = self.case.site
        return PatientId(site, authority or AUTHORITY.get(site, "HOSP"), value)

    def state(self, value: str = "100", authority: str = "") -> PatientState:
        """Of the person behind the number."""
        with self.house.database.read() as conn:
            return state_of(conn, self.patient(value, authority))

    def assessed(self) -> Assessment:
        outcome = screen(self.state(), (), rules(), alerts={}, now=self.house.now)
        return outcome.judgements[0].assessment

    @property
    def standing(self) -> list[CandidateRow]:
        return [one for one in self.house.rows if one.standing and one.patient.value not in GOOD]

    @property
    def bad(self) -> list[inbox.InboxRow]:
        return [one for one in self.rows if one.control_id not in GOOD]

    def outcome(self, name: str) -> list[object]:
        """The `issues` or the `ledger` of each bad message that was read."""
        with self.house.database.read() as conn:
            found = {one.id: one for one in conn.execute(select(inbox_outcomes))}
        return [
            json.loads(getattr(found[one.id], name))
            for one in self.bad
            if one.id in found and getattr(found[one.id], name)
        ]

    @property
    def issues(self) -> set[str]:
        return {str(issue["code"]) for issues in self.outcome("issues") for issue in issues}  # type: ignore[attr-defined]

    @property
    def buckets(self) -> list[dict[str, int]]:
        return [{k: v for k, v in one.items() if v and k != "observations"} for one in self.outcome("ledger")]  # type: ignore[attr-defined]

    def bodies(self) -> list[bytes]:
        with self.house.database.read() as conn:
            return [inbox.raw(conn, one.id) for one in self.bad]


def told(observation: Observation) -> str:
    if observation.quantity is None:
        return observation.code or ""
    return f"{observation.quantity.comparator or ''}{decimal_text(observation.quantity.value)}"


def believed(state: PatientState, concept: str) -> str | None:
    """The newest usable value, in the concept's own unit."""
    found = usable(state, concept)
    return told(found[-1]) if found else None


def good(control: str, site: str) -> bytes:
    """An ordinary result of another patient."""
    line = obx("777-3", "200", "10*3/uL")
    return oru(line, patient=control, authority=AUTHORITY.get(site, "HOSP"), control=control, order=control)


@contextmanager
def opened(folder: Path) -> Iterator[House]:
    database = stores.opened(folder)
    keeper = Keeper(
        database,
        rules(),
        SiteSecret.load_or_create(folder / "secret.key"),
        (NotifierOutlet("mail"),),
        "https://worklist.example/c/",
    )
    house = House(database, None, keeper, NOW)  # type: ignore[arg-type] — the processor needs the house's clock
    house.processor = Processor(database, rules(), keeper, lambda: house.now, lambda: None)
    try:
        yield house
    finally:
        database.close()


@contextmanager
def tried(case: Case, folder: Path, profile: str = "generic") -> Iterator[Seen]:
    """The case between two good messages, from the socket to the state; the house stays open to be looked at."""
    with opened(folder) as house:
        seen = Seen(case, house)
        house.tell(*case.before)
        began = time.process_time()
        asyncio.run(_spoken(seen, profile))
        house.work()
        seen.seconds = time.process_time() - began
        with house.database.read() as conn:
            seen.rows = list(inbox.listing(conn))[len(case.before) :]
        held(seen)
        yield seen


@contextmanager
def borne(cases: Sequence[Case], folder: Path) -> Iterator[Seen]:
    """All of them on one connection of one house, a good message after each."""
    with opened(folder) as house:
        seen = Seen(cases[0], house)
        asyncio.run(_all_spoken(seen, cases))
        house.work()
        with house.database.read() as conn:
            seen.rows = list(inbox.listing(conn))
        yield seen


async def _all_spoken(seen: Seen, cases: Sequence[Case]) -> None:
    async with (
        _listening(seen.house, Limits(), cases[0], "generic") as (server, _),
        connected(server.address) as (reader, writer),
    ):
        for number, case in enumerate(cases):
            await _send(case, writer)
            for _ in case.wire:
                await answer(reader)
            writer.write(encode(good(f"GOOD-{number}", "generic")))
            assert code(await answer(reader)) == ("AA", f"GOOD-{number}".encode())


async def _spoken(seen: Seen, profile: str) -> None:
    case = seen.case
    limits = Limits(
        frame_seconds=0.7 if case.conduct == "waits" else 30, max_bytes=case.frame_limit or Limits().max_bytes
    )
    async with _listening(seen.house, limits, case, profile) as (server, metrics):
        seen.answers = await _sandwich(case, server.address)
    seen.metrics = metrics.text().decode()


@asynccontextmanager
async def _listening(
    house: House, limits: Limits, case: Case, profile: str
) -> AsyncIterator[tuple[MllpServer, Metrics]]:
    store, metrics = StoreInbox(house.database), Metrics()
    door = Door(
        "lab",
        case.site,
        lambda: NOW,
        control_ids(lambda: NOW),
        encoding=rules().sites[case.site].encoding,
        policy=AckPolicy(profile),
        senders=Senders(frozenset(case.senders)),
    )
    server = MllpServer(door, "127.0.0.1", 0, metrics, limits=limits)
    await server.start(store)
    try:
        yield server, metrics
    finally:
        await server.stop()
        store.close()


@asynccontextmanager
async def connected(address: tuple[str, int]) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(*address, limit=2**25)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def _sandwich(case: Case, address: tuple[str, int]) -> list[bytes]:
    async with connected(address) as (reader, writer):
        writer.write(encode(good(GOOD[0], case.site)))
        first = await answer(reader)
        assert code(first) == ("AA", GOOD[0].encode()), first
        if case.apart:
            found = await _apart(case, address)
        else:
            await _send(case, writer)
            found = [await answer(reader) for _ in case.wire]
        writer.write(encode(good(GOOD[1], case.site)))
        last = await answer(reader)
        assert code(last) == ("AA", GOOD[1].encode()), f"instead of the good one's: {last[:200]!r}"
    return found


async def _apart(case: Case, address: tuple[str, int]) -> list[bytes]:
    async with connected(address) as (reader, writer):
        with suppress(ConnectionError):
            await _send(case, writer)
        if case.conduct == "resets":
            await asyncio.sleep(0.05)
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return []
        if case.conduct == "leaves":
            writer.write_eof()
        found = []
        while one := await answer(reader):
            found.append(one)
        return found


async def _send(case: Case, writer: asyncio.StreamWriter) -> None:
    data = case.send.data if isinstance(case.send, Stream) else b"".join(encode(body) for body in case.send)
    if case.conduct != "drip":
        writer.write(data)
        await writer.drain()
        return
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in data:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0)


async def answer(reader: asyncio.StreamReader) -> bytes:
    """`b""` when we closed the connection."""
    async with asyncio.timeout(PATIENCE):
        try:
            return (await reader.readuntil(b"\x1c\r"))[1:-2]
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return b""


def code(reply: bytes) -> tuple[str, bytes]:
    """MSA-1 and MSA-2, in the separator of the answer's own header."""
    fields = _segment(reply, b"MSA")
    return fields[1].decode(), fields[2] if len(fields) > 2 else b""


def error(reply: bytes) -> str:
    """ERR-3's code and ERR-2's place, or nothing."""
    fields = _segment(reply, b"ERR")
    return f"{fields[3].partition(b'^')[0].decode()} {fields[2].decode()}".strip() if fields else ""


def _segment(reply: bytes, name: bytes) -> list[bytes]:
    separator = reply[3:4]
    lines = [line for line in reply.split(b"\r") if line.startswith(name + separator)]
    return lines[0].split(separator) if lines else []


def control_ids_of(case: Case) -> list[bytes]:
    """MSH-10 of each message of the case, where they stand in frames."""
    if isinstance(case.send, Stream):
        return []
    lines = (line for body in case.send for line in re.split(rb"[\r\n]+", body) if line.startswith(b"MSH"))
    return [(line.split(line[3:4]) + [b""] * 10)[9] for line in lines]


def held(seen: Seen) -> None:
    """Whatever the case: both good messages are applied, nothing waits, the counts add up, nothing broke inside."""
    ends = {one.control_id: str(one.state) for one in seen.rows if one.control_id in GOOD}
    assert ends == dict.fromkeys(GOOD, "applied"), ends
    counts = seen.house.counts()
    assert counts.received == counts.applied + counts.duplicate + counts.ignored + counts.quarantined
    assert not [one.reason for one in seen.rows if one.reason and one.reason.startswith("INTERNAL")]


def lot(rows: Sequence[inbox.InboxRow]) -> list[str]:
    """What became of each stored message, its repetitions behind it."""
    words: list[str] = []
    for one in rows:
        words += [f"{one.state} {one.reason or ''}".strip(), *["duplicate"] * one.duplicates]
    return words
