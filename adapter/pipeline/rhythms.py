"""What was heard of each analyte since it was last written down: a few seconds of numbers, not worth a commit of their own."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from fractions import Fraction

from adapter.domain.events import ClinicalEvent, ObservationReceived
from adapter.domain.observation import USABLE
from adapter.store.analytes import Analyte, Told

EVERY = timedelta(seconds=30)
MANY = 2000
"""Numbers that are written down before it is time: whoever else wants to write does not wait for a minute of them."""


class Rhythms:
    """Filled by whoever reads messages, emptied with one of their transactions. A crash forgets half a minute of it."""

    def __init__(self) -> None:
        self._told: dict[Analyte, list[tuple[datetime, list[Fraction]]]] = {}
        self._heard = 0
        self._written: datetime | None = None

    def hear(self, source: str, received: datetime, events: Iterable[ClinicalEvent]) -> None:
        heard: dict[Analyte, list[Fraction]] = {}
        for event in events:
            said = event.observation if isinstance(event, ObservationReceived) else None
            if said is not None and said.quantity is not None and said.status in USABLE:
                analyte = Analyte(source, said.concept, said.original.code, said.original.unit)
                heard.setdefault(analyte, []).append(said.quantity.value)
        for analyte, values in heard.items():
            self._told.setdefault(analyte, []).append((received, values))
            self._heard += len(values)

    def due(self, now: datetime) -> Told:
        """What is to be written now; nothing while it is not time."""
        time = self._written is None or now - self._written >= EVERY
        return self._told if time or self._heard >= MANY else {}

    def written(self, told: Told, now: datetime) -> None:
        if told:
            self._told, self._heard, self._written = {}, 0, now
