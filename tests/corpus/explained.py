"""Why somebody's FHIR says otherwise than we read: every difference has a name, and a rule that recognises it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapter.hl7.er7 import Segment
from adapter.mapping.values import CODED
from tests.corpus.expected import Facts, Pair, Person, our_person, our_results, their_person, their_results

DOCUMENTS = frozenset({"ED", "RP"})
TIMES = frozenset({"DT", "TM", "DTM", "TS", "DR"})
TEXTS = frozenset({"ST", "TX", "FT", "NR", "VR", "NA", "XCN", "CP", "ID", "IS", "SN", "CQ", "EI", "", "NM"})


@dataclass(frozen=True)
class Odd:
    """One thing that is not the same; `obx` is the segment, where it is about one."""

    pair: Pair
    what: str
    ours: Any
    theirs: Any
    obx: Segment | None = None
    mine: Facts | None = None
    other: Facts | None = None

    @property
    def kind(self) -> str:
        return "" if self.obx is None else self.obx.text(2).strip().upper()

    @property
    def letter(self) -> str:
        return "" if self.obx is None else self.obx.text(11).strip().upper()


@dataclass(frozen=True)
class Reason:
    id: str
    what: str
    why: str
    fits: Callable[[Odd], bool]


@dataclass
class Count:
    """How much was compared."""

    pairs: int = 0
    persons: int = 0
    results: int = 0
    same: int = 0
    """Facts that agree: identifiers, names, birth dates, sexes; codes, statuses, times, numbers, answers, units."""


def compared(pair: Pair, count: Count) -> Iterator[Odd]:
    count.pairs += 1
    yield from persons(pair, count)
    yield from results(pair, count)


def persons(pair: Pair, count: Count) -> Iterator[Odd]:
    mine, other = our_person(pair), their_person(pair)
    if mine is None or other is None:
        if (mine is None) != (other is None):
            yield Odd(pair, "patient", mine, other)
        return
    count.persons += 1
    for what in Person.__dataclass_fields__:
        left, right = getattr(mine, what), getattr(other, what)
        if left == right:
            count.same += 1
        else:
            yield Odd(pair, what, left, right)


def results(pair: Pair, count: Count) -> Iterator[Odd]:
    waiting = their_results(pair)
    for mine, obx in zip(our_results(pair), pair.message.all("OBX"), strict=True):
        other = next((one for one in waiting if one.codes & mine.codes or same_nameless(mine, one)), None)
        if other is None:
            yield Odd(pair, "observation", mine, None, obx)
            continue
        waiting.remove(other)
        count.results += 1
        for what, same in FACTS.items():
            if same(mine, other):
                count.same += 1
            else:
                yield Odd(pair, what, getattr(mine, what), getattr(other, what), obx, mine, other)
    for other in waiting:
        yield Odd(pair, "other observation", None, other)


def same_nameless(mine: Facts, other: Facts) -> bool:
    return not mine.codes and not other.codes


def same_instant(mine: Facts, other: Facts) -> bool:
    if not mine.time or not other.time:
        return mine.time == other.time
    theirs = datetime.fromisoformat(other.time)
    return theirs.tzinfo is not None and theirs == datetime.fromisoformat(mine.time)


FACTS: dict[str, Callable[[Facts, Facts], bool]] = {
    "codes": lambda mine, other: mine.codes == other.codes,
    "status": lambda mine, other: mine.status == other.status,
    "time": same_instant,
    "number": lambda mine, other: mine.number == other.number,
    "answers": lambda mine, other: mine.answers == other.answers,
    "units": lambda mine, other: other.units <= mine.units and bool(other.units) == bool(mine.units),
}


def reason_of(odd: Odd) -> str:
    return next((one.id for one in REASONS if one.what == odd.what and one.fits(odd)), "")


# --- rules --------------------------------------------------------------------------------------------------------------------


def of_other_fields(odd: Odd) -> bool:
    """Every number of theirs beyond ours stands somewhere else in the message."""
    message = odd.pair.message
    elsewhere = "\r".join(
        "|".join(raw for number, raw in enumerate(fields_of(segment)) if (segment.name, number) != ("PID", 3))
        for segment in message.segments
    )
    return odd.ours < odd.theirs and all(value in elsewhere for value in odd.theirs - odd.ours)


def fields_of(segment: Segment) -> list[str]:
    return [segment.raw(number) for number in range(len(segment.wire_fields()))]


def wall_clock(odd: Odd) -> bool:
    """The same numbers on the clock, in another zone or without one."""
    if not odd.ours or not odd.theirs:
        return False
    return datetime.fromisoformat(odd.theirs).replace(tzinfo=None) == datetime.fromisoformat(odd.ours).replace(
        tzinfo=None
    )


def time_of_order(odd: Odd) -> bool:
    return not odd.theirs and odd.obx is not None and odd.pair.feed.moment(odd.obx, 14) is None


def codes_of_message(pair: Pair) -> frozenset[str]:
    return frozenset(code for mine in our_results(pair) for code in mine.codes)


REASONS = (
    Reason(
        "other-number-fields",
        "identifiers",
        "They add the numbers of PID-2, 4, 18, 19, 20, of insurance and of relatives. We know patients by PID-3 alone.",
        of_other_fields,
    ),
    Reason(
        "beyond-a-life",
        "born",
        "A date of birth before 1896 is a mistake: the age stays unknown (reliability C05).",
        lambda odd: not odd.ours and odd.theirs[:4] < "1896",
    ),
    Reason(
        "local-sex",
        "sex",
        "PID-8 holds a code that is not of table 0001; they mapped it for one sender, we say unknown.",
        lambda odd: odd.ours == "unknown",
    ),
    Reason(
        "merge-without-patient",
        "patient",
        "An A40 becomes no Patient there; we read the survivor.",
        lambda odd: odd.theirs is None and odd.pair.message.first("MRG") is not None,
    ),
    Reason(
        "status-letter",
        "status",
        "Table 0085 letters they map to `unknown`: O, I, N carry no value, R, S, P and A are not final, V and U confirm (decisions C4).",
        lambda odd: odd.theirs == "unknown" and odd.letter in set("OINRSPAVU"),
    ),
    Reason(
        "status-of-order",
        "status",
        "OBX-11 is empty: OBR-25 says what they do not look at.",
        lambda odd: not odd.letter and odd.theirs == "unknown",
    ),
    Reason(
        "time-of-order",
        "time",
        "OBX-14 is empty or unreadable: the time is OBR-7 (or SPM-17), which their Observation leaves to the report.",
        time_of_order,
    ),
    Reason(
        "zone",
        "time",
        "No offset was sent: they write the wall clock in another zone or none, we read it in the site's (here UTC, and flagged).",
        wall_clock,
    ),
    Reason(
        "mark-in-structure",
        "number",
        "`>^1^.^3`: they read >1; SN.3 may be `-`, `+`, `/`, `.` or `:`, and such a value is two numbers (chapter 2A). We read none.",
        lambda odd: odd.kind == "SN" and odd.ours is None and odd.obx is not None and bool(odd.obx.text(5, 3)),
    ),
    Reason(
        "structure-without-comparator",
        "number",
        "`^28` is 28 (chapter 2A: an absent comparator means equal); they leave the value out.",
        lambda odd: odd.kind == "SN" and odd.theirs is None and odd.obx is not None and not odd.obx.text(5),
    ),
    Reason(
        "code-for-number",
        "number",
        "A coded type: they keep the code. We try a number only where the concept is one.",
        lambda odd: odd.kind in CODED and odd.theirs is None,
    ),
    Reason(
        "time-for-number",
        "number",
        "A date: only a concept that is a number would ask, and its limits refuse it.",
        lambda odd: odd.kind in TIMES and odd.theirs is None,
    ),
    Reason(
        "text-for-number",
        "number",
        "A number in a text type: they keep the text. Laboratories send numbers so (reliability C42).",
        lambda odd: odd.kind in TEXTS and odd.theirs is None and odd.other is not None and bool(odd.other.text),
    ),
    Reason(
        "unit-without-quantity",
        "units",
        "Their value is no Quantity, so the unit of OBX-6 is lost or stands in an extension.",
        lambda odd: not odd.theirs and odd.other is not None and odd.other.number is None,
    ),
    Reason(
        "repeated-value",
        "answers",
        "OBX-5 repeats: they leave it out; a repeated value is not one value.",
        lambda odd: odd.obx is not None and odd.obx.repetitions(5) > 1,
    ),
    *(
        Reason(
            "document-beside",
            what,
            "Their Observation of this code is of another OBX; a pointer makes none.",
            lambda odd: odd.kind in DOCUMENTS,
        )
        for what in ("status", "time")
    ),
    Reason(
        "document",
        "observation",
        "An embedded document or a pointer: a DocumentReference or nothing there.",
        lambda odd: odd.kind in DOCUMENTS,
    ),
    Reason(
        "no-code",
        "observation",
        "OBX-3 is empty: no Observation there; here an unmapped code.",
        lambda odd: not odd.ours.codes,
    ),
    Reason(
        "no-result",
        "observation",
        "No Observation is made of a result that is pending or only describes an order.",
        lambda odd: odd.letter in {"O", "I"},
    ),
    Reason(
        "of-other-segments",
        "other observation",
        "Made of PDA, ACC, ARV, NTE or IAM, or of a later version of the message: no OBX of this message has its code.",
        lambda odd: not odd.theirs.codes & codes_of_message(odd.pair),
    ),
)
