"""The page of alerts, its test, and what became of a candidate's alert."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from adapter.alerting.hours import DAILY, Hours
from adapter.alerting.model import Person, Policy
from adapter.alerting.rota import Rota, Weekly
from adapter.pipeline.calling import Caller
from adapter.store import outbox
from adapter.web.context import AlertDesk
from tests.builders import T0
from tests.web_house import House, first_candidate, hidden, house, mals, rules

POLICY = Policy((Person("anna", ("mail/anna",)), Person("bert", ("hook",))))
DAY = Hours(T0.replace(hour=0, minute=0).time(), T0.replace(hour=23, minute=0).time())
ROTA = Rota(UTC, (Weekly(DAILY, DAY, ("anna", "bert")),))


@pytest.fixture
def made(tmp_path: Path) -> Iterator[House]:
    """A house without a second store, but where a test asks for both."""
    with house(tmp_path) as one:
        yield one


@pytest.fixture
def alerting(made: House) -> House:
    desk = AlertDesk({"mail/anna": "email", "hook": "webhook"}, POLICY, lambda: ROTA)
    made.context = replace(made.context, alerts=desk)
    return made


def called(made: House) -> None:
    Caller(made.database, made.clock, POLICY, lambda: ROTA, rules().trials, f"{made.context.base_url}/").round()


def steps(page: str) -> dict[str, str]:
    found = re.search(r'id="alert".*?</dl>', page, re.DOTALL)
    assert found
    return {
        name: re.sub(r"<[^>]+>", "", said).strip()
        for name, said in re.findall(r"<dt>(\w+)</dt><dd>(.*?)</dd>", found[0])
    }


def test_the_page_says_who_is_on_call_and_where_nobody_is(alerting: House) -> None:
    page = alerting.signed_in().get("/alerts").text
    assert "anna, then bert" in page
    assert "nobody: a gap" in page
    assert "mail/anna" in page


def test_without_a_rota_it_says_that_everybody_is_told(made: House) -> None:
    client = made.signed_in()
    assert "No rota" in client.get("/alerts").text
    assert "On call" not in client.get("/").text


def test_the_list_names_who_is_on_call_now(alerting: House) -> None:
    client = alerting.signed_in()
    assert "On call: <b>anna, then bert</b>" in client.get("/").text
    alerting.context = replace(alerting.context, alerts=AlertDesk({}, POLICY, Rota))
    assert "On call: nobody" in alerting.signed_in().get("/").text


@pytest.mark.parametrize("name", ["anna", "root"])
def test_a_test_goes_out_by_the_way_of_alerts_and_is_on_record(alerting: House, name: str) -> None:
    client = alerting.signed_in(name)
    csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/alerts").text)
    assert csrf
    assert client.post("/alerts/test", data={"csrf": csrf[1], "channel": "hook"}).status_code == 303
    assert client.post("/alerts/test", data={"csrf": csrf[1], "channel": "elsewhere"}).status_code == 404
    assert client.post("/alerts/test", data={"csrf": "forged", "channel": "hook"}).status_code == 403
    with alerting.database.read() as conn:
        (owed,) = outbox.due(conn, "hook", alerting.clock.now, 9)
    assert (owed.kind, owed.payload.count("candidate")) == ("test", 0)
    assert "waits for hook" in client.get("/alerts").text
    assert (name, "test-alert", "ok") in alerting.audited()


def test_an_alert_goes_from_created_to_decided(each_store: str, alerting: House) -> None:
    alerting.tell(*mals())
    called(alerting)
    with alerting.database.write() as tx:
        (owed,) = outbox.due(tx, "mail/anna", alerting.clock.now, 9)
        outbox.delivered(tx, owed.id, None, alerting.clock.now)
    client = alerting.signed_in()
    link = first_candidate(client)
    page = client.get(link).text
    found = steps(page)
    assert list(found) == ["created", "sent", "delivered", "opened", "claimed", "decided"]
    assert "not yet" not in found["delivered"]
    assert found["opened"].endswith("anna")
    assert found["claimed"] == found["decided"] == "not yet"
    assert "taken by mail/anna" in page
    client.post(f"{link}/status", data=hidden(page) | {"choice": "declined|patient", "note": ""})
    found = steps(client.get(link).text)
    assert found["claimed"].endswith("anna")
    assert found["decided"].endswith("anna")


def test_a_look_by_somebody_who_may_act_is_an_answer(alerting: House) -> None:
    alerting.tell(*mals())
    called(alerting)
    client = alerting.signed_in()
    client.get(first_candidate(client))
    alerting.clock.now += timedelta(hours=5)
    called(alerting)
    with alerting.database.read() as conn:
        kinds = list(conn.exec_driver_sql("SELECT kind FROM outbox WHERE outlet = 'hook' AND kind = 'escalated'"))
    assert kinds == []


def test_what_no_channel_took_is_seen_on_the_candidate_s_page(alerting: House) -> None:
    alerting.tell(*mals())
    called(alerting)
    with alerting.database.write() as tx:
        (owed,) = outbox.due(tx, "mail/anna", alerting.clock.now, 9)
        outbox.dead(tx, owed.id, "the mail server refused the mail", alerting.clock.now)
    client = alerting.signed_in()
    page = client.get(first_candidate(client)).text
    assert "not delivered" in page
    assert "refused by mail/anna" in page
