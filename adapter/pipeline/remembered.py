"""What stays in memory of patients who were spoken of lately: bounded in patients and in results, so that the process is."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from adapter.domain.patient import PatientId, PatientState
from adapter.scoring.chart import Chart
from adapter.screening.screen import Alerts

MOST_PATIENTS = 2000
MOST_RESULTS = 25_000
"""Of all patients together; one takes some 3 KB, a patient some 40 KB more (decisions F9: 300 MB in all)."""


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
    def results(self) -> int:
        return sum(map(len, self.chart.state.results.values()))


class Remembered:
    """Who was spoken of longest ago goes first; whoever is gone is read from the store again."""

    def __init__(self, most_patients: int = MOST_PATIENTS, most_results: int = MOST_RESULTS) -> None:
        self._most_patients, self._most_results = most_patients, most_results
        self._known: OrderedDict[PatientId, tuple[Known, int]] = OrderedDict()
        self._results = 0

    def __contains__(self, patient: PatientId) -> bool:
        return patient in self._known

    def __len__(self) -> int:
        return len(self._known)

    def get(self, patient: PatientId) -> Known | None:
        found = self._known.get(patient)
        if found is None:
            return None
        self._known.move_to_end(patient)
        return found[0]

    def put(self, patient: PatientId, known: Known) -> None:
        """The one put in stays, however much it is; others make room."""
        self.forget(patient)
        results = known.results
        self._known[patient] = known, results
        self._results += results
        while len(self._known) > 1 and (len(self._known) > self._most_patients or self._results > self._most_results):
            _, (_, gone) = self._known.popitem(last=False)
            self._results -= gone

    def forget(self, patient: PatientId) -> None:
        _, results = self._known.pop(patient, (None, 0))
        self._results -= results

    def drop(self, whom: Callable[[PatientId], bool]) -> None:
        for patient in [one for one in self._known if whom(one)]:
            self.forget(patient)

    def clear(self) -> None:
        self._known.clear()
        self._results = 0
