"""What is typed into one form of a candidate's page outlives the sending of another, in a real browser, and nothing else does."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_click_path import in_hand
from tests.browser.test_worklist import PHONE
from tests.chromium import browser, listening
from tests.web_house import PASSWORD, House, house, mals, unclear

__all__ = ["browser"]
pytestmark = pytest.mark.server


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[tuple[House, str]]:
    with house(tmp_path) as home:
        home.person("ben", "coordinator")
        home.tell(*mals(), *unclear())
        with listening(home) as base:
            yield home, base


def typing(browser: Any, base: str, **view: Any) -> Any:
    """Anna has a candidate's page open, with a note for the team, one to a question and a reason in it."""
    page = in_hand(browser, base, "anna", **view)
    page.locator("#board h3 a").first.click()
    page.get_by_label("Note for the team").fill("family comes at three")
    page.get_by_label("Note to I4").fill("asked the <son>")
    page.locator("#onset summary").click()
    page.get_by_label("Why").fill("seen at the door")
    return page


def tap(page: Any) -> None:
    """An answer to another question."""
    page.locator("#criterion-I3").get_by_role("button", name="Still unknown").click()
    page.wait_for_url("**answered=I3**")


def held(page: Any) -> list[str]:
    labels = ("Note for the team", "Note to I4", "Why")
    return [page.get_by_label(label).input_value() for label in labels]


ALL = ["family comes at three", "asked the <son>", "seen at the door"]


def stored(page: Any) -> int:
    return int(page.evaluate("sessionStorage.length + localStorage.length"))


def test_an_answer_leaves_what_the_other_forms_hold(browser: Any, ward: tuple[House, str]) -> None:
    page = typing(browser, ward[1], viewport=PHONE)
    tap(page)
    assert held(page) == ALL
    assert page.get_by_label("Why").is_visible(), "what was put back lies open"
    assert stored(page) == 0
    page.locator("#criterion-I4").get_by_role("button", name="Met (stays in)", exact=True).click()
    page.wait_for_url("**answered=I4**")
    assert page.get_by_label("Note to I4").input_value() == "", "it was sent"
    assert "Answered by anna: asked the <son>" in page.locator("#criterion-I4").text_content()
    assert page.get_by_label("Note for the team").input_value() == ALL[0]


def test_the_newer_page_is_shown_with_what_was_typed(browser: Any, ward: tuple[House, str]) -> None:
    home, base = ward
    page = typing(browser, base)
    client = home.signed_in("ben")
    csrf = client.get("/api/v1/session").json()["csrf"]
    client.post(page.evaluate("location.pathname") + "/note", data={"csrf": csrf, "text": "news"})
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.get_by_role("link", name="Show it").click()
    page.wait_for_selector(".history >> text=news")
    assert held(page) == ALL


def test_another_page_and_another_person_get_nothing(browser: Any, ward: tuple[House, str]) -> None:
    home, base = ward
    page = typing(browser, base)
    home.clock.now += home.context.idle + timedelta(minutes=1)
    page.locator("#criterion-I3").get_by_role("button", name="Still unknown").click()
    page.wait_for_selector("text=Your session has ended")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("Name").fill("ben")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#onset")
    assert (held(page), stored(page)) == ([""] * 3, 0)


def test_the_same_person_signed_in_again_finds_it(browser: Any, ward: tuple[House, str]) -> None:
    home, base = ward
    page = typing(browser, base)
    home.clock.now += home.context.idle + timedelta(minutes=1)
    page.locator("#criterion-I3").get_by_role("button", name="Still unknown").click()
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#onset")
    assert (held(page), stored(page)) == (ALL, 0)


def test_whoever_leaves_the_page_or_signs_out_leaves_nothing(browser: Any, ward: tuple[House, str]) -> None:
    page = typing(browser, ward[1])
    here = page.url
    page.goto("/")
    assert stored(page) == 0
    page.goto(here)
    assert held(page) == [""] * 3
    page.get_by_label("Note for the team").fill("again")
    page.evaluate("sessionStorage.setItem('typed /c/0', '{}')")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    assert stored(page) == 0
