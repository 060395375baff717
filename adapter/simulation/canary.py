"""The canary patient: made up, of known results and therefore known points, to be told like anybody else (reliability 5.3).

What fails to fire is not noticed by looking at what fires (Wright 2016). Codes and units are the public ones, LOINC and UCUM, so
that every hospital's page reads them; number, decimal mark and emergency ward are as the page wants them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from adapter.simulation.dialect import GENERIC
from adapter.simulation.messages import Person, Report, admission, results

NUMBER = "CANARY"
ADMITTED, TAKEN = timedelta(hours=3), timedelta(hours=1)
"""So long before it is told."""
AUTHORITY = "CANARY-DOMAIN"
"""Where a hospital's page accepts any."""
VALUES = {
    "pao2": 70.0,
    "fio2": 50.0,
    "platelets": 40.0,
    "bilirubin": 3.0,
    "map": 60.0,
    "gcs-total": 12.0,
    "creatinine": 2.5,
    "ferritin": 9000.0,
}
"""In the units of `GENERIC`: mmHg, %, 10*3/uL, mg/dL, mmHg, points, mg/dL, ng/mL."""
POINTS: Mapping[str, int] = {
    "respiration": 2,
    "coagulation": 3,
    "liver": 2,
    "cardiovascular": 1,
    "cns": 2,
    "renal": 2,
}
"""By Vincent 1996, table 3: 70 / 0.50 = 140 without a ventilator, 40 < 50, 2.0 to 5.9 mg/dL, MAP < 70, 10 to 12, 2.0 to 3.4 mg/dL."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How the hospital's page wants its patients: `authority` and `kind` are PID-3.4 and PID-3.5."""

    site: str
    authority: str
    kind: str
    decimal: str
    emergency_ward: str


def messages(ways: Ways, now: datetime) -> tuple[bytes, ...]:
    """An arrival in the emergency department three hours ago, and the results of one panel taken an hour ago."""
    dialect = replace(
        GENERIC,
        site=ways.site,
        application=NUMBER,
        authority=ways.authority,
        identifier_type=ways.kind,
        decimal=ways.decimal,
    )
    person = Person(NUMBER, "Canary", "Test", "19600101", "M", ways.emergency_ward or dialect.emergency_ward, "1")
    told = {concept: dialect.number(concept, value) for concept, value in VALUES.items()}
    taken, stamp = now - TAKEN, f"{NUMBER}-{now:%Y%m%d%H%M%S}"
    return (
        admission(dialect, person, admitted=now - ADMITTED, sent=now, control=f"{stamp}-1"),
        results(dialect, person, Report(stamp, taken, now, told), sent=now, control=f"{stamp}-2"),
    )
