"""The ward round the stories: two small hospitals of ordinary patients, for as long as somebody listens."""

import heapq
from collections.abc import Iterator
from datetime import datetime

from adapter.simulation.dialect import ATTIKON, GENERIC
from adapter.simulation.hospital import hospital
from adapter.simulation.messages import Sent
from adapter.simulation.stories import STORIES
from adapter.simulation.traffic import Plan, Traffic

BEDS = ((GENERIC, 8), (ATTIKON, 4))
"""Both feeds stay alive."""
ORDINARY = Traffic(malformed=0.0, restarts=0, septic=0.0, busy=35.0)
"""Nobody in the background is a case, nothing is refused; a message every one or two seconds, more in the morning."""
FOREVER = 10 * 365 * 24


def ward(start: datetime, seed: int = 1) -> Iterator[Sent]:
    """Everything in order of sending, without an end: the stories, and the ward round them."""
    stories = sorted((sent for one in STORIES for sent in one.messages(start)), key=lambda sent: sent.after)
    return heapq.merge(stories, *background(start, seed), key=lambda sent: sent.after)


def background(start: datetime, seed: int = 1) -> list[Iterator[Sent]]:
    """One feed a hospital."""
    return [
        hospital(Plan(dialect, start, hours=FOREVER, beds=beds, seed=seed, traffic=ORDINARY)) for dialect, beds in BEDS
    ]
