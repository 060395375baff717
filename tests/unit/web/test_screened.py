"""Who was screened, by number alone: a person once, whatever they have of records, visits and numbers."""

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from tests.builders import adt, dtm
from tests.web_house import House, first_candidate, hidden, mals, settled, unclear


def listed(home: House, role: str = "auditor") -> list[dict[str, str]]:
    if ("a-" + role) not in {name for name, _, _ in home.audited()}:
        home.person(f"a-{role}", role)
    found: list[dict[str, str]] = home.signed_in(f"a-{role}").get("/api/v1/screened").json()["screened"]
    return found


def merge(home: House, old: str, into: str) -> bytes:
    return adt("A40", patient=into, merged=old, control=f"M{old}", sent=dtm(home.clock.now))


def test_who_goes_by_another_number_of_the_hospital_keeps_the_number_of_screening(home: House) -> None:
    home.tell(*mals())
    (before,) = listed(home)
    home.tell(merge(home, "100", "900"))
    assert before["screening_id"]
    assert listed(home) == [before]


def test_two_records_that_are_one_person_stand_there_once_and_under_the_chosen_number(home: House) -> None:
    home.tell(*mals(), *unclear())
    numbers = {row["screening_id"] for row in listed(home)}
    assert len(numbers) == 2
    home.tell(merge(home, "200", "100"))
    (doubtful,) = listed(home)
    assert (doubtful["screening_id"], doubtful["trial"]) == ("", "immunosep-demo")
    client = home.signed_in()
    page = first_candidate(client)
    chosen = min(numbers)
    settled(home, page, "screening-id", number=chosen)
    (row,) = listed(home)
    assert row["screening_id"] == chosen


def test_the_sponsor_is_told_of_a_person_by_the_episode_in_which_they_take_part(home: House) -> None:
    home.tell(*mals(), *unclear())
    client = home.signed_in()
    page = first_candidate(client)
    form = hidden(client.get(page).text) | {"choice": "consented", "note": ""}
    assert client.post(f"{page}/status", data=form).status_code == 303
    assert [row["status"] for row in listed(home, "monitor")] == ["consented"]
    home.tell(merge(home, "200", "100"))
    (row,) = listed(home, "monitor")
    assert row["status"] == "consented"
    assert [one["status"] for one in listed(home)] == ["consented"]


def test_its_days_are_those_of_the_site(home: House) -> None:
    home.clock.now = home.clock.now.replace(hour=23, minute=30)
    home.tell(*mals())
    (utc,) = listed(home)
    home.context = replace(home.context, zones={"generic": ZoneInfo("Europe/Athens")})
    (local,) = listed(home)
    assert date.fromisoformat(local["raised"]) - date.fromisoformat(utc["raised"]) == timedelta(days=1)
    assert local["changed"] >= local["raised"]
