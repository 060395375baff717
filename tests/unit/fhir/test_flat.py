"""The snapshot as flat rows: what the bundle says, and no more."""

import json
from decimal import Decimal
from typing import Any

import pytest

from adapter.fhir.bundle import DecisionEvent, bundle_text, candidate_bundle
from adapter.fhir.flat import FINDINGS, KINDS, SOFA, Flat, flat
from tests.assessments import AT, CONTEXT, assessment, evidence, followed, organ, sofa


def told(reason: str = "", **changes: Any) -> Flat:
    event = DecisionEvent("raised", reason)
    bundle = candidate_bundle(assessment(**changes), screening_id="7Q2KX", context=CONTEXT, event=event)
    return flat(json.loads(bundle_text(bundle), parse_float=Decimal))


def test_the_record_tells_who_it_is_what_was_found_and_who_said_so() -> None:
    record = told().record
    assert {name: record[name] for name in ("screening-number", "study", "status", "verdict", "stratum", "event")} == {
        "screening-number": "7Q2KX",
        "study": "NCT04990232",
        "status": "candidate",
        "verdict": "candidate",
        "stratum": "mals",
        "event": "raised",
    }
    assert (record["stratum-provisional"], record["software"]) == ("false", "0.1.0")
    assert record["onset"] == "2026-01-02T09:00:00+02:00"


def test_a_total_that_is_not_settled_is_empty_and_its_bounds_are_told() -> None:
    record = told().record
    assert (record["sofa-total"], record["sofa-total-low"], record["sofa-total-high"]) == ("", "5", "9")
    assert (record["sofa-liver"], record["sofa-liver-low"], record["sofa-liver-high"]) == ("", "0", "4")
    assert (record["sofa-renal"], record["sofa-renal-low"], record["sofa-renal-high"]) == ("2", "2", "2")


def test_every_row_uses_words_of_the_list_alone() -> None:
    everything = [told("declined", status="declined"), told(), told(status="on-study", follow_up=followed())]
    for one in everything:
        for kind, items in KINDS.items():
            assert all(set(row) <= set(items) for row in one.rows(kind))
    assert set(told().record) == set(KINDS["record"])


def test_values_are_told_as_they_were_measured_with_the_name_of_their_result() -> None:
    low = evidence("platelets", "<0.0000001", "10*3/uL", issued=AT, laboratory="local")
    rows = {row["concept"]: row for row in told(sofa=sofa(coagulation=organ(4, low))).observations}
    assert set(rows) == {"platelets", "ferritin", "mhladr"}
    one = rows["platelets"]
    assert (one["comparator"], one["value"], one["unit"]) == ("<", "0.0000001", "10*3/uL")
    assert (one["code"], one["laboratory"], one["issued"]) == ("26515-7", "local", "2026-01-02T12:00:00+02:00")
    assert len({row["id"] for row in rows.values()}) == 3


def test_once_somebody_ended_it_the_status_is_told_and_nothing_measured() -> None:
    ended = told("relative", status="declined")
    assert (ended.record["status"], ended.record["reason"]) == ("not-registered", "relative")
    assert not set(ended.record) & set(FINDINGS)
    assert (ended.observations, ended.days) == ((), ())


def test_study_days_hold_their_score_and_survival_in_one_row() -> None:
    after = told(status="on-study", follow_up=followed())
    second, last = after.days
    assert (second["day"], second["vital-status"], second["carried"]) == ("2", "alive", "renal")
    assert (second["sofa-coagulation"], second["sofa-total"], second["sofa-total-high"]) == ("4", "", "9")
    assert second["start"] == "2026-01-03T00:00:00Z"
    assert dict(last) == {"day": "28", "vital-status": ""}
    assert not set(SOFA) & set(after.record)


def test_what_is_no_snapshot_of_ours_is_refused() -> None:
    for payload in ({}, {"entry": [{"resource": {"resourceType": "ResearchSubject", "identifier": []}}]}):
        with pytest.raises(ValueError, match="screening number"):
            flat(payload)
