"""`adapter explain`: an assessment made anew from the stored state, for a moment of one's choice."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapter.daemon.clock import utc_now
from adapter.daemon.rules import SECRET, load_rules
from adapter.domain.document import nearest
from adapter.domain.patient import PatientId
from adapter.eligibility.evaluate import assess
from adapter.errors import ConfigError
from adapter.pipeline.knots import state_of
from adapter.scoring.chart import chart_of
from adapter.screening.snapshot import explained
from adapter.settings import Settings
from adapter.store import screening_ids, worklist
from adapter.store.database import Database
from adapter.store.origins import with_origins
from adapter.store.secret import SiteSecret

PARTS = 3


@dataclass(frozen=True, slots=True)
class Question:
    """About whom: an id of ours, or `number` as SITE|AUTHORITY|NUMBER; of which trial; as of when."""

    known_as: str | None
    number: str | None
    trial: str | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True)
class _Subject:
    patient: PatientId
    trial: str | None
    episode: str | None
    called: str


def explanations(settings: Settings, database: Database, question: Question) -> list[dict[str, Any]]:
    """One `explain` object a trial; none for somebody unknown. Raises ConfigError for a question that is no question."""
    rules, at = load_rules(settings), utc_now() if question.at is None else moment_of(question.at, "--at")
    trials = {trial.id: trial for trial in rules.trials}
    if question.trial is not None and question.trial not in trials:
        raise ConfigError(f"no trial '{question.trial}' is configured{nearest(question.trial, trials)}")
    found = []
    for subject in _subjects(settings, database, question):
        with database.read() as conn:
            chart = chart_of(state_of(conn, subject.patient))
        if not chart.state.results and not chart.state.statements:
            continue
        for trial in trials.values():
            if subject.trial not in {None, trial.id} or question.trial not in {None, trial.id}:
                continue
            options = rules.scoring_options(chart.state.patient.site)
            seen = assess(trial, chart, at, options=options, rulebook=rules.digest, episode=subject.episode)
            told = explained(seen, chart, rules, known_as=subject.called)
            with database.read() as conn:
                found.append(with_origins(conn, told))
    return found


def looked_at(settings: Settings, database: Database, question: Question) -> list[str]:
    """Whom the question is about, by the worklist's ids: for the audit log, which knows no number of a hospital."""
    found: dict[str, None] = {}
    for subject in _subjects(settings, database, question):
        with database.read() as conn:
            rows = worklist.of_patient(conn, subject.patient)
        found |= dict.fromkeys(row.id for row in rows if {subject.trial, question.trial} <= {None, row.trial})
    return list(found)


def _subjects(settings: Settings, database: Database, question: Question) -> Iterator[_Subject]:
    if question.number is not None:
        parts = question.number.split("|")
        if len(parts) != PARTS:
            raise ConfigError("standard input: write SITE|AUTHORITY|NUMBER on one line")
        yield _Subject(PatientId(*parts), None, None, "")
        return
    known_as = question.known_as or ""
    with database.read() as conn:
        row = worklist.find(conn, known_as)
        if row is not None:
            yield _Subject(row.patient, row.trial, row.episode, known_as)
            return
        secret = settings.adapter.data / SECRET
        pair = screening_ids.resolve(conn, SiteSecret.load_or_create(secret), known_as) if secret.exists() else None
    if pair is not None:
        yield _Subject(pair[1], pair[0], None, known_as)


def moment_of(text: str, option: str) -> datetime:
    """A moment as a person writes it after `option`. Raises ConfigError saying how."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{option} {text}: write it as 2026-01-02T03:04:00+01:00") from None
    if at.tzinfo is None:
        raise ConfigError(f"{option} {text}: add the offset, for example {text}+01:00")
    return at
