"""A page nobody touches covers itself, in a real browser: nothing of a patient is seen, and only who is signed in sees it again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_click_path import barriers, in_hand
from tests.chromium import browser, listening
from tests.web_house import House, house, mals

__all__ = ["browser"]
pytestmark = pytest.mark.server

SOON = 0.4


@pytest.fixture
def shared(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[House, str]]:
    with house(tmp_path) as home:
        home.context = replace(home.context, blank=timedelta(seconds=getattr(request, "param", SOON)))
        home.tell(*mals())
        with listening(home) as base:
            yield home, base


def seen(page: Any) -> str:
    return str(page.locator("body").inner_text())


def covered(page: Any) -> None:
    page.wait_for_selector("#cover:not([hidden])")


def test_an_untouched_page_covers_itself_until_somebody_does_something(browser: Any, shared: tuple[House, str]) -> None:
    page = in_hand(browser, shared[1], "anna")
    covered(page)
    assert "PAPADOPOULOU" not in seen(page)
    assert page.locator("h3 a").first.is_hidden()
    assert not barriers(page)
    page.mouse.move(200, 200)
    assert "PAPADOPOULOU" not in seen(page), "a nudge of the table is no touch"
    at = page.url
    page.keyboard.press("Enter")
    page.wait_for_selector("#cover", state="hidden")
    assert "PAPADOPOULOU" in seen(page)
    assert page.url == at
    covered(page)


@pytest.mark.parametrize("shared", [1.5], indirect=True)
def test_a_page_in_use_is_not_covered(browser: Any, shared: tuple[House, str]) -> None:
    page = in_hand(browser, shared[1], "anna")
    for n in range(20):
        page.mouse.move(100 + n, 100)
        page.wait_for_timeout(100)
    assert "PAPADOPOULOU" in seen(page)


def test_who_is_no_longer_signed_in_sees_the_sign_in_and_no_patient(browser: Any, shared: tuple[House, str]) -> None:
    home, base = shared
    page = in_hand(browser, base, "anna")
    covered(page)
    home.clock.now += home.context.idle + timedelta(minutes=1)
    page.mouse.click(200, 200)
    page.wait_for_url("**/sign-in**")
    assert "PAPADOPOULOU" not in page.content()


def test_while_the_server_is_away_it_stays_covered(browser: Any, shared: tuple[House, str]) -> None:
    page = in_hand(browser, shared[1], "anna")
    covered(page)
    page.context.set_offline(True)
    page.mouse.click(200, 200)
    page.wait_for_timeout(300)
    assert "PAPADOPOULOU" not in seen(page)
    page.context.set_offline(False)
    page.mouse.click(200, 200)
    page.wait_for_selector("#cover", state="hidden")


def test_a_page_without_patients_is_never_covered(browser: Any, shared: tuple[House, str]) -> None:
    page = browser.new_context(base_url=shared[1]).new_page()
    page.goto("/sign-in")
    page.wait_for_timeout(2 * SOON * 1000)
    assert page.locator("#cover").count() == 0
