"""Laws of mapping: nothing a sender writes raises, every OBX is counted once, conversions are exact both ways."""

from fractions import Fraction
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from adapter import assets
from adapter.domain.events import ObservationReceived
from adapter.domain.observation import Observation
from adapter.domain.quantity import Quantity
from adapter.screening.interpret import interpret
from adapter.screening.rulebook import Rulebook
from tests.builders import dictionary, obx, oru, raw

CODES = [code for concept in dictionary().concepts.values() for system, code in concept.codes if system == "LN"]
TEXT = st.text(st.characters(blacklist_characters="|\r\n", blacklist_categories=("Cs",)), max_size=12)
VALUES = (
    TEXT
    | st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str)
    | st.sampled_from(["", '""', "<5", "4.420"])
)
UNITS = TEXT | st.sampled_from(sorted(dictionary().units.exact))
LINES = st.builds(
    lambda code, value, unit, status, kind: obx(code, value, unit, status=status, type=kind),
    st.sampled_from(CODES),
    VALUES,
    UNITS,
    st.sampled_from("FCAPRSUBVDWXION") | TEXT,
    st.sampled_from(["NM", "ST", "SN", "CE", "CWE", "TX", "ED", ""]),
)


@cache
def rules() -> Rulebook:
    return assets.load_rulebook(None, trials=[])


@given(st.lists(LINES, max_size=6))
def test_every_obx_ends_in_exactly_one_bucket(lines: list[str]) -> None:
    seen = interpret(raw(oru(*lines)), rules(), message_id="1")
    assert seen.ledger.observations == len(lines)


@given(LINES)
def test_a_usable_result_has_a_value_its_concept_allows(line: str) -> None:
    for event in interpret(raw(oru(line)), rules(), message_id="1").events:
        if isinstance(event, ObservationReceived) and event.observation.status in {"final", "corrected", "preliminary"}:
            assert _allowed(event.observation)


def _allowed(seen: Observation) -> bool:
    concept = rules().dictionary.concepts[seen.concept]
    if concept.kind == "code":
        return bool(seen.code)
    if seen.quantity is None or seen.quantity.unit != concept.unit:
        return False
    inside = concept.possible is None or concept.possible[0] <= seen.quantity.value <= concept.possible[1]
    return inside or seen.quantity.comparator is not None


@given(st.sampled_from(sorted(dictionary().concepts)), st.fractions(min_value=0, max_value=10**6))
def test_a_conversion_there_and_back_changes_nothing(name: str, value: Fraction) -> None:
    concept = dictionary().concepts[name]
    for unit, factor in concept.also.items():
        there = concept.canonical(Quantity(value, unit))
        assert there is not None
        assert there.value / factor == value


@given(st.binary(max_size=200))
def test_no_act_of_a_stranger_raises(body: bytes) -> None:
    from adapter.domain.message import MessageKind

    seen = interpret(raw(body, kind=MessageKind.ACTION), rules(), message_id="1")
    assert seen.disposition == "quarantined"
