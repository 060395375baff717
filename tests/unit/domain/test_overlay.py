"""One number, two persons (reliability C08): in any order, and a wedding is no overlay."""

from datetime import timedelta
from itertools import permutations

import pytest

from adapter.domain.message import MessageKind, RawMessage
from adapter.domain.overlay import SAME_PERSON, overlaid
from adapter.domain.patient import Determination, PatientState
from adapter.domain.truth import Truth
from adapter.screening.interpret import interpret
from adapter.screening.state import apply_all
from tests.builders import T0, oru
from tests.web_house import rules

JANE = {"name": "DOE^JANE", "born": "19500615", "sex": "F"}
MARRIED = JANE | {"name": "ROE^JANE"}
MENDED = MARRIED | {"born": "19500616"}
RICHARD = {"name": "ROE^RICHARD", "born": "19800101", "sex": "M"}


def told(*people: dict[str, str]) -> PatientState:
    state = None
    for number, person in enumerate(people):
        body = oru(control=str(number), sent=f"2026010203100{number}", **person)
        seen = interpret(
            RawMessage("lab", "generic", MessageKind.HL7V2, body, T0 + timedelta(days=1)), rules(), message_id="1"
        )
        state = apply_all(state or PatientState(seen.patients[0]), seen.events)
    assert state is not None
    return state


def doubted(*people: dict[str, str], answers: tuple[Determination, ...] = ()) -> tuple[str, ...]:
    return overlaid(told(*people).demographics, answers)


@pytest.mark.parametrize(
    "people",
    [
        (JANE,),
        (JANE, JANE),
        (JANE, JANE | {"name": "Doé^jane"}),
        (JANE, MARRIED),
        (JANE, MARRIED, MENDED),
        (JANE, RICHARD | {"sex": "F"}),
        (JANE, RICHARD | {"born": ""}),
        (JANE, RICHARD | {"born": "1980"}),
        (JANE, RICHARD | {"sex": "U"}),
        (JANE, RICHARD | {"name": ""}),
        (JANE, {"name": '""', "born": '""', "sex": '""'}),
    ],
)
def test_less_than_all_three_is_no_other_person(people: tuple[dict[str, str], ...]) -> None:
    assert doubted(*people) == ()


@pytest.mark.parametrize("order", list(permutations([JANE, MARRIED, RICHARD])))
def test_two_persons_are_seen_in_any_order(order: tuple[dict[str, str], ...]) -> None:
    assert len(doubted(*order)) == 3


def test_whoever_looked_is_believed_until_somebody_else_is_described() -> None:
    found = doubted(JANE, RICHARD)
    looked = Determination("t", SAME_PERSON, Truth.MET, T0, "ilse", " ".join(found))
    other = Determination("t", "I4", Truth.MET, T0, "ilse", " ".join(found))
    assert doubted(JANE, RICHARD, answers=(looked,)) == ()
    assert doubted(JANE, RICHARD, answers=(other,)) == found
    assert len(doubted(JANE, RICHARD, MARRIED, answers=(looked,))) == 3


def test_the_fingerprints_tell_no_name() -> None:
    assert not any(word in "".join(doubted(JANE, RICHARD)).lower() for word in ("doe", "roe", "1950", "1980"))
