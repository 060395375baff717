"""Results that were told to an EDC and that the hospital has taken back since: they must not stand there as final."""

from collections.abc import Iterable, Iterator, Mapping

from adapter.domain.assessment import Evidence
from adapter.domain.observation import Observation, Result, ResultStatus
from adapter.domain.patient import PatientState
from adapter.fhir.bundle import observation_id
from adapter.fhir.codes import CONCEPTS
from adapter.pipeline.outgoing import Outlet, SinkOutlet
from adapter.store import outbox
from adapter.store.database import Snapshot


def taken_back(
    conn: Snapshot, state: PatientState, outlets: Iterable[Outlet], trial: str, subject: str
) -> Mapping[str, tuple[Evidence, ...]]:
    """By sink; `subject` is the screening number, empty where nothing was ever told."""
    sinks = [outlet for outlet in outlets if isinstance(outlet, SinkOutlet)] if subject else []
    withdrawn = tuple(_withdrawn(state)) if sinks else ()
    return {sink.name: _known(conn, sink, trial, subject, withdrawn) for sink in sinks} if withdrawn else {}


def _known(
    conn: Snapshot, sink: SinkOutlet, trial: str, subject: str, withdrawn: Iterable[Evidence]
) -> tuple[Evidence, ...]:
    names = ((one, observation_id(sink.context, trial, subject, one)) for one in withdrawn)
    return tuple(one for one, name in names if outbox.told(conn, sink.name, subject, name))


def _withdrawn(state: PatientState) -> Iterator[Evidence]:
    """Of what an EDC may be shown."""
    for concept in sorted(state.results.keys() & CONCEPTS.keys()):
        for result in state.results[concept]:
            last = result.versions[-1]
            if last.status is ResultStatus.WITHDRAWN and (said := _last_with_a_value(result)) is not None:
                yield Evidence(concept, "", "", said.effective, last.message, identity=result.identity)


def _last_with_a_value(result: Result) -> Observation | None:
    return next((one for one in reversed(result.versions) if one.quantity is not None or one.code is not None), None)
