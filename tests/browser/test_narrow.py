"""Every page on a phone of 360 pixels, by day and by night: nothing is wider than the screen, whatever stands on it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapter.alerting.hours import DAILY, WHOLE_DAY
from adapter.alerting.model import Person, Policy
from adapter.alerting.rota import Rota, Weekly
from adapter.store import audit
from adapter.store.audit import Act
from adapter.store.inbox import put_many
from adapter.web.app import ROOMS
from adapter.web.context import AlertDesk
from tests.browser.test_worklist import fill
from tests.builders import adt, obx, oru, raw
from tests.chromium import browser, listening
from tests.web_house import PASSWORD, House, first_candidate, hidden, house

__all__ = ["browser"]

pytestmark = pytest.mark.server

PHONE = {"width": 360, "height": 740}
PEOPLE = {"anna": "coordinator", "iris": "investigator", "ilse": "interface-admin", "mona": "monitor", "root": "admin"}
NO_PAGE = {
    "/live",
    "/livez",
    "/readyz",
    "/healthz",
    "/metrics",
    "/sign-in/hospital",
    "/sign-in/back",
    "/c/{candidate}/now",
}
"""A stream, words for machines, the way to another house, a piece of a page."""
WITHOUT_SIGNING_IN = ("/sign-in", "/sign-in/once/{token}")
LONG = "X" * 60
WIDER = """() => [...document.querySelectorAll('body *')]
    .filter(one => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.scroll, .unseen, svg'))
    .map(one => `${one.tagName}.${one.className}: ${one.textContent.trim().slice(0, 60)}`).slice(0, 8)"""


def pages() -> list[str]:
    routes: list[Any] = [route for room in ROOMS for route in room.router.routes if "GET" in route.methods]
    paths = {route.path for route in routes if not route.path.startswith("/api/")}
    return sorted(paths - NO_PAGE)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str, str]]:
    """With words as long as senders and people write them."""
    with house(tmp_path_factory.mktemp("narrow")) as home:
        channels = {f"mail/{LONG}": "email", "hook": "webhook"}
        rota = Rota(weekly=(Weekly(DAILY, WHOLE_DAY, ("anna", LONG)),))
        policy = Policy((Person("anna", ("hook",)), Person(LONG, (f"mail/{LONG}",))))
        home.context = replace(home.context, alerts=AlertDesk(channels, policy, lambda: rota))
        for name, role in PEOPLE.items():
            home.person(name, role)
        fill(home)
        home.tell(
            oru(obx(f"LOCAL-{LONG}", "5", LONG), patient="100", visit="V100", control=LONG, order=f"F-{LONG}"),
            adt("A08", patient="100", visit="V100", cls="E", ward=LONG, control="O", name=f"ROE{LONG}^RICHARD", born="19800101", sex="M"),
            oru(processing="T", control=LONG),
        )  # fmt: skip
        with home.database.write() as tx:
            put_many(tx, [raw(b"nobody", source="lab", quarantine="NO_MSH", control_id=LONG, received=home.clock.now)])
            audit.append(tx, Act("anna", "coordinator", "note", "candidate", LONG, reason=LONG), home.clock.now)
        page = acted(home)
        with listening(home) as base:
            yield home, base, page


def acted(home: House) -> str:
    """What people do with a candidate, so that its page has all its parts; its address."""
    anna = home.signed_in()
    page = next(one for one in candidates(anna.get("/").text) if "One number, two persons?" in anna.get(one).text)
    for path, given in (
        ("same-person", {"reason": LONG}),
        ("note", {"text": LONG}),
        ("determination", {"criterion": "I4", "answer": "met", "note": LONG}),
        ("status", {"choice": "consent-asked", "note": LONG}),
        ("onset", {"began": "2026-01-02T03:00", "reason": LONG}),
    ):
        form = hidden(anna.get(page).text) if path != "note" else {"csrf": hidden(anna.get(page).text)["csrf"]}
        assert anna.post(f"{page}/{path}", data=form | given).status_code == 303, path
    assert first_candidate(anna)
    home.clock.now += timedelta(minutes=1)
    form = {"csrf": hidden(anna.get(page).text)["csrf"], "trial": "immunosep-demo", "number": "100"}
    more = {"at": "2026-01-02T03:00", "enrolled": "no", "note": LONG}
    assert anna.post("/figures/missed", data=form | more).status_code == 303
    return page


def candidates(page: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r'href="(/c/[0-9a-f]+)"', page)))


@pytest.fixture(scope="module", params=["light", "dark"])
def phones(browser: Any, served: tuple[House, str, str], request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """A phone in each person's hand."""
    found = {}
    for name in PEOPLE:
        context = browser.new_context(base_url=served[1], viewport=PHONE, color_scheme=request.param)
        found[name] = context.new_page()
        found[name].goto("/sign-in?to=/account")
        found[name].get_by_label("Name").fill(name)
        found[name].get_by_label("Password").fill(PASSWORD)
        found[name].keyboard.press("Enter")
        found[name].wait_for_url("**/account")
    yield found
    for one in found.values():
        one.context.close()


@pytest.mark.parametrize("path", pages())
def test_nothing_is_wider_than_a_phone(
    served: tuple[House, str, str], phones: dict[str, Any], path: str, browser: Any
) -> None:
    home, _, candidate = served
    where = candidate if path == "/c/{candidate}" else path
    if path in WITHOUT_SIGNING_IN:
        stranger = browser.new_context(base_url=served[1], viewport=PHONE).new_page()
        stranger.goto(home.link("user:anna") if "{" in path else path)
        fits(stranger, "nobody")
        stranger.context.close()
        return
    seen = [name for name, page in phones.items() if page.goto(where).ok and fits(page, name)]
    assert seen, "somebody may see it"


def fits(page: Any, name: str) -> bool:
    """Also with all that can be unfolded."""
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], (name, page.evaluate(WIDER))
    assert page.evaluate(WIDER) == [], (name, page.url)
    return True
