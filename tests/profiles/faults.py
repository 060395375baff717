"""Faults to plant in a good bundle: each must be found, or the profiles and their validators are worth nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapter.fhir.codes import INTERVAL_EXTENSION, SOFA_TOTAL, VITAL_STATUS

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """`hl7_only`: Medplum's validator looks up no value sets, follows no references, knows no profiles of bundles, and of
    elements inside repeated ones not every limit.
    """

    name: str
    plant: Callable[[Json], None]
    hl7_only: bool = False
    followed: bool = False
    """Planted in what is told after randomisation."""


def one(bundle: Json, kind: str) -> Json:
    """The resource of this type; of Observations that with this code."""
    return next(r for r in (e["resource"] for e in bundle["entry"]) if kind in (r["resourceType"], _code(r)))


def _code(resource: Json) -> str:
    return str(resource["code"]["coding"][0]["code"]) if "code" in resource else ""


def put(kind: str, **members: Any) -> Callable[[Json], None]:
    return lambda bundle: one(bundle, kind).update(members)


def drop(kind: str, member: str) -> Callable[[Json], None]:
    return lambda bundle: one(bundle, kind).pop(member)


def _in_sofa(change: Callable[[Json], object]) -> Callable[[Json], None]:
    return lambda bundle: void(change(one(bundle, SOFA_TOTAL)))


def void(_made: object) -> None:
    """What a change gives back is not wanted."""


def _part(url: str, value: str) -> Callable[[Json], None]:
    def plant(bundle: Json) -> None:
        parts = one(bundle, "ResearchSubject")["extension"][0]["extension"]
        next(part for part in parts if part["url"] == url)["valueCode"] = value

    return plant


def _score(value: int) -> Json:
    return {"value": value, "unit": "{score}", "system": "http://unitsofmeasure.org", "code": "{score}"}


def _unit(kind: str, unit: str) -> Callable[[Json], None]:
    return lambda bundle: one(bundle, kind)["valueQuantity"].update(code=unit)


def _without(kind: str) -> Callable[[Json], None]:
    def plant(bundle: Json) -> None:
        bundle["entry"] = [entry for entry in bundle["entry"] if entry["resource"]["resourceType"] != kind]

    return plant


FERRITIN, PLATELETS, MHLADR = "2276-4", "26515-7", "mhladr-abc"

FAULTS = (
    Fault("a name", put("Patient", name=[{"family": "Jansen"}])),
    Fault("a birth date", put("Patient", birthDate="1950-01-01")),
    Fault(
        "a hospital number",
        lambda b: one(b, "Patient")["identifier"].append({"system": "urn:oid:1.2.3", "value": "4711"}),
    ),
    Fault("another number system", lambda b: one(b, "Patient")["identifier"][0].update(system="urn:oid:1.2.3")),
    Fault("a number with blanks", lambda b: one(b, "Patient")["identifier"][0].update(value="Jan Jansen")),
    Fault("no study", drop("ResearchSubject", "study")),
    Fault("no number of the study", put("ResearchSubject", study={"reference": "ResearchStudy/1"})),
    Fault("no assessment", drop("ResearchSubject", "extension")),
    Fault("a status of R5", put("ResearchSubject", status="active"), hl7_only=True),
    Fault("a verdict unheard of", _part("verdict", "yes"), hl7_only=True),
    Fault(
        "individual is a device",
        lambda b: one(b, "ResearchSubject")["individual"].update(reference=b["entry"][2]["fullUrl"]),
        hl7_only=True,
    ),
    Fault("ferritin in ug/L", _unit(FERRITIN, "ug/L")),
    Fault("ferritin by the code of a ratio", lambda b: one(b, FERRITIN)["code"]["coding"][0].update(code="2498-4")),
    Fault(
        "ferritin in words",
        lambda b: one(b, FERRITIN).update(valueString=one(b, FERRITIN).pop("valueQuantity") and "high"),
        hl7_only=True,
    ),
    Fault("ferritin is vital signs", lambda b: one(b, FERRITIN)["category"][0]["coding"][0].update(code="vital-signs")),
    Fault("a preliminary result", put(FERRITIN, status="preliminary"), hl7_only=True),
    Fault(
        "a laboratory unheard of", lambda b: one(b, FERRITIN)["extension"][0].update(valueCode="abroad"), hl7_only=True
    ),
    Fault("mHLA-DR in percent", _unit(MHLADR, "%")),
    Fault("mHLA-DR by another method", put(MHLADR, method={"text": "guess"})),
    Fault("platelets in another unit", _unit(PLATELETS, "10*9/L")),
    Fault("neither value nor reason", drop(PLATELETS, "valueQuantity")),
    Fault("a concept not listed", lambda b: one(b, PLATELETS)["code"]["coding"][0].update(code="6690-2")),
    Fault("time without a zone", put(PLATELETS, effectiveDateTime="2026-03-02T08:30:00")),
    Fault("a day only", put(PLATELETS, effectiveDateTime="2026-03-02")),
    Fault("nobody's value", drop(PLATELETS, "subject")),
    Fault("a member FHIR has not", put(PLATELETS, ward="B2")),
    Fault("a remark", put(PLATELETS, note=[{"text": "clotted"}])),
    Fault("the modified SOFA", _in_sofa(lambda s: s["code"]["coding"][0].update(code="96792-7"))),
    Fault(
        "a total beside a missing organ",
        _in_sofa(lambda s: s.pop("dataAbsentReason") and s.update(valueQuantity=_score(5))),
    ),
    Fault("neither total nor reason", _in_sofa(lambda s: s.pop("dataAbsentReason"))),
    Fault("five organs", _in_sofa(lambda s: s["component"].pop())),
    Fault(
        "an organ twice",
        _in_sofa(lambda s: s["component"].append(s["component"].pop(0) | {"code": s["component"][0]["code"]})),
    ),
    Fault("five points", _in_sofa(lambda s: s["component"][0].update(valueQuantity=_score(5)))),
    Fault("an organ without value and reason", _in_sofa(lambda s: s["component"][0].pop("valueQuantity"))),
    Fault("a missing organ without interval", _in_sofa(lambda s: s["component"][2].pop("extension"))),
    Fault("no interval", _in_sofa(lambda s: s.pop("extension"))),
    Fault(
        "an interval upside down",
        _in_sofa(lambda s: s["extension"][0]["extension"][0].update(valueInteger=12)),
        hl7_only=True,
    ),
    Fault("an extension nobody defined", _in_sofa(lambda s: s["extension"][0].update(url=INTERVAL_EXTENSION + "s"))),
    Fault("software unnamed", lambda b: one(b, "Device")["version"].pop()),
    Fault("provenance of nothing", drop("Provenance", "target")),
    Fault(
        "an activity of another kind",
        lambda b: one(b, "Provenance")["activity"]["coding"][0].update(code="DELETE"),
        hl7_only=True,
    ),
    Fault(
        "an author",
        lambda b: one(b, "Provenance")["agent"][0]["type"]["coding"][0].update(code="author"),
        hl7_only=True,
    ),
    Fault(
        "a message by reference",
        lambda b: one(b, "Provenance")["entity"][0]["what"].update(reference="MessageHeader/1"),
        hl7_only=True,
    ),
    Fault("a profile unheard of", put("Device", meta={"profile": [INTERVAL_EXTENSION + "s"]}), hl7_only=True),
    Fault("no provenance", _without("Provenance"), hl7_only=True),
    Fault("a batch", lambda b: b.update(type="batch"), hl7_only=True),
    Fault("created twice over", lambda b: b["entry"][0]["request"].pop("ifNoneExist"), hl7_only=True),
    Fault(
        "a resource of another type",
        lambda b: b["entry"][2].update(resource={"resourceType": "Basic", "code": {"text": "x"}}),
        hl7_only=True,
    ),
    Fault("a study day without number", _in_sofa(lambda s: s["extension"].pop()), followed=True),
    Fault("study day 0", _in_sofa(lambda s: s["extension"][1].update(valueInteger=0)), followed=True),
    Fault("a day without end", _in_sofa(lambda s: s["effectivePeriod"].pop("end")), followed=True),
    Fault(
        "a zero imputed",
        _in_sofa(lambda s: s["component"][4]["extension"][0].update(valueCode="zero")),
        hl7_only=True,
        followed=True,
    ),
    Fault(
        "neither alive nor died",
        lambda b: one(b, VITAL_STATUS)["valueCodeableConcept"]["coding"][0].update(code="rass"),
        hl7_only=True,
        followed=True,
    ),
    Fault("a remark on a death", put(VITAL_STATUS, note=[{"text": "at home"}]), followed=True),
    Fault(
        "ferritin after randomisation",
        lambda b: one(b, "9269-2")["code"]["coding"][0].update(code=FERRITIN),
        followed=True,
    ),
    Fault(
        "blinding",
        lambda b: one(b, "ResearchSubject")["extension"][0]["extension"][0].update(valueCode="on-study"),
        hl7_only=True,
    ),
)
