"""Corners of the heart: whose words are told, which reason is given, and what an EDC is shown of a trial that is gone."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest

from adapter import assets
from adapter.domain import overlay
from adapter.domain.alert import AlertKind, CandidateAlert
from adapter.domain.assessment import Verdict
from adapter.domain.condition import Condition, ConditionStatus
from adapter.domain.encounter import Encounter, EncounterClass
from adapter.domain.events import (
    ClinicalEvent,
    ConditionStated,
    CriterionDetermined,
    ObservationReceived,
    PatientDescribed,
    RecordsTied,
    StatusDecided,
)
from adapter.domain.message import MessageKind
from adapter.domain.patient import Decision, Demographics, Determination, PatientId, PatientState, Stated
from adapter.domain.ties import Merge, Move, Unlink
from adapter.domain.truth import Truth
from adapter.eligibility.episode import NEWER_VISIT
from adapter.eligibility.evaluate import DELETED
from adapter.scoring.chart import Chart
from adapter.scoring.options import ScoringOptions
from adapter.screening import snapshot
from adapter.screening.actions import determination_body
from adapter.screening.alerts import why_not
from adapter.screening.describe import event_json
from adapter.screening.interpret import interpret
from adapter.screening.reasons import FAILED, REASONS, explained
from adapter.screening.rulebook import Rulebook
from adapter.screening.screen import screen
from adapter.screening.snapshot import as_decided
from adapter.screening.state import apply, apply_all, told_again, union
from adapter.screening.whose import whose
from tests.assessments import assessment
from tests.builders import PATIENT, T0, adt, after, observation, obx, oru, raw, state_of, visit

PLATELETS = obx("777-3", "98", "10*9/L")
OTHER = PatientId("generic", "HOSP", "200")


@cache
def rules() -> Rulebook:
    return assets.load_rulebook(None, trials=["immunosep"])


# --- why people are told no longer ----------------------------------------------------------------------------------------


def left() -> Encounter:
    return Encounter("V1", EncounterClass.EMERGENCY, "ED", "1", T0, after(9), started_in_emergency=True)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"flags": (DELETED, NEWER_VISIT)}, "record deleted"),
        ({"flags": (NEWER_VISIT,)}, "a newer visit has begun"),
        ({"encounter": left()}, "the visit has ended"),
        ({"encounter": replace(left(), discharged=None)}, "no longer enough evidence"),
        ({"encounter": None}, "no longer enough evidence"),
        ({"verdict": Verdict.EXPIRED, "flags": (DELETED,)}, "the time limit has passed"),
    ],
)
def test_a_withdrawal_says_what_the_coordinator_would_ask_first(changes: dict[str, object], reason: str) -> None:
    assert why_not(replace(assessment(shown=False), **changes)) == reason


def test_a_reason_is_told_in_words_and_a_batch_in_all_of_its() -> None:
    assert explained("HDR") == REASONS["HDR"]
    assert explained("HDR, STRUCT") == f"{REASONS['HDR']}; {REASONS['STRUCT']}"
    assert explained("INTERNAL KeyError") == FAILED
    assert explained("of another time") == ""


# --- what is told of an event -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tie", "told"),
    [
        (
            Merge(OTHER, PATIENT),
            {"kind": "merge", "from": {"authority": "HOSP", "id": "200"}, "into": {"authority": "HOSP", "id": "100"}},
        ),
        (
            Unlink(PATIENT, OTHER),
            {"kind": "unlink", "patients": [{"authority": "HOSP", "id": "100"}, {"authority": "HOSP", "id": "200"}]},
        ),
        (
            Move(OTHER, PATIENT, "V1", "V2"),
            {
                "kind": "move",
                "from": {"patient": {"authority": "HOSP", "id": "200"}, "visit": "V1"},
                "into": {"patient": {"authority": "HOSP", "id": "100"}, "visit": "V2"},
            },
        ),
        (
            Move(OTHER, PATIENT, "K1", "K2", account=True),
            {
                "kind": "move",
                "from": {"patient": {"authority": "HOSP", "id": "200"}, "account": "K1"},
                "into": {"patient": {"authority": "HOSP", "id": "100"}, "account": "K2"},
            },
        ),
    ],
)
def test_a_dry_run_says_who_goes_where(tie: Merge | Unlink | Move, told: dict[str, object]) -> None:
    assert event_json(RecordsTied(PATIENT, tie)) == told


def test_what_people_say_is_told_without_who_said_it_and_kept_once() -> None:
    """A dry run may be shown to anybody: the answer stands there, the name of the nurse does not."""
    answer = Determination("immunosep", "I4", Truth.MET, T0, "anna", digest="d")
    status = Decision("immunosep", "V1", "declined", T0, "anna", reason="family", digest="s")
    events = (CriterionDetermined(PATIENT, answer), StatusDecided(PATIENT, status))
    at = {"at": T0.isoformat()}
    assert [event_json(event) for event in events] == [
        {"kind": "determination", "trial": "immunosep", "criterion": "I4", "answer": "met"} | at,
        {"kind": "status", "trial": "immunosep", "status": "declined", "reason": "family"} | at,
    ]
    state = told(*events, *events)
    assert (state.determinations, state.decisions) == ((answer,), (status,))
    again = state_of(observation("platelets", 90), determinations=(answer,), decisions=(status,))
    assert union(state, again).results == again.results


def test_one_result_is_applied_as_many_are() -> None:
    one, other = observation("platelets", 90), observation("platelets", 40, at=after(1))
    both = [ObservationReceived(PATIENT, result) for result in (one, other)]
    assert apply(apply(PatientState(PATIENT), both[1]), both[0]) == told(*both)


def test_the_newest_description_of_a_person_stands_field_by_field() -> None:
    def said(**fields: tuple[str, float]) -> PatientDescribed:
        stated = {name: Stated(value, after(hour)) for name, (value, hour) in fields.items()}
        return PatientDescribed(PATIENT, Demographics(stated))

    first, second = said(sex=("male", 1), died=("no", 1)), said(sex=("female", 2), died=("yes", 0))
    for order in ((first, second), (second, first)):
        demographics = told(*order).demographics
        assert (demographics.get("sex"), demographics.get("died")) == ("female", "no")
    known = told(first)
    assert apply(known, first).demographics is known.demographics


def test_a_tie_of_records_changes_what_nobody_said_of_the_patient_himself() -> None:
    """Records are tied elsewhere (`lives`): the state of one record stays what was said of it."""
    state = state_of(observation("platelets", 90))
    assert apply(state, RecordsTied(PATIENT, Merge(OTHER, PATIENT))) is state


def test_a_number_of_a_patient_never_stands_in_a_log() -> None:
    assert "100" not in repr(PATIENT)
    assert "100" not in repr(Merge(PATIENT, OTHER))


# --- what was read before and is read anew ------------------------------------------------------------------------------------


def told(*events: ClinicalEvent) -> PatientState:
    return apply_all(PatientState(PATIENT), events)


def diagnosis(code: str, status: str = "active", hour: float = 0) -> Condition:
    return Condition(
        code, "icd-10", code, ConditionStatus(status), T0, "1", sender_time=after(hour), digest=f"{code}|{status}"
    )


def test_a_diagnosis_told_again_is_kept_once_at_its_newest_telling() -> None:
    first, again = diagnosis("N18.6"), diagnosis("N18.6", hour=5)
    for order in ((first, again), (again, first), (first, again, first)):
        (kept,) = told(*(ConditionStated(PATIENT, one) for one in order)).conditions
        assert kept.sender_time == after(5)


# --- what belongs to nobody we know -------------------------------------------------------------------------------------------


def test_a_site_that_is_no_longer_configured_reads_nothing_and_scores_by_the_defaults() -> None:
    page = raw(b"{}", site="gone", kind=MessageKind.FHIR)
    seen = interpret(page, rules(), message_id="1")
    assert (seen.disposition, seen.reason) == ("quarantined", "SITE")
    assert whose(page, rules()) is None
    assert rules().scoring_options("gone") == ScoringOptions()


@pytest.mark.parametrize(
    ("conventions", "policy"),
    [((), "native_table"), (("converted-units",), "converted"), (("printed-units",), "printed")],
)
def test_a_site_says_which_unit_column_counts(conventions: tuple[str, ...], policy: str) -> None:
    known = rules()
    sites = {"here": replace(known.sites["generic"], conventions=frozenset(conventions))}
    assert replace(known, sites=sites).scoring_options("here").unit_policy == policy


def test_whose_a_message_seems_to_be_by_a_look_at_its_first_patient() -> None:
    assert whose(raw(oru(PLATELETS)), rules()) == PATIENT
    assert whose(raw(adt("A01", patient="200")), rules()) == OTHER
    assert whose(raw(b"PID|1||100"), rules()) is None
    assert whose(raw(oru(PLATELETS, patient="")), rules()) is None
    assert whose(replace(raw(oru(PLATELETS)), quarantine="TOO_BIG"), rules()) is None
    click = determination_body(
        patient=OTHER, trial="immunosep", episode="V1", criterion="I4", answer=Truth.MET, at=T0, by="anna", note=""
    )
    assert whose(raw(click, kind=MessageKind.ACTION), rules()) == OTHER
    for body in (b"[]", b"{}", b"no JSON", b'{"patient": 7}'):
        assert whose(raw(body, kind=MessageKind.ACTION), rules()) is None


# --- what an EDC is shown -----------------------------------------------------------------------------------------------------


def test_an_assessment_of_a_trial_that_is_gone_is_shown_as_it_was_made() -> None:
    gone = replace(assessment(), trial="another", at=datetime(2026, 1, 3, tzinfo=UTC))
    assert as_decided(gone, Chart(state_of()), rules()) is gone


def test_nothing_is_asked_again_of_messages_that_were_never_read() -> None:
    state = state_of(observation("platelets", 90))
    assert told_again(state, (), ()) is state


def test_who_is_described_as_two_persons_is_explained_with_both() -> None:
    """Name, birth date and sex all differ: nothing leaves before somebody says that it is one person (reliability C08)."""
    one, other = (overlay.field(name, born, sex) for name, born, sex in (("a", "1", "f"), ("b", "2", "m")))
    state = state_of(observation("platelets", 90))
    state = replace(state, demographics=Demographics({name: Stated("described", T0) for name in (one, other)}))
    found = screen(state, (), rules(), alerts={}, now=after(1))
    flagged = found.judgements[0].assessment
    assert overlay.POSSIBLE_OVERLAY in flagged.flags
    assert snapshot.explained(flagged, found.chart, rules(), known_as="S-1")["described"] == sorted([one, other])
    plain = replace(flagged, flags=())
    assert "described" not in snapshot.explained(plain, found.chart, rules(), known_as="S-1")


# --- the whole step -----------------------------------------------------------------------------------------------------------


def test_an_episode_that_people_still_believe_in_is_judged_before_the_present_one() -> None:
    """Discharged and back within the day: the old alert is withdrawn, then the new visit is looked at."""
    first, left = visit(at=T0), visit("discharge", at=after(3))
    again = visit(at=after(5), number="V2")
    believed = CandidateAlert("immunosep", "V1", True, "a b c d e", T0, T0)  # noqa: FBT003 — named by the dataclass
    forgotten = replace(believed, episode="V0", standing=False)
    elsewhere = replace(believed, trial="other", episode="V3")
    alerts = {(one.trial, one.episode): one for one in (believed, forgotten, elsewhere)}
    found = screen(state_of(encounter=[first, left, again]), (), rules(), alerts=alerts, now=after(6))
    assert [(one.assessment.episode, one.told) for one in found.judgements] == [("V1", True), ("V2", False)]
    withdrawn = found.judgements[0].change
    assert withdrawn is not None
    assert (withdrawn.kind, withdrawn.reason) == (AlertKind.WITHDRAWN, "a newer visit has begun")
