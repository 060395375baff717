"""Records that turn out to be one person (HL7 A40): what was said of any of them, and what people see of any of them."""

from dataclasses import dataclass

from adapter.domain.alert import CandidateAlert
from adapter.domain.patient import PatientState
from adapter.domain.persons import Merge, Person
from adapter.scoring.chart import Chart
from adapter.screening.screen import Alerts
from adapter.screening.state import union
from adapter.store import patients, worklist
from adapter.store.candidate_rows import CandidateRow
from adapter.store.database import Snapshot


@dataclass(frozen=True, slots=True)
class Joining:
    """Records that became one person: what was said of any of them, and the rows people already see.

    `before` is what stands under the person's own identifier, `former` the candidates of the other records.
    """

    person: Person
    merges: tuple[Merge, ...]
    before: PatientState
    chart: Chart
    alerts: Alerts
    former: tuple[CandidateRow, ...]


def joining_of(conn: Snapshot, person: Person, merges: tuple[Merge, ...]) -> Joining:
    before = patients.load(conn, person.name)
    others = sorted(person.members - {person.name})
    state = before
    for other in others:
        state = union(state, patients.load(conn, other))
    former = tuple(row for other in others for row in worklist.of_patient(conn, other))
    alerts = dict(worklist.alerts(conn, person.name))
    for other in others:
        for episode, alert in worklist.alerts(conn, other).items():
            alerts[episode] = earlier(alerts[episode], alert) if episode in alerts else alert
    touching = tuple(merge for merge in merges if merge.survivor in person.members)
    return Joining(person, touching, before, Chart(state), alerts, former)


def earlier(one: CandidateAlert, other: CandidateAlert) -> CandidateAlert:
    """Standing before withdrawn, then raised first: as `store.adoption` keeps it."""
    return min((one, other), key=lambda alert: (not alert.standing, alert.raised))
