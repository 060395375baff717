"""Cut-points of all four signs: values, bounds that a laboratory gave instead of one, and the words of a rule."""

from fractions import Fraction

import pytest

from adapter.domain.quantity import Comparator, Quantity
from adapter.scoring.ladder import Ladder, ladder
from tests.builders import quantity

LADDERS = {
    "<": ladder("x", "u", "T", ("<", "20", 4), ("<", "50", 2)),
    "<=": ladder("x", "u", "T", ("<=", "20", 4), ("<=", "50", 2)),
    ">": ladder("x", "u", "T", (">", "50", 4), (">", "20", 2)),
    ">=": ladder("x", "1", "T", (">=", "50", 4), (">=", "20", 2)),
}


@pytest.mark.parametrize(
    ("sign", "edges"),
    [
        ("<", "19.9:4 20:2 49.9:2 50:0 50.1:0 -1:4"),
        ("<=", "19.9:4 20:4 20.1:2 50:2 50.1:0"),
        (">", "50.1:4 50:2 20.1:2 20:0 19.9:0"),
        (">=", "50.1:4 50:4 49.9:2 20:2 19.9:0"),
    ],
)
def test_a_value_at_a_cut_point_belongs_to_the_side_its_sign_says(sign: str, edges: str) -> None:
    for edge in edges.split():
        value, points = edge.split(":")
        assert LADDERS[sign].points(Fraction(value)) == int(points), edge
        assert LADDERS[sign].span(Quantity(Fraction(value), "u")) == (int(points), int(points)), edge


@pytest.mark.parametrize(
    ("sign", "bounds"),
    [
        ("<", "<20:44 <=20:24 <=19:44 <21:24 <50:24 <=50:04 <51:04 >19:04 >20:02 >=20:02 >49:02 >=50:00 >50:00"),
        ("<=", "<20:44 <=20:44 <21:24 <=50:24 <50:24 <51:04 >19:04 >=20:04 >20:02 >=50:02 >50:00 >51:00"),
        (">", ">50:44 >=50:24 >51:44 >20:24 >=20:04 >19:04 <=50:02 <50:02 <51:04 <21:02 <=20:00 <20:00"),
        (">=", ">50:44 >=50:44 >49:24 >=20:24 >20:24 >19:04 <=50:04 <50:02 <51:04 <=20:02 <20:00 <19:00"),
    ],
)
def test_of_a_bound_the_low_end_is_what_every_value_scores_and_the_high_end_what_some_value_does(
    sign: str, bounds: str
) -> None:
    for bound in bounds.split():
        text, ends = bound.split(":")
        assert LADDERS[sign].span(quantity(text, "u")) == (int(ends[0]), int(ends[1])), bound


def test_every_comparator_is_met() -> None:
    assert {str(sign) for sign in Comparator} == set(LADDERS)


@pytest.mark.parametrize(
    ("scale", "points", "words"),
    [
        (LADDERS["<"], 4, "x < 20 u: 4 (T)"),
        (LADDERS["<"], 0, "x not < 50 u: 0 (T)"),
        (LADDERS[">="], 2, "x >= 20: 2 (T)"),
        (LADDERS[">="], 3, "3 points (T)"),
    ],
)
def test_the_rule_says_the_cut_point_with_its_unit_and_source(scale: Ladder, points: int, words: str) -> None:
    assert scale.rule(points) == words
