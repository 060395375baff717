"""Under which screening number the persons of a list go: one look into the linkage table, however many they are."""

from dataclasses import dataclass, field

from adapter.domain.patient import PatientId
from adapter.pipeline.knots import state_of
from adapter.pipeline.numbers import Register
from adapter.store import persons, screening_ids
from adapter.store.database import Snapshot
from adapter.store.secret import SiteSecret


@dataclass(slots=True)
class Linkage:
    """As one snapshot of the store holds it."""

    conn: Snapshot
    secret: SiteSecret
    _tokens: dict[str, dict[bytes, str]] = field(default_factory=dict)
    _tied: dict[tuple[str, PatientId], tuple[PatientId, str]] = field(default_factory=dict)

    def number(self, trial: str, patient: PatientId, *, tied: bool) -> str:
        """Empty where there is none, or nobody knows which; `tied`: the person has several records."""
        return self.person(trial, patient, tied=tied)[1]

    def person(self, trial: str, patient: PatientId, *, tied: bool) -> tuple[PatientId, str]:
        """Who it is, by the identifier they go by, and their number."""
        if not tied:
            return patient, self._known(trial).get(screening_ids.token(self.secret, trial, patient), "")
        if (trial, patient) not in self._tied:
            self._tied[trial, patient] = self._person(trial, patient)
        return self._tied[trial, patient]

    def _known(self, trial: str) -> dict[bytes, str]:
        if trial not in self._tokens:
            self._tokens[trial] = screening_ids.by_token(self.conn, trial)
        return self._tokens[trial]

    def _person(self, trial: str, patient: PatientId) -> tuple[PatientId, str]:
        knot = persons.knot(self.conn, patient)
        person = knot.person(patient)
        states = [state_of(self.conn, each.name) for each in knot.persons]
        return person.name, Register(self.conn, self.secret, trial).of(person, states).own
