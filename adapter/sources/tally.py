"""What is counted and logged of each answered message: by feed, by configured sender, by code; never a patient (rules 62, 63)."""

import asyncio
import re
from collections.abc import Sequence

from prometheus_client import Counter

from adapter.domain.message import RawMessage, Receipt
from adapter.sources.envelope import Door
from adapter.telemetry import MessageLine, Metrics

NONE = "none"
"""The code of a message that was owed no answer."""
_TYPE = re.compile(r"[A-Z]{3}(\^[A-Z][A-Z0-9]{2})?")
_SENDER = re.compile(r"[\w.:/&|^-]{1,64}", re.ASCII)
_CONTROL_ID = re.compile(r"[\w.:/-]{1,64}", re.ASCII)
_TIME = re.compile(r"[\d.+-]{0,26}", re.ASCII)
_HEADER = 512
_SENT = 6
"""Where MSH-7 stands in a header split at its separator."""


class Tally:
    """What the connections through one door have in common."""

    def __init__(self, metrics: Metrics, door: Door) -> None:
        self._metrics, self._door, self._log = metrics, door, door.log
        self._latency = metrics.ack_seconds.labels(door.name)
        self._by_code: dict[str, Counter] = {}
        self._answered: list[tuple[Sequence[RawMessage], Sequence[Receipt], float]] = []
        self._senders_matter = bool(door.senders)

    def answered(self, messages: Sequence[RawMessage], receipts: Sequence[Receipt], seconds: float) -> None:
        """Counted in the loop's next turn, when the answers of this one have gone out: the counting is nobody's to wait for."""
        if not self._answered:
            asyncio.get_running_loop().call_soon(self._count_all)
        self._answered.append((messages, receipts, seconds))

    def _count_all(self) -> None:
        answered, self._answered = self._answered, []
        for messages, receipts, seconds in answered:
            self._count_one(messages, receipts, seconds)

    def _count_one(self, messages: Sequence[RawMessage], receipts: Sequence[Receipt], seconds: float) -> None:
        for message, receipt in zip(messages, receipts, strict=True):
            code = code_of(receipt.acknowledgment)
            if receipt.acknowledgment:
                self._count(code)
            if message.quarantine is not None:
                self._metrics.door_quarantined.labels(self._door.name, message.quarantine).inc()
            if self._senders_matter:
                self._count_sender(message, receipt, code)
            if self._log is not None:
                line = line_of(message, receipt, code, seconds)
                self._log.add(line if self._log.control_ids else line._replace(control_id=None))
        self._latency.observe(seconds)

    def _count(self, code: str) -> None:
        counter = self._by_code.get(code)
        if counter is None:
            counter = self._by_code[code] = self._metrics.acknowledged.labels(self._door.name, code)
        counter.inc()

    def _count_sender(self, message: RawMessage, receipt: Receipt, code: str) -> None:
        feed, sender = self._door.name, self._door.senders.label(message.sender)
        self._metrics.sender_messages.labels(feed, sender, code).inc()
        self._metrics.sender_last.labels(feed, sender).set(message.received.timestamp())
        if receipt.duplicate:
            self._metrics.sender_duplicates.labels(feed, sender).inc()


def code_of(acknowledgment: bytes) -> str:
    """MSA-1 of an answer we wrote ourselves."""
    if not acknowledgment:
        return NONE
    start = acknowledgment.find(b"\rMSA") + 5
    return acknowledgment[start : start + 2].decode("ascii", "replace")


def line_of(message: RawMessage, receipt: Receipt, code: str, seconds: float) -> MessageLine:
    """Of a header that is none, nothing is told: where line ends were lost, the patient stands in its fields."""
    line = MessageLine(
        timestamp=message.received.isoformat(),
        feed=message.source,
        inbox_id=receipt.inbox_id,
        bytes=len(message.body),
        code=code,
        milliseconds=round(seconds * 1000, 1),
        duplicate=receipt.duplicate,
        state=message.quarantine,
    )
    sent = _sent(message.body)
    if not _TYPE.fullmatch(message.type) or not _TIME.fullmatch(sent) or message.sender.count("|") != 1:
        return line
    sender = message.sender if _SENDER.fullmatch(message.sender) else None
    control_id = message.control_id if _CONTROL_ID.fullmatch(message.control_id) else None
    return line._replace(type=message.type, sent=sent, sender=sender, control_id=control_id)


def _sent(body: bytes) -> str:
    fields = body[:_HEADER].split(body[3:4] or b"|", _SENT + 1)
    return fields[_SENT].decode("latin-1") if len(fields) > _SENT + 1 else ""
