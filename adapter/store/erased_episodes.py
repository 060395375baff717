"""What the screening log goes on counting of people who were erased: verdicts and answers, by days, without identifiers."""

import json
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, and_, distinct, func, insert, or_, select

from adapter.store.accounts import Scope
from adapter.store.codec import canonical, read_decision, read_demographics
from adapter.store.erased import erased_episodes
from adapter.store.schema import candidate_history, candidates, patients, statements

OTHER = "other"
DAY = len("2026-01-31")
MIDNIGHT = "T00:00:00.000000+00:00"
SAME = ("trial", "verdict", "certainty", "stratum", "status", "standing")
LISTED = or_(candidates.c.raised.is_not(None), candidates.c.status != "")
"""As the screening log lists them: people were told, or acted."""


class Theirs(Protocol):
    """`reasons` are the codes of the trials: whatever else a person wrote may name somebody."""

    @property
    def keys(self) -> tuple[int, ...]: ...
    @property
    def reasons(self) -> frozenset[str]: ...


def keep(tx: Connection, whom: Theirs) -> int:
    """Before the candidates go."""
    wanted = select(candidates, patients.c.site, patients.c.demographics, LISTED.label("listed"))
    joined = wanted.join(patients, patients.c.key == candidates.c.patient).where(candidates.c.patient.in_(whom.keys))
    person, found = secrets.token_hex(8), list(tx.execute(joined.order_by(candidates.c.id)).mappings())
    rows = [_row(tx, row, person, whom.reasons) for row in found]
    if rows:
        tx.execute(insert(erased_episodes), rows)
    return len(rows)


def _row(tx: Connection, row: Any, person: str, reasons: frozenset[str]) -> dict[str, object]:
    told = candidate_history.c
    first = select(told.at, told.verdict).where(told.candidate == row["id"], told.kind == "raised")
    raised = tx.execute(first.order_by(told.at, told.id).limit(1)).first()
    flagged = raised.at if raised else row["raised"]
    return {
        **{name: row[name] for name in (*SAME, "site")},
        "id": secrets.token_hex(10),
        "person": person,
        "sex": read_demographics(row["demographics"]).get("sex"),
        "flag": raised.verdict if raised else "",
        "listed": int(bool(row["listed"])),
        "flagged": day(flagged),
        "said": canonical(
            _said(json.loads(row["assessment"]) or {}) | {"decisions": list(_decisions(tx, row, reasons))}
        ),
    }


def day(instant: str | None) -> str | None:
    return None if instant is None else instant[:DAY] + MIDNIGHT


def _said(assessment: Any) -> dict[str, object]:
    """Whether somebody answered a criterion, not who."""
    sofa = assessment.get("sofa")
    answers = [
        [one["id"], one["kind"], one["answer"], bool(one.get("determined_by"))]
        for one in assessment.get("criteria") or ()
    ]
    return {
        "answers": answers,
        "sofa": [sofa["low"], sofa["high"]] if sofa else None,
        "flags": sorted(assessment.get("flags") or ()),
    }


def _decisions(tx: Connection, row: Any, reasons: frozenset[str]) -> Iterator[list[str]]:
    """Status, reason code and day: no free text, nobody's name."""
    mine = (statements.c.patient == row["patient"], statements.c.kind == "decision")
    found = [read_decision(body) for body in tx.execute(select(statements.c.body).where(*mine)).scalars()]
    for one in sorted(found, key=lambda one: (one.at, one.digest)):
        if (one.trial, one.episode) == (row["trial"], row["episode"]):
            yield [one.status, one.reason if one.reason in reasons else OTHER * bool(one.reason), _midnight(one.at)]


def _midnight(at: datetime) -> str:
    return at.date().isoformat() + MIDNIGHT


def rows(conn: Connection, trial: str) -> list[Any]:
    """Those that the screening log lists, in order of their days."""
    ours = and_(erased_episodes.c.trial == trial, erased_episodes.c.listed == 1)
    order = (erased_episodes.c.flagged, erased_episodes.c.id)
    return list(conn.execute(select(erased_episodes).where(ours).order_by(*order)))


def counted(conn: Connection, trial: str, scope: Scope) -> tuple[int, int, dict[str, int]]:
    """Episodes, persons, and the verdicts of those of whom nobody was told."""
    if not (scope.trials is None or trial in scope.trials):
        return 0, 0, {}
    known = erased_episodes.c
    ours = and_(known.trial == trial, *([] if scope.sites is None else [known.site.in_(scope.sites)]))
    episodes, people = conn.execute(select(func.count(), func.count(distinct(known.person))).where(ours)).one()
    verdicts = select(known.verdict, func.count()).where(ours, known.listed == 0).group_by(known.verdict)
    return episodes, people, {row[0]: row[1] for row in conn.execute(verdicts)}
