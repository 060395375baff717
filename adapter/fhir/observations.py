"""What was measured and scored, as R4 Observations: the SOFA of a moment and the values it rests on."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adapter.domain.assessment import Assessment, Evidence, OrganScore, SofaScore
from adapter.fhir.calendar import Calendar
from adapter.fhir.codes import (
    ABSENT_REASON,
    CONCEPT_SYSTEM,
    CONCEPTS,
    INTERVAL_EXTENSION,
    LABORATORY,
    LABORATORY_EXTENSION,
    LOINC,
    OBSERVATION_CATEGORY,
    RESOURCE_NUMBER,
    SOFA_ORGANS,
    SOFA_TOTAL,
    UCUM,
    said_by,
)

Json = dict[str, Any]

_NUMBER = re.compile(r"(<=|>=|<|>)?\s*(-?[0-9]{1,12}(?:\.[0-9]{1,12})?)", re.ASCII)
_WORD = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
_OWN_PROFILE = {"ferritin": "ferritin", "mhladr": "mhladr"}
_METHOD = "Sequential Organ Failure Assessment (Vincent 1996), worst value of each organ in the last {hours} hours"


@dataclass(frozen=True, slots=True)
class Placed:
    """A resource beside its id: what a bundle entry is made of."""

    id: str
    resource: Json


def reference(resource_id: str) -> Json:
    return {"reference": f"urn:uuid:{resource_id}"}


def identifier(resource_id: str) -> Json:
    """Our name of a resource, for servers that give ids of their own."""
    return {"system": RESOURCE_NUMBER, "value": resource_id}


def score_quantity(value: int) -> Json:
    return {"value": value, "unit": "{score}", "system": UCUM, "code": "{score}"}


def pushed_evidence(assessment: Assessment) -> tuple[Evidence, ...]:
    """The values the EDC is shown: ferritin, mHLA-DR and the inputs of the score, each once, listed concepts only."""
    stratum = (assessment.facts.get(concept) for concept in ("ferritin", "mhladr"))
    organs = (item for organ in assessment.sofa.organs.values() for item in organ.evidence)
    found = (*assessment.stratum_evidence, *(item for item in stratum if item is not None), *organs)
    return listed(found)


def listed(found: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Each result once, as it was first named; what has no code of ours never leaves the hospital."""
    return tuple({evidence_key(item): item for item in reversed([*found]) if item.concept in CONCEPTS}.values())[::-1]


def evidence_key(evidence: Evidence) -> str:
    """The result's identity (decisions C1) where it has one: a corrected result keeps its Observation."""
    return f"{evidence.concept}|{evidence.identity or evidence.effective.isoformat() + '|' + evidence.value}"


def input_observation(resource_id: str, evidence: Evidence, *, patient: str, calendar: Calendar) -> Json:
    """One measured value in its canonical unit; neither the source's own text nor any note leaves the hospital."""
    code = CONCEPTS[evidence.concept]
    resource: Json = {
        "resourceType": "Observation",
        "id": resource_id,
        **said_by(_OWN_PROFILE.get(evidence.concept, "measured-value")),
        "identifier": [identifier(resource_id)],
        "status": "corrected" if evidence.status == "corrected" else "final",
        "code": {"coding": [{"system": code.system, "code": code.code}], "text": code.text},
        "subject": reference(patient),
        "effectiveDateTime": calendar.text(evidence.effective),
        **_value(evidence),
    }
    if evidence.issued is not None:
        resource["issued"] = calendar.text(evidence.issued)
    if evidence.concept in LABORATORY:
        resource["category"] = [{"coding": [{"system": OBSERVATION_CATEGORY, "code": "laboratory"}]}]
    if code.method:
        resource["method"] = {"text": code.method}
    if evidence.concept in LABORATORY and evidence.laboratory in ("local", "central"):
        resource["extension"] = [{"url": LABORATORY_EXTENSION, "valueCode": evidence.laboratory}]
    return resource


def withdrawn_observation(resource_id: str, evidence: Evidence, *, patient: str, calendar: Calendar) -> Json:
    """A value that was told before and was never right: which one it was, and nothing that was measured."""
    code = CONCEPTS[evidence.concept]
    return {
        "resourceType": "Observation",
        "id": resource_id,
        **said_by("withdrawn-value"),
        "identifier": [identifier(resource_id)],
        "status": "entered-in-error",
        "code": {"coding": [{"system": code.system, "code": code.code}], "text": code.text},
        "subject": reference(patient),
        "effectiveDateTime": calendar.text(evidence.effective),
    }


def _value(evidence: Evidence) -> Json:
    number = _NUMBER.fullmatch(evidence.value.strip())
    if number:
        unit = evidence.unit or "1"
        quantity: Json = {"value": Decimal(number[2]), "unit": unit, "system": UCUM, "code": unit}
        return {"valueQuantity": quantity | ({"comparator": number[1]} if number[1] else {})}
    if _WORD.fullmatch(evidence.value):
        return {"valueCodeableConcept": {"coding": [{"system": CONCEPT_SYSTEM, "code": evidence.value}]}}
    return absent()


def absent(reason: str = "unknown") -> Json:
    return {"dataAbsentReason": {"coding": [{"system": ABSENT_REASON, "code": reason}]}}


def sofa_observation(resource_id: str, sofa: SofaScore, *, calendar: Calendar) -> Json:
    """The score of a moment; `subject`, `device` and `derivedFrom` are for the bundle to fill.

    A total is stated only when both ends of its interval agree: a lower bound must not be taken for the score.
    """
    settled = sofa.low == sofa.high and not sofa.missing
    return {
        "resourceType": "Observation",
        "id": resource_id,
        **said_by("sofa-score"),
        "identifier": [identifier(resource_id)],
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": SOFA_TOTAL}], "text": "SOFA total score"},
        "effectiveDateTime": calendar.text(sofa.at),
        "method": {"text": _METHOD.format(hours=sofa.window_hours)},
        "extension": [_interval(sofa.low, sofa.high)],
        "note": [{"text": _bounds(sofa)}],
        "component": [_component(name, organ) for name, organ in sofa.organs.items()],
        **({"valueQuantity": score_quantity(sofa.low)} if settled else absent()),
    }


def _component(name: str, organ: OrganScore) -> Json:
    value = absent() if organ.score is None else {"valueQuantity": score_quantity(organ.score)}
    component: Json = {"code": {"coding": [{"system": LOINC, "code": SOFA_ORGANS[name]}], "text": f"SOFA {name}"}}
    if organ.low != organ.high:
        component["extension"] = [_interval(organ.low, organ.high)]
    return component | value


def _interval(low: int, high: int) -> Json:
    return {
        "url": INTERVAL_EXTENSION,
        "extension": [{"url": "low", "valueInteger": low}, {"url": "high", "valueInteger": high}],
    }


def _bounds(sofa: SofaScore) -> str:
    text = f"Lower bound {sofa.low}, upper bound {sofa.high}."
    return f"{text} Not measured: {_words(sofa.missing)}." if sofa.missing else text


def _words(names: Iterable[str]) -> str:
    return ", ".join(names)
