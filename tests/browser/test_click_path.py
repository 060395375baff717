"""Ten tasks of a coordinator's day, with the clicks each may cost; no page with a barrier that axe-core calls serious."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_worklist import DESK, PHONE, fill
from tests.builders import T0, obx
from tests.chromium import browser, listening, pictured
from tests.web_house import PASSWORD, House, house, mals, organs, results

__all__ = ["browser"]

pytestmark = pytest.mark.server

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
SERIOUS = {"serious", "critical"}
MOST_BYTES = 150_000


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str]]:
    """Four candidates, and two people who work with them."""
    with house(tmp_path_factory.mktemp("ward")) as home:
        home.person("ben", "coordinator")
        fill(home)
        with listening(home) as base:
            yield home, base


@dataclass
class Hand:
    """A mouse that counts: a button, a link and a choice from a box are a click each; typing is none."""

    page: Any
    clicks: int = 0
    costs: dict[str, int] = field(default_factory=dict)

    def click(self, found: Any) -> None:
        self.clicks += 1
        found.click()

    def choose(self, label: str, value: str) -> None:
        self.clicks += 1
        self.page.get_by_label(label).select_option(value)

    def press(self, name: str, within: Any = None) -> None:
        self.click((within or self.page).get_by_role("button", name=name))

    def done(self, task: str) -> None:
        self.costs[task], self.clicks = self.clicks, 0


def barriers(page: Any) -> list[str]:
    """What axe-core finds that keeps people out, with where."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    grave = [one for one in found if one["impact"] in SERIOUS]
    return [f"{page.url} {one['id']}: {[node['html'][:160] for node in one['nodes'][:3]]}" for one in grave]


def opened(browser: Any, base: str, name: str, **view: Any) -> Any:
    page = browser.new_context(base_url=base, **({"viewport": DESK} | view)).new_page()
    page.goto("/sign-in?to=/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    return page


def in_hand(browser: Any, base: str, name: str, **view: Any) -> Any:
    page = opened(browser, base, name, **view)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("#board")
    return page


def test_ten_tasks_of_a_day_cost_few_clicks(browser: Any, ward: tuple[House, str]) -> None:
    _, base = ward
    page = opened(browser, base, "anna")
    hand = Hand(page)

    hand.press("Sign in")
    page.wait_for_selector("#news .news")
    assert page.locator("#board .fresh").count() == 4
    hand.done("sign in and see what is new")

    hand.click(page.locator("#board h3 a").first)
    page.wait_for_url("**/c/*")
    hand.done("open the most urgent")

    for why in ("#sofa", "#immune", "#course", "#criteria"):
        assert page.locator(why).is_visible(), why
    assert page.locator(".evidence .value").count() > 3
    hand.done("see why")

    for criterion, answer, following in (("I4", "Met", "I5"), ("E7", "Not met", "E8")):
        hand.click(page.locator(f"#criterion-{criterion} button", has_text=answer).first)
        page.wait_for_url(f"**saved=applied&answered={criterion}#criterion-{following}")
    hand.done("answer two criteria")

    hand.choose("Test and unit", "mhladr|{AB}/{cell}")
    page.get_by_label("Value").fill("9000")
    page.get_by_label("Drawn").fill("2026-01-03T20:00")
    hand.press("Save result")
    page.wait_for_url("**saved=applied#result")
    hand.done("enter the central mHLA-DR")

    hand.press("Take in hand")
    page.wait_for_selector(".holder.mine")
    hand.done("claim")

    page.get_by_label("Note for the team").fill("family comes at 15:00")
    hand.press("Add note")
    page.wait_for_selector(".history .noted")
    hand.done("write a note")

    hand.choose("Status and reason", "declined|relative")
    hand.press("Save status")
    page.wait_for_url("**saved=applied#status")
    hand.done("decline with a reason")

    hand.choose("Hand over to", "ben")
    hand.press("Hand over")
    page.wait_for_selector("text=In hand: ben")
    hand.done("hand over")

    hand.click(page.get_by_role("link", name="Screening log"))
    with page.expect_download() as waiting:
        hand.press("Trial unit, CSV")
    assert waiting.value.suggested_filename.endswith(".csv")
    hand.done("export the screening log")

    assert hand.costs == {
        "sign in and see what is new": 1,
        "open the most urgent": 1,
        "see why": 0,
        "answer two criteria": 2,
        "enter the central mHLA-DR": 2,
        "claim": 1,
        "write a note": 1,
        "decline with a reason": 2,
        "hand over": 2,
        "export the screening log": 2,
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_barrier(browser: Any, ward: tuple[House, str], scheme: str, tmp_path: Path) -> None:
    _, base = ward
    shots = Path(os.environ.get("ADAPTER_SCREENSHOTS", tmp_path))
    page = opened(browser, base, "ben", color_scheme=scheme)
    found = barriers(page)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("#board")
    one = page.locator("#board h3 a").first.get_attribute("href")
    for name, path in (
        ("list", "/"),
        ("decided", "/?part=decided"),
        ("nobody", "/?trial=none"),
        ("candidate", one),
        ("paper", f"{one}?print=1"),
        ("log", "/log"),
        ("figures", "/figures"),
        ("quality", "/quality"),
        ("account", "/account"),
        ("nowhere", "/nowhere"),
    ):
        page.goto(path)
        pictured(page, shots / f"axe-{name}-{scheme}.png", full_page=True)
        found += barriers(page)
    assert found == []


def test_the_list_moves_by_itself_and_keeps_place_and_focus(browser: Any, ward: tuple[House, str]) -> None:
    home, base = ward
    page = in_hand(browser, base, "ben", viewport={"width": 1280, "height": 500})
    last = page.locator("#board h3 a").last
    last.focus()
    page.evaluate("document.activeElement.scrollIntoView({block: 'center'})")
    kept, name = last.bounding_box()["y"], last.inner_text()
    home.tell(*mals("900", "NEWCOMER^NINA", ward="ICU 9", bed="1"))
    page.wait_for_selector("#board >> text=NEWCOMER", timeout=15_000)
    assert page.evaluate("document.activeElement.textContent") == name
    assert abs(page.get_by_role("link", name=name).bounding_box()["y"] - kept) < 2
    assert re.fullmatch(r"\d candidates to look at", page.locator("#announce").inner_text())


def in_view(page: Any, found: Any) -> bool:
    """Wholly within the window."""
    box, height = found.bounding_box(), page.viewport_size["height"]
    return bool(box) and box["y"] >= 0 and box["y"] + box["height"] <= height


def test_every_question_is_answered_without_looking_for_the_next_one(browser: Any, ward: tuple[House, str]) -> None:
    home, base = ward
    home.tell(*mals("950", "QUICKLY^QUINTA", ward="ICU 9", bed="4"))
    page = in_hand(browser, base, "ben", viewport=PHONE)
    page.get_by_role("link", name=re.compile("^QUICKLY")).click()
    page.get_by_role("link", name=re.compile("questions to settle")).click()
    asked = [one.get_attribute("id") for one in page.locator("#to-ask .criterion").all()]
    for one, following in pairwise(asked):
        answer = "Met (stays in)" if one.startswith("criterion-I") else "Not met (stays in)"
        button = page.locator(f"#{one}").get_by_role("button", name=answer)
        assert in_view(page, button), f"{one} has to be looked for"
        button.click()
        page.wait_for_url(f"**#{following}")
        told = page.get_by_role("status")
        assert f"Saved: {one.removeprefix('criterion-')}" in told.inner_text()
        assert in_view(page, told)
        box = told.bounding_box()
        assert box["y"] + box["height"] <= page.locator(f"#{following}").bounding_box()["y"], "it covers the question"
    page.locator(f"#{asked[-1]}").get_by_role("button", name="Not met (stays in)").click()
    page.wait_for_url("**#status")
    assert page.locator("#to-ask .criterion").count() == 0


def test_a_page_that_lies_open_says_when_more_is_known(browser: Any, ward: tuple[House, str]) -> None:
    home, base = ward
    home.tell(*mals("960", "WAITING^WILMA", ward="ICU 9", bed="5"))
    page = in_hand(browser, base, "ben", viewport=PHONE)
    page.get_by_role("link", name=re.compile("^WAITING")).click()
    page.get_by_label("Note for the team").fill("half a sen")
    left, glance = page.locator("#clock .left"), "document.dispatchEvent(new Event('visibilitychange'))"
    before = left.inner_text()
    home.clock.now += timedelta(minutes=7)
    page.evaluate(glance)
    page.wait_for_function("text => document.querySelector('#clock .left').innerText !== text", arg=before)
    assert not page.locator("#moved").is_visible(), "time alone is no news"
    home.tell(results("960", obx("777-3", "45", "10*3/uL"), name="WAITING^WILMA", at=home.clock.now, order="F7"))
    page.evaluate(glance)
    page.wait_for_selector("#moved:visible")
    assert in_view(page, page.locator("#moved"))
    assert page.get_by_label("Note for the team").input_value() == "half a sen"
    page.get_by_role("link", name="Show it").click()
    page.wait_for_selector("text=45 ×10³/µL")
    assert not page.locator("#moved").is_visible()


def test_the_paper_shows_nothing_to_click_and_takes_few_sheets(browser: Any, ward: tuple[House, str]) -> None:
    home, base = ward
    home.tell(*mals("970", "PAPERS^PETRA", ward="ICU 9", bed="6"))
    page = in_hand(browser, base, "ben")
    page.goto(f"{page.get_by_role('link', name=re.compile('^PAPERS')).get_attribute('href')}?print=1")
    page.emulate_media(media="print")
    clickable = page.locator("button, input, select, textarea, summary:not(main summary)").all()
    assert [one.inner_text() for one in clickable if one.is_visible()] == []
    assert page.locator(".boxes").first.is_visible()
    sheets = page.pdf(format="A4").count(b"/Type /Page\n")
    assert 2 <= sheets <= 7


def test_a_first_load_is_light(browser: Any, ward: tuple[House, str]) -> None:
    _, base = ward
    page = opened(browser, base, "anna", viewport=PHONE)
    sizes: list[int] = []
    page.on("response", lambda answer: sizes.append(len(answer.body())) if answer.status == 200 else None)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("#board")
    page.wait_for_timeout(200)
    assert 0 < sum(sizes) < MOST_BYTES


def test_a_correction_is_told_in_words_with_what_it_did_to_the_score(browser: Any, ward: tuple[House, str]) -> None:
    home, base = ward
    at = T0 + timedelta(hours=66)
    low = obx("777-3", "18", "10*3/uL", sub="4")
    lines = tuple(line for line in organs() if "777-3" not in line)
    home.tell(results("300", *lines, low, name="VLACHOS^DIMITRIOS", at=at, order="F5"))
    better = obx("777-3", "181", "10*3/uL", sub="4", status="C")
    mended = results("300", better, name="VLACHOS^DIMITRIOS", at=at, order="F5").replace(b"R300F5", b"R300F6")
    home.tell(mended)
    page = in_hand(browser, base, "ben")
    page.get_by_role("link", name=re.compile("^VLACHOS")).click()
    told = page.locator("#history").locator("xpath=..").inner_text()
    assert re.search(r"Platelets 18\s×10³/µL → 181\s×10³/µL; SOFA \d+(–\d+)? → \d", told), told
