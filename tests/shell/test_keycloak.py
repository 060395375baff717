"""A real Keycloak: people of the hospital come in by it and go out again, and it gives tokens to the poller."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from adapter.daemon import staff
from adapter.daemon.clock import utc_now
from adapter.pipeline.authorize import Client, TokenError, Tokens
from adapter.pipeline.exchange import session as peer
from adapter.settings import load_settings
from adapter.store import accounts
from adapter.web.context import Hospital
from adapter.web.provider import Provider, Relying
from adapter.web.sessions import fingerprint
from adapter.web.staff import StaffRules
from tests import keycloak, realm
from tests.chromium import browser, listening
from tests.jars import absent
from tests.keycloak import Keycloak
from tests.ports import free_port
from tests.signing import KEYS, key
from tests.web_house import House, house, mals

__all__ = ["browser"]

pytestmark = pytest.mark.server

RULES = StaffRules({"coordinator": ("ward-coordinators",), "interface-admin": ("it",)})
ACTION = re.compile(r'<form[^>]* action="([^"]+)"')


@dataclass
class Place:
    """The worklist at `base`, whose people the realm at `issuer` knows."""

    home: House
    base: str
    issuer: str
    server: Keycloak

    def use(self, *, rules: StaffRules = RULES, **changes: Any) -> None:
        relying = Relying(self.issuer, "worklist", f"{self.base}/sign-in/back", secret=realm.SECRET)
        provider = Provider(replace(relying, **changes), peer, utc_now)
        object.__setattr__(self.home.context, "hospital", Hospital(provider, rules))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    """One for the module. `ADAPTER_KEYCLOAK` names one that runs already."""
    if there := os.environ.get("ADAPTER_KEYCLOAK"):
        yield Keycloak(there)
        return
    if reason := absent():
        pytest.skip(reason)
    with keycloak.running(tmp_path_factory.mktemp("keycloak")) as made:
        yield made


@pytest.fixture(scope="module")
def place(server: Keycloak, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    pollers = {"by_secret": {}, "by_rs384": key("RS384").public(), "by_es384": key("ES384").public()}
    issuer = server.realm(realm.realm(base, **pollers))
    with house(tmp_path_factory.mktemp("house")) as home:
        home.tell(*mals())
        home.clock.now = utc_now()
        home.context = replace(home.context, base_url=base, clock=utc_now)
        with listening(home, port) as address:
            assert address == base
            yield Place(home, base, issuer, server)


@pytest.fixture(autouse=True)
def asked(place: Place) -> None:
    place.use()


@dataclass
class Walk:
    """Somebody at a browser without scripts: requests by hand, cookies of both houses."""

    place: Place
    browser: requests.Session

    def go(self, url: str) -> requests.Response:
        return self.browser.get(url, allow_redirects=False, timeout=30)

    def question(self) -> str:
        """The address at the provider that the worklist sends us to."""
        answer = self.go(f"{self.place.base}/sign-in/hospital?to=/quality")
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def answer(self, question: str, name: str = "eleni") -> str:
        """Name and password told to the provider; where it sends us."""
        page = self.browser.get(question, timeout=30)
        action = unescape(ACTION.findall(page.text)[0])
        form = {"username": name, "password": realm.PASSWORD}
        told = self.browser.post(action, form, allow_redirects=False, timeout=30)
        assert told.status_code == 302, told.text[:2000]
        return str(told.headers["location"])

    def signed_in(self, name: str = "eleni") -> requests.Response:
        return self.go(self.answer(self.question(), name))

    def session(self) -> dict[str, Any]:
        found: dict[str, Any] = self.go(f"{self.place.base}/api/v1/session").json()
        return found


class Browser(requests.Session):
    """To browsers plain http to this machine is a secure place, so Secure cookies go there."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        answer = super().send(request, **kwargs)
        for cookie in self.cookies:
            cookie.secure = False
        return answer


def stranger(place: Place) -> Walk:
    return Walk(place, Browser())


@pytest.fixture
def walk(place: Place) -> Walk:
    return stranger(place)


def test_a_coordinator_comes_in_by_the_hospitals_account_with_the_role_of_her_group(walk: Walk) -> None:
    page = walk.signed_in()
    assert page.status_code == 200
    assert 'content="0;url=/quality"' in page.text
    assert {name: walk.session()[name] for name in ("user", "role")} == {"user": "eleni", "role": "coordinator"}
    assert walk.go(f"{walk.place.base}/").status_code == 200
    assert ("eleni", "sign-in", "ok") in walk.place.home.audited()


def test_the_question_carries_pkce_state_and_nonce_and_the_answer_works_once(walk: Walk) -> None:
    question = walk.question()
    asked = {name: values[0] for name, values in parse_qs(urlsplit(question).query).items()}
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43
    back = walk.answer(question)
    kept = dict(walk.browser.cookies)
    assert walk.go(back).status_code == 200
    walk.browser.cookies.update(kept)
    assert walk.go(back).status_code in {400, 403}


def test_an_answer_to_somebody_elses_question_opens_nothing(walk: Walk) -> None:
    """Login CSRF: a link with an attacker's code signs nobody in as the attacker."""
    back = walk.answer(walk.question())
    victim = stranger(walk.place)
    assert victim.go(back).status_code == 400
    victim.question()
    assert victim.go(back).status_code == 400
    assert victim.go(f"{walk.place.base}/api/v1/session").status_code == 401


def test_without_the_verifier_that_only_this_browser_holds_a_stolen_code_is_worth_nothing(walk: Walk) -> None:
    from adapter.web.id_token import RefusedSignInError
    from adapter.web.provider import Question

    question = walk.question()
    code = parse_qs(urlsplit(walk.answer(question)).query)["code"][0]
    hospital = walk.place.home.context.hospital
    assert hospital is not None
    with pytest.raises(RefusedSignInError, match="code"):
        hospital.provider.redeem(code, Question.new(), 0.0)


def test_who_is_in_no_group_of_ours_has_no_account(walk: Walk) -> None:
    answer = walk.signed_in("karl")
    assert answer.status_code == 403
    assert "has no role here" in answer.text
    with walk.place.home.database.read() as conn:
        assert accounts.find_user(conn, "karl") is None


def test_the_name_of_a_local_account_is_not_taken_over(walk: Walk) -> None:
    assert walk.signed_in("anna").status_code == 403
    with walk.place.home.database.read() as conn:
        user = accounts.find_user(conn, "anna")
    assert user is not None
    assert user.external == ""


def asked_again(walk: Walk, to: str = "/quality%23unmapped") -> str:
    answer = walk.go(f"{walk.place.base}/sign-in/hospital?again=1&to={to}")
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def test_who_must_say_again_who_they_are_does_so_there_and_goes_on_in_the_same_session(walk: Walk) -> None:
    walk.signed_in()
    before, cookies = walk.session(), dict(walk.browser.cookies)
    question = asked_again(walk)
    assert {("prompt", "login"), ("max_age", "0")} <= {
        (name, values[0]) for name, values in parse_qs(urlsplit(question).query).items()
    }
    page = walk.go(walk.answer(question))
    assert (page.status_code, 'content="0;url=/quality#unmapped"' in page.text) == (200, True), page.text
    assert walk.session() == before
    assert walk.browser.cookies["session"] == cookies["session"]
    assert ("eleni", "sign-in-again", "ok") in walk.place.home.audited()
    with walk.place.home.database.read() as conn:
        found = accounts.find_session(conn, fingerprint(cookies["session"]), utc_now())
    assert found is not None
    assert found.proved is not None
    assert found.proved > found.created


def test_nobody_says_it_in_anothers_place_or_without_being_signed_in(walk: Walk) -> None:
    walk.signed_in()
    for cookie in [one for one in walk.browser.cookies if one.path.startswith("/realms")]:  # else it knows her there
        walk.browser.cookies.clear(cookie.domain, cookie.path, cookie.name)
    page = walk.go(walk.answer(asked_again(walk), "iris"))
    assert (page.status_code, "another account" in page.text) == (403, True)
    assert walk.place.home.audited()[-1] == ("eleni", "sign-in-again", "refused")
    assert walk.session()["user"] == "eleni"
    other = stranger(walk.place)
    assert other.go(f"{walk.place.base}/sign-in/hospital?again=1").status_code == 302


def test_a_role_that_changed_there_changes_here_and_ends_the_old_sessions(walk: Walk) -> None:
    assert walk.signed_in().status_code == 200
    walk.place.use(rules=StaffRules({"investigator": ("ward-coordinators",)}))
    again = stranger(walk.place)
    assert again.signed_in().status_code == 200
    assert again.session()["role"] == "investigator"
    assert walk.go(f"{walk.place.base}/api/v1/session").status_code == 401
    walk.place.use(rules=StaffRules({"admin": ("nobody",)}))
    gone = stranger(walk.place)
    assert gone.signed_in().status_code == 403
    assert again.go(f"{walk.place.base}/api/v1/session").status_code == 401


def test_signing_out_leads_through_the_provider_which_then_asks_again(walk: Walk) -> None:
    walk.signed_in()
    csrf = walk.session()["csrf"]
    page = walk.browser.post(f"{walk.place.base}/sign-out", {"csrf": csrf}, allow_redirects=False, timeout=30)
    where = unescape(re.findall(r'content="0;url=([^"]+)"', page.text)[0])
    left = walk.go(where)
    assert (left.status_code, left.headers["location"]) == (302, f"{walk.place.base}/sign-in")
    assert ACTION.search(walk.browser.get(walk.question(), timeout=30).text)
    assert walk.go(f"{walk.place.base}/api/v1/session").status_code == 401


def test_a_session_ended_at_the_provider_ends_here_at_once(walk: Walk) -> None:
    walk.signed_in("iris")
    assert walk.session()["role"] == "interface-admin"
    walk.place.server.sign_out(realm.REALM, "iris")
    assert walk.go(f"{walk.place.base}/api/v1/session").status_code == 401


def test_where_wards_share_computers_the_password_is_asked_each_time(walk: Walk) -> None:
    walk.signed_in()
    straight = walk.go(walk.question())
    assert straight.status_code == 302  # the provider knows the browser …
    assert walk.go(straight.headers["location"]).status_code == 200
    walk.place.use(ask_again=True)
    assert walk.signed_in().status_code == 200  # … and asks all the same


def test_who_signed_in_in_a_lesser_way_than_was_asked_for_stays_outside(walk: Walk) -> None:
    walk.place.use(acr="gold")
    answer = walk.signed_in()
    assert answer.status_code == 403
    assert "second factor" in answer.text


def test_in_a_browser_with_its_own_rules_about_cookies(place: Place, browser: Any) -> None:
    """The strict cookie comes through although the way back begins on another site; the policy lets the page go on."""
    complaints: list[str] = []
    page = browser.new_context(base_url=place.base).new_page()
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.goto("/")
    page.get_by_role("link", name="Hospital account").click()
    page.get_by_label("Username").fill("eleni")
    page.get_by_role("textbox", name="Password").fill(realm.PASSWORD)
    page.get_by_role("button", name="Sign In").click()
    page.get_by_text("Papadopoulou").wait_for()
    assert urlsplit(page.url).path == "/"
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    assert page.url == f"{place.base}/sign-in"
    assert [line for line in complaints if place.base in line] == []


def test_the_configuration_makes_it_and_check_says_whether_it_answers(place: Place, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(realm.SECRET)
    text = (
        f'[adapter]\ndata = "{tmp_path}"\ntrials = ["immunosep"]\nenvironment = "test"\n'
        f'[web]\nbase_url = "{place.base}"\n'
        f'[web.oidc]\nissuer = "{place.issuer}"\nclient_id = "worklist"\nsecret = "file:{tmp_path}/secret"\n'
        '[web.oidc.roles]\ncoordinator = "ward-coordinators"\n'
    )
    (tmp_path / "a.toml").write_text(text)
    ((level, said),) = staff.reached(load_settings(tmp_path / "a.toml"))
    assert (level, f"{place.base}/sign-in/back" in said) == ("ok", True)
    (tmp_path / "a.toml").write_text(text.replace(place.issuer, f"{place.issuer}-not"))
    ((level, said),) = staff.reached(load_settings(tmp_path / "a.toml"))
    assert (level, "check issuer" in said) == ("warning", True)


# --- tokens for the poller ------------------------------------------------------------------------------------------


def tokens(place: Place, client: str, **proof: Any) -> Tokens:
    url = f"{place.issuer}/protocol/openid-connect/token"
    odd: list[str] = []
    known = Client(client, f"{place.base}/fhir", url, realm.SCOPES, **proof)
    return Tokens(known, peer(), utc_now, odd.append)


def test_the_poller_has_a_token_by_its_secret(place: Place) -> None:
    assert len(tokens(place, "by-secret", secret=realm.SECRET).header()) > 200
    with pytest.raises(TokenError, match=r"unauthorized_client|invalid_client"):
        tokens(place, "by-secret", secret="guessed").header()


@pytest.mark.parametrize("algorithm", sorted(KEYS))
def test_the_poller_has_a_token_by_what_it_signs(place: Place, algorithm: str) -> None:
    """`private_key_jwt` as SMART Backend Services asks for it."""
    client = f"by-{algorithm.lower()}"
    assert len(tokens(place, client, key=key(algorithm)).header()) > 200
    with pytest.raises(TokenError, match="invalid_client"):
        tokens(place, client, key=key(algorithm, new=True)).header()
