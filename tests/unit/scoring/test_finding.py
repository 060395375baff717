"""How findings become an organ's score: who decides, who sets the ends of the interval, and what is shown of whom."""

from dataclasses import replace

import pytest

from adapter.domain.assessment import OrganStatus, evidence_of
from adapter.scoring.finding import Finding, missing, worst
from tests.builders import after, observation


def finding(name: str, score: int, low: int | None = None, high: int | None = None, *, firm: bool = True) -> Finding:
    """`name` is its hour, its rule, its flag and its note."""
    one = observation("platelets", 100, at=after(int(name, 16)), identity=name)
    bounds = score if low is None else low, score if high is None else high
    return Finding(score, *bounds, (one,), f"rule {name}", f"note {name}", flags=(f"flag {name}",), firm=firm)


A3, B3, C2 = finding("a", 3), finding("b", 3), finding("c", 2)
HAZY_D4, HAZY_E3, HAZY_F1 = finding("d", 4, firm=False), finding("e", 3, firm=False), finding("f", 1, firm=False)
WIDE_7 = finding("7", 2, 2, 4)
LOW_8 = finding("8", 3, 1, 3)
HAZY_WIDE_9 = finding("9", 1, 0, 4, firm=False)


@pytest.mark.parametrize(
    ("findings", "ends", "shown"),
    [
        ([A3], (3, 3, 3), "a"),
        ([A3, C2], (3, 3, 3), "a"),
        ([C2, A3], (3, 3, 3), "a"),
        ([A3, B3], (3, 3, 3), "b"),
        ([B3, A3], (3, 3, 3), "a"),
        ([A3, HAZY_E3], (3, 3, 3), "a"),
        ([HAZY_E3, A3], (3, 3, 3), "a"),
        ([HAZY_D4], (4, 0, 4), "d"),
        ([HAZY_E3], (3, 0, 4), "e"),
        ([A3, HAZY_D4], (4, 3, 4), "da"),
        ([A3, B3, HAZY_D4], (4, 3, 4), "db"),
        ([B3, A3, HAZY_D4], (4, 3, 4), "da"),
        ([C2, HAZY_F1], (2, 2, 2), "c"),
        ([WIDE_7, A3], (3, 3, 4), "a7"),
        ([WIDE_7, C2], (2, 2, 4), "c7"),
        ([LOW_8, C2], (3, 2, 3), "8c"),
        ([LOW_8], (3, 1, 3), "8"),
        ([HAZY_WIDE_9, C2], (2, 2, 4), "c9"),
        ([HAZY_E3, HAZY_F1], (3, 0, 4), "e"),
        ([HAZY_WIDE_9, HAZY_F1], (1, 0, 4), "f9"),
    ],
)
def test_the_worst_decides_and_whoever_sets_an_end_is_shown_beside_it(
    findings: list[Finding], ends: tuple[int, int, int], shown: str
) -> None:
    """Of equals the firm one, then the latest; without a firm one the organ may be anything."""
    found = worst(findings)
    assert (found.score, found.low, found.high) == ends
    assert (found.rule, found.flags) == (f"rule {shown[0]}", tuple(f"flag {name}" for name in shown))
    assert [one.note for one in found.evidence] == [f"note {name}" for name in shown]


def test_without_findings_the_organ_is_missing_and_keeps_each_flag_once() -> None:
    for found in (missing(["x", "y", "x"]), worst([], ["x", "y", "x"])):
        assert (found.score, found.low, found.high, found.status) == (None, 0, 4, OrganStatus.MISSING)
        assert (found.flags, found.evidence, found.rule) == (("x", "y"), (), "")


def test_flags_are_those_of_who_decides_then_of_their_results_then_of_the_organ() -> None:
    clumped = replace(A3, basis=(observation("platelets", 100, flags=("clumps", "flag a")),))
    assert worst([clumped, C2], ["organ", "clumps"]).flags == ("flag a", "clumps", "organ")


@pytest.mark.parametrize(
    ("converted", "flagged"),
    [((None, None), False), ((3, 2), False), ((4, 2), True), ((2, 2), True), ((None, 3), False), ((None, 4), True)],
)
def test_units_disagree_where_the_worst_of_the_other_column_is_another(
    converted: tuple[int | None, int | None], *, flagged: bool
) -> None:
    """A finding that was not converted counts as it is."""
    both = replace(A3, converted=converted[0]), replace(C2, converted=converted[1])
    assert ("unit_discordant" in worst(both).flags) is flagged


def test_a_result_is_shown_once_with_what_the_first_that_rests_on_it_says() -> None:
    weight, other = observation("weight", 80), observation("map", 60)
    first = replace(A3, basis=(other, weight), note="first", high=3)
    second = replace(C2, score=2, low=2, high=4, basis=(weight, other), note=lambda: "second")
    assert [(e.concept, e.note) for e in worst([second, first]).evidence] == [("map", "first"), ("weight", "")]
    assert [(e.concept, e.note) for e in worst([second]).evidence] == [("weight", "second"), ("map", "")]


def test_evidence_that_was_made_already_is_taken_but_for_the_one_that_carries_the_note() -> None:
    pair = observation("map", 60), observation("weight", 80)
    made = tuple(evidence_of(one, "made") for one in pair)
    noted, silent = replace(A3, basis=pair, shown=made, note="said"), replace(A3, basis=pair, shown=made, note="")
    assert [one.note for one in worst([noted]).evidence] == ["said", "made"]
    assert [one.note for one in worst([silent]).evidence] == ["made", "made"]
