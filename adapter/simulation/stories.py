"""Eight named patients, each a case a coordinator should understand at a glance; also a ninth who waits for a ferritin."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapter.simulation.dialect import ATTIKON, GENERIC, Dialect
from adapter.simulation.messages import Person, Report, Sent, admission, results

SEND_LABORATORY, SEND_FERRITIN, SEND_CORRECTION = 4.0, 12.0, 26.0
"""Seconds after the start at which a story's chapters are sent: admission at 0, then these."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """Results taken `hours_ago` and sent `at` so many seconds; the same `order` again is a correction of it."""

    hours_ago: float
    at: float
    values: Mapping[str, str]
    order: str
    status: str = "F"


@dataclass(frozen=True, slots=True)
class Story:
    """`name` is the case, `expect` the verdict (and stratum) it ends with under the demonstration's trial file."""

    name: str
    expect: str
    dialect: Dialect
    person: Person
    admitted_hours_ago: float
    chapters: tuple[Chapter, ...]

    def messages(self, start: datetime) -> Iterator[Sent]:
        """Its messages in order of sending; every clinical time is counted from `start`."""
        admitted = start - timedelta(hours=self.admitted_hours_ago)
        yield self._sent(
            0, admission(self.dialect, self.person, admitted=admitted, sent=start, control=f"{self.person.number}-0")
        )
        for number, chapter in enumerate(self.chapters, 1):
            sent = start + timedelta(seconds=chapter.at)
            report = Report(
                order=f"{self.person.number}-{chapter.order}",
                effective=start - timedelta(hours=chapter.hours_ago),
                issued=sent,
                values=chapter.values,
                status=chapter.status,
            )
            body = results(self.dialect, self.person, report, sent=sent, control=f"{self.person.number}-{number}")
            yield self._sent(chapter.at, body)

    def _sent(self, seconds: float, body: bytes) -> Sent:
        return Sent(timedelta(seconds=seconds), self.dialect.site, self.name, body)


def _laboratory(hours_ago: float, values: Mapping[str, str]) -> Chapter:
    return Chapter(hours_ago, SEND_LABORATORY, values, f"L{hours_ago:g}")


def _immune(hours_ago: float, **values: str) -> Chapter:
    return Chapter(hours_ago, SEND_FERRITIN, values, "F")


_FAILING_LUNG = {"pao2": "68", "fio2": "40", "respiratory-support": "mask"}
_WELL = {
    "pao2": "95", "fio2": "21", "respiratory-support": "room-air", "bilirubin": "0.8", "map": "84", "gcs-total": "15",
    "creatinine": "0.9", "neutrophils": "9.1",
}  # fmt: skip
_KIDNEY_AND_MARROW = {**_WELL, "platelets": "85", "creatinine": "2.4"}

STORIES = (
    Story(
        "mals-ferritin-5200", "candidate mals", GENERIC,
        Person("730001", "Example", "Maria", "19580412", "F", "ED", "3"), 8,
        (
            _laboratory(7, {**_FAILING_LUNG, "platelets": "140", "bilirubin": "1.2", "map": "68", "gcs-total": "15",
                            "creatinine": "1.9", "neutrophils": "11.2", "lactate": "2.9"}),
            _immune(6, ferritin="5200"),
        ),
    ),
    Story(
        "immunoparalysis", "candidate immunoparalysis", ATTIKON,
        Person("410002", "Παράδειγμα", "Ελένη", "19490920", "F", "TEP", "5"), 20,
        (
            _laboratory(18, {"pao2": "75", "fio2": "50", "respiratory-support": "mask", "platelets": "88",
                             "bilirubin": "24", "map": "64", "gcs-total": "14", "creatinine": "190",
                             "neutrophils": "12.4"}),
            _immune(15, ferritin="1850", mhladr="3100"),
        ),
    ),
    Story(
        "immunoparalysis-blocked-by-covid", "not-candidate immunoparalysis-blocked-by-covid", ATTIKON,
        Person("410003", "Υπόδειγμα", "Νίκος", "19610203", "M", "TEP", "7"), 26,
        (
            _laboratory(24, {"sars-cov-2": "Detected"}),
            _laboratory(20, {"pao2": "61", "fio2": "50", "respiratory-support": "mask", "platelets": "160",
                             "bilirubin": "12", "map": "72", "gcs-total": "15", "creatinine": "120"}),
            _immune(17, ferritin="3000", mhladr="4200"),
        ),
    ),
    Story(
        "corrected-platelets", "withdrawn", GENERIC,
        Person("730004", "Sample", "John", "19720830", "M", "ED", "1"), 5,
        (
            _laboratory(4, {**_WELL, "platelets": "18"}),
            _immune(3.5, ferritin="6100"),
            Chapter(4, SEND_CORRECTION, {"platelets": "181"}, "L4", status="C"),
        ),
    ),
    Story(
        "missing-bilirubin", "candidate mals", GENERIC,
        Person("730005", "Specimen", "Anna", "19451101", "F", "ED", "9"), 12,
        (
            _laboratory(10, {**_FAILING_LUNG, "platelets": "128", "map": "66", "gcs-total": "15", "creatinine": "1.4"}),
            _immune(9, ferritin="7400"),
        ),
    ),
    Story(
        "chronic-sofa-without-increase", "not-candidate mals", GENERIC,
        Person("730006", "Instance", "Peter", "19530717", "M", "NEPH", "12", "I"), 144,
        (
            _laboratory(143, _KIDNEY_AND_MARROW),
            _laboratory(5, _KIDNEY_AND_MARROW),
            _immune(4, ferritin="4800"),
        ),
    ),
    Story(
        "expired-clock", "expired", GENERIC,
        Person("730007", "Model", "Irene", "19660525", "F", "ICU", "2", "E"), 92,
        (
            _laboratory(90, {**_FAILING_LUNG, "platelets": "95", "bilirubin": "2.2", "map": "65", "gcs-total": "14",
                             "creatinine": "2.1"}),
            _laboratory(6, {**_FAILING_LUNG, "platelets": "110", "bilirubin": "1.9", "map": "71", "gcs-total": "15",
                            "creatinine": "1.7"}),
            _immune(20, ferritin="5600"),
        ),
    ),
    Story(
        "ferritin-exactly-4420", "not-candidate unclassified", ATTIKON,
        Person("410008", "Δοκιμή", "Γιώργος", "19570318", "M", "TEP", "2"), 16,
        (
            _laboratory(14, {"pao2": "70", "fio2": "40", "respiratory-support": "mask", "platelets": "132",
                             "bilirubin": "15", "map": "67", "gcs-total": "15", "creatinine": "140"}),
            _immune(12, ferritin="4420", mhladr="6200"),
        ),
    ),
    Story(
        "waits-for-ferritin", "incomplete", ATTIKON,
        Person("410009", "Πρότυπο", "Σοφία", "19630609", "F", "TEP", "11"), 6,
        (
            _laboratory(5, {"pao2": "66", "fio2": "50", "respiratory-support": "mask", "platelets": "120",
                            "bilirubin": "28", "map": "69", "gcs-total": "15", "creatinine": "150"}),
        ),
    ),
)  # fmt: skip


def story(name: str) -> Story:
    """Raises KeyError for a case nobody wrote."""
    return {one.name: one for one in STORIES}[name]
