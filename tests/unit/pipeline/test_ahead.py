"""What is taken together where there is room for few patients: nothing overtakes what it must follow, and the oldest always goes."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from adapter.domain.events import ClinicalEvent, PatientDescribed, RecordsTied
from adapter.domain.message import MessageState
from adapter.domain.patient import Demographics, PatientId
from adapter.domain.ties import Merge
from adapter.pipeline.ahead import Ahead, chosen
from adapter.pipeline.steps import Read
from adapter.screening.interpret import Interpretation
from adapter.store.inbox import Ending, Item
from tests.builders import adt, obx, oru, raw
from tests.web_house import rules

AT = datetime(2026, 1, 2, tzinfo=UTC)
Said = tuple[str, bool]
"""Whose records a message is of, a letter each; whether it ties them."""


def record(letter: str) -> PatientId:
    return PatientId("site", "HOSP", letter)


def message(number: int, said: Said) -> Read:
    letters, ties = said
    events: tuple[ClinicalEvent, ...] = tuple(PatientDescribed(record(one), Demographics()) for one in letters)
    if ties:
        tie = Merge(record(letters[0]), record(letters[-1]), AT)
        events = (RecordsTied(record(letters[0]), tie),)
    ending = Ending(MessageState.APPLIED, AT)
    return Read(
        Item(number, raw(b""), 0),
        ending,
        Interpretation("applied", None, events) if letters else None,
        Interpretation("applied", None, events),
    )


def those(said: list[Said], most: int) -> list[int]:
    messages = [message(number, one) for number, one in enumerate(said)]
    return [one.item.id for one in chosen(messages, most, lambda patient: patient)]


def of(letters: str) -> list[Said]:
    return [(letter.strip("-"), False) for letter in letters]


def test_all_that_waits_of_some_patients_is_taken_and_the_others_wait() -> None:
    assert those(of("abcabcabc"), 2) == [0, 1, 3, 4, 6, 7]
    assert those(of("abcabcabc"), 1) == [0, 3, 6]
    assert those(of("abcabcabc"), 9) == list(range(9))
    assert those(of("a-b-ca"), 1) == [0, 1, 3, 5], "of nobody, and so nobody's to wait for"


def test_a_message_of_several_waits_with_one_of_them_and_a_big_one_goes_alone() -> None:
    assert those([("a", False), ("ab", False), ("b", False), ("a", False)], 1) == [0]
    assert those([("abc", False), ("a", False), ("d", False)], 2) == [0, 1]


def test_nobody_overtakes_a_message_that_ties_records() -> None:
    assert those([("a", False), ("ab", True), ("b", False), ("a", False)], 2) == [0, 1, 2, 3]
    assert those([("a", False), ("b", False), ("ac", True), ("a", False)], 1) == [0]


def test_whose_a_record_is_is_asked_once_of_each() -> None:
    asked: list[str] = []

    def whose(patient: PatientId) -> PatientId:
        asked.append(patient.value)
        return patient

    chosen([message(number, ("aa" if number % 2 else "b", False)) for number in range(9)], 2, whose)
    assert sorted(asked) == ["a", "b"]


@given(st.lists(st.text("abcde", max_size=2), min_size=1, max_size=30), st.integers(1, 5))
def test_order_is_kept_of_each_patient_and_the_oldest_is_always_taken(letters: list[str], most: int) -> None:
    said: list[Said] = [(one, False) for one in letters]
    taken = those(said, most)
    assert taken[0] == 0
    assert taken == sorted(taken)
    left = [number for number in range(len(said)) if number not in taken]
    for number in taken:
        before = {letter for other in left if other < number for letter in said[other][0]}
        assert before.isdisjoint(said[number][0])
    if len(said) > most:
        whose = [frozenset(said[number][0]) for number in taken]
        first = next((one for one in whose if one), frozenset())
        assert len(frozenset().union(*whose)) <= max(most, len(first))


def test_what_was_left_is_read_once_and_heard_of_when_it_is_taken() -> None:
    heard: list[str] = []
    ahead = Ahead(lambda item, seen: heard.append(f"{item.id} {seen.disposition}"))
    bodies = [oru(obx("2276-4", "5200", "ng/mL"), patient=who, control=f"{who}1") for who in "12"]
    items = [Item(number, raw(body), 0) for number, body in enumerate([*bodies, bodies[0], b"nothing"])]
    first = ahead.read(items, rules(), AT)
    assert [one.item.id for one in ahead.take(first, 1, lambda patient: patient)] == [0, 2, 3]
    assert heard == ["0 applied", "2 applied", "3 quarantined"]
    again = ahead.read([items[1]], rules(), AT)
    assert again[0].seen is first[1].seen
    ahead.take(again, 1, lambda patient: patient)
    assert heard[3:] == ["1 applied"]
    assert ahead.read([items[1]], rules(), AT)[0].seen is not first[1].seen, "nothing is kept of what is done"


def test_by_other_rules_what_was_left_is_read_anew_and_a_message_read_again_is_not_heard_of_twice() -> None:
    heard: list[int] = []
    ahead = Ahead(lambda item, _seen: heard.append(item.id))
    items = [Item(n, raw(adt("A01", patient=str(n), control=f"A{n}")), 0, again=True) for n in range(2)]
    first = ahead.read(items, rules(), AT)
    ahead.take(first, 1, lambda patient: patient)
    ahead.forget()
    assert ahead.read(items, rules(), AT)[1].seen is not first[1].seen
    assert heard == []
