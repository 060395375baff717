"""The messages a ward writes: an admission, a report of results."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapter.hl7.compose import er7, segment
from adapter.simulation.dialect import Dialect

STRUCTURES = {
    **dict.fromkeys(("A04", "A08", "A13"), "ADT_A01"),
    **dict.fromkeys(("A06", "A07"), "ADT_A06"),
    "A11": "ADT_A09",
    "A31": "ADT_A05",
    "A40": "ADT_A39",
}
"""Trigger → MSH-9.3, where they differ (HL7 table 0354)."""
PERSONAL = frozenset({"A31", "A40"})


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
    visit_number: str = ""
    """PV1-19, where it does not follow the patient's number (after a merge)."""

    @property
    def visit(self) -> str:
        return self.visit_number or f"V{self.number}"


@dataclass(frozen=True, slots=True)
class Sent:
    """One message on its way: `after` is the delay from the start of the simulation.

    `type` is MSH-9 in short, `oddity` what is unusual about it, or nothing.
    """

    after: timedelta
    site: str
    patient: str
    body: bytes
    type: str = ""
    oddity: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Results of one moment under one filler order number; `effective` is when the specimen was taken."""

    order: str
    effective: datetime
    issued: datetime
    values: Mapping[str, str]
    status: str = "F"
    laboratory: str = ""
    """OBX-15, who made them."""
    everywhere: bool = False
    """`effective` stands in OBX-14 and SPM-17, too."""


@dataclass(frozen=True, slots=True)
class Movement:
    """What happened to a visit or a person `at`: `trigger` is the event of an ADT, `gone` the number a merge ends."""

    trigger: str
    at: datetime
    admitted: datetime | None = None
    discharged: datetime | None = None
    gone: str = ""


def admission(dialect: Dialect, person: Person, *, admitted: datetime, sent: datetime, control: str) -> bytes:
    """ADT^A01."""
    return movement(dialect, person, Movement("A01", admitted, admitted), sent=sent, control=control)


def movement(dialect: Dialect, person: Person, event: Movement, *, sent: datetime, control: str) -> bytes:
    """Any ADT; one about a person (A31, A40) has no visit."""
    lines = [
        _header(dialect, "ADT", event.trigger, sent=sent, control=control),
        segment("EVN", event.trigger, dialect.time(sent), "", "", "", dialect.time(event.at)),
        _person(dialect, person),
    ]
    if event.gone:
        lines.append(segment("MRG", _number(dialect, event.gone)))
    if event.trigger not in PERSONAL:
        lines.append(_visit(dialect, person, event.admitted, event.discharged))
    return er7(lines, dialect.encoding)


def results(dialect: Dialect, person: Person, report: Report, *, sent: datetime, control: str) -> bytes:
    """ORU^R01 with an OBX for each value."""
    return er7(
        [
            _header(dialect, "ORU", "R01", sent=sent, control=control),
            _person(dialect, person),
            _visit(dialect, person),
            _order(dialect, report),
            *(_observation(dialect, number, item, report) for number, item in enumerate(report.values.items(), 1)),
            *([segment("SPM", "1", *("",) * 15, dialect.time(report.effective))] if report.everywhere else ()),
        ],
        dialect.encoding,
    )


def _header(dialect: Dialect, code: str, trigger: str, *, sent: datetime, control: str) -> str:
    kind = (code, trigger, STRUCTURES.get(trigger, f"{code}_{trigger}"))
    start = (dialect.application, dialect.authority, "ADAPTER", "TRIAL", dialect.time(sent), "", kind, control, "P")
    return segment("MSH", *start, "2.5.1", "", "", "", "", "", dialect.charset)


def _person(dialect: Dialect, person: Person) -> str:
    name = (person.family, person.given)
    return segment("PID", "1", "", _number(dialect, person.number), "", name, "", person.born, person.sex)


def _number(dialect: Dialect, number: str) -> tuple[str, ...]:
    return (number, "", "", dialect.authority, dialect.identifier_type)


def _visit(
    dialect: Dialect, person: Person, admitted: datetime | None = None, discharged: datetime | None = None
) -> str:
    """PV1-19 is the visit, PV1-44 its beginning, PV1-45 its end."""
    start = ("1", person.visit_class, (person.ward, "", person.bed), *("",) * 15, person.visit)
    times = [dialect.time(moment) for moment in (admitted, discharged) if moment]
    return segment("PV1", *start, *((*("",) * 24, *times) if times else ()))


def _order(dialect: Dialect, report: Report) -> str:
    """OBR-3 filler order number, OBR-7 specimen taken, OBR-22 results issued, OBR-25 status."""
    start = ("1", "", report.order, ("PANEL", "Results", "L"), "", "", dialect.time(report.effective), *("",) * 14)
    return segment("OBR", *start, dialect.time(report.issued), "", "", report.status)


def _observation(dialect: Dialect, number: int, item: tuple[str, str], report: Report) -> str:
    concept, value = item
    at = dialect.time(report.effective) if report.everywhere else ""
    more = ("", "", at, report.laboratory) if at or report.laboratory else ()
    code = dialect.codes[concept]
    name = (code.code, code.name, code.system or dialect.system)
    return segment("OBX", str(number), code.type, name, "", value, code.unit, *("",) * 4, report.status, *more)
