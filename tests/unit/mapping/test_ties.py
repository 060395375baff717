"""MRG and pairs of PID as senders write them: whose record is whose, and which visit or account moves (HL7 v2 chapter 3)."""

from datetime import UTC, datetime

import pytest

from adapter.assets import load_rulebook
from adapter.domain.events import RecordsTied
from adapter.domain.patient import PatientId
from adapter.domain.ties import Merge, Move, Tie, Unlink
from adapter.screening.interpret import Interpretation, interpret
from tests.builders import account_move, adt, er7, move, msh, pair, pid, raw

RULES = load_rulebook(None, trials=())
A, B = (PatientId("generic", "HOSP", number) for number in ("100", "200"))
SENT = "20260102030000+0000"
AT = datetime(2026, 1, 2, 3, tzinfo=UTC)


def read(body: bytes) -> Interpretation:
    return interpret(raw(body), RULES, message_id="7")


def ties(seen: Interpretation) -> list[Tie]:
    return [event.tie for event in seen.events if isinstance(event, RecordsTied)]


def codes(seen: Interpretation) -> list[str]:
    return [issue.code for issue in seen.issues]


@pytest.mark.parametrize("event", ["A18", "A30", "A34", "A36", "A40", "A43", "A47"])
def test_every_merge_event_makes_one_record_of_two(event: str) -> None:
    seen = read(adt(event, merged="200", sent=SENT))
    assert ties(seen) == [Merge(B, A, AT)]
    assert seen.patients == (A, B)


@pytest.mark.parametrize("mrg", ["", "MRG|", "MRG|^^^OTHER^MR"])
def test_a_merge_that_does_not_say_whose_record_goes_is_held_for_a_person(mrg: str) -> None:
    body = er7(msh("ADT^A40", at=SENT), f"EVN|A40|{SENT}", pid(), *([mrg] if mrg else []))
    assert (read(body).disposition, read(body).reason) == ("quarantined", "NO_MRG")


def test_a_merge_into_oneself_is_said_and_does_nothing() -> None:
    seen = read(adt("A40", merged="100", sent=SENT))
    assert (ties(seen), codes(seen)) == ([], ["merge-into-self"])


def test_two_patients_are_taken_apart() -> None:
    assert ties(read(pair("A37", "100", "200", sent=SENT, control="C1"))) == [Unlink(A, B, AT)]
    same = read(pair("A37", "100", "100", sent=SENT, control="C1"))
    assert (ties(same), codes(same)) == ([], ["merge-into-self"])


@pytest.mark.parametrize("pids", [[pid("100")], [pid("100"), pid("200"), pid("300")], [pid("100"), "PID|1||"]])
def test_an_unlink_of_other_than_two_patients_is_held_for_a_person(pids: list[str]) -> None:
    assert read(er7(msh("ADT^A37", at=SENT), f"EVN|A37|{SENT}", *pids)).reason in {"NO_PAIR", "NO_PATIENT"}


def test_a_visit_moves_with_the_number_it_has_there() -> None:
    assert ties(read(move("200", "100", visit="V1", into="V2", sent=SENT, control="C1"))) == [
        Move(B, A, "V1", "V2", AT)
    ]
    assert ties(read(move("200", "100", visit="V1", into="", sent=SENT, control="C1"))) == [Move(B, A, "V1", "V1", AT)]


def test_a_sender_that_names_the_visit_by_its_account_moves_both_names_of_it() -> None:
    body = er7(msh("ADT^A45", at=SENT), f"EVN|A45|{SENT}", pid(), "MRG|200^^^HOSP^MR||K1", f"PV1|1|{'|' * 17}V2")
    assert ties(read(body)) == [Move(B, A, "K1", "V2", AT), Move(B, A, "V2", "V2", AT)]
    nameless = er7(msh("ADT^A45", at=SENT), f"EVN|A45|{SENT}", pid(), "MRG|200^^^HOSP^MR")
    assert read(nameless).reason == "NO_MRG"


def test_an_account_moves_and_keeps_its_number_where_no_other_is_said() -> None:
    moved = read(account_move("200", "100", account="K1", into="K2", sent=SENT, control="C1"))
    assert ties(moved) == [Move(B, A, "K1", "K2", AT, account=True)]
    silent = read(account_move("200", "100", account="K1", into="", sent=SENT, control="C1"))
    assert ties(silent) == [Move(B, A, "K1", "K1", AT, account=True)]
    null = read(account_move("200", "100", account='""', into="K2", sent=SENT, control="C1"))
    assert null.reason == "NO_MRG"


def test_a_move_between_accounts_of_one_patient_names_nobody_and_ties_nobody() -> None:
    body = er7(msh("ADT^A44", at=SENT), f"EVN|A44|{SENT}", pid(account="K2"), "MRG|||K1")
    seen = read(body)
    assert (ties(seen), codes(seen), seen.disposition) == ([], ["merge-into-self"], "applied")
