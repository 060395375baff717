"""A candidate's page that lies open: its clock goes on, and it says when more is known."""

import re
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from adapter.store import accounts
from adapter.store.accounts import Scope
from tests.builders import T0, adt, dtm, obx
from tests.web_house import House, first_candidate, hidden, mals, results

STAMP = re.compile(r'id="clock" data-stamp="([0-9a-f]+)"')


def shown(client: TestClient, page: str) -> str:
    answer = client.get(page)
    assert answer.status_code == 200
    return STAMP.search(answer.text)[1]  # type: ignore[index]


def asked(client: TestClient, page: str) -> str:
    answer = client.get(f"{page}/now?auto=1")
    assert answer.status_code == 200
    return STAMP.search(answer.text)[1]  # type: ignore[index]


@pytest.fixture
def opened(home: House) -> tuple[TestClient, str]:
    home.tell(*mals())
    client = home.signed_in()
    return client, first_candidate(client)


def test_hours_that_go_by_move_the_clock_and_are_no_news(home: House, opened: tuple[TestClient, str]) -> None:
    client, page = opened
    before = shown(client, page)
    home.clock.now += timedelta(hours=2)
    home.processor.step()
    client = home.signed_in()
    assert asked(client, page) == shown(client, page) == before
    assert "66\u00a0h" in client.get(f"{page}/now?auto=1").text


def test_a_result_a_visit_an_answer_a_note_and_a_hand_are_news(home: House, opened: tuple[TestClient, str]) -> None:
    client, page = opened
    form = hidden(client.get(page).text)
    seen = [shown(client, page)]
    home.tell(results("100", obx("2524-7", "2.9", "mmol/L"), name="PAPADOPOULOU^ELENI", at=T0, order="F2"))
    seen.append(asked(client, page))
    home.tell(adt("A02", visit="V100", cls="E", ward="ICU 4", bed="9", at=dtm(T0), control="A2"))
    seen.append(asked(client, page))
    client.post(f"{page}/determination", data=form | {"criterion": "I4", "answer": "met", "note": ""})
    seen.append(asked(client, page))
    client.post(f"{page}/note", data={"csrf": form["csrf"], "text": "family comes at 15:00"})
    seen.append(asked(client, page))
    client.post(f"{page}/claim", data={"csrf": form["csrf"], "to": "/"})
    seen.append(asked(client, page))
    assert len(set(seen)) == len(seen)
    assert seen[-1] == shown(client, page)


def test_asking_is_no_view_and_says_nothing_of_the_patient(home: House, opened: tuple[TestClient, str]) -> None:
    client, page = opened
    before = home.audited()
    answer = client.get(f"{page}/now?auto=1").text
    assert home.audited() == before
    assert not re.search("PAPADOPOULOU|Candidate|MALS", answer)
    assert "NEW" in client.get("/").text.upper(), "nobody has opened it"


def test_who_may_not_see_the_candidate_hears_nothing(home: House, opened: tuple[TestClient, str]) -> None:
    _, page = opened
    assert home.client().get(f"{page}/now?auto=1").status_code == 302
    assert home.signed_in("root").get(f"{page}/now?auto=1").status_code == 403
    home.person("far", "coordinator")
    with home.database.write() as tx:
        accounts.set_role(tx, "far", "coordinator", Scope(sites=frozenset({"elsewhere"})))
    assert home.signed_in("far").get(f"{page}/now?auto=1").status_code == 404
    assert home.signed_in().get("/c/00000000000000000000/now?auto=1").status_code == 404
