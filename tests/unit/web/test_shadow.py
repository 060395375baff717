"""A trial in shadow on the pages: the banner, the mark of a candidate, and what people would have been told."""

import re
from dataclasses import replace
from datetime import timedelta

from starlette.testclient import TestClient

from adapter.store import shadow
from adapter.store.codec import instant
from adapter.web.context import Health
from tests.plans import listening
from tests.unit.web.test_log import download, table
from tests.web_house import House, arrival, first_candidate, hidden, mals, unclear

TRIAL = "immunosep-demo"
BANNER = "In shadow: immunosep-demo. Nobody is told of its candidates, and nothing is sent to the trial."


def turned(home: House, *, dark: bool) -> None:
    home.context = replace(home.context, shadow=frozenset({TRIAL} if dark else ()))
    home.health = Health(notices=(f"shadow:{TRIAL}",) if dark else ())
    with home.database.write() as tx:
        shadow.turn(tx, TRIAL, home.clock.now, shadow=dark)
    home.clock.now += timedelta(minutes=1)


def decided(client: TestClient, choice: str) -> None:
    page = first_candidate(client)
    form = hidden(client.get(page).text)
    assert client.post(f"{page}/status", data=form | {"choice": choice, "note": ""}).status_code == 303


def test_every_page_and_candidate_of_a_trial_in_shadow_says_so(home: House) -> None:
    turned(home, dark=True)
    home.tell(*mals())
    client = home.signed_in()
    page = first_candidate(client)
    for path in ("/", page, "/figures", "/alerts"):
        assert BANNER in client.get(path).text, path
    for path in ("/", page):
        assert '<span class="flag">in shadow</span>' in client.get(path).text, path
    assert BANNER not in home.client().get("/sign-in").text
    assert client.get("/healthz").json() == {"status": "ok", "alarms": [], "notices": ["shadow:immunosep-demo"]}
    turned(home, dark=False)
    client = home.signed_in()
    assert "shadow" not in client.get("/").text
    assert client.get("/healthz").json()["notices"] == []


def test_a_store_that_was_restored_says_on_every_page_that_nobody_is_told(home: House) -> None:
    banner = "The store was restored from a backup. Until an administrator releases it nobody is alerted"
    assert banner not in home.signed_in().get("/").text
    home.context = replace(home.context, held=lambda: True)
    client = home.signed_in()
    for path in ("/", "/figures", "/alerts"):
        assert banner in client.get(path).text, path
    assert banner not in home.client().get("/sign-in").text


def test_what_would_have_been_told_is_read_for_the_figures_alone_and_only_of_the_time_in_shadow(home: House) -> None:
    turned(home, dark=True)
    home.tell(*mals())
    home.clock.now += timedelta(hours=1)
    turned(home, dark=False)
    client, until = home.signed_in(), instant(home.clock.now - timedelta(minutes=1))
    for path, ends in (("/log", []), ("/figures", [until])):
        with listening() as issued:
            assert client.get(path).status_code == 200
        asked = [given for text, given in issued.statements.items() if "candidate_history.at >=" in text]
        assert len(asked) == len(ends), path
        assert all(end in str(given) for end, given in zip(ends, asked, strict=True)), path


def test_what_would_have_been_told_is_counted_apart_and_judged_by_decisions(home: House) -> None:
    home.tell(*mals("1", "FIRST^A"))
    decided(home.signed_in(), "eligible|")
    home.clock.now += timedelta(minutes=1)
    turned(home, dark=True)
    home.tell(*mals("2", "SECOND^B"), *unclear("3"), arrival("4", "FOURTH^D"))
    home.clock.now += timedelta(hours=20)
    found = home.signed_in("root").get("/api/v1/flow").json()
    assert [(step["step"], step["count"]) for step in found["flow"]][:3] == [
        ("Looked at by the rules", 2),
        ("Shown to people", 1),
        ("Found eligible by a person", 1),
    ]
    assert found["predictive"][0]["decided"] == 1
    told = found["shadow"]
    assert (told["going"], told["certain"], told["possible"]) == (True, 1, 1)
    assert told["would_have_told"] == {"raised": 2, "updated": 0, "withdrawn": 0}
    assert (sum(told["by_hour"]), told["predictive"][0]["decided"]) == (2, 0)
    client = home.signed_in()
    page = re.search(r'id="row-([^"]+)"(?:(?!id="row-).)*SECOND', client.get("/").text, re.DOTALL)
    assert page
    form = hidden(client.get(f"/c/{page[1]}").text)
    wrong = {"choice": "not-eligible|exclusion-criterion", "note": ""}
    answer = client.post(f"/c/{page[1]}/status", data=form | wrong)
    assert answer.status_code == 303, answer.text
    after = home.signed_in("root").get("/api/v1/flow").json()
    first = after["shadow"]["predictive"][0]
    assert (first["decided"], first["right"]) == (1, 0)
    assert after["predictive"][0]["decided"] == 1, "the live figures are as they were"
    shown = client.get("/figures").text
    assert "In shadow" in shown
    assert "0 of 1" in shown[shown.index('id="shadow"') :]


def test_a_night_is_told_apart_and_a_day_s_mean_waits_for_a_day(home: House) -> None:
    turned(home, dark=True)
    home.tell(*mals("2", "SECOND^B"))
    home.clock.now = home.clock.now.replace(hour=23)
    home.tell(*unclear("3", at=home.clock.now - timedelta(hours=2)))
    early = home.signed_in().get("/figures").text
    assert re.search(r"A candidate appeared</th><td>2</td><td>–</td><td>2</td><td>1</td>", early)
    home.clock.now += timedelta(days=1)
    turned(home, dark=False)
    later = home.signed_in().get("/figures").text
    assert re.search(r"A candidate appeared</th><td>2</td><td>1\.\d</td><td>2</td><td>1</td>", later)
    assert "now live" in later


def test_a_trial_that_was_never_in_shadow_has_no_such_figures(home: House) -> None:
    home.tell(*mals())
    assert 'id="shadow"' not in home.signed_in().get("/figures").text
    assert home.signed_in("root").get("/api/v1/flow").json()["shadow"] is None


def test_the_log_says_of_whom_nobody_was_told(home: House) -> None:
    turned(home, dark=True)
    home.tell(*mals("1", "FIRST^A"))
    home.clock.now += timedelta(hours=1)
    turned(home, dark=False)
    home.tell(*mals("2", "SECOND^B"))
    client = home.signed_in()
    for version in ("site", "trial"):
        rows = table(download(client, version))
        assert sorted(row["in_shadow"] for row in rows) == ["", "yes"]
    (dark,) = [row["family"] for row in table(download(client, "site")) if row["in_shadow"]]
    assert dark == "FIRST"
    page = client.get("/log").text
    rows_told = [row for row in page.split("<tr>") if '<th scope="row">' in row]
    assert ['<span class="flag">in shadow</span>' in row for row in rows_told] == [False, True], "newest first"
