import itertools
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from adapter.domain.events import (
    ClinicalEvent,
    CriterionDetermined,
    EncounterChanged,
    ObservationReceived,
    PatientDescribed,
    StatusDecided,
)
from adapter.domain.observation import ResultStatus
from adapter.domain.patient import Decision, Demographics, Determination, PatientId, PatientState, Stated
from adapter.domain.truth import Truth
from adapter.screening.state import apply, apply_all
from adapter.store import patients
from adapter.store.codec import instant
from adapter.store.database import Database
from adapter.store.schema import results
from tests.builders import PATIENT, T0, after, observation, visit

PLATELETS = observation("platelets", "98", "10*3/uL", T0)
STATEMENT = visit()
NUMBERS = itertools.count()


def events() -> list[ClinicalEvent]:
    corrected = replace(PLATELETS, status=ResultStatus.CORRECTED, issued=after(1), digest="c" * 64)
    withdrawn = replace(PLATELETS, status=ResultStatus.WITHDRAWN, quantity=None, issued=after(2), digest="w" * 64)
    return [
        ObservationReceived(PATIENT, PLATELETS),
        ObservationReceived(PATIENT, corrected),
        ObservationReceived(PATIENT, withdrawn),
        ObservationReceived(PATIENT, observation("platelets", "120", "10*3/uL", after(3))),
        ObservationReceived(PATIENT, observation("creatinine", "159", "umol/L", after(1))),
        PatientDescribed(PATIENT, Demographics({"family": Stated("ΔΟΕ", T0), "birth_date": Stated("1950-06-15", T0)})),
        PatientDescribed(PATIENT, Demographics({"family": Stated("DOE", after(1))})),
        CriterionDetermined(PATIENT, Determination("immunosep", "I4", Truth.MET, T0, "anna", "", "d1")),
        StatusDecided(PATIENT, Decision("immunosep", "V1", "screening", after(1), "anna", "", "", "d2")),
        EncounterChanged(PATIENT, STATEMENT),
        EncounterChanged(PATIENT, replace(STATEMENT, ward="ER", digest="other", sender_time=after(1))),
        EncounterChanged(PATIENT, replace(STATEMENT, sender_time=after(2))),
    ]


def load(database: Database, patient: PatientId = PATIENT) -> PatientState:
    with database.read() as conn:
        return patients.load(conn, patient)


def save(database: Database, before: PatientState, after_it: PatientState) -> None:
    with database.write() as tx:
        patients.save(tx, before, after_it)


def test_an_unknown_patient_is_an_empty_state(database: Database) -> None:
    assert load(database) == PatientState(PATIENT)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(events()), st.integers(min_value=0, max_value=12))
def test_a_state_saved_in_two_steps_is_the_state_in_memory(
    database: Database, said: list[ClinicalEvent], cut: int
) -> None:
    """Whatever the order, and wherever the process was restarted between."""
    patient = PatientId("generic", "HOSP", f"N{next(NUMBERS)}")
    empty = PatientState(patient)
    first = apply_all(empty, said[:cut])
    save(database, empty, first)
    again = load(database, patient)
    assert again == first
    second = apply_all(again, said[cut:])
    save(database, again, second)
    assert load(database, patient) == second == apply_all(empty, said)


def test_saving_writes_only_what_changed(database: Database) -> None:
    before = apply_all(PatientState(PATIENT), events())
    save(database, PatientState(PATIENT), before)
    then = apply(before, ObservationReceived(PATIENT, observation("creatinine", "170", "umol/L", after(5))))
    with database.write() as tx:
        tx.execute(update(results).values(versions="as it was"))
        patients.save(tx, before, then)
        patients.save(tx, then, then)
        kept = tx.execute(select(results.c.versions)).scalars().all()
    assert (len(kept), kept.count("as it was")) == (4, 3)


def test_a_correction_of_the_time_moves_the_row(database: Database) -> None:
    """The time is part of a row's place: the old place must be empty, in memory's next step and after a restart."""
    first = apply_all(PatientState(PATIENT), [ObservationReceived(PATIENT, PLATELETS)])
    save(database, PatientState(PATIENT), first)
    told = replace(
        PLATELETS, effective=after(7), status=ResultStatus.CORRECTED, issued=after(8), message="2", digest="c" * 64
    )
    second = apply(first, ObservationReceived(PATIENT, told))
    save(database, first, second)
    assert load(database) == second
    with database.read() as conn:
        assert conn.execute(select(results.c.effective)).scalars().all() == [instant(after(7))]


def test_the_same_number_at_another_site_is_another_person(database: Database) -> None:
    save(database, PatientState(PATIENT), apply_all(PatientState(PATIENT), events()))
    other = replace(PATIENT, site="attikon")
    assert load(database, other) == PatientState(other)


def test_a_thousand_results_are_loaded_at_once(database: Database) -> None:
    state = PatientState(PATIENT)
    for minute in range(0, 1000, 10):
        at = T0 + timedelta(minutes=minute)
        state = apply(state, ObservationReceived(PATIENT, observation("map", "70", "mm[Hg]", at)))
    save(database, PatientState(PATIENT), state)
    assert load(database) == state
