"""The two ends of a daemon: a server polled as the hospital's, one pushed to as the EDC, and what either holds."""

import json
from collections.abc import Iterator
from typing import Any

from adapter.daemon.clock import utc_now
from adapter.store import worklist
from adapter.store.candidate_rows import CandidateRow
from adapter.store.database import Database
from tests.hapi.server import Peer
from tests.installation import Installation
from tests.shell.test_polling import stored

Json = dict[str, Any]
POLLED = ("Patient", "Encounter", "Condition", "Observation", "MedicationAdministration")
PUSHED = ("Patient", "ResearchSubject", "Observation", "Device", "Provenance")


def polled(peer: Peer, *, name: str = "ehr", site: str = "generic", page: int = 4, reconcile: str = "3 s") -> str:
    return f"""
[[source]]
kind = "fhir"
name = "{name}"
site = "{site}"
base = "{peer.base}"
every = "1 s"
overlap = "1 s"
reconcile = "{reconcile}"
types = {json.dumps(POLLED)}
page_size = {page}
"""


class Worklist:
    """What people see of each row, whichever way it was told."""

    def __init__(self, place: Installation) -> None:
        self._database = Database.open(f"sqlite:///{place.database}", read_only=True)

    def __call__(self) -> list[Json]:
        with self._database.read() as conn:
            return sorted((essence(row) for row in worklist.shown(conn, utc_now())), key=str)

    def close(self) -> None:
        self._database.close()


def essence(row: CandidateRow) -> Json:
    found = row.assessment
    organs = {name: (one["score"], one["low"], one["high"]) for name, one in found["sofa"]["components"].items()}
    return {
        "who": (row.patient.value, row.family, row.birth_date, row.ward),
        "verdict": (row.verdict, row.certainty, row.stratum, row.standing, row.deadline),
        "organs": organs,
        "criteria": [(one["id"], one["answer"], one.get("suggestion")) for one in found["criteria"]],
    }


def pushed(peer: Peer) -> str:
    return f"""
[[sink]]
kind = "fhir"
name = "edc"
base = "{peer.base}"
push_when = "candidate"
dates = "exact"
"""


def coded(one: Json) -> str:
    return str(one["code"]["coding"][0]["code"])


def asserted(subject: Json) -> dict[str, Any]:
    (ours,) = subject["extension"]
    return {part["url"]: next(v for k, v in part.items() if k.startswith("value")) for part in ours["extension"]}


def values(edc: Peer, code: str) -> list[tuple[str, str]]:
    found = edc.found("Observation", f"code=http://loinc.org|{code}")
    return sorted((str(one.get("valueQuantity", {}).get("value", "")), one["status"]) for one in found)


def settled(place: Installation, name: str = "ehr") -> bool:
    """A round came through since it was started."""
    return f'adapter_poll_rounds_total{{feed="{name}",outcome="whole"}}' in place.get("/metrics")


def read(place: Installation, name: str = "ehr") -> set[tuple[str, str, str]]:
    """What the poller stored, in which version."""
    entries = [entry["resource"] for page in stored(place, name) for entry in page["entry"]]
    return {(one["resourceType"], one["id"], one["meta"]["versionId"]) for one in entries}


def current(peer: Peer) -> set[tuple[str, str, str]]:
    held = [one for kind in POLLED for one in peer.found(kind)]
    return {(one["resourceType"], one["id"], one["meta"]["versionId"]) for one in held}


def named(edc: Peer) -> Iterator[tuple[str, str]]:
    """Every resource at the EDC by our own name for it."""
    for kind in PUSHED:
        for one in edc.found(kind):
            names = one["meta"]["tag"] if kind == "Provenance" else one["identifier"]
            yield kind, str(names[0].get("code") or names[0].get("value"))
