"""Passwords, sessions, one-time links and who may see what."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from adapter.store.audit import listing
from adapter.web import attempts, passwords, roles
from adapter.web.roles import Right
from tests import stores
from tests.builders import T0
from tests.web_house import PASSWORD, House, first_candidate, hidden, mals

WRONG = {"name": "anna", "password": "wrong wrong wrong", "to": "/"}
RIGHT = {"name": "anna", "password": PASSWORD, "to": "/"}


def test_nobody_sees_a_page_without_signing_in(home: House) -> None:
    client = home.client()
    answer = client.get("/c/abc?x=1")
    assert (answer.status_code, answer.headers["location"]) == (302, "/sign-in?to=%2Fc%2Fabc%3Fx%3D1")
    assert client.get("/api/v1/candidates").status_code == 401


def test_signing_in_goes_on_to_the_page_that_was_asked_for_but_never_elsewhere(home: House) -> None:
    for wanted, given in (("/c/1", "/c/1"), ("https://evil.example/", "/"), ("//evil.example", "/"), ("/\\evil", "/")):
        answer = home.client().post("/sign-in", data=RIGHT | {"to": wanted})
        assert (answer.status_code, answer.headers["location"]) == (303, given)


def test_the_cookie_is_strict_and_bound_to_the_host_where_the_site_is_secure(home: House) -> None:
    home.context = replace(home.context, cookie_secure=True)
    cookie = home.client().post("/sign-in", data=RIGHT).headers["set-cookie"]
    assert cookie.startswith("__Host-session=")
    for part in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie


def test_the_sixth_try_waits_even_with_the_right_password_and_is_let_in_later(home: House) -> None:
    client = home.client()
    assert [client.post("/sign-in", data=WRONG).status_code for _ in range(5)] == [403] * 5
    refused = client.post("/sign-in", data=RIGHT)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 31
    home.clock.now += timedelta(seconds=40)
    assert client.post("/sign-in", data=RIGHT).status_code == 303
    assert [outcome for _, _, outcome in home.audited()] == ["failed"] * 5 + ["refused", "ok"]


def test_waiting_doubles_up_to_a_limit_and_is_forgotten() -> None:
    tries = attempts.Attempts(2)
    for _ in range(3):
        tries.failed("anna", T0)
    assert tries.wait("anna", T0) == 2 * attempts.FIRST_WAIT
    for _ in range(50):
        tries.failed("anna", T0)
    assert tries.wait("anna", T0) == attempts.LONGEST_WAIT
    assert tries.wait("anna", T0 + timedelta(hours=2)) == timedelta(0)
    assert tries.wait("somebody else", T0) == timedelta(0)


def test_the_table_of_tries_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "REMEMBERED", 10)
    tries = attempts.Attempts(2)
    for number in range(50):
        tries.failed(str(number), T0)
    assert len(tries._failures) == 10


def test_an_unknown_name_and_a_disabled_one_get_the_same_answer(home: House) -> None:
    from adapter.store import accounts

    with home.database.write() as tx:
        accounts.set_disabled(tx, "anna", disabled=True)
    client = home.client()
    disabled = client.post("/sign-in", data=RIGHT)
    unknown = client.post("/sign-in", data=RIGHT | {"name": "nobody"})
    assert disabled.status_code == unknown.status_code == 403
    assert disabled.text == unknown.text


def test_an_idle_session_ends_and_a_page_that_reloads_itself_does_not_keep_it(home: House) -> None:
    client = home.signed_in()
    for _ in range(4):
        home.clock.now += timedelta(minutes=5)
        last = client.get("/?auto=1").status_code
    assert last == 302


def test_an_active_session_lives_on_until_twelve_hours(home: House) -> None:
    client = home.signed_in()
    answers = []
    for _ in range(75):
        home.clock.now += timedelta(minutes=10)
        answers.append(client.get("/").status_code)
    assert answers[:71] == [200] * 71
    assert answers[-1] == 302


def test_signing_out_ends_the_session_on_the_server(home: House) -> None:
    client = home.signed_in()
    csrf = client.get("/api/v1/session").json()["csrf"]
    kept = dict(client.cookies)
    assert client.post("/sign-out", data={"csrf": "wrong"}).status_code == 403
    assert client.post("/sign-out", data={"csrf": csrf}).headers["location"] == "/sign-in"
    client.cookies.update(kept)
    assert client.get("/").status_code == 302


def test_a_first_run_link_makes_one_account_once(home: House) -> None:
    link, client = home.link("first-run:coordinator"), home.client()
    assert client.head(link).status_code == 405
    assert "Create your account" in client.get(link).text
    chosen = {"name": "maria", "password": "a long enough one", "again": "a long enough one"}
    assert client.post(link, data=chosen | {"again": "another one here"}).status_code == 422
    assert client.post(link, data=chosen | {"password": "short", "again": "short"}).status_code == 422
    assert client.post(link, data=chosen | {"name": "<b>"}).status_code == 422
    assert client.post(link, data=chosen | {"name": "anna"}).status_code == 422
    assert client.post(link, data=chosen).headers["location"] == "/"
    assert client.get("/").status_code == 200
    assert client.get(link).status_code == client.post(link, data=chosen).status_code == 410


def test_a_users_link_sets_the_password_and_ends_the_old_sessions(home: House) -> None:
    old, client = home.signed_in(), home.client()
    new = "another long password"
    answer = client.post(home.link("user:anna"), data={"name": "root", "password": new, "again": new})
    assert answer.status_code == 303
    assert client.get("/api/v1/session").json()["user"] == "anna"
    assert old.get("/").status_code == 302
    assert home.client().post("/sign-in", data=RIGHT).status_code == 403


def test_the_demo_link_signs_in_at_once_but_only_in_the_demo(home: House) -> None:
    link = home.link("demo")
    assert home.client().get(link).status_code == 410
    home.demo()
    client = home.client()
    assert client.get(link).status_code == 303
    assert "every patient here is synthetic" in client.get("/").text
    assert client.get(link).status_code == 410
    assert home.client().post("/sign-in", data={"name": "demo", "password": "", "to": "/"}).status_code == 403


def test_looking_at_a_link_writes_nothing(home: House, tmp_path: Path) -> None:
    link, client = home.link("first-run"), home.client()
    read_only = stores.opened(tmp_path, read_only=True)
    client.app.state.context = replace(home.context, database=read_only)  # type: ignore[attr-defined]
    assert client.get(link).status_code == 200
    assert client.get("/sign-in/once/nobody-made-this-one").status_code == 410
    read_only.close()


def test_a_link_too_old_does_not_work(home: House) -> None:
    link = home.link("first-run")
    home.clock.now += timedelta(hours=25)
    assert home.client().get(link).status_code == 410


def test_an_administrator_sees_counts_and_no_patient(home: House) -> None:
    home.tell(*mals())
    candidate = f"/c/{home.signed_in().get('/api/v1/candidates').json()['candidates'][0]['id']}"
    client = home.signed_in("root")
    assert client.get("/").headers["location"] == "/quality"
    assert client.get("/quality").status_code == client.get("/api/v1/feeds").status_code == 200
    assert "PAPADOPOULOU" not in client.get("/quality").text + client.get("/api/v1/quality").text
    assert client.get(candidate).status_code == client.get("/api/v1/candidates").status_code == 403
    assert ("root", "refused", "refused") in home.audited()


def test_a_role_nobody_knows_may_nothing() -> None:
    assert not any(roles.may("stranger", right) for right in Right)
    assert [role for role in roles.RIGHTS if roles.may(role, Right.APPROVE)] == ["investigator"]
    assert not roles.may("interface-admin", Right.PATIENTS)


def test_a_role_taken_away_holds_at_the_next_click(home: House) -> None:
    home.person("max", "stranger")
    assert home.signed_in("max").get("/quality").status_code == 403


def test_weak_passwords_are_refused_with_advice() -> None:
    assert "12" in (passwords.weakness("short", "anna") or "")
    assert passwords.weakness("x" * 300, "anna")
    assert passwords.weakness("anna-anna-anna", "Anna")
    assert passwords.weakness(PASSWORD, "anna") is None


def test_a_link_in_a_mail_comes_through_although_the_cookie_is_strict(home: House) -> None:
    cross = {"sec-fetch-site": "cross-site"}
    page = home.client().get("/c/abc", headers=cross)
    assert page.status_code == 200
    assert '<meta http-equiv="refresh" content="0">' in page.text


def test_a_form_sent_after_the_session_ended_says_that_nothing_was_saved(home: House) -> None:
    home.tell(*mals())
    client = home.signed_in()
    candidate = client.get("/api/v1/candidates").json()["candidates"][0]["id"]
    fields = hidden(client.get(f"/c/{candidate}").text)
    home.clock.now += timedelta(minutes=20)
    answer = client.post(f"/c/{candidate}/status", data=fields | {"choice": "screening", "note": ""})
    assert answer.status_code == 401
    assert "nothing was saved" in answer.text
    assert "<textarea" not in answer.text, "nothing was written"


@pytest.mark.parametrize(
    ("act", "typed"),
    [
        ("status", {"choice": "screening", "note": "asks <b>again</b>"}),
        ("onset", {"began": "", "reason": "asks <b>again</b>"}),
        ("note", {"text": "asks <b>again</b>"}),
    ],
)
def test_what_was_written_when_the_session_ended_can_be_copied_and_signing_in_leads_back(
    home: House, caplog: pytest.LogCaptureFixture, act: str, typed: dict[str, str]
) -> None:
    home.tell(*mals())
    client = home.signed_in()
    page = first_candidate(client)
    home.clock.now += timedelta(minutes=20)
    answer = client.post(f"{page}/{act}", data={"csrf": "x", "token": "y"} | typed)
    assert (answer.status_code, answer.headers["cache-control"]) == (401, "no-store")
    assert "readonly>asks &lt;b&gt;again&lt;/b&gt;</textarea>" in answer.text
    assert f'href="/sign-in?to={quote(page, safe="")}"' in answer.text
    assert "again" not in caplog.text
    with home.database.read() as conn:
        assert not any("again" in str(row) for row in listing(conn))


@pytest.mark.parametrize("path", ["/quality/mapping/propose", "/find", "/c//evil.example/note", "/c/x@evil/note"])
def test_a_form_of_no_candidate_leads_to_the_plain_sign_in(home: House, path: str) -> None:
    answer = home.client().post(path, data={"note": "wrote", "text": "wrote"})
    assert answer.status_code in {401, 404}
    assert "wrote" not in answer.text
    assert "to=" not in answer.text


def test_what_cannot_be_read_is_not_shown_again(home: House) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = home.client().post("/c/abc/note", content=b"text=\xff", headers=form)
    assert (answer.status_code, "<textarea" in answer.text) == (401, False)
