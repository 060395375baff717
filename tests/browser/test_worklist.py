"""The worklist in a real browser: found, read and answered with the keyboard, in light, dark and on a phone."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapter.store import teamwork
from adapter.store.teamwork import HAND_OVER, Note
from adapter.web.context import FeedInfo
from tests.amending import amendable
from tests.builders import T0, obx, oru
from tests.chromium import browser, listening, pictured
from tests.web_house import PASSWORD, House, arrival, house, mals, organs, results, unclear

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

__all__ = ["browser"]

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str]]:
    """The real application on a free port, with a ward of four."""
    with house(tmp_path_factory.mktemp("ward")) as home:
        home.demo()
        fill(home)
        with listening(home) as base:
            yield home, base


def fill(home: House) -> None:
    """One with 5 hours left, one with 20, one who is missing results, and one with plenty of time."""
    home.clock.now = T0 + timedelta(hours=67)
    lines = (
        *organs(),
        obx("2276-4", "1200", "ng/mL", sub="8"),
        obx("mhladr", "4200", "{AB}/{cell}", system="L", sub="9"),
    )
    home.tell(*mals(ward="ICU 2", bed="7"))
    people = (("300", "VLACHOS^DIMITRIOS", 62, "Ward 4B", "21"), ("400", "IOANNOU^MARIA", 15, "ICU 1", "3"))
    for number, name, hours, ward, bed in people:
        at = T0 + timedelta(hours=hours)
        home.tell(
            arrival(number, name, ward, bed, at=at - timedelta(hours=1)), results(number, *lines, name=name, at=at)
        )
    home.tell(*unclear("200", at=T0 + timedelta(hours=40)))


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("ADAPTER_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def entered(browser: Any, served: tuple[House, str], **view: Any) -> Any:
    """A page signed in by the one-time link, without JavaScript."""
    home, base = served
    page = browser.new_context(java_script_enabled=False, base_url=base, **view).new_page()
    page.goto(home.link("demo"))
    return page


def person(browser: Any, base: str, name: str, **view: Any) -> Any:
    """The page of feeds and data, signed in with name and password, without JavaScript."""
    page = browser.new_context(java_script_enabled=False, base_url=base, **({"viewport": DESK} | view)).new_page()
    page.goto("/sign-in?to=/quality")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/quality")
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", [DESK, PHONE], ids=["desk", "phone"])
def test_the_most_urgent_candidate_stands_first_and_nothing_spills_over(
    browser: Any, served: tuple[House, str], shots: Path, view: dict[str, int], scheme: str
) -> None:
    page = entered(browser, served, viewport=view, color_scheme=scheme)
    name = f"{'phone' if view is PHONE else 'desk'}-{scheme}"
    assert page.locator("ol.board > li").first.locator("h3").inner_text().startswith("PAPADOPOULOU")
    page.goto("/?hold=1")
    pictured(page, shots / f"worklist-{name}.png", full_page=True)
    wide = page.locator("html").bounding_box()["width"]
    assert all(box["x"] + box["width"] <= wide for box in boxes(page, "ol.board > li"))
    page.get_by_role("link", name=re.compile("^NIKOLAOU")).click()
    pictured(page, shots / f"candidate-{name}.png", full_page=True)
    assert all(box["x"] + box["width"] <= wide for box in boxes(page, "main section"))


def boxes(page: Any, selector: str) -> list[dict[str, float]]:
    return [found.bounding_box() for found in page.locator(selector).all()]


def test_an_answer_is_given_by_keyboard_alone(browser: Any, served: tuple[House, str]) -> None:
    page = entered(browser, served, viewport=DESK)
    page.get_by_role("link", name=re.compile("^VLACHOS")).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/c/*")
    criterion = page.locator("#criterion-I4")
    criterion.get_by_label("Note to I4").focus()
    page.keyboard.type("son has signed")
    page.keyboard.press("Enter")
    assert "saved" not in page.url, "Enter in a note is no answer"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**saved=applied*")
    assert "Answered by demo: son has signed" in page.locator("#criterion-I4").text_content()


def test_a_central_result_is_entered_and_changes_the_stratum(browser: Any, served: tuple[House, str]) -> None:
    page = entered(browser, served, viewport=PHONE)
    page.get_by_role("link", name=re.compile("^NIKOLAOU")).click()
    page.get_by_label("Test and unit").select_option("mhladr|{AB}/{cell}")
    page.get_by_label("Value").fill("4.200")
    page.get_by_label("Drawn").fill("2026-01-03T20:00")
    page.get_by_role("button", name="Save result").click()
    value, alert = page.get_by_label("Value"), page.get_by_role("alert")
    assert value.input_value() == "4.200"
    assert page.get_by_label("Drawn").input_value() == "2026-01-03T20:00"
    assert all(0 < found.bounding_box()["y"] < PHONE["height"] for found in (value, alert)), "both can be seen at once"
    value.fill("4200")
    page.get_by_role("button", name="Save result").click()
    page.wait_for_url("**saved=applied*")
    assert "Immunoparalysis" in page.locator("section.summary").inner_text()


def test_a_message_nobody_could_read_is_given_up_on_a_phone(
    browser: Any, served: tuple[House, str], shots: Path
) -> None:
    home, _ = served
    home.person("ilse", "interface-admin")
    home.tell(oru(obx("LOCAL-9", "5", "mg"), control="Q1"), oru(processing="T", control="Q2"))
    page = entered(browser, served, viewport=PHONE)
    page.context.clear_cookies()
    page.goto("/sign-in?to=/quality")
    page.get_by_label("Name").fill("ilse")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    pictured(page, shots / "quality-phone-light.png", full_page=True)
    wide = page.locator("html").bounding_box()["width"]
    assert all(
        box["x"] + box["width"] <= wide for box in boxes(page, "main section, main table:not(.scroll table), main form")
    )
    message = page.locator(".held > li").first
    message.get_by_label("Why").fill("ticket 78")
    message.get_by_role("button", name="Discard").click()
    page.wait_for_url("**/quality?done=discard**")
    assert page.locator(".held > li").count() == 0


def test_the_browser_obeys_the_policy_and_complains_of_nothing(browser: Any, served: tuple[House, str]) -> None:
    home, base = served
    page = browser.new_context(base_url=base).new_page()
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(home.link("demo"))
    page.locator("ol.board > li h3 a").first.click()
    page.wait_for_load_state()
    assert complaints == []


def test_a_code_nobody_mapped_is_proposed_and_approved_without_a_script(
    browser: Any, tmp_path: Path, shots: Path
) -> None:
    with house(tmp_path) as home:
        amendable(home, tmp_path / "etc")
        for name, role in (("ilse", "interface-admin"), ("iris", "investigator")):
            home.person(name, role)
        with listening(home) as base:
            page = person(browser, base, "ilse")
            code = page.locator("ul.missed > li", has_text="THRO")
            code.locator("summary").focus()
            page.keyboard.press("Enter")
            code.get_by_label("platelets").check()
            code.get_by_label("Why").fill("catalogue of May")
            pictured(page, shots / "quality-propose.png", full_page=True)
            page.keyboard.press("Enter")
            assert "The line is proposed" in page.get_by_role("status").inner_text()
            page = person(browser, base, "iris")
            pictured(page, shots / "quality-approve.png", full_page=True)
            page.get_by_role("button", name="Approve and read again").click()
            assert "is being read again" in page.get_by_role("status").inner_text()
            assert page.locator("ul.missed > li", has_text="THRO").count() == 0
            small = person(browser, base, "ilse", viewport=PHONE)
            pictured(small, shots / "quality-phone.png", full_page=True)
            wide = small.locator("html").bounding_box()["width"]
            assert all(box["x"] + box["width"] <= wide for box in boxes(small, "main section, main li"))
            page.goto("/")
            assert page.locator("ol.board > li").count() == 1


@pytest.mark.parametrize("view", [DESK, PHONE], ids=["desk", "phone"])
def test_a_deadline_with_its_zone_stays_beside_the_name(browser: Any, tmp_path: Path, view: dict[str, int]) -> None:
    """Where sites of two zones stand on one list, the line is longer than its column."""
    with house(tmp_path) as home:
        home.demo()
        feeds = (*home.context.feeds, FeedInfo("far", "athens", "mllp"))
        home.context = replace(home.context, feeds=feeds, zones={"athens": ZoneInfo("Europe/Athens")})
        home.tell(*mals())
        with listening(home) as base:
            page = entered(browser, (home, base), viewport=view)
            assert "(+00:00)" in page.locator("#board .until").first.inner_text()
            wide = "[...document.querySelectorAll('#board .clock *')].every(one => one.scrollWidth <= one.parentElement.clientWidth)"
            assert page.evaluate(wide)
            column, inside = page.locator("#board .clock").first.bounding_box(), boxes(page, "#board .clock .bar")
            assert all(one["x"] + one["width"] <= column["x"] + column["width"] + 1 for one in inside)


def test_what_was_handed_over_is_found_on_a_phone_without_a_script(browser: Any, tmp_path: Path) -> None:
    """Marked on the list, and read without scrolling through the page, however long its one word is."""
    with house(tmp_path) as home:
        home.demo()
        home.tell(*mals())
        with listening(home) as base:
            page = entered(browser, (home, base), viewport=PHONE | {"width": 360})
            one, name = page.locator("#board h3 a").get_attribute("href"), home.audited()[-1][0]
            with home.database.write() as tx:
                note = Note(home.clock.now, "a colleague", HAND_OVER, name, "y" * 500)
                teamwork.hand_over(tx, str(one).rpartition("/")[2], note)
            home.context.roll.forget()
            page.goto("/?hold=1")
            assert page.locator("#board .fresh").inner_text().lower() == "handed to you"
            page.locator("#board h3 a").press("Enter")
            said = page.locator(".summary .lately")
            assert "y" * 500 in said.inner_text()
            assert said.evaluate("one => one.scrollWidth <= one.clientWidth")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            page.goto("/?hold=1")
            assert page.locator("#board .fresh").count() == 0
