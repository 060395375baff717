"""What the strict profile minds of a message that can be read: its type, event, version, and that it names a patient."""

import re

from adapter.hl7.datatypes import identifiers
from adapter.hl7.er7 import Message, parse
from adapter.mapping.hl7_message import READ, kind_of, supported
from adapter.mapping.hl7_ties import READERS

VERSION = re.compile(r"2\.\d(\.\d)?", re.ASCII)


def minded(body: bytes, encoding: str) -> str | None:
    """A reason of `hl7/ack.py`, or None. The whole message is read, which costs its sender a little time."""
    message = parse(body, encoding)
    kind, event = kind_of(message)
    if not kind or not message.header.text(10):
        return None
    if kind not in READ:
        return "TYPE"
    if not supported(kind, event):
        return "EVENT"
    version = message.header.text(12)
    if version and not VERSION.fullmatch(version):
        return "VERSION"
    return _of_patient(message, event)


def _of_patient(message: Message, event: str) -> str | None:
    pid = message.first("PID")
    if pid is None or not identifiers(pid, 3):
        return "NO_PATIENT"
    return "NO_MRG" if event in READERS and message.first("MRG") is None else None
