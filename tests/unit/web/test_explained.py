"""Every value on a candidate's page with where it comes from, every answer with its rule, every score with its moment."""

from datetime import timedelta

from adapter.web import words
from tests.builders import T0, obx
from tests.web_house import House, first_candidate, mals, organs, results


def test_a_value_is_shown_as_reported_and_canonical_with_its_message_and_source(home: House) -> None:
    lines = (*organs(), obx("2276-4", "5.2", "mg/L", sub="8"))
    home.tell(mals()[0], results("100", *lines, name="P^E"))
    client = home.signed_in()
    page = client.get(first_candidate(client)).text
    assert "<b>5200\u00a0ng/mL</b>" in page
    assert "(sent as 5.2\u00a0mg/L)" in page
    assert "message 2 (lab" in page


def test_every_criterion_says_its_rule_and_source(home: House) -> None:
    home.tell(*mals())
    client = home.signed_in()
    page = client.get(first_candidate(client)).text
    assert page.count("<summary>Rule and source</summary>") == 23
    assert "Rule: Age at least 18. Source: registry NCT04990232." in page
    assert "Rule: a person answers. Source: registry NCT04990232." in page
    assert "mHLA-DR below 5000 AB/cell within 72 h" in page
    assert "Why this stratum" in page


def test_a_candidate_of_yesterday_shows_the_score_at_onset_beside_todays(home: House) -> None:
    home.clock.now = T0 + timedelta(hours=40)
    home.tell(*mals())
    client = home.signed_in()
    assert "at onset 6–7" in client.get("/").text
    link = first_candidate(client)
    page = client.get(link).text
    assert '<b class="total">0–24</b>' in page
    assert "At onset <b>6–7</b>" in page
    told = client.get(f"/api/v1/candidates/{link.rsplit('/', 1)[1]}").json()["assessment"]
    assert told["sepsis"]["sofa_at_onset"] == {"low": 6, "high": 7}
    ferritin = told["facts"]["ferritin"]
    assert (ferritin["message"], ferritin["source"]) == ("2", "lab")


def test_a_score_that_is_still_the_same_is_said_once_on_the_list(home: House) -> None:
    home.tell(*mals())
    assert "at onset" not in home.signed_in().get("/").text


def test_rules_are_said_as_on_the_ward() -> None:
    assert words.rule("ferritin.latest above 4420 ng/mL within 72 h") == "Ferritin above 4420 ng/mL within 72 h"
    assert words.rule("(mhladr.latest below 5000 {AB}/{cell});") == "(mHLA-DR below 5000 AB/cell);"
    assert words.rule("a person answers") == "a person answers"
    assert words.rule("age_years at least 1") == "Age at least 1"
