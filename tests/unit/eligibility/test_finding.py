"""Intervals against thresholds, and Kleene's logic over findings (laws)."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.domain.quantity import Interval
from adapter.domain.trial import Combination, Comparison, Connective, Operator
from adapter.domain.truth import Truth, negate
from adapter.eligibility.finding import Finding, Reading, combine, compare, earliest, inside

RULE = Comparison("age_years", Operator.AT_LEAST, Fraction(0))
NUMBERS = st.fractions(min_value=-9, max_value=9, max_denominator=4)
POINTS_OF = st.lists(NUMBERS, min_size=2, max_size=2).map(sorted)
OPPOSITE = {Operator.AT_LEAST: Operator.BELOW, Operator.ABOVE: Operator.AT_MOST}
HOLDS = {
    Operator.AT_LEAST: lambda x, limit: x >= limit,
    Operator.ABOVE: lambda x, limit: x > limit,
    Operator.BELOW: lambda x, limit: x < limit,
    Operator.AT_MOST: lambda x, limit: x <= limit,
}


@given(ends=POINTS_OF, limit=NUMBERS, share=st.fractions(0, 1), operator=st.sampled_from(list(HOLDS)))
def test_a_decided_interval_decides_for_each_of_its_points(
    ends: list[Fraction], limit: Fraction, share: Fraction, operator: Operator
) -> None:
    low, high = ends
    truth = inside(Interval(low, high), Comparison("age_years", operator, limit))
    point = low + (high - low) * share
    if truth is not Truth.UNKNOWN:
        assert HOLDS[operator](point, limit) is (truth is Truth.MET)
    else:
        assert {HOLDS[operator](low, limit), HOLDS[operator](high, limit)} == {True, False}


@given(ends=POINTS_OF, limit=NUMBERS, operator=st.sampled_from(list(OPPOSITE)))
def test_opposite_comparisons_never_agree(ends: list[Fraction], limit: Fraction, operator: Operator) -> None:
    interval = Interval(*ends)
    one = inside(interval, Comparison("age_years", operator, limit))
    assert inside(interval, Comparison("age_years", OPPOSITE[operator], limit)) is negate(one)


@pytest.mark.parametrize(
    ("interval", "operator", "truth"),
    [
        (Interval(Fraction(5), None, low_open=True), Operator.ABOVE, Truth.MET),
        (Interval(Fraction(5), None), Operator.ABOVE, Truth.UNKNOWN),
        (Interval(None, Fraction(5), high_open=True), Operator.AT_LEAST, Truth.NOT_MET),
        (Interval(None, Fraction(5)), Operator.AT_LEAST, Truth.UNKNOWN),
        (Interval(None, None), Operator.BELOW, Truth.UNKNOWN),
    ],
)
def test_open_and_unbounded_ends(interval: Interval, operator: Operator, truth: Truth) -> None:
    assert inside(interval, Comparison("age_years", operator, Fraction(5))) is truth


def test_a_word_is_never_inside_an_interval() -> None:
    assert inside(Interval(None, None), Comparison("sex", Operator.IS, "male")) is Truth.UNKNOWN


def test_nothing_read_is_unknown_and_asks() -> None:
    found = compare(RULE, Reading(asks=("How old?",), missing=("age_years",)))
    assert found == Finding(Truth.UNKNOWN, asks=("How old?",), missing=("age_years",))


LIMIT = Comparison("sofa.total", Operator.AT_LEAST, Fraction(2))
LATER = datetime(2026, 1, 2, tzinfo=UTC)
MET, BELOW, OPEN = (Interval(*map(Fraction, ends)) for ends in ((2, 3), (0, 1), (1, 3)))


def test_a_rule_of_another_context_is_not_met_and_is_looked_at_when_that_changes() -> None:
    found = compare(LIMIT, Reading(intervals=(MET,), applies=False, asks=("?",), changes=LATER))
    assert found == Finding(Truth.NOT_MET, changes=LATER)


@pytest.mark.parametrize(
    ("interval", "applies", "assumed", "truth", "person"),
    [
        (MET, True, None, Truth.MET, False),
        (MET, None, None, Truth.UNKNOWN, True),
        (BELOW, None, None, Truth.NOT_MET, False),
        (OPEN, True, None, Truth.UNKNOWN, False),
        (OPEN, True, MET, Truth.UNKNOWN, True),
        (OPEN, True, OPEN, Truth.UNKNOWN, False),
        (BELOW, True, MET, Truth.NOT_MET, False),
    ],
)
def test_what_only_a_person_can_say_is_left_to_one_where_it_would_settle_the_rule(
    interval: Interval, applies: bool | None, assumed: Interval | None, truth: Truth, person: bool
) -> None:
    """Nobody told where the patient lies, or what the SOFA was before: more data would not say so either."""
    reading = Reading(
        (interval,), assumed=assumed, applies=applies, flags=("f",), asks=("?",), missing=("m",), changes=LATER
    )
    open_question = truth is Truth.UNKNOWN
    assert compare(LIMIT, reading) == Finding(
        truth,
        flags=("f",),
        asks=("?",) if open_question else (),
        missing=("m",) if open_question else (),
        person=person,
        changes=LATER,
    )


def test_results_of_one_moment_that_disagree_about_the_rule_leave_it_open() -> None:
    assert compare(LIMIT, Reading(intervals=(MET, BELOW))).truth is Truth.UNKNOWN
    assert compare(LIMIT, Reading(intervals=(MET, MET))).truth is Truth.MET


@pytest.mark.parametrize(("word", "truth"), [(True, Truth.MET), (False, Truth.NOT_MET), (None, Truth.UNKNOWN)])
def test_an_answer_is_compared_as_it_is_and_silence_is_no_answer(word: bool | None, truth: Truth) -> None:
    assert compare(Comparison("clock.open", Operator.IS, value=True), Reading(word=word)).truth is truth


TRUTHS = st.sampled_from(list(Truth))


@given(truths=st.lists(TRUTHS, min_size=1, max_size=4))
def test_de_morgan(truths: list[Truth]) -> None:
    findings = [Finding(truth) for truth in truths]
    turned = [Finding(negate(truth)) for truth in truths]
    both = combine(Combination(Connective.ALL, (RULE,)), findings)
    either = combine(Combination(Connective.ANY, (RULE,)), turned)
    assert combine(Combination(Connective.NOT, (RULE,)), [both]).truth is either.truth


def test_all_waits_for_data_if_any_part_does_and_any_for_the_easier_part() -> None:
    person, data = Finding(Truth.UNKNOWN, person=True), Finding(Truth.UNKNOWN)
    assert not combine(Combination(Connective.ALL, (RULE,)), [person, data]).person
    assert combine(Combination(Connective.ANY, (RULE,)), [person, data]).person


def test_the_parts_that_decided_tell_and_all_parts_are_watched() -> None:
    soon, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    found = combine(
        Combination(Connective.ANY, (RULE,)),
        [Finding(Truth.MET, flags=("a",), changes=late), Finding(Truth.NOT_MET, flags=("b",), changes=soon)],
    )
    assert (found.truth, found.flags, found.changes) == (Truth.MET, ("a",), soon)
    assert earliest([None, None]) is None
