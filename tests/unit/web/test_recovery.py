"""Recovery codes: ten for who makes a phone known, each in the place of one code of it, and what an attacker gains by them."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from adapter.daemon import commands
from adapter.daemon.commands import Desk
from adapter.store.people import recovery_codes
from tests.unit.web.test_second_step import RIGHT, SECRET, code, half
from tests.web_house import PASSWORD, House

CODES = re.compile(r"<code>([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})</code>")


@pytest.fixture
def strict(home: House) -> House:
    home.context = replace(home.context, second_step_required=True)
    return home


def with_phone(home: House, client: TestClient) -> list[str]:
    page = client.post("/sign-in", data=RIGHT).text
    data = {"half": half(page), "code": code(home, SECRET.findall(page)[0])}
    return CODES.findall(client.post("/sign-in/second-step", data=data).text)


def enter(client: TestClient, given: str) -> int:
    page = client.post("/sign-in", data=RIGHT).text
    return client.post("/sign-in/second-step", data={"half": half(page), "code": given}).status_code


def anew(client: TestClient, password: str = PASSWORD) -> tuple[int, list[str]]:
    csrf = client.get("/api/v1/session").json()["csrf"]
    answer = client.post("/account/recovery-codes", data={"csrf": csrf, "password": password})
    return answer.status_code, CODES.findall(answer.text)


def test_ten_codes_come_with_the_phone_and_each_works_once(strict: House) -> None:
    codes = with_phone(strict, strict.client())
    assert len(set(codes)) == 10
    client = strict.client()
    assert enter(client, codes[0]) == 303
    assert client.get("/account").text.count("9 of your codes are left") == 1
    assert enter(strict.client(), codes[0]) == 403
    assert enter(strict.client(), codes[1].lower().replace("-", " ").replace("0", "o")) == 303
    acts = [(action, outcome) for _, action, outcome in strict.audited()]
    assert acts.count(("recovery-code-used", "ok")) == 2
    assert ("second-step", "failed") in acts


def test_they_are_shown_once_and_kept_only_as_what_nobody_can_use(strict: House) -> None:
    client = strict.client()
    codes = with_phone(strict, client)
    assert not CODES.search(client.get("/account").text)
    with strict.database.read() as conn:
        kept = [str(row) for row in conn.execute(recovery_codes.select())]
    assert len(kept) == 10
    assert not any(part in row.upper() for one in codes for part in (one, one.replace("-", "")) for row in kept)


def test_new_ones_take_the_place_of_all_before_and_want_the_password(strict: House) -> None:
    client = strict.client()
    old = with_phone(strict, client)
    assert anew(client, "wrong") == (403, [])
    status, fresh = anew(client)
    assert (status, len(fresh)) == (200, 10)
    assert not set(old) & set(fresh)
    assert enter(strict.client(), old[3]) == 403
    assert enter(strict.client(), fresh[3]) == 303
    assert client.post("/account/recovery-codes", data={"csrf": "no", "password": PASSWORD}).status_code == 403


def test_they_are_nothing_without_the_password_or_for_somebody_else(strict: House) -> None:
    codes = with_phone(strict, strict.client())
    root = RIGHT | {"name": "root"}
    page = strict.client().post("/sign-in", data=root).text
    data = {"half": half(page), "code": code(strict, SECRET.findall(page)[0])}
    assert strict.client().post("/sign-in/second-step", data=data).status_code == 200
    page = strict.client().post("/sign-in", data=root).text
    answer = strict.client().post("/sign-in/second-step", data={"half": half(page), "code": codes[0]})
    assert answer.status_code == 403
    page = strict.client().post("/sign-in", data=RIGHT | {"password": codes[0]})
    assert page.status_code == 403


def test_guessing_them_is_slowed_down_as_guessing_the_code_is(strict: House) -> None:
    client = strict.client()
    codes = with_phone(strict, client)
    page = client.post("/sign-in", data=RIGHT).text
    wrong = {"half": half(page), "code": "0000-0000-0000-0000"}
    answers = [client.post("/sign-in/second-step", data=wrong).status_code for _ in range(5)]
    assert answers == [403, 403, 403, 403, 429]
    right = {"half": half(page), "code": codes[0]}
    assert client.post("/sign-in/second-step", data=right).status_code == 429
    strict.clock.now += timedelta(minutes=5)
    assert client.post("/sign-in/second-step", data=right).status_code == 303


def test_another_phone_ends_them(strict: House) -> None:
    codes = with_phone(strict, strict.client())
    commands.perform(Desk(strict.database, strict.clock, ""), {"command": "user-reset-second-step", "name": "anna"})
    page = strict.client().post("/sign-in", data=RIGHT).text
    data = {"half": half(page), "code": codes[0]}
    assert strict.client().post("/sign-in/second-step", data=data).status_code == 403
    again = with_phone(strict, strict.client())
    assert len(again) == 10
    assert not set(codes) & set(again)


def test_who_has_no_phone_has_no_codes(home: House) -> None:
    client = home.signed_in()
    assert anew(client) == (403, [])
    assert "Recovery codes" not in client.get("/account").text
