"""What other people's converters made FHIR of, beside what we read of the same bytes: patients, and each OBX before any concept is chosen."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from adapter.errors import MalformedMessageError
from adapter.hl7 import er7
from adapter.hl7.datatypes import identifiers, number, structured_number
from adapter.hl7.er7 import Message, Segment
from adapter.mapping.codes import candidates
from adapter.mapping.feed import Feed, feed_of
from adapter.mapping.groups import patient_groups
from adapter.mapping.hl7_patient import birth_date, sex
from adapter.mapping.order import OrderFacts, order_facts
from adapter.mapping.status import Said, said
from adapter.mapping.values import CODED, written
from adapter.mapping.words import Words
from tests.catalogue.bench import rules
from tests.conftest import data_folder

FOLDER = data_folder() / "hl7v2"
RECEIVED = datetime(2026, 6, 1, tzinfo=UTC)
Json = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """One result. `value` is a number, a set of codes or a text; `number` an exact one with its comparator."""

    codes: frozenset[str]
    status: str
    time: str
    number: tuple[Fraction, str] | None = None
    answers: frozenset[str] = frozenset()
    text: str = ""
    units: frozenset[str] = frozenset()
    raw: Any = None


@dataclass(frozen=True)
class Person:
    identifiers: frozenset[str]
    family: str
    given: str
    born: str
    sex: str


@dataclass(frozen=True)
class Pair:
    """One message and the bundle somebody expects of it."""

    source: str
    path: Path
    message: Message
    bundle: list[Json] = field(repr=False)

    @property
    def feed(self) -> Feed:
        return feed_of(self.message, words(), message_id="1", received=RECEIVED)


@cache
def words() -> Words:
    shared = rules()
    return Words(shared.sites["generic"], shared.dictionary)


def pairs() -> Iterator[Pair]:
    for source, hl7, fhir in files():
        try:
            message = er7.parse(hl7.read_bytes())
        except MalformedMessageError:
            continue
        entries = json.loads(fhir.read_text(encoding="utf-8-sig")).get("entry", [])
        yield Pair(source, hl7, message, [entry["resource"] for entry in entries if "resource" in entry])


def files() -> Iterator[tuple[str, Path, Path]]:
    for hl7 in sorted((FOLDER / "cdc-reportstream").rglob("*.hl7")):
        if (fhir := hl7.with_suffix(".fhir")).exists():
            yield "cdc-reportstream", hl7, fhir
    microsoft = FOLDER / "microsoft-fhir-converter"
    messages = {path.stem: path for path in (microsoft / "data").rglob("*.hl7")}
    for fhir in sorted(microsoft.rglob("*-expected.json")):
        yield "microsoft-fhir-converter", messages[fhir.name.removesuffix("-expected.json")], fhir
    for hl7 in sorted((FOLDER / "google-wstl").rglob("*.hl7")):
        if (fhir := hl7.with_name(hl7.name + ".fhir.output.json")).exists():
            yield "google-wstl", hl7, fhir


# --- ours ---------------------------------------------------------------------------------------------------------------------

STATUS = {
    Said.FINAL: "final",
    Said.CONFIRMED: "final",
    Said.CORRECTED: "corrected",
    Said.NOT_FINAL: "preliminary",
    Said.WITHDRAWN: "withdrawn",
    Said.NOTHING: "no value",
    None: "unknown",
}


def our_results(pair: Pair) -> list[Facts]:
    feed = pair.feed
    return [
        our_result(line.obx, order_facts(order, feed), feed)
        for group in patient_groups(pair.message)
        for order in group.orders
        for line in order.results
    ]


def our_result(obx: Segment, order: OrderFacts, feed: Feed) -> Facts:
    """As `hl7_result.ResultReader` reads it, whatever its code is."""
    result = written(obx)
    observed = feed.moment(obx, 14) or order.observed or order.collected
    read = None
    if not result.repeated:
        read = structured_number(result.parts) if result.type == "SN" else number(result.number)
    coded = result.type in CODED
    return Facts(
        codes=frozenset(code for code, _ in candidates(obx.components(3))),
        status=STATUS[said(obx.text(11), order.status)],
        time="" if observed is None else observed.instant.isoformat(),
        number=None if read is None else (read.value, read.comparator or ""),
        answers=frozenset(part for place, part in enumerate(result.parts) if part and place in {0, 3})
        if coded
        else frozenset(),
        text=obx.whole(5),
        units=frozenset(result.units),
        raw=obx.wire,
    )


def our_person(pair: Pair) -> Person | None:
    pid = pair.message.first("PID")
    if pid is None:
        return None
    return Person(
        frozenset(one.value for one in identifiers(pid, 3)),
        pid.text(5).strip(),
        pid.text(5, 2).strip(),
        birth_date(pid.text(7), pair.feed),
        sex(pid.text(8)),
    )


# --- theirs -------------------------------------------------------------------------------------------------------------------

THEIR_STATUS = {
    "final": "final",
    "corrected": "corrected",
    "amended": "corrected",
    "preliminary": "preliminary",
    "registered": "no value",
    "cancelled": "withdrawn",
    "entered-in-error": "withdrawn",
    "unknown": "unknown",
}
COMPARATORS = {"<": "<", "<=": "<=", ">": ">", ">=": ">="}


def their_results(pair: Pair) -> list[Facts]:
    return [their_result(one) for one in pair.bundle if one["resourceType"] == "Observation"]


def their_result(one: Json) -> Facts:
    quantity = one.get("valueQuantity", {})
    read = None
    if "value" in quantity:
        read = (Fraction(str(quantity["value"])), COMPARATORS.get(quantity.get("comparator", ""), ""))
    return Facts(
        codes=codes(one.get("code", {})),
        status=THEIR_STATUS[one["status"]],
        time=str(one.get("effectiveDateTime") or one.get("effectivePeriod", {}).get("start") or ""),
        number=read,
        answers=codes(one.get("valueCodeableConcept", {})),
        text=str(one.get("valueString", "")),
        units=frozenset(str(quantity[key]) for key in ("unit", "code") if quantity.get(key)),
        raw=one,
    )


def codes(concept: Json) -> frozenset[str]:
    return frozenset(str(coding["code"]) for coding in concept.get("coding", []) if coding.get("code"))


def their_person(pair: Pair) -> Person | None:
    one = next((one for one in pair.bundle if one["resourceType"] == "Patient"), None)
    if one is None:
        return None
    name = (one.get("name") or [{}])[0]
    return Person(
        frozenset(str(each["value"]) for each in one.get("identifier", []) if each.get("value")),
        str(name.get("family", "")),
        str((name.get("given") or [""])[0]),
        str(one.get("birthDate", "")),
        str(one.get("gender", "")),
    )
