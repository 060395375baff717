"""The log book: JSON lines of a closed set of fields, and the counters of one registry; no patient data passes here."""

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple, TextIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from adapter.errors import place

FIELDS = frozenset(
    {
        "address", "attempts", "bytes", "code", "connections", "count", "digest", "duplicate", "environment", "error",
        "feed", "file", "inbox_id", "kind", "milliseconds", "outlet", "peer", "seconds", "sha256", "site",
        "software", "source", "state", "text", "trial", "where",
    }
)  # fmt: skip
"""Every field a log line may carry, and none that could hold a name, a number of a patient or a value.

`text` is one of our own fixed sentences, `where` a place in our own code.
"""

DECODING = frozenset(
    {"charset-unknown", "charset-contradicted", "charset-doubtful", "charset-replaced", "bom", "nul", "CHARSET"}
)
"""Issues, and one reason of the quarantine, that say: these bytes are not what they claim to be."""
LONGEST = 300
ACK_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


def log(event: str, **fields: object) -> None:
    """One line; a field outside `FIELDS` is left out and named, never written."""
    structlog.get_logger().info(event, **fields)


def warn(event: str, **fields: object) -> None:
    structlog.get_logger().warning(event, **fields)


def bug(event: str, error: BaseException, **fields: object) -> None:
    """An exception as its type and place: its words and its locals may hold a patient (reliability 5.7)."""
    structlog.get_logger().error(event, error=type(error).__name__, where=place(error), **fields)


def configure_log(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Once per process. The libraries' own lines are reduced to their logger, level and place."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            gate,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.root.handlers[:] = [_Libraries()]
    logging.root.setLevel(logging.WARNING)


class MessageLine(NamedTuple):
    """One received message in the log: of its content the header's fields alone (mllp-receiver 63); None is left out."""

    timestamp: str
    feed: str
    inbox_id: int
    bytes: int
    code: str
    milliseconds: float
    duplicate: bool
    state: str | None = None
    """Why it lies in quarantine, where the door put it there."""
    sender: str | None = None
    type: str | None = None
    sent: str | None = None
    control_id: str | None = None


class MessageLog:
    """Lines like those of `log`, made and written together once a turn of the event loop: a feed may bring a thousand a second."""

    def __init__(self, *, control_ids: bool = False) -> None:
        self.control_ids = control_ids
        """Whether MSH-10 is told: some senders build it of the patient's number, which no log may hold (reliability P10)."""
        self._lines: list[MessageLine] = []

    def add(self, line: MessageLine) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._write)
        self._lines.append(line)

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        text = "\n".join([_told(line) for line in lines])
        structlog.get_config()["logger_factory"]().msg(text)


def _told(line: MessageLine) -> str:
    said = zip(MessageLine._fields[1:], line[1:], strict=True)
    fields = {name: value for name, value in said if value is not None}
    return json.dumps(
        {"timestamp": line.timestamp.replace("+00:00", "Z"), "event": "message", "level": "info"} | fields
    )


def gate(_logger: object, _method: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
    kept = {name: _short(value) for name, value in line.items() if name in FIELDS or name in {"event", "level"}}
    refused = sorted(line.keys() - kept.keys() - {"timestamp"})
    return {"timestamp": line.get("timestamp")} | kept | ({"refused_fields": refused} if refused else {})


def _short(value: object) -> object:
    if isinstance(value, bool | int | float) or value is None:
        return value
    return str(value)[:LONGEST]


class _Libraries(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        structlog.get_logger().warning(
            "library",
            source=record.name,
            state=record.levelname.lower(),
            where=place(error) if error else f"{record.filename}:{record.lineno}",
            error=type(error).__name__ if error else None,
        )


class _Computed(Collector):
    """Figures that stand in the database and are read when somebody asks, so that a restart does not lose them."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        return self._read()


class Metrics:
    """The counters of one process; labels are feeds, codes and kinds, never patients (reliability 5.2)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self.registry)
        self.acknowledged = self._counter("ack", "Answers sent, by table 0008 code", "feed", "code")
        self.ack_seconds = Histogram(
            "adapter_ack_seconds", "From the frame's last byte to the answer", ["feed"],
            registry=self.registry, buckets=ACK_SECONDS,
        )  # fmt: skip
        self.frame_errors = self._counter("frame_errors", "What was wrong on the wire", "feed", "kind")
        self.noise_bytes = self._counter("noise_bytes", "Bytes outside frames", "feed")
        self.refused = self._counter("connections_refused", "Connections closed at once", "feed", "kind")
        self.door_quarantined = self._counter(
            "door_quarantined", "Messages the door itself put into quarantine, by reason (SENDER: not configured)",
            "feed", "code",
        )  # fmt: skip
        self.sender_messages = self._counter(
            "sender_messages", "Messages by configured sender and answer", "feed", "sender", "code"
        )
        self.sender_duplicates = self._counter(
            "sender_duplicates", "Repetitions by configured sender", "feed", "sender"
        )
        self.sender_last = Gauge(
            "adapter_sender_last_message_timestamp_seconds", "When a configured sender last spoke", ["feed", "sender"],
            registry=self.registry,
        )  # fmt: skip
        self.tls_failures = self._counter("tls_failures", "Senders refused by TLS, by reason", "feed", "reason")
        self.decode_warnings = self._counter(
            "decode_warnings", "Messages whose bytes did not fit their character set", "feed", "kind"
        )
        self.storage_refusals = self._counter("storage_refusals", "Messages that could not be stored", "feed")
        self.connections = Gauge("adapter_feed_connections", "Open connections", ["feed"], registry=self.registry)
        self.deliveries = self._counter("push", "Deliveries tried, by outcome", "outlet", "outcome")
        self.processed = self._counter("messages_processed", "Messages taken from the inbox")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"adapter_{name}", text, labels, registry=self.registry)

    def heard(self, feed: str, codes: Iterable[str]) -> None:
        """Counts what was wrong with the character set of a message."""
        for code in DECODING.intersection(codes):
            self.decode_warnings.labels(feed, code).inc()

    def compute(self, read: Callable[[], Iterable[Metric]]) -> None:
        """Figures asked for at each scrape."""
        self.registry.register(_Computed(read))

    def text(self) -> bytes:
        return generate_latest(self.registry)


def counter_family(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(f"adapter_{name}", text, labels=(label,))
    for label_value, value in values.items():
        family.add_metric((label_value,), value)
    return family


def gauge_family(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"adapter_{name}", text, labels=(label,))
    for label_value, value in values.items():
        family.add_metric((label_value,), value)
    return family


def gauges(name: str, text: str, labels: Sequence[str], values: Mapping[tuple[str, ...], float]) -> Metric:
    """As `gauge_family`, by several labels."""
    family = GaugeMetricFamily(f"adapter_{name}", text, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return family


def gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"adapter_{name}", text, value)
