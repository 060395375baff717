"""Whether somebody takes part in a trial, and what an EDC was sent of them: their file is not ours alone to erase."""

from collections.abc import Sequence

from sqlalchemy import Connection, exists, or_, select, union

from adapter.domain.trial import CONSENTED, ON_STUDY
from adapter.store.outbox import DELIVERED, SNAPSHOT
from adapter.store.schema import candidate_history, candidates, outbox, outbox_remotes

TAKES_PART = (CONSENTED, ON_STUDY)


def takes_part(conn: Connection, ids: Sequence[str]) -> bool:
    """Or did once: who left keeps a file too."""
    line = candidate_history.c
    now = exists().where(candidates.c.id.in_(ids), candidates.c.status.in_(TAKES_PART))
    once = exists().where(line.candidate.in_(ids), line.kind == "status", line.text.in_(TAKES_PART))
    return bool(conn.execute(select(or_(now, once))).scalar_one())


def pushed(conn: Connection, numbers: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """(outlet, screening number) of whatever went out, or may have gone."""
    sent = select(outbox.c.outlet, outbox.c.subject).where(
        outbox.c.subject.in_(numbers),
        outbox.c.kind == SNAPSHOT,
        or_(outbox.c.state == DELIVERED, outbox.c.attempts > 0),
    )
    held = select(outbox_remotes.c.outlet, outbox_remotes.c.subject).where(outbox_remotes.c.subject.in_(numbers))
    return tuple(sorted((row[0], row[1]) for row in conn.execute(union(sent, held))))
