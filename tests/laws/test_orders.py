"""Any arrival order and any repetition of the same messages ends in the same state, assessment, worklist and outbox."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.assets import load_rulebook
from adapter.domain.events import ClinicalEvent, RecordsTied
from adapter.domain.message import RawMessage
from adapter.domain.overlay import POSSIBLE_OVERLAY
from adapter.domain.patient import PatientId, PatientState
from adapter.domain.persons import knot_of
from adapter.domain.ties import Tie
from adapter.eligibility.explain import as_json
from adapter.fhir.bundle import BundleContext, DecisionEvent, candidate_bundle
from adapter.fhir.calendar import Dates
from adapter.fhir.subject import Study
from adapter.pipeline.outgoing import PushWhen, SinkOutlet
from adapter.pipeline.steps import Step, Turn
from adapter.scoring.chart import Chart
from adapter.screening.interpret import interpret
from adapter.screening.lives import is_known, lives
from adapter.screening.rulebook import Rulebook
from adapter.screening.screen import Alerts, screen
from adapter.screening.snapshot import as_decided
from adapter.screening.state import apply_all
from adapter.store import inbox, projections, worklist
from adapter.store.candidate_rows import CandidateRow
from tests.admissions import START, admission, orders
from tests.walking import House, open_house

ADMISSIONS = 40
SHUFFLES = 20_000 if os.environ.get("CI") else 2_000
LOOKED = 4
"""Shuffles of each admission whose final state is assessed from nothing, too; of the first each message is screened."""
NOW = START + timedelta(hours=6)


@cache
def rules() -> Rulebook:
    return load_rulebook(None, trials=["immunosep-demo"])


@dataclass
class Said:
    """What each message says, read once."""

    events: dict[int, tuple[ClinicalEvent, ...]] = field(default_factory=dict)

    def of(self, message: RawMessage) -> tuple[ClinicalEvent, ...]:
        """By the message's own place in memory: an admission keeps its messages."""
        if id(message) not in self.events:
            self.events[id(message)] = interpret(message, rules(), message_id="1").events
        return self.events[id(message)]


@dataclass
class People:
    """What the processor does with records and what ties them, without a store."""

    records: dict[PatientId, PatientState] = field(default_factory=dict)
    ties: set[Tie] = field(default_factory=set)

    def tell(self, events: Iterable[ClinicalEvent]) -> set[PatientId]:
        """The records spoken of."""
        said: dict[PatientId, list[ClinicalEvent]] = {}
        for event in events:
            if isinstance(event, RecordsTied):
                self.ties.add(event.tie)
            said.setdefault(event.patient, []).append(event)
        for record, told in said.items():
            self.records[record] = apply_all(self.records.get(record) or PatientState(record), told)
        return set(said)

    @property
    def states(self) -> dict[PatientId, PatientState]:
        """By person: of everybody of whom anything is known."""
        knot = knot_of(self.records, self.ties)
        return {name: state for name, state in lives(knot, self.records).items() if is_known(state)}


def told(said: Said, messages: list[RawMessage], batch: int) -> People:
    people = People()
    for first in range(0, len(messages), batch):
        people.tell(event for message in messages[first : first + batch] for event in said.of(message))
    return people


def fingerprint(people: People) -> tuple[object, ...]:
    """All of every state in its own order, but for the message that said it."""
    return tuple(state_print(state) for _, state in sorted(people.states.items()))


def state_print(state: PatientState) -> tuple[object, ...]:
    results = tuple(
        (concept, tuple((v.digest, text(v.sender_time)) for result in known for v in result.versions))
        for concept, known in sorted(state.results.items())
    )
    fields = sorted((name, s.value, text(s.at), s.digest) for name, s in state.demographics.fields.items())
    visits = tuple((s.digest, text(s.sender_time)) for s in state.statements)
    acts = tuple(one.digest for one in (*state.determinations, *state.decisions))
    return (state.patient, results, tuple(fields), visits, acts)


def text(at: Any) -> str:
    return "" if at is None else at.isoformat()


def assessments(state: PatientState | Chart, alerts: Alerts) -> tuple[str, ...]:
    outcome = screen(state, (), rules(), alerts=alerts, now=NOW)
    return tuple(
        json.dumps(as_json(one.assessment, patient="x", software=""), sort_keys=True) for one in outcome.judgements
    )


def stepped(said: Said, messages: list[RawMessage]) -> tuple[object, ...]:
    """Each message screened as it comes, the chart of the last step serving the next."""
    people, charts = People(), dict[PatientId, Chart]()
    for message in messages:
        people.tell(said.of(message))
        for patient, state in people.states.items():
            known = charts.get(patient)
            chart = Chart(state) if known is None else known.followed_by(state)
            screen(chart, (), rules(), alerts={}, now=NOW)
            charts[patient] = chart
    return tuple(assessments(charts[patient], {}) for patient in sorted(people.states))


def seen(people: People) -> tuple[object, ...]:
    return tuple(assessments(state, {}) for _, state in sorted(people.states.items()))


@pytest.mark.parametrize("seed", range(ADMISSIONS))
def test_every_order_of_an_admission_ends_in_the_same_state_and_assessment(seed: int) -> None:
    random, said = Random(seed), Said()
    messages = admission(random)
    people = told(said, messages, 1)
    state, verdicts = fingerprint(people), seen(people)
    for number, order in enumerate(orders(random, messages, SHUFFLES // ADMISSIONS)):
        again = told(said, order, random.choice((1, 5, 20)))
        assert fingerprint(again) == state, f"admission {seed}, shuffle {number}"
        if number < LOOKED:
            assert seen(again) == verdicts
        if number == 0:
            assert stepped(said, order) == verdicts


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_no_admission_that_hypothesis_makes_up_depends_on_its_order(random: Random) -> None:
    said = Said()
    messages = admission(random)
    one = told(said, messages, 1)
    (order,) = orders(random, messages, 1)
    again = told(said, order, random.choice((1, 7)))
    assert fingerprint(again) == fingerprint(one)
    assert seen(again) == seen(one)


# --- through the real store ------------------------------------------------------------------------------------------

EDC = SinkOutlet("edc", PushWhen.CANDIDATE, BundleContext(b"0" * 32, Dates.EXACT, "test", Study("s", "NCT")))
PROVENANCE = re.compile(r'"message": ?"\d*"')


@dataclass(frozen=True)
class End:
    """What a house holds when everything has been told; inbox ids left out."""

    state: tuple[str, ...]
    worklist: tuple[str, ...]
    watching: int
    bundles: tuple[tuple[str, str], ...]
    """Of a subject that is shown: all that its newest bundle tells, and thus what the EDC ends with."""
    snapshots: tuple[str, ...] = ()
    """What a bundle made now would tell."""
    untold: int = 0
    """Most episodes a trial has of which nobody was told and which nobody touched: the present one at most."""


def end_of(house: House) -> End:
    with house.database.read() as conn:
        lines = [line.replace('\\"', '"') for line in projections.lines(conn) if not line.startswith('["candidates"')]
        listed = worklist.listing(conn)
        rows = [row for row in listed if row.shown or row.standing]
        watching = worklist.watching_count(conn)
        newest = conn.exec_driver_sql("SELECT subject, payload FROM outbox WHERE outlet = 'edc' ORDER BY id")
        owed = {row.subject: content(json.loads(row.payload)) for row in newest}
        bundles = tuple(sorted(owed.items())) if any(row.shown and row.status != "declined" for row in rows) else ()
    state = tuple(sorted(PROVENANCE.sub('"message":""', line) for line in lines if not line.startswith('["ties"')))
    silent = Counter(row.trial for row in listed if row.raised is None and not row.status)
    untold = max(silent.values(), default=0)
    return End(state, tuple(told_of(row) for row in rows), watching, bundles, untold=untold)


def content(bundle: dict[str, Any]) -> str:
    """Everything but when it was told and by which message, which is history (reliability P4)."""
    said = [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] != "Provenance"]
    return json.dumps([{k: v for k, v in one.items() if k != "period"} for one in said], sort_keys=True)


def snapshot(step: Step) -> str:
    assessment = as_decided(step.outcome.judgements[-1].assessment, step.outcome.chart, rules())
    event = DecisionEvent("updated")
    return content(candidate_bundle(assessment, screening_id="S1", context=EDC.context, event=event))


def told_of(row: CandidateRow) -> str:
    """A row without the life of its alert, which is what happened and may differ (reliability P4)."""
    alert = {"raised": None, "changed": None, "sequence": 0, "decided_sequence": 0}
    return PROVENANCE.sub('"message":""', json.dumps(asdict(replace(row, **alert)), sort_keys=True, default=str))


def on_both(sqlite: int, postgresql: int) -> pytest.MarkDecorator:
    """So many seeds on each store; a database server takes longer for the same."""
    cases = [("sqlite", seed) for seed in range(sqlite)] + [("postgresql", seed) for seed in range(postgresql)]
    return pytest.mark.parametrize(("each_store", "seed"), cases, indirect=["each_store"])


@on_both(20, 6)
def test_the_store_ends_alike_too(each_store: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without merges, so that one person has one number whatever came first."""
    monkeypatch.setattr("adapter.store.screening_ids.new_screening_id", lambda: "S000000001")
    random = Random(1000 + seed)
    messages = admission(random, merges=False)
    ends = [end_in_store(tmp_path / str(n), order, random) for n, order in enumerate(orders(random, messages, 3))]
    assert all(end.untold <= 1 for end in ends)
    if any(POSSIBLE_OVERLAY in row for row in ends[0].worklist):
        # Nothing leaves while it is doubted who it is: what left before is what was told by then.
        ends = [replace(end, bundles=ends[0].bundles) for end in ends]
    for end in ends[1:]:
        assert replace(end, untold=0) == replace(ends[0], untold=0)


@on_both(12, 4)
def test_the_store_ends_alike_with_merges(each_store: str, seed: int, tmp_path: Path) -> None:
    """Who is one person, what is known of them and what is shown; two numbers for one person wait for a person (P9)."""
    random = Random(2000 + seed)
    messages = admission(random)
    ends = [end_in_store(tmp_path / str(n), order, random) for n, order in enumerate(orders(random, messages, 3))]
    for end in ends[1:]:
        assert end.state == ends[0].state
        assert [unnumbered(row) for row in end.worklist] == [unnumbered(row) for row in ends[0].worklist]
        assert (end.watching, end.snapshots) == (ends[0].watching, ends[0].snapshots)


def unnumbered(row: str) -> str:
    said = json.loads(row)
    said["assessment"].pop("screening_ids", None)
    return json.dumps(said)


def end_in_store(folder: Path, order: list[RawMessage], random: Random) -> End:
    folder.mkdir()
    (folder / "secret.key").write_bytes(b"k" * 32)
    (folder / "secret.key").chmod(0o400)
    house = open_house(folder, outlets=(EDC,))
    house.now = NOW - timedelta(seconds=len(order))
    batch = random.choice((1, 5, 20))
    for first in range(0, len(order), batch):
        with house.database.write() as tx:
            inbox.put_many(tx, order[first : first + batch])
        house.work()
        house.now += timedelta(seconds=batch) / 2
    house.now = NOW
    with house.database.read() as conn:
        alone, tied = projections.people(conn)
    for _ in range(2):  # the second look no longer asks about what the first one took back
        steps = house.processor._steps_of([*alone, *tied], NOW)
        house.processor._write((), steps, Turn(NOW, rules()))
    shown = (step for step in steps if step.outcome.judgements[-1].assessment.shown)
    end = replace(end_of(house), snapshots=tuple(map(snapshot, shown)))
    house.database.close()
    return end
