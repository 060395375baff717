"""Delivery to a REDCap project behind a real socket and a proxy that misbehaves; and whose word stands there."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapter import assets
from adapter.domain.assessment import Verdict
from adapter.domain.message import Delivery, RemoteResource
from adapter.errors import ConfigError, RejectedError, UnavailableError
from adapter.fhir.bundle import DecisionEvent, bundle_text, candidate_bundle
from adapter.pipeline.exchange import PAUSE, Limits
from adapter.sinks.redcap import Project, Redcap
from adapter.sinks.redcap_fields import read_fields
from tests import redcap_server
from tests.assessments import AT, CONTEXT, assessment, evidence, followed, organ, sofa
from tests.peers import Script, misbehaving, serving

NOW = datetime(2026, 1, 2, 10, tzinfo=UTC)
FIELDS = read_fields(assets.load_field_file(None, "immunosep-demo"))
NUMBER = "7Q2KX"
HELD = RemoteResource(NUMBER, "")


def delivery(*, remote: RemoteResource | None = None, reason: str = "", **changes: Any) -> Delivery:
    event = DecisionEvent("updated" if remote else "raised", reason)
    bundle = candidate_bundle(assessment(**changes), screening_id=NUMBER, context=CONTEXT, event=event)
    return Delivery(1, "edc", NUMBER, "bundle", bundle_text(bundle), "key", remote=remote)


def platelets(value: str) -> dict[str, Any]:
    """An assessment in which the same result says this."""
    return {"sofa": sofa(coagulation=organ(3, evidence("platelets", value, "10*3/uL")), liver=organ(None))}


LIMITS = Limits(10, 20, 30, 1024 * 1024)


class Bench:
    def __init__(self, stack: ExitStack) -> None:
        self.there, self.script = redcap_server.Project(), Script()
        direct = stack.enter_context(serving(self.there.app()))
        self.base = stack.enter_context(misbehaving(direct, self.script))
        self.project = Project(
            f"{self.base}/api/",
            redcap_server.TOKEN,
            FIELDS,
            ZoneInfo("Europe/Athens"),
            limits=LIMITS,
        )
        self.sink = Redcap(self.project, lambda: NOW)

    def deliver(self, given: Delivery) -> RemoteResource | None:
        return asyncio.run(self.sink.deliver(given))

    def otherwise(self, **changes: Any) -> None:
        self.sink = Redcap(replace(self.project, **changes), lambda: NOW)

    @property
    def record(self) -> dict[str, str]:
        return self.there.row(NUMBER)

    def value(self, concept: str) -> dict[str, str]:
        (found,) = (r for r in self.there.rows(NUMBER, "screening_values") if r["obs_concept"] == concept)
        return found


@pytest.fixture
def bench() -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(stack)


def test_a_snapshot_becomes_a_record_and_a_row_for_each_value(bench: Bench) -> None:
    assert bench.deliver(delivery()) == HELD
    record = bench.record
    assert (record["scr_status"], record["scr_stratum"], record["scr_sofa_total_low"]) == ("candidate", "mals", "5")
    assert "scr_sofa_total" not in record
    assert (record["scr_onset"], record["scr_stratum_provisional"]) == ("2026-01-02 09:00:00", "0")
    assert record["screening_complete"] == "1"
    ferritin = bench.value("ferritin")
    assert (ferritin["obs_value"], ferritin["obs_unit"], ferritin["obs_laboratory"]) == ("5200", "ng/mL", "central")
    assert [place for place in bench.there.records[NUMBER] if place[0]] == [
        ("screening_values", n) for n in (1, 2, 3, 4)
    ]


def test_neither_the_token_nor_the_number_stands_in_an_address(bench: Bench) -> None:
    bench.deliver(delivery())
    assert {(method, path) for method, path, _, _ in bench.script.seen} == {("POST", "/api/")}
    assert redcap_server.TOKEN not in repr(bench.project)


def test_the_same_again_writes_nothing(bench: Bench) -> None:
    bench.script.steps = [lambda: None, lambda: None, lambda: None, "drop-after"]
    with pytest.raises(UnavailableError):
        bench.deliver(delivery())
    assert bench.deliver(delivery()) == HELD
    assert len(bench.there.imports) == 1


def test_times_are_those_of_one_zone(bench: Bench) -> None:
    bench.otherwise(zone=ZoneInfo("Europe/Amsterdam"))
    bench.deliver(delivery())
    assert bench.record["scr_onset"] == "2026-01-02 08:00:00"


def test_a_correction_changes_the_row_of_its_result_and_what_no_longer_holds_is_emptied(bench: Bench) -> None:
    settled = {"sofa": sofa(coagulation=organ(3, evidence("platelets", "40", "10*3/uL")))}
    bench.deliver(delivery(**settled))
    assert (bench.record["scr_sofa_total"], bench.value("platelets")["obs_value"]) == ("3", "40")
    bench.deliver(delivery(remote=HELD, **platelets("<45")))
    assert (bench.record["scr_sofa_total"], bench.record["scr_sofa_total_high"]) == ("", "7")
    assert (bench.value("platelets")["obs_value"], bench.value("platelets")["obs_comparator"]) == ("45", "lt")
    first, second = bench.there.imports
    assert (first["overwriteBehavior"], second["overwriteBehavior"]) == ("normal", "overwrite")
    assert "obs_concept" not in {name for row in json.loads(second["data"]) for name in row}


def test_a_persons_edit_wins_and_the_hospitals_word_is_shown_beside_it(bench: Bench) -> None:
    bench.deliver(delivery())
    bench.record["scr_status"] = "screening"
    bench.value("platelets")["obs_value"] = "41"
    bench.deliver(delivery(remote=HELD, verdict=Verdict.INCOMPLETE, **platelets("44")))
    assert (bench.record["scr_status"], bench.record["scr_verdict"]) == ("screening", "incomplete")
    assert bench.record["scr_differs"] == "scr_status=potential-candidate"
    assert (bench.value("platelets")["obs_value"], bench.value("platelets")["obs_differs"]) == ("41", "obs_value=44")


def test_once_both_say_the_same_the_machine_goes_on(bench: Bench) -> None:
    bench.deliver(delivery(**platelets("40")))
    bench.value("platelets")["obs_value"] = "41"
    for given, stands, differs in (("44", "41", "obs_value=44"), ("41", "41", ""), ("39", "39", "")):
        bench.deliver(delivery(remote=HELD, **platelets(given)))
        assert (bench.value("platelets")["obs_value"], bench.value("platelets")["obs_differs"]) == (stands, differs)


def test_what_a_person_confirmed_is_theirs_as_a_whole(bench: Bench) -> None:
    bench.deliver(delivery(**platelets("40")))
    bench.value("platelets")["screening_values_complete"] = "2"
    bench.deliver(delivery(remote=HELD, **platelets("44")))
    row = bench.value("platelets")
    assert (row["obs_value"], row["obs_differs"], row["screening_values_complete"]) == ("40", "obs_value=44", "2")
    row["screening_values_complete"] = "1"
    bench.deliver(delivery(remote=HELD, **platelets("44")))
    assert (row["obs_value"], row["obs_differs"]) == ("44", "")


def test_what_the_hospital_does_not_know_contradicts_nobody(bench: Bench) -> None:
    bench.deliver(delivery())
    bench.record["scr_sofa_liver"] = "2"
    bench.deliver(delivery(remote=HELD, **platelets("44")))
    assert (bench.record["scr_sofa_liver"], bench.record.get("scr_differs", "")) == ("2", "")


def test_what_is_taken_back_from_a_confirmed_form_is_shown(bench: Bench) -> None:
    bench.deliver(delivery(sofa=sofa(coagulation=organ(3, evidence("platelets", "40", "10*3/uL")))))
    bench.record["screening_complete"] = "2"
    bench.deliver(delivery(remote=HELD, **platelets("40")))
    assert bench.record["scr_sofa_total"] == "3"
    assert "scr_sofa_total=;" in bench.record["scr_differs"]


def test_what_people_add_is_neither_read_nor_written(bench: Bench) -> None:
    bench.deliver(delivery())
    bench.record["scr_remarks"] = "call the ward"
    bench.there.records[NUMBER][("screening_values", 9)] = {"obs_value": "of a person"}
    more = platelets("44") | {"facts": {"lactate": evidence("weight", "70", "kg")}}
    bench.deliver(delivery(remote=HELD, **more))
    newest = assessment().facts["ferritin"], evidence("crp", "70", "mg/L")
    bench.deliver(delivery(remote=HELD, stratum_evidence=(*newest, evidence("weight", "70", "kg"))))
    assert bench.record["scr_remarks"] == "call the ward"
    assert bench.there.row(NUMBER, "screening_values", 9) == {"obs_value": "of a person"}
    assert bench.there.row(NUMBER, "screening_values", 10)["obs_concept"] == "weight"
    assert "crp" not in json.dumps(bench.there.imports)


def test_after_registration_the_screening_stands_and_each_study_day_has_its_row(bench: Bench) -> None:
    bench.deliver(delivery())
    before = {name: value for name, value in bench.record.items() if "sofa" in name or "verdict" in name}
    bench.deliver(delivery(remote=HELD, status="on-study", follow_up=followed()))
    assert bench.record["scr_status"] == "on-study"
    assert before.items() <= bench.record.items()
    day = bench.there.row(NUMBER, "study_days", 2)
    assert (day["day_number"], day["day_vital_status"], day["day_sofa_coag"], day["day_carried"]) == (
        "2",
        "1",
        "4",
        "renal",
    )
    assert "day_vital_status" not in bench.there.row(NUMBER, "study_days", 28)
    bench.deliver(delivery(remote=HELD, status="on-study", follow_up=followed(total=4)))
    assert day["day_sofa_coag"] == "3"


def test_somebody_who_declined_is_told_by_status_and_reason(bench: Bench) -> None:
    bench.deliver(delivery())
    bench.deliver(delivery(remote=HELD, status="declined", reason="relative"))
    assert (bench.record["scr_status"], bench.record["scr_reason"]) == ("not-registered", "relative")


def test_an_event_and_a_group_are_named_where_the_project_has_them(bench: Bench) -> None:
    bench.there.event = "screening_arm_1"
    bench.otherwise(event="screening_arm_1", group="greece")
    bench.deliver(delivery())
    assert bench.record["redcap_data_access_group"] == "greece"
    bench.record["redcap_data_access_group"] = "moved"
    bench.deliver(delivery(remote=HELD, **platelets("44")))
    assert bench.record["redcap_data_access_group"] == "moved"


# --- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [408, 429, 500, 502, 503, 504, "drop", "hang"])
def test_what_may_pass_is_tried_again_and_then_arrives(bench: Bench, step: Any) -> None:
    bench.script.steps = [step]
    bench.otherwise(limits=replace(LIMITS, read=1, total=2) if step == "hang" else LIMITS)
    with pytest.raises(UnavailableError):
        bench.deliver(delivery())
    assert bench.there.records == {}
    bench.otherwise()
    assert bench.deliver(delivery()) == HELD


@pytest.mark.parametrize("status", [301, 302, 401, 403, 404])
def test_a_locked_or_moved_door_pauses_and_loses_nothing(bench: Bench, status: int) -> None:
    bench.script.steps = [(status, {"Location": "http://127.0.0.1:1/"}, b"")]
    with pytest.raises(UnavailableError) as error:
        bench.deliver(delivery())
    assert error.value.retry_after == PAUSE
    assert len(bench.script.seen) == 1


def test_a_token_that_is_not_theirs_pauses(bench: Bench) -> None:
    bench.otherwise(token="F" * 32)
    with pytest.raises(UnavailableError, match="credentials") as error:
        bench.deliver(delivery())
    assert "F" * 32 not in str(error.value)


@pytest.mark.parametrize(
    "body", [b"<html>log in to REDCap</html>", b"", b"[" * 100_000, b"7", b'{"a": 1}', b"[1]", b"x" * 2_000_000]
)
@pytest.mark.parametrize("asked", [0, 2])
def test_an_answer_that_is_no_answer_is_tried_again(bench: Bench, body: bytes, asked: int) -> None:
    bench.script.steps = [*([lambda: None] * asked), (200, {"Content-Type": "application/json"}, body)]
    with pytest.raises(UnavailableError):
        bench.deliver(delivery())
    assert bench.there.imports == []


@pytest.mark.parametrize("body", [b"[]", b'["other"]', b'["7Q2KX", "other"]', b'{"count": 0}', b'{"count": 2}'])
def test_a_count_that_is_not_ours_is_a_dead_letter(bench: Bench, body: bytes) -> None:
    bench.script.steps = [*([lambda: None] * 3), (200, {}, body)]
    with pytest.raises(RejectedError, match="not the one that was sent"):
        bench.deliver(delivery())


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, '"7Q2KX","obs_value","Piet Jansen","The value could not be validated"'),
        (200, {"error": 'ERROR: "7Q2KX","obs_value","Piet Jansen","no"'}),
        (400, {"error": '"7Q2KX","obs_value","Piet Jansen","The value could not be validated"'}),
    ],
)
def test_a_refused_record_names_our_field_and_repeats_nothing_redcap_said(bench: Bench, status: int, body: Any) -> None:
    bench.script.steps = [*([lambda: None] * 3), (status, {}, json.dumps(body).encode())]
    with pytest.raises(RejectedError) as error:
        bench.deliver(delivery())
    assert "at obs_value" in str(error.value)
    assert "Piet" not in str(error.value)
    assert NUMBER not in str(error.value)


@pytest.mark.parametrize("status", [406, 413, 501])
def test_a_no_is_a_dead_letter(bench: Bench, status: int) -> None:
    bench.script.steps = [*([lambda: None] * 3), status]
    with pytest.raises(RejectedError, match=str(status)):
        bench.deliver(delivery())


def test_a_locked_form_is_a_dead_letter_that_names_its_fields(bench: Bench) -> None:
    bench.deliver(delivery(**platelets("40")))
    bench.there.locked.add("screening_values")
    with pytest.raises(RejectedError, match="obs_value"):
        bench.deliver(delivery(remote=HELD, **platelets("44")))
    assert bench.value("platelets")["obs_value"] == "40"


def test_a_record_that_somebody_deleted_is_not_made_again(bench: Bench) -> None:
    bench.deliver(delivery())
    bench.there.records.clear()
    with pytest.raises(RejectedError, match="no longer holds"):
        bench.deliver(delivery(remote=HELD))
    bench.there.records[NUMBER] = {("", 0): {}}
    assert bench.deliver(delivery(remote=HELD)) == HELD
    assert bench.record["scr_status"] == "candidate"


# --- the project -----------------------------------------------------------------------------------------------------


def test_a_project_that_lacks_our_fields_pauses_until_it_has_them(bench: Bench) -> None:
    whole, repeating = bench.there.dictionary, bench.there.repeating
    bench.there.dictionary = [one for one in whole if one["field_name"] not in ("scr_verdict", "obs_unit")]
    with pytest.raises(
        UnavailableError, match=r"scr_verdict \(on screening\), obs_unit \(on screening_values\)"
    ) as error:
        bench.deliver(delivery())
    assert error.value.retry_after == PAUSE
    bench.there.dictionary, bench.there.repeating = whole, set()
    with pytest.raises(UnavailableError, match="screening_values as repeating, study_days as repeating"):
        bench.deliver(delivery())
    bench.there.repeating = repeating
    assert bench.deliver(delivery()) == HELD


def test_a_dictionary_that_changes_under_way_pauses_instead_of_burying_every_subject(bench: Bench) -> None:
    bench.deliver(delivery())
    whole = bench.there.dictionary
    bench.there.dictionary = [one for one in whole if one["field_name"] != "obs_value"]
    with pytest.raises(UnavailableError, match="obs_value"):
        bench.deliver(delivery(remote=HELD, **platelets("44")))
    bench.there.dictionary = whole
    bench.deliver(delivery(remote=HELD, **platelets("44")))
    assert bench.value("platelets")["obs_value"] == "44"


def test_a_record_id_that_is_not_the_first_field_is_seen(bench: Bench) -> None:
    bench.there.dictionary = [{"field_name": "study_id", "form_name": "screening"}, *bench.there.dictionary]
    with pytest.raises(UnavailableError, match="record_id"):
        bench.deliver(delivery())


def test_a_word_that_has_no_code_is_a_dead_letter_not_a_guess(bench: Bench) -> None:
    form = FIELDS.forms[0]
    coded = replace(form.fields["stratum"], codes={"immunoparalysis": "1"})
    only = replace(FIELDS, forms=(replace(form, fields={**form.fields, "stratum": coded}), *FIELDS.forms[1:]))
    bench.otherwise(fields=only)
    with pytest.raises(RejectedError, match="'stratum'"):
        bench.deliver(delivery())


def test_a_payload_that_is_none_of_ours_is_a_dead_letter(bench: Bench) -> None:
    for payload in ("{}", "no JSON", '{"entry": [{}]}', "[]"):
        with pytest.raises(RejectedError):
            bench.deliver(Delivery(1, "edc", NUMBER, "bundle", payload, "key"))


def test_plain_http_to_another_machine_is_refused() -> None:
    for url in ("http://redcap.example.org/api/", "https://u:p@redcap.example.org/api/"):
        with pytest.raises(ConfigError):
            Redcap(Project(url, "t", FIELDS, UTC), lambda: AT)
