"""What stays in memory of patients who were spoken of lately: bounded in patients and in bytes, so that the process is.

Who leaves is drawn by lot among those spoken of longest ago. Beds are charted in turn, and where the turns are one bed longer
than what can be held, whoever was spoken of longest ago is who comes next: nobody would ever be found.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from random import Random

from adapter.domain.patient import PatientId, PatientState
from adapter.scoring.chart import Chart
from adapter.screening.screen import Alerts
from adapter.store import patients, worklist
from adapter.store.database import Snapshot

MOST_PATIENTS = 5_000
MOST = 105_000_000
"""Bytes, of all patients together (decisions F9: 300 MB in all)."""
A_PATIENT, A_RESULT = 55_000, 1_000
"""What they take, by the kernel (`tests/shell/test_memory.py`): what was concluded of one, and each result with what was
concluded of it.
"""
A_SKETCH, SETTLED = 3_000, 1_500
"""How far one was looked into, and each conclusion about the past."""

IN_HAND = 20_000_000
"""Bytes of charts that one step reads beside them."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the store holds of a patient: the state, charted, what people were told of each episode, and the candidates
    judged last (nothing while nobody remembers); and the key of the row, once it was written.
    """

    chart: Chart
    alerts: Alerts
    judged: frozenset[str] = frozenset()
    key: int | None = None

    @property
    def state(self) -> PatientState:
        return self.chart.state

    @property
    def size(self) -> int:
        """Bytes, about."""
        return A_PATIENT + A_RESULT * sum(map(len, self.chart.state.results.values()))

    def sketch(self) -> "Known":
        """Without the state: what was concluded of the past, which holds of the state the store has."""
        return replace(self, chart=Chart(PatientState(self.state.patient), self.chart.memory.past()))

    def filled(self, state: PatientState) -> "Known":
        """A sketch, with the state as the store has it."""
        return replace(self, chart=Chart(state, self.chart.memory))


def read(conn: Snapshot, patient: PatientId) -> Known:
    """Of a record that nobody remembers."""
    return Known(Chart(patients.load(conn, patient)), worklist.alerts(conn, patient))


class Remembered:
    """Whoever is gone is read from the store again. When a chart goes a sketch stays: half of judging one anew is to search
    the whole stay for the onset.
    """

    def __init__(self, most_patients: int = MOST_PATIENTS, most: int = MOST) -> None:
        self._most_patients, self._most = most_patients, most
        self._known: OrderedDict[PatientId, tuple[Known, int]] = OrderedDict()
        self._sketches: OrderedDict[PatientId, tuple[Known, int]] = OrderedDict()
        self._held = 0
        self._lot = Random(1)  # noqa: S311 — who is forgotten is no secret

    def __contains__(self, patient: PatientId) -> bool:
        return patient in self._known or patient in self._sketches

    def __len__(self) -> int:
        return len(self._known) + len(self._sketches)

    def get(self, patient: PatientId) -> Known | None:
        found = self._known.get(patient)
        if found is None:
            return None
        self._known.move_to_end(patient)
        return found[0]

    def glimpse(self, patient: PatientId) -> Known | None:
        """What there is of one, the sketch where the chart went."""
        found = self._known.get(patient) or self._sketches.get(patient)
        return found[0] if found else None

    def put(self, patient: PatientId, known: Known) -> None:
        """The one put in stays, however much it is; others make room."""
        self.forget(patient)
        self._hold(self._known, known, known.size)
        while len(self._known) > 1 and self._held > self._most:
            self._sketch_one()
        while len(self) > 1 and (len(self) > self._most_patients or self._held > self._most):
            self.forget(self._drawn(self._sketches or self._known))

    def _sketch_one(self) -> None:
        patient = self._drawn(self._known)
        known, _ = self._known[patient]
        self.forget(patient)
        self._hold(self._sketches, known.sketch(), A_SKETCH + SETTLED * known.chart.memory.settlements)

    def _drawn(self, among: OrderedDict[PatientId, tuple[Known, int]]) -> PatientId:
        return next(islice(among, self._lot.randrange(max(1, len(among) // 2)), None))

    def _hold(self, among: OrderedDict[PatientId, tuple[Known, int]], known: Known, size: int) -> None:
        among[known.state.patient] = known, size
        self._held += size

    def at_once(self, most: int) -> int:
        """Of so many patients at most, how many a step may take up while there is no room left: their charts are held until it ends."""
        if self._held + IN_HAND < self._most:
            return most
        charts = sum(size for _, size in self._known.values())
        return max(1, min(most, IN_HAND * len(self._known) // max(1, charts)))

    def forget(self, patient: PatientId) -> None:
        for among in (self._known, self._sketches):
            _, size = among.pop(patient, (None, 0))
            self._held -= size

    def drop(self, whom: Callable[[PatientId], bool]) -> None:
        for patient in [one for one in (*self._known, *self._sketches) if whom(one)]:
            self.forget(patient)

    def clear(self) -> None:
        self._known.clear()
        self._sketches.clear()
        self._held = 0
