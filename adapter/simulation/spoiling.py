"""Messages spoiled on their way: what a sender's bug or a broken line makes of a good one."""

from collections.abc import Callable
from random import Random

HEADER_LOST = 3
TYPE = 8
"""MSH-9 in a split at the separator."""


def spoiled(body: bytes, chance: Random) -> bytes:
    """One of four ways in which nobody can use it."""
    return chance.choice(WAYS)(body)


def _without_header(body: bytes) -> bytes:
    return body[HEADER_LOST:]


def _without_type(body: bytes) -> bytes:
    header, _, rest = body.partition(b"\r")
    fields = header.split(b"|")
    return b"|".join([*fields[:TYPE], b"", *fields[TYPE + 1 :]]) + b"\r" + rest


def _without_patient(body: bytes) -> bytes:
    return b"".join(line + b"\r" for line in body.split(b"\r") if line and not line.startswith(b"PID"))


def _in_markup(body: bytes) -> bytes:
    return b"<?xml version='1.0'?><HL7>" + body.replace(b"&", b"&amp;") + b"</HL7>"


WAYS: tuple[Callable[[bytes], bytes], ...] = (_without_header, _without_type, _without_patient, _in_markup)
