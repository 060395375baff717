from dataclasses import replace
from datetime import timedelta
from typing import Any

from adapter.domain.alert import AlertKind
from adapter.domain.assessment import Assessment, Verdict
from adapter.domain.encounter import Encounter, EncounterClass
from adapter.domain.patient import Demographics, Stated
from adapter.store import worklist
from adapter.store.database import Database
from adapter.store.worklist import Sighting
from tests.assessments import AT, assessment, change

PERSON = Demographics({name: Stated(value, AT) for name, value in [("family", "DOE"), ("birth_date", "1950-06-15")]})
PLACE = Encounter("visit-9", EncounterClass.EMERGENCY, "ICU", "4", AT, None, started_in_emergency=True)


def record(database: Database, name: str, found: Assessment, kind: AlertKind | None = None, **parts: Any) -> None:
    told = change(kind, found) if kind else None
    with database.write() as tx:
        worklist.record(tx, Sighting(name, found, {"patient": name}, told, demographics=PERSON, **parts))


def test_a_recorded_candidate_is_found_with_everything_a_page_needs(database: Database) -> None:
    found = assessment(encounter=PLACE, status="screening", review_at=AT + timedelta(hours=1))
    record(database, "c1", found, AlertKind.RAISED, message_id=17, by="anna")
    with database.read() as conn:
        row = worklist.find(conn, "c1")
        assert worklist.find(conn, "c2") is None
        history = worklist.history(conn, "c1")
    assert row is not None
    assert (row.patient, row.trial, row.episode) == (found.patient, "immunosep", "visit-9")
    assert (row.verdict, row.certainty, row.stratum, row.shown) == ("candidate", "certain", "mals", True)
    assert (row.ward, row.bed, row.family, row.given, row.birth_date) == ("ICU", "4", "DOE", "", "1950-06-15")
    assert (row.deadline, row.raised, row.standing, row.sequence) == (AT + timedelta(hours=69), AT, True, 1)
    assert (row.assessment, row.evaluated_at, row.status) == ({"patient": "c1"}, AT, "screening")
    assert [(line.kind, line.text, line.message_id, line.by) for line in history] == [
        ("raised", "ground given", 17, "anna"),
        ("status", "screening", 17, "anna"),
    ]


def test_the_same_finding_again_leaves_no_history(database: Database) -> None:
    record(database, "c1", assessment(), AlertKind.RAISED)
    record(database, "c1", assessment(at=AT + timedelta(hours=1)))
    with database.read() as conn:
        assert len(worklist.history(conn, "c1")) == 1
        row = worklist.find(conn, "c1")
    assert row is not None
    assert row.standing
    assert row.evaluated_at == AT + timedelta(hours=1)


def test_the_alert_lives_from_raised_to_withdrawn(database: Database) -> None:
    found = assessment()
    who = (found.patient, found.trial, found.episode)
    with database.read() as conn:
        assert worklist.standing(conn, *who) is None
        assert worklist.sequence(conn, "c1") == 0
    record(database, "c1", replace(found, shown=False, verdict=Verdict.INCOMPLETE))
    with database.read() as conn:
        assert worklist.standing(conn, *who) is None
    record(database, "c1", found, AlertKind.RAISED)
    with database.read() as conn:
        assert worklist.standing(conn, *who) == change(AlertKind.RAISED, found).alert
    gone = replace(found, shown=False, verdict=Verdict.NOT_CANDIDATE)
    record(database, "c1", gone, AlertKind.WITHDRAWN)
    with database.read() as conn:
        assert worklist.standing(conn, *who) == change(AlertKind.WITHDRAWN, found).alert
        assert worklist.alerts(conn, found.patient) == {who[1:]: change(AlertKind.WITHDRAWN, found).alert}
        assert worklist.sequence(conn, "c1") == 2
        assert [line.kind for line in worklist.history(conn, "c1")] == ["verdict", "raised", "withdrawn"]


def test_the_list_shows_who_stands_and_for_a_day_who_was_withdrawn(database: Database) -> None:
    gone = assessment(episode="visit-1", shown=False)
    record(database, "withdrawn", gone, AlertKind.WITHDRAWN)
    later = assessment(episode="visit-2", sepsis=replace(assessment().sepsis, deadline=None))
    record(database, "no-clock", later, AlertKind.RAISED)
    soon = assessment(episode="visit-3", sepsis=replace(assessment().sepsis, deadline=AT + timedelta(hours=2)))
    record(database, "soon", soon, AlertKind.RAISED)
    record(database, "watched", assessment(episode="visit-4", shown=False, verdict=Verdict.INCOMPLETE))
    record(database, "never", assessment(episode="visit-5", shown=False, verdict=Verdict.NOT_CANDIDATE))
    with database.read() as conn:
        now = [row.id for row in worklist.shown(conn, AT + timedelta(hours=23))]
        tomorrow = [row.id for row in worklist.shown(conn, AT + timedelta(hours=24))]
        assert worklist.shown(conn, AT, trial="another") == []
        assert worklist.watching_count(conn) == 1
        assert len(worklist.of_patient(conn, gone.patient)) == 5
        assert worklist.of_patient(conn, replace(gone.patient, value="0")) == []
    assert now == ["soon", "withdrawn", "no-clock"]
    assert tomorrow == ["soon", "no-clock"]


def test_whoever_time_may_change_is_due_and_the_longest_due_first(database: Database) -> None:
    for episode, hours in [("visit-1", 2), ("visit-2", 1), ("visit-3", 9)]:
        record(database, episode, assessment(episode=episode, review_at=AT + timedelta(hours=hours)))
    record(database, "never", assessment(episode="visit-4"))
    with database.read() as conn:
        due = worklist.due_for_review(conn, AT + timedelta(hours=2), 10)
        assert len(worklist.due_for_review(conn, AT + timedelta(hours=2), 1)) == 1
    who = assessment().patient
    assert due == [worklist.Due(who, "immunosep", episode) for episode in ("visit-2", "visit-1")]
