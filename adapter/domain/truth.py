"""Three truths, because a missing answer is not a "no" (Kleene's strong logic)."""

from collections.abc import Iterable
from enum import StrEnum


class Truth(StrEnum):
    MET = "met"
    NOT_MET = "not-met"
    UNKNOWN = "unknown"


def all_of(truths: Iterable[Truth]) -> Truth:
    seen = set(truths)
    if Truth.NOT_MET in seen:
        return Truth.NOT_MET
    return Truth.UNKNOWN if Truth.UNKNOWN in seen else Truth.MET


def any_of(truths: Iterable[Truth]) -> Truth:
    seen = set(truths)
    if Truth.MET in seen:
        return Truth.MET
    return Truth.UNKNOWN if Truth.UNKNOWN in seen else Truth.NOT_MET


def negate(truth: Truth) -> Truth:
    return {Truth.MET: Truth.NOT_MET, Truth.NOT_MET: Truth.MET}.get(truth, Truth.UNKNOWN)
