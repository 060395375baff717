"""The figures of `/metrics` that stand in the database: received = applied + duplicate + ignored + quarantined + pending."""

import resource
import threading
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime

from prometheus_client.core import Metric

from adapter.pipeline.watch import Watched, watch
from adapter.ports import Clock
from adapter.store import (
    backup_log,
    contested,
    emptied,
    feeds,
    inbox,
    on_show,
    outbox,
    quarantine,
    rehearsal_log,
    unjudged,
    unmapped,
    worklist,
)
from adapter.store.database import Database
from adapter.store.space import Space
from adapter.telemetry import counter_family, gauge, gauge_family, gauges

STATE, EVER = gauge_family, counter_family
FAMILIES = {"received": EVER, "duplicate": EVER, "applied": STATE, "ignored": STATE, "quarantined": STATE}
"""A message that is read again leaves the state it was in: only what came is counted for ever."""


def figures(database: Database, space: Space, clock: Clock, shadow: Collection[str] = ()) -> Iterator[Metric]:
    """Read in one snapshot, so that they add up. What is held back of trials in `shadow` waits for nobody."""
    now = clock()
    with database.read() as conn:
        rows, counts, waits = feeds.listing(conn), inbox.counts(conn), feeds.oldest_pending(conn)
        waiting, watching = outbox.counts(conn, shadow=shadow), worklist.watching_count(conn)
        shown = on_show.number(conn, now)
        watched, left = watch(conn, now), unjudged.number(conn)
        held, strange, torn = quarantine.by_feed(conn), unmapped.sums(conn), contested.number(conn)
        left_out = emptied.left_out(conn)
        saved, proved = backup_log.last(conn), rehearsal_log.passed(conn)
    for name, family in FAMILIES.items():
        values = {row.source: float(getattr(row, name)) for row in rows}
        yield family(f"messages_{name}", f"Messages {name}", "feed", values)
    yield gauges("quarantine", "Messages that wait in quarantine, by reason", ("feed", "code"), held)
    yield gauge_family("inbox_pending", "Stored, not yet read", "feed", {r.source: float(r.pending) for r in rows})
    last = {row.source: row.last_received.timestamp() for row in rows}
    yield gauge_family("last_message_timestamp_seconds", "When a feed last spoke", "feed", last)
    ages = {row.source: (now - waits.get(row.source, now)).total_seconds() for row in rows}
    yield gauge_family("feed_oldest_seconds", "Age of a feed's oldest unread message", "feed", ages)
    oldest = (now - counts.oldest_pending).total_seconds() if counts.oldest_pending else 0.0
    yield gauge("inbox_oldest_seconds", "Age of the oldest unread message", oldest)
    yield gauge("control_id_reuse", "Known control ids that came with other bytes", float(counts.control_id_reuse))
    unknown: dict[tuple[str, ...], float] = {(one.source, one.code): float(one.count) for one in strange}
    yield gauges("unmapped", "Codes and units that nobody mapped, by the finding", ("feed", "code"), unknown)
    yield gauge("identity_conflicts", "Screening numbers that more than one person may claim", float(torn))
    yield from _analytes(watched)
    yield from _disk(database, space)
    for name in ("waiting", "delivered", "dead"):
        values = {outlet: float(getattr(one, name)) for outlet, one in waiting.items()}
        yield gauge_family(f"outbox_{name}", f"Deliveries {name}", "outlet", values)
    ages = {outlet: (now - one.oldest_waiting).total_seconds() for outlet, one in waiting.items() if one.oldest_waiting}
    yield gauge_family("outbox_oldest_seconds", "Age of the oldest delivery that waits", "outlet", ages)
    yield gauge("messages_opted_out", "Messages emptied for people who want no part, in full tens", float(left_out))
    yield from _backups(saved, proved)
    yield gauge("watching", "Patients followed without being shown", float(watching))
    yield gauge("unjudged", "Patients whom a backlog was told of and who are judged after it", float(left))
    yield gauge("shown", "Rows on the worklist", float(shown))
    yield gauge("threads", "Threads of Python in this process", float(threading.active_count()))
    yield gauge(
        "resident_max_bytes", "Most memory ever used", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
    )


def _analytes(watched: Watched) -> Iterator[Metric]:
    """By source and concept, never by what the sender wrote."""
    labels = ("feed", "analyte")
    last: dict[tuple[str, ...], float] = {}
    for one in watched.all:
        key = (one.analyte.source, one.analyte.concept)
        last[key] = max(last.get(key, 0.0), one.last.timestamp())
    yield gauges("analyte_last_seen_timestamp_seconds", "When a source last sent an analyte", labels, last)
    silent: Counter[tuple[str, ...]] = Counter((one.source, one.concept) for one in watched.silent)
    yield gauges("analyte_silent", "1 where a source's analyte fell silent while it speaks", labels, silent)
    moved: Counter[tuple[str, ...]] = Counter((one.analyte.source, one.analyte.concept) for one in watched.moved)
    yield gauges(
        "analyte_values_moved", "Codes whose values or unit moved by more than a factor of five", labels, moved
    )


def _backups(saved: datetime | None, proved: datetime | None) -> Iterator[Metric]:
    if saved is not None:
        yield gauge("backup_last_success_timestamp_seconds", "When the newest backup was begun", saved.timestamp())
    if proved is not None:
        means = "When a backup last passed a restore test"
        yield gauge("backup_last_restore_test_timestamp_seconds", means, proved.timestamp())


def _disk(database: Database, space: Space) -> Iterator[Metric]:
    database_bytes, log_bytes = database.sizes()
    yield gauge("disk_free_bytes", "Room on the data disk", float(space.free()))
    yield gauge("database_bytes", "The database", float(database_bytes))
    yield gauge("wal_bytes", "Its write-ahead log", float(log_bytes))
