"""Cultures and what hangs below them: which orders and lines hold susceptibilities, and never an organism."""

from adapter.hl7.er7 import Segment
from adapter.mapping.codes import Meaning, Parts, candidates
from adapter.mapping.feed import Feed
from adapter.mapping.groups import Order, PatientGroup

CULTURES = frozenset({"culture-organism", "culture-other"})
CODE_PARTS = 6
INTERPRETATIONS = frozenset({"S", "I", "R", "MS", "VS", "SDD", "NS", "SYN-S", "SYN-R"})
"""Table 0078, the letters that only microbiology uses (OBX-8)."""


def of_susceptibilities(order: Order, group: PatientGroup, feed: Feed) -> bool:
    """By OBR-4; by OBR-26, whose parent is a culture's organism; by OBR-29, where the culture is in this message.

    Other children (a differential count below a blood count) are read: only those of cultures are not.
    """
    obr = order.obr
    if obr is None:
        return False
    if any((system, code) in feed.dictionary.susceptibilities for code, system in candidates(obr.components(4))):
        return True
    if obr.raw(26):
        parent = tuple(obr.text(26, 1, part) for part in range(1, CODE_PARTS + 1))
        if any(parent):
            return is_culture(parent, feed)
    return bool(obr.raw(29)) and any(holds_culture(other, feed) for other in group.orders if is_parent(other, obr))


def is_parent(other: Order, child: Segment) -> bool:
    """OBR-29: the placer's and the filler's number of the parent."""
    if other.obr is None or other.obr is child:
        return False
    placer, filler = child.text(29), child.text(29, 2)
    own = child.text(2), child.text(3)
    named = (filler and filler == other.obr.text(3)) or (placer and placer == other.obr.text(2))
    return bool(named) and own != (other.obr.text(2), other.obr.text(3))


def holds_culture(order: Order, feed: Feed) -> bool:
    return any(is_culture(line.obx.components(3), feed) for line in order.results)


def is_culture(code: Parts, feed: Feed) -> bool:
    found = feed.words.meaning(code)
    return isinstance(found, Meaning) and found.concept.id in CULTURES


def is_interpreted(obx: Segment) -> bool:
    """OBX-8 says susceptible, intermediate or resistant."""
    return any(
        obx.text(8, repetition=each).strip().upper() in INTERPRETATIONS for each in range(1, obx.repetitions(8) + 1)
    )
