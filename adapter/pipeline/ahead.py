"""Which of the messages that wait are taken together: where charts are long, all that waits of some patients, not the oldest of many.

The charts of a step are held until it ends, and of long ones there is room for some. Beds are charted in turn, so the oldest
messages are of as many beds: strictly one after the other, each message would cost a chart that has to be read. What was left
has been read already when its turn comes.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache

from adapter.domain.message import MessageState
from adapter.domain.patient import PatientId
from adapter.errors import MalformedMessageError
from adapter.pipeline.steps import Read, ending_of, ties_of
from adapter.screening.interpret import Interpretation, interpret, unreadable
from adapter.screening.rulebook import Rulebook
from adapter.store.inbox import Item

LOOKED_THROUGH = 600
"""Messages, where a step has no room for as many patients as it may take messages: twelve of each of fifty beds."""


class Ahead:
    """What messages say that were looked at and left. `hear` is told once of each that is taken for the first time; `sift` leaves
    out what nobody may hear, or takes none of them where they must be read anew.
    """

    def __init__(
        self, hear: Callable[[Item, Interpretation], None], sift: Callable[[Sequence[Read]], list[Read]] = list
    ) -> None:
        self._hear, self._sift = hear, sift
        self._seen: dict[int, Interpretation] = {}
        self._heard: set[int] = set()

    def read(self, items: Iterable[Item], rules: Rulebook, now: datetime) -> list[Read]:
        """What nobody can read is seen too, and says why."""
        return [self._read(item, rules, now) for item in items]

    def take(self, read: Sequence[Read], most: int, whose: Callable[[PatientId], PatientId]) -> list[Read]:
        """Those that are `chosen`; what was read of the others is kept."""
        found = self._sift(chosen(read, most, whose))
        if not found:
            return found  # what was read stays known, unless whoever sifted had it forgotten
        for one in found:
            # One that is read again was heard of when it was read first, one whose writing failed when it was tried first.
            if not one.item.again and one.item.id not in self._heard:
                self._heard.add(one.item.id)
                self._hear(one.item, one.whole)
        taken = {one.item.id for one in found}
        self._seen = {one.item.id: one.whole for one in read if one.item.id not in taken}
        return found

    def written(self, read: Iterable[Read]) -> None:
        """They will not be taken another time."""
        self._heard.difference_update(one.item.id for one in read)

    def forget(self) -> None:
        """By other rules they may say something else."""
        self._seen.clear()

    def _read(self, item: Item, rules: Rulebook, now: datetime) -> Read:
        seen = self._seen.get(item.id)
        if seen is None:
            seen = self._seen[item.id] = _understood(item, rules)
        ending = ending_of(seen, now)
        return Read(item, ending, seen if ending.state is MessageState.APPLIED else None, seen)


def _understood(item: Item, rules: Rulebook) -> Interpretation:
    try:
        return interpret(item.message, rules, message_id=str(item.id))
    except MalformedMessageError as error:
        return unreadable(item.message.body, error.code)


def chosen(read: Sequence[Read], most: int, whose: Callable[[PatientId], PatientId]) -> list[Read]:
    """All that is said of `most` patients, in order, the oldest message always among it; `whose`: what a record is kept by, asked
    once of each.

    Nothing overtakes another message of the same patient; nor does one that ties records overtake anything.
    """
    if len(read) <= most:
        return list(read)
    kept_by, found = cache(whose), list[Read]()
    taken: set[PatientId] = set()
    left: set[PatientId] = set()
    for one in read:
        if left and ties_of(one):
            break
        who = {kept_by(event.patient) for event in one.seen.events} if one.seen else set()
        room = not taken or who <= taken or len(taken | who) <= most
        if who & left or not room:
            left |= who
        else:
            taken |= who
            found.append(one)
    return found
