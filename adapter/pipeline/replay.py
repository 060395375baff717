"""Everything told once more: the inbox into a second store, everybody assessed at the end, and what that would change.

The same reader, processor and keeper as in daily life, without outlets: nothing is owed to anybody. Telling needs no
verdicts, so it is done without trials; each person is then assessed once (docs/adr/0016).
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from adapter.domain.assessment import Assessment
from adapter.domain.patient import PatientId, PatientState
from adapter.domain.persons import Knot
from adapter.eligibility.evaluate import assess
from adapter.pipeline.keep import Keeper, Prepared
from adapter.pipeline.knots import state_of
from adapter.pipeline.process import TRIES, Processor
from adapter.screening.lives import is_known
from adapter.screening.rulebook import Rulebook
from adapter.screening.screen import Alerts, Judgement, Outcome, screen
from adapter.store import emptied, outcomes, patients, projections, worklist
from adapter.store.candidate_rows import CandidateRow
from adapter.store.database import Database
from adapter.store.inbox import Item
from adapter.store.projections import Span
from adapter.store.secret import SiteSecret

RUN = 500
"""Messages told, or persons kept, in one transaction."""

ALL = Span()


@dataclass(frozen=True, slots=True)
class Finding:
    """What is to be compared of a candidate."""

    verdict: str
    stratum: str
    shown: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """An episode that is judged otherwise: `before` or `now` is empty where only the other knows it.

    `criteria` are (id, answer before, answer now), `rulebook` the digests behind the two.
    """

    candidate: str
    trial: str
    before: Finding | None
    now: Finding | None
    criteria: tuple[tuple[str, str, str], ...]
    rulebook: tuple[str, str]

    def as_json(self) -> dict[str, Any]:
        return {
            "candidate": self.candidate,
            "trial": self.trial,
            "old": _finding_json(self.before),
            "new": _finding_json(self.now),
            "criteria": [{"id": i, "old": before, "new": now} for i, before, now in self.criteria],
            "rulebook": {"old": self.rulebook[0], "new": self.rulebook[1]},
        }


def _finding_json(finding: Finding | None) -> dict[str, Any] | None:
    if finding is None:
        return None
    return {"verdict": finding.verdict, "stratum": finding.stratum, "shown": finding.shown}


@dataclass(slots=True)
class Replay:
    """`live` is only read; `second` is an empty store for this purpose. `now` is the clinical now at the end.

    `rules` are those to replay under; `standing` those behind the live worklist.
    """

    live: Database
    second: Database
    rules: Rulebook
    standing: Rulebook
    secret: SiteSecret
    now: datetime
    _keeper: Keeper = field(init=False)

    def __post_init__(self) -> None:
        self._keeper = Keeper(self.second, self.rules, self.secret, (), "")

    def tell(self, span: Span = ALL) -> int:
        """Every message that has ended, in the order it was stored; how many. State and merges follow, no verdict yet."""
        silent = replace(self.rules, trials=())
        processor = Processor(
            self.second, silent, Keeper(self.second, silent, self.secret, (), ""), self._clock, _nobody
        )
        processor.eraser.files = self.live
        with self.live.read() as conn, self.second.write() as tx:
            if span.since is not None:
                projections.seed_state(conn, tx, span)
            projections.seed_erased(conn, tx, whole=span.since is None)
        told, last = 0, 0
        while True:
            with self.live.read() as conn:
                items = projections.told(conn, span, last, RUN)
            if not items:
                return told
            with self.second.write() as tx:
                projections.admit(tx, items)
            self._carry(processor, items)
            told, last = told + len(items), items[-1].id

    def _carry(self, processor: Processor, items: Sequence[Item]) -> None:
        """Until none of them waits, or nothing comes of it any more: one that takes a person out ends alone, the others after it."""
        left, tries = list(items), TRIES
        while left and tries:
            processor.carry(left)
            with self.second.read() as conn:
                waiting = projections.waiting(conn)
            before, left = len(left), [item for item in left if item.id in waiting]
            tries = tries - 1 if len(left) == before else TRIES

    def judge(self) -> None:
        """The worklist of the second store: what people were told is carried over, every episode assessed anew.

        Nobody is told here: where an alert is due, the candidate is due for review, and the daemon tells.
        """
        with self.live.read() as conn, self.second.write() as tx:
            projections.seed_worklist(conn, tx)
        with self.second.read() as conn:
            alone, tied = projections.people(conn)
        for first in range(0, len(alone), RUN):
            self._keep([self._judged(person) for person in alone[first : first + RUN]])
        for knot in self._keeper.knots(tied, ()):
            self._keep(self._judged_together(knot))

    def differences(self) -> list[Difference]:
        """Live worklist against that of the second store, by trial and candidate."""
        with self.live.read() as conn:
            before = {row.id: row for row in worklist.listing(conn)}
        with self.second.read() as conn:
            now = {row.id: row for row in worklist.listing(conn)}
        found = [self._difference(before.get(one), now.get(one)) for one in sorted(before.keys() | now.keys())]
        return sorted((one for one in found if one is not None), key=lambda d: (d.trial, d.candidate))

    def turns(self) -> list[outcomes.Turn]:
        """Messages that now end otherwise."""
        with self.live.read() as ours, self.second.read() as theirs:
            pairs = (outcomes.turn_of(*pair) for pair in outcomes.turned(ours, theirs))
            return [turn for turn in pairs if turn.before != turn.now]

    def shifts(self) -> dict[str, int]:
        """By how much each line of the ledger changes."""
        found: Counter[str] = Counter()
        with self.live.read() as ours, self.second.read() as theirs:
            for before, now in outcomes.turned(ours, theirs):
                found.update(json.loads(now["ledger"] or "{}"))
                found.subtract(json.loads(before["ledger"] or "{}"))
        return {line: change for line, change in found.items() if change}

    def _clock(self) -> datetime:
        return self.now

    def _keep(self, judged: Iterable[Prepared]) -> None:
        kept = list(judged)
        with self.second.write() as tx:
            self._keeper.keep(tx, kept, self.now)

    def _judged(self, person: PatientId) -> Prepared:
        with self.second.read() as conn:
            state, alerts = patients.load(conn, person), worklist.alerts(conn, person)
        return self._keeper.prepare(self._outcome(state, alerts), None, "")

    def _judged_together(self, knot: Knot) -> Iterator[Prepared]:
        found = self._keeper.knotted(knot, (), ())
        for life in found.lives:
            yield self._keeper.prepare(self._outcome(life.state, life.alerts), None, "", found)

    def _outcome(self, state: PatientState, alerts: Alerts) -> Outcome:
        outcome = screen(state, (), self.rules, alerts=alerts, now=self.now)
        judged = [
            j for j in outcome.judgements if is_known(state) or (j.assessment.trial, j.assessment.episode) in alerts
        ]
        return replace(outcome, judgements=tuple(self._untold(one) for one in judged))

    def _untold(self, judgement: Judgement) -> Judgement:
        if judgement.change is None:
            return judgement
        return replace(judgement, change=None, assessment=replace(judgement.assessment, review_at=self.now))

    def _difference(self, before: CandidateRow | None, now: CandidateRow | None) -> Difference | None:
        old, new = _finding_of(before), _finding_of(now)
        row = now or before
        if old == new or row is None:
            return None
        was = self._answers(self.live, self.standing, before)
        found = self._answers(self.second, self.rules, now)
        criteria = tuple((i, was.get(i, ""), found.get(i, "")) for i in {**was, **found} if was.get(i) != found.get(i))
        rulebook = before.assessment.get("rulebook", self.standing.digest) if before else self.standing.digest
        return Difference(row.id, row.trial, old, new, criteria, (rulebook, self.rules.digest))

    def _answers(self, store: Database, rules: Rulebook, row: CandidateRow | None) -> Mapping[str, str]:
        """By criterion; made anew where the row does not keep them, because nobody was ever told."""
        if row is None:
            return {}
        if row.assessment:
            return {criterion["id"]: criterion["answer"] for criterion in row.assessment["criteria"]}
        with store.read() as conn:
            state = state_of(conn, row.patient)
        return {c.id: str(c.answer) for one in _again(state, rules, row) for c in one.criteria}


def _again(state: PatientState, rules: Rulebook, row: CandidateRow) -> Iterator[Assessment]:
    options = rules.scoring_options(state.patient.site)
    for trial in rules.trials:
        if trial.id == row.trial:
            yield assess(trial, state, row.evaluated_at, options=options, rulebook=rules.digest, episode=row.episode)


def take_over(replay: Replay) -> int:
    """The projections and outcomes of the second store become ours, in one transaction; how many persons are known.

    Audit, outbox, linkage, accounts and the inbox itself stay as they are.
    """
    with replay.second.read() as theirs, replay.live.write() as tx:
        projections.replace_all(theirs, tx)
        outcomes.take_over(tx, theirs, replay.now)
        emptied.empty(tx, emptied.unnoted(tx), (emptied.OPTED_OUT, replay.now))
        return projections.count(tx)


def _finding_of(row: CandidateRow | None) -> Finding | None:
    return None if row is None else Finding(row.verdict, row.stratum, row.shown)


def _nobody() -> None:
    """Nothing is owed."""
