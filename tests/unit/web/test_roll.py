"""The list in brief, kept for many readers: nobody waits for another's reading, and nobody misses what they did themselves."""

import threading
from collections.abc import Iterator
from datetime import timedelta

from adapter.web.briefs import Briefs
from adapter.web.listing import closing
from adapter.web.parted import Choice
from adapter.web.roll import KEEPS, MOST_CUTS, Roll
from tests.installation import until
from tests.web_house import House, mals, unclear

PATIENCE = 30.0
SOON = timedelta(seconds=1)


def told(roll: Roll, home: House) -> int:
    kept = roll.read(home.database, home.clock.now, {trial.id: closing(trial) for trial in home.context.trials})
    return len(kept.entries)


def test_while_one_reads_the_others_are_served_from_the_last_one(home: House) -> None:
    roll = Roll()
    home.tell(*mals())
    assert told(roll, home) == 1
    home.tell(*unclear())
    with roll._reading:
        assert told(roll, home) == 1
    assert until(lambda: told(roll, home) == 2, 5), "a reading that took long, on a busy machine, serves for a second"


def test_who_did_something_waits_for_a_list_that_shows_it(home: House) -> None:
    roll, found = Roll(), []
    home.tell(*mals())
    assert told(roll, home) == 1
    roll.forget()
    with roll._reading:
        asking = threading.Thread(target=lambda: found.append(told(roll, home)))
        asking.start()
        asking.join(0.2)
        assert not found
        home.tell(*unclear())
    asking.join(PATIENCE)
    assert found == [2]


def test_one_that_is_too_old_serves_nobody(home: House) -> None:
    roll, found = Roll(), []
    home.tell(*mals())
    assert told(roll, home) == 1
    home.clock.now += 2 * KEEPS
    with roll._reading:
        asking = threading.Thread(target=lambda: found.append(told(roll, home)))
        asking.start()
        asking.join(0.2)
        assert not found
    asking.join(PATIENCE)
    assert found == [1]


def test_what_was_read_while_somebody_did_something_is_not_kept(home: House) -> None:
    roll = Roll()
    home.tell(*mals())

    class Statuses(dict[str, frozenset[str]]):
        """Asked for in the middle of a reading."""

        def __iter__(self) -> Iterator[str]:
            roll.forget()
            return super().__iter__()

    roll.read(home.database, home.clock.now, Statuses({trial.id: closing(trial) for trial in home.context.trials}))
    assert roll._kept is None
    assert told(roll, home) == 1
    assert roll._kept is not None


def test_a_choice_is_cut_once_for_all_who_make_it_and_of_invented_ones_few_are_kept(home: House) -> None:
    home.tell(*mals())
    kept = Roll().read(home.database, home.clock.now, {trial.id: closing(trial) for trial in home.context.trials})
    assert kept.cut(Choice(ward="ED")) is kept.cut(Choice(ward="ED"))
    for number in range(2 * MOST_CUTS):
        assert not any(kept.cut(Choice(ward=f"ward {number}")).parts.values())
    assert len(kept.cuts) == MOST_CUTS
    assert [len(found) for found in kept.cut(Choice(ward="ED")).parts.values()] == [1, 0, 0, 0]


def test_an_assessment_is_read_once_and_its_brief_shows_what_the_list_shows() -> None:
    briefs = Briefs()
    stops = '{"id":"E6","kind":"exclusion","answer":"met","evidence":[]}'
    criteria = (
        f'[{{"id":"I1","kind":"inclusion","answer":"met"}},{{"id":"I4","answer":"unknown","needs":"person"}},{stops}]'
    )
    text = '{"sofa":{"min":7},"facts":{"ferritin":{"value":"5"},"lactate":{"value":"1"}},"criteria":%s,"organs":[1]}'
    found = briefs.read(text % criteria)
    assert found == {
        "sofa": {"min": 7},
        "facts": {"ferritin": {"value": "5"}},
        "criteria": (
            {"id": "I4", "answer": "unknown", "needs": "person"},
            {"id": "E6", "kind": "exclusion", "answer": "met"},
        ),
    }
    assert briefs.read(text % criteria) is found
    assert briefs.read(text % "[]")["criteria"] == ()
