"""A search and the way back from what it found, in a real browser: with a script on a desk, without one on a phone."""

from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_worklist import DESK, fill
from tests.chromium import browser, listening
from tests.web_house import PASSWORD, house

__all__ = ["browser"]

pytestmark = pytest.mark.server

SMALL = {"width": 360, "height": 740}


@pytest.mark.parametrize(("view", "script"), [(DESK, True), (SMALL, False)], ids=["desk", "phone"])
def test_who_was_decided_is_found_and_every_way_back_leads_to_what_was_found(
    browser: Any, tmp_path: Path, view: dict[str, int], *, script: bool
) -> None:
    with house(tmp_path) as home:
        fill(home)
        with listening(home) as base:
            page = signed_in(browser, base, viewport=view, java_script_enabled=script)
            decline(page, "VLACHOS")
            page.goto("/")
            assert page.get_by_role("link", name="VLACHOS").count() == 0, "nobody need look at him"
            searched(page, "vlachos, dimitrios")
            found = page.url
            assert "vlachos" not in found.lower()
            row = page.locator("#board > li")
            assert "Decided" in row.locator(".what").inner_text()
            assert page.evaluate("document.documentElement.scrollWidth") <= view["width"]
            page.get_by_role("link", name="VLACHOS").focus()
            page.keyboard.press("Enter")
            page.wait_for_url("**/c/*")
            page.go_back()
            assert page.url == found
            assert row.count() == 1
            page.get_by_role("button", name="Take in hand").focus()
            page.keyboard.press("Enter")
            page.wait_for_selector(".holder.mine")
            assert page.url.partition("#")[0] == found
            assert focused(page) == "Let go"
            page.get_by_role("link", name="VLACHOS").click()
            page.wait_for_url("**/c/*")
            page.get_by_role("button", name="Let go").click()
            page.get_by_role("button", name="Take in hand").wait_for()
            page.get_by_role("link", name="← Worklist").click()
            assert page.url.partition("#")[0] == found
            assert focused(page).startswith("VLACHOS"), "the next one is a key away"
            assert row.count() == 1


def test_the_arrow_leads_back_to_part_and_filters(browser: Any, tmp_path: Path) -> None:
    with house(tmp_path) as home:
        fill(home)
        with listening(home) as base:
            page = signed_in(browser, base, viewport=DESK)
            decline(page, "VLACHOS")
            page.goto("/?part=decided&ward=Ward+4B")
            listed = page.url
            page.get_by_role("link", name="VLACHOS").click()
            page.wait_for_url("**/c/*")
            page.get_by_role("link", name="← Worklist").click()
            assert {*page.url.partition("#")[0].partition("?")[2].split("&")} == {*listed.partition("?")[2].split("&")}
            assert page.locator("#board > li").count() == 1


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.innerText"))


def test_the_first_candidate_is_three_keys_away(browser: Any, tmp_path: Path) -> None:
    with house(tmp_path) as home:
        fill(home)
        with listening(home) as base:
            page = signed_in(browser, base, viewport=DESK)
            for _ in range(2):
                page.keyboard.press("Tab")
            assert focused(page) == "Skip to the candidates"
            page.keyboard.press("Enter")
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.id").startswith("open-")
            assert focused(page) == page.locator("#board h3 a").first.inner_text()


def signed_in(browser: Any, base: str, **view: Any) -> Any:
    page = browser.new_context(base_url=base, **view).new_page()
    page.goto("/sign-in?to=/")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#board")
    return page


def searched(page: Any, words: str) -> None:
    page.get_by_role("searchbox").fill(words)
    page.keyboard.press("Enter")
    page.wait_for_url("**/?found=*")


def decline(page: Any, name: str) -> None:
    page.get_by_role("link", name=name).click()
    page.get_by_label("Status and reason").select_option("declined|relative")
    page.get_by_role("button", name="Save status").click()
    page.wait_for_url("**saved=applied#status")
