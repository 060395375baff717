"""A rule of the page in words, as it stands beside every answer."""

from datetime import timedelta
from fractions import Fraction

import pytest

from adapter import assets
from adapter.domain.encounter import EncounterClass
from adapter.domain.trial import Combination, Comparison, Connective, Operator, Rule
from adapter.eligibility.phrases import in_words

FERRITIN = Comparison("ferritin.latest", Operator.ABOVE, Fraction(4420), "ng/mL", within=timedelta(hours=72))
MALE = Comparison("sex", Operator.IS, "male")
GROWN = Comparison("culture.growth", Operator.IS, value=True, within=timedelta(days=7))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (FERRITIN, "ferritin.latest above 4420 ng/mL within 72 h"),
        (MALE, "sex is male"),
        (GROWN, "culture.growth is true within 7 d"),
        (
            Comparison("sofa.total", Operator.AT_LEAST, Fraction(2), context=EncounterClass.EMERGENCY),
            "sofa.total at least 2 seen as emergency",
        ),
        (
            Comparison("mhladr.latest", Operator.BELOW, Fraction(5000), "{AB}/{cell}", paired_with="ferritin"),
            "mhladr.latest below 5000 {AB}/{cell} paired with ferritin",
        ),
        (
            Comparison("lactate.latest", Operator.AT_MOST, Fraction(3, 2), "mmol/L", within=timedelta(minutes=90)),
            "lactate.latest at most 1.5 mmol/L within 1.5 h",
        ),
        (
            Combination(Connective.ALL, (MALE, Combination(Connective.ANY, (FERRITIN, GROWN)))),
            "sex is male and (ferritin.latest above 4420 ng/mL within 72 h or culture.growth is true within 7 d)",
        ),
        (Combination(Connective.NOT, (MALE,)), "not sex is male"),
    ],
)
def test_a_rule_is_said_in_words(rule: Rule, words: str) -> None:
    assert in_words(rule) == words


def test_every_criterion_of_the_shipped_trials_has_a_rule_in_words_and_a_source() -> None:
    trial = assets.load_rulebook(None, trials=("immunosep",)).trials[0]
    assert all(criterion.rule and criterion.source for criterion in trial.criteria)
    said = {criterion.id: criterion.rule for criterion in trial.criteria}
    assert said["E5"] == "neutrophils.latest below 1.5 10*3/uL within 48 h"
    assert "mals: ferritin.latest above 4420 ng/mL within 72 h" in said["I7"]
    assert said["I7"] == (
        "stratum.assigned is true (mals: ferritin.latest above 4420 ng/mL within 72 h; immunoparalysis: ferritin.latest at "
        "most 4420 ng/mL within 72 h and mhladr.latest below 5000 {AB}/{cell} within 72 h paired with ferritin, unless "
        "covid.active is true within 14 d)"
    )
    assert said["I8"] == "clock.open is true (less than 72 h since I6)"
    assert said["E2"] == "a person answers"
    shown = "hiv.test is positive or condition.in_history of hiv is true"
    assert said["E9"] == f"a person answers; shown to that person: {shown}"
    assert said["I2"] == "no rule: it holds for everybody"
