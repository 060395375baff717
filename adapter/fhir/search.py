"""Searches of a polled FHIR server: which, with which parameters, and how far an answered one has brought us."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

Parameters = tuple[tuple[str, str], ...]

KINDS = (
    "Patient",
    "Encounter",
    "Condition",
    "Observation",
    "DiagnosticReport",
    "MedicationRequest",
    "MedicationAdministration",
    "Procedure",
    "Specimen",
    "Flag",
    "Consent",
)
"""In the order of a round: people before what is said of them, results before the reports that name them."""

DATED = {
    "Encounter": "date",
    "Observation": "date",
    "DiagnosticReport": "date",
    "MedicationRequest": "authoredon",
    "MedicationAdministration": "effective-time",
    "Procedure": "date",
    "Specimen": "collected",
}
"""The clinical time a search may be narrowed by (R4 search parameters); of the other types everything is asked for."""

CLINICAL_TIMES = frozenset({*DATED.values(), "onset-date", "recorded-date", "issued", "period"})

PRESENT = (("status", "arrived,triaged,in-progress,onleave"),)
"""Encounters of who is here now (R4 EncounterStatus)."""


@dataclass(frozen=True, slots=True)
class Manners:
    """What a vendor's server does with a search.

    `by_time`: it heeds `_lastUpdated`. `sorts`: it heeds `_sort=_lastUpdated`. `by_patient`: it wants `patient` with
    every clinical search. `mixes`: it takes `_lastUpdated` and a clinical date together.
    """

    by_time: bool = True
    sorts: bool = True
    by_patient: bool = False
    mixes: bool = True


MANNERS: Mapping[str, Manners] = {
    "generic": Manners(),
    # Epic answers as if `_lastUpdated` had not been said (smart-fetch, docs/since.md): only a re-crawl sees everything.
    "epic": Manners(by_time=False, sorts=False, by_patient=True),
    # Oracle Health refuses `date` beside `_lastUpdated` (fhir.cerner.com, PR 161) and wants the patient.
    "oracle": Manners(sorts=False, by_patient=True, mixes=False),
}


@dataclass(frozen=True, slots=True)
class Search:
    """One search of a round. `narrowed` are the operator's own parameters; `patient` is a logical id of the server.
    A `timeless` one asks for what is, whenever it was changed.
    """

    kind: str
    narrowed: Parameters = ()
    patient: str = ""
    timeless: bool = False

    def parameters(self, manners: Manners, since: datetime, count: int) -> Parameters:
        """Of its first page; every other page is the server's own link."""
        whose = (("patient", self.patient),) if self.patient and self.kind != "Patient" else ()
        whose = (("_id", self.patient),) if self.patient and self.kind == "Patient" else whose
        when = () if self.timeless else _since(self.kind, manners, since)
        return (*whose, *self.narrowed, *when, ("_count", str(count)))


def _since(kind: str, manners: Manners, since: datetime) -> Parameters:
    moment = f"ge{since.isoformat(timespec='milliseconds')}"
    if manners.by_time:
        return (("_lastUpdated", moment), *((("_sort", "_lastUpdated"),) if manners.sorts else ()))
    return ((DATED[kind], moment),) if kind in DATED else ()


def refused_mixture(narrowed: Parameters, manners: Manners) -> str:
    """The operator's parameter that this server would not take beside `_lastUpdated`; empty where there is none."""
    if manners.mixes or not manners.by_time:
        return ""
    return next((name for name, _ in narrowed if name.partition(":")[0] in CLINICAL_TIMES), "")


@dataclass(frozen=True, slots=True)
class Bookmark:
    """How far a search has been read; saved with each page, in its transaction.

    `watermark`: everything the server had changed before is stored. The rest is of a pass that has begun: `next` is the
    link to follow, `began` the server's time of its first page, `newest` the newest `lastUpdated` seen in it; a `flawed`
    pass held an OperationOutcome of the server that says it is not whole.
    """

    watermark: datetime | None = None
    next: str = ""
    began: datetime | None = None
    newest: datetime | None = None
    pages: int = 0
    flawed: bool = False

    def since(self, start: datetime, overlap: timedelta) -> datetime:
        """Where a new pass begins; `start` where there was none."""
        return start if self.watermark is None else max(start, self.watermark - overlap)

    def turned(self, *, began: datetime, newest: datetime | None, following: str, flawed: bool) -> "Bookmark":
        """After one page more: the next one, or the end of the pass."""
        known = [one for one in (self.newest, newest) if one is not None]
        page = replace(
            self,
            next=following,
            began=self.began or began,
            newest=max(known) if known else None,
            pages=self.pages + 1,
            flawed=self.flawed or flawed,
        )
        return page if following else page.ended()

    def ended(self) -> "Bookmark":
        """A pass without flaw moves the watermark: to what was seen, never beyond the server's own time at its beginning.

        So neither a resource dated in the future nor a server whose copies arrive late lets anything be passed over;
        whatever is earlier than need be is only read again.
        """
        seen = [one for one in (self.watermark, self.newest) if one is not None]
        if self.flawed or self.began is None or not seen:
            return Bookmark(self.watermark)
        return Bookmark(min(self.began, max(seen)))

    def restarted(self) -> "Bookmark":
        """The pass is given up: its links lead nowhere any more."""
        return Bookmark(self.watermark)
