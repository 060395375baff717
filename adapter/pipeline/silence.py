"""Who hears of a candidate whose trial is, or was, in shadow."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from adapter.domain.alert import AlertChange, AlertKind
from adapter.domain.patient import Decision
from adapter.domain.trial import ends_the_question
from adapter.pipeline.outgoing import NotifierOutlet, Outlet, SinkOutlet
from adapter.store.shadow import Span, in_shadow


@dataclass(frozen=True, slots=True)
class Silence:
    """`trials` are in shadow now, `spans` tells when each was."""

    trials: frozenset[str] = frozenset()
    spans: Mapping[str, Sequence[Span]] = field(default_factory=dict)

    def left(
        self,
        outlets: Sequence[Outlet],
        said: tuple[str, Sequence[Decision]],
        change: AlertChange | None,
        pushed: Collection[str],
    ) -> Sequence[Outlet]:
        """`said`: the trial, and what people decided of the candidate. In shadow only an EDC that knows the subject is owed news,
        which waits at the door. Once live nobody is told that a candidate was taken back of whom nobody was told.
        """
        trial, decisions = said
        if trial in self.trials:
            return [one for one in outlets if isinstance(one, SinkOutlet) and one.name in pushed]
        if change is None or change.kind is not AlertKind.WITHDRAWN or self._told(trial, change, decisions):
            return outlets
        return [one for one in outlets if not isinstance(one, NotifierOutlet)]

    def _told(self, trial: str, change: AlertChange, decisions: Sequence[Decision]) -> bool:
        """It appeared while the trial was live, or was among those of whom the message at going live told."""
        spans, raised = self.spans.get(trial, ()), change.alert.raised
        if not in_shadow(raised, spans):
            return True
        ends = (span.until for span in spans if span.until is not None and raised < span.until)
        return any(_waited(change, decisions, end) for end in ends)

    def held(self, trial: str, raised: datetime) -> bool:
        """Whether the trial went live after this."""
        return any(span.until is None or raised < span.until for span in self.spans.get(trial, ()))


def _waited(change: AlertChange, decisions: Sequence[Decision], at: datetime) -> bool:
    """Undecided and with time left, as `pipeline.shadow.standing_undecided` counts."""
    last = next((one for one in reversed(decisions) if one.at <= at), None)
    decided = last is not None and ends_the_question(last.status, with_reason=bool(last.reason))
    deadline = change.assessment.sepsis.deadline
    return not decided and (deadline is None or deadline > at)


SPOKEN = Silence()
"""Every trial is live, and always was."""
