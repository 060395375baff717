"""The screening log as it is read for many: exact while it is quick, and never more than a tenth of a processor."""

import asyncio

import pytest

from adapter.store.accounts import EVERYWHERE, Scope
from adapter.web.chronicle import LONGEST, Chronicle
from tests.web_house import House, first_candidate, hidden, mals, unclear


def numbers(chronicle: Chronicle, home: House, scope: Scope = EVERYWHERE) -> tuple[int, int]:
    """Entries, and those the flow counts as shown."""
    part = asyncio.run(chronicle.read(home.context.trials[0], scope))
    return len(part.entries), part.sums().steps[1].count


class Watch:
    """Of a slow machine: between two looks at it `step` seconds go by."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        seen = self.now
        self.now += self.step
        return seen


def test_what_is_read_in_no_time_is_read_anew_for_everybody(home: House) -> None:
    chronicle = Chronicle(home.context)
    home.tell(*mals())
    assert numbers(chronicle, home) == (1, 1)
    home.tell(*unclear())
    assert numbers(chronicle, home) == (2, 2)
    client = home.signed_in()
    page = first_candidate(client)
    form = hidden(client.get(page).text) | {"choice": "declined|relative", "note": ""}
    client.post(f"{page}/status", data=form)
    form = hidden(client.get(page).text) | {"criterion": "I4", "answer": "met", "note": ""}
    client.post(f"{page}/determination", data=form)
    part = asyncio.run(chronicle.read(home.context.trials[0], EVERYWHERE))
    assert [one.logged.status for one in part.entries].count("declined") == 1
    assert [(a.id, a.answer) for one in part.entries for a in one.logged.answers if a.by == "anna"] == [("I4", "met")]


@pytest.mark.parametrize(("took", "rest"), [(2.0, 20.0), (30.0, LONGEST)])
def test_a_long_reading_serves_for_ten_times_its_length_and_a_minute_at_most(
    home: House, took: float, rest: float
) -> None:
    watch = Watch(took)
    chronicle = Chronicle(home.context, watch, watch)
    home.tell(*mals())
    assert numbers(chronicle, home) == (1, 1)
    ended, watch.step = watch.now - took, 0.0
    home.tell(*unclear())
    watch.now = ended + rest - 0.1
    assert numbers(chronicle, home) == (1, 1)
    watch.now = ended + rest
    assert numbers(chronicle, home) == (2, 2)


async def beside_a_reader(chronicle: Chronicle, home: House) -> int:
    async with chronicle._lock:
        return len((await chronicle.read(home.context.trials[0], EVERYWHERE)).entries)


def test_who_comes_while_somebody_reads_waits_for_nobody(home: House) -> None:
    watch = Watch(2.0)
    chronicle = Chronicle(home.context, watch, watch)
    home.tell(*mals())
    numbers(chronicle, home)
    watch.now = 1000.0
    home.tell(*unclear())
    assert asyncio.run(beside_a_reader(chronicle, home)) == 1
    assert numbers(chronicle, home) == (2, 2)


def test_everybody_gets_the_part_of_their_sites(home: House) -> None:
    chronicle = Chronicle(home.context)
    home.tell(*mals(), *unclear())
    assert numbers(chronicle, home, Scope(sites=frozenset({"generic"}))) == (2, 2)
    assert numbers(chronicle, home, Scope(sites=frozenset({"elsewhere"}))) == (0, 0)
    assert numbers(chronicle, home) == (2, 2)
