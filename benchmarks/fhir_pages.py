"""Pages of 100 Observations: read by us, beside decoding and validating them with fhir.resources in the same run.

    python -m benchmarks fhir_pages

The library checks a page against R4's types and knows nothing of what it means. We decode it strictly and take out every
element that is used; then, in the row below, we read every result in canonical units, with its ledger. All start from the
bytes, in one process and thread, in turns; counted is the time of the processor.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from fhir.resources.R4B.bundle import Bundle

from adapter.assets import load_rulebook
from adapter.domain.message import MessageKind, RawMessage
from adapter.fhir.contents import contents_of, text
from adapter.fhir.observed import Observed, observed
from adapter.mapping.fhir_events import doubt
from adapter.screening.interpret import interpret
from benchmarks.pipeline import CHART, LABORATORY, START, varied
from benchmarks.report import number, spread, table

PAGES, OBSERVATIONS, ROUNDS = 20, 100, 5
LIBRARY = "fhir.resources: decoded and validated"
LINES = (*CHART, *LABORATORY)


def patient(name: int) -> dict[str, Any]:
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}
    return {
        "resourceType": "Patient",
        "id": f"p{name}",
        "identifier": [{"system": "urn:oid:1.2.3", "value": str(name), "type": kind}],
        "gender": "female",
        "birthDate": "1960-01-01",
    }


def observation(page: int, n: int, start: datetime = START) -> dict[str, Any]:
    code, value, unit = LINES[n % len(LINES)]
    at = (start + timedelta(seconds=page * OBSERVATIONS + n)).isoformat()
    quantity = {"value": float(varied(value, Random(page * 1000 + n))), "unit": unit, "code": unit}
    return {
        "resourceType": "Observation",
        "id": f"o{page}-{n}",
        "meta": {"versionId": "1", "lastUpdated": at},
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": "as the laboratory calls it"}]},
        "subject": {"reference": f"Patient/p{page % 10}"},
        "effectiveDateTime": at,
        "valueQuantity": {**quantity, "system": "http://unitsofmeasure.org"},
    }


def page(name: int, start: datetime = START) -> bytes:
    resources = [patient(name % 10), *(observation(name, n, start) for n in range(OBSERVATIONS))]
    entries = [
        {
            "fullUrl": f"http://localhost/fhir/{one['resourceType']}/{one['id']}",
            "resource": one,
            "search": {"mode": "match"},
        }
        for one in resources
    ]
    link = [{"relation": "self", "url": "http://localhost/fhir/Observation"}]
    return json.dumps(
        {"resourceType": "Bundle", "id": f"b{name}", "type": "searchset", "link": link, "entry": entries}
    ).encode()


def taken_out(body: bytes) -> list[Observed]:
    """What `adapter.mapping.fhir_events` asks of each Observation, before any word of it is understood."""
    contents, found = contents_of(body), []
    for one in contents.resources:
        if one["resourceType"] == "Observation" and not doubt(one):
            whose = contents.target(one.get("subject"), one), text(one, "meta", "lastUpdated")
            where = contents.target(one.get("specimen"), one), contents.target(one.get("encounter"), one)
            found.append(observed(one))
            if whose[0] is None or not whose[1] or any(where):
                raise SystemExit("a page that is read otherwise than it was written: no figure")
    return found


def main(*, quick: bool = False) -> str:
    rules, pages = load_rulebook(None, trials=["immunosep-demo"]), [page(n) for n in range(PAGES)]
    now = datetime(2026, 6, 1, tzinfo=UTC)

    def extracted(body: bytes) -> None:
        if sum(one.own is not None and one.own.value.kind == "number" for one in taken_out(body)) != OBSERVATIONS:
            raise SystemExit("not every number was found: no figure")

    def understood(body: bytes) -> None:
        seen = interpret(RawMessage("server", "generic", MessageKind.FHIR, body, now), rules, message_id="1")
        if seen.ledger.observations != OBSERVATIONS:
            raise SystemExit("not every Observation was counted: no figure")

    ways: dict[str, Callable[[bytes], object]] = {
        LIBRARY: Bundle.model_validate_json,
        "adapter: decoded, and every element taken out that is used": extracted,
        "adapter: and understood, in canonical units, with the ledger": understood,
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(1 if quick else ROUNDS):
        for name, read in ways.items():
            rates[name].append(_rate(read, pages))
    rows = [
        [name, f"{number(sorted(found)[len(found) // 2])} ±{spread(found)}", f"{number(_ratio(rates, name))} ×"]
        for name, found in rates.items()
    ]
    note = f"Pages of {OBSERVATIONS} Observations, a second of one core; how many times as fast as the library, median of {len(rates[LIBRARY])} rounds."
    return f"{table(['read', 'pages a second', ''], rows)}\n\n{note}"


def _rate(read: Callable[[bytes], object], pages: list[bytes]) -> float:
    read(pages[0])
    began = time.process_time()
    for body in pages:
        read(body)
    return len(pages) / (time.process_time() - began)


def _ratio(rates: dict[str, list[float]], name: str) -> float:
    found = sorted(ours / theirs for ours, theirs in zip(rates[name], rates[LIBRARY], strict=True))
    return found[len(found) // 2]


if __name__ == "__main__":
    print(main())
