"""Whom a message speaks of: what was read, what nobody read, and the bare number in bytes that nobody can take apart."""

from dataclasses import replace

import pytest

from adapter.assets import load_rulebook
from adapter.domain.message import MessageKind, RawMessage
from adapter.domain.patient import PatientId
from adapter.errors import MalformedMessageError
from adapter.screening.interpret import Interpretation, interpret, unreadable
from adapter.screening.named import about, holds, named, speaks_of
from tests.builders import adt, obx, oru, raw

RULES = load_rulebook(None, trials=["immunosep-demo"])
ME, OTHER = PatientId("generic", "HOSP", "4711"), PatientId("generic", "HOSP", "4712")
FERRITIN = obx("2276-4", "5200", "ng/mL")


def read(message: RawMessage) -> Interpretation:
    try:
        return interpret(message, RULES, message_id="1")
    except MalformedMessageError as error:
        return unreadable(message.body, error.code)


def speaks(message: RawMessage, of: PatientId = ME) -> bool:
    return speaks_of(message, RULES, read(message), {of})


def test_a_result_speaks_of_its_patient_and_a_merge_of_both() -> None:
    merge = raw(adt("A40", patient="4711", merged="4712", control="m"))
    assert about(read(merge)) == {ME, OTHER}
    assert named(merge, RULES, read(merge)) == {ME, OTHER}
    assert (speaks(raw(oru(FERRITIN, patient="4711"))), speaks(raw(oru(FERRITIN, patient="4712")))) == (True, False)


def test_what_was_applied_speaks_of_nobody_it_merely_mentions() -> None:
    kin = raw(adt("A31", patient="4712", control="k") + b"\rNK1|1|X|MTH||||||||||||||||||||||||||||4711")
    assert not speaks(kin)
    assert holds(kin.body, "4711")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(oru(FERRITIN, patient="4711").replace(b"|P|", b"|T|"), id="quarantined, with its authority"),
        pytest.param(oru(FERRITIN, patient="4711").replace(b"|P|", b"|T|").replace(b"HOSP^MR", b"^MR"), id="without"),
        pytest.param(oru(FERRITIN, patient="4711").replace(b"ORU^R01", b"ORM^O01"), id="ignored"),
        pytest.param(b"rubbish of 4711, really", id="no message at all"),
    ],
)
def test_of_what_nobody_applied_the_bare_number_is_enough(body: bytes) -> None:
    assert speaks(raw(body))
    assert not speaks(raw(body), PatientId("generic", "HOSP", "711"))
    assert not speaks(raw(body), OTHER)


def test_a_message_of_a_site_nobody_knows_and_one_that_is_no_hl7_are_looked_through_too() -> None:
    body = oru(FERRITIN, patient="4711")
    assert speaks_of(replace(raw(body), site="gone"), RULES, unreadable(body, "SITE"), {replace(ME, site="gone")})
    act = raw(b'{"kind":"status","patient":"4711"}', kind=MessageKind.ACTION)
    assert speaks(act)
