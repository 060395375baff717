"""Who hears of a candidate whose trial is, or was, in shadow."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from adapter.domain.alert import AlertChange, AlertKind
from adapter.pipeline.outgoing import NotifierOutlet, Outlet, SinkOutlet
from adapter.store.shadow import Span, in_shadow


@dataclass(frozen=True, slots=True)
class Silence:
    """`trials` are in shadow now, `spans` tells when each was."""

    trials: frozenset[str] = frozenset()
    spans: Mapping[str, Sequence[Span]] = field(default_factory=dict)

    def left(
        self, outlets: Sequence[Outlet], trial: str, change: AlertChange | None, pushed: Collection[str]
    ) -> Sequence[Outlet]:
        """In shadow only an EDC that knows the subject is owed news, which waits at the door. Once live nobody is told that a
        candidate was taken back who appeared in shadow: of that one nobody was told.
        """
        if trial in self.trials:
            return [one for one in outlets if isinstance(one, SinkOutlet) and one.name in pushed]
        if change is None or change.kind is not AlertKind.WITHDRAWN:
            return outlets
        dark = in_shadow(change.alert.raised, self.spans.get(trial, ()))
        return [one for one in outlets if not (dark and isinstance(one, NotifierOutlet))]

    def held(self, trial: str, raised: datetime) -> bool:
        """Whether the trial went live after this."""
        return any(span.until is None or raised < span.until for span in self.spans.get(trial, ()))


SPOKEN = Silence()
"""Every trial is live, and always was."""
