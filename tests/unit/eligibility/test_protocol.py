"""A protocol page is read, or refused with file, line and the nearest known word."""

from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from adapter import assets
from adapter.domain.trial import Combination, Comparison, CriterionKind, FollowUpPlan, Needs, Operator, Trial
from adapter.eligibility.facts import FACTS, Fact
from adapter.eligibility.protocol import extends, read_trial
from adapter.eligibility.rules import comparisons
from adapter.errors import ConfigError
from tests import builders

PROFILES = Path(__file__).parents[3] / "profiles"
PAGE = (PROFILES / "immunosep/trial.yaml").read_text()

ADULT = Comparison("age_years", Operator.AT_LEAST, Fraction(18))
Changed = Callable[..., Trial]


def shipped(name: str) -> Trial:
    document = assets.load_document(PROFILES / name / "trial.yaml")
    upper = extends(document)
    parent = None if upper is None else assets.load_document(PROFILES / upper / "trial.yaml")
    return read_trial(document, builders.dictionary().vocabulary, parent)


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    """The ImmunoSep page with one text replaced by another."""

    def read(old: str, new: str) -> Trial:
        assert PAGE.count(old) >= 1, old
        path = tmp_path / "trial.yaml"
        path.write_text(PAGE.replace(old, new, 1))
        return read_trial(assets.load_document(path), builders.dictionary().vocabulary)

    return read


def line_of(text: str) -> int:
    return PAGE[: PAGE.index(text)].count("\n") + 1


def test_the_immunosep_page_holds_every_criterion_in_order() -> None:
    trial = shipped("immunosep")
    assert [c.id for c in trial.criteria] == [f"I{n}" for n in range(1, 9)] + [f"E{n}" for n in range(1, 16)]
    assert {c.kind for c in trial.criteria if c.id.startswith("E")} == {CriterionKind.EXCLUSION}
    assert all(c.ask for c in trial.criteria if c.needs is Needs.PERSON)
    assert trial.stratum_requires == "central"


def hours(span: timedelta) -> str:
    return f"{span // timedelta(hours=1)} h"


def test_every_line_of_the_page_reaches_the_trial() -> None:
    """What a trialist signs is what is asked: no text, figure or name is lost between the file and the bedside."""
    trial, page = shipped("immunosep"), assets.load_document(PROFILES / "immunosep/trial.yaml").data
    assert [getattr(trial, key) for key in ("id", "title", "registry", "protocol_version", "stratum_requires")] == [
        page[key] for key in ("trial", "title", "registry", "protocol_version", "stratum_requires")
    ]
    for criterion, said in zip(trial.criteria, [*page["inclusion"], *page["exclusion"]], strict=True):
        told = [getattr(criterion, key) for key in ("id", "text", "short", "source", "ask")]
        assert told == [said.get(key, "").strip() for key in ("id", "text", "short", "source", "ask")]
        assert (criterion.met_when is None, criterion.suggested_when is None) == (
            "met_when" not in said,
            "suggested_when" not in said,
        )
    sets = builders.dictionary().vocabulary.sets
    named = page["parameters"].pop("infection_sets")
    assert trial.parameters.infection_codes == tuple(code for name in named for code in sets[name])
    for name, said in page["parameters"].items():
        found = getattr(trial.parameters, name)
        assert (hours(found) if isinstance(found, timedelta) else found) == (
            Fraction(str(said)) if isinstance(said, float) else said
        )
    assert [(s.id, s.blocked_as) for s in trial.strata] == [(s["id"], s.get("blocked_as", "")) for s in page["strata"]]
    days = trial.follow_up
    assert [list(days.sofa_days), list(days.survival_days), hours(days.carry_forward)] == [
        page["follow_up"][key] for key in ("sofa_days", "survival_days", "carry_forward")
    ]
    assert [(c.id, c.starts, hours(c.limit), [hours(mark) for mark in c.warn_left]) for c in trial.clocks] == [
        (c["id"], c["from"], c["limit"], c["warn_left"]) for c in page["clocks"]
    ]


def test_what_a_page_may_leave_out_is_empty(changed: Changed) -> None:
    trial = changed(
        "id: I2\n    short: Both genders\n    text: Both genders.\n    source: registry NCT04990232\n    needs: nothing",
        "id: I2\n    text: Both genders.\n    needs: nothing",
    )
    both = trial.criterion("I2")
    assert both is not None
    assert (both.short, both.source, both.ask, both.met_when, both.suggested_when) == ("", "", "", None, None)
    assert changed("  consent_criterion: I4  ", "  #").parameters.consent_criterion == ""
    assert changed("  infection_sets: [pneumonia, bacteraemia] ", "  #").parameters.infection_codes == ()
    assert changed(", warn_left: [24 h, 12 h]", "").clocks[0].warn_left == ()


def test_a_page_without_follow_up_asks_for_no_days(changed: Changed) -> None:
    page = PAGE[PAGE.index("\nfollow_up:") :]
    assert changed(page, "\n").follow_up == FollowUpPlan()
    assert changed("  carry_forward: 48 h\n", "").follow_up.carry_forward == timedelta(0)


@pytest.mark.parametrize("days", ["[0, 1]", "[1.5]", "[-3]"])
def test_a_study_day_is_a_whole_number_from_one(changed: Changed, days: str) -> None:
    with pytest.raises(ConfigError, match=r"trial\.yaml:\d+: a study day is a whole number from 1"):
        changed("survival_days: [28, 90]", f"survival_days: {days}")


def test_noise_round_a_threshold_may_be_none_and_is_never_the_whole_value(changed: Changed) -> None:
    assert changed("near_threshold: 0.15", "near_threshold: 0").parameters.near_threshold == 0
    with pytest.raises(ConfigError, match=r"between 0 and 1, such as 0\.15"):
        changed("near_threshold: 0.15", "near_threshold: 1")


def test_a_group_of_drugs_is_asked_for_with_its_combinations_and_nothing_else() -> None:
    found = {
        comparison.of: [(code.system, code.code, code.prefix) for code in comparison.codes]
        for criterion in shipped("immunosep").criteria
        if criterion.suggested_when is not None
        for comparison in comparisons(criterion.suggested_when)
        if comparison.fact.startswith("drug.")
    }
    assert sorted(found["antituberculosis"]) == [
        ("group", "antituberculosis", False),
        ("group", "antituberculosis-combination", False),
    ]
    assert found["anti-cytokine"] == [("group", "anti-cytokine", False)]


def test_only_sepsis_and_stratum_wait_for_data() -> None:
    assert [c.id for c in shipped("immunosep").criteria if c.needs is Needs.DATA] == ["I6", "I7"]


def test_figures_of_the_protocol_are_read_exactly_and_in_canonical_units() -> None:
    trial = shipped("immunosep")
    figures = {c.fact: c for s in trial.strata for c in comparisons(s.met_when)}
    assert figures["ferritin.latest"].value == 4420
    assert figures["mhladr.latest"].value == 5000
    assert figures["mhladr.latest"].paired_with == "ferritin"
    neutropenia = trial.criterion("E5")
    assert neutropenia is not None
    assert neutropenia.met_when == Comparison(
        "neutrophils.latest", Operator.BELOW, Fraction(3, 2), "10*3/uL", timedelta(hours=48)
    )
    assert trial.clocks[0].limit == timedelta(hours=72)
    assert trial.clocks[0].warn_left == (timedelta(hours=24), timedelta(hours=12))
    assert trial.parameters.near_threshold == Fraction(15, 100)


def test_sepsis_is_either_a_total_in_emergency_or_an_increase_in_hospital() -> None:
    sepsis = shipped("immunosep").criterion("I6")
    assert sepsis is not None
    assert isinstance(sepsis.met_when, Combination)
    assert [(c.fact, c.context) for c in comparisons(sepsis.met_when)] == [
        ("sofa.total", "emergency"),
        ("sofa.increase", "inpatient"),
    ]


def test_a_page_that_extends_another_replaces_whole_keys_only() -> None:
    demo, original = shipped("immunosep-demo"), shipped("immunosep")
    assert (demo.id, demo.stratum_requires) == ("immunosep-demo", "any")
    assert demo.criteria == original.criteria
    assert demo.clocks == original.clocks


def test_a_molar_threshold_becomes_the_canonical_unit(changed: Changed) -> None:
    trial = changed("above: 4420, unit: ng/mL", "above: 10000, unit: pmol/L")
    value = comparisons(trial.strata[0].met_when)[0].value
    assert isinstance(value, Fraction)
    assert value == Fraction(10000) / Fraction("2.247")


MISTAKES = {
    "inclusion:": ("inclusions:", "did you mean 'inclusion'"),
    "fact: age_years": ("fact: age_year", "did you mean 'age_years'"),
    "fact: ferritin.latest, above: 4420": ("fact: feritin.latest, above: 4420", "did you mean 'ferritin.latest'"),
    "at_least: 18": ("atleast: 18", "did you mean 'at_least'"),
    "above: 4420, unit: ng/mL": ("above: 4420, unit: ng/dl", "unknown unit 'ng/dl' for ferritin"),
    "above: 4420, unit: ng/mL, within": ("above: 4420, within", "needs a unit"),
    "fact: sofa.total, at_least: 2, within: 24 h": ("fact: sofa.total, at_least: 2, within: 12 h", "sofa_window"),
    "within: 24 h, context: emergency": ("within: 24 hours, context: emergency", "a duration such as '72 h'"),
    "context: inpatient": ("context: inpatients", "did you mean 'inpatient'"),
    "met_when: {fact: stratum.assigned, is: true}": ("met_when: {fact: stratum.assigned, is: maybe}", "true or false"),
    "- {fact: sex, is: male}": ("- {fact: sex, is: man}", "is never 'man' — did you mean 'male'"),
    "{fact: sex, is: female}": ("{fact: sex, is: female, within: 3 d}", "has no 'within'"),
    "{fact: code_status.dnr, is: true}": ("{fact: code_status.dnr, is: true, within: 3 d}", "has no 'within'"),
    "needs: nothing": ("needs: nobody", "known: data, nothing, person"),
    "sepsis_criterion: I6": ("sepsis_criterion: I66", "unknown sepsis_criterion 'I66'"),
    "stratum_criterion: I7": ("stratum_criterion: E7", "unknown stratum_criterion"),
    "id: E3": ("id: E2", "the id 'E2' stands twice"),
    "from: I6": ("from: I7", "unknown from 'I7'"),
    "warn_left: [24 h": ("warn_left: [72 h", "before the limit"),
    "paired_with: ferritin": ("paired_with: ferritine", "did you mean 'ferritin'"),
    "stratum_requires: central ": ("stratum_requires: centre ", "did you mean 'central'"),
    "consent-asked: []": ("consent-ask: []", "did you mean 'consent-asked'"),
    "declined: [patient": ("declined: [The patient", "small letters"),
    "near_threshold: 0.15": ("near_threshold: 15", "between 0 and 1"),
    "registry: NCT04990232": ("registry: ", "'registry' is missing"),
    "    ask: Has consent been denied?\n": ("", "has an 'ask'"),
    "needs: person\n    ask: Has consent been denied?": ("ask: Has consent been denied?", "who answers it"),
    "above: 4420": ("above: 4420, at_most: 3", "exactly one of"),
    "sofa_window: 24 h": ("sofa_window: 48 h", "scored over 24 h"),
    "of: lupus": ("of: lupos", "did you mean 'lupus'"),
    "condition.in_history, of: lupus": (
        "condition.in_history",
        "needs 'of': a set of mappings/codesets/conditions.csv",
    ),
    "of: anti-cytokine": ("of: anticytokine", "did you mean 'anti-cytokine'"),
    "fact: drug.given, of: anti-cytokine, is: true, within: 30 d": (
        "fact: drug.given, of: anti-cytokine, is: true",
        "needs 'within'",
    ),
    "fact: hiv.test, is: positive": ("fact: hiv.test, of: hiv, is: positive", "has no 'of'"),
    "limit: 72 h": ("limit: 0 h", "longer than nothing"),
    "within: 72 h}\n  - id: immunoparalysis": ("}\n  - id: immunoparalysis", "needs 'within'"),
    "id: mals": ("id: indeterminate", "what is found when no stratum is"),
    "blocked_as: immunoparalysis-blocked-by-covid": ("blocked_as: immunoparalysis", "stands twice"),
    "trial: immunosep": ("trial: ImmunoSep", "small letters"),
    "limit: 72 h, warn_left": ("limit: 72, warn_left", "a duration such as '72 h'"),
    "above: 4420, unit: ng/mL, within: 72 h": (
        "above: 4420, unit: ng/m, within: 72 h",
        "unknown unit 'ng/m' .*'ng/mL'",
    ),
    "{fact: sex, is: male}": ("{fact: sex, above: 3}", "'sex' is compared by is$"),
    "at_least: 18}": ("is: true}", "is compared by at_least"),
    "fact: age_years, at_least: 18": ("fact: age_years, at_least: 18, unit: a", "has no unit"),
    "{fact: clock.open, is: true}": ("{fact: clock.open, is: true, context: inpatient}", "has no 'context'"),
    "fact: covid.active, is: true": ("fact: covid.active, is: true, paired_with: ferritin", "not drawn"),
    "title: Personalized immunotherapy in sepsis (ImmunoSep)": ("title: 7", "must be text"),
    "above: 4420, unit: ng/mL, within: 72 h}": ("above: a lot, unit: ng/mL, within: 72 h}", "must be a number"),
    "suggested_when: {fact: steroid.daily, of: corticosteroid, at_least: 0.4, within: 15 d}": (
        "suggested_when: {fact: steroid.every_day, of: corticosteroid, at_least: 0.4, within: 12 h}",
        "'within' is 1 d or more",
    ),
    "suggested_when: {fact: condition.in_history, of: lupus, is: true}": (
        "suggested_when: {fact: sofa.total, at_least: 2, within: 48 h}",
        "'sofa.total' looks back over sofa_window",
    ),
    "warn_left: [24 h, 12 h]}": (
        "warn_left: [24 h, 12 h]}\n  - {id: another, from: I6, limit: 96 h}",
        "a trial has one clock: a second one would never run",
    ),
    "clocks:\n  - {id": ("clocks:\n    {id", "must be a list"),
    "any:\n        - {fact: sofa.total": ("some:\n        - {fact: sofa.total", "unknown key 'some'"),
}


@pytest.mark.parametrize("old", MISTAKES, ids=lambda old: MISTAKES[old][0].strip().replace("\n", " ")[:40])
def test_a_mistake_is_refused_where_it_stands(old: str, changed: Changed) -> None:
    new, advice = MISTAKES[old]
    with pytest.raises(ConfigError, match=advice) as refused:
        changed(old, new)
    assert "trial.yaml:" in str(refused.value)


@pytest.mark.parametrize("old", ["fact: age_years", "above: 4420, unit: ng/mL", "context: inpatient", "limit: 72 h"])
def test_the_line_of_the_mistake_is_named(old: str, changed: Changed) -> None:
    with pytest.raises(ConfigError, match=rf"trial\.yaml:{line_of(old)}: "):
        changed(old, MISTAKES[old][0])


def test_a_connective_stands_alone_and_is_never_empty(changed: Changed) -> None:
    with pytest.raises(ConfigError, match="stands alone"):
        changed("met_when: {fact: age_years, at_least: 18}", "met_when: {any: [{fact: sex, is: male}], fact: sex}")
    with pytest.raises(ConfigError, match="at least one rule"):
        changed("met_when: {fact: age_years, at_least: 18}", "met_when: {all: []}")


def test_not_turns_a_rule_round(changed: Changed) -> None:
    trial = changed("met_when: {fact: age_years, at_least: 18}", "met_when: {not: {fact: age_years, below: 18}}")
    assert isinstance(trial.criteria[0].met_when, Combination)


def test_a_rule_inside_not_is_read_with_its_unit(changed: Changed) -> None:
    turned = "met_when: {not: {fact: ferritin.latest, above: 10000, unit: pmol/L, within: 72 h}}"
    (rule,) = comparisons(changed("met_when: {fact: age_years, at_least: 18}", turned).criteria[0].met_when or ADULT)
    assert (rule.value, rule.unit) == (Fraction(10000) / Fraction("2.247"), "ng/mL")


def test_a_rule_that_names_nobody_waits_for_data(changed: Changed) -> None:
    found = changed("    needs: data\n", "").criterion("I6")
    assert found is not None
    assert found.needs is Needs.DATA


def test_a_list_of_keys_is_asked_for_where_something_else_stands(changed: Changed) -> None:
    with pytest.raises(ConfigError, match="'parameters' must be a list of keys with values"):
        changed(PAGE[PAGE.index("parameters:") : PAGE.index("inclusion:")], "parameters: [1]\n")


def test_an_extended_page_may_not_extend_another(tmp_path: Path) -> None:
    child, parent = tmp_path / "child.yaml", tmp_path / "parent.yaml"
    child.write_text("trial: a\nextends: b\n")
    parent.write_text("trial: b\nextends: c\n")
    with pytest.raises(ConfigError, match=r"parent.yaml:2: .*may not extend"):
        read_trial(assets.load_document(child), builders.dictionary().vocabulary, assets.load_document(parent))


def test_a_page_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trial.yaml"
    path.write_text("- just\n- a list\n")
    with pytest.raises(ConfigError, match=r"trial\.yaml:1: "):
        extends(assets.load_document(path))


@pytest.mark.parametrize("fact", FACTS.values(), ids=lambda fact: fact.name)
def test_every_fact_is_documented_and_its_unit_is_the_dictionary_s(fact: Fact) -> None:
    assert f"`{fact.name}`" in (PROFILES / "README.md").read_text()
    if fact.concept:
        assert builders.dictionary().concepts[fact.concept].unit == fact.unit
