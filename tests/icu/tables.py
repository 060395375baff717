"""The tables of a MIMIC-IV folder, as they lie in `data/icu/mimic-iv-demo`: one gzipped CSV each."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

Row = dict[str, str]


def moment(text: str) -> datetime:
    """Times have no zone: they are read as UTC, where no hour is repeated."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True)
class Stay:
    """One stay on an ICU: whose, in which admission, from when to when."""

    id: str
    subject: str
    admission: str
    begin: datetime
    end: datetime


@dataclass(frozen=True)
class Tables:
    folder: Path

    def rows(self, name: str) -> Iterator[Row]:
        with gzip.open(self.folder / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)

    @cached_property
    def stays(self) -> dict[str, Stay]:
        found = [
            Stay(row["stay_id"], row["subject_id"], row["hadm_id"], moment(row["intime"]), moment(row["outtime"]))
            for row in self.rows("icustays")
        ]
        return {stay.id: stay for stay in sorted(found, key=lambda stay: (stay.subject, stay.begin))}
