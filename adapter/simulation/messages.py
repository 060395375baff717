"""The messages a ward writes: an admission, a report of results."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from adapter.hl7.compose import er7, segment
from adapter.simulation.dialect import Dialect


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who never lived, in a bed. `visit_class` is of table 0004."""

    number: str
    family: str
    given: str
    born: str
    sex: str
    ward: str
    bed: str
    visit_class: str = "E"

    @property
    def visit(self) -> str:
        return f"V{self.number}"


@dataclass(frozen=True, slots=True)
class Report:
    """Results of one moment under one filler order number; `effective` is when the specimen was taken."""

    order: str
    effective: datetime
    issued: datetime
    values: Mapping[str, str]
    status: str = "F"


def admission(dialect: Dialect, person: Person, *, admitted: datetime, sent: datetime, control: str) -> bytes:
    """ADT^A01."""
    return er7(
        [
            _header(dialect, "ADT", "A01", sent=sent, control=control),
            segment("EVN", "A01", dialect.time(sent), "", "", "", dialect.time(admitted)),
            _person(dialect, person),
            _visit(dialect, person, admitted),
        ],
        dialect.encoding,
    )


def results(dialect: Dialect, person: Person, report: Report, *, sent: datetime, control: str) -> bytes:
    """ORU^R01 with an OBX for each value."""
    return er7(
        [
            _header(dialect, "ORU", "R01", sent=sent, control=control),
            _person(dialect, person),
            _visit(dialect, person),
            _order(dialect, report),
            *(
                _observation(dialect, number, item, report.status)
                for number, item in enumerate(report.values.items(), 1)
            ),
        ],
        dialect.encoding,
    )


def _header(dialect: Dialect, code: str, trigger: str, *, sent: datetime, control: str) -> str:
    kind = (code, trigger, f"{code}_{trigger}")
    start = (dialect.application, dialect.authority, "ADAPTER", "TRIAL", dialect.time(sent), "", kind, control, "P")
    return segment("MSH", *start, "2.5.1", "", "", "", "", "", dialect.charset)


def _person(dialect: Dialect, person: Person) -> str:
    number = (person.number, "", "", dialect.authority, "MR")
    return segment("PID", "1", "", number, "", (person.family, person.given), "", person.born, person.sex)


def _visit(dialect: Dialect, person: Person, admitted: datetime | None = None) -> str:
    """PV1-19 is the visit, PV1-44 its beginning."""
    start = ("1", person.visit_class, (person.ward, "", person.bed), *("",) * 15, person.visit)
    return segment("PV1", *start, *(("",) * 24 + (dialect.time(admitted),) if admitted else ()))


def _order(dialect: Dialect, report: Report) -> str:
    """OBR-3 filler order number, OBR-7 specimen taken, OBR-22 results issued, OBR-25 status."""
    start = ("1", "", report.order, ("PANEL", "Results", "L"), "", "", dialect.time(report.effective), *("",) * 14)
    return segment("OBR", *start, dialect.time(report.issued), "", "", report.status)


def _observation(dialect: Dialect, number: int, item: tuple[str, str], status: str) -> str:
    concept, value = item
    code = dialect.codes[concept]
    name = (code.code, code.name, dialect.system)
    return segment("OBX", str(number), code.type, name, "", value, code.unit, *("",) * 4, status)
