"""What the results of one order share, read once: its number, times, specimen and status."""

from dataclasses import dataclass

from adapter.hl7.datatypes import Moment
from adapter.mapping.feed import Feed
from adapter.mapping.groups import Order
from adapter.mapping.plain import plain

SPECIMEN_COMPONENTS = (1, 2, 4, 5)
NOTHING = frozenset({"", '""'})


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


def order_facts(order: Order, feed: Feed) -> OrderFacts:
    name, specimen = named(order, feed)
    return OrderFacts(
        number=order_number(order),
        status="" if order.obr is None else order.obr.text(25),
        issued=feed.moment(order.obr, 22),
        observed=feed.moment(order.obr, 7),
        collected=feed.moment(order.spm, 17),
        specimen=specimen,
        specimen_name=name,
        specimen_number="" if order.spm is None else plain(order.spm.text(2) or order.spm.text(2, 2)),
    )


def order_number(order: Order) -> str:
    """OBR before ORC."""
    for kind, field in (("filler", 3), ("placer", 2)):
        for segment in (order.obr, order.orc):
            number = "" if segment is None else plain(segment.text(field))
            if segment is not None and number not in NOTHING:
                return f"{kind}|{plain(segment.text(field, 2) or segment.text(field, 3))}|{number}"
    return ""


def named(order: Order, feed: Feed) -> tuple[str, str]:
    """SPM-4, else OBR-15: the specimen as written, and our word for it."""
    first = ""
    for segment, field in ((order.spm, 4), (order.obr, 15)):
        if segment is None or not segment.raw(field):
            continue
        words = [segment.text(field, component).strip() for component in SPECIMEN_COMPONENTS]
        words.append(segment.text(field, 1, 2).strip())
        for word in words:
            if word.lower() in feed.site.specimens:
                return word, feed.site.specimens[word.lower()]
        first = first or next((word for word in words if word not in NOTHING), "")
    return first, ""
