"""The judge: from what was owed and what was heard to a verdict with words; no socket, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import getdoc

from adapter.conformance.answers import NEGATIVE, Answer
from adapter.conformance.model import CLOSED, NONE, REFUSED, Case, Exchange, Finding, Heard, Made, Seen, Verdict
from adapter.conformance.profiles import Profile

LONGEST = 80
"""Characters of a receiver's own words in a finding."""
SILENT = "the sender would send it again, for ever; look for it in the receiver's log by its MSH-10"
UNFRAMED = "wrap every answer in VT … FS CR and send nothing outside of it"
WRONG = "mend what decides the answer, or agree on another profile"
OTHER_ORDER = "answer the messages of a connection one after another, with their own MSH-10 in MSA-2"
TOO_MANY = "answer each message once, and never one that asks for no answer"
STAYS_OPEN = "close a connection that cannot be understood"
LOOK = "see the rule"


class ComplaintError(Exception):
    """What came instead, and what to do about it."""

    def __init__(self, came: str, do: str) -> None:
        super().__init__(came)
        self.came, self.do = came, do


@dataclass(frozen=True, slots=True)
class Owed:
    made: Made
    word: str
    good: bool = False
    """Whether it is the good message behind the case."""


def owed(case: Case, made: Sequence[Made], profile: Profile) -> list[Owed]:
    """Each message with the word it is owed; the last one is the good message behind the case."""
    words = case.owed(strict=profile.refuses)
    own = made[:-1]
    if len(words) == 1:
        words *= len(own)
    if len(words) != len(own) and not (words == (NONE,) or own == []):
        raise ValueError(f"{case.id}: {len(own)} messages, {len(words)} answers")
    return [*map(Owed, own, words), Owed(made[-1], "AA", good=True)]


def judge(case: Case, made: Sequence[Made], lines: Mapping[int, Heard], profile: Profile, *, now: float = 0) -> Finding:
    try:
        exchanges = _exchanges(case, made, lines, profile)
        _checked(case, Seen(exchanges, lines, now))
    except ComplaintError as found:
        return Finding(case, Verdict.FAILED, expected(case, profile), found.came, case.do or found.do)
    return Finding(case, Verdict.PASSED, expected(case, profile))


def _exchanges(case: Case, made: Sequence[Made], lines: Mapping[int, Heard], profile: Profile) -> tuple[Exchange, ...]:
    """The case's own, without the good message behind. Raises ComplaintError where an answer is not as owed."""
    due = owed(case, made, profile)
    found = [one for number, heard in lines.items() for one in _matched(due, number, heard)]
    _no_fatal_code(found, profile)
    return tuple(one for one in found if one.sent != made[-1].body)


def _checked(case: Case, seen: Seen) -> None:
    if case.closes and seen.lines[0].end == "open":
        raise ComplaintError("the connection stayed open", STAYS_OPEN)
    complaint = case.check(seen) if case.check else ""
    if complaint:
        raise ComplaintError(complaint, LOOK)


def expected(case: Case, profile: Profile) -> str:
    """In words: the answers, what else is looked at, and the good message behind."""
    words = ", ".join(map(_spoken, case.owed(strict=profile.refuses)))
    parts = [words, (getdoc(case.check) or "").split("\n")[0].rstrip(".") if case.check else ""]
    parts += ["the connection is closed" if case.closes else ""]
    where = "on the same connection" if case.after == "same" else "on a new connection"
    return "; ".join([part for part in parts if part] + [f"then AA for a good message {where}"])


def _spoken(word: str) -> str:
    told = {NONE: "no answer", REFUSED: "no positive answer", CLOSED: "the connection closed"}
    return " or ".join(told.get(one, one) for one in word.split("/"))


# --- answers to messages ---------------------------------------------------------------------------------------------------


def _matched(due: Sequence[Owed], number: int, heard: Heard) -> list[Exchange]:
    """The exchanges of one line. Raises ComplaintError at the first that is not as owed."""
    mine = [one for one in due if one.made.line == number]
    got = heard.answers()
    found: list[Exchange] = []
    for place, one in enumerate(mine):
        answer = got[0] if got else None
        if answer is not None and _is_about(answer, one.made, mine[place + 1 :]):
            _must_fit(answer, one.word)
            found.append(Exchange(one.made.body, got.pop(0)))
        elif answer is not None and _is_known(answer, mine[:place]):
            raise ComplaintError(f"a second answer to one message: {told(answer)}", TOO_MANY)
        elif not _may_be_silent(one.word, heard):
            raise _missing(one, answer, heard)
    if got:
        raise ComplaintError(f"{len(got)} more than were asked for: {told(got[0])}", TOO_MANY)
    return found


def _is_about(answer: Answer, made: Made, later: Sequence[Owed]) -> bool:
    if made.control_id is not None:
        return answer.about == made.control_id
    return not any(answer.about and answer.about == one.made.control_id for one in later)


def _is_known(answer: Answer, earlier: Sequence[Owed]) -> bool:
    return any(answer.about and answer.about == one.made.control_id for one in earlier)


def _must_fit(answer: Answer, word: str) -> None:
    if not any(_fits(answer, one) for one in word.split("/")):
        raise ComplaintError(told(answer), TOO_MANY if word == NONE else WRONG)


def _fits(answer: Answer, word: str) -> bool:
    if word == REFUSED:
        return answer.code in NEGATIVE
    return word in (answer.code, answer.word)


def _may_be_silent(word: str, heard: Heard) -> bool:
    words = word.split("/")
    return NONE in words or REFUSED in words or (CLOSED in words and heard.end != "open")


def _missing(one: Owed, answer: Answer | None, heard: Heard) -> ComplaintError:
    if answer is not None:
        other = "an answer about another message" if answer.about else "an answer about nothing (MSA-2 empty)"
        return ComplaintError(f"{other}: {told(answer)}, MSA-2 “{_cut(answer.about)}”", OTHER_ORDER)
    if heard.end == "unreachable":
        return ComplaintError("no connection could be made", "see whether the receiver still runs")
    outside = heard.outside()
    if outside:
        return ComplaintError(f"{len(outside)} bytes in no frame: “{_cut(outside)}”", UNFRAMED)
    ended = "" if heard.end == "open" else f"; the connection was {heard.end}"
    which = "the good message behind" if one.good else "a message"
    return ComplaintError(f"no answer to {which}{ended}", SILENT)


GOOD_LINE = 99
"""The number of the new line a good message goes on."""


def _no_fatal_code(exchanges: Sequence[Exchange], profile: Profile) -> None:
    for one in exchanges:
        if one.answer.code in profile.never:
            raise ComplaintError(f"{told(one.answer)}, which stops the feed of this sender", WRONG)


def told(answer: Answer) -> str:
    """The code, its error, and the receiver's words for it."""
    words = answer.field("MSA", 3) or answer.field("ERR", 8)
    return f"{answer.word} “{_cut(words)}”" if words else answer.word


def _cut(data: bytes) -> str:
    text = data.decode("utf-8", "replace")
    shown = "".join(letter if letter.isprintable() else "·" for letter in text[:LONGEST])
    return f"{shown}…" if len(text) > LONGEST else shown
