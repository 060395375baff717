"""Twenty thousand mutants through the whole house (a real store, the processor, the worklist), and two thousand through a real socket."""

import asyncio
import gc
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from adapter.hl7.ack import AckPolicy
from adapter.hl7.mllp import FrameDecoder, Noise, encode
from adapter.sources.connection import Limits
from adapter.sources.envelope import Door, control_ids, kept
from adapter.store import inbox
from adapter.store.schema import inbox_outcomes
from tests.catalogue import bench
from tests.catalogue.model import Case
from tests.fuzz.mutate import Mutator, others, own
from tests.fuzz.reading import resident
from tests.walking import NOW, House

TIMES = int(os.environ.get("FUZZ", "1"))
MUTANTS, SANDWICHES = 10_000 * TIMES, 1_000 * TIMES
PATIENTS = 500
TOGETHER = 10
"""Mutants stored and processed at once: one that takes long would have to be found among ten."""
TOO_LONG = 5.0
"""Seconds of processor time for ten mutants: they take 0.15 at most, 0.3 under coverage; what grows with the square takes minutes."""
GROWTH_KIB = 64 * 1024

pytestmark = pytest.mark.slow


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """What earlier tests left in the memory of this process is no longer counted through with each collection."""
    gc.collect()
    gc.freeze()
    with bench.opened(tmp_path) as made:
        yield made
    gc.unfreeze()


def of_many_patients(seed: int) -> Mutator:
    """So that no patient's chart grows without end, and merges join two records, not all."""
    bodies = [
        body.replace(b"||100^^^HOSP", b"||%d^^^HOSP" % number).replace(b"|200^^^HOSP", b"|%d^^^HOSP" % (number + 1000))
        for number in range(PATIENTS)
        for body in own()
    ]
    return Mutator(seed, [*bodies, *others()])


@dataclass
class Doorway:
    """Frames to the inbox as the listener puts them, those that wait in one transaction, without its socket."""

    house: House
    door: Door = field(
        default_factory=lambda: Door(
            "lab", "generic", lambda: NOW, control_ids(lambda: NOW), policy=AckPolicy("generic")
        )
    )
    decoder: FrameDecoder = field(default_factory=lambda: FrameDecoder(limit=1 << 20))
    stored: int = 0

    def put(self, *frames: bytes) -> None:
        events = [event for data in frames for event in self.decoder.feed(data) + self.decoder.idle()]
        messages = [
            message for event in events if not isinstance(event, Noise) for message in kept(self.door, event, "")
        ]
        if messages:
            with self.house.database.write() as tx:
                self.stored += len(inbox.put_many(tx, messages))


def added_up(house: House, stored: int) -> None:
    """R11: nothing vanished, nothing waits, nothing broke inside; and every ledger is the sum of its buckets."""
    counts = house.counts()
    assert counts.received == stored == counts.applied + counts.duplicate + counts.ignored + counts.quarantined
    assert counts.pending == 0
    with house.database.read() as conn:
        ends = conn.execute(select(inbox_outcomes)).all()
    assert [one.reason for one in ends if str(one.reason).startswith("INTERNAL")] == []
    for one in ends:
        ledger = json.loads(one.ledger) if one.ledger else {"observations": 0}
        assert ledger.pop("observations") == sum(ledger.values())
    states = Counter(one.state for one in ends)
    assert min(states["applied"], states["ignored"], states["quarantined"]) > len(ends) // 100, states


def test_every_mutant_has_an_end(house: House) -> None:
    mutator, through = of_many_patients(11), Doorway(house)
    warm = 0
    for number in range(0, MUTANTS, TOGETHER):
        frames = [mutator.frame() for _ in range(TOGETHER)]
        began = time.process_time()
        through.put(*frames)
        house.work()
        assert time.process_time() - began < TOO_LONG, f"seed 11, frames {number} to {number + TOGETHER}"
        warm = warm or (resident() if number > MUTANTS // 2 else 0)
    assert resident() - warm < GROWTH_KIB
    added_up(house, through.stored)


class Peer:
    """A sender that connects again where the listener closed for noise, as its contract says (reliability M05)."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.closed = 0
        self.stack = AsyncExitStack()
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, control: str, behind: bytes = b"") -> None:
        """A good message and what stands behind it, until the good one is answered; AA is the only answer."""
        while True:
            if self.streams is None:
                self.streams = await self.stack.enter_async_context(bench.connected(self.address))
            reader, writer = self.streams
            writer.write(encode(bench.good(control, "generic")) + behind)
            while (reply := await bench.answer(reader)) and control.encode() not in reply:
                pass
            if reply:
                assert bench.code(reply) == ("AA", control.encode())
                return
            self.closed += 1
            self.streams = None


async def sandwiched(house: House, mutator: Mutator) -> int:
    """How often a connection was closed."""
    async with bench._listening(house, Limits(), Case("", ()), "generic") as (server, _):
        peer = Peer(server.address)
        async with peer.stack:
            for number in range(SANDWICHES):
                await peer.send(f"A{number}-1", encode(mutator.body()))
                await peer.send(f"A{number}-2")
    return peer.closed


def test_a_mutant_between_two_good_messages_on_one_connection(house: House) -> None:
    closed = asyncio.run(sandwiched(house, Mutator(12)))
    assert closed < SANDWICHES // 50
    house.work()
    with house.database.read() as conn:
        rows = {row.control_id: row.state for row in inbox.listing(conn)}
    goods = [f"A{number}-{which}" for number in range(SANDWICHES) for which in (1, 2)]
    assert Counter(str(rows.get(control)) for control in goods) == {"applied": len(goods)}
