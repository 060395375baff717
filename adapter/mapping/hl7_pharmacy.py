"""RAS → what was given; RDE, RDS → what was ordered and dispensed, as context (HL7 v2 chapter 4; decisions C5)."""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from adapter.domain.administration import Administration, AdministrationState
from adapter.domain.events import AdministrationStated
from adapter.domain.issue import Issue
from adapter.domain.observation import Original
from adapter.domain.quantity import Quantity
from adapter.hl7.datatypes import number
from adapter.hl7.er7 import Message, Segment
from adapter.hl7.tables import NULL
from adapter.mapping.feed import Feed, Mapped
from adapter.mapping.formulary import SYSTEMS, WHOLE, Substance
from adapter.mapping.hl7_oru import events_from_oru
from adapter.mapping.hl7_patient import visit_number
from adapter.mapping.identity import fingerprint
from adapter.mapping.plain import plain
from adapter.mapping.routes import route_of
from adapter.mapping.values import impossible

EVENTS = {
    "RAS": frozenset({"O17", "O01", ""}),
    "RDE": frozenset({"O11", "O25", "O01", ""}),
    "RDS": frozenset({"O13", "O01", ""}),
}
"""Trigger events by message type; O01 is how 2.1 to 2.3 called them all."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Where a segment says what: code, amount, its units, time, end, sub-number, rate and its units, strength and its units."""

    state: AdministrationState
    code: int
    amount: int
    units: int
    start: int = 0
    end: int = 0
    sub_id: int = 0
    per: int = 0
    rate: int = 0
    rate_units: int = 0
    strength: int = 0
    strength_units: int = 0


LINES = {
    "RXA": Fields(AdministrationState.GIVEN, 5, 6, 7, 3, 4, 2, per=12, strength=13, strength_units=14),
    "RXE": Fields(AdministrationState.ORDERED, 2, 3, 5, rate=23, rate_units=24, strength=25, strength_units=26),
    "RXD": Fields(AdministrationState.DISPENSED, 2, 4, 5, 3, sub_id=7),
}
LINE_OF = {"RAS": "RXA", "RDE": "RXE", "RDS": "RXD"}
PER = {
    **dict.fromkeys(("M", "MIN", "MINS", "MINUTE", "MINUTES", "/MIN"), "min"),
    **dict.fromkeys(("H", "HR", "HRS", "HOUR", "HOURS", "H1", "/H", "/HR", "STD", "UUR"), "h"),
    **dict.fromkeys(("D", "DAY", "DAYS", "D1", "/D", "24H"), "d"),
}
"""RXA-12, administered per (time unit), as senders write it."""
SYRINGE = re.compile(r"([^/\s]+)\s*/\s*([1-9]\d{0,3})\s*mL", re.IGNORECASE)
"""An amount in so many millilitres."""
RATES = ("/min", "/h", "/d", "/s")
UNTOLD = "999"
"""RXA-6 of a sender that does not record the amount (HL7 v2 4.14.7.6)."""
NOT_GIVEN = frozenset({"RE", "NA"})
"""RXA-20, table 0322: refused, not administered."""
DELETED = frozenset({"D", "X"})
"""RXA-21, table 0206 (X: HL7 before 2.5)."""
DISCONTINUED = frozenset({"DC", "DR", "OD", "CR"})
"""ORC-1, table 0119: discontinue requested, as requested, discontinued; cancelled as requested."""


@dataclass(slots=True)
class Line:
    """One RXA, RXE or RXD with what its order says; `number` counts them in the message from 1."""

    number: int
    segment: Segment
    orc: Segment | None
    timing: list[Segment]
    ways: list[Segment] = field(default_factory=list)


def events_from_pharmacy(message: Message, kind: str, feed: Feed) -> Mapped:
    """Observations inside (a weight, a blood pressure) are read as in an ORU."""
    found = events_from_oru(message, feed)
    if not found.patients:
        return found
    if len(message.all("PID")) > 1:
        return replace(found, events=(), refusal="DUP_PID", patients=())
    patient, visit = found.patients[0], visit_number(message.first("PV1"), feed)
    read = [read_line(line, visit, feed) for line in lines_of(message, LINE_OF[kind])]
    events = tuple(AdministrationStated(patient, said) for said, _ in read if said is not None)
    return replace(
        found, events=found.events + events, issues=found.issues + tuple(i for _, issues in read for i in issues)
    )


def lines_of(message: Message, name: str) -> list[Line]:
    """In document order; ORC and TQ1 stand before their lines, RXR behind those it speaks of."""
    lines: list[Line] = []
    orc: Segment | None = None
    timing: list[Segment] = []
    fresh: list[Line] = []
    for segment in message.segments:
        if segment.name == "ORC":
            orc, timing, fresh = segment, [], []
        elif segment.name == "TQ1":
            timing.append(segment)
        elif segment.name == name:
            fresh = [] if fresh and fresh[-1].ways else fresh
            fresh.append(Line(len(lines) + 1, segment, orc, timing))
            lines.append(fresh[-1])
        elif segment.name == "RXR":
            for line in fresh:
                line.ways.append(segment)
    return lines


def read_line(line: Line, visit: str, feed: Feed) -> tuple[Administration | None, list[Issue]]:
    where, fields = line.segment.name, LINES[line.segment.name]
    found = substance_of(line.segment, fields.code, feed)
    if not isinstance(found, Substance):
        text = "this drug's code is not mapped — add it under 'drugs' or 'not_needed' in the site's file"
        issue = Issue("unmapped-drug", f"{where}-{fields.code} #{line.number}", text, found or "")
        return None, [] if found is None else [issue]
    start = started(line, fields, feed)
    if start is None:
        text = "no time of the administration — ask the sender for it"
        return None, [Issue("no-time", f"{where}-{fields.start or 1} #{line.number}", text)]
    amounts = Amounts(line, fields, feed, found)
    said = statement(line, fields, feed, (found, start, visit))
    said = replace(said, rate=amounts.rate, dose=amounts.dose, concentration=amounts.concentration)
    said = replace(said, state=state_of(line, said))
    return replace(said, digest=digest_of(said)), amounts.issues_of(said.state)


def statement(line: Line, fields: Fields, feed: Feed, about: tuple[Substance, datetime, str]) -> Administration:
    found, start, visit = about
    segment = line.segment
    code, system = plain(segment.text(fields.code)), plain(segment.text(fields.code, 3))
    end = feed.moment(segment, fields.end) if fields.end else None
    sub_id = plain(segment.text(fields.sub_id)) if fields.sub_id else ""
    key = ["administration", feed.site.site, str(fields.state), order_number(line.orc), sub_id, found.name, code]
    return Administration(
        identity=fingerprint([*key, start.astimezone(UTC).isoformat()])[:32],
        substance=found.name,
        group=found.group,
        state=fields.state,
        start=start,
        end=None if end is None or end.instant <= start else end.instant,
        original=Original(plain(segment.text(fields.amount)), unit_text(segment, fields.units), code, system),
        route=route_of(line.ways),
        visit=visit,
        sender_time=feed.told,
        message=feed.message_id,
    )


def substance_of(segment: Segment, place: int, feed: Feed) -> Substance | str | None:
    """The substance; the code where nobody knows it; `None` where it is known and of no interest."""
    first = ""
    known = False
    for component in (1, 4):
        code, system = segment.text(place, component).strip(), segment.text(place, component + 2).strip().upper()
        if not code or code == NULL:
            continue
        first = first or plain(code)
        local = feed.site.drugs.get(code)
        if local is not None:
            return feed.dictionary.formulary.substances[local]
        ours = SYSTEMS.get(system, system)
        found = feed.dictionary.formulary.find(ours, code)
        if found is not None:
            return found
        known = known or ours in WHOLE or code in feed.site.not_needed
    return None if known or not first else first


def started(line: Line, fields: Fields, feed: Feed) -> datetime | None:
    """The line's own time; of an order TQ1-7, ORC-15, ORC-9, else the message's."""
    own = feed.moment(line.segment, fields.start) if fields.start else None
    if own is not None or fields.state is AdministrationState.GIVEN:
        return None if own is None else own.instant
    places = [*((one, 7) for one in line.timing), (line.orc, 15), (line.orc, 9)]
    found = next((at for segment, place in places if (at := feed.moment(segment, place)) is not None), None)
    return found.instant if found is not None else feed.sender_time


def state_of(line: Line, said: Administration) -> AdministrationState:
    if said.state is not AdministrationState.GIVEN:
        return said.state
    if line.segment.text(21).strip().upper() in DELETED:
        return AdministrationState.WITHDRAWN
    if line.segment.text(20).strip().upper() in NOT_GIVEN:
        return AdministrationState.NOT_GIVEN
    off = said.rate is not None and said.rate.value == 0
    stopped = line.orc is not None and line.orc.text(1).strip().upper() in DISCONTINUED
    return AdministrationState.STOPPED if off or stopped else said.state


class Amounts:
    """Dose, rate and concentration of a line, and what of them could not be read; nothing is guessed."""

    def __init__(self, line: Line, fields: Fields, feed: Feed, substance: Substance) -> None:
        self._line, self._feed, self._amount = line, feed, fields.amount
        self._infused = feed.dictionary.concepts.get(f"{substance.name}-rate")
        self.issues: list[Issue] = []
        amount = self._quantity(fields.amount, fields.units)
        if amount is not None and fields.per and not amount.unit.endswith(RATES):
            amount = self._per(amount, fields.per)
        flows = amount is not None and amount.unit.endswith(RATES)
        rate = amount if flows else (self._quantity(fields.rate, fields.rate_units) if fields.rate else None)
        self.rate = self._possible(rate, fields.amount if flows else fields.rate)
        self.dose = None if flows else amount
        strength = self._strength(fields) if fields.strength else None
        self.concentration = strength if strength is not None and strength.unit.endswith(("/mL", "/L")) else None

    def issues_of(self, state: AdministrationState) -> list[Issue]:
        """With what is missing where something that is infused was given."""
        if state is AdministrationState.GIVEN and self._infused and not (self.rate or self.dose or self.issues):
            self._issue("untold-amount", self._amount, "no amount stands there — ask the sender for it")
        return self.issues

    def _per(self, amount: Quantity, place: int) -> Quantity | None:
        """What runs per a time that nobody knows is neither a rate nor a dose."""
        said = unit_text(self._line.segment, place)
        if known := PER.get(said.upper()):
            return replace(amount, unit=f"{amount.unit}/{known}")
        if said in {"", NULL} or self._infused is None:
            return amount
        self._issue(
            "unmapped-unit", place, "an amount per a time that is not known — ask the sender for min, h or d", said
        )
        return None

    def _strength(self, fields: Fields) -> Quantity | None:
        """`4` of `mg/50 mL` is 0.08 of mg/mL, as a syringe's label has it."""
        segment = self._line.segment
        label = SYRINGE.fullmatch(unit_text(segment, fields.strength_units))
        read = number(segment.text(fields.strength).strip(), decimal=self._feed.site.decimal) if label else None
        known = self._feed.site.units.ucum(f"{label[1]}/mL") if label else None
        if label is None or read is None or read.comparator is not None or known is None:
            return self._quantity(fields.strength, fields.strength_units)
        return Quantity(read.value / int(label[2]), known)

    def _quantity(self, value: int, units: int) -> Quantity | None:
        segment = self._line.segment
        written, unit = segment.text(value).strip(), unit_text(segment, units)
        if not written or written == NULL:
            return None
        read = number(written, decimal=self._feed.site.decimal)
        if self._line.segment.name == "RXA" and (value, written) == (LINES["RXA"].amount, UNTOLD):
            self._issue("untold-amount", value, "999 says that the amount is not recorded — ask the sender for it")
            return None
        if read is None or read.comparator is not None or read.value < 0:
            self._issue("unreadable-value", value, "this amount is no number — ask the sender")
            return None
        known = self._feed.site.units.ucum(unit) if unit else None
        if known is None:
            self._issue(
                "unmapped-unit", units, "this unit is not mapped — add it under 'units' in the site's file", unit
            )
            return None
        return Quantity(read.value, known)

    def _possible(self, rate: Quantity | None, place: int) -> Quantity | None:
        """Within what a body can be given, as of a charted rate (clinical 2.4); what needs a weight to be a dose is not judged here."""
        concept = self._infused
        dose = concept.canonical(rate) if concept is not None and rate is not None else None
        if concept is None or dose is None or not impossible(concept, dose):
            return rate
        self._issue("impossible-value", place, f"outside what a body can show for {concept.id} — ask the sender")
        return None

    def _issue(self, code: str, place: int, text: str, detail: str = "") -> None:
        where = f"{self._line.segment.name}-{place} #{self._line.number}"
        self.issues.append(Issue(code, where, text, detail))


def unit_text(segment: Segment, place: int) -> str:
    return plain(segment.text(place) or segment.text(place, 2))


def order_number(orc: Segment | None) -> str:
    """Filler, else placer."""
    if orc is None:
        return ""
    return next((f"{place}|{text}" for place in (3, 2) if (text := plain(orc.text(place))) not in {"", NULL}), "")


def digest_of(said: Administration) -> str:
    """SHA-256 of what is stated, without who carried it and when."""
    amounts = [None if q is None else [str(q.value), q.unit] for q in (said.rate, said.dose, said.concentration)]
    times = [said.start.isoformat(), None if said.end is None else said.end.isoformat()]
    original = [said.original.value, said.original.unit, said.original.code, said.original.system]
    return fingerprint([said.identity, str(said.state), times, amounts, original, said.route, said.visit])
