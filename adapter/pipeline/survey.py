"""What no mapping knew, with what the newest messages show of it: looked at when asked, never kept, no patient told."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from adapter.domain.quantity import decimal_text
from adapter.mapping import suggest
from adapter.mapping.dictionary import Dictionary
from adapter.mapping.examples import Example, examples
from adapter.mapping.suggest import Shape, Suggestion
from adapter.screening.rulebook import Rulebook
from adapter.store import again, unmapped
from adapter.store.database import Snapshot
from adapter.store.unmapped import LONGEST, Met

MESSAGES = 300
"""How many of the newest messages are looked at for examples, beside the newest of each code."""
AT_ONCE = 20
FEW = 5
"""Values of fewer patients are nobody's to see: their range would be somebody's result."""
SHOWN = 3
"""Names, units, senders and concepts that are told of one code."""
DIGITS = 2
"""To which a range is rounded, outwards: its ends are somebody's results."""
Key = tuple[str, str, str]


@dataclass(slots=True)
class Seen:
    """What examples show, together."""

    names: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    senders: Counter[str] = field(default_factory=Counter)
    concepts: Counter[str] = field(default_factory=Counter)
    persons: set[str] = field(default_factory=set)
    numbers: set[Fraction] = field(default_factory=set)
    results: int = 0
    worded: int = 0

    def add(self, example: Example, sender: str) -> None:
        self.results += 1
        self.worded += example.worded
        self.persons.add(example.person)
        for counter, said in (
            (self.names, example.name),
            (self.units, example.unit),
            (self.senders, sender),
            (self.concepts, example.concept),
        ):
            if said:
                counter[said] += 1
        if example.number is not None:
            self.numbers.add(example.number)


@dataclass(frozen=True, slots=True)
class Found:
    """A code, unit, drug, answer or specimen nobody mapped; when it was met; what examples show; what it may mean."""

    met: Met
    seen: Seen
    suggestions: tuple[Suggestion, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """No patient, and no value that is one patient's."""
        met, seen = self.met, self.seen
        few = len(seen.persons) < FEW
        return {
            "source": met.missed.source,
            "site": met.site,
            "code": met.missed.code,
            "said": met.missed.detail,
            "count": f"< {FEW}" if few and met.missed.count < FEW else met.missed.count,
            "first": None if met.first is None else met.first.isoformat(),
            "last": None if met.last is None else met.last.isoformat(),
            "senders": _most(seen.senders),
            "names": _most(seen.names),
            "units": _most(seen.units),
            "concepts": _most(seen.concepts),
            "values": None if few or not seen.results else _values(seen),
        }


def _most(counter: Counter[str]) -> list[str]:
    return [word for word, _ in counter.most_common(SHOWN)]


def _values(seen: Seen) -> dict[str, Any]:
    numbers = sorted(seen.numbers)
    distinct: int | str = len(numbers) if len(numbers) >= FEW else f"< {FEW}"
    found: dict[str, Any] = {"results": seen.results, "in_words": seen.worded, "distinct": distinct}
    ends = (_outwards(numbers[0], up=False), _outwards(numbers[-1], up=True)) if numbers else (None, None)
    return found | {"low": ends[0], "high": ends[1]}


def _outwards(value: Fraction, *, up: bool) -> str:
    """Two digits of it, away from the middle."""
    if not value:
        return "0"
    step = Fraction(1)
    while abs(value) >= 10**DIGITS * step:
        step *= 10
    while abs(value) < 10 ** (DIGITS - 1) * step:
        step /= 10
    steps = value / step
    return decimal_text((-(-steps // 1) if up else steps // 1) * step)


def survey(conn: Snapshot, rules: Rulebook, limit: int, *, source: str | None = None) -> list[Found]:
    """The most frequent first."""
    known = unmapped.met(conn, limit, source=source)
    seen: dict[Key, Seen] = {(m.missed.source, m.missed.code, m.missed.detail): Seen() for m in known}
    recent = [one for one, issues in again.newest(conn, MESSAGES, source=source) if _counted(issues)]
    for key, example, sender in _examples(conn, rules, sorted({*recent, *(m.newest for m in known)})):
        if key in seen:
            seen[key].add(example, sender)
    found = [Found(m, seen[m.missed.source, m.missed.code, m.missed.detail]) for m in known]
    return [Found(one.met, one.seen, tuple(suggested(one, rules))) for one in found]


def _counted(issues: Iterable[Any]) -> bool:
    return any(issue.code in unmapped.COUNTED for issue in issues)


def _examples(conn: Snapshot, rules: Rulebook, messages: list[int]) -> Iterator[tuple[Key, Example, str]]:
    for at in range(0, len(messages), AT_ONCE):
        for item in again.bodies(conn, messages[at : at + AT_ONCE]):
            said, words = item.message, rules.words.get(item.message.site)
            for example in examples(said, words) if words is not None else ():
                yield (said.source, example.code, example.detail[:LONGEST]), example, said.sender


def suggested(found: Found, rules: Rulebook) -> list[Suggestion]:
    """By the kind of thing it is; nothing for an answer, which only the question's own words decide."""
    site, dictionary = rules.sites.get(found.met.site), rules.dictionary
    if site is None or found.met.missed.detail in {"", unmapped.REST}:
        return []
    shape = _shape(found)
    match found.met.missed.code:
        case "unmapped-code":
            return suggest.concepts(shape, dictionary, site.units)
        case "unmapped-unit":
            at = [dictionary.concepts[one] for one in found.seen.concepts]
            return suggest.spellings(shape, at, site.units)
        case "unmapped-drug":
            return suggest.words(
                shape, {name: _rate_names(name, dictionary) for name in dictionary.formulary.substances}
            )
        case "unknown-specimen":
            spelled = {word: [s for s, w in site.specimens.items() if w == word] for word in site.specimens.values()}
            return suggest.words(shape, spelled)
    return []


def _rate_names(substance: str, dictionary: Dictionary) -> list[str]:
    """What an infusion of it is called, where its rate is a concept."""
    rate = dictionary.concepts.get(f"{substance}-rate")
    return [] if rate is None else [word for words in rate.synonyms.values() for word in words]


def _shape(found: Found) -> Shape:
    seen = found.seen
    low, high = (min(seen.numbers), max(seen.numbers)) if seen.numbers else (None, None)
    names, units = tuple(_most(seen.names)), tuple(_most(seen.units))
    return Shape(found.met.missed.detail, names, units, low, high, seen.worded)
