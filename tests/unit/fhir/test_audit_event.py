"""Entries of the audit log as AuditEvent: FHIR's model takes every action, and who claims a profile of BALP keeps to it."""

import json
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from adapter.fhir.audit_codes import BALP, DISCLOSURE, KINDS
from adapter.fhir.audit_event import audit_event
from adapter.fhir.bindings import problems

HASH = "ab" * 32


def entry(action: str, **more: str) -> dict[str, Any]:
    said = {"seq": 7, "at": "2026-01-02T03:00:00.000000Z", "actor": "anna", "role": "coordinator", "action": action}
    said |= {"object_type": "candidate", "object_id": "c1", "detail": '{"outlet":"edc"}', "outcome": "ok", "reason": ""}
    return said | {"previous": "0" * 64, "hash": HASH} | more


def taken(said: dict[str, Any]) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(AuditEvent.model_validate(audit_event(said)).model_dump_json())
    assert problems(event) == ()
    return event


def of(event: dict[str, Any], code: str) -> list[dict[str, Any]]:
    """Agents by the code of their type."""
    return [one for one in event["agent"] if one.get("type", {}).get("coding", [{}])[0].get("code") == code]


def things(event: dict[str, Any], code: str) -> list[dict[str, Any]]:
    return [one for one in event["entity"] if one["type"]["code"] == code]


@pytest.mark.parametrize("action", KINDS)
def test_fhirs_model_takes_every_action_and_a_profile_is_kept_to(action: str) -> None:
    event, kind = taken(entry(action)), KINDS[action]
    assert event["id"] == HASH
    assert event["subtype"][-1]["code"] == action
    assert {"type": "hash", "valueString": HASH} in things(event, "4")[0]["detail"]
    if not kind.profile:
        assert "meta" not in event
        return
    assert event["meta"]["profile"] == [BALP + kind.profile]
    sources, destinations = of(event, "110153"), of(event, "110152")
    assert (len(sources), len(destinations)) == (1, 1)
    assert all(one["network"] and one["who"] for one in sources + destinations)
    assert len(things(event, "2")) == 1
    assert len(things(event, "1")) == 1
    assert things(event, "1")[0]["what"]["identifier"]["value"] == "c1"
    if kind is DISCLOSURE:
        assert sources[0]["who"] == event["source"]["observer"]
        assert destinations[0]["who"] == {"display": "edc"}
        return
    person = of(event, "IRCP")[0]
    assert (person["requestor"], person["who"]["identifier"]["value"]) == (True, "anna")
    ours = sources if kind.action == "R" else destinations
    assert ours[0]["who"] == event["source"]["observer"]


def test_who_did_not_succeed_claims_no_profile_and_says_how_it_ended() -> None:
    event = taken(entry("view-candidate", outcome="not found"))
    assert "meta" not in event
    assert (event["outcome"], event["outcomeDesc"]) == ("4", "not found")


@pytest.mark.parametrize(
    ("action", "about", "profile"),
    [
        ("explain", "patient", None),
        ("view-worklist", "worklist", "Query"),
        ("inbox-show", "message", "Read"),
        ("view-candidate", "", None),
    ],
)
def test_a_profile_about_a_patient_is_claimed_with_one_alone(action: str, about: str, profile: str | None) -> None:
    event = taken(entry(action, object_type=about, object_id="5" if about == "message" else ""))
    assert event.get("meta", {}).get("profile") == (None if profile is None else [BALP + profile])
    assert things(event, "1") == []


def test_an_unknown_action_nobody_and_a_reason_are_told_too() -> None:
    event = taken(entry("of-tomorrow", actor="", role="", object_type="", object_id="", reason="round"))
    assert event["type"]["code"] == "110100"
    assert event["agent"][0]["who"]["identifier"]["value"] == "unknown"
    assert "role" not in event["agent"][0]
    assert event["purposeOfEvent"] == [{"text": "round"}]
    assert things(event, "2") == []


def test_a_blinded_entry_has_no_id_and_no_details() -> None:
    blinded = {
        name: said for name, said in entry("push-sent").items() if name not in {"detail", "reason", "hash", "previous"}
    }
    event = taken(blinded)
    assert "id" not in event
    assert of(event, "110152")[0]["who"] == {"display": "EDC"}
    assert [one["type"] for one in things(event, "4")[0]["detail"]] == ["object_type", "object_id"]
    bare = taken(
        {name: said for name, said in blinded.items() if name != "seq"} | {"seq": 1, "object_type": "", "object_id": ""}
    )
    assert "detail" not in things(bare, "4")[0]
