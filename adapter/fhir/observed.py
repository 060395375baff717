"""Observation → what it says, element by element as the server wrote it; nothing is judged here, and nothing else is looked at."""

from typing import NamedTuple

from adapter.fhir.contents import Coding, Unit, coding_list, element, elements, text, time_in, unit_of, word
from adapter.fhir.strict import Decimal, Json

COMPARATORS = frozenset({"<", "<=", ">", ">="})
TEXTS = ("valueString", "valueTime", "valueDateTime")


class Value(NamedTuple):
    """`kind`: `number` (exact), `integer`, `quantity` (a number in quotes), `answer`, `text`, or empty where nothing is said.

    What no result is made of (Range, Ratio, SampledData) is a text: the element's name, which nobody reads as a number.
    """

    kind: str = ""
    said: str = ""
    sign: str = ""
    unit: Unit | None = None
    words: tuple[str, ...] = ()


class Part(NamedTuple):
    """A value with its code: the resource's own, or a component's."""

    codings: list[Coding]
    name: str
    value: Value
    absent: bool
    interpretations: list[str]


class Observed(NamedTuple):
    """`own` is what the resource has as its own value, `parts` are its components. Times are FHIR's, `effective` the end of
    a Period (else its start) or the first event of a Timing.
    """

    id: str
    status: str
    codings: list[Coding]
    name: str
    own: Part | None
    parts: list[Part]
    effective: str
    issued: str
    performer: Unit
    notes: list[str]


def observed(resource: Json) -> Observed:
    """Of a panel only its parts: what it has no value for it does not say."""
    components = elements(resource, "component")
    panel = components or elements(resource, "hasMember")
    code = element(resource, "code")
    codings, name = coding_list(code), word(code, "text")
    performer = element(resource, "performer")
    return Observed(
        word(resource, "id"),
        word(resource, "status"),
        codings,
        name,
        None if panel and not has_value(resource) else _part(resource, codings, name),
        [_component(one) for one in components],
        time_in(resource, "effective"),
        word(resource, "issued"),
        (text(performer, "identifier", "value"), word(performer, "display")) if performer else ("", ""),
        [note for one in elements(resource, "note") if (note := word(one, "text"))],
    )


def has_value(part: Json) -> bool:
    return any(name.startswith("value") for name in part) or "dataAbsentReason" in part


def _component(part: Json) -> Part:
    code = element(part, "code")
    return _part(part, coding_list(code), word(code, "text"))


def _part(part: Json, codings: list[Coding], name: str) -> Part:
    letters = [code for concept in elements(part, "interpretation") for code, _, _ in coding_list(concept)]
    return Part(codings, name, value_of(part), "dataAbsentReason" in part, letters)


def value_of(part: Json) -> Value:
    if quantity := element(part, "valueQuantity"):
        return _quantity(quantity)
    if concept := element(part, "valueCodeableConcept"):
        words = [said for code, display, _ in coding_list(concept) for said in (code, display)]
        return Value("answer", words=(*words, word(concept, "text")))
    number = part.get("valueInteger")
    if isinstance(number, Decimal):
        return Value("integer", number)
    if isinstance(part.get("valueBoolean"), bool):
        return Value("text", str(part["valueBoolean"]).lower())
    for name in TEXTS:
        if written := word(part, name):
            return Value("text", written)
    other = next((name for name in part if name.startswith("value")), "")
    return Value("text", other) if other else Value()


def _quantity(quantity: Json) -> Value:
    """A sign that is none of FHIR's is all that is read of it."""
    sign, number, unit = word(quantity, "comparator"), quantity.get("value"), unit_of(quantity)
    if not isinstance(number, str) or (sign and sign not in COMPARATORS):
        return Value("text" if sign else "", sign, unit=unit)
    return Value("number" if isinstance(number, Decimal) else "quantity", number, sign, unit)
