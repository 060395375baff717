"""A patient told in HL7 v2 bytes alone: messages in, the `explain` object out; nothing of the house is built by hand."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from adapter.assets import load_rulebook
from adapter.domain.patient import PatientState
from adapter.eligibility.explain import as_json
from adapter.screening.interpret import Interpretation, interpret
from adapter.screening.rulebook import Rulebook
from adapter.screening.screen import screen
from tests.builders import adt, dtm, obx, oru, raw

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
"""Monday 08:00: the patient comes to the emergency department."""
LONG_AFTER = datetime(2027, 1, 1, tzinfo=UTC)

GENERIC = {
    "pao2": ("2703-7", "mm[Hg]"),
    "fio2": ("3150-0", "%"),
    "device": ("20124-4", ""),
    "flow": ("3151-8", "L/min"),
    "spo2": ("59408-5", "%"),
    "plt": ("777-3", "10*3/uL"),
    "bili": ("1975-2", "mg/dL"),
    "map": ("8478-0", "mm[Hg]"),
    "line": ("76214-6", "mm[Hg]"),
    "cuff": ("76536-2", "mm[Hg]"),
    "sbp": ("8480-6", "mm[Hg]"),
    "dbp": ("8462-4", "mm[Hg]"),
    "gcs": ("9269-2", "{score}"),
    "rass": ("54632-5", "{score}"),
    "crea": ("2160-0", "mg/dL"),
    "weight": ("29463-7", "kg"),
    "urine": ("9187-6", "mL"),
    "urine24": ("9192-6", "mL"),
    "ferritin": ("2276-4", "ng/mL"),
    "hladr": ("mhladr-abc", "{AB}/{cell}"),
    "anc": ("751-8", "10*3/uL"),
    "wbc": ("6690-2", "10*3/uL"),
    "neut": ("770-8", "%"),
    "hcg": ("2106-3", ""),
    "covid": ("94500-6", ""),
    "culture": ("600-7", ""),
    "dnr": ("81352-2", ""),
    "hiv": ("56888-1", ""),
}
ATTIKON = {
    "pao2": ("PO2A", "mmHg"),
    "fio2": ("FIO2", "%"),
    "device": ("RESP", ""),
    "plt": ("PLT", "K/ul"),
    "bili": ("TBIL", "umol/L"),
    "map": ("MAP", "mmHg"),
    "gcs": ("GCS", ""),
    "crea": ("CREA", "umol/L"),
    "ferritin": ("FERR", "ng/mL"),
    "hladr": ("HLADR", "AB/C"),
    "norad": ("NORAD", "mcg/kg/min"),
    "adren": ("ADREN", "mcg/kg/min"),
    "dopa": ("DOPA", "mcg/kg/min"),
    "dobu": ("DOBU", "mcg/kg/min"),
    "vaso": ("VASO", "U/min"),
}
WORDS = frozenset({"device", "hcg", "covid", "culture", "dnr", "hiv"})
WELL = {"pao2": "90", "fio2": "21", "plt": "200", "bili": "0.8", "map": "85", "gcs": "15", "crea": "0.9"}
"""Six organs measured, none failing."""
WELL_SI = {**WELL, "bili": "13", "crea": "80"}


@cache
def rules(*trials: str) -> Rulebook:
    return load_rulebook(None, trials=list(trials))


@dataclass
class Patient:
    """Hours count from MONDAY. `told` holds the messages in the order in which they are read."""

    site: str = "generic"
    trials: tuple[str, ...] = ("immunosep-demo",)
    born: str = "19500615"
    sex: str = "M"
    told: list[bytes] = field(default_factory=list)
    seen: list[Interpretation] = field(default_factory=list)
    orders: int = 0

    @property
    def authority(self) -> str:
        return "ATTIKON" if self.site == "attikon" else "HOSP"

    def time(self, hour: float) -> str:
        return dtm(MONDAY + timedelta(hours=hour))

    def admit(self, hour: float = 0, event: str = "A04", cls: str = "E", ward: str = "ED", **parts: Any) -> "Patient":
        at = self.time(hour)
        common = {"born": self.born, "sex": self.sex, "authority": self.authority, "sent": at, "at": at}
        return self.tell(adt(event, cls=cls, ward=ward, **{**common, **parts}))

    def line(self, name: str, value: str, unit: str | None = None, **parts: Any) -> str:
        code, usual = (ATTIKON if self.site == "attikon" else GENERIC)[name]
        system = "L" if self.site == "attikon" or name == "hladr" else "LN"
        kind = parts.pop("type", "ST" if name in WORDS else "NM")
        return obx(code, value, usual if unit is None else unit, system=system, type=kind, **parts)

    def report(self, hour: float, *lines: str, **parts: Any) -> "Patient":
        """One ORU of its own order, sent ten minutes after the specimen."""
        self.orders += 1
        defaults = {
            "order": f"F{self.orders}",
            "at": self.time(hour),
            "sent": self.time(hour + 1 / 6),
            "born": self.born,
            "sex": self.sex,
            "authority": self.authority,
        }
        return self.tell(oru(*lines, **{**defaults, **parts}))

    def labs(self, hour: float, **values: str | tuple[str, str]) -> "Patient":
        lines = (self.line(name, *((value,) if isinstance(value, str) else value)) for name, value in values.items())
        return self.report(hour, *lines)

    def tell(self, body: bytes) -> "Patient":
        self.told.append(body)
        return self

    def explain(self, hour: float = 2) -> dict[str, Any]:
        return self.explain_all(hour)[self.trials[0]]

    def explain_all(self, hour: float) -> dict[str, dict[str, Any]]:
        """Every trial's `explain` object at the hour, by the shipped rules."""
        book, at = rules(*self.trials), MONDAY + timedelta(hours=hour)
        self.seen = [
            interpret(raw(body, site=self.site, received=LONG_AFTER), book, message_id=str(number))
            for number, body in enumerate(self.told, 1)
        ]
        (patient,) = {who for one in self.seen for who in one.patients}
        events = [event for one in self.seen for event in one.events]
        outcome = screen(PatientState(patient), events, book, alerts={}, now=at)
        return {j.assessment.trial: as_json(j.assessment, patient="S", software="0") for j in outcome.judgements}

    @property
    def issues(self) -> list[str]:
        """Codes of what the reader found odd, after `explain`."""
        return [issue.code for one in self.seen for issue in one.issues]


def scores(told: dict[str, Any]) -> tuple[int | None, ...]:
    """Component scores in the order R, Co, L, Cv, N, K."""
    order = ("respiration", "coagulation", "liver", "cardiovascular", "cns", "renal")
    return tuple(told["sofa"]["components"][name]["score"] for name in order)


def organ(told: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = told["sofa"]["components"][name]
    return found


def answer(told: dict[str, Any], criterion: str) -> str:
    return str(criterion_of(told, criterion)["answer"])


def criterion_of(told: dict[str, Any], criterion: str) -> dict[str, Any]:
    return next(one for one in told["criteria"] if one["id"] == criterion)
