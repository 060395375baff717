"""ICU stays of MIMIC-IV in two houses, one that listens to HL7 v2 and one that polls, and what the EDC of each holds of them."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapter.daemon.clock import utc_now
from adapter.daemon.rules import SECRET
from adapter.fhir.codes import CONCEPTS, SCREENING_NUMBER, SOFA_ORGANS
from adapter.fhir.page import moment_of
from adapter.scoring.chart import Chart
from adapter.scoring.sofa import score
from adapter.store import screening_ids, worklist
from adapter.store.database import Database
from adapter.store.secret import SiteSecret
from tests.hapi.ends import asserted, coded, essence
from tests.hapi.server import Peer
from tests.icu.house import ASSETS, SITE, rulebook
from tests.icu.resources import numeric
from tests.icu.tables import Row, moment
from tests.icu.test_by_fhir import hl7, read
from tests.icu.window import Running
from tests.installation import Installation

Json = dict[str, Any]
TRIAL = "immunosep-demo"
SOFA = "96790-1"
ORGANS = {code: name for name, code in SOFA_ORGANS.items()}
WORDS, RATE = "respiratory-support", "-rate"


def furnished(place: Installation) -> Installation:
    """Its feed is MIMIC's, and so are its mappings."""
    written = place.config.read_text().replace('site = "generic"', f'site = "{SITE}"', 1)
    place.config.write_text(written.replace("[adapter]", f'[adapter]\nassets = "{ASSETS}"', 1))
    return place


@dataclass(frozen=True)
class End:
    """A house that has run, with the EDC it pushes to."""

    place: Installation
    edc: Peer
    database: Database

    @classmethod
    def of(cls, place: Installation, edc: Peer) -> "End":
        return cls(place, edc, Database.open(f"sqlite:///{place.database}", read_only=True))

    def worklist(self) -> dict[str, Json]:
        """By patient of MIMIC."""
        with self.database.read() as conn:
            return {row.patient.value: essence(row) for row in worklist.shown(conn, utc_now())}

    def numbers(self) -> dict[str, str | None]:
        """The screening numbers of those patients."""
        secret = SiteSecret.load_or_create(self.place.folder / "data" / SECRET)
        with self.database.read() as conn:
            who = [row.patient for row in worklist.shown(conn, utc_now())]
            return {one.value: screening_ids.find(conn, secret, TRIAL, one) for one in who}

    def told(self) -> dict[str, "Told"]:
        """What the EDC answers of each of them."""
        return {patient: self._told(number or "") for patient, number in self.numbers().items()}

    def _told(self, number: str) -> "Told":
        named = f"identifier={SCREENING_NUMBER}|{number}"
        (patient,) = self.edc.found("Patient", named)
        (subject,) = self.edc.found("ResearchSubject", named)
        of_subject = self.edc.found("Provenance", f"target=ResearchSubject/{subject['id']}")
        newest = max(of_subject, key=lambda one: (instant(one["recorded"]), instant(one["meta"]["lastUpdated"])))
        held = {
            f"Observation/{one['id']}": one for one in self.edc.found("Observation", f"subject=Patient/{patient['id']}")
        }
        now = [held[one["reference"]] for one in newest["target"] if one["reference"] in held]
        (sofa,) = [one for one in now if coded(one) == SOFA]
        inputs = [held[one["reference"]] for one in sofa["derivedFrom"]]
        ever = [one for one in held.values() if coded(one) != SOFA]
        return Told(subject, sofa, sorted(map(measured, inputs)), sorted(map(measured, ever)))


Measured = tuple[str, str, str, datetime]
"""Code, value, unit, time."""
Organs = dict[str, tuple[int | None, int, int]]
"""Of each the score, and the lowest and highest it may be."""


@dataclass(frozen=True)
class Told:
    """Of one subject: as it stands, the score of the last decision with what that rests on, and whatever was told before."""

    subject: Json
    score: Json
    inputs: list[Measured]
    ever: list[Measured]

    def verdict(self) -> tuple[str, str, str, datetime | None]:
        said = asserted(self.subject)
        return (
            said["verdict"],
            said["certainty"],
            said["stratum"],
            instant(said["deadline"]) if "deadline" in said else None,
        )

    def organs(self) -> Organs:
        return {ORGANS[coded(one)]: _points(one) for one in self.score["component"]}

    @property
    def at(self) -> datetime:
        """What the score is as of: the newest value the decision rests on (ADR 18), not the worklist's present."""
        return instant(self.score["effectiveDateTime"])


def instant(text: str) -> datetime:
    found = moment_of(text)
    assert found is not None, text
    return found


def _points(component: Json) -> tuple[int | None, int, int]:
    points = component.get("valueQuantity", {}).get("value")
    ends = [part["valueInteger"] for one in component.get("extension", []) for part in one["extension"]]
    low, high = ends or (points, points)
    return points, low, high


def measured(one: Json) -> Measured:
    quantity = one.get("valueQuantity", {})
    word = one.get("valueCodeableConcept", {}).get("coding", [{}])[0].get("code", "")
    value = f"{quantity['value']:g}" if quantity else word
    return coded(one), value, quantity.get("code", ""), instant(one["effectiveDateTime"])


class Charts:
    """What stands in the tables, by the concept each item is mapped to; and what it scores, through no daemon and no server."""

    def __init__(self, tables: Running) -> None:
        self._rules = rulebook()
        states, _ = read(hl7(tables), self._rules)
        self._states = {patient.value: state for patient, state in states.items()}
        entries = self._rules.sites[SITE].codes
        self._concepts = {item: entry.concept for item, entry in entries.items()}
        self._values: dict[tuple[str, str, datetime], set[str]] = defaultdict(set)
        for name in ("labevents", "chartevents", "outputevents"):
            for row in tables.rows(name):
                self._note(row)
        self._rates: dict[str, set[str]] = defaultdict(set)
        for row in tables.rows("inputevents"):
            if row["rate"]:
                self._rates[row["subject_id"]].add(f"{float(row['rate']):g}")

    def _note(self, row: Row) -> None:
        """As it was written; the number beside it is a rounded copy."""
        concept, written = self._concepts.get(row["itemid"]), row["value"].lstrip("<>= ")
        if concept and written:
            number = written if numeric(written) else row.get("valuenum", "")
            self._values[row["subject_id"], concept, moment(row["charttime"])].add(number)

    def hold(self, patient: str, told: Measured) -> bool:
        """Whether this was charted of that patient at that time; a word by its time alone, a dose by its rate alone."""
        code, value, _, at = told
        if code.endswith(RATE):
            return value in self._rates[patient]
        concepts = [name for name, one in CONCEPTS.items() if one.code == code]
        charted = {one for name in concepts for one in self._values.get((patient, name, at), ())}
        return bool(charted) and (code == WORDS or float(value) in {_canonical(one, concepts) for one in charted})

    def organs(self, patient: str, at: datetime) -> Organs:
        found = score(Chart(self._states[patient]), at, self._rules.scoring_options(SITE)).organs
        return {name: (one.score, one.low, one.high) for name, one in found.items()}


def _canonical(number: str, concepts: list[str]) -> float:
    """An FiO2 in percent is a share there."""
    value = float(number or "nan")
    return float(f"{value / 100:g}") if "fio2" in concepts and value > 1 else value
