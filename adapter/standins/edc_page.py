"""What arrived at the stand-in EDC, for a person to look at."""

from html import escape
from typing import Any

from adapter.fhir.codes import ASSESSMENT_EXTENSION, CONCEPTS, SOFA_TOTAL
from adapter.standins.edc_store import EdcStore

Json = dict[str, Any]

_HEAD = (
    "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
    "<title>Stand-in EDC</title><h1>Stand-in EDC</h1>"
    "<p>A small FHIR R4 receiver in the place of the trial's EDC. It holds pseudonyms only.</p>"
)
_COLUMNS = ("Screening number", "Status", "Verdict", "Stratum", "SOFA", "Ferritin", "mHLA-DR")


def page(store: EdcStore) -> str:
    subjects = [r for (kind, _), r in store.resources.items() if kind == "ResearchSubject"]
    head = "".join(f"<th>{escape(name)}</th>" for name in _COLUMNS)
    rows = "".join(f"<tr>{_row(store, subject)}</tr>" for subject in subjects)
    return f"{_HEAD}<p>{len(subjects)} subjects</p><table border=1><tr>{head}</tr>{rows}</table>"


def _row(store: EdcStore, subject: Json) -> str:
    found = {part["url"]: part.get("valueCode", "") for part in _parts(subject)}
    patient = subject["individual"]["reference"]
    observed = [r for (kind, _), r in store.resources.items() if kind == "Observation"]
    mine = {code(r): r for r in observed if r["subject"]["reference"] == patient}
    cells = (
        subject["identifier"][0]["value"],
        subject["status"],
        found.get("verdict", ""),
        found.get("stratum", ""),
        _score(mine.get(SOFA_TOTAL)),
        _value(mine.get(CONCEPTS["ferritin"].code)),
        _value(mine.get(CONCEPTS["mhladr"].code)),
    )
    return "".join(f"<td>{escape(str(cell))}</td>" for cell in cells)


def code(observation: Json) -> str:
    return str(observation["code"]["coding"][0]["code"])


def _parts(subject: Json) -> list[Json]:
    return [p for e in subject.get("extension", []) if e["url"] == ASSESSMENT_EXTENSION for p in e["extension"]]


def _score(observation: Json | None) -> str:
    if observation is None:
        return ""
    bounds = [part["valueInteger"] for part in observation["extension"][0]["extension"]]
    return str(bounds[0]) if bounds[0] == bounds[1] else f"{bounds[0]} to {bounds[1]}"


def _value(observation: Json | None) -> str:
    quantity = (observation or {}).get("valueQuantity", {})
    return f"{quantity.get('comparator', '')}{quantity.get('value', '')} {quantity.get('unit', '')}".strip()
