"""The records of a knot as the store holds them: the persons they are, before and after what was said, and their candidates."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from adapter.domain.alert import CandidateAlert
from adapter.domain.events import ClinicalEvent
from adapter.domain.patient import PatientId, PatientState
from adapter.domain.persons import Knot, Person
from adapter.domain.ties import Tie
from adapter.screening.lives import is_known, lives, whose_visit
from adapter.screening.screen import Alerts
from adapter.screening.state import told_again
from adapter.store import patients, persons, worklist
from adapter.store.candidate_rows import CandidateRow
from adapter.store.database import Snapshot
from adapter.store.patients import Change


@dataclass(frozen=True, slots=True)
class Life:
    """One person of a knot: what held of them, what holds, what people were told; `asked` where there is anything to judge."""

    person: Person
    before: PatientState
    state: PatientState
    alerts: Alerts
    asked: bool


@dataclass(frozen=True, slots=True)
class Adopted:
    """A candidate whose episode is another person's now, or goes by another number."""

    row: CandidateRow
    patient: PatientId
    episode: str


@dataclass(frozen=True, slots=True)
class Torn:
    """A person who turned out to be several: what was known of all whose records hung together, and who they are now."""

    person: Person
    states: tuple[PatientState, ...]
    among: frozenset[PatientId]


@dataclass(frozen=True, slots=True)
class Contest:
    """A number that was one person's, who turned out to be several."""

    trial: str
    number: str
    records: frozenset[PatientId]


@dataclass(frozen=True, slots=True)
class Knotted:
    """A knot after what was said; `ties` are those that are not on record yet, `changes` those of single records."""

    knot: Knot
    ties: tuple[Tie, ...]
    changes: tuple[Change, ...]
    lives: tuple[Life, ...]
    adopted: tuple[Adopted, ...]
    torn: tuple[Torn, ...]
    contests: tuple[Contest, ...] = ()
    """Of the screening ids of those who are torn."""

    @property
    def states(self) -> list[PatientState]:
        return [life.state for life in self.lives]


@dataclass(frozen=True, slots=True)
class _Was:
    """Who the records were before the new ties."""

    knot: Knot
    states: Mapping[PatientId, PatientState]


def knotted(
    conn: Snapshot, knot: Knot, ties: tuple[Tie, ...], events: Iterable[ClinicalEvent], again: Collection[str] = ()
) -> Knotted:
    """`ties` of `knot` are not on record yet, `events` are about its records, `again` as `screen` has it."""
    records = {record: patients.load(conn, record) for record in knot.records}
    said: dict[PatientId, list[ClinicalEvent]] = {}
    for event in events:
        said.setdefault(event.patient, []).append(event)
    now = {record: told_again(state, said.get(record, ()), again) for record, state in records.items()}
    changes = tuple((records[record], state) for record, state in now.items() if state is not records[record])
    was = _was(conn, knot, records, new=bool(ties))
    states = lives(knot, now)
    homes = _homes(conn, knot, states)
    adopted = tuple(home for home in homes if (home.patient, home.episode) != (home.row.patient, home.row.episode))
    found = tuple(_life(conn, person, was, states[person.name], homes) for person in knot.persons)
    return Knotted(knot, ties, changes, found, adopted, tuple(_torn(was, knot, states, adopted)) if ties else ())


def state_of(conn: Snapshot, patient: PatientId) -> PatientState:
    """All that holds of the person behind an identifier."""
    if persons.root(conn, patient) is None:
        return patients.load(conn, patient)
    knot = persons.knot(conn, patient)
    return lives(knot, {record: patients.load(conn, record) for record in knot.records})[knot.name(patient)]


def _was(conn: Snapshot, knot: Knot, records: Mapping[PatientId, PatientState], *, new: bool) -> list[_Was]:
    found: list[_Was] = []
    left = set(records)
    while left:
        one = persons.knot(conn, min(left)) if new else knot
        found.append(_Was(one, lives(one, {record: records[record] for record in one.records})))
        left -= set(one.records)
    return found


def _homes(conn: Snapshot, knot: Knot, states: Mapping[PatientId, PatientState]) -> list[Adopted]:
    """Every candidate of the knot with whoever it is about: the person whose visit it is."""
    found = []
    for record in knot.records:
        for row in worklist.of_patient(conn, record):
            name, episode = knot.place(record, row.episode)
            found.append(Adopted(row, whose_visit(states, episode, name), episode))
    return found


def _life(conn: Snapshot, person: Person, was: list[_Was], state: PatientState, homes: list[Adopted]) -> Life:
    alerts: dict[tuple[str, str], CandidateAlert] = {}
    mine = [home for home in homes if home.patient == person.name]
    for home in mine:
        alert = worklist.standing(conn, home.row.patient, home.row.trial, home.row.episode)
        if alert is not None:
            key = home.row.trial, home.episode
            alert = replace(alert, episode=home.episode)
            alerts[key] = earlier(alerts[key], alert) if key in alerts else alert
    before = next((one.states[person.name] for one in was if person.name in one.states), PatientState(person.name))
    return Life(person, before, state, alerts, asked=bool(mine) or is_known(state))


def _torn(
    was: list[_Was], knot: Knot, states: Mapping[PatientId, PatientState], adopted: tuple[Adopted, ...]
) -> Iterable[Torn]:
    for one in was:
        for person in one.knot.persons:
            rows = [a for a in adopted if a.row.patient in person.members and a.row.raised is not None]
            now = {knot.name(member) for member in person.members} | {a.patient for a in rows}
            among = {name for name in now if is_known(states[name])}
            if len(among) > 1:
                records = person.members.union(*(knot.person(name).members for name in among))
                yield Torn(person, tuple(one.states.values()), records)


def earlier(one: CandidateAlert, other: CandidateAlert) -> CandidateAlert:
    """Standing before withdrawn, then raised first: as `store.adoption` keeps it."""
    return min((one, other), key=lambda alert: (not alert.standing, alert.raised))
