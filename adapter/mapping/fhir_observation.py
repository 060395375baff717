"""Observation → the lines of a result, one for its value and one for each component; read as OBX are (decisions C)."""

from decimal import Decimal as Exact

from adapter.domain.ledger import Bucket
from adapter.fhir.contents import Contents, codings, element, elements, text
from adapter.fhir.strict import Decimal, Json
from adapter.hl7 import compose
from adapter.mapping.codes import candidates
from adapter.mapping.feed import Feed
from adapter.mapping.fhir_encounter import visit_named
from adapter.mapping.fhir_fields import coded, dtm, moment_of, names, segments, time_of, unit_of
from adapter.mapping.groups import ResultLine
from adapter.mapping.hl7_result import KNOWN_NOT_NEEDED, Line, ResultReader
from adapter.mapping.order import OrderFacts, word_of
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
COMPARATORS = {"<", "<=", ">", ">="}
TEXTS = ("valueString", "valueTime", "valueDateTime")
OBX_FIELDS = 23


def lines_of(observation: Json, contents: Contents, feed: Feed) -> list[Line]:
    """Of a panel only its parts are lines: what it has no value for it does not say."""
    facts = order_facts(observation, contents, feed)
    parts = elements(observation, "component")
    whole = _has_value(observation) or not (parts or elements(observation, "hasMember"))
    written = [_obx(observation, observation, feed)] if whole else []
    written += [_obx(part, observation, feed) for part in parts]
    if not written:
        return []
    asked = candidates(coded(element(observation, "code"), feed))
    if any((system, code) in feed.dictionary.susceptibilities for code, system in asked):
        return [KNOWN_NOT_NEEDED for _ in written]
    notes = [
        compose.segment("NTE", "", "", text(one, "text")) for one in elements(observation, "note") if text(one, "text")
    ]
    read = segments([*written, *notes])
    obx, nte = read[: len(written)], list(read[len(written) :])
    reader = ResultReader(feed, facts, visit_named(observation, contents), lambda: True)
    return [reader.read(ResultLine(number, line, nte)) for number, line in enumerate(obx, 1)]


def order_facts(observation: Json, contents: Contents, feed: Feed) -> OrderFacts:
    """The resource's own id names the result: nothing else of it stays what it was when it is corrected."""
    specimen = contents.target(observation.get("specimen"), observation) or {}
    name, kind = word_of([word.strip() for word in names(element(specimen, "type"))], feed)
    collection = element(specimen, "collection")
    return OrderFacts(
        number=f"fhir|{feed.source}|{text(observation, 'id')}",
        status="",
        issued=moment_of(dtm(text(observation, "issued")), feed),
        observed=moment_of(time_of(observation, "effective"), feed),
        collected=moment_of(time_of(collection, "collected"), feed),
        specimen=kind,
        specimen_name=name,
        specimen_number=next((text(one, "value") for one in elements(specimen, "identifier")), ""),
        one_result=True,
    )


def _has_value(part: Json) -> bool:
    return any(name.startswith("value") for name in part) or "dataAbsentReason" in part


def _obx(part: Json, observation: Json, feed: Feed) -> str:
    """OBX-2 to OBX-23 of one value; OBX-4 tells the components of one resource apart."""
    kind, value, unit = _value(part)
    letter = LETTERS.get(text(observation, "status"), "")
    if not kind and "dataAbsentReason" in part and letter not in {"W", "X"}:
        letter = ABSENT.get(letter, "N")
    code = coded(element(part, "code"), feed)
    performer = element(observation, "performer")
    fields: list[compose.Field] = [None] * OBX_FIELDS
    fields[0:6] = [None, kind or "ST", code, code[0] if part is not observation else "", value, unit]
    fields[7] = [one for concept in elements(part, "interpretation") for one, _, _ in codings(concept)] or None
    fields[10] = letter
    fields[13] = time_of(observation, "effective")
    fields[14] = text(performer, "identifier", "value")
    fields[22] = text(performer, "display")
    return compose.segment("OBX", *fields)


def _value(part: Json) -> tuple[str, compose.Field, compose.Field]:
    """OBX-2, OBX-5 and OBX-6; what no result is made of (Range, Ratio, SampledData) is text nobody reads as a number."""
    quantity = element(part, "valueQuantity")
    if quantity:
        return _quantity(quantity)
    concept = element(part, "valueCodeableConcept")
    if concept:
        said = tuple(word for code, display, _ in codings(concept) for word in (code, display))
        return "CWE", (*said, text(concept, "text")), None
    number = part.get("valueInteger")
    if isinstance(number, Decimal):
        return EXACT, number, None
    if isinstance(part.get("valueBoolean"), bool):
        return "ST", str(part["valueBoolean"]).lower(), None
    for name in TEXTS:
        if said_text := text(part, name):
            return "ST", said_text, None
    other = next((name for name in part if name.startswith("value") and not name.startswith("_")), "")
    return ("ST", other, None) if other else ("", "", None)


def _quantity(quantity: Json) -> tuple[str, compose.Field, compose.Field]:
    sign, said, unit = text(quantity, "comparator"), quantity.get("value"), unit_of(quantity)
    if not isinstance(said, str) or (sign and sign not in COMPARATORS):
        return ("ST", sign, unit) if sign else ("", "", unit)
    exact = isinstance(said, Decimal)
    return (EXACT, f"{sign}{_plainly(said)}", unit) if exact else ("NM", f"{sign}{said.strip()}", unit)


def _plainly(number: str) -> str:
    """Without an exponent, digit for digit."""
    digits, _, exponent = number.lower().partition("e")
    if not exponent:
        return digits
    return f"{Exact(digits).scaleb(int(exponent)):f}"


def lost(observation: Json) -> int:
    """How many lines a resource would have, where nobody may read it."""
    parts = len(elements(observation, "component"))
    return parts + (_has_value(observation) or not parts)


def buckets(observation: Json) -> tuple[Bucket, ...]:
    return (Bucket.MESSAGE_NOT_USED,) * lost(observation)
