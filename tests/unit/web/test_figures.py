"""The page of figures, and the review of cases that people say were missed, on both stores."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from starlette.testclient import TestClient

from adapter.pipeline.why_not import Cause
from adapter.store import missed_cases
from adapter.store.audit import listing
from adapter.store.missed_cases import MissedCase
from adapter.web.cases import CAUSES
from tests.builders import T0, adt, after, dtm, obx
from tests.web_house import House, arrival, first_candidate, hidden, mals, organs, results, unclear

TRIAL = "immunosep-demo"
THEN = after(3)


def report(home: House, number: str, at: datetime | str = THEN, **more: str) -> tuple[int, str]:
    client = home.signed_in()
    csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/figures").text)
    assert csrf
    moment = at if isinstance(at, str) else f"{at:%Y-%m-%dT%H:%M}"
    wish = {"csrf": csrf[1], "trial": TRIAL, "number": number, "at": moment, "enrolled": "no", "note": ""} | more
    answer = client.post("/figures/missed", data=wish)
    if answer.status_code != 303:
        return answer.status_code, answer.text
    return 303, client.get(answer.headers["location"].partition("#")[0]).text


def cases(home: House) -> list[MissedCase]:
    with home.database.read() as conn:
        return missed_cases.listing(conn, TRIAL)


def newest(home: House, number: str, at: datetime = THEN, **more: str) -> tuple[str, tuple[str, ...]]:
    status, page = report(home, number, at, **more)
    assert status == 303
    found = cases(home)[0]
    assert CAUSES[Cause(found.cause)] in page
    return found.cause, found.detail


def test_the_page_counts_who_went_how_far(home: House) -> None:
    home.tell(*mals(), *unclear(), arrival("300", "VLACHOS^D"))
    client = home.signed_in()
    page = first_candidate(client)
    form = hidden(client.get(page).text)
    assert client.post(f"{page}/status", data=form | {"choice": "declined|relative", "note": ""}).status_code == 303
    found = home.signed_in("root").get("/api/v1/flow").json()
    assert [(step["step"], step["count"]) for step in found["flow"]] == [
        ("Looked at by the rules", 3),
        ("Shown to people", 2),
        ("Found eligible by a person", 1),
        ("Approached for consent", 1),
        ("Consented", 0),
        ("Randomised", 0),
    ]
    assert found["flow"][0]["left"] == {"incomplete": 1}
    assert found["flow"][3]["left"] == {"declined: relative": 1}
    assert (found["patients"], found["predictive"][0]["right"]) == (3, 1)
    shown = home.signed_in("root").get("/figures").text
    for wanted in ("1 declined: relative", "3 patients, by episode", "1 of 1", "First shown as", "<svg"):
        assert wanted in shown, wanted
    for name in ("PAPADOPOULOU", "VLACHOS", "Report a patient"):
        assert name not in shown


def test_somebody_nobody_told_us_of(home: House) -> None:
    assert newest(home, "77", enrolled="yes", note="asked in the ward round") == (Cause.NEVER_HEARD, ())
    assert cases(home)[0].candidate == ""
    assert "0 of 1" in home.signed_in().get("/figures").text


def test_the_time_of_somebody_unknown_is_read_by_the_readers_clock(home: House) -> None:
    athens = ZoneInfo("Europe/Athens")
    home.context = replace(home.context, zones={"generic": athens})
    soon = f"{home.clock.now.astimezone(athens) - timedelta(minutes=1):%Y-%m-%dT%H:%M}"
    assert report(home, "77", soon)[0] == 303
    later = f"{home.clock.now.astimezone(athens) + timedelta(minutes=1):%Y-%m-%dT%H:%M}"
    assert report(home, "77", later)[0] == 422


def test_sepsis_could_not_be_established(home: House) -> None:
    home.tell(arrival("300", "VLACHOS^D"))
    cause, detail = newest(home, "300")
    assert cause == Cause.MISSING_DATA
    assert detail
    with home.database.read() as conn:
        act = next(row.act for row in listing(conn) if row.act.action == "report-missed")
    assert dict(act.detail) == {"trial": TRIAL, "cause": "missing-data", "enrolled": False}
    assert "300" not in str(act)


def test_a_criterion_stood_against_it(home: House) -> None:
    neutrophils = obx("751-8", "0.9", "10*3/uL", sub="9")
    ferritin = obx("2276-4", "5200", "ng/mL", sub="8")
    home.tell(arrival("300", "VLACHOS^D"), results("300", *organs(), ferritin, neutrophils, name="VLACHOS^D"))
    assert newest(home, "300") == (Cause.CRITERION, ("E5",))
    assert "E5 " in home.signed_in().get("/figures").text


def test_it_had_been_shown_by_then_or_only_afterwards(home: House) -> None:
    home.tell(*mals())
    assert newest(home, "100", home.clock.now)[0] == Cause.FLAGGED
    assert newest(home, "100", T0)[0] == Cause.FLAGGED_LATER
    client = home.signed_in()
    assert f'<a href="{first_candidate(client)}">the candidate</a>' in client.get("/figures").text
    assert "the candidate</a>" not in home.signed_in("root").get("/figures").text


def test_two_reports_of_one_candidate_are_one_case(home: House) -> None:
    home.tell(arrival("300", "VLACHOS^D"))
    for _ in range(2):
        report(home, "300", enrolled="yes")
    assert len(cases(home)) == 2
    assert home.signed_in().get("/api/v1/flow").json()["missed"] == {CAUSES[Cause.MISSING_DATA]: 1}


def test_the_same_number_twice_needs_its_authority(home: House) -> None:
    home.tell(arrival("300", "VLACHOS^D"), adt("A01", patient="300", authority="OTHER", visit="W1", control="W1"))
    status, page = report(home, "300")
    assert (status, "AUTHORITY|NUMBER" in page) == (422, True)
    assert newest(home, "HOSP|300")[0] == Cause.MISSING_DATA
    merged = adt("A40", patient="900", merged="300", control="M1", sent=dtm(home.clock.now))
    home.tell(merged)
    assert newest(home, "HOSP|300")[0] == Cause.MISSING_DATA


@pytest.mark.parametrize(
    ("number", "more"),
    [("", {}), ("x" * 65, {}), ("HOSP|", {}), ("1", {"at": "yesterday"}), ("1", {"at": "2031-01-01T00:00"})],
)
def test_what_cannot_be_looked_up_is_refused_and_not_kept(home: House, number: str, more: dict[str, str]) -> None:
    assert report(home, number, **more)[0] == 422  # type: ignore[arg-type]
    assert cases(home) == []


def test_who_may_not_act_reports_nothing(home: House) -> None:
    client: TestClient = home.signed_in("root")
    csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/figures").text)
    assert csrf
    wish = {"csrf": csrf[1], "trial": TRIAL, "number": "1", "at": "2026-01-02T03:00", "enrolled": "no", "note": ""}
    assert client.post("/figures/missed", data=wish).status_code == 403
