"""Who takes part is found on the list when the time, the visit or the ground is gone; whom somebody declined is no news then."""

from datetime import timedelta

from adapter.store import worklist
from tests.builders import adt, dtm, obx
from tests.web_house import House, first_candidate, hidden, in_words, mals, results

HOUR = timedelta(hours=1)


def decided(home: House, choice: str) -> None:
    home.tell(*mals())
    client = home.signed_in()
    page = first_candidate(client)
    form = hidden(client.get(page).text) | {"choice": choice, "note": ""}
    assert client.post(f"{page}/status", data=form).status_code == 303


def test_that_somebody_was_randomised_is_said_twice_because_it_cannot_be_taken_back(home: House) -> None:
    home.tell(*mals())
    client = home.signed_in()
    page = first_candidate(client)
    form = hidden(client.get(page).text) | {"choice": "on-study", "note": "by the night shift"}
    asked = client.post(f"{page}/status", data=form)
    assert asked.status_code == 422
    assert "hides every later result" in asked.text
    assert '<option value="on-study|sure" selected>On study' in asked.text
    assert "by the night shift" in asked.text
    form |= hidden(asked.text) | {"choice": "on-study|sure"}
    assert client.post(f"{page}/status", data=form).status_code == 303
    shown = client.get(page).text
    assert "Now: <span" in shown
    assert "Enter a central laboratory result" not in shown
    assert "#result" not in shown
    late = {"test": "ferritin|ng/mL", "value": "917", "drawn": "2026-01-02T07:00"}
    refused = client.post(f"{page}/result", data=hidden(shown) | late)
    assert (refused.status_code, "After randomisation no result is entered here" in refused.text) == (422, True)
    form = hidden(shown) | {"choice": "withdrawn|safety", "note": ""}
    assert client.post(f"{page}/status", data=form).status_code == 303


def test_a_page_of_an_earlier_session_says_nothing_twice(home: House) -> None:
    home.tell(*mals())
    client = home.signed_in()
    page = first_candidate(client)
    form = hidden(client.get(page).text) | {"csrf": "of before", "choice": "on-study", "note": ""}
    old = client.post(f"{page}/status", data=form)
    assert old.status_code == 403
    assert '<option value="on-study" selected>On study' in old.text


def test_a_colleague_who_said_it_too_is_no_contradiction(home: House) -> None:
    home.tell(*mals())
    home.person("ben", "coordinator")
    client, ben = home.signed_in(), home.signed_in("ben")
    page = first_candidate(client)
    mine, his = (hidden(one.get(page).text) | {"choice": "on-study|sure", "note": ""} for one in (client, ben))
    assert ben.post(f"{page}/status?upon=nothing", data=his).status_code == 303
    assert client.post(f"{page}/status?upon=nothing", data=mine).status_code == 303


def test_who_sets_the_status_consented_has_answered_for_the_consent(home: House) -> None:
    decided(home, "consented")
    shown = home.signed_in().get(first_candidate(home.signed_in())).text
    consent = shown.partition('id="criterion-I4"')[2].partition('id="criterion-')[0]
    assert "Answered by <b>anna</b>" in consent
    assert "I4" not in in_words(questions(shown))


def questions(page: str) -> str:
    return page.partition('id="to-ask"')[2].partition("Settled")[0]


def parts(home: House) -> list[str]:
    """Where the list shows somebody."""
    client = home.signed_in()
    found = []
    for part in ("open", "decided", "over", "withdrawn"):
        shown = client.get(f"/?part={part}").text.partition('id="aside"')[0]
        found += [part] * ("PAPADOPOULOU" in shown)
    return found


def pass_time(home: House, wait: timedelta) -> None:
    home.clock.now += wait
    home.processor.review()


def standing(home: House) -> bool:
    with home.database.read() as conn:
        return any(row.standing for row in worklist.shown(conn, home.clock.now))


def test_who_consented_stays_when_the_time_is_over(home: House) -> None:
    decided(home, "consented")
    assert parts(home) == ["open"]
    pass_time(home, 73 * HOUR)
    assert not standing(home)
    assert parts(home) == ["decided"]
    pass_time(home, 80 * 24 * HOUR)
    assert parts(home) == ["decided"]


def test_who_was_randomised_stays_when_the_visit_has_ended(home: House) -> None:
    decided(home, "on-study|sure")
    pass_time(home, 96 * HOUR)
    left = adt(
        "A03", patient="100", at=dtm(home.clock.now), control="D1", name="PAPADOPOULOU^ELENI", cls="E", visit="V100"
    )
    home.tell(left)
    pass_time(home, HOUR)
    assert not standing(home)
    assert parts(home) == ["decided"]
    pass_time(home, 30 * 24 * HOUR)
    assert parts(home) == ["decided"]


def test_whom_somebody_declined_does_not_come_back_when_the_clock_runs_out(home: House) -> None:
    decided(home, "declined|patient")
    pass_time(home, 73 * HOUR)
    assert parts(home) == ["decided"]
    pass_time(home, 25 * HOUR)
    assert parts(home) == []


def test_that_a_correction_took_the_ground_of_one_who_consented_is_news_for_a_day(home: House) -> None:
    decided(home, "consented")
    pass_time(home, HOUR)
    well = (("2703-7", "180", "mm[Hg]", "1"), ("777-3", "240", "10*3/uL", "4"), ("8478-0", "80", "mm[Hg]", "5"))
    lines = [obx(*one[:3], sub=one[3], status="C") for one in (*well, ("2160-0", "0.9", "mg/dL", "7"))]
    home.tell(results("100", *lines, name="PAPADOPOULOU^ELENI"))
    assert not standing(home)
    assert parts(home) == ["withdrawn"]
    pass_time(home, 25 * HOUR)
    assert parts(home) == ["decided"]
