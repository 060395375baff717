"""The screening log, row by row: for the site with names, for the trial unit under screening numbers alone (SEAR, CONSORT)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from adapter.domain.patient import Decision
from adapter.domain.trial import Trial
from adapter.fhir.calendar import Calendar, calendar
from adapter.pipeline.knots import state_of
from adapter.pipeline.outgoing import HELD
from adapter.store import screening_log, shadow
from adapter.store.database import Snapshot
from adapter.store.screening_log import Known, Logged
from adapter.web import board, figures, flow, times
from adapter.web.context import WebContext
from adapter.web.effects import effect
from adapter.web.numbers import Linkage
from adapter.web.sheets import Cell
from adapter.web.tongue import mark

SEXES = frozenset({"male", "female", "other", "unknown"})
OLDEST = 90
"""From this age on there are so few that an age tells who it is (reliability 4.6)."""
ABOVE = mark("90 or above")
DECADE = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """`number` is the screening number, empty where there is none or nobody knows which; times are told by `calendar`."""

    logged: Logged
    number: str
    trial: Trial
    context: WebContext
    calendar: Calendar
    in_shadow: bool
    """People were shown this one while nobody was told (docs/shadow.md)."""

    @property
    def withheld(self) -> bool:
        """Nothing of these leaves: an opt-out, a doubt who it is, no number."""
        return not self.number or self.logged.in_doubt or bool(HELD & self.logged.flags)

    @property
    def decision(self) -> Decision | None:
        return self.logged.decisions[-1] if self.logged.decisions else None

    def exact(self, moment: datetime | None) -> str:
        zone = board.zone_of(self.context, self.logged.patient.site)
        return "" if moment is None else moment.astimezone(zone).isoformat(timespec="seconds")

    def told(self, moment: datetime | None) -> str:
        """As the trial unit may know it."""
        zone = board.zone_of(self.context, self.logged.patient.site)
        return "" if moment is None else self.calendar.text(moment.astimezone(zone))


def entries(conn: Snapshot, context: WebContext, trial: Trial, known: Known | None = None) -> list[Entry]:
    """Of every site, in the order in which people were told; `known`: what was read before, to be read no second time."""
    linkage, listed = Linkage(conn, context.secret), screening_log.listing(conn, trial.id, known)
    dark = shadow.spans(conn, trial.id)
    return [
        _entry(linkage, (context, trial), one, in_shadow=shadow.in_shadow(one.flagged, dark))
        for one in complete(conn, listed)
    ]


def complete(conn: Snapshot, listed: Iterable[Logged]) -> list[Logged]:
    """With all decisions of persons who have several records."""
    return [replace(one, decisions=_of_person(conn, one)) if one.tied else one for one in listed]


def _of_person(conn: Snapshot, one: Logged) -> tuple[Decision, ...]:
    return state_of(conn, one.patient).decided(one.trial, one.episode)


def _entry(linkage: Linkage, of: tuple[WebContext, Trial], one: Logged, *, in_shadow: bool) -> Entry:
    context, trial = of
    number = linkage.number(one.trial, one.patient, tied=one.tied)
    kept = calendar(context.secret.derive("fhir-ids"), trial.id, number, context.dates)
    return Entry(one, number, trial, context, kept, in_shadow)


Column = Callable[[Entry], Cell]


def _age(entry: Entry) -> int | None:
    on = entry.logged.flagged or entry.logged.onset
    zone = board.zone_of(entry.context, entry.logged.patient.site)
    return None if on is None else times.age(entry.logged.birth_date, on.astimezone(zone).date())


def age_band(entry: Entry) -> str:
    """`60-69`, `90 or above`; empty where the date of birth is not known to the day."""
    years = _age(entry)
    if years is None or years < 0:
        return ""
    first = years // DECADE * DECADE
    return ABOVE if years >= OLDEST else f"{first}-{first + DECADE - 1}"


def _hours(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else round(max(0.0, (end - start).total_seconds()) / 3600, 2)


def decided(entry: Entry) -> datetime | None:
    seconds = figures.decided_at(entry.logged)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _criteria(entry: Entry, wanted: str) -> str:
    return " ".join(a.id for a in entry.logged.answers if effect(a.kind, a.answer) == wanted)


def _reason(entry: Entry) -> str:
    made = entry.decision
    return "" if made is None else flow.coded(entry.trial, made.status, made.reason)


def _of_decision(name: str) -> Column:
    return lambda entry: getattr(entry.decision, name) if entry.decision else ""


def _plain(name: str) -> Column:
    return lambda entry: str(getattr(entry.logged, name))


def _sofa(end: int) -> Column:
    return lambda entry: entry.logged.sofa[end] if entry.logged.sofa else None


IN_SHADOW: tuple[str, Column] = ("in_shadow", lambda entry: "yes" if entry.in_shadow else "")
SITE: tuple[tuple[str, Column], ...] = (
    ("screening_number", lambda entry: entry.number),
    ("site", lambda entry: entry.logged.patient.site),
    ("hospital_number", lambda entry: entry.logged.patient.value),
    ("authority", lambda entry: entry.logged.patient.authority),
    *((name, _plain(name)) for name in ("family", "given", "birth_date", "sex", "ward", "bed")),
    ("flagged", lambda entry: entry.exact(entry.logged.flagged)),
    ("first_flag", _plain("flag")),
    ("first_look", lambda entry: entry.exact(entry.logged.seen)),
    ("hours_to_look", lambda entry: _hours(entry.logged.flagged, entry.logged.seen)),
    ("decided", lambda entry: entry.exact(decided(entry))),
    ("hours_to_decision", lambda entry: _hours(entry.logged.flagged, decided(entry))),
    *((name, _plain(name)) for name in ("verdict", "certainty", "stratum")),
    ("sofa_low", _sofa(0)),
    ("sofa_high", _sofa(1)),
    ("onset", lambda entry: entry.exact(entry.logged.onset)),
    ("furthest", lambda entry: flow.passage(entry.logged, entry.trial).stage.name.lower()),
    ("status", _plain("status")),
    ("reason", _of_decision("reason")),
    ("by", _of_decision("by")),
    ("note", _of_decision("note")),
    ("rules_out", lambda entry: _criteria(entry, "stops")),
    ("open", lambda entry: _criteria(entry, "open")),
    ("taken_back", lambda entry: "" if entry.logged.standing else "yes"),
    IN_SHADOW,
)
"""What the investigator's file needs to find each patient again (SEAR: this version never goes to the trial unit)."""

TRIAL: tuple[tuple[str, Column], ...] = (
    ("screening_number", lambda entry: entry.number),
    ("age_band", age_band),
    ("sex", lambda entry: entry.logged.sex if entry.logged.sex in SEXES else ""),
    ("flagged", lambda entry: entry.told(entry.logged.flagged)),
    ("first_flag", _plain("flag")),
    ("hours_to_look", lambda entry: _hours(entry.logged.flagged, entry.logged.seen)),
    ("decided", lambda entry: entry.told(decided(entry))),
    ("hours_to_decision", lambda entry: _hours(entry.logged.flagged, decided(entry))),
    ("verdict", _plain("verdict")),
    ("furthest", lambda entry: flow.passage(entry.logged, entry.trial).stage.name.lower()),
    ("status", _plain("status")),
    ("reason", _reason),
    ("rules_out", lambda entry: _criteria(entry, "stops")),
    ("open", lambda entry: _criteria(entry, "open")),
    IN_SHADOW,
)
"""Minimal data (reliability 4.6): no name, no place, no free text, nothing measured."""

VERSIONS = {"site": SITE, "trial": TRIAL}


def rows_of(version: str, many: Iterable[Entry]) -> list[list[Cell]]:
    """The trial unit's version leaves out whoever may not leave, and its order tells nothing that its dates do not."""
    shown = list(many)
    if version == "trial":
        shown = sorted((one for one in shown if not one.withheld), key=lambda one: one.number)
    return [[cell(one) for _, cell in VERSIONS[version]] for one in shown]


def columns_of(version: str) -> list[str]:
    return [name for name, _ in VERSIONS[version]]
