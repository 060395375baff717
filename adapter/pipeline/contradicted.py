"""What of a message's results is odd only beside what was told before: it is added to what became of the message."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter

from adapter.domain.events import ObservationReceived
from adapter.domain.issue import Issue
from adapter.domain.observation import AFTER_CORRECTION, Observation, Result, ResultStatus
from adapter.domain.patient import PatientId, PatientState
from adapter.pipeline.steps import Read, Step
from adapter.store import inbox

TEXT = "a final result after a corrected one, with another value — ask the laboratory which one holds; the final one counts"
Ended = tuple[int, inbox.Ending]


def endings(read: Sequence[Read], steps: Sequence[Step]) -> list[Ended]:
    """By inbox id; `steps` hold what their results were joined to."""
    states = {record: step.outcome.state for step in steps for record in step.records}
    return [_ended(one, states) for one in read]


def _ended(read: Read, states: Mapping[PatientId, PatientState]) -> Ended:
    found = tuple(_issues(read, states))
    ending = replace(read.ending, issues=(*read.ending.issues, *found)) if found else read.ending
    return read.item.id, ending


def _issues(read: Read, states: Mapping[PatientId, PatientState]) -> Iterator[Issue]:
    for event in read.seen.events if read.seen else ():
        if isinstance(event, ObservationReceived) and (state := states.get(event.patient)) is not None:
            one = event.observation
            result = _joined(state.results.get(one.concept, ()), one)
            if result is not None and len(result.versions) > 1 and _made_so(result) == read.item.id:
                yield Issue(AFTER_CORRECTION, "OBX-11", TEXT, one.concept)


def _joined(results: Sequence[Result], one: Observation) -> Result | None:
    """The newest is looked at first: most news is of it. They stand in order of time and identity."""
    if results and results[-1].identity == one.identity:
        return results[-1]
    index = bisect_left(results, (one.effective, one.identity), key=attrgetter("at", "identity"))
    found = results[index] if index < len(results) else None
    return found if found is not None and found.identity == one.identity else None


def _made_so(result: Result) -> int | None:
    """The later of the two messages, of which each alone is nothing odd."""
    now = result.current
    if now is None or AFTER_CORRECTION not in now.flags:
        return None
    before = next(one for one in reversed(result.versions) if one.status is ResultStatus.CORRECTED)
    return max(int(now.message), int(before.message))
