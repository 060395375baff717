"""The screening log and the figures in a real browser: read and downloaded without a script, on a desk and on a phone."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_worklist import DESK, PHONE, boxes, browser, fill, listening, person, shots
from tests.chromium import pictured
from tests.web_house import PASSWORD, House, first_candidate, hidden, house

__all__ = ["browser", "shots"]
pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str]]:
    """A ward of four, one of whom declined."""
    with house(tmp_path_factory.mktemp("log")) as home:
        fill(home)
        client = home.signed_in()
        page = first_candidate(client)
        form = hidden(client.get(page).text)
        client.post(f"{page}/status", data=form | {"choice": "declined|relative", "note": "=1+1"})
        with listening(home) as base:
            yield home, base


@pytest.mark.parametrize(("view", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"])
def test_the_log_is_read_and_taken_and_the_figures_drawn(
    browser: Any, served: tuple[House, str], shots: Path, view: dict[str, int], scheme: str
) -> None:
    page = person(browser, served[1], "anna", viewport=view, color_scheme=scheme)
    page.get_by_role("link", name="Screening log").click()
    pictured(page, shots / f"log-{scheme}.png", full_page=True)
    with page.expect_download() as taken:
        page.get_by_role("button", name="Site version, CSV").click()
    assert "'=1+1" in Path(taken.value.path()).read_text(encoding="utf-8-sig")
    assert taken.value.suggested_filename == "screening-log-immunosep-demo-site-20260104.csv"
    page.get_by_role("link", name="Figures", exact=True).click()
    picture = page.get_by_role("img", name="Flow of patients")
    assert "Approached for consent: 1" in picture.locator("desc").text_content()
    assert picture.locator("text", has_text="1 declined: relative").bounding_box()["width"] > 0
    pictured(page, shots / f"figures-{scheme}.png", full_page=True)
    wide = page.locator("html").bounding_box()["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= wide
    assert all(box["x"] + box["width"] <= wide for box in boxes(page, "main section, main form"))


def test_a_missed_case_is_asked_by_keyboard_and_answered(browser: Any, served: tuple[House, str]) -> None:
    page = person(browser, served[1], "anna")
    page.get_by_role("link", name="Figures", exact=True).click()
    page.get_by_label("Hospital number").fill("4711")
    page.get_by_label("yes").focus()
    page.keyboard.press("Space")
    page.get_by_label("Note").focus()
    page.keyboard.type("found on the round")
    page.keyboard.press("Enter")
    page.wait_for_url("**/figures?**found=never-heard**")
    assert "No message about this number ever came" in page.get_by_role("status").inner_text()
    assert "4711" not in page.content()


def test_a_download_long_after_signing_in_is_one_password_away(browser: Any, served: tuple[House, str]) -> None:
    home, base = served
    page = person(browser, base, "anna", viewport=PHONE)
    for _ in range(2):
        page.get_by_role("link", name="Screening log").click()
        page.wait_for_url("**/log")
        home.clock.now += timedelta(minutes=8)
    page.get_by_role("button", name="Trial unit, XLSX").click()
    page.get_by_label("Your password").fill("wrong wrong wrong")
    page.keyboard.press("Enter")
    assert page.get_by_role("alert").inner_text() == "This is not your password."
    assert page.evaluate("document.documentElement.scrollWidth") <= page.locator("html").bounding_box()["width"]
    page.get_by_label("Your password").fill(PASSWORD)
    with page.expect_download() as taken:
        page.keyboard.press("Enter")
    assert taken.value.suggested_filename.endswith("-trial-20260104.xlsx")
    page.locator("main").get_by_role("link", name="Screening log").click()
    page.wait_for_url("**/log?trial=immunosep-demo")
