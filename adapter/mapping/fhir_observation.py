"""Observation → the lines of a result, one for its value and one for each component; read as OBX are (decisions C)."""

from decimal import Decimal as Exact

from adapter.domain.ledger import Bucket
from adapter.fhir.contents import Contents, element, elements, time_in, word
from adapter.fhir.observed import Observed, Part, Value, has_value, observed
from adapter.fhir.strict import Json
from adapter.hl7 import compose
from adapter.hl7.datatypes import Moment
from adapter.mapping.codes import candidates
from adapter.mapping.feed import Feed
from adapter.mapping.fhir_encounter import visit_named
from adapter.mapping.fhir_fields import dtm, moment_of, names, segments, two_codings
from adapter.mapping.groups import ResultLine
from adapter.mapping.hl7_result import KNOWN_NOT_NEEDED, Line, ResultReader
from adapter.mapping.order import OrderFacts, word_of
from adapter.mapping.plain import plain
from adapter.mapping.values import EXACT

LETTERS = {
    "registered": "I",
    "specimen-in-process": "I",
    "preliminary": "P",
    "final": "F",
    "appended": "F",
    "amended": "C",
    "corrected": "C",
    "cancelled": "X",
    "entered-in-error": "W",
}
"""Observation.status in table 0085; `unknown` is silence, and silence is never final."""
ABSENT = {"C": "X"}
"""A result that was corrected to "there is none" is taken back; any other without a value is not asked for (N)."""
TYPES = {"number": EXACT, "integer": EXACT, "quantity": "NM", "answer": "CWE"}
"""OBX-2 of a value; of any other it is ST."""
OBX_FIELDS = 23


def lines_of(observation: Json, contents: Contents, feed: Feed) -> list[Line]:
    told = observed(observation)
    parts = told.parts if told.own is None else [told.own, *told.parts]
    if not parts:
        return []
    asked = candidates(two_codings(told.codings, told.name, feed))
    if any((system, code) in feed.dictionary.susceptibilities for code, system in asked):
        return [KNOWN_NOT_NEEDED for _ in parts]
    obx = segments([_obx(part, told, feed) for part in parts])
    notes = list(segments([compose.segment("NTE", "", "", note) for note in told.notes]))
    facts = order_facts(told, observation, contents, feed)
    reader = ResultReader(feed, facts, visit_named(observation, contents), lambda: True)
    return [reader.read(ResultLine(number, line, notes)) for number, line in enumerate(obx, 1)]


def order_facts(told: Observed, observation: Json, contents: Contents, feed: Feed) -> OrderFacts:
    """The resource's own id names the result: nothing else of it stays what it was when it is corrected."""
    specimen = contents.target(observation.get("specimen"), observation)
    name, kind = word_of([one.strip() for one in names(element(specimen, "type"))], feed) if specimen else ("", "")
    return OrderFacts(
        number=f"fhir|{feed.source}|{told.id}",
        status="",
        issued=moment_of(dtm(told.issued), feed),
        observed=moment_of(dtm(told.effective), feed),
        collected=_collected(specimen, feed) if specimen else None,
        specimen=kind,
        specimen_name=name,
        specimen_number=next((plain(word(one, "value")) for one in elements(specimen, "identifier")), ""),
        one_result=True,
    )


def _collected(specimen: Json, feed: Feed) -> Moment | None:
    return moment_of(dtm(time_in(element(specimen, "collection"), "collected")), feed)


def _obx(part: Part, told: Observed, feed: Feed) -> str:
    """OBX-2 to OBX-23 of one value; OBX-4 tells the components of one resource apart."""
    letter = LETTERS.get(told.status, "")
    if not part.value.kind and part.absent and letter not in {"W", "X"}:
        letter = ABSENT.get(letter, "N")
    code = two_codings(part.codings, part.name, feed)
    fields: list[compose.Field] = [None] * OBX_FIELDS
    fields[1], fields[2], fields[3] = TYPES.get(part.value.kind, "ST"), code, "" if part is told.own else code[0]
    fields[4], fields[5] = _value(part.value), part.value.unit
    fields[7] = part.interpretations or None
    fields[10] = letter
    fields[13] = dtm(told.effective)
    fields[14], fields[22] = told.performer
    return compose.segment("OBX", *fields)


def _value(value: Value) -> compose.Field:
    """OBX-5."""
    if value.kind == "number":
        return f"{value.sign}{_plainly(value.said)}"
    return value.words or f"{value.sign}{value.said.strip()}"


def _plainly(number: str) -> str:
    """Without an exponent, digit for digit."""
    digits, _, exponent = number.lower().partition("e")
    if not exponent:
        return digits
    return f"{Exact(digits).scaleb(int(exponent)):f}"


def lost(observation: Json) -> int:
    """How many lines a resource would have, where nobody may read it."""
    parts = len(elements(observation, "component"))
    return parts + (has_value(observation) or not parts)


def buckets(observation: Json) -> tuple[Bucket, ...]:
    return (Bucket.MESSAGE_NOT_USED,) * lost(observation)
