"""What was put on record since the start, counted for /metrics: read behind the last look, so that no counter stands in a way."""

import threading
from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric

from adapter.store import audit
from adapter.store.database import Database

SIGN_IN = ("sign-in", "second-step")
"""A second step that succeeds is part of the sign-in that it ends."""


class Tally:
    """Of the whole store, whichever process wrote it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._one = threading.Lock()
        self._found: Counter[tuple[str, str]] = Counter()
        with database.read() as conn:
            self._seen = audit.head(conn).seq

    def figures(self) -> Iterator[Metric]:
        """Raises UnavailableError, as all figures that are asked for with these."""
        with self._one:
            self._look()
            found = dict(self._found)
        entries = CounterMetricFamily("adapter_audit_entries", "Entries of the audit log", labels=("action", "outcome"))
        logins: Counter[str] = Counter()
        for (action, outcome), number in sorted(found.items()):
            entries.add_metric((action, outcome), number)
            logins[outcome] += number if action in SIGN_IN else 0
        yield entries
        told = CounterMetricFamily("adapter_logins", "Sign-ins tried, by how they ended", labels=("outcome",))
        for outcome in ("ok", "failed", "refused"):
            told.add_metric((outcome,), logins[outcome])
        yield told

    def _look(self) -> None:
        with self._database.read() as conn:
            upto = audit.head(conn).seq
            self._found.update(audit.counted(conn, self._seen, upto))
        self._seen = upto


def judged(verdicts: Counter[tuple[str, str]]) -> Iterator[Metric]:
    """By trial: of this machine's eyes alone, since few of a verdict may be somebody (reliability 5.2)."""
    made = CounterMetricFamily("adapter_verdicts", "Judgements that were kept, by verdict", labels=("trial", "result"))
    for (trial, result), number in sorted(dict(verdicts).items()):
        made.add_metric((trial, result), number)
    yield made
