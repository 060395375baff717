"""Two patients who are made up, of known results and therefore known points, to be told like anybody else (reliability 5.3).

What fails to fire is not noticed by looking at what fires (Wright 2016). Codes and units are the public ones, LOINC and UCUM, and
the dictionary's own of mHLA-DR, which has none, so that every hospital's page reads them; all else is as the page wants it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from adapter.simulation.dialect import GENERIC, Code
from adapter.simulation.messages import Person, Report, admission, results

NAMES = ("Canary", "Madeup", "Zinnia")
"""Of which one is taken that the page does not know as its test patients'."""
AGE = 60
ADMITTED, TAKEN = timedelta(hours=3), timedelta(hours=1)
"""So long before it is told."""
AUTHORITY = "CANARY-DOMAIN"
"""Where a hospital's page accepts any."""
ORGANS = {
    "pao2": 70.0,
    "fio2": 50.0,
    "platelets": 40.0,
    "bilirubin": 3.0,
    "map": 60.0,
    "gcs-total": 12.0,
    "creatinine": 2.5,
}
"""In the units of `GENERIC`: mmHg, %, 10*3/uL, mg/dL, mmHg, points, mg/dL."""
POINTS: Mapping[str, int] = {
    "respiration": 2,
    "coagulation": 3,
    "liver": 2,
    "cardiovascular": 1,
    "cns": 2,
    "renal": 2,
}
"""By Vincent 1996, table 3: 70 / 0.50 = 140 without a ventilator, 40 < 50, 2.0 to 5.9 mg/dL, MAP < 70, 10 to 12, 2.0 to 3.4 mg/dL."""
MARKERS = ({"ferritin": 4500.0}, {"ferritin": 500.0, "mhladr": 4500.0})
"""ng/mL and receptors a cell, near the limits of 4420 and 5000: fulminant hyper-inflammation, and immunoparalysis."""
CODES = {**GENERIC.codes, "mhladr": Code("mhladr-abc", "Monocyte HLA-DR", "{AB}/{cell}", system="L")}


@dataclass(frozen=True, slots=True)
class Ways:
    """How the hospital's page wants its patients: `authority` and `kind` are PID-3.4 and PID-3.5, `laboratory` the central one."""

    site: str
    authority: str
    kind: str
    decimal: str
    emergency_ward: str
    laboratory: str
    name: str


def patients(ways: Ways, now: datetime) -> tuple[tuple[bytes, ...], ...]:
    """Of each of them an arrival in the emergency department three hours ago, and the results of one panel taken an hour ago."""
    return tuple(_messages(ways, number, now) for number in range(len(MARKERS)))


def _messages(ways: Ways, which: int, now: datetime) -> tuple[bytes, ...]:
    dialect = replace(
        GENERIC,
        site=ways.site,
        application=NAMES[0].upper(),
        authority=ways.authority,
        identifier_type=ways.kind,
        decimal=ways.decimal,
        codes=CODES,
    )
    number, born = f"{ways.name}{which + 1}".upper(), f"{now.year - AGE}0101"
    person = Person(number, ways.name, "Test", born, "M", ways.emergency_ward or dialect.emergency_ward, "1")
    told = {concept: dialect.number(concept, value) for concept, value in (ORGANS | MARKERS[which]).items()}
    stamp = f"{number}-{now:%Y%m%d%H%M%S}"
    report = Report(stamp, now - TAKEN, now, told, laboratory=ways.laboratory, everywhere=True)
    return (
        admission(dialect, person, admitted=now - ADMITTED, sent=now, control=f"{stamp}-1"),
        results(dialect, person, report, sent=now, control=f"{stamp}-2"),
    )
