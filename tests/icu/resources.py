"""The same rows of MIMIC-IV as a hospital's FHIR server would hold them; made of the tables, not of the HL7 messages."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from tests.icu.feed import DIALYSIS, SPECIMEN, TEXTS
from tests.icu.tables import Row, moment
from tests.icu.window import Running

Json = dict[str, Any]
MIMIC = "http://mimic.mit.edu/fhir/mimic"
EMERGENCY = "ED"


def resources(tables: Running) -> list[Json]:
    """In an order in which each refers only to what came before it; of every subject up to now."""
    parts = (_patients, _encounters, _laboratory, _charted, _dialysis, _infusions)
    return [one for part in parts for one in part(tables)]


def _patients(tables: Running) -> Iterator[Json]:
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}
    for subject in tables.chosen:
        number = {"system": f"{MIMIC}/identifier/patient", "type": kind, "value": subject}
        yield {"resourceType": "Patient", "id": f"p{subject}", "identifier": [number]}


def _encounters(tables: Running) -> Iterator[Json]:
    """One for an admission, which begins in the emergency department where there was one."""
    places: dict[str, list[Json]] = defaultdict(list)
    for row in sorted(tables.rows("transfers"), key=lambda one: one["intime"]):
        if row["hadm_id"] and row["eventtype"] == "transfer" and moment(row["intime"]) <= tables.now:
            places[row["hadm_id"]].append(_place(row["careunit"], row["intime"]))
    for row in tables.rows("admissions"):
        arrival = [_place(EMERGENCY, row["edregtime"])] if row["edregtime"] else []
        over = moment(row["dischtime"]) <= tables.now
        end = {"end": _time(row["dischtime"])} if over else {}
        kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "VN"}]}
        yield {
            "resourceType": "Encounter",
            "id": f"e{row['hadm_id']}",
            "identifier": [{"system": f"{MIMIC}/identifier/encounter-hosp", "type": kind, "value": row["hadm_id"]}],
            "status": "finished" if over else "in-progress",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
            "subject": _patient(row),
            "period": {"start": _time(row["edregtime"] or row["admittime"])} | end,
            "location": [*arrival, *places[row["hadm_id"]]],
        }


def _place(name: str, since: str) -> Json:
    return {"location": {"display": name}, "period": {"start": _time(since)}}


def _laboratory(tables: Running) -> Iterator[Json]:
    """What kind of blood it was stands in the Specimen."""
    specimens: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in tables.rows("labevents"):
        specimens[f"{row['subject_id']}-{row['specimen_id']}-{row['charttime']}", row["subject_id"]].append(row)
    for rows in specimens.values():
        first = rows[0]
        kind = next((row["value"] for row in rows if row["itemid"] == SPECIMEN), "")
        number = f"s{first['subject_id']}-{first['specimen_id']}-{_stamp(first['charttime'])}"
        if kind:
            collected = {"collectedDateTime": _time(first["charttime"])}
            about = {"subject": _patient(first), "type": {"text": kind}, "collection": collected}
            yield {"resourceType": "Specimen", "id": number} | about
        more = {"specimen": {"reference": f"Specimen/{number}"}} if kind else {}
        tests = [row for row in rows if row["itemid"] != SPECIMEN]
        for one in _observations(tests, f"l{first['specimen_id']}", "mimic-d-labitems"):
            yield one | more


def _charted(tables: Running) -> Iterator[Json]:
    for name, letter, system in (
        ("chartevents", "c", "mimic-chartevents-d-items"),
        ("outputevents", "o", "mimic-outputevents-d-items"),
    ):
        moments: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in tables.rows(name):
            moments[row["subject_id"], row["charttime"]].append(row)
        for rows in moments.values():
            yield from _observations(rows, letter, system)


def _observations(rows: Iterable[Row], mark: str, system: str) -> Iterator[Json]:
    seen: dict[str, int] = defaultdict(int)
    for row in rows:
        value = _value(row)
        if value:
            seen[row["itemid"]] += 1
            number = f"{mark}-{row['subject_id']}-{_stamp(row['charttime'])}-{row['itemid']}-{seen[row['itemid']]}"
            yield _observation(row, number, system, row["charttime"]) | value


def _dialysis(tables: Running) -> Iterator[Json]:
    for row in tables.rows("procedureevents"):
        if row["itemid"] in DIALYSIS:
            number = f"r-{row['subject_id']}-{_stamp(row['starttime'])}-{row['itemid']}"
            made = _observation(row, number, "mimic-procedureevents-d-items", row["starttime"])
            yield made | {"valueString": DIALYSIS[row["itemid"]]}


def _observation(row: Row, number: str, system: str, at: str) -> Json:
    visit = {"encounter": {"reference": f"Encounter/e{row['hadm_id']}"}} if row["hadm_id"] else {}
    return {
        "resourceType": "Observation",
        "id": number,
        "status": "final",
        "code": {"coding": [{"system": f"{MIMIC}/CodeSystem/{system}", "code": row["itemid"]}]},
        "subject": _patient(row),
        "effectiveDateTime": _time(at),
    } | visit


def _value(row: Row) -> Json:
    """A number as a Quantity, with the comparator that was written; a scale's step with its words as a coded answer."""
    written, number = row["value"].strip(), row.get("valuenum", "")
    sign = written[: len(written) - len(written.lstrip("<>="))]
    plain = written.removeprefix(sign)
    if row["itemid"] not in TEXTS and numeric(plain):
        return {"valueQuantity": {"value": _exact(plain), **({"comparator": sign} if sign else {}), **_unit(row)}}
    if row["itemid"] in TEXTS or not number:
        return {"valueString": written} if written else {}
    if written:
        return {"valueCodeableConcept": {"coding": [{"code": number, "display": written}]}}
    return {"valueQuantity": {"value": _exact(number), **_unit(row)}}


def _unit(row: Row) -> Json:
    return {"unit": row["valueuom"]} if row["valueuom"] else {}


def numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _exact(text: str) -> float | int:
    return float(text) if "." in text else int(text)


def _infusions(tables: Running) -> Iterator[Json]:
    """What has ended, as the record of a pump tells it."""
    for number, row in enumerate(tables.rows("inputevents"), 1):
        if not row["endtime"] or moment(row["endtime"]) > tables.now:
            continue
        rated = row["rate"] and row["rateuom"]
        amount = {"rateQuantity": {"value": _exact(row["rate"]), "unit": row["rateuom"]}} if rated else {}
        drug = {"system": f"{MIMIC}/CodeSystem/mimic-medication-icu", "code": row["itemid"]}
        yield {
            "resourceType": "MedicationAdministration",
            "id": f"m{row['subject_id']}-{number}",
            "status": "completed",
            "medicationCodeableConcept": {"coding": [drug]},
            "subject": _patient(row),
            "context": {"reference": f"Encounter/e{row['hadm_id']}"},
            "effectivePeriod": {"start": _time(row["starttime"]), "end": _time(row["endtime"])},
            "dosage": (amount or {"dose": {"value": _exact(row["amount"])}}) | {"route": {"text": "IV"}},
        }


def _patient(row: Row) -> Json:
    return {"reference": f"Patient/p{row['subject_id']}"}


def _time(text: str) -> str:
    return moment(text).isoformat()


def _stamp(text: str) -> str:
    at: datetime = moment(text)
    return f"{at:%Y%m%d%H%M%S}"
