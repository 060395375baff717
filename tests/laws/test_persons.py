"""One person is one person, whatever the order in which merges were told."""

from hypothesis import given
from hypothesis import strategies as st

from adapter.domain.patient import PatientId
from adapter.domain.persons import person_of
from adapter.domain.ties import Merge

A, B, C, D = (PatientId("s", "HOSP", letter) for letter in "ABCD")
ids = st.sampled_from([A, B, C, D])
merges = st.lists(st.builds(Merge, ids, ids), max_size=6)


@given(merges, st.randoms(use_true_random=False))
def test_order_and_repetition_of_merges_do_not_matter(told: list[Merge], random: object) -> None:
    again = [*told, *told[:2]]
    random.shuffle(again)  # type: ignore[attr-defined]
    for one in (A, B, C, D):
        assert person_of(one, told) == person_of(one, again)


@given(merges)
def test_two_identifiers_are_one_person_both_ways_or_not_at_all(told: list[Merge]) -> None:
    for one in (A, B, C, D):
        for other in person_of(one, told).members:
            assert person_of(other, told) == person_of(one, told)


def test_a_chain_told_backwards_ends_at_its_last_survivor() -> None:
    person = person_of(A, [Merge(B, C), Merge(A, B)])
    assert (person.name, person.members, person.cycle) == (C, frozenset({A, B, C}), False)


def test_a_cycle_has_one_name_and_says_so() -> None:
    person = person_of(B, [Merge(A, B), Merge(B, A)])
    assert (person.name, person.cycle) == (A, True)


def test_a_merge_into_oneself_is_nothing() -> None:
    assert person_of(A, [Merge(A, A)]).members == {A}
