"""FHIR resources → events, bucket by bucket (reliability F22 to F33; edc 5.7)."""

import json
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from adapter.assets import load_rulebook
from adapter.domain.administration import Administration, AdministrationState
from adapter.domain.condition import Condition, ConditionStatus
from adapter.domain.encounter import EncounterAction, EncounterClass
from adapter.domain.events import (
    AdministrationStated,
    ConditionStated,
    EncounterChanged,
    ObservationReceived,
    PatientDescribed,
    RecordsTied,
)
from adapter.domain.message import MessageKind, RawMessage
from adapter.domain.observation import Observation, ResultStatus
from adapter.domain.patient import PatientId
from adapter.domain.ties import Merge
from adapter.domain.visits import visits
from adapter.screening.interpret import Interpretation, interpret
from adapter.screening.rulebook import Rulebook
from adapter.screening.whose import whose

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
MR = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}
PATIENT = {"resourceType": "Patient", "id": "p", "identifier": [{"system": "HOSP", "value": "100", "type": MR}]}
WHO = {"reference": "Patient/p"}
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
AT = "2026-01-02T03:00:00+00:00"


@cache
def rules() -> Rulebook:
    return load_rulebook(None, trials=["immunosep-demo"])


def page(*resources: dict[str, Any], patient: dict[str, Any] | None = PATIENT) -> bytes:
    entries = [{"resource": one} for one in ([patient] if patient else []) + list(resources)]
    return json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entries}).encode()


def raw(body: bytes, site: str = "generic") -> RawMessage:
    return RawMessage("ehr", site, MessageKind.FHIR, body, NOW)


def read(*resources: dict[str, Any], patient: dict[str, Any] | None = PATIENT) -> Interpretation:
    return interpret(raw(page(*resources, patient=patient)), rules(), message_id="1")


def concept(code: str, system: str = LOINC, text: str = "") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}], "text": text}


def quantity(value: float | str, unit: str, **more: str) -> dict[str, Any]:
    return {"value": value, "code": unit, "system": UCUM, "unit": unit, **more}


def observation(code: str = "777-3", **said: Any) -> dict[str, Any]:
    whole = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": concept(code),
        "subject": WHO,
        "effectiveDateTime": AT,
        "meta": {"lastUpdated": "2026-01-02T03:10:00Z"},
    }
    if not any(name.startswith("value") for name in said):
        whole["valueQuantity"] = quantity(98, "10*3/uL")
    return {name: value for name, value in (whole | said).items() if value is not None}


def results(seen: Interpretation) -> list[Observation]:
    return [event.observation for event in seen.events if isinstance(event, ObservationReceived)]


def one(**said: Any) -> Observation:
    (found,) = results(read(observation(**said)))
    return found


def buckets(seen: Interpretation) -> dict[str, int]:
    return {str(bucket): count for bucket, count in seen.ledger.counts.items() if count}


@pytest.mark.parametrize(
    ("said", "value", "unit"),
    [
        ({"valueQuantity": quantity(98, "10*3/uL")}, 98, "10*3/uL"),
        ({"valueQuantity": quantity(4.425, "10*3/uL")}, Fraction(4425, 1000), "10*3/uL"),
        ({"valueQuantity": quantity("98", "10*3/uL")}, 98, "10*3/uL"),
        ({"valueQuantity": {"value": 98, "unit": "10^9/L"}}, 98, "10*3/uL"),
        ({"valueQuantity": {"value": 9.8e1, "unit": "x", "code": "10*3/uL"}}, 98, "10*3/uL"),
        ({"code": "2276-4", "valueQuantity": quantity(5200, "ng/mL")}, 5200, "ng/mL"),
        ({"code": "1975-2", "valueQuantity": quantity(17.1, "umol/L")}, 1, "mg/dL"),
        ({"code": "9269-2", "valueInteger": 15}, 15, "{score}"),
    ],
)
def test_a_number_is_read_in_its_unit(said: dict[str, Any], value: Fraction | int, unit: str) -> None:
    found = one(**said)
    assert found.quantity is not None
    assert (found.quantity.value, found.quantity.unit) == (value, unit)
    assert found.effective == datetime(2026, 1, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">="])
def test_a_bound_keeps_its_sign(sign: str) -> None:
    found = one(code="2276-4", valueQuantity=quantity(2000, "ng/mL", comparator=sign))
    assert found.quantity is not None
    assert found.quantity.comparator == sign


def test_an_exponent_is_a_number_and_a_made_up_sign_is_none() -> None:
    body = page(observation()).replace(b'"value": 98', b'"value": 9.8E1')
    (found,) = results(interpret(raw(body), rules(), message_id="1"))
    assert found.quantity is not None
    assert found.quantity.value == 98
    assert buckets(read(observation(valueQuantity=quantity(9, "10*3/uL", comparator="ad")))) == {"bad_value": 1}


@pytest.mark.parametrize(
    ("status", "bucket", "stands"),
    [
        ("final", "used", ResultStatus.FINAL),
        ("appended", "used", ResultStatus.FINAL),
        ("amended", "used", ResultStatus.CORRECTED),
        ("corrected", "used", ResultStatus.CORRECTED),
        ("preliminary", "not_final", ResultStatus.PRELIMINARY),
        ("unknown", "not_final", ResultStatus.PRELIMINARY),
        ("entered-in-error", "withdrawn", ResultStatus.WITHDRAWN),
        ("cancelled", "withdrawn", ResultStatus.WITHDRAWN),
    ],
)
def test_status(status: str, bucket: str, stands: ResultStatus) -> None:
    seen = read(observation(status=status))
    assert buckets(seen) == {bucket: 1}
    assert results(seen)[0].status is stands


def test_what_is_only_registered_says_nothing() -> None:
    seen = read(observation(status="registered"))
    assert (buckets(seen), seen.events) == ({"status_only": 1}, ())


def test_a_correction_of_time_and_value_is_the_same_result() -> None:
    """The resource's id names it, also for what is charted."""
    before = one(code="8478-0", valueQuantity=quantity(60, "mm[Hg]"))
    later = one(
        code="8478-0",
        status="corrected",
        effectiveDateTime="2026-01-02T04:00:00Z",
        valueQuantity=quantity(70, "mm[Hg]"),
    )
    assert before.identity == later.identity
    assert before.order < later.order


def test_the_same_id_on_another_server_is_another_result() -> None:
    body = page(observation())
    here, there = (
        interpret(RawMessage(source, "generic", MessageKind.FHIR, body, NOW), rules(), message_id="1")
        for source in ("ehr", "laboratory")
    )
    assert results(here)[0].identity != results(there)[0].identity


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"valueQuantity": None, "dataAbsentReason": concept("unknown")}, {"status_only": 1}),
        ({"valueQuantity": None, "dataAbsentReason": concept("error"), "status": "corrected"}, {"withdrawn": 1}),
        ({"valueQuantity": None}, {"unmapped_unit": 1}),
        ({"valueQuantity": None, "hasMember": [{"reference": "Observation/x"}]}, {}),
        ({"valueRange": {"low": {"value": 1}}}, {"unmapped_unit": 1}),
        ({"valueString": "98"}, {"unmapped_unit": 1}),
        ({"valueBoolean": True}, {"unmapped_unit": 1}),
        ({"code": "9269-2", "valueQuantity": None, "valueBoolean": True}, {"bad_value": 1}),
        ({"code": "9269-2", "valueQuantity": None, "valueRange": {"low": {"value": 1}}}, {"bad_value": 1}),
        ({"valueQuantity": {"value": 98}}, {"unmapped_unit": 1}),
        ({"valueQuantity": {"value": 98, "unit": "furlong"}}, {"unmapped_unit": 1}),
        ({"valueQuantity": {"unit": "10*3/uL"}}, {"bad_value": 1}),
        ({"code": "99999-9"}, {"unmapped_code": 1}),
        ({"code": "2951-2"}, {"known_not_needed": 1}),
        ({"code": "18769-0", "valueString": "R"}, {"known_not_needed": 1}),
        ({"effectiveDateTime": None}, {"bad_value": 1}),
        ({"effectiveDateTime": "2026"}, {"bad_value": 1}),
        ({"effectiveDateTime": "yesterday"}, {"bad_value": 1}),
        ({"effectiveDateTime": "2026-01-03T03:00:00Z"}, {"bad_value": 1}),
    ],
)
def test_every_line_ends_in_one_bucket(said: dict[str, Any], expected: dict[str, int]) -> None:
    wanted = (
        said
        if "valueQuantity" in said or "code" in said or "effectiveDateTime" in said
        else said | {"valueQuantity": None}
    )
    assert buckets(read(observation(**wanted))) == expected


def test_components_are_lines_and_their_panel_is_none() -> None:
    parts = [
        {"code": concept("8480-6"), "valueQuantity": quantity(90, "mm[Hg]")},
        {"code": concept("8462-4"), "valueQuantity": quantity(50, "mm[Hg]")},
        {"code": concept("8478-0"), "dataAbsentReason": concept("not-performed")},
    ]
    seen = read(observation("85354-9", valueQuantity=None, component=parts))
    assert [(found.concept, found.quantity and found.quantity.value) for found in results(seen)] == [
        ("sbp", 90),
        ("dbp", 50),
    ]
    assert buckets(seen) == {"used": 2, "status_only": 1}
    assert len({found.identity for found in results(seen)}) == 2


def test_of_several_codings_the_mapped_one_counts() -> None:
    local = {"system": "http://hospital/codes", "code": "PLT"}
    resource = observation()
    resource["code"] = {"coding": [local, {"system": LOINC, "code": "777-3"}]}
    (found,) = results(read(resource))
    assert (found.concept, found.original.code) == ("platelets", "777-3")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"valueCodeableConcept": concept("260373001", "http://snomed.info/sct")}, "detected"),
        ({"valueCodeableConcept": {"text": "Not detected"}}, "not-detected"),
        ({"valueString": "Positive"}, "detected"),
    ],
)
def test_a_coded_answer_by_its_code_or_its_words(answer: dict[str, Any], code: str) -> None:
    assert one(code="94500-6", **answer).code == code


def test_the_specimen_is_looked_for_where_the_reference_leads() -> None:
    specimen = {
        "resourceType": "Specimen",
        "id": "s",
        "type": {"text": "arterial blood"},
        "collection": {"collectedDateTime": "2026-01-02T02:00:00Z"},
        "identifier": [{"value": "S1"}],
    }
    gas = {"valueQuantity": quantity(70, "mm[Hg]"), "specimen": {"reference": "Specimen/s"}}
    (found,) = results(read(observation("2703-7", **gas), specimen))
    assert (found.specimen, found.specimen_id, found.effective.hour) == ("arterial", "S1", 2)


@pytest.mark.parametrize(
    ("said", "hour"),
    [
        ({"effectiveInstant": "2026-01-02T05:00:00Z"}, 5),
        ({"effectivePeriod": {"start": "2026-01-02T01:00:00Z", "end": "2026-01-02T06:00:00Z"}}, 6),
        ({"effectivePeriod": {"start": "2026-01-02T01:00:00Z"}}, 1),
        ({"effectiveTiming": {"event": ["2026-01-02T07:00:00Z"]}}, 7),
    ],
)
def test_every_form_of_the_time(said: dict[str, Any], hour: int) -> None:
    assert one(effectiveDateTime=None, **said).effective.hour == hour


def test_a_note_says_that_platelets_clumped() -> None:
    assert "platelet_clumps" in one(note=[{"text": "Platelet clumps seen"}]).flags


def test_a_central_laboratory_is_known_by_the_performer() -> None:
    body = page(observation(performer=[{"display": "ImmunoSep Central"}]))
    assert interpret(raw(body), rules(), message_id="1").disposition == "applied"


# --- who it is -------------------------------------------------------------------------------------------------------


def test_without_its_patient_a_page_waits_for_a_person() -> None:
    seen = read(observation(), patient=None)
    assert (seen.disposition, seen.reason, buckets(seen)) == ("quarantined", "NO_PATIENT", {"message_not_used": 1})


def test_a_patient_with_two_numbers_under_one_name_vouches_for_nobody() -> None:
    """One reader would take the first, another the last: their results wait for a person, they go to neither."""
    sound = page(observation())
    number = b'"identifier": [{"system": "HOSP", "value": "100"'
    assert sound.count(number) == 1
    twice = sound.replace(number, b'"identifier": [{"system": "HOSP", "value": "999"}], ' + number)
    seen = interpret(raw(twice), rules(), message_id="1")
    assert (seen.disposition, seen.reason, results(seen)) == ("quarantined", "DUPKEY", [])
    assert buckets(seen) == {"message_not_used": 1}


def test_a_logical_reference_names_the_patient() -> None:
    who = {"identifier": {"system": "HOSP", "value": "100", "type": MR}}
    seen = read(observation(subject=who), patient=None)
    assert seen.patients == (PatientId("generic", "HOSP", "100"),)


def test_the_patient_and_what_is_known_of_them() -> None:
    person = PATIENT | {
        "name": [{"family": "Old", "use": "old"}, {"family": "Doe", "given": ["Jane", "M"], "use": "official"}],
        "gender": "female",
        "birthDate": "1950-06-15",
        "deceasedDateTime": "2026-01-02T10:00:00Z",
        "meta": {"lastUpdated": "2026-01-02T03:10:00Z", "security": [{"code": "HTEST"}]},
    }
    seen = read(patient=person)
    said = {
        name: stated.value
        for event in seen.events
        if isinstance(event, PatientDescribed)
        for name, stated in event.demographics.fields.items()
        if not name.startswith("person:")
    }
    assert said == {
        "family": "Doe",
        "given": "Jane",
        "sex": "female",
        "birth_date": "1950-06-15",
        "died": "2026-01-02T10:00:00+00:00",
        "test": "yes",
    }
    assert ("HOSP", "100", "MR") in seen.identifiers
    assert whose(raw(page(patient=person)), rules()) == PatientId("generic", "HOSP", "100")


@pytest.mark.parametrize(("died", "said"), [(True, True), (False, False)])
def test_dead_or_alive_without_a_time(died: bool, said: bool) -> None:
    seen = read(patient=PATIENT | {"deceasedBoolean": died})
    (event,) = seen.events
    assert isinstance(event, PatientDescribed)
    assert bool(event.demographics.get("died")) is said


@pytest.mark.parametrize("none", ["0001-01-01T00:00:00Z", "1900-01-01", "9999-12-31"])
def test_a_date_that_stands_where_there_is_none_is_no_death(none: str) -> None:
    seen = read(patient=PATIENT | {"deceasedDateTime": none})
    assert not [e for e in seen.events if isinstance(e, PatientDescribed) and e.demographics.get("died")]


def test_an_old_number_is_nobodys() -> None:
    old = {"system": "HOSP", "value": "99", "type": MR, "use": "old"}
    assert read(patient={**PATIENT, "identifier": [old]}).reason == "NO_PATIENT"


def test_a_record_that_was_replaced_is_merged() -> None:
    gone = {
        "resourceType": "Patient",
        "id": "q",
        "active": False,
        "identifier": [{"system": "HOSP", "value": "200", "type": MR}],
        "link": [{"type": "replaced-by", "other": WHO}, {"type": "seealso", "other": {"reference": "Patient/x"}}],
        "meta": {"lastUpdated": AT},
    }
    (tied,) = [event for event in read(gone).events if isinstance(event, RecordsTied)]
    merge = Merge(
        PatientId("generic", "HOSP", "200"), PatientId("generic", "HOSP", "100"), datetime(2026, 1, 2, 3, tzinfo=UTC)
    )
    assert tied.tie == merge


def test_a_record_replaced_by_itself_is_no_merge() -> None:
    seen = read(patient=PATIENT | {"link": [{"type": "replaced-by", "other": WHO}]})
    assert [event for event in seen.events if isinstance(event, RecordsTied)] == []
    assert seen.issues == ()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"active": False}, "patient-inactive"),
        ({"active": False, "link": [{"type": "replaced-by", "other": {"reference": "Patient/x"}}]}, "link-not-here"),
    ],
)
def test_a_record_out_of_use_is_told(more: dict[str, Any], code: str) -> None:
    assert [issue.code for issue in read(patient=PATIENT | more).issues] == [code]


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"modifierExtension": [{"url": "http://x/negated", "valueBoolean": True}]}, "MODIFIER"),
        ({"implicitRules": "http://x/rules"}, "MODIFIER"),
        ({"valueString": "\ud800", "valueQuantity": None}, "CHARSET"),
    ],
)
def test_a_resource_that_may_mean_otherwise_is_not_read(more: dict[str, Any], reason: str) -> None:
    seen = read(observation(**more), observation(id="other"))
    assert (seen.disposition, seen.reason) == ("applied", reason)
    assert buckets(seen) == {"message_not_used": 1, "used": 1}


def test_a_letter_that_is_none_in_what_is_referred_to_costs_no_page() -> None:
    wrong = "\ud800\0"
    seen = read(
        {"resourceType": "Specimen", "id": "s", "identifier": [{"value": f"7{wrong}"}], "type": {"text": wrong}},
        {"resourceType": "Medication", "id": "m", "code": {"coding": [{"code": "x", "display": wrong}]}},
        observation(specimen={"reference": "Specimen/s"}),
        {"resourceType": "MedicationAdministration", "id": "a", "subject": WHO, "status": "completed"}
        | {"medicationReference": {"reference": "Medication/m"}, "effectiveDateTime": "2026-01-02T09:00:00Z"},
    )
    (found,) = results(seen)
    assert (seen.disposition, found.specimen_id) == ("applied", "7\ufffd\ufffd")
    assert repr(seen).encode()


def test_a_page_of_other_things_is_ignored() -> None:
    assert read({"resourceType": "Organization", "id": "x"}, patient=None).reason == "nothing-for-us"


def test_a_server_that_says_it_is_not_all_is_heard() -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}
    assert [issue.code for issue in read(outcome).issues] == ["not-all"]


def test_no_finding_quotes_a_patient() -> None:
    secret = "Zebedee-4711"
    seen = read(
        observation(valueString=secret, valueQuantity=None, id=secret),
        observation(note=[{"text": secret}], valueQuantity={"value": 1, "unit": "furlong"}),
        patient=PATIENT | {"birthDate": secret, "name": [{"family": secret}]},
    )
    assert seen.issues
    assert secret not in repr(seen.issues)


# --- visits, conditions, drugs ---------------------------------------------------------------------------------------


def encounter(**said: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": "e",
        "status": "in-progress",
        "class": {"code": "IMP"},
        "subject": WHO,
        "identifier": [{"value": "other"}, {"value": "V1", "type": {"coding": [{"code": "VN"}]}}],
        "period": {"start": "2026-01-02T01:00:00Z"},
        "location": [{"location": {"display": "ICU"}}],
        "meta": {"lastUpdated": "2026-01-02T01:05:00Z"},
        **said,
    }


def said_of(*versions: dict[str, Any]) -> list[Any]:
    return [event.statement for one in versions for event in read(one).events if isinstance(event, EncounterChanged)]


def test_a_visit_that_runs() -> None:
    (view,) = visits(said_of(encounter()))
    assert (view.visit, view.encounter_class, view.ward, view.discharged) == (
        "V1",
        EncounterClass.INPATIENT,
        "ICU",
        None,
    )
    assert view.admitted == datetime(2026, 1, 2, 1, tzinfo=UTC)


FINISHED = encounter(
    status="finished",
    period={"start": "2026-01-02T01:00:00Z", "end": "2026-01-02T09:00:00Z"},
    meta={"lastUpdated": "2026-01-02T09:05:00Z"},
)


@pytest.mark.parametrize("turned", [False, True])
def test_a_visit_ends_and_may_be_opened_again_in_any_order(turned: bool) -> None:
    again = encounter(meta={"lastUpdated": "2026-01-02T10:00:00Z"})
    for versions, over in (([encounter(), FINISHED], True), ([encounter(), FINISHED, again], False)):
        (view,) = visits(said_of(*(versions[::-1] if turned else versions)))
        assert (view.discharged is not None) is over


def test_an_encounter_that_still_runs_with_an_end_is_neither_ended_nor_opened_anew() -> None:
    """Some servers write the planned end: nobody is sent home by a plan."""
    period = {"start": "2026-01-02T01:00:00Z", "end": "2026-01-02T09:00:00Z"}
    actions = [e.statement.action for e in read(encounter(period=period)).events if isinstance(e, EncounterChanged)]
    assert EncounterAction.DISCHARGE not in actions
    assert EncounterAction.CANCEL_DISCHARGE not in actions


@pytest.mark.parametrize(
    ("status", "action"),
    [
        ("planned", EncounterAction.PLAN),
        ("cancelled", EncounterAction.CANCEL_ADMIT),
        ("entered-in-error", EncounterAction.CANCEL_ADMIT),
        ("unknown", EncounterAction.UPDATE),
    ],
)
def test_what_other_statuses_say(status: str, action: EncounterAction) -> None:
    assert [statement.action for statement in said_of(encounter(status=status))] == [action]


def test_r5_says_otherwise_that_a_visit_pauses_and_that_it_was_broken_off() -> None:
    (paused,) = visits(said_of(encounter(status="on-hold")))
    assert (paused.admitted, paused.discharged) == (datetime(2026, 1, 2, 1, tzinfo=UTC), None)
    (broken_off,) = visits(said_of(FINISHED | {"status": "discontinued"}))
    assert broken_off.discharged == datetime(2026, 1, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize("status", ["finished", "completed", "discontinued", "discharged"])
def test_a_visit_that_is_over_without_saying_since_when_is_not_opened_anew(status: str) -> None:
    later = encounter(status=status, meta={"lastUpdated": "2026-01-02T10:00:00Z"})
    (view,) = visits(said_of(encounter(), FINISHED, later))
    assert view.discharged == datetime(2026, 1, 2, 9, tzinfo=UTC)


def test_an_emergency_that_was_admitted_and_moved() -> None:
    places = [
        {"location": {"reference": "#er"}},
        {"location": {"display": "ICU"}, "period": {"start": "2026-01-02T05:00:00Z"}},
    ]
    held = [{"resourceType": "Location", "id": "er", "name": "ER"}]
    first = encounter(**{"class": {"code": "EMER"}}, location=places[:1], contained=held)
    later = encounter(location=places, contained=held, meta={"lastUpdated": "2026-01-02T05:05:00Z"})
    (view,) = visits(said_of(first, later))
    assert (view.started_in_emergency, view.ward) == (True, "ICU")


def test_r5_writes_class_and_period_otherwise() -> None:
    five = encounter(**{"class": [{"coding": [{"code": "EMER"}]}]}, actualPeriod={"start": AT}, period=None)
    assert said_of(five)[0].encounter_class is EncounterClass.EMERGENCY


def test_a_visit_without_a_beginning_is_told() -> None:
    seen = read(encounter(period={}))
    assert (said_of(encounter(period={})), [issue.code for issue in seen.issues]) == ([], ["no-visit"])


def condition(**said: Any) -> list[Condition]:
    resource = {"resourceType": "Condition", "id": "c", "subject": WHO, "recordedDate": AT, **said}
    return [event.condition for event in read(resource, encounter()).events if isinstance(event, ConditionStated)]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, ConditionStatus.ACTIVE),
        ({"clinicalStatus": concept("resolved")}, ConditionStatus.RESOLVED),
        ({"abatementDateTime": "2026-01-02T04:00:00Z"}, ConditionStatus.RESOLVED),
        ({"verificationStatus": concept("refuted")}, ConditionStatus.REFUTED),
        ({"verificationStatus": concept("entered-in-error")}, ConditionStatus.REFUTED),
        ({"verificationStatus": concept("differential")}, ConditionStatus.SUSPECTED),
        ({"verificationStatus": concept("provisional")}, ConditionStatus.SUSPECTED),
        ({"verificationStatus": concept("unconfirmed")}, ConditionStatus.SUSPECTED),
        (
            {"verificationStatus": concept("unconfirmed"), "clinicalStatus": concept("remission")},
            ConditionStatus.RESOLVED,
        ),
        ({"verificationStatus": concept("confirmed")}, ConditionStatus.ACTIVE),
    ],
)
def test_a_condition_and_its_status(said: dict[str, Any], status: ConditionStatus) -> None:
    coded = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "A41.9"}]}
    (found,) = condition(code=coded, encounter={"reference": "Encounter/e"}, **said)
    assert (found.system, found.code, found.status, found.visit) == ("icd-10", "A41.9", status, "V1")


def test_a_condition_coded_twice_is_two_and_one_in_words_is_none() -> None:
    snomed = {"system": "http://snomed.info/sct", "code": "91302008"}
    twice = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "A41.9"}, snomed]}
    assert [found.system for found in condition(code=twice)] == ["icd-10", "snomed-ct"]
    assert condition(code={"text": "sepsis"}) == []


ATC = "http://www.whocc.no/atc"


def drug(kind: str = "MedicationAdministration", **said: Any) -> list[Administration]:
    resource = {
        "resourceType": kind,
        "id": "m",
        "status": "in-progress",
        "subject": WHO,
        "medicationCodeableConcept": concept("C01CA03", ATC),
        "effectivePeriod": {"start": "2026-01-02T01:00:00Z", "end": "2026-01-02T03:00:00Z"},
        "meta": {"lastUpdated": AT},
        **said,
    }
    found = read({name: value for name, value in resource.items() if value is not None})
    return [event.administration for event in found.events if isinstance(event, AdministrationStated)]


def test_an_infusion_is_a_rate_over_its_time() -> None:
    dosage = {"rateQuantity": quantity(0.12, "ug/kg/min"), "route": concept("47625008", "http://snomed.info/sct")}
    (found,) = drug(status="completed", dosage=dosage)
    assert (found.substance, found.route, found.state) == ("norepinephrine", "iv", AdministrationState.GIVEN)
    assert found.rate is not None
    assert (found.rate.value, found.rate.unit) == (Fraction(12, 100), "ug/kg/min")
    assert (found.start.hour, found.end and found.end.hour) == (1, 3)


@pytest.mark.parametrize(
    ("code", "display", "route"),
    [
        ("404820008", "Epidural route", "topical"),
        ("418114005", "Intravenous central route", "iv"),
        ("1", "By some other way", "other"),
    ],
)
def test_a_route_by_its_snomed_code(code: str, display: str, route: str) -> None:
    coding = {"system": "http://snomed.info/sct", "code": code, "display": display}
    (found,) = drug(status="completed", dosage={"rateQuantity": quantity(100, "ug/h"), "route": {"coding": [coding]}})
    assert found.route == route


@pytest.mark.parametrize(
    ("status", "state", "ends"),
    [
        ("in-progress", AdministrationState.GIVEN, False),
        ("completed", AdministrationState.GIVEN, True),
        ("stopped", AdministrationState.STOPPED, True),
    ],
)
def test_what_runs_has_no_end(status: str, state: AdministrationState, ends: bool) -> None:
    (found,) = drug(status=status)
    assert (found.state, found.end is not None) == (state, ends)


@pytest.mark.parametrize("status", ["entered-in-error", "not-done"])
def test_what_was_not_given_takes_back_what_was_said(status: str) -> None:
    (before,), (later,) = drug(), drug(status=status, effectivePeriod={"start": "2026-01-02T02:00:00Z"})
    assert before.identity == later.identity
    assert later.state in {AdministrationState.WITHDRAWN, AdministrationState.NOT_GIVEN}


def test_a_dose_a_ratio_and_a_medication_elsewhere() -> None:
    (dose,) = drug(medicationCodeableConcept=concept("H02AB09", ATC), dosage={"dose": quantity(100, "mg")})
    assert (dose.substance, dose.dose and (dose.dose.value, dose.dose.unit)) == ("hydrocortisone", (100, "mg"))
    ratio = {"numerator": quantity(8, "mg"), "denominator": quantity(2, "h")}
    (flow,) = drug(dosage={"rateRatio": ratio})
    assert flow.rate is not None
    assert (flow.rate.value, flow.rate.unit) == (4, "mg/h")
    (quoted,) = drug(dosage={"rateRatio": {"numerator": quantity("8", "mg"), "denominator": {"code": "h"}}})
    assert quoted.rate is not None
    assert (quoted.rate.value, quoted.rate.unit) == (8, "mg/h")
    held = [{"resourceType": "Medication", "id": "x", "code": concept("C01CA03", ATC)}]
    (contained,) = drug(medicationCodeableConcept=None, medicationReference={"reference": "#x"}, contained=held)
    assert contained.substance == "norepinephrine"


@pytest.mark.parametrize(
    ("above", "below", "shown"),
    [(8, 0, "8/0"), (8, "two", "8/two"), ("1e10000000", 2, "1e10000000/2"), (8, "1e10000000", "8/1e10000000")],
)
def test_a_ratio_that_nobody_can_divide_is_no_rate_and_no_work(above: Any, below: Any, shown: str) -> None:
    """One in quotes has no bounds of its own: its digits would hold the screening up for minutes."""
    ratio = {"numerator": quantity(above, "mg"), "denominator": quantity(below, "h")}
    (found,) = drug(dosage={"rateRatio": ratio})
    assert (found.rate, found.dose, found.original.value) == (None, None, shown)


def test_an_order_is_context() -> None:
    (found,) = drug(
        "MedicationRequest", authoredOn=AT, dosageInstruction=[{"doseAndRate": [{"doseQuantity": quantity(50, "mg")}]}]
    )
    assert (found.state, found.start.hour) == (AdministrationState.ORDERED, 3)
    (back,) = drug("MedicationRequest", authoredOn=AT, status="entered-in-error")
    assert (back.identity, back.state) == (found.identity, AdministrationState.WITHDRAWN)


def test_a_drug_nobody_knows_is_told_where_it_stands() -> None:
    resource = {"resourceType": "MedicationAdministration", "id": "m", "status": "completed", "subject": WHO}
    seen = read(resource | {"medicationCodeableConcept": concept("X1", "http://hospital"), "effectiveDateTime": AT})
    assert [(issue.code, issue.where, issue.detail) for issue in seen.issues] == [
        ("unmapped-drug", "MedicationAdministration.medication[x]", "X1")
    ]


@pytest.mark.parametrize("where", ["hospitalization", "admission"])
@pytest.mark.parametrize(("code", "expired"), [("exp", True), ("home", False)])
def test_a_visit_may_end_with_a_death(where: str, code: str, expired: bool) -> None:
    ended = FINISHED | {where: {"dischargeDisposition": {"coding": [{"code": code}]}}}
    (view,) = visits(said_of(encounter(), ended))
    assert view.expired is expired
