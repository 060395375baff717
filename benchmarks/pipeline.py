"""The whole pipeline in one process: a 20-OBX ORU stored, mapped, scored, judged and committed, on charted patients."""

import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from adapter.assets import load_rulebook
from adapter.daemon.collector import spare_what_is_known
from adapter.domain.message import MessageKind, RawMessage
from adapter.hl7.compose import er7, segment
from adapter.pipeline.keep import Keeper
from adapter.pipeline.outgoing import NotifierOutlet
from adapter.pipeline.process import Processor
from adapter.store import inbox
from adapter.store.database import Database
from adapter.store.secret import SiteSecret
from benchmarks.report import number, spread, table

PATIENTS, CHARTED_HOURS, MESSAGES, RUNS = 50, 24, 400, 3
START = datetime(2026, 1, 2, 8, tzinfo=UTC)
CHART = (
    ("8478-0", "72", "mm[Hg]"), ("59408-5", "96", "%"), ("9269-2", "15", "{score}"), ("71835-3", "0.3", "1"),
    ("9187-6", "60", "mL"), ("8480-6", "118", "mm[Hg]"), ("8462-4", "60", "mm[Hg]"),
)  # fmt: skip
LABORATORY = (
    ("777-3", "210", "10*3/uL"), ("1975-2", "0.8", "mg/dL"), ("2160-0", "0.9", "mg/dL"), ("2703-7", "95", "mm[Hg]"),
    ("2276-4", "610", "ng/mL"), ("751-8", "8.1", "10*3/uL"), ("6690-2", "11.2", "10*3/uL"), ("1988-5", "120", "mg/L"),
    ("33959-8", "4.1", "ng/mL"), ("2524-7", "1.4", "mmol/L"), ("2951-2", "139", "mmol/L"), ("2823-3", "4.1", "mmol/L"),
    ("2075-0", "101", "mmol/L"), ("718-7", "9.9", "g/dL"), ("4544-3", "31", "%"), ("1751-7", "2.9", "g/dL"),
    ("3094-0", "22", "mg/dL"), ("2345-7", "141", "mg/dL"), ("17861-6", "8.4", "mg/dL"), ("2777-1", "3.1", "mg/dL"),
)  # fmt: skip


def varied(value: str, chance: Random) -> str:
    """Up to 15 % less and as finely written: a patient's values move, and what was judged before is seldom met again."""
    places = len(value.partition(".")[2])
    return f"{float(value) * chance.uniform(0.85, 1):.{places}f}"


def stamp(at: datetime) -> str:
    return f"{at:%Y%m%d%H%M%S}+0000"


def message(patient: int, number: int, at: datetime, lines: tuple[tuple[str, str, str], ...]) -> RawMessage:
    chance = Random(patient * 10_000 + number)
    segments = [
        segment("MSH", "LAB", "H", "A", "A", stamp(at), "", ("ORU", "R01"), f"{patient}-{number}", "P", "2.5.1"),
        segment("PID", "1", "", (str(patient), "", "", "HOSP", "MR")),
        segment("PV1", "1", "I", ("ICU", "", "4"), *[""] * 15, f"V{patient}"),
        segment(
            "OBR", "1", "", f"F{patient}-{number}", ("CHEM", "panel", "L"), "", "", stamp(at), *[""] * 14, stamp(at)
        ),
    ]
    segments += [
        segment(
            "OBX",
            str(i),
            "NM",
            (code, "", "LN"),
            str((i - 1) // 20 or ""),
            varied(value, chance),
            unit,
            "",
            "",
            "",
            "",
            "F",
            "",
            "",
            stamp(at),
        )
        for i, (code, value, unit) in enumerate(lines, 1)
    ]
    return raw(er7(segments), at)


def raw(body: bytes, at: datetime) -> RawMessage:
    return RawMessage(source="lab", site="generic", kind=MessageKind.HL7V2, body=body, received=at)


def admission(patient: int, at: datetime = START - timedelta(hours=CHARTED_HOURS)) -> RawMessage:
    return raw(
        er7(
            [
                segment("MSH", "ADT", "H", "A", "A", stamp(at), "", ("ADT", "A01"), f"A{patient}", "P", "2.5.1"),
                segment("EVN", "A01", stamp(at)),
                segment("PID", "1", "", (str(patient), "", "", "HOSP", "MR"), "", ("Bench", "P"), "", "19600101", "F"),
                segment("PV1", "1", "I", ("ICU", "", "4"), *[""] * 15, f"V{patient}", *[""] * 24, stamp(at)),
            ]
        ),
        at,
    )


def charted() -> list[RawMessage]:
    found = [admission(p) for p in range(PATIENTS)]
    for hour in range(CHARTED_HOURS):
        at = START - timedelta(hours=CHARTED_HOURS - hour, minutes=-5)
        found += [message(p, hour, at, CHART) for p in range(PATIENTS)]
        if hour % 6 == 0:
            found += [message(p, 100 + hour, at, LABORATORY) for p in range(PATIENTS)]
    return found


def run(folder: Path) -> tuple[float, float]:
    database = Database.open(f"sqlite:///{folder}/bench.db")
    database.migrate()
    rules = load_rulebook(None, trials=["immunosep-demo"])
    secret = SiteSecret.load_or_create(folder / "secret.key")
    keeper = Keeper(database, rules, secret, (NotifierOutlet("mail"),), "http://localhost/c/")
    processor = Processor(database, rules, keeper, lambda: START + timedelta(minutes=30), lambda: None)
    history = charted()
    rate_filling = drain(database, processor, history)
    fresh = [message(n % PATIENTS, 1000 + n, START + timedelta(seconds=n), LABORATORY) for n in range(MESSAGES)]
    rate = drain(database, processor, fresh)
    with database.read() as conn:
        counts = inbox.counts(conn)
    if counts.applied != counts.received:
        raise SystemExit(f"only {counts.applied} of {counts.received} messages were applied: no figure")
    database.close()
    return rate_filling, rate


def drain(database: Database, processor: Processor, messages: list[RawMessage]) -> float:
    started = time.perf_counter()
    for first in range(0, len(messages), 50):
        with database.write() as tx:
            inbox.put_many(tx, messages[first : first + 50])
    while processor.step():
        pass
    return len(messages) / (time.perf_counter() - started)


def main(*, quick: bool = False) -> str:
    spare_what_is_known()
    rates = []
    for _ in range(1 if quick else RUNS):
        with tempfile.TemporaryDirectory() as folder:
            rates.append(run(Path(folder)))
    rows = [
        [what, f"{number(statistics.median(found))} ±{spread(found)}"]
        for what, found in zip(
            (
                f"filling: {CHARTED_HOURS} h of charting of {PATIENTS} patients, 7 OBX a message",
                "then: 20-OBX ORU of such a patient",
            ),
            zip(*rates, strict=True),
            strict=True,
        )
    ]
    note = "Stored, read, mapped, scored, judged and committed, in one process and one thread, as fast as it can."
    return f"{table(['the whole pipeline', f'messages a second, median of {len(rates)}'], rows)}\n\n{note}"


if __name__ == "__main__":
    print(main())
