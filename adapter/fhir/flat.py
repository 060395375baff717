"""A snapshot as flat rows, for EDCs without FHIR: read back from the bundle, so that both say the same and no more."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adapter.fhir.codes import (
    ASSESSMENT_EXTENSION,
    CONCEPTS,
    IMPUTED_EXTENSION,
    INTERVAL_EXTENSION,
    LABORATORY_EXTENSION,
    LOINC,
    SCREENING_NUMBER,
    SOFA_ORGANS,
    SOFA_TOTAL,
    STUDY_DAY_EXTENSION,
    VITAL_STATUS,
)
from adapter.fhir.provenance import ACTIVITY

Json = dict[str, Any]
Row = Mapping[str, str]

_ORGANS = {code: name for name, code in SOFA_ORGANS.items()}
SCORES = tuple(f"sofa-{name}" for name in ("total", *SOFA_ORGANS))
SOFA = tuple(f"{score}{end}" for score in SCORES for end in ("", "-low", "-high"))
"""A score that is not settled is empty, and its bounds say between what it lies: empty is never zero."""
ALWAYS = ("screening-number", "study", "status", "event", "reason", "told-at", "software")
FINDINGS = (
    *("assessed-at", "verdict", "certainty", "stratum", "stratum-provisional", "onset", "deadline", "rulebook"),
    *("sofa-at", *SOFA),
)
"""Told while values are told, and then all of them; afterwards what was told stands (reliability 4.7)."""

RECORD = (*ALWAYS, *FINDINGS)
OBSERVATION = (
    *("id", "concept", "code-system", "code", "name", "comparator", "value", "unit"),
    *("effective", "issued", "status", "laboratory"),
)
DAY = ("day", "start", "end", *SOFA, "carried", "vital-status")
KINDS = {"record": RECORD, "observation": OBSERVATION, "day": DAY}
TIMES = frozenset({"told-at", "assessed-at", "onset", "deadline", "sofa-at", "effective", "issued", "start", "end"})

_NUMBERS = {(code.system, code.code): concept for concept, code in CONCEPTS.items()}
_EVENTS = {activity: kind for kind, activity in ACTIVITY.items()}


@dataclass(frozen=True, slots=True)
class Flat:
    """What a row does not name is not told by this snapshot; what it names as empty is told to be unknown.

    `record` is one row, `observations` are named by their id, `days` by the number of the study day.
    """

    number: str
    record: Row
    observations: tuple[Row, ...] = ()
    days: tuple[Row, ...] = ()

    def rows(self, kind: str) -> tuple[Row, ...]:
        return {"record": (self.record,), "observation": self.observations, "day": self.days}[kind]


def flat(bundle: Json) -> Flat:
    """Raises ValueError for a payload that is no bundle of ours."""
    resources = [entry["resource"] for entry in bundle.get("entry", ())]
    subject = next((one for one in resources if one["resourceType"] == "ResearchSubject"), None)
    number = _number(subject or {})
    if subject is None or not number:
        raise ValueError("the payload names no screening number")
    observed = [one for one in resources if one["resourceType"] == "Observation"]
    moment = next((one for one in observed if _code(one) == (LOINC, SOFA_TOTAL) and _day(one) is None), None)
    record = _subject(subject, number) | _around(resources)
    if moment is not None:
        record |= {"sofa-at": moment.get("effectiveDateTime", ""), **_sofa(moment)}
    return Flat(number, record, tuple(_observations(observed)), tuple(_days(observed)))


def _number(subject: Json) -> str:
    found = (i["value"] for i in subject.get("identifier", ()) if i.get("system") == SCREENING_NUMBER)
    return str(next(found, ""))


def _subject(subject: Json, number: str) -> dict[str, str]:
    parts = {part["url"]: _value(part) for part in _parts(subject, ASSESSMENT_EXTENSION)}
    record = {
        "screening-number": number,
        "study": str(subject.get("study", {}).get("identifier", {}).get("value", "")),
        "status": subject["status"],
        "reason": parts.get("reason", ""),
    }
    if "verdict" not in parts:
        return record
    told = dict.fromkeys(FINDINGS, "") | {name: text for name, text in parts.items() if name in FINDINGS}
    return record | told | {"assessed-at": subject.get("period", {}).get("start", "")}


def _around(resources: Iterable[Json]) -> dict[str, str]:
    """Which software said so, when, and whether it is news, an update or a withdrawal."""
    found: dict[str, str] = {}
    for one in resources:
        if one["resourceType"] == "Device":
            versions = {v["type"]["text"]: v["value"] for v in one.get("version", ())}
            found["software"] = versions.get("software", "")
        elif one["resourceType"] == "Provenance":
            coded = one.get("activity", {}).get("coding", [{}])[0].get("code", "")
            found |= {"told-at": one.get("recorded", ""), "event": _EVENTS.get(coded, "")}
    return found


def _observations(observed: Iterable[Json]) -> Iterator[Row]:
    for one in observed:
        system, code = _code(one)
        concept = _NUMBERS.get((system, code))
        if concept is not None:
            yield _measured(one) | {"concept": concept, "code-system": system, "code": code}


def _measured(one: Json) -> dict[str, str]:
    quantity = one.get("valueQuantity", {})
    return {
        "id": one["identifier"][0]["value"],
        "name": one["code"].get("text", ""),
        "comparator": quantity.get("comparator", ""),
        "value": _number_text(quantity["value"]) if "value" in quantity else _word(one),
        "unit": quantity.get("code", ""),
        "effective": one.get("effectiveDateTime", ""),
        "issued": one.get("issued", ""),
        "status": one.get("status", ""),
        "laboratory": next((_value(e) for e in one.get("extension", ()) if e["url"] == LABORATORY_EXTENSION), ""),
    }


def _days(observed: Iterable[Json]) -> Iterator[Row]:
    """The score of a study day and survival at its end stand in one row, as far as each is told."""
    found: dict[int, dict[str, str]] = {}
    for one in observed:
        number = _day(one)
        if number is None:
            continue
        row = found.setdefault(number, {"day": str(number)})
        if _code(one)[1] == VITAL_STATUS:
            row |= {"vital-status": _word(one)}
        else:
            period = one.get("effectivePeriod", {})
            row |= {"start": period.get("start", ""), "end": period.get("end", ""), "carried": _carried(one)}
            row |= _sofa(one)
    yield from (found[number] for number in sorted(found))


def _sofa(one: Json) -> dict[str, str]:
    parts = {"sofa-total": one} | {f"sofa-{_ORGANS[_code(p)[1]]}": p for p in one.get("component", ())}
    told = dict.fromkeys(SOFA, "")
    for name, part in parts.items():
        quantity = part.get("valueQuantity", {})
        score = _number_text(quantity["value"]) if "value" in quantity else ""
        bounds = {bound["url"]: _value(bound) for bound in _parts(part, INTERVAL_EXTENSION)}
        told |= {name: score, f"{name}-low": bounds.get("low", score), f"{name}-high": bounds.get("high", score)}
    return told


def _carried(one: Json) -> str:
    imputed = (
        p for p in one.get("component", ()) if any(e["url"] == IMPUTED_EXTENSION for e in p.get("extension", ()))
    )
    return " ".join(_ORGANS[_code(part)[1]] for part in imputed)


def _code(one: Json) -> tuple[str, str]:
    """The first coding; of an Observation that has several, ours is the first."""
    coding = one["code"]["coding"][0]
    return coding["system"], coding["code"]


def _day(one: Json) -> int | None:
    found = (e.get("valueInteger") for e in one.get("extension", ()) if e["url"] == STUDY_DAY_EXTENSION)
    return next(found, None)


def _parts(one: Json, url: str) -> list[Json]:
    return next((e.get("extension", []) for e in one.get("extension", ()) if e["url"] == url), [])


def _value(part: Json) -> str:
    """Of the one `value[x]` an extension has."""
    value = next((given for key, given in part.items() if key.startswith("value")), "")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _word(one: Json) -> str:
    return str(one.get("valueCodeableConcept", {}).get("coding", [{}])[0].get("code", ""))


def _number_text(value: Decimal | float) -> str:
    """As it is written: never `1E-7`."""
    return f"{Decimal(str(value)):f}"
