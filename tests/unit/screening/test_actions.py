"""A click enters as a message: built as canonical JSON, read back as an event."""

import json
from functools import cache

import pytest

from adapter import assets
from adapter.domain.events import CriterionDetermined, ObservationReceived, StatusDecided
from adapter.domain.message import MessageKind
from adapter.domain.observation import Laboratory
from adapter.domain.truth import Truth
from adapter.screening.actions import determination_body, result_body, status_body
from adapter.screening.describe import as_json
from adapter.screening.interpret import Interpretation, interpret
from adapter.screening.rulebook import Rulebook
from tests.builders import PATIENT, T0, after, raw


@cache
def rules() -> Rulebook:
    return assets.load_rulebook(None, trials=["immunosep"])


def read(body: bytes) -> Interpretation:
    message = raw(body, kind=MessageKind.ACTION, type="ACTION^result", control_id="form-1")
    return interpret(message, rules(), message_id="9")


def determination(note: str = "") -> bytes:
    return determination_body(
        patient=PATIENT, trial="immunosep", episode="V1", criterion="I4", answer=Truth.MET, at=T0, by="anna", note=note
    )


def result(concept: str = "mhladr", value: str = "4200", unit: str = "{AB}/{cell}") -> bytes:
    return result_body(patient=PATIENT, concept=concept, value=value, unit=unit, drawn=T0, at=after(1), by="anna")


def test_a_determination_comes_back_as_it_was_given() -> None:
    (event,) = read(determination("by phone — Ναι")).events
    assert isinstance(event, CriterionDetermined)
    said = event.determination
    assert (said.criterion, said.answer, said.at, said.by, said.note) == ("I4", Truth.MET, T0, "anna", "by phone — Ναι")
    assert event.patient == PATIENT


def test_a_status_comes_back_as_it_was_given() -> None:
    body = status_body(
        patient=PATIENT, trial="immunosep", episode="V1", status="declined", at=T0, by="anna", reason="family", note=""
    )
    (event,) = read(body).events
    assert isinstance(event, StatusDecided)
    assert (event.decision.status, event.decision.reason, event.decision.episode) == ("declined", "family", "V1")
    assert as_json(read(body), "x")["events"][0]["kind"] == "status"


def test_a_typed_result_is_central_and_converted_like_any_other() -> None:
    (event,) = read(result("ferritin", ">7500", "mcg/L")).events
    assert isinstance(event, ObservationReceived)
    found = event.observation
    assert found.quantity is not None
    assert (found.quantity.value, found.quantity.unit, str(found.quantity.comparator)) == (7500, "ng/mL", ">")
    assert (found.laboratory, found.effective, found.issued) == (Laboratory.CENTRAL, T0, after(1))


def test_typing_the_same_draw_again_corrects_it() -> None:
    first, again = (read(result(value=value)).events[0] for value in ("4200", "5200"))
    assert isinstance(first, ObservationReceived)
    assert isinstance(again, ObservationReceived)
    assert first.observation.identity == again.observation.identity


def test_the_same_act_is_the_same_bytes() -> None:
    assert determination() == determination()
    assert list(json.loads(determination())) == sorted(json.loads(determination()))


@pytest.mark.parametrize(("value", "unit"), [("4.420", "ng/mL"), ("high", "ng/mL"), ("4420", "furlong")])
def test_a_typed_result_that_cannot_be_read_is_refused(value: str, unit: str) -> None:
    seen = read(result("ferritin", value, unit))
    assert (seen.disposition, seen.reason, seen.events) == ("quarantined", "BAD_RESULT", ())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        determination().replace(b"determination", b"unknown"),
        determination().replace(b'"met"', b'"yes"'),
        determination().replace(b"+00:00", b""),
        determination().replace(b'"anna"', b"7"),
        result("ferritine"),
        result().replace(b'"generic"', b'"nowhere"'),
    ],
)
def test_what_is_no_act_is_quarantined(body: bytes) -> None:
    seen = read(body)
    assert (seen.disposition, seen.reason) == ("quarantined", "BAD_ACTION")
