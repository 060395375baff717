"""A sample of ICU stays through the real pipeline: every hour equal to mimic-code's, or explained by a named rule of theirs."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapter.domain.observation import Observation
from adapter.domain.patient import PatientState
from tests.builders import usable
from tests.icu.__main__ import Believed, believed
from tests.icu.charted import charted
from tests.icu.compare import Tally, compared
from tests.icu.onset import ONSET_RULES, onsets_compared
from tests.icu.rules import MISSING_IS_NORMAL, RULES
from tests.icu.tables import Tables
from tests.icu.views import put

SAMPLE = ("34617352", "36753294", "31205490", "30932571")
"""Vasopressors, dopamine, tube and sedation, an impossible pressure, scanty urine: the fewest stays that meet most rules."""
TABLE = Path(__file__).with_name("differences.csv")


@pytest.fixture(scope="module")
def demo(shared_data: Path) -> Tables:
    return Tables(shared_data / "icu" / "mimic-iv-demo")


@pytest.fixture(scope="module")
def seen(demo: Tables, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Believed]:
    with believed(demo, [demo.stays[stay] for stay in SAMPLE], tmp_path_factory.mktemp("icu")) as found:
        yield found


@pytest.fixture(scope="module")
def tallies(demo: Tables, seen: Believed) -> dict[str, Tally]:
    return compared(demo, seen.stays, seen.options)


def test_the_whole_feed_is_understood(seen: Believed) -> None:
    assert seen.counts.received > 1000
    assert seen.counts.received == seen.counts.applied


@pytest.mark.parametrize("organ", RULES)
def test_every_difference_has_a_name(tallies: dict[str, Tally], organ: str) -> None:
    tally = tallies[organ]
    assert tally.hours > 200
    assert tally.unexplained == []
    assert tally.equal + sum(tally.explained.values()) == tally.hours


@pytest.mark.parametrize("organ", RULES)
def test_under_all_rules_of_mimic_code_every_hour_is_theirs(tallies: dict[str, Tally], organ: str) -> None:
    assert tallies[organ].all_rules_equal == tallies[organ].hours


def test_the_onset_of_sepsis_is_theirs_or_differs_by_a_named_rule(demo: Tables, seen: Believed) -> None:
    tally = onsets_compared(demo, seen.stays, seen.trial, seen.options)
    assert tally.unexplained == []
    assert tally.stays == tally.all_rules_equal == len(SAMPLE)


def test_each_rule_stands_in_the_table_with_its_place_in_mimic_code() -> None:
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = {row["rule"]: row for row in csv.DictReader(file)}
    table = {**RULES, "all": {MISSING_IS_NORMAL: None}, "onset": dict.fromkeys(ONSET_RULES)}
    assert set(rows) == {rule for rules in table.values() for rule in rules}
    for rule, row in rows.items():
        organs = {organ for organ, rules in table.items() if rule in rules}
        assert set(row["organs"].split()) == organs
        assert all(row.values()), rule
        assert row["file"].startswith("mimic-iv/")


def test_a_wrong_score_of_ours_is_not_explained_away(demo: Tables, seen: Believed) -> None:
    """The rules explain conventions: with our creatinine ten times too high the kidney cannot be made theirs."""
    stay, state = seen.stays[0]
    found = compared(demo, [(stay, spoilt(state))], seen.options)["renal"]
    assert len(found.unexplained) > found.hours / 2
    assert found.all_rules_equal < found.hours / 2


def spoilt(state: PatientState) -> PatientState:
    def tenfold(one: Observation) -> Observation:
        assert one.quantity is not None
        return replace(one, quantity=replace(one.quantity, value=one.quantity.value * 10))

    return put(state, "creatinine", map(tenfold, usable(state, "creatinine")))


def test_ventilation_is_cut_as_mimic_code_cuts_it(demo: Tables) -> None:
    theirs: dict[str, set[tuple[str, str, str]]] = {stay: set() for stay in demo.stays}
    for row in demo.rows("sofa-reference/inputs_ventilation"):
        theirs[row["stay_id"]].add((row["starttime"], row["endtime"], row["ventilation_status"]))
    found = charted(demo)
    for stay, expected in theirs.items():
        cut = {(f"{e.begin:%F %T}", f"{e.end:%F %T}", e.status) for e in found[stay].episodes()}
        assert cut == expected, stay
