"""A drug: given, stopped, only ordered or dispensed; what a message said of it, and what stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from adapter.domain.observation import BEGINNING, Original
from adapter.domain.quantity import Quantity


class AdministrationState(StrEnum):
    """`given` and `stopped` are facts (RAS); `ordered` and `dispensed` are context (RDE, RDS; decisions C5)."""

    ORDERED = "ordered"
    DISPENSED = "dispensed"
    GIVEN = "given"
    STOPPED = "stopped"
    NOT_GIVEN = "not-given"
    """Refused or held back (RXA-20 RE, NA)."""
    WITHDRAWN = "withdrawn"
    """Said by mistake (RXA-21 D)."""


RANK = {state: rank for rank, state in enumerate(AdministrationState)}
"""Between statements of one time: what takes back goes before what stands."""


@dataclass(frozen=True, slots=True)
class Administration:
    """One statement about one giving of a drug. `substance` is our word (mappings/codesets/substances.csv), `group` its kind.

    `rate` is per time and `dose` an amount, each in the UCUM unit it was told in: what needs a weight or a concentration
    is worked out by whoever has them. `route` is `iv oral sc im inhaled topical other` or empty.
    """

    identity: str
    substance: str
    group: str
    state: AdministrationState
    start: datetime
    original: Original
    message: str
    """Inbox id; provenance only."""
    end: datetime | None = None
    rate: Quantity | None = None
    dose: Quantity | None = None
    concentration: Quantity | None = None
    """Mass per volume, where the rate is a volume per time."""
    route: str = ""
    visit: str = ""
    sender_time: datetime | None = None
    digest: str = ""

    @property
    def at(self) -> datetime:
        return self.start

    @property
    def order(self) -> tuple[datetime, int, str]:
        """Of statements about one giving the last stands: by the sender's time, never by arrival."""
        return (self.sender_time or BEGINNING, RANK[self.state], self.digest)


def standing(statements: Iterable[Administration]) -> tuple[Administration, ...]:
    """The newest statement of each giving, less what was withdrawn or never given, by start and identity."""
    newest: dict[str, Administration] = {}
    for said in statements:
        known = newest.get(said.identity)
        if known is None or said.order > known.order:
            newest[said.identity] = said
    gone = {AdministrationState.WITHDRAWN, AdministrationState.NOT_GIVEN}
    kept = (said for said in newest.values() if said.state not in gone)
    return tuple(sorted(kept, key=lambda said: (said.start.astimezone(UTC), said.identity)))
