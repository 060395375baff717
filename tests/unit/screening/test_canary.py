"""The patients who were made up: found by every page that ships, missed by whatever would miss a real one."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapter import assets
from adapter.screening import canary
from adapter.screening.interpret import Interpretation, interpret
from adapter.screening.rulebook import Rulebook
from adapter.screening.whose import whose
from adapter.simulation.canary import POINTS
from adapter.store.partitions import partition_of

NOW = datetime(2026, 11, 27, 4, 0, tzinfo=UTC)
STRATA = {
    "immunosep": ("mals", "immunoparalysis"),
    "immunosep-demo": ("mals", "immunoparalysis"),
    "example-trial": ("shown", "immunosuppression"),
}
SITES = ("attikon", "generic", "nl-example", "us-example")
DEMO, PAGE, WARD = "immunosep-demo", "profiles/immunosep/trial.yaml", "mappings/sites/generic.yaml"
MALS_LIMIT, HLADR_LIMIT = "above: 4420", 'mhladr.latest, below: 5000, unit: "{AB}/{cell}", within: 72 h'


def rules(folder: Path | None = None, trial: str = DEMO) -> Rulebook:
    return assets.load_rulebook(folder, trials=(trial,))


def told(book: Rulebook, site: str = "generic", expect: canary.Expected | None = None) -> Interpretation:
    wanted = {book.trials[0].id: expect} if expect else {}
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


@pytest.mark.parametrize("trial", STRATA)
@pytest.mark.parametrize("site", SITES)
def test_every_page_that_ships_finds_them_and_nothing_of_them_is_anybodys(site: str, trial: str) -> None:
    for expect in (None, STRATA[trial]):
        seen = told(rules(trial=trial), site, expect)
        assert (seen.disposition, seen.reason, seen.issues) == ("ignored", "canary-passed", ())
        assert (seen.events, seen.patients, seen.identifiers) == ((), (), ())
        assert seen.ledger.as_json()["message_not_used"] == seen.ledger.observations == 17


def test_the_points_are_those_of_the_published_table() -> None:
    """Vincent 1996: PaO2/FiO2 140 < 200 without support 2, platelets < 50 3, bilirubin 2.0-5.9 2, MAP < 70 1, GCS 10-12 2,
    creatinine 2.0-3.4 2.
    """
    assert sum(POINTS.values()) == 12


@pytest.mark.parametrize("year", [2026, 2036])
def test_they_do_not_age(year: int) -> None:
    message = canary.told(rules(), rules().sites["generic"], NOW.replace(year=year), {})
    assert f"|{year - 60}0101|M" in message.body.decode()


@pytest.mark.parametrize("site", ["attikon", "nl-example", "us-example"])
@pytest.mark.parametrize(
    ("old", "new", "which"),
    [
        (MALS_LIMIT, "above: 44200", "hyper-inflammation"),
        (HLADR_LIMIT, HLADR_LIMIT.replace("5000", "500"), "immunoparalysis"),
    ],
)
def test_a_limit_that_an_edit_broke_is_told_of_the_trial_that_believes_the_central_laboratory(
    tmp_path: Path, site: str, old: str, new: str, which: str
) -> None:
    seen = told(rules(edited(tmp_path, PAGE, old, new), "immunosep"), site)
    assert texts(seen) == [f"immunosep: of {which}, the patient is not shown (not-candidate)"]


def test_where_a_page_names_no_central_laboratory_the_strata_say_it(tmp_path: Path) -> None:
    book = rules(edited(tmp_path, PAGE, MALS_LIMIT, "above: 44200"), "immunosep")
    assert canary.untried(book.trials[0], book.sites["generic"])
    assert not canary.untried(book.trials[0], book.sites["attikon"])
    assert told(book).reason == "canary-passed"
    (said,) = texts(told(book, expect=("mals", "immunoparalysis")))
    assert said.startswith("immunosep: of hyper-inflammation, the stratum is ")


def test_another_stratum_than_the_one_expected_is_told() -> None:
    assert texts(told(rules(), expect=("immunoparalysis", "shown"))) == [
        "immunosep-demo: of hyper-inflammation, the stratum is mals instead of immunoparalysis"
    ]


def test_a_trial_that_asks_for_others_still_wants_their_points(tmp_path: Path) -> None:
    """Children, say."""
    adults = ("met_when: {fact: age_years, at_least: 18}", "met_when: {fact: age_years, below: 18}")
    folder = edited(tmp_path, PAGE, *adults)
    assert texts(told(rules(folder))) == [
        f"immunosep-demo: of {which}, the patient is not shown (not-candidate)" for which in canary.CALLED
    ]
    assert told(rules(folder), expect=(canary.NOBODY, canary.NOBODY)).reason == "canary-passed"
    edited(folder, WARD, "\ntimezone:", '\ncodes: {"777-3": crp}\ntimezone:')
    assert len(texts(told(rules(folder), expect=(canary.NOBODY, canary.NOBODY)))) == 2


def test_codes_that_a_page_reads_as_something_else_cost_their_points_and_values(tmp_path: Path) -> None:
    folder = edited(
        tmp_path, WARD, "\ntimezone:", '\ncodes: {"2276-4": lactate, "777-3": crp, "mhladr-abc": wbc}\ntimezone:'
    )
    assert texts(told(rules(folder), expect=(canary.NOBODY, canary.NOBODY))) == [
        "immunosep-demo: of hyper-inflammation, coagulation has no points instead of 3",
        "immunosep-demo: of hyper-inflammation, ferritin is unknown instead of 4500",
        "immunosep-demo: of immunoparalysis, coagulation has no points instead of 3",
        "immunosep-demo: of immunoparalysis, ferritin is unknown instead of 500",
        "immunosep-demo: of immunoparalysis, mhladr is unknown instead of 4500",
    ]


def test_sepsis_that_is_not_found_is_told(tmp_path: Path) -> None:
    emergency = "at_least: {}, within: 24 h, context: emergency"
    folder = edited(tmp_path, PAGE, emergency.format(2), emergency.format(13))
    assert "immunosep-demo: of immunoparalysis, sepsis was not found" in texts(told(rules(folder)))


@pytest.mark.parametrize(
    "line",
    [
        "effective: [SPM-17]",
        "effective: [OBX-14]",
        "effective: [OBR-7]",
        "test_patients: [CANARY]",
        "test_patients: [C, MADE]",
        'decimal: ","',
        "emergency_wards: []",
        "central_laboratory: ['A&B^C|1']",
    ],
)
def test_a_page_may_be_as_it_likes(tmp_path: Path, line: str) -> None:
    name = line.partition(":")[0]
    text = assets.find(None, WARD).read_text(encoding="utf-8")
    kept = [one for one in text.splitlines() if not one.startswith(f"{name}:")]
    (tmp_path / WARD).parent.mkdir(parents=True)
    (tmp_path / WARD).write_text("\n".join([*kept, line]), encoding="utf-8")
    assert texts(told(rules(tmp_path))) == []


def test_a_site_that_is_gone_uses_nothing_of_them() -> None:
    book = rules()
    message = replace(canary.told(book, book.sites["generic"], NOW, {}), site="closed")
    assert texts(interpret(message, book, message_id="7")) == [
        f": nothing of {which} could be used at site 'closed'" for which in canary.CALLED
    ]


def test_a_trial_that_is_no_more_is_not_asked() -> None:
    book = rules()
    message = canary.told(book, book.sites["generic"], NOW, {})
    assert list(json.loads(message.body)["expect"]) == [DEMO]
    assert interpret(message, rules(trial="example-trial"), message_id="7").reason == "canary-passed"


def test_every_processor_of_a_store_has_its_turn() -> None:
    book = rules()
    moments = (NOW.replace(minute=minute) for minute in range(60))
    places = {partition_of(whose(canary.told(book, book.sites["generic"], at, {}), book)) for at in moments}
    assert len(places) > 30
