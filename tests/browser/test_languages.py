"""A coordinator's walk in Dutch and in Greek: chosen by the browser or by hand, on a desk and on a phone, with a keyboard."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.web.tongue import say, speaking
from tests.browser.test_click_path import barriers
from tests.browser.test_worklist import DESK, PHONE, boxes, browser, fill, listening, shots
from tests.chromium import pictured
from tests.web_house import PASSWORD, house

__all__ = ["browser", "shots"]
pytestmark = pytest.mark.server

PATHS = ("/", "/log", "/figures", "/quality", "/alerts")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with house(tmp_path_factory.mktemp("languages")) as home:
        home.person("ben", "coordinator")
        fill(home)
        with listening(home) as base:
            yield base


def said(name: str, text: str) -> str:
    with speaking(name):
        return say(text)


def signed_in(browser: Any, base: str, name: str, **view: Any) -> Any:
    """By what the browser asks for, without a script."""
    page = browser.new_context(base_url=base, locale=name, java_script_enabled=False, **view).new_page()
    page.goto("/sign-in?to=/")
    page.get_by_label(said(name, "Name")).fill("anna")
    page.get_by_label(said(name, "Password")).fill(PASSWORD)
    page.get_by_role("button", name=said(name, "Sign in")).click()
    page.wait_for_selector("#board")
    return page


def narrow(page: Any, selector: str) -> bool:
    wide = page.locator("html").bounding_box()["width"]
    return all(box["x"] + box["width"] <= wide for box in boxes(page, selector) if box)


@pytest.mark.parametrize(
    ("name", "heading", "asked"),
    [("nl", "kandidaten te bekijken", "E9"), ("el", "υποψήφιοι προς εξέταση", "E10")],
    ids=["nl", "el"],
)
def test_a_day_in_the_readers_language(
    browser: Any, served: str, shots: Path, name: str, heading: str, asked: str
) -> None:
    page = signed_in(browser, served, name, viewport=DESK)
    assert page.locator("h1").inner_text().endswith(heading)
    assert page.locator("html").get_attribute("lang") == name
    pictured(page, shots / f"worklist-{name}.png", full_page=True)
    page.get_by_role("link", name=re.compile("^NIKOLAOU")).click()
    pictured(page, shots / f"candidate-{name}.png", full_page=True)
    assert page.locator(".criterion .ask").first.get_attribute("lang") == "en"
    page.get_by_label(said(name, "Note for the team")).fill("4711")
    page.get_by_role("button", name=said(name, "Add note")).click()
    page.wait_for_selector(".history .noted")
    page.locator(f"#criterion-{asked} button", has_text=said(name, "Not met")).first.click()
    page.wait_for_url(f"**saved=applied&answered={asked}#criterion-*")
    assert page.get_by_role("status").inner_text().startswith(said(name, "Saved: %(criterion)s %(answer)s.")[:4])
    assert said(name, "Change") in page.get_by_role("status").inner_text()


@pytest.mark.parametrize(("name", "whom"), [("nl", "IOANNOU"), ("de", "VLACHOS"), ("el", "PAPADOPOULOU")])
def test_what_was_saved_covers_no_question_and_taken_back_no_name(
    browser: Any, served: str, name: str, whom: str
) -> None:
    page = signed_in(browser, served, name, viewport=PHONE)
    page.get_by_role("link", name=re.compile(f"^{whom}")).click()
    for criterion, answer, following in (("E11", "not-met", "E12"), ("E13", "met", "E13")):
        page.locator(f"#criterion-{criterion} button[value={answer}]").click()
        page.wait_for_url(f"**answered={criterion}#criterion-{following}")
        told, shown = page.get_by_role("status").bounding_box(), page.locator(f"#criterion-{following}").bounding_box()
        assert 0 <= told["y"] < told["y"] + told["height"] <= shown["y"] < PHONE["height"] / 3
    page.set_viewport_size(DESK)
    page.goto("/")
    assert page.locator("#aside .candidate", has_text=whom).count() == 1
    spilled = "found => found.map(one => one.scrollWidth > one.clientWidth)"
    assert not any(page.locator(".candidate .clock").evaluate_all(spilled))


@pytest.mark.parametrize("name", ["nl", "de", "el"])
def test_long_words_fit_a_phone(browser: Any, served: str, shots: Path, name: str) -> None:
    page = signed_in(browser, served, name, viewport=PHONE)
    pictured(page, shots / f"worklist-phone-{name}.png")
    one = page.locator("#board h3 a").last.get_attribute("href")
    for path in (*PATHS, one):
        page.goto(path)
        assert narrow(page, "body > *, main section, ol.board > li, main form, .languages button"), path
    pictured(page, shots / f"candidate-phone-{name}.png")


def test_a_language_is_chosen_by_keyboard_and_no_page_has_a_barrier_in_it(browser: Any, served: str) -> None:
    page = browser.new_context(base_url=served, viewport=DESK).new_page()
    page.goto("/sign-in?to=/")
    page.get_by_role("button", name="Ελληνικά").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("html[lang=el]")
    page.get_by_label(said("el", "Name")).fill("ben")
    page.get_by_label(said("el", "Password")).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#board")
    one = page.locator("#board h3 a").first.get_attribute("href")
    found = []
    for path in (*PATHS, one):
        page.goto(path)
        found += barriers(page)
    assert found == []
