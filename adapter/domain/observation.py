"""One measured thing, and every statement a source has made about it."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

from adapter.domain.quantity import Quantity

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
"""Stands for "the source said no time" in the order of versions: any stated time wins."""


class ResultStatus(StrEnum):
    """HL7 table 0085 folded into what a reader must know (decisions C4)."""

    __hash__ = str.__hash__  # every OBX asks; what an enumeration has of its own is a function in Python

    PRELIMINARY = "preliminary"
    FINAL = "final"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    PROMOTED = "promoted"
    """`U`: the stored preliminary is final now; carries no value of its own."""


class Laboratory(StrEnum):
    LOCAL = "local"
    CENTRAL = "central"


RANK = {
    ResultStatus.PRELIMINARY: 0,
    ResultStatus.PROMOTED: 1,
    ResultStatus.FINAL: 1,
    ResultStatus.CORRECTED: 2,
    ResultStatus.WITHDRAWN: 3,
}
"""P < F < C < X/D/W (decisions C1)."""

USABLE = frozenset({ResultStatus.FINAL, ResultStatus.CORRECTED})
"""Only these may drive a criterion (clinical 6.1, trap 1)."""


AFTER_CORRECTION = "final-after-correction"
"""A flag of the result, and the issue of the message that made it so."""


@dataclass(frozen=True, slots=True)
class Original:
    """The result as the source wrote it."""

    value: str
    unit: str
    code: str
    system: str


LONGEST_SHARED = 128
"""Characters of what was written, where it is one object for all who wrote the same."""


def written(value: str, unit: str, code: str, system: str) -> Original:
    """The same numbers in the same units come again and again, and stay with every result."""
    short = len(value) + len(unit) + len(code) + len(system) <= LONGEST_SHARED
    return (_shared if short else Original)(value, unit, code, system)


_shared = lru_cache(maxsize=4096)(Original)


@dataclass(frozen=True, slots=True)
class Observation:
    """One version of one result.

    `identity` names the result (decisions C1), `quantity` is exact in the concept's canonical unit, `native` the same
    number in the UCUM unit it was reported in, `code` the answer of a coded concept. `effective` is the clinically
    relevant time with the source's own offset; `specimen` is `arterial`, `venous`, `capillary`, `blood`, … or empty.
    """

    identity: str
    concept: str
    effective: datetime
    status: ResultStatus
    original: Original
    message: str
    """Inbox id of the message that said so; provenance only, never part of order or content."""
    quantity: Quantity | None = None
    native: Quantity | None = None
    code: str | None = None
    issued: datetime | None = None
    sender_time: datetime | None = None
    laboratory: Laboratory = Laboratory.LOCAL
    specimen: str = ""
    specimen_id: str = ""
    visit: str = ""
    flags: tuple[str, ...] = ()
    digest: str = field(default="", compare=False)
    """SHA-256 of the statement's content; the last tie-break, and what makes a resend recognisable."""

    @property
    def order(self) -> tuple[datetime, int, datetime, str]:
        """Version order (decisions C1): never arrival order, never the inbox id."""
        return (self.issued or BEGINNING, RANK[self.status], self.sender_time or BEGINNING, self.digest)


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """All statements about one measured thing, in version order; the join is their union.

    Whoever keeps results may give one that is taken apart when its `versions` are first asked for (`store.unread`); what the
    other properties here say is then known without that.
    """

    versions: tuple[Observation, ...]

    def __eq__(self, other: object) -> bool:
        return self.versions == other.versions if isinstance(other, Result) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.versions)

    @property
    def identity(self) -> str:
        return self.versions[0].identity

    @property
    def at(self) -> datetime:
        """The effective time of what stands, else of the last word."""
        return (_current(self.versions) or self.versions[-1]).effective

    @property
    def counts(self) -> bool:
        """Whether there is anything `usable`."""
        return self.usable is not None

    @property
    def current(self) -> Observation | None:
        """The newest statement with a value, `PROMOTED` applied; `None` once withdrawn."""
        return _current(self.versions)

    @property
    def usable(self) -> Observation | None:
        """`current`, if it is final or corrected."""
        now = _current(self.versions)
        return now if now is not None and now.status in USABLE else None


def _current(versions: tuple[Observation, ...]) -> Observation | None:
    last = versions[-1]
    if last.status is ResultStatus.WITHDRAWN:
        return None
    if last.status is not ResultStatus.PROMOTED:
        return last if len(versions) == 1 else _doubted(last, versions)
    for version in reversed(versions):
        if version.status is ResultStatus.WITHDRAWN:
            return None
        if version.status is not ResultStatus.PROMOTED:
            return (
                replace(version, status=ResultStatus.FINAL) if version.status is ResultStatus.PRELIMINARY else version
            )
    return None


def _doubted(last: Observation, versions: tuple[Observation, ...]) -> Observation:
    """A final word that says otherwise than a correction before it stands, and says so (decisions C1)."""
    if last.status is not ResultStatus.FINAL:
        return last
    before = next((one for one in reversed(versions) if one.status is ResultStatus.CORRECTED), None)
    if before is None or (before.quantity, before.native, before.code) == (last.quantity, last.native, last.code):
        return last
    return replace(last, flags=(*last.flags, AFTER_CORRECTION))


def joined(versions: tuple[Observation, ...], *new: Observation) -> tuple[Observation, ...]:
    """The union of statements. The same content said again keeps its newest sender time and its first-stored message.

    The very tuple it was given where nothing is new.
    """
    if not versions and len(new) == 1:
        return new
    known = {version.digest: version for version in versions}
    changed = False
    for one in new:
        said = known.get(one.digest)
        if said is not None and (one.sender_time or BEGINNING) <= (said.sender_time or BEGINNING):
            continue
        known[one.digest] = one if said is None else replace(said, sender_time=one.sender_time)
        changed = True
    return tuple(sorted(known.values(), key=lambda v: v.order)) if changed else versions
