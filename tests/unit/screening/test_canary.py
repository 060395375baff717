"""The patient who was made up: found by every page that ships, missed by whatever would miss a real one."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapter import assets
from adapter.screening import canary
from adapter.screening.interpret import Interpretation, interpret
from adapter.screening.rulebook import Rulebook
from adapter.simulation.canary import POINTS

NOW = datetime(2026, 11, 27, 4, 0, tzinfo=UTC)
TRIALS = ("immunosep", "immunosep-demo", "example-trial")
SITES = ("attikon", "generic", "nl-example", "us-example")


def rules(folder: Path | None = None, trial: str = "immunosep-demo") -> Rulebook:
    return assets.load_rulebook(folder, trials=(trial,))


def told(book: Rulebook, site: str = "generic", **expect: str) -> Interpretation:
    wanted = {name.replace("_", "-"): what for name, what in expect.items()}
    return interpret(canary.told(book, book.sites[site], NOW, wanted), book, message_id="7")


def texts(seen: Interpretation) -> list[str]:
    return [f"{one.where}: {one.text.partition(' — ')[0]}" for one in seen.issues]


def edited(folder: Path, path: str, old: str, new: str) -> Path:
    """A folder of pages in which one is changed, as an operator's own."""
    text = assets.find(None, path).read_text(encoding="utf-8")
    assert old in text
    (folder / path).parent.mkdir(parents=True)
    (folder / path).write_text(text.replace(old, new), encoding="utf-8")
    return folder


@pytest.mark.parametrize("trial", TRIALS)
@pytest.mark.parametrize("site", SITES)
def test_every_page_that_ships_finds_it_and_nothing_of_it_is_anybodys(site: str, trial: str) -> None:
    seen = told(rules(trial=trial), site)
    assert (seen.disposition, seen.reason, seen.issues) == ("ignored", "canary-passed", ())
    assert (seen.events, seen.patients, seen.identifiers) == ((), (), ())
    assert seen.ledger.as_json()["message_not_used"] == seen.ledger.observations == 8


def test_the_points_are_those_of_the_published_table() -> None:
    """Vincent 1996: PaO2/FiO2 140 < 200 without support 2, platelets < 50 3, bilirubin 2.0-5.9 2, MAP < 70 1, GCS 10-12 2,
    creatinine 2.0-3.4 2.
    """
    assert sum(POINTS.values()) == 12


def test_it_is_found_by_its_stratum_where_one_is_expected() -> None:
    assert told(rules(), immunosep_demo="mals").reason == "canary-passed"
    seen = told(rules(), immunosep_demo="immunoparalysis")
    assert (seen.reason, texts(seen)) == (
        "canary-missed",
        ["immunosep-demo: the stratum is mals instead of immunoparalysis"],
    )


def test_a_limit_that_an_edit_broke_is_told_by_the_trial_that_it_broke(tmp_path: Path) -> None:
    folder = edited(tmp_path, "profiles/immunosep/trial.yaml", "above: 4420", "above: 44200")
    assert texts(told(rules(folder))) == ["immunosep-demo: the patient is not shown (not-candidate)"]


def test_a_trial_that_would_not_show_it_says_so_unless_it_asks_for_others(tmp_path: Path) -> None:
    """Children, say."""
    folder = edited(
        tmp_path,
        "profiles/immunosep/trial.yaml",
        "met_when: {fact: age_years, at_least: 18}",
        "met_when: {fact: age_years, below: 18}",
    )
    assert texts(told(rules(folder))) == ["immunosep-demo: the patient is not shown (not-candidate)"]
    assert told(rules(folder), immunosep_demo=canary.NOBODY).reason == "canary-passed"


def test_a_code_that_a_page_reads_as_something_else_costs_its_points(tmp_path: Path) -> None:
    folder = edited(tmp_path, "mappings/sites/generic.yaml", "\ntimezone:", '\ncodes: {"2160-0": lactate}\ntimezone:')
    assert texts(told(rules(folder))) == ["immunosep-demo: renal has no points instead of 2"]


def test_a_result_that_is_read_by_another_unit_is_told_with_what_it_became(tmp_path: Path) -> None:
    page = '\ncodes: {"2276-4": lactate, "777-3": crp, "2160-0": {concept: bilirubin}, "1975-2": {concept: creatinine}}'
    folder = edited(tmp_path, "mappings/sites/generic.yaml", "\ntimezone:", f"{page}\ntimezone:")
    assert texts(told(rules(folder))) == [
        "immunosep-demo: coagulation has no points instead of 3",
        "immunosep-demo: ferritin is unknown instead of 9000",
    ]


def test_a_site_that_is_gone_uses_nothing_of_it() -> None:
    book = rules()
    message = replace(canary.told(book, book.sites["generic"], NOW, {}), site="closed")
    seen = interpret(message, book, message_id="7")
    assert (seen.reason, [one.text.partition(" — ")[0] for one in seen.issues]) == (
        "canary-missed",
        ["nothing of it could be used at site 'closed'"],
    )


def test_a_trial_that_is_no_more_is_not_asked(tmp_path: Path) -> None:
    book = rules()
    message = canary.told(book, book.sites["generic"], NOW, {})
    assert interpret(message, rules(trial="example-trial"), message_id="7").reason == "canary-passed"


def test_sepsis_that_is_not_found_is_told(tmp_path: Path) -> None:
    """An arrival at a ward that is no emergency one would be looked at by the increase."""
    folder = edited(
        tmp_path,
        "profiles/immunosep/trial.yaml",
        "at_least: 2, within: 24 h, context: emergency",
        "at_least: 20, within: 24 h, context: emergency",
    )
    assert "immunosep-demo: sepsis was not found" in texts(told(rules(folder)))
