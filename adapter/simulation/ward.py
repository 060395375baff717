"""The ward round the stories: ordinary patients whose monitors never stop, for as long as somebody listens."""

import heapq
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from random import Random

from adapter.simulation.dialect import ATTIKON, GENERIC, Dialect
from adapter.simulation.messages import Person, Report, admission, results
from adapter.simulation.stories import STORIES, Sent

FAMILIES = ("Ash", "Birch", "Cedar", "Elm", "Hazel", "Holly", "Juniper", "Linden", "Maple", "Oak", "Pine", "Willow")
"""Trees: nobody is called so by accident, and anybody can tell."""
ADMITTED_DAYS = 5
VITAL_SIGNS = {"map": (74, 96), "spo2": (95, 100), "gcs-total": (15, 15)}
LABORATORY = {"platelets": (160, 320), "crp": (3, 60), "lactate": (1, 2)}
LABORATORY_EVERY = 6
"""One report in so many brings laboratory values, the others vital signs."""
GAP = timedelta(seconds=1.5)


def ward(start: datetime, seed: int = 1) -> Iterator[Sent]:
    """Everything in order of sending, without an end: the stories, and the ward round them."""
    stories = sorted((sent for one in STORIES for sent in one.messages(start)), key=lambda sent: sent.after)
    return heapq.merge(stories, background(start, seed), key=lambda sent: sent.after)


def background(start: datetime, seed: int = 1) -> Iterator[Sent]:
    """Twelve ordinary patients in two hospitals: admissions first, then reports for ever."""
    chance = Random(seed)  # noqa: S311 — repeatable on purpose: same seed, same bytes
    beds = [_inhabitant(number, chance) for number in range(len(FAMILIES))]
    admitted = start - timedelta(days=ADMITTED_DAYS)
    for number, (dialect, person) in enumerate(beds):
        body = admission(dialect, person, admitted=admitted, sent=start, control=f"ward-{number}")
        yield Sent(timedelta(), dialect.site, person.number, body)
    after = GAP
    for count in range(10**9):
        dialect, person = beds[count % len(beds)]
        body = _report(dialect, person, start + after, count, chance)
        yield Sent(after, dialect.site, person.number, body)
        after += GAP


def _inhabitant(number: int, chance: Random) -> tuple[Dialect, Person]:
    dialect = ATTIKON if number % 3 == 0 else GENERIC  # both feeds stay alive
    born = f"19{chance.randint(35, 85)}{chance.randint(1, 12):02}{chance.randint(1, 28):02}"
    sex = chance.choice("MF")
    return dialect, Person(f"55{number:04}", FAMILIES[number], "Test", born, sex, "WARD4", str(number + 1), "I")


def _report(dialect: Dialect, person: Person, moment: datetime, count: int, chance: Random) -> bytes:
    ranges: Mapping[str, tuple[int, int]] = LABORATORY if count % LABORATORY_EVERY == 0 else VITAL_SIGNS
    values = {concept: str(chance.randint(*span)) for concept, span in ranges.items()}
    report = Report(f"B{count}", moment, moment, values)
    return results(dialect, person, report, sent=moment, control=f"b-{count}")
