"""One story of three records, chapter by chapter: as HL7 v2 messages, and as what a hospital's FHIR server is made to hold."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests import as_fhir
from tests.builders import adt, dtm, er7, msh, obx, oru, pid, pv1
from tests.hapi.server import Peer

Json = dict[str, Any]
ORGANS = (
    obx("777-3", "90", "10*3/uL"),
    obx("1975-2", "1.2", "mg/dL"),
    obx("2160-0", "1.9", "mg/dL"),
    obx("8478-0", "88", "mm[Hg]"),
    obx("9269-2", "15", "{score}"),
    obx("2276-4", "5200", "ng/mL"),
)
HEALTHY = (obx("777-3", "240", "10*3/uL", status="C"), obx("2160-0", "0.9", "mg/dL", status="C"))
"""Corrections of two of them: SOFA falls below 2."""
REFERENCE = re.compile(r'"(Patient|Encounter|Observation)/')


@dataclass(frozen=True)
class Hospital:
    """What happens from `came` on, written to `server`; ids there carry its mark."""

    server: Peer
    came: datetime

    def at(self, hours: float) -> datetime:
        return self.came + timedelta(hours=hours)

    # --- HL7 v2 ----------------------------------------------------------------------------------------------------

    def admission(self, patient: str) -> bytes:
        at = dtm(self.came)
        return adt(
            "A01", patient=patient, visit=f"V{patient}", cls="E", ward="ED", at=at, sent=at, control=f"A{patient}"
        )

    def results(self, patient: str, order: str, *lines: str, sent: float = 1, control: str = "") -> bytes:
        at, control = dtm(self.at(1)), control or f"{order}-{patient}"
        parts = {"order": f"{order}{patient}", "visit": f"V{patient}", "control": control}
        return oru(*lines, patient=patient, at=at, issued=dtm(self.at(sent)), sent=dtm(self.at(sent)), **parts)

    def problem(self, patient: str) -> bytes:
        line = f"PRB|AD|{dtm(self.at(1))}|J18.9^Pneumonia^I10|P1"
        return er7(*self._head("PPR^PC1", patient), line)

    def infusion(self, patient: str) -> bytes:
        line = f"RXA|0|1|{dtm(self.at(1))}||C01CA03^^ATC|0.12|ug/kg/min{'|' * 13}CP|A"
        return er7(*self._head("RAS^O17", patient), "ORC|RE|P1|F1", line, "RXR|IV^Intravenous^HL70162")

    def merge(self, old: str, into: str) -> bytes:
        return adt("A40", patient=into, merged=old, control=f"M{old}", sent=dtm(self.at(2)))

    def _head(self, kind: str, patient: str) -> tuple[str, str, str]:
        return msh(kind, control=f"{kind[:3]}{patient}", at=dtm(self.at(1))), pid(patient), pv1(f"V{patient}", "E")

    # --- FHIR ------------------------------------------------------------------------------------------------------

    def name(self, plain: str) -> str:
        return f"{self.server.mark}-{plain}"

    def tell(self, *bodies: bytes) -> None:
        """As an interface engine would write them, with meta of the server's own."""
        for body in bodies:
            for entry in json.loads(as_fhir.bundle(body))["entry"]:
                self.put({key: value for key, value in entry["resource"].items() if key != "meta"})

    def put(self, resource: Json) -> None:
        text = REFERENCE.sub(rf'"\1/{self.server.mark}-', json.dumps(resource))
        self.server.put(json.loads(text) | {"id": self.name(resource["id"])})

    def condition(self, patient: str) -> None:
        code = {"system": "http://hl7.org/fhir/sid/icd-10", "code": "J18.9"}
        self.put(
            {
                "resourceType": "Condition",
                "id": f"c{patient}",
                "subject": {"reference": f"Patient/p{patient}"},
                "encounter": {"reference": f"Encounter/eV{patient}"},
                "code": {"coding": [code]},
                "recordedDate": self.at(1).isoformat(),
            }
        )

    def drug(self, patient: str) -> None:
        unit = "ug/kg/min"
        rate = {"value": 0.12, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
        route = {"coding": [{"system": "http://snomed.info/sct", "code": "47625008"}]}
        self.put(
            {
                "resourceType": "MedicationAdministration",
                "id": f"m{patient}",
                "status": "in-progress",
                "subject": {"reference": f"Patient/p{patient}"},
                "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "C01CA03"}]},
                "effectivePeriod": {"start": self.at(1).isoformat()},
                "dosage": {"rateQuantity": rate, "route": route},
            }
        )

    def delete(self, patient: str, order: str, code: str) -> None:
        self.server.delete("Observation", self.name(f"{order}{patient}-{code}"))

    def link(self, old: str, into: str) -> None:
        (entry,) = (
            one
            for one in json.loads(as_fhir.bundle(self.admission(old)))["entry"]
            if one["resource"]["resourceType"] == "Patient"
        )
        other = {"other": {"reference": f"Patient/p{into}"}, "type": "replaced-by"}
        self.put({k: v for k, v in entry["resource"].items() if k != "meta"} | {"active": False, "link": [other]})


@dataclass(frozen=True)
class Chapter:
    """The same in both syntaxes."""

    name: str
    messages: tuple[bytes, ...]
    tell: Callable[[], None]


def story(hospital: Hospital) -> list[Chapter]:
    h = hospital
    arrivals = (h.admission("100"), h.results("100", "R", *ORGANS), h.admission("200"), h.results("200", "R", *ORGANS))
    elsewhere = (h.admission("300"), h.results("300", "F", obx("2276-4", "9800", "ng/mL")))
    corrected = h.results("200", "R", *HEALTHY, sent=2, control="C200")
    gone = h.results("100", "R", obx("777-3", "", status="D"), sent=2, control="D100")

    def treated() -> None:
        h.condition("100")
        h.drug("100")

    return [
        Chapter("two arrive", arrivals, lambda: h.tell(*arrivals)),
        Chapter("pneumonia and noradrenaline", (h.problem("100"), h.infusion("100")), treated),
        Chapter("results are amended", (corrected,), lambda: h.tell(corrected)),
        Chapter("a result is deleted", (gone,), lambda: h.delete("100", "R", "777-3")),
        Chapter("another record", elsewhere, lambda: h.tell(*elsewhere)),
        Chapter("which is the same person's", (h.merge("300", "100"),), lambda: h.link("300", "100")),
    ]
