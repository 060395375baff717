"""A MIMIC-IV folder as if its stays were running now: each patient's times moved alike, and nothing that is not over yet."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tests.icu.feed import Told, feed
from tests.icu.tables import Row, Stay, Tables, moment

TIMES = ("edregtime", "admittime", "dischtime", "intime", "outtime", "charttime", "starttime", "endtime")
KEPT_BY_VISIT = frozenset({"admissions", "transfers", "icustays"})


@dataclass(frozen=True)
class Running(Tables):
    """Of each patient one stay, `into` after its beginning; results and charting of the last `span`."""

    chosen: Mapping[str, Stay]
    now: datetime
    into: timedelta = timedelta(hours=24)
    span: timedelta = timedelta(hours=24)

    def rows(self, name: str) -> Iterator[Row]:
        for row in super().rows(name):
            stay = self.chosen.get(row["subject_id"])
            if stay is not None and row["hadm_id"] in ("", stay.admission) and self._within(name, row, stay):
                shift = self.now - (stay.begin + self.into)
                yield row | {key: f"{moment(row[key]) + shift:%F %T}" for key in TIMES if row.get(key)}

    def _within(self, name: str, row: Row, stay: Stay) -> bool:
        if name in KEPT_BY_VISIT:
            return True
        at, cut = moment(row.get("charttime") or row["starttime"]), stay.begin + self.into
        return cut - self.span <= at <= cut

    def told(self) -> list[Told]:
        """As HL7 v2, to this moment."""
        return [one for one in feed(self, self.chosen) if one.at <= self.now]


SAMPLE = ("37267577", "39492446", "30932571", "30864406", "34324099")
"""Three that are shown, two that are not; with few resources, the third with most organs."""


def running(folder: Path, now: datetime, **wishes: timedelta) -> Running:
    """The sample, or by `ADAPTER_ICU=all` the first stay of every patient."""
    everything = os.environ.get("ADAPTER_ICU") == "all"
    named = [stay for stay in Tables(folder).stays.values() if everything or stay.id in SAMPLE]
    return Running(folder, {stay.subject: stay for stay in reversed(named)}, now, **wishes)
