"""The coverage ledger: every OBX of a message ends in exactly one bucket, and the buckets add up."""

from dataclasses import dataclass, field
from enum import StrEnum


class Bucket(StrEnum):
    """In order of precedence after `USED` and `KNOWN_NOT_NEEDED` (decisions C7)."""

    __hash__ = str.__hash__  # every OBX asks; what an enumeration has of its own is a function in Python

    USED = "used"
    KNOWN_NOT_NEEDED = "known_not_needed"
    MESSAGE_NOT_USED = "message_not_used"
    WITHDRAWN = "withdrawn"
    STATUS_ONLY = "status_only"
    NOT_FINAL = "not_final"
    UNMAPPED_CODE = "unmapped_code"
    UNSUITABLE_SPECIMEN = "unsuitable_specimen"
    UNMAPPED_UNIT = "unmapped_unit"
    BAD_VALUE = "bad_value"


@dataclass(frozen=True, slots=True)
class Ledger:
    counts: dict[Bucket, int] = field(default_factory=dict)

    @property
    def observations(self) -> int:
        return sum(self.counts.values())

    def as_json(self) -> dict[str, int]:
        return {"observations": self.observations} | {str(bucket): self.counts.get(bucket, 0) for bucket in Bucket}


def ledger_of(buckets: "list[Bucket]") -> Ledger:
    counts: dict[Bucket, int] = {}
    for bucket in buckets:
        counts[bucket] = counts.get(bucket, 0) + 1
    return Ledger(counts)
