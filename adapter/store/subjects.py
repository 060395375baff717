"""Of which trial a delivery speaks, by its subject: a candidate, by whatever id it went, or a screening number."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, or_, select

from adapter.store.identities import screening_ids
from adapter.store.schema import candidate_aliases, candidates, outbox


def of_trials(trials: Collection[str]) -> ColumnElement[bool]:
    """Each is looked up by its key."""
    subject, known = outbox.c.subject, candidates.c
    named = select(known.id).where(known.id == subject, known.trial.in_(trials))
    former = select(known.id).join(candidate_aliases, candidate_aliases.c.candidate == known.id)
    former = former.where(candidate_aliases.c.former == subject, known.trial.in_(trials))
    numbers = screening_ids.c
    numbered = select(numbers.screening_id).where(numbers.screening_id == subject, numbers.trial.in_(trials))
    return or_(*(one.correlate(outbox).exists() for one in (named, former, numbered)))
