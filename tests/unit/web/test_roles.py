"""Role × route, taken from the router itself: what is not allowed is refused and on record; and whose patients are whose."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from adapter.store import accounts
from adapter.store.accounts import Scope
from adapter.store.inbox import put_many
from adapter.web import roles
from adapter.web.app import ROOMS
from adapter.web.context import FeedInfo
from adapter.web.roles import RIGHTS, Right, may
from tests.builders import adt, obx, pair, raw
from tests.web_house import House, arrival, hidden, house, in_words, mals, results, rules, unclear

NUMBERS = (Right.PSEUDONYMS, Right.ENROLLED)
TRAIL = (Right.AUDIT_ALL, Right.AUDIT_TECHNICAL, Right.AUDIT_OWN)
PUBLIC = None
"""Nobody need have signed in; `SIGNED_IN`: any role will do."""
SIGNED_IN = ()

EXPECTED: dict[tuple[str, str], tuple[Right, ...] | None] = {
    ("GET", "/"): SIGNED_IN,
    ("GET", "/account"): SIGNED_IN,
    ("POST", "/account/second-step"): SIGNED_IN,
    ("POST", "/account/recovery-codes"): SIGNED_IN,
    ("POST", "/sign-out"): SIGNED_IN,
    ("GET", "/api/v1/session"): SIGNED_IN,
    ("GET", "/c/{candidate}"): (Right.PATIENTS,),
    ("GET", "/api/v1/candidates"): (Right.PATIENTS,),
    ("GET", "/api/v1/candidates/{candidate}"): (Right.PATIENTS,),
    ("GET", "/c/{candidate}/now"): (Right.PATIENTS,),
    ("POST", "/c/{candidate}/determination"): (Right.ACT,),
    ("POST", "/c/{candidate}/screening-id"): (Right.ACT,),
    ("POST", "/c/{candidate}/same-person"): (Right.ACT,),
    ("POST", "/c/{candidate}/identity/{number}/approve"): (Right.IDENTIFY,),
    ("POST", "/c/{candidate}/identity/{number}/send-back"): (Right.ACT,),
    ("POST", "/c/{candidate}/status"): (Right.ACT,),
    ("POST", "/c/{candidate}/result"): (Right.ACT,),
    ("POST", "/api/v1/candidates/{candidate}/determinations"): (Right.ACT,),
    ("GET", "/quality"): (Right.COUNTS,),
    ("GET", "/api/v1/feeds"): (Right.COUNTS,),
    ("GET", "/api/v1/quality"): (Right.COUNTS,),
    ("POST", "/quality/quarantine/{message_id}/release"): (Right.SETTLE,),
    ("POST", "/quality/quarantine/{message_id}/discard"): (Right.SETTLE,),
    ("POST", "/quality/quarantine/{message_id}/show"): (Right.SETTLE,),
    ("POST", "/quality/mapping/propose"): (Right.PROPOSE,),
    ("POST", "/quality/mapping/{number}/approve"): (Right.APPROVE,),
    ("POST", "/quality/mapping/{number}/decline"): (Right.APPROVE,),
    ("GET", "/api/v1/screened"): NUMBERS,
    ("GET", "/log"): (Right.PATIENTS,),
    ("POST", "/log/download"): (Right.ACT,),
    ("GET", "/api/v1/screening-log"): (Right.ACT,),
    ("GET", "/figures"): (Right.COUNTS,),
    ("GET", "/alerts"): (Right.COUNTS,),
    ("POST", "/alerts/test"): (Right.TEST_ALERTS,),
    ("GET", "/api/v1/flow"): (Right.COUNTS,),
    ("POST", "/figures/missed"): (Right.ACT,),
    ("GET", "/live"): (Right.PATIENTS,),
    ("POST", "/looked"): (Right.PATIENTS,),
    ("POST", "/find"): (Right.PATIENTS,),
    **{("POST", f"/c/{{candidate}}/{act}"): (Right.ACT,) for act in ("claim", "release", "hand-over", "note", "onset")},
    ("GET", "/screened"): NUMBERS,
    ("GET", "/trail"): TRAIL,
    ("GET", "/emergency"): (Right.BREAK_GLASS, Right.VOUCH),
    ("POST", "/emergency"): (Right.BREAK_GLASS,),
    ("POST", "/emergency/end"): (Right.BREAK_GLASS,),
    ("POST", "/emergency/{number}/give"): (Right.VOUCH,),
    **{("GET", path): PUBLIC for path in ("/livez", "/readyz", "/healthz", "/metrics")},
    **{("GET", path): PUBLIC for path in ("/sign-in", "/sign-in/hospital", "/sign-in/back", "/sign-in/once/{token}")},
    **{("POST", path): PUBLIC for path in ("/sign-in", "/sign-in/second-step", "/sign-in/ended")},
    ("POST", "/sign-in/once/{token}"): PUBLIC,
    ("POST", "/fhir-hint/{source}"): PUBLIC,
    ("POST", "/language"): PUBLIC,
}
PAGES = ("/", "/log", "/c/{candidate}", "/screened", "/trail", "/emergency")
LISTS = ("/api/v1/candidates", "/api/v1/candidates/{candidate}", "/api/v1/screening-log", "/api/v1/screened")
RECORDED = {("GET", path) for path in PAGES + LISTS}
"""Views that leave an entry; of the others nobody learns anything of a patient."""


def routes() -> list[tuple[str, str]]:
    found: list[Any] = [route for room in ROOMS for route in room.router.routes]
    return [(method, route.path) for route in found for method in sorted(route.methods)]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str]]:
    """A candidate, one who takes part, a message in quarantine, and a person of each role who works everywhere."""
    with house(tmp_path_factory.mktemp("roles")) as home:
        home.tell(*mals(), *unclear())
        home.tell(raw(b"nobody", quarantine="NO_MSH").body)
        for role in RIGHTS:
            home.person(f"a-{role}", role)
        client = home.signed_in()
        candidate = client.get("/api/v1/candidates").json()["candidates"][0]["id"]
        fields = hidden(client.get(f"/c/{candidate}").text)
        assert client.post(f"/c/{candidate}/status", data=fields | {"choice": "consented", "note": ""}).is_redirect
        yield home, candidate


@pytest.fixture(scope="module")
def people(full: tuple[House, str]) -> dict[str, TestClient]:
    return {role: full[0].signed_in(f"a-{role}") for role in RIGHTS}


def ask(client: TestClient, method: str, path: str, candidate: str) -> int:
    at = path.format(candidate=candidate, message_id=1, number=1, token="x", source="lab")
    csrf = client.get("/api/v1/session").json().get("csrf", "")
    return client.request(method, at, data={} if method == "POST" else None, headers={"x-csrf-token": csrf}).status_code


def test_every_route_says_who_may_use_it() -> None:
    """A new route fails here until somebody decided."""
    assert set(routes()) == set(EXPECTED)


@pytest.mark.parametrize(("method", "path"), sorted(EXPECTED))
def test_who_lacks_the_right_is_refused_and_who_has_it_comes_in(
    full: tuple[House, str], people: dict[str, TestClient], method: str, path: str
) -> None:
    home, candidate = full
    rights = EXPECTED[method, path]
    stranger = ask(home.client(), method, path, candidate)
    if rights is PUBLIC:
        assert stranger not in {302, 401}
        return
    assert stranger == (302 if method == "GET" and not path.startswith("/api/") else 401)
    if path == "/sign-out":
        return
    for role, client in people.items():
        allowed = rights == SIGNED_IN or any(may(role, right) for right in rights)
        if path == "/live" and allowed:  # it would not end
            continue
        before = len(home.audited())
        status = ask(client, method, path, candidate)
        if allowed:
            assert status in {200, 303, 415, 422}, (role, status)
            assert len(home.audited()) > before or (method, path) not in RECORDED or status == 303, role
        else:
            assert status == 403, role
            assert home.audited()[-1][2] == "refused", role


def test_only_bedside_roles_ever_see_a_name(full: tuple[House, str], people: dict[str, TestClient]) -> None:
    _home, candidate = full
    pages = [
        path
        for method, path in EXPECTED
        if method == "GET" and EXPECTED[method, path] is not PUBLIC and path != "/live"
    ]
    for role, client in people.items():
        seen = "".join(client.get(path.format(candidate=candidate)).text for path in pages).replace(candidate, "")
        sees = any(name in seen.upper() for name in ("PAPADOPOULOU", "NIKOLAOU", "ELENI"))
        assert sees == (role in {"coordinator", "investigator"}), role
        assert "5200" not in in_words(seen) or sees, role


def test_the_sponsor_sees_those_who_take_part_and_the_auditor_everybody_by_number(
    full: tuple[House, str], people: dict[str, TestClient]
) -> None:
    log = {role: people[role].get("/api/v1/screened").json()["screened"] for role in ("monitor", "auditor")}
    assert [row["status"] for row in log["monitor"]] == ["consented"]
    assert len(log["auditor"]) == 2
    assert all(len(row["screening_id"]) == 10 for row in log["auditor"])
    assert log["monitor"][0]["screening_id"] in people["monitor"].get("/screened").text


def test_everybody_reads_as_much_of_the_trail_as_their_role(
    full: tuple[House, str], people: dict[str, TestClient]
) -> None:
    own = people["coordinator"].get("/trail").text
    assert "a-coordinator" in own
    assert "a-monitor" not in own
    technical = people["admin"].get("/trail").text
    assert "view-candidate" not in technical
    assert "refused" in technical
    assert "view-candidate" in people["auditor"].get("/trail").text


# --- sites and trials (W03) -------------------------------------------------------------------------------------------


def narrowed(home: House, name: str, role: str, scope: Scope) -> TestClient:
    home.person(name, role)
    with home.database.write() as tx:
        accounts.set_role(tx, name, role, scope)
    return home.signed_in(name)


OTHER_SITE = Scope(sites=frozenset({"elsewhere"}))
OTHER_TRIAL = Scope(trials=frozenset({"another"}))


@pytest.mark.parametrize("scope", [OTHER_SITE, OTHER_TRIAL], ids=["site", "trial"])
def test_a_patient_of_another_site_or_trial_is_not_there(home: House, scope: Scope) -> None:
    home.tell(*mals(), *unclear())
    known = home.signed_in()
    candidate = known.get("/api/v1/candidates").json()["candidates"][0]["id"]
    fields = hidden(known.get(f"/c/{candidate}").text)
    client = narrowed(home, "max", "coordinator", scope)
    listed = client.get("/api/v1/candidates").json()
    assert (listed["candidates"], listed["watching"]) == ([], 0)
    assert client.get(f"/c/{candidate}").status_code == client.get(f"/api/v1/candidates/{candidate}").status_code == 404
    csrf = client.get("/api/v1/session").json()["csrf"]
    form = fields | {"csrf": csrf, "choice": "screening", "note": ""}
    assert client.post(f"/c/{candidate}/status", data=form).status_code == 404
    body = {"status": "screening"}
    at = f"/api/v1/candidates/{candidate}/determinations"
    assert client.post(at, json=body, headers={"x-csrf-token": csrf}).status_code == 404
    assert client.get("/api/v1/quality").json()["candidates"] == {"watching": 0, "withdrawn": 0}
    assert client.get("/api/v1/screened").json()["screened"] == []
    assert ("max", "view-candidate", "not found") in home.audited()


@pytest.mark.parametrize("scope", [OTHER_SITE, OTHER_TRIAL], ids=["site", "trial"])
def test_list_search_log_and_figures_know_nobody_of_another_site_or_trial(home: House, scope: Scope) -> None:
    home.tell(*mals(), *unclear())
    client = narrowed(home, "max", "investigator", scope)
    csrf = client.get("/api/v1/session").json()["csrf"]
    asked = client.post("/find", data={"csrf": csrf, "words": "100"})
    found = client.get(asked.headers["location"])
    assert "0 candidates found" in found.text
    pages = [client.get("/").text, found.text, client.get("/quality").text, client.get("/trail").text]
    of_trial = [client.get(path) for path in ("/log", "/figures", "/api/v1/screening-log", "/api/v1/flow")]
    report = {"trial": "", "number": "100", "at": "2026-01-01T00:00", "enrolled": "no", "note": ""}
    missed = client.post("/figures/missed", data={"csrf": csrf} | report)
    assert not any(name in page.upper() for page in pages for name in ("PAPADOPOULOU", "NIKOLAOU"))
    if scope is OTHER_TRIAL:
        assert [answer.status_code for answer in (*of_trial, missed)] == [404] * 5
    else:
        assert of_trial[2].json()["entries"] == []
        assert of_trial[3].json()["patients"] == 0
        assert not any(name in of_trial[0].text for name in ("mals", "10 h"))
        assert "found=never-heard" in missed.headers["location"]


def test_an_export_needs_a_fresh_sign_in_and_is_none_of_an_emergency(home: House) -> None:
    home.tell(*mals())
    client = home.signed_in()
    form = {"trial": "", "version": "trial", "format": "csv"}
    csrf = client.get("/api/v1/session").json()["csrf"]
    assert client.post("/log/download", data=form | {"csrf": csrf}).status_code == 200
    assert client.get("/api/v1/screening-log").status_code == 200
    home.clock.now += timedelta(minutes=10)
    client.get("/")
    home.clock.now += timedelta(minutes=6)
    assert client.post("/log/download", data=form | {"csrf": csrf}).status_code == 403
    assert client.get("/api/v1/screening-log").status_code == 403


def test_who_works_for_this_site_and_trial_sees_its_patients(home: House) -> None:
    home.tell(*mals())
    here = Scope(frozenset({"generic"}), frozenset({rules().trials[0].id}))
    client = narrowed(home, "max", "coordinator", here)
    assert len(client.get("/api/v1/candidates").json()["candidates"]) == 1
    assert "max" in client.get("/trail").text
    assert client.get("/account").text.count("generic") == 1


def test_the_watched_are_counted_for_whom_they_are(home: House) -> None:
    home.tell(arrival("300", "WATCHED^ONE"), results("300", obx("777-3", "140", "10*3/uL"), name="WATCHED^ONE"))
    counts = {
        name: narrowed(home, name, "coordinator", scope).get("/api/v1/candidates").json()["watching"]
        for name, scope in (("max", OTHER_SITE), ("mia", OTHER_TRIAL), ("moe", Scope(sites=frozenset({"generic"}))))
    }
    assert counts == {"max": 0, "mia": 0, "moe": 1}


def test_messages_and_mappings_of_another_site_are_nobodys_business(home: House) -> None:
    with home.database.write() as tx:
        put_many(tx, [raw(b"nobody", source="lab", quarantine="NO_MSH", received=home.clock.now)])
    home.processor.step()
    assert "NO_MSH" in home.signed_in().get("/quality").text
    client = narrowed(home, "max", "interface-admin", OTHER_SITE)
    page = client.get("/quality").text
    assert 'id="message-1"' not in page
    csrf = client.get("/api/v1/session").json()["csrf"]
    for word in ("show", "release", "discard"):
        answer = client.post(f"/quality/quarantine/1/{word}", data={"csrf": csrf, "reason": "x"})
        assert (answer.status_code, "is not in quarantine" in answer.text) == (422, True)
    line = {"csrf": csrf, "site": "generic", "code": "unmapped-code", "word": "X", "choice": "!not-needed"}
    answer = client.post("/quality/mapping/propose", data=line | {"other": "", "unit": "", "reason": "x"})
    assert "do not work for this site" in answer.text
    assert client.get("/api/v1/feeds").json()["feeds"] == []


def test_totals_are_of_the_sites_somebody_works_for(home: House) -> None:
    far = FeedInfo("far", "elsewhere", "mllp")
    home.context = replace(home.context, feeds=(*home.context.feeds, far))
    home.tell(*mals(), b"rubbish")
    elsewhere = [raw(b"nobody", source="far", site="elsewhere", quarantine="NO_MSH", received=home.clock.now)] * 2
    with home.database.write() as tx:
        put_many(tx, elsewhere)
    home.processor.step()
    scopes = {"mia": Scope(frozenset({"generic"})), "max": OTHER_SITE, "moe": Scope(), "mo": Scope(frozenset())}
    counts = {
        name: narrowed(home, name, "investigator", scope).get("/api/v1/quality").json()
        for name, scope in scopes.items()
    }
    names = ("received", "applied", "duplicate", "quarantined")
    told = {name: tuple(one["messages"][part] for part in names) for name, one in counts.items()}
    assert told == {"mia": (3, 2, 0, 1), "max": (2, 0, 1, 1), "moe": (5, 2, 1, 2), "mo": (0, 0, 0, 0)}
    assert {name: sum(one["quarantine"].values()) for name, one in counts.items()} == {
        "mia": 1, "max": 1, "moe": 2, "mo": 0,
    }  # fmt: skip
    page = home.signed_in("max").get("/quality").text
    assert "<dt>Received</dt><dd>2</dd>" in page


def test_a_disputed_number_counts_where_a_candidate_may_claim_it(home: House) -> None:
    home.tell(*mals("1"), adt("A28", patient="2", control="P2"), adt("A40", patient="2", merged="1", control="M1"))
    home.tell(pair("A37", "1", "2", sent="20260102030000", control="U"))
    scopes = {"mia": Scope(frozenset({"generic"})), "max": OTHER_SITE, "moe": Scope()}
    counts = {
        name: narrowed(home, name, "investigator", scope).get("/api/v1/quality").json()["identity"]["claimed-number"]
        for name, scope in scopes.items()
    }
    assert counts == {"mia": 1, "max": 0, "moe": 1}


def test_every_role_of_the_specification_is_there() -> None:
    assert len(RIGHTS) == 8
    assert not roles.RIGHTS["pharmacist"]
    patients = {role for role in RIGHTS if may(role, Right.PATIENTS)}
    assert patients == {role for role in RIGHTS if may(role, Right.ACT)} == {"coordinator", "investigator"}
    assert [role for role in RIGHTS if may(role, Right.SETTLE)] == ["interface-admin"]
