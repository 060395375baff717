"""The screening log as the store holds it: every episode that people were told of or acted on, and what became of it."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, distinct, func, or_, select, text

from adapter.domain.patient import Decision, PatientId
from adapter.store import codec, erased_episodes
from adapter.store.accounts import EVERYWHERE, Scope
from adapter.store.candidate_rows import rows
from adapter.store.schema import (
    VIEWED,
    audit,
    candidate_aliases,
    candidate_history,
    candidates,
    patients,
    statements,
)
from adapter.store.streaming import mapped
from adapter.store.within import within

_LISTED = or_(candidates.c.raised.is_not(None), candidates.c.status != "")
Json = Mapping[str, Any]
SOMEBODY = "-"
"""Who answered, where their name was erased too."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What stands of one criterion; `by` is the person who answered, empty where the record did."""

    id: str
    kind: str
    answer: str
    by: str


@dataclass(frozen=True, slots=True)
class Logged:
    """One episode under one trial. `flagged` is when people were told first, `flag` the verdict then, `seen` when a person
    first opened it; `tied`: the person has several records, so that `decisions` are not all that was decided.
    """

    id: str
    patient: PatientId
    trial: str
    episode: str
    verdict: str
    certainty: str
    stratum: str
    status: str
    standing: bool
    ward: str
    bed: str
    family: str
    given: str
    birth_date: str
    sex: str
    tied: bool
    flagged: datetime | None
    flag: str
    seen: datetime | None
    onset: datetime | None
    sofa: tuple[int, int] | None
    answers: tuple[Answered, ...] = ()
    flags: frozenset[str] = frozenset()
    in_doubt: bool = False
    """It is not known who this is, or which number is theirs."""
    decisions: tuple[Decision, ...] = field(default=())
    """Oldest first."""
    erased: bool = False
    """Nobody knows any more who it was; days stand for moments."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Everybody the rules looked at: episodes and patients, and the verdicts of those of whom nobody was told."""

    episodes: int
    patients: int
    untold: Mapping[str, int]


def judged(conn: Connection, trial: str, scope: Scope = EVERYWHERE) -> Judged:
    of_trial = and_(candidates.c.trial == trial, *within(scope))
    episodes, people = conn.execute(
        select(func.count(), func.count(distinct(candidates.c.patient))).where(of_trial)
    ).one()
    counted = select(candidates.c.verdict, func.count()).where(of_trial, ~_LISTED).group_by(candidates.c.verdict)
    untold = Counter({row[0]: row[1] for row in conn.execute(counted)})
    more, others, verdicts = erased_episodes.counted(conn, trial, scope)
    untold.update(verdicts)
    return Judged(episodes + more, people + others, untold)


@dataclass(slots=True)
class Known:
    """What assessments said when they were read last, by candidate, with the hash of their text: most have not changed."""

    said: dict[str, tuple[int, "Said"]] = field(default_factory=dict)


class Said(NamedTuple):
    """As much of an assessment as the log tells."""

    onset: datetime | None
    sofa: tuple[int, int] | None
    answers: tuple[Answered, ...]
    flags: frozenset[str]
    in_doubt: bool


def listing(conn: Connection, trial: str, known: Known | None = None) -> list[Logged]:
    """In the order in which people were told."""
    told = _Told(_first_told(conn, trial), _seen(conn), _decisions(conn, trial), known or Known())
    wanted = rows().add_columns(patients.c.demographics, patients.c.knot)
    found = [_logged(row, told) for row in mapped(conn, wanted.where(candidates.c.trial == trial, _LISTED))]
    if known is not None:
        known.said = {one.id: known.said[one.id] for one in found}
    found += [_nobodys(row) for row in erased_episodes.rows(conn, trial)]
    return sorted(found, key=lambda one: (one.flagged is None, codec.instant_or_none(one.flagged) or "", one.id))


def _nobodys(row: Any) -> Logged:
    """Of somebody who was erased."""
    said = json.loads(row.said)
    return Logged(
        **{
            name: getattr(row, name)
            for name in ("id", "trial", "verdict", "certainty", "stratum", "status", "flag", "sex")
        },
        episode="", ward="", bed="", family="", given="", birth_date="",
        patient=PatientId(row.site, "", ""),
        standing=bool(row.standing),
        tied=False,
        flagged=codec.moment_or_none(row.flagged),
        seen=None,
        onset=None,
        sofa=tuple(said["sofa"]) if said["sofa"] else None,
        answers=tuple(_answered(one, kind, answer, SOMEBODY * by) for one, kind, answer, by in said["answers"]),
        flags=frozenset(said["flags"]),
        decisions=tuple(
            Decision(row.trial, "", status, codec.moment(at), "", reason) for status, reason, at in said["decisions"]
        ),
        erased=True,
    )  # fmt: skip


class _Told(NamedTuple):
    first: Mapping[str, tuple[datetime, str]]
    seen: Mapping[str, datetime]
    decided: Mapping[tuple[int, str], list[Decision]]
    known: Known


def _logged(row: Mapping[Any, Any], told: _Told) -> Logged:
    said, first = _said(row, told.known), told.first.get(row["id"])
    same = ("id", "trial", "episode", "verdict", "certainty", "stratum", "status", "ward", "bed", "family", "given")
    return Logged(
        **{name: row[name] for name in (*same, "birth_date")},
        **said._asdict(),
        patient=PatientId(row["site"], row["authority"], row["value"]),
        standing=bool(row["standing"]),
        sex=codec.read_demographics(row["demographics"]).get("sex"),
        tied=row["knot"] is not None,
        flagged=first[0] if first else codec.moment_or_none(row["raised"]),
        flag=first[1] if first else "",
        seen=told.seen.get(row["id"]),
        decisions=tuple(told.decided.get((row["patient"], row["episode"]), ())),
    )


def _said(row: Mapping[Any, Any], known: Known) -> Said:
    text = row["assessment"]
    mark, found = hash(text), known.said.get(row["id"])
    if found is None or found[0] != mark:
        found = known.said[row["id"]] = mark, _read_said(text)
    return found[1]


def _read_said(text: str) -> Said:
    explained: Json = json.loads(text) or {}
    sofa, sepsis = explained.get("sofa"), explained.get("sepsis") or {}
    return Said(
        onset=codec.moment_or_none(sepsis.get("onset")),
        sofa=(sofa["low"], sofa["high"]) if sofa else None,
        answers=tuple(_answers(explained)),
        flags=frozenset(explained.get("flags") or ()),
        in_doubt=bool(explained.get("screening_ids") or explained.get("described")),
    )


def _answers(explained: Json) -> Iterator[Answered]:
    for one in explained.get("criteria") or ():
        yield _answered(one["id"], one["kind"], one["answer"], one.get("determined_by") or "")


_answered = lru_cache(maxsize=4096)(Answered)
"""Thousands of candidates share a few hundred."""


def _first_told(conn: Connection, trial: str) -> dict[str, tuple[datetime, str]]:
    line = candidate_history.c
    wanted = select(line.candidate, line.at, line.verdict).join(candidates).where(candidates.c.trial == trial)
    found: dict[str, tuple[datetime, str]] = {}
    for candidate, at, verdict in conn.execute(wanted.where(line.kind == "raised").order_by(line.at, line.id)):
        found.setdefault(candidate, (codec.moment(at), verdict))
    return found


def _seen(conn: Connection) -> dict[str, datetime]:
    """By the id a candidate goes by now."""
    aliases = conn.execute(select(candidate_aliases.c.former, candidate_aliases.c.candidate))
    now = {former: candidate for former, candidate in aliases}  # noqa: C416 — rows are no tuples
    wanted = select(audit.c.object_id, func.min(audit.c.at)).where(text(VIEWED), audit.c.outcome == "ok")
    found: dict[str, str] = {}
    for candidate, at in conn.execute(wanted.group_by(audit.c.object_id)):
        present = now.get(candidate, candidate)
        found[present] = min(at, found.get(present, at))
    return {candidate: codec.moment(at) for candidate, at in found.items()}


def _decisions(conn: Connection, trial: str) -> dict[tuple[int, str], list[Decision]]:
    """By the row of the patient and the episode."""
    listed = select(candidates.c.patient).where(candidates.c.trial == trial, _LISTED)
    wanted = select(statements.c.patient, statements.c.body).where(
        statements.c.patient.in_(listed), statements.c.kind == "decision"
    )
    found: dict[tuple[int, str], list[Decision]] = {}
    for patient, body in conn.execute(wanted):
        made = codec.read_decision(body)
        if made.trial == trial:
            found.setdefault((patient, codec.storable(made.episode)), []).append(made)
    return {key: sorted(many, key=lambda one: (one.at, one.digest)) for key, many in found.items()}
