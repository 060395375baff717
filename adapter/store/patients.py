"""What is believed of each patient, kept row by row, so that a message writes only what it changed."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update

from adapter.domain.observation import Result
from adapter.domain.patient import Demographics, PatientId, PatientState
from adapter.domain.visits import stated
from adapter.store import codec, therapy
from adapter.store.driver import cursor
from adapter.store.schema import patients, results, statements
from adapter.store.unread import stored
from adapter.store.upsert import insert

Change = tuple[PatientState, PatientState]
"""What was believed of a patient, and what is believed now."""
Row = dict[str, object]

_WHO = select(patients.c.key, patients.c.demographics).where(
    patients.c.site == bindparam("site"),
    patients.c.authority == bindparam("authority"),
    patients.c.value == bindparam("value"),
)
_RESULTS = select(results.c.concept, results.c.effective, results.c.identity, results.c.versions).where(
    results.c.patient == bindparam("patient")
)
_STATEMENTS = select(statements.c.kind, statements.c.body).where(statements.c.patient == bindparam("patient"))

_PLACE = ("patient", "effective", "concept", "identity")
PUT_RESULT = """
    INSERT INTO results (patient, effective, concept, identity, versions) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (patient, effective, concept, identity) DO UPDATE SET versions = excluded.versions
"""
"""For the driver, as it is most of what a message writes."""
_DROP_RESULT = delete(results).where(*(column == bindparam(f"b_{column.name}") for column in results.primary_key))
_said = insert(statements)
_PUT_STATEMENT = _said.on_conflict_do_update(
    index_elements=["patient", "kind", "digest"], set_={"at": _said.excluded.at, "body": _said.excluded.body}
)
_DROP_STATEMENT = delete(statements).where(
    statements.c.patient == bindparam("b_patient"),
    statements.c.kind == bindparam("b_kind"),
    statements.c.digest == bindparam("b_digest"),
)

_IN_ORDER = attrgetter("at", "identity")
"""The order `screening.state` keeps: effective time of what stands, then identity."""
KINDS = ("visit", "determination", "decision", "administration", "condition")
"""What `statements` holds beside results."""


def load(conn: Connection, patient: PatientId) -> PatientState:
    """Everything said under this identifier; an unknown one is an empty state. Whose it is, `persons` knows."""
    row = conn.execute(_WHO, identifier(patient)).one_or_none()
    if row is None:
        return PatientState(patient)
    key, demographics = row
    said: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for kind, body in conn.execute(_STATEMENTS, {"patient": key}):
        said[kind].append(body)
    return PatientState(
        patient,
        _results(conn, key),
        tuple(sorted(map(codec.read_statement, said["visit"]), key=stated)),
        codec.read_demographics(demographics),
        tuple(sorted(map(codec.read_determination, said["determination"]), key=_at)),
        tuple(sorted(map(codec.read_decision, said["decision"]), key=_at)),
        tuple(sorted(map(therapy.read_administration, said["administration"]), key=_at)),
        tuple(sorted(map(therapy.read_condition, said["condition"]), key=_at)),
    )


def names_of(conn: Connection, patient: PatientId) -> str:
    """As they are kept."""
    found: str = conn.execute(_WHO, identifier(patient)).one().demographics
    return found


def numbered(conn: Connection, value: str) -> list[PatientId]:
    """Whoever goes by this number, of whatever site and authority."""
    columns = (patients.c.site, patients.c.authority, patients.c.value)
    found = conn.execute(select(*columns).where(patients.c.value == codec.storable(value)).order_by(*columns))
    return [PatientId(*row) for row in found]


def number(conn: Connection) -> int:
    return int(conn.execute(select(func.count()).select_from(patients)).scalar_one())


def some(conn: Connection, most: int) -> list[PatientId]:
    """Drawn by lot."""
    columns = (patients.c.site, patients.c.authority, patients.c.value)
    return [PatientId(*row) for row in conn.execute(select(*columns).order_by(func.random()).limit(most))]


def _results(conn: Connection, key: int) -> dict[str, tuple[Result, ...]]:
    found: dict[str, list[Result]] = {}
    for concept, effective, identity, versions in conn.execute(_RESULTS, {"patient": key}):
        found.setdefault(concept, []).append(stored(effective, identity, versions))
    return {concept: tuple(sorted(known, key=_IN_ORDER)) for concept, known in found.items()}


def _at(said: Any) -> tuple[object, str]:
    return (said.at, said.digest)


def save(tx: Connection, before: PatientState, after: PatientState) -> None:
    save_many(tx, [(before, after)], {})


def save_many(tx: Connection, changes: Iterable[Change], known: Mapping[PatientId, int]) -> dict[PatientId, int]:
    """Write what differs between each patient's two states; the same state twice writes nothing.

    `known` are keys that somebody remembers; the keys of the patients written come back.
    """
    keys: dict[PatientId, int] = {}
    rows: list[tuple[object, ...]] = []
    moved: list[Row] = []
    for before, after in changes:
        if after is before:
            continue
        key = keys[after.patient] = known.get(after.patient) or key_of(tx, after.patient)
        for was, now in _changed(before, after):
            rows.append((*_place(key, now), codec.versions_text(now.versions)))
            if was is not None and was.versions[-1].effective != now.versions[-1].effective:
                moved.append({f"b_{name}": part for name, part in zip(_PLACE, _place(key, was), strict=True)})
        _save_statements(tx, key, before, after)
        if after.demographics.fields != before.demographics.fields:
            text = codec.demographics_text(after.demographics)
            tx.execute(update(patients).where(patients.c.key == key).values(demographics=text))
    if moved:
        tx.execute(_DROP_RESULT, moved)
    if rows:
        cursor(tx).executemany(PUT_RESULT, rows)
    return keys


def _changed(before: PatientState, after: PatientState) -> Iterator[tuple[Result | None, Result]]:
    """Each result that is not what it was, with what it was."""
    for concept, now in after.results.items():
        known = before.results.get(concept, ())
        if now is known:
            continue
        if now[: len(known)] == known:  # nearly always: what is new is also the latest
            yield from ((None, result) for result in now[len(known) :])
            continue
        same = set(map(id, known)).intersection(map(id, now))
        gone = {result.identity: result for result in known if id(result) not in same}
        for result in now:
            if id(result) not in same:
                was = gone.get(result.identity)
                if was != result:
                    yield was, result


def _place(key: int, result: Result) -> tuple[int, str, str, str]:
    """What finds a result's row, in the order of its key."""
    newest = result.versions[-1]
    return key, codec.instant(newest.effective), newest.concept, newest.identity


def _save_statements(tx: Connection, key: int, before: PatientState, after: PatientState) -> None:
    for kind, old, new, text in _kinds(before, after):
        if new is old:
            continue
        known = set(old)
        gone = {said.digest for said in old} - {said.digest for said in new}  # of a message that was read again
        rows = [_statement_row(key, kind, said, text) for said in new if said not in known]
        if rows:
            tx.execute(_PUT_STATEMENT, rows)
        if gone:
            tx.execute(_DROP_STATEMENT, [{"b_patient": key, "b_kind": kind, "b_digest": digest} for digest in gone])


def _kinds(before: PatientState, after: PatientState) -> Iterable[tuple[str, Any, Any, Callable[[Any], str]]]:
    yield "visit", before.statements, after.statements, codec.statement_text
    yield "determination", before.determinations, after.determinations, codec.determination_text
    yield "decision", before.decisions, after.decisions, codec.decision_text
    yield "administration", before.administrations, after.administrations, therapy.administration_text
    yield "condition", before.conditions, after.conditions, therapy.condition_text


def _statement_row(key: int, kind: str, said: Any, text: Callable[[Any], str]) -> dict[str, object]:
    return {"patient": key, "kind": kind, "digest": said.digest, "at": codec.instant(said.at), "body": text(said)}


def key_of(tx: Connection, patient: PatientId) -> int:
    """The row of an identifier, made when it is new."""
    row = tx.execute(_WHO, identifier(patient)).one_or_none()
    if row is not None:
        return int(row.key)
    empty = codec.demographics_text(Demographics())
    made = insert(patients).values(**identifier(patient), demographics=empty).returning(patients.c.key)
    return int(tx.execute(made).scalar_one())


def key_if_known(conn: Connection, patient: PatientId) -> int | None:
    """The row of an identifier, where there is one."""
    row = conn.execute(_WHO, identifier(patient)).one_or_none()
    return None if row is None else int(row.key)


def identifier(patient: PatientId) -> dict[str, str]:
    """The three columns that find a patient."""
    return {
        "site": patient.site,
        "authority": codec.storable(patient.authority),
        "value": codec.storable(patient.value),
    }
