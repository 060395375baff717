"""A diagnosis or problem as messages state it; a code is never proof, and its absence never proof of absence."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from adapter.domain.observation import BEGINNING


class ConditionStatus(StrEnum):
    """FHIR's clinical and verification status folded into what a screener must know."""

    SUSPECTED = "suspected"
    """Somebody thinks of it: unconfirmed, provisional, differential."""
    ACTIVE = "active"
    RESOLVED = "resolved"
    REFUTED = "refuted"
    """Ruled out, or entered in error."""


RANK = {status: rank for rank, status in enumerate(ConditionStatus)}


@dataclass(frozen=True, slots=True)
class Condition:
    """One statement. `system` is `icd-10`, `icd-9`, `snomed-ct`, … or the sender's own word; free text is not kept."""

    identity: str
    system: str
    code: str
    status: ConditionStatus
    at: datetime
    """When it began or was recorded (DG1-5, PRB-7, PRB-2, else the message)."""
    message: str
    """Inbox id; provenance only."""
    kind: str = ""
    """`admitting`, `working`, `final` (table 0052) or `problem`."""
    visit: str = ""
    sender_time: datetime | None = None
    digest: str = ""

    @property
    def order(self) -> tuple[datetime, int, str]:
        """As `Administration.order`."""
        return (self.sender_time or BEGINNING, RANK[self.status], self.digest)


def standing(statements: Iterable[Condition]) -> tuple[Condition, ...]:
    """The newest statement of each condition, refuted ones too: a reader must see that it was ruled out."""
    newest: dict[str, Condition] = {}
    for said in statements:
        known = newest.get(said.identity)
        if known is None or said.order > known.order:
            newest[said.identity] = said
    return tuple(sorted(newest.values(), key=lambda said: (said.at.astimezone(UTC), said.identity)))
