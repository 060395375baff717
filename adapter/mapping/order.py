"""What the results of one order share, read once: its number, times, specimen and status."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from adapter.hl7.datatypes import Moment
from adapter.hl7.er7 import Segment
from adapter.hl7.tables import NULL
from adapter.mapping.feed import Feed
from adapter.mapping.groups import Order
from adapter.mapping.plain import LONGEST, plain

T = TypeVar("T")
SPECIMEN_COMPONENTS = (1, 2, 4, 5)
NOTHING = frozenset({"", NULL})
KIND = {"SPM": 4, "SAC": 6}
NUMBER = {"SPM": 2, "SAC": 3}
"""Where a specimen says what it is, and which."""
FREE_TEXT = 3
"""OBR-15 of HL7 before 2.5: the source in words; later the way of collecting."""
WORD = re.compile(r"[^\W\d_]{4,}")
APART = frozenset({"urine", "csf", "fluid", "respiratory", "venous"})
"""What a longer name may say of a specimen; that one is serum or arterial is only believed where it is said exactly."""
ROLE = 11
NOBODYS = frozenset("BCEFGLOQV")
"""SPM-11, table 0369: blind, calibrator, electronic control, proficiency test, group, pool, operator's proficiency, control,
verifying calibrator. An analyser reports them as it reports patients (IHE LAW); P and R are a patient's."""


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """`specimen` is our word (empty where unknown), `specimen_name` as the sender wrote it, `specimen_number` SPM-2.

    `number` is the filler's order number with its namespace, else the placer's; empty where there is none (decisions C1).
    """

    number: str
    status: str
    issued: Moment | None
    observed: Moment | None
    collected: Moment | None
    specimen: str
    specimen_name: str
    specimen_number: str
    nobodys: bool = False
    """The specimen is a control or a pool, not a patient's."""
    one_result: bool = False
    """The number names one result for good (a FHIR id), whenever it says that it was taken."""


def order_facts(order: Order, feed: Feed) -> OrderFacts:
    name, specimen = named(order, feed)
    return OrderFacts(
        number=order_number(order),
        status="" if order.obr is None else order.obr.text(25),
        issued=feed.moment(order.obr, 22),
        observed=feed.moment(order.obr, 7),
        collected=agreed(feed.moment(one, 17) for one in order.specimens if one.name == "SPM"),
        specimen=specimen,
        specimen_name=name,
        specimen_number=agreed(map(specimen_number, order.specimens)) or "",
        nobodys=any(one.name == "SPM" and one.text(ROLE).strip().upper() in NOBODYS for one in order.specimens),
    )


def agreed(said: Iterable[T]) -> T | None:
    """What all specimens of an order say; `None` where they differ, for nobody knows then whose result it is."""
    found = set(said)
    return found.pop() if len(found) == 1 else None


def order_number(order: Order) -> str:
    """OBR before ORC."""
    for kind, field in (("filler", 3), ("placer", 2)):
        for segment in (order.obr, order.orc):
            number = "" if segment is None else plain(segment.text(field))
            if segment is not None and number not in NOTHING:
                return f"{kind}|{plain(segment.text(field, 2) or segment.text(field, 3))}|{number}"
    return ""


def specimen_number(segment: Segment) -> str:
    """SPM-2, or the container's SAC-3."""
    field = NUMBER[segment.name]
    return plain(segment.text(field) or segment.text(field, 2))


def named(order: Order, feed: Feed) -> tuple[str, str]:
    """SPM-4 or SAC-6, else OBR-15: the specimen as written, and our word for it."""
    told = [found for one in order.specimens if (found := worded(one, KIND[one.name], feed)) != ("", "")]
    if len({word for _, word in told}) > 1:
        return "", ""
    asked = ("", "") if order.obr is None else worded(order.obr, 15, feed)
    return next((found for found in (*told[:1], asked) if found[1]), told[0] if told else asked)


def worded(segment: Segment, field: int, feed: Feed) -> tuple[str, str]:
    """A specimen as one field writes it, and our word for it."""
    if not segment.raw(field):
        return "", ""
    words = [segment.text(field, component).strip() for component in SPECIMEN_COMPONENTS]
    words.append(segment.text(field, 1, 2).strip())
    found = word_of(words, feed)
    free = segment.text(field, FREE_TEXT).strip() if segment.name == "OBR" and not found[1] else ""
    told = word_of([free], feed)
    return told if told[1] else found


def word_of(words: list[str], feed: Feed) -> tuple[str, str]:
    """Of all a specimen is called the word we know, and ours for it; else the first, and nothing."""
    known = next((word for word in words if word.lower() in feed.site.specimens), "")
    if known:
        return known, feed.site.specimens[known.lower()]
    name = next((word for word in words if word not in NOTHING), "")
    return name, inside(words, feed) if name else ""


def inside(words: list[str], feed: Feed) -> str:
    """The one kind a longer name speaks of (`Venous blood gas`, `24h-Urine`), where it is none that serum or an artery gives."""
    found = {feed.site.specimens.get(part.lower(), "") for word in words for part in WORD.findall(word[:LONGEST])}
    kinds = found - {"", "blood"}
    return kinds.pop() if len(kinds) == 1 and kinds <= APART else ""
