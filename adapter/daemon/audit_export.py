"""The audit log as a file that an inspector takes along: NDJSON is the copy that proves itself, CSV and FHIR are for reading."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapter.fhir.audit_event import audit_event
from adapter.store import audit
from adapter.store.audit_walk import portions
from adapter.store.codec import instant
from adapter.store.database import Database
from adapter.web.sheets import BOM, guarded

Row = dict[str, Any]

COLUMNS = (
    *("seq", "at", "actor", "role", "action", "object_type", "object_id", "detail", "outcome", "reason"),
    *("previous", "hash"),
)
WITHHELD = frozenset({"detail", "reason", "previous", "hash"})
"""Of a blinded copy: details and words of people may break the blind, and a hash confirms who guesses them."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Which entries: from `since`, before `until`; without what is about another trial than `trial`."""

    since: datetime | None = None
    until: datetime | None = None
    trial: str = ""
    blinded: bool = False

    def said(self) -> dict[str, Any]:
        """As the entry of the export itself tells it."""
        times = {"from": self.since, "to": self.until}
        told: dict[str, Any] = {name: instant(at) for name, at in times.items() if at is not None}
        return told | ({"trial": self.trial} if self.trial else {}) | ({"blinded": True} if self.blinded else {})


def exported(database: Database, cut: Cut, form: str, upto: int) -> Iterator[bytes]:
    """Line by line, to entry `upto`; a portion is held at a time."""
    columns = [name for name in COLUMNS if not (cut.blinded and name in WITHHELD)]
    if form == "csv":
        yield BOM.encode() + _csv(columns)
    write = FORMATS[form]
    for found in portions(database, upto):
        for row in _wanted(database, cut, found):
            yield write({name: row[name] for name in columns})


def _wanted(database: Database, cut: Cut, found: Sequence[Row]) -> Iterator[Row]:
    since, until = (None if at is None else instant(at) for at in (cut.since, cut.until))
    timely = [row for row in found if (since is None or row["at"] >= since) and (until is None or row["at"] < until)]
    if not cut.trial:
        yield from timely
        return
    with database.read() as conn:
        known = audit.trials_of(conn, {name for row in timely for name in _people(row)})
    yield from (row for row in timely if _about(row, known) <= {cut.trial})


def _people(row: Row) -> set[str]:
    """Ids of ours whose trial the store knows, or knew: of the worklist, of screening. A message of several has its own key for
    its subject.
    """
    if row["object_type"] in {"candidate", "screening-number"}:
        return {row["object_id"]}
    if row["object_type"] == "delivery":
        said = json.loads(row["detail"])
        return {said.get("subject", ""), *said.get("candidates", ())} - {"", row["object_id"]}
    return set()


def _about(row: Row, trials: Mapping[str, str]) -> set[str]:
    """The trials an entry is about: none for a sign-in; of somebody who is gone and told no trial, one nobody asks for."""
    said = json.loads(row["detail"]).get("trial", "")
    if row["object_type"] == "trial":
        return {row["object_id"]}
    return {trials.get(name) or said or "?" for name in _people(row)} | ({said} - {""})


def _ndjson(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def _csv(cells: Sequence[Any]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line).writerow([guarded(cell) for cell in cells])
    return line.getvalue().encode()


FORMATS: Mapping[str, Callable[[Row], bytes]] = {
    "ndjson": _ndjson,
    "csv": lambda row: _csv(list(row.values())),
    "fhir": lambda row: _ndjson(audit_event(row)),
}
