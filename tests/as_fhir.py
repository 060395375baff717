"""HL7 v2 messages told again as a FHIR server would tell them: a translator of the tests' own, not of the adapter's."""

import json
from datetime import datetime
from typing import Any

from adapter.hl7.er7 import Message, Segment, parse

STATUS = {
    "F": "final",
    "C": "corrected",
    "P": "preliminary",
    "W": "entered-in-error",
    "D": "cancelled",
    "X": "cancelled",
}
SYSTEMS = {"LN": "http://loinc.org", "SCT": "http://snomed.info/sct"}
CLASSES = {"E": "EMER", "I": "IMP", "O": "AMB"}


def time(text: str, zone: str) -> str | None:
    """An HL7 time as FHIR's dateTime; without an offset it is taken to be at `zone`."""
    if not text:
        return None
    whole, sign, offset = text[:14].ljust(14, "0"), text[14:15], text[15:]
    at = datetime.strptime(whole, "%Y%m%d%H%M%S")  # noqa: DTZ007 — the offset follows
    return f"{at.isoformat()}{f'{sign}{offset[:2]}:{offset[2:]}' if offset else zone}"


def bundle(body: bytes, encoding: str = "utf-8", *, zone: str = "+00:00", decimal: str = ".") -> bytes:
    """A searchset of what the message says; resource ids follow from order, code and sub-id, as an interface engine's would."""
    message = parse(body, encoding)
    told = time(message.header.text(7), zone)
    pid = message.all("PID")[0]
    who = f"Patient/p{pid.text(3)}"
    resources = [
        _patient(pid, told),
        *_encounters(message, who, told, zone),
        *_observations(message, who, told, zone, decimal),
    ]
    entries = [{"fullUrl": f"http://ehr/{r['resourceType']}/{r['id']}", "resource": _less(r)} for r in resources]
    return (
        json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entries})
        .replace('"<<', "")
        .replace('>>"', "")
        .encode()
    )


def _less(value: Any) -> Any:
    """Without what nobody said."""
    if isinstance(value, dict):
        return {key: kept for key, one in value.items() if (kept := _less(one)) not in (None, {}, [], "")}
    return [_less(one) for one in value] if isinstance(value, list) else value


def _patient(pid: Segment, told: str | None) -> dict[str, Any]:
    born = pid.text(7)
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": pid.text(3, 5)}]}
    return {
        "resourceType": "Patient",
        "id": f"p{pid.text(3)}",
        "meta": {"lastUpdated": told},
        "identifier": [{"value": pid.text(3), "system": pid.text(3, 4), "type": kind}],
        "name": [{"family": pid.text(5), "given": [pid.text(5, 2)]}],
        "birthDate": f"{born[:4]}-{born[4:6]}-{born[6:8]}" if born else None,
        "gender": {"F": "female", "M": "male"}.get(pid.text(8), "unknown"),
    }


def _encounters(message: Message, who: str, told: str | None, zone: str) -> list[dict[str, Any]]:
    pv1, evn = message.first("PV1"), message.first("EVN")
    if evn is None or pv1 is None:
        return []
    return [
        {
            "resourceType": "Encounter",
            "id": f"e{pv1.text(19)}",
            "meta": {"lastUpdated": told},
            "status": "in-progress",
            "class": {"code": CLASSES[pv1.text(2)]},
            "identifier": [{"value": pv1.text(19), "type": {"coding": [{"code": "VN"}]}}],
            "subject": {"reference": who},
            "period": {"start": time(pv1.text(44) or evn.text(6), zone)},
            "location": [{"location": {"display": pv1.text(3)}}],
        }
    ]


def _observations(message: Message, who: str, told: str | None, zone: str, decimal: str) -> list[dict[str, Any]]:
    found, obr, specimen = [], message.first("OBR"), message.first("SPM")
    for segment in message.segments:
        if segment.name == "OBR":
            obr = segment
        elif segment.name == "OBX" and obr is not None:
            found.append(_observation(segment, obr, specimen, (who, told, zone, decimal)))
    return found


def _observation(
    obx: Segment, obr: Segment, spm: Segment | None, about: tuple[str, str | None, str, str]
) -> dict[str, Any]:
    who, told, zone, decimal = about
    held = [] if spm is None else [{"resourceType": "Specimen", "id": "s", "type": _concept(spm, 4)}]
    collected = time(spm.text(17), zone) if spm is not None else None
    if held and collected:
        held[0]["collection"] = {"collectedDateTime": collected}
    return {
        "resourceType": "Observation",
        "id": "-".join(part.replace(" ", "") for part in (obr.text(3), obx.text(3), obx.text(4)) if part),
        "meta": {"lastUpdated": told},
        "contained": held,
        "status": STATUS[obx.text(11)],
        "code": _concept(obx, 3),
        "subject": {"reference": who},
        "effectiveDateTime": time(obx.text(14) or obr.text(7), zone),
        "issued": time(obr.text(22), zone),
        "specimen": {"reference": "#s"} if held else None,
        **_value(obx, decimal),
    }


def _concept(segment: Segment, field: int) -> dict[str, Any]:
    pairs = [(segment.text(field, n), segment.text(field, n + 1), segment.text(field, n + 2)) for n in (1, 4)]
    return {"coding": [{"code": c, "display": d, "system": SYSTEMS.get(s, s)} for c, d, s in pairs if c]}


def _value(obx: Segment, decimal: str) -> dict[str, Any]:
    text = obx.text(5)
    if obx.text(2) in {"CE", "CWE"}:
        return {"valueCodeableConcept": _concept(obx, 5)}
    sign = text[: len(text) - len(text.lstrip("<>="))]
    number = text[len(sign) :].replace(decimal, ".")
    try:
        float(number)
    except ValueError:
        return {"valueString": text}
    quantity = {"value": f"<<{number}>>", "comparator": sign or None, "unit": obx.text(6) or obx.text(6, 2)}
    return {"valueQuantity": quantity}
