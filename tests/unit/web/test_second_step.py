"""A code of the phone after the password: made known, asked for, each code once, and what a lost phone means."""

import re
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest
from starlette.testclient import TestClient

from adapter.daemon import commands
from adapter.daemon.commands import Desk
from adapter.store import accounts
from tests.web_house import PASSWORD, House

RIGHT = {"name": "anna", "password": PASSWORD, "to": "/quality"}
HALF = re.compile(r'name="half" value="([^"]+)"')
SECRET = re.compile(r'href="otpauth://totp/[^"]*secret=([A-Z2-7]{32})&amp;')


@pytest.fixture
def strict(home: House) -> House:
    home.context = replace(home.context, second_step_required=True)
    return home


def half(page: str) -> str:
    return HALF.findall(page)[0]


def code(home: House, secret: str) -> str:
    return pyotp.TOTP(secret).at(home.clock.now)


def known_phone(home: House, client: TestClient) -> str:
    """Its secret."""
    page = client.post("/sign-in", data=RIGHT).text
    secret = SECRET.findall(page)[0]
    answer = client.post("/sign-in/second-step", data={"half": half(page), "code": code(home, secret)})
    assert answer.status_code == 200
    assert 'href="/quality"' in answer.text.split("<main")[1]
    return secret


def test_where_it_is_required_nobody_is_in_before_a_phone_is_known(strict: House) -> None:
    client = strict.client()
    page = client.post("/sign-in", data=RIGHT)
    assert page.status_code == 200
    assert "<svg" in page.text
    assert re.search(r"<code>([A-Z2-7]{4} ){7}[A-Z2-7]{4}</code>", page.text), "to be typed"
    assert client.get("/").status_code == 302
    secret = SECRET.findall(page.text)[0]
    wrong = client.post("/sign-in/second-step", data={"half": half(page.text), "code": "000000"})
    assert wrong.status_code == 403
    assert secret in wrong.text
    known_phone(strict, client)
    assert client.get("/").status_code == 200
    with strict.database.read() as conn:
        user = accounts.find_user(conn, "anna")
    assert user is not None
    assert user.second_step
    assert secret not in user.second_step


def test_a_code_is_asked_for_and_works_once(strict: House) -> None:
    client = strict.client()
    secret = known_phone(strict, client)
    used = code(strict, secret)
    for given, status in ((used, 403), ("abc", 403), ("", 403)):
        page = client.post("/sign-in", data=RIGHT).text
        assert "<svg" not in page.split("<main")[1]
        answer = strict.client().post("/sign-in/second-step", data={"half": half(page), "code": given})
        assert answer.status_code == status
        strict.clock.now += timedelta(hours=2)
    page = client.post("/sign-in", data=RIGHT).text
    fresh = f"{code(strict, secret)[:3]} {code(strict, secret)[3:]}"
    assert client.post("/sign-in/second-step", data={"half": half(page), "code": fresh}).status_code == 303


@pytest.mark.parametrize(("seconds", "status"), [(-30, 303), (30, 303), (-61, 403), (61, 403)])
def test_a_phone_may_be_half_a_minute_off(strict: House, seconds: int, status: int) -> None:
    client = strict.client()
    secret = known_phone(strict, client)
    strict.clock.now += timedelta(minutes=10)
    page = client.post("/sign-in", data=RIGHT).text
    given = pyotp.TOTP(secret).at(strict.clock.now + timedelta(seconds=seconds))
    assert client.post("/sign-in/second-step", data={"half": half(page), "code": given}).status_code == status


def test_the_right_password_does_not_free_the_guessing_of_codes(strict: House) -> None:
    client = strict.client()
    secret = known_phone(strict, client)
    strict.clock.now += timedelta(minutes=10)
    answers = []
    for _ in range(2):
        page = client.post("/sign-in", data=RIGHT).text
        data = {"half": half(page), "code": "000000"}
        answers += [client.post("/sign-in/second-step", data=data).status_code for _ in range(2)]
    assert answers == [403, 403, 403, 429]
    right = {"half": half(page), "code": code(strict, secret)}
    assert client.post("/sign-in/second-step", data=right).status_code == 429
    assert client.post("/sign-in", data=RIGHT).status_code == 429


def test_half_a_sign_in_is_over_soon_and_with_another_password(strict: House) -> None:
    client = strict.client()
    secret = known_phone(strict, client)
    page = client.post("/sign-in", data=RIGHT).text
    strict.clock.now += timedelta(minutes=11)
    late = client.post("/sign-in/second-step", data={"half": half(page), "code": code(strict, secret)})
    assert late.headers["location"] == "/sign-in"
    page = client.post("/sign-in", data=RIGHT).text
    with strict.database.write() as tx:
        accounts.set_password(tx, "anna", "another")
    data = {"half": half(page), "code": code(strict, secret)}
    assert client.post("/sign-in/second-step", data=data).headers["location"] == "/sign-in"
    data = {"half": "forged", "code": code(strict, secret)}
    assert client.post("/sign-in/second-step", data=data).headers["location"] == "/sign-in"


def test_an_invited_person_comes_in_by_the_front_door_where_a_phone_is_required(strict: House) -> None:
    client, new = strict.client(), "another long password"
    answer = client.post(strict.link("user:anna"), data={"name": "anna", "password": new, "again": new})
    assert answer.headers["location"] == "/sign-in"
    assert client.get("/").status_code == 302


def test_where_it_is_offered_one_makes_a_phone_known_with_the_password_again(home: House) -> None:
    client, other = home.signed_in(), home.signed_in()
    csrf = client.get("/api/v1/session").json()["csrf"]
    assert client.post("/account/second-step", data={"csrf": csrf, "password": "wrong"}).status_code == 403
    assert client.post("/account/second-step", data={"csrf": "no", "password": PASSWORD}).status_code == 403
    page = client.post("/account/second-step", data={"csrf": csrf, "password": PASSWORD}).text
    data = {"half": half(page), "code": code(home, SECRET.findall(page)[0])}
    assert 'href="/account"' in client.post("/sign-in/second-step", data=data).text.split("<main")[1]
    assert "a code of your phone" in client.get("/account").text
    assert other.get("/").status_code == 302
    assert "second-step-set" in [action for _, action, _ in home.audited()]


def test_who_lost_the_phone_makes_another_one_known(strict: House) -> None:
    client = strict.client()
    known_phone(strict, client)
    desk = Desk(strict.database, strict.clock, "")
    assert commands.perform(desk, {"command": "user-reset-second-step", "name": "anna"})["second_step"] is False
    assert client.get("/").status_code == 302
    assert SECRET.search(client.post("/sign-in", data=RIGHT).text)
