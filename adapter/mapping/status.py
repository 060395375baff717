"""HL7 tables 0085 and 0123: what a status letter says about a result (decisions C4)."""

from collections.abc import Mapping
from enum import StrEnum

from adapter.hl7.tables import ResultStatus as Letter


class Said(StrEnum):
    """What a reader does with the result."""

    __hash__ = str.__hash__  # every OBX asks; what an enumeration has of its own is a function in Python

    FINAL = "final"
    CORRECTED = "corrected"
    CONFIRMED = "confirmed"
    """Final; without a value it makes what was stored final (U, B, V)."""
    NOT_FINAL = "not-final"
    WITHDRAWN = "withdrawn"
    NOTHING = "nothing"
    """No value is meant (I, O, N)."""


OBSERVATION: Mapping[str, Said] = {
    Letter.FINAL: Said.FINAL,
    Letter.CORRECTED: Said.CORRECTED,
    Letter.AMENDED: Said.CORRECTED,
    Letter.FINAL_WITHOUT_RESEND: Said.CONFIRMED,
    Letter.APPENDED: Said.CONFIRMED,
    Letter.VERIFIED: Said.CONFIRMED,
    Letter.PRELIMINARY: Said.NOT_FINAL,
    Letter.NOT_VERIFIED: Said.NOT_FINAL,
    Letter.PARTIAL: Said.NOT_FINAL,
    Letter.DELETED: Said.WITHDRAWN,
    Letter.WRONG: Said.WITHDRAWN,
    Letter.CANNOT_BE_OBTAINED: Said.WITHDRAWN,
    Letter.PENDING: Said.NOTHING,
    Letter.ORDER_DETAIL: Said.NOTHING,
    Letter.NOT_ASKED: Said.NOTHING,
}
"""Table 0085 (OBX-11)."""

ORDER = {
    "F": Said.FINAL,
    "C": Said.CORRECTED,
    "P": Said.NOT_FINAL,
    "R": Said.NOT_FINAL,
    "A": Said.NOT_FINAL,
    "S": Said.NOTHING,
    "I": Said.NOTHING,
    "O": Said.NOTHING,
    "X": Said.NOTHING,
    "Y": Said.NOTHING,
    "Z": Said.NOTHING,
}
"""Table 0123 (OBR-25), where OBX-11 is silent."""


def said(observation: str, order: str) -> Said | None:
    """By OBX-11, else OBR-25; `None` where both are silent or unknown: such a result is never final."""
    letter = observation.strip().upper()
    if letter:
        return OBSERVATION.get(letter)
    return ORDER.get(order.strip().upper())
