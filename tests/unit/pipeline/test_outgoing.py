"""Who is told what, and when a gate opens."""

import json
from dataclasses import replace
from typing import Any

import pytest

from adapter.domain.alert import AlertKind
from adapter.domain.assessment import Verdict
from adapter.domain.truth import Truth
from adapter.pipeline.outgoing import (
    INTENDED_USE,
    NotifierOutlet,
    Occasion,
    Outlet,
    Owed,
    PushWhen,
    SinkOutlet,
    gate_open,
    owed,
)
from tests.assessments import CONTEXT, assessment, change, criterion

OCCASION = Occasion("c-1", "7Q2KX", "https://worklist/c/c-1")
PUSHED = replace(OCCASION, pushed={"edc": "an earlier content"})
CONSENT = {"criteria": (criterion("I4", Truth.MET),)}
REFUSED = {"criteria": (criterion("I4", Truth.NOT_MET),)}
GONE = {"shown": False, "verdict": Verdict.NOT_CANDIDATE}


def edc(gate: PushWhen = PushWhen.CANDIDATE) -> SinkOutlet:
    return SinkOutlet("edc", gate, CONTEXT)


def status_of(row: Owed) -> str:
    return str(json.loads(row.payload)["entry"][0]["resource"]["status"])


def test_a_notifier_is_told_of_each_change_and_nothing_of_the_patient() -> None:
    for kind in AlertKind:
        (row,) = owed(change(kind, assessment()), assessment(), [NotifierOutlet("mail")], OCCASION)
        assert row.subject == "c-1"
        assert json.loads(row.payload) == {
            "kind": str(kind),
            "candidate": "c-1",
            "link": "https://worklist/c/c-1",
            "trial": "immunosep",
            "intended_use": INTENDED_USE,
        }


def test_no_change_tells_nobody() -> None:
    assert owed(None, assessment(), [NotifierOutlet("mail")], OCCASION) == ()


def test_owing_twice_is_owing_once() -> None:
    outlets: list[Outlet] = [NotifierOutlet("mail"), edc()]
    first, second = (owed(change(AlertKind.RAISED, assessment()), assessment(), outlets, OCCASION) for _ in range(2))
    assert first == second
    assert len({row.key for row in first}) == 2
    later = owed(change(AlertKind.WITHDRAWN, assessment()), assessment(), outlets, OCCASION)
    assert {row.key for row in first}.isdisjoint(row.key for row in later)


@pytest.mark.parametrize(
    ("gate", "changes", "open_"),
    [
        (PushWhen.CANDIDATE, {}, True),
        (PushWhen.CANDIDATE, GONE, False),
        (PushWhen.SCREENING, {}, False),
        (PushWhen.SCREENING, {"status": "screening"}, True),
        (PushWhen.CONSENTED, {"status": "screening"}, False),
        (PushWhen.CONSENTED, {"status": "consent-asked"}, False),
        (PushWhen.CONSENTED, CONSENT, True),
        (PushWhen.CONSENTED, {"status": "consented"}, True),
        (PushWhen.CANDIDATE, {"flags": ("opt-out",)}, False),
        (PushWhen.CONSENTED, CONSENT | {"flags": ("opt-out",)}, False),
        (PushWhen.CONSENTED, CONSENT | {"status": "withdrawn"}, False),
        (PushWhen.CANDIDATE, REFUSED, False),
    ],
)
def test_a_gate_opens_at_its_moment_and_shuts_with_consent(gate: PushWhen, changes: Any, open_: bool) -> None:
    assert gate_open(assessment(**changes), gate) is open_


def test_when_the_gate_opens_the_snapshot_goes_once_without_any_alert() -> None:
    consented = assessment(**CONSENT)
    (row,) = owed(None, consented, [edc(PushWhen.CONSENTED)], OCCASION)
    assert (row.outlet, row.subject, row.kind, status_of(row)) == ("edc", "7Q2KX", "bundle", "pending-on-study")
    told = replace(OCCASION, pushed={"edc": row.content})
    assert owed(None, consented, [edc(PushWhen.CONSENTED)], told) == ()


def test_behind_a_closed_gate_nothing_is_owed() -> None:
    raised = change(AlertKind.RAISED, assessment())
    assert owed(raised, assessment(), [edc(PushWhen.CONSENTED)], replace(OCCASION, decided=True)) == ()


def test_every_later_decision_event_sends_an_update() -> None:
    assert len(owed(change(AlertKind.UPDATED, assessment()), assessment(), [edc()], PUSHED)) == 1
    assert len(owed(None, assessment(status="screening"), [edc()], replace(PUSHED, decided=True))) == 1
    (same,) = owed(None, assessment(), [edc()], PUSHED)  # what the EDC was shown last is another content
    assert owed(None, assessment(), [edc()], replace(OCCASION, pushed={"edc": same.content})) == ()


def test_a_withdrawal_goes_out_with_its_reason() -> None:
    lost = assessment(**GONE)
    (row,) = owed(change(AlertKind.WITHDRAWN, lost, "against: I6"), lost, [edc()], PUSHED)
    assert status_of(row) == "ineligible"
    assert '"against-i6"' in row.payload


def test_what_an_update_says_in_words_stays_here() -> None:
    told = change(AlertKind.UPDATED, assessment(), "was candidate mals 1999-09-09")
    (row,) = owed(told, assessment(), [edc()], PUSHED)
    assert "1999" not in row.payload


@pytest.mark.parametrize("changes", [REFUSED | {"status": "consented"}, {"status": "withdrawn"}])
def test_a_consent_taken_back_is_told_without_a_value_and_then_nothing_goes(changes: Any) -> None:
    given = assessment(**changes)
    (row,) = owed(None, given, [edc()], replace(PUSHED, decided=True))
    assert status_of(row) == "withdrawn"
    assert "Observation" not in row.payload
    assert owed(change(AlertKind.UPDATED, given), given, [edc()], PUSHED) == ()


def test_an_opt_out_stops_everything_at_once() -> None:
    given = assessment(flags=("opt-out",))
    assert owed(change(AlertKind.UPDATED, given), given, [edc()], replace(PUSHED, decided=True)) == ()


def test_a_status_set_by_a_person_carries_its_reason_code() -> None:
    given = assessment(status="declined")
    (row,) = owed(None, given, [edc()], replace(PUSHED, decided=True, reason="too-ill"))
    assert (status_of(row), '"too-ill"' in row.payload) == ("not-registered", True)


def test_a_reason_in_a_persons_words_stays_here() -> None:
    told = replace(PUSHED, decided=True, reason="Mrs Jansen said no")
    (row,) = owed(None, assessment(status="declined"), [edc()], told)
    assert "jansen" not in row.payload.lower()
    assert '"other"' in row.payload
