"""What one state says that the state before it did not: results and drugs, gone and new."""

import pytest

from adapter.domain.administration import Administration
from adapter.domain.observation import Result
from adapter.scoring.changes import changed, differing
from adapter.scoring.chart import Chart
from adapter.scoring.therapy import Therapy
from tests.builders import T0, after, given, observation, state_of


def result(name: str, value: int = 100) -> Result:
    return Result((observation("platelets", value, at=after(int(name, 16)), identity=name),))


NAMED = {name: result(name) for name in "0123456789ab"}
CORRECTED = {name: result(name, 90) for name in NAMED}
SILENT = Result((observation("platelets", 100, identity="silent", status="preliminary"),))


def results(names: str) -> tuple[Result, ...]:
    """`01*2` is 0, 1, and a corrected 2."""
    made, corrected = [], False
    for name in names:
        if name == "*":
            corrected = True
            continue
        made.append((CORRECTED if corrected else NAMED)[name])
        corrected = False
    return tuple(made)


@pytest.mark.parametrize(
    ("before", "now", "gone", "new"),
    [
        ("", "", "", ""),
        ("", "01", "", "01"),
        ("01", "", "01", ""),
        ("012", "012", "", ""),
        ("012", "0123", "", "3"),
        ("012", "12", "0", ""),
        ("123", "0123", "", "0"),
        ("013", "0123", "", "2"),
        ("12", "01", "2", "0"),
        ("01", "12", "0", "2"),
        ("0123", "013", "2", ""),
        ("0123", "0*123", "1", "1"),
        ("0123456789", "012*3456789ab", "3", "3ab"),
        ("0123456789", "*012345678*9", "09", "09"),
        ("02468", "013579", "2468", "13579"),
        ("0123456789ab", "0189ab", "234567", ""),
    ],
)
def test_what_is_gone_and_what_is_new_is_found(before: str, now: str, gone: str, new: str) -> None:
    old, made = differing(results(before), results(now))
    assert ("".join(one.identity for one in old), "".join(one.identity for one in made)) == (gone, new)


def test_what_nobody_may_use_is_no_news() -> None:
    assert differing((), (SILENT,)) == differing((SILENT,), ()) == ((), ())
    assert changed({"platelets": ()}, {"platelets": (SILENT,)}) == {}


def test_only_concepts_that_differ_are_named_also_those_that_came_and_went() -> None:
    before = {"platelets": results("01"), "map": results("0"), "rass": results("2")}
    now = {"platelets": results("01"), "map": results("01"), "gcs-total": results("3")}
    found = {c: tuple("".join(o.identity for o in side) for side in both) for c, both in changed(before, now).items()}
    assert found == {"map": ("", "1"), "rass": ("2", ""), "gcs-total": ("", "3")}
    assert changed(before, before) == {}


DRUG, OTHER = given("norepinephrine", "0.1"), given("propofol", "3", "mg/kg/h")
HIGHER = given("norepinephrine", "0.2")
ENDED = given("norepinephrine", "0.1", until=after(2))


@pytest.mark.parametrize(
    ("before", "now", "gone", "new"),
    [
        ((), (DRUG,), {}, {"norepinephrine-rate": ["0.1"]}),
        ((DRUG,), (DRUG, OTHER), {}, {"propofol-rate": ["3"]}),
        ((DRUG, OTHER), (OTHER,), {"norepinephrine-rate": ["0.1"]}, {}),
        ((DRUG,), (HIGHER,), {"norepinephrine-rate": ["0.1"]}, {"norepinephrine-rate": ["0.2"]}),
        ((DRUG,), (ENDED,), {"norepinephrine-rate": ["0.1"]}, {"norepinephrine-rate": ["0.1", "0.1"]}),
        ((DRUG, OTHER), (OTHER, DRUG), {}, {}),
    ],
    ids=["first", "another", "gone", "another rate", "its end", "another order"],
)
def test_drugs_that_are_gone_and_drugs_that_are_new(
    before: tuple[Administration, ...],
    now: tuple[Administration, ...],
    gone: dict[str, list[str]],
    new: dict[str, list[str]],
) -> None:
    found = Therapy(before).changed_to(Therapy(now))
    sides = ({c: [one.original.value for one in both[i]] for c, both in found.items() if both[i]} for i in (0, 1))
    assert tuple(sides) == (gone, new)
    following = Chart(state_of(administrations=before)).followed_by(state_of(administrations=now))
    for concept in ("norepinephrine-rate", "propofol-rate"):
        assert following.series(concept) == Chart(state_of(administrations=now)).series(concept)


def test_a_result_that_was_moved_to_a_later_time_stands_there_alone() -> None:
    wrong = observation("platelets", 40, identity="A")
    moved = observation("platelets", 40, at=after(2), identity="A", status="corrected", issued=after(3))
    series = Chart(state_of(wrong)).series("platelets").changed((wrong,), (moved,))
    assert [item.time for item in series.items] == [item.time for item in series.told.items] == [after(2)]


def test_the_drugs_of_a_chart_follow_its_series() -> None:
    chart = Chart(state_of(administrations=(DRUG,)))
    assert [item.time for item in chart.series("norepinephrine-rate").items] == [T0]
    assert chart.followed_by(state_of(administrations=(OTHER,))).series("norepinephrine-rate").items == ()
    ended = chart.followed_by(state_of(administrations=(ENDED,)))
    assert [item.time for item in ended.series("norepinephrine-rate").items] == [T0, after(2)]
    assert chart.followed_by(state_of(administrations=(DRUG,))).therapy is not chart.therapy
