"""MedicationAdministration → what was given (as RAS); MedicationRequest → what was ordered, as context (as RDE)."""

from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from adapter.domain.administration import Administration, AdministrationState
from adapter.domain.issue import Issue
from adapter.domain.quantity import decimal_text
from adapter.fhir.contents import Contents, codings, element, elements, text, unit_of
from adapter.fhir.strict import Decimal, Json
from adapter.hl7 import compose
from adapter.hl7.datatypes import number
from adapter.mapping.feed import Feed
from adapter.mapping.fhir_encounter import visit_named
from adapter.mapping.fhir_fields import coded, dtm, in_fhir, instant, names, segments
from adapter.mapping.formulary import SYSTEMS
from adapter.mapping.hl7_pharmacy import Line, digest_of, read_line
from adapter.mapping.identity import fingerprint
from adapter.mapping.routes import BY_WORD

COMPLETION = {"not-done": "NA", "entered-in-error": "CP"}
"""RXA-20, table 0322."""
TAKEN_BACK = frozenset({"entered-in-error"})
STOPPED = frozenset({"stopped", "on-hold"})
SNOMED_ROUTES = {
    "47625008": "IV",
    "26643006": "PO",
    "78421000": "IM",
    "34206005": "SC",
    "447694001": "INH",
    "127492001": "NG",
    "404820008": "EP",
    "72607000": "IT",
    "372464004": "ID",
    "6064005": "TP",
    "45890007": "TP",
    "54485002": "OP",
    "46713006": "NS",
    "419993007": "IV",
    "418114005": "IV",
    "417255000": "IO",
}
"""SNOMED CT's route of administration → the words of table 0162."""


def given(resource: Json, contents: Contents, feed: Feed) -> tuple[Administration | None, list[Issue]]:
    """Starts and ends with its effective[x]; one that still runs has no end."""
    dosage = element(resource, "dosage")
    period = element(resource, "effectivePeriod") or element(resource, "occurencePeriod")
    moment = text(resource, "effectiveDateTime") or text(resource, "occurenceDateTime")
    amount, unit = _amount(dosage)
    status = text(resource, "status")
    fields: list[compose.Field] = [None] * 21
    fields[1], fields[2] = "1", dtm(text(period, "start") or moment)
    fields[3] = "" if status == "in-progress" else dtm(text(period, "end"))
    fields[4], fields[5], fields[6] = _drug(resource, contents, feed), amount, unit
    fields[19] = COMPLETION.get(status, "CP")
    fields[20] = "D" if status in TAKEN_BACK else "A"
    return _read("RXA", fields, resource, contents, feed, "DC" if status in STOPPED else "RE", _route(dosage))


def ordered(resource: Json, contents: Contents, feed: Feed) -> tuple[Administration | None, list[Issue]]:
    instruction = element(resource, "dosageInstruction")
    amount, unit = _amount(element(instruction, "doseAndRate") or instruction)
    fields: list[compose.Field] = [None] * 5
    fields[1], fields[2], fields[4] = _drug(resource, contents, feed), amount, unit
    at = replace(feed, sender_time=_authored(resource, feed))
    said, issues = _read("RXE", fields, resource, contents, at, "NW", _route(instruction))
    wrong = text(resource, "status") in TAKEN_BACK
    if said is None or not wrong:
        return said, issues
    back = replace(said, state=AdministrationState.WITHDRAWN, sender_time=feed.told)
    return replace(back, digest=digest_of(back)), issues


def _authored(resource: Json, feed: Feed) -> datetime | None:
    return instant(text(resource, "authoredOn"), feed) or feed.sender_time


def _read(  # noqa: PLR0913 — a line and what stands round it
    name: str,
    fields: list[compose.Field],
    resource: Json,
    contents: Contents,
    feed: Feed,
    control: str,
    route: str,
) -> tuple[Administration | None, list[Issue]]:
    """The resource's id names the giving, whatever of it is corrected."""
    number = f"fhir|{feed.source}|{text(resource, 'id')}"
    line, orc, rxr = segments(
        [
            compose.segment(name, *fields),
            compose.segment("ORC", control, "", number),
            compose.segment("RXR", (route, "", "HL70162")),
        ]
    )
    said, issues = read_line(Line(1, line, orc, [], [rxr] if route else []), visit_named(resource, contents), feed)
    found = [in_fhir(issue, resource) for issue in issues]
    if said is None:
        return None, found
    said = replace(said, identity=fingerprint(["administration", feed.site.site, number])[:32])
    return replace(said, digest=digest_of(said)), found


def _drug(resource: Json, contents: Contents, feed: Feed) -> tuple[str, ...]:
    """The concept, or the Medication it refers to (R4; R5 puts both into `medication`)."""
    own = element(resource, "medicationCodeableConcept") or element(element(resource, "medication"), "concept")
    reference = resource.get("medicationReference") or element(resource, "medication").get("reference")
    target = contents.target(reference, resource)
    concept = own or element(target, "code")
    found = [(code, display, system) for code, display, system in codings(concept)]
    known = sorted(found, key=lambda one: feed.dictionary.formulary.find(_system(one[2]), one[0]) is None)
    best = [part for code, display, system in known[:2] for part in (code, display, _system(system))]
    return tuple(best) if best else coded(concept, feed)


def _system(url: str) -> str:
    return SYSTEMS.get(url.upper(), url)


def _amount(dosage: Json) -> tuple[str, compose.Field]:
    """A rate where one is said, else the dose."""
    rate = element(dosage, "rateQuantity")
    if rate:
        return text(rate, "value"), unit_of(rate)
    ratio = element(dosage, "rateRatio")
    if ratio:
        return _ratio(ratio)
    dose = element(dosage, "dose") or element(dosage, "doseQuantity")
    return text(dose, "value"), unit_of(dose)


def _ratio(ratio: Json) -> tuple[str, compose.Field]:
    """`500 mL` in `4 h` is 125 of mL/h; what nobody can divide is no number, and shown as it was told."""
    above, below = element(ratio, "numerator"), element(ratio, "denominator")
    unit = f"{text(above, 'code') or text(above, 'unit')}/{text(below, 'code') or text(below, 'unit')}"
    top, bottom = _exact(above), _exact(below) if text(below, "value") else Fraction(1)
    if top is None or not bottom:
        return f"{text(above, 'value')}/{text(below, 'value')}", unit
    return decimal_text(top / bottom), unit


def _exact(quantity: Json) -> Fraction | None:
    """A JSON number has its bounds already; one in quotes has those of any text."""
    said = quantity.get("value")
    if isinstance(said, Decimal):
        return Fraction(said)
    found = number(text(quantity, "value"))
    return found.value if found and found.comparator is None else None


def _route(dosage: Json) -> str:
    """A word of table 0162 that a reader of RXR knows; the first word where none is."""
    said = names(*elements(dosage, "route"))
    words = [SNOMED_ROUTES.get(word, word.upper()) for word in said]
    return next((word for word in words if word in BY_WORD), words[0] if words else "")
