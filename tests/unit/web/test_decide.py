"""Answers, statuses and central results: by form and by JSON, through the inbox."""

import asyncio
import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from starlette.testclient import TestClient

from adapter.domain.message import Receipt
from adapter.errors import UnavailableError
from adapter.store import inbox, worklist
from adapter.web import acts
from adapter.web.acts import Acts
from tests.builders import adt, obx, oru, pair
from tests.web_house import House, first_candidate, hidden, mals, settled, unclear


def opened(home: House, *messages: bytes) -> tuple[TestClient, str, dict[str, str]]:
    home.tell(*(messages or mals()))
    client = home.signed_in()
    page = first_candidate(client)
    return client, page, hidden(client.get(page).text)


def stored(home: House) -> list[dict[str, Any]]:
    with home.database.read() as conn:
        return [json.loads(inbox.raw(conn, row.id)) for row in inbox.listing(conn) if row.source == acts.SOURCE]


def test_an_answer_is_stored_takes_effect_and_says_who_gave_it(home: House) -> None:
    client, page, form = opened(home)
    wish = form | {"criterion": "I4", "answer": "met", "note": "signed"}
    answer = client.post(f"{page}/determination?following=I5", data=wish)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{page}?saved=applied&answered=I4#criterion-I5"
    shown = client.get(f"{page}?saved=applied&answered=I4").text
    assert "Answered by <b>anna</b>: signed" in shown
    assert "Saved: I4 met (stays in)." in shown
    assert "Saved" not in client.get(f"{page}?answered=I4").text
    assert "Saved. The page shows it." in client.get(f"{page}?saved=applied&answered=I99").text
    assert [act["by"] for act in stored(home)] == ["anna"]
    assert ("anna", "determination", "ok") in home.audited()


FORM = re.compile(r'id="criterion-(\w+)".*?action="([^"]+)".*?name="token" value="([^"]+)"', re.DOTALL)


def onward(home: House, client: TestClient, page: str, criterion: str, answer: str) -> str:
    """Where the page goes on after this answer by its own form, a minute later."""
    home.clock.now += timedelta(minutes=1)
    shown = client.get(page).text
    (action, token), *_ = [found[1:] for found in FORM.findall(shown) if found[0] == criterion]
    form = hidden(shown) | {"criterion": criterion, "answer": answer, "note": "", "token": token}
    return client.post(unescape(action), data=form).headers["location"].partition("#")[2]


def questions(shown: str) -> list[str]:
    """What only a person can say, in the order of the page."""
    return [found[0] for found in FORM.findall(shown.partition('id="to-ask"')[2].partition("Settled")[0])]


def fitting(criterion: str) -> str:
    return "met" if criterion.startswith("I") else "not-met"


def test_after_an_answer_the_next_question_is_shown(home: House) -> None:
    client, page, _ = opened(home)
    assert onward(home, client, page, "E2", "not-met") == "criterion-E3"
    assert onward(home, client, page, "E3", "unknown") == "criterion-E4", "who cannot say yet goes on, too"
    assert onward(home, client, page, "E2", "not-met") == "criterion-E2", "a settled one is only changed"
    assert onward(home, client, page, "E15", "not-met") == "to-ask", "those before it were passed over"
    left = questions(client.get(page).text)
    assert left[:3] == ["I3", "I4", "I5"]
    went = [onward(home, client, page, one, fitting(one)) for one in left]
    assert went == [*(f"criterion-{one}" for one in left[1:]), "status"], "in the end nothing is left to ask"


def test_an_answer_that_rules_out_is_shown_itself(home: House) -> None:
    client, page, _ = opened(home)
    assert onward(home, client, page, "E4", "met") == "criterion-E4"
    assert "Saved: E4 met (rules out)." in client.get(f"{page}?saved=applied&answered=E4").text


def test_a_form_that_goes_on_to_nowhere_stays_where_it_is(home: House) -> None:
    client, page, form = opened(home)
    wish = form | {"criterion": "I4", "answer": "met", "note": ""}
    answer = client.post(f"{page}/determination?following=//elsewhere", data=wish)
    assert answer.headers["location"] == f"{page}?saved=applied&answered=I4#criterion-I4"


def test_an_exclusion_that_is_met_takes_the_candidate_back(home: House) -> None:
    client, page, form = opened(home)
    client.post(f"{page}/determination", data=form | {"criterion": "E6", "answer": "met", "note": ""})
    assert "Taken back in the last 24 hours" in client.get("/").text
    assert "Stops this candidate" in client.get(page).text


def action(shown: str, act: str) -> str:
    """Where a form of the page is sent, as the browser reads it."""
    found = re.search(rf'action="([^"]+/{act})"', shown)
    assert found
    return unescape(found[1])


def two_pages(home: House) -> tuple[TestClient, str, dict[str, str], str]:
    """Anna's page is open when ben begins."""
    home.person("ben", "coordinator")
    client, page, form = opened(home)
    return client, page, form, client.get(page).text


def test_a_status_a_colleague_set_since_is_replaced_only_knowingly(home: House) -> None:
    client, page, form, old = two_pages(home)
    ben = home.signed_in("ben")
    home.clock.now += timedelta(minutes=1)
    his = hidden(ben.get(page).text) | {"choice": "declined|patient", "note": "not now"}
    assert ben.post(f"{page}/status", data=his).status_code == 303
    wish = form | {"choice": "consent-asked", "note": "at three"}
    told = client.post(action(old, r"status\?[^\"]+"), data=wish)
    assert (told.status_code, len(stored(home))) == (422, 1)
    assert re.search(
        r"ben decided otherwise at [^“]+:01, after this page was opened: “Declined: patient. not now”", told.text
    )
    assert "at three</textarea>" in told.text
    assert '<option value="consent-asked" selected>' in told.text
    again = wish | hidden(told.text)
    assert client.post(action(told.text, r"status\?[^\"]+"), data=again).status_code == 303
    assert [act["status"] for act in stored(home)] == ["declined", "consent-asked"]


def test_the_same_status_and_ones_own_are_no_contradiction(home: House) -> None:
    client, page, form, old = two_pages(home)
    ben, at = home.signed_in("ben"), action(old, r"status\?[^\"]+")
    for choice in ("screening", "eligible"):
        home.clock.now += timedelta(minutes=1)
        sent = form | {"choice": choice, "note": "", "token": choice}
        assert client.post(at, data=sent).status_code == 303
    home.clock.now += timedelta(minutes=1)
    old = ben.get(page).text
    assert client.post(at, data=form | {"choice": "declined|patient", "note": ""}).status_code == 303
    his = hidden(old) | {"note": ""}
    at = action(old, r"status\?[^\"]+")
    assert ben.post(at, data=his | {"choice": "declined|relative"}).status_code == 422
    assert ben.post(at, data=his | {"choice": "declined|patient"}).status_code == 303


def test_an_answer_a_colleague_gave_since_is_replaced_only_knowingly(home: House) -> None:
    client, page, form, old = two_pages(home)
    ben = home.signed_in("ben")
    home.clock.now += timedelta(minutes=1)
    his = hidden(ben.get(page).text) | {"criterion": "I4", "note": "asked the son"}
    assert ben.post(f"{page}/determination", data=his | {"answer": "not-met"}).status_code == 303
    at = {name: unescape(where) for name, where, _ in FORM.findall(old)}
    mine = form | {"criterion": "I4", "answer": "met", "note": "signed <twice>"}
    told = client.post(at["I4"], data=mine)
    assert (told.status_code, len(stored(home))) == (422, 1)
    assert re.search(r"ben decided otherwise at [^“]+“I4 not met: asked the son”", told.text)
    (part,) = re.findall(r'id="criterion-I4".*?</li>\s*(?=<li|</ul)', told.text, re.DOTALL)
    assert 'value="signed &lt;twice&gt;" autofocus' in part
    other = form | {"criterion": "E2", "answer": "not-met", "note": "", "token": "other"}
    assert client.post(at["E2"], data=other).status_code == 303, "of another criterion nobody said anything"
    again = {name: unescape(where) for name, where, _ in FORM.findall(told.text)}
    assert client.post(again["I4"], data=mine | hidden(told.text)).status_code == 303
    assert [act["answer"] for act in stored(home)] == ["not-met", "not-met", "met"]


def test_a_refused_answer_to_a_settled_criterion_lies_open(home: House) -> None:
    client, page, form = opened(home)
    wish = form | {"criterion": "E2", "answer": "not-met", "note": "x" * 501}
    client.post(f"{page}/determination", data=wish | {"note": ""})
    told = client.post(f"{page}/determination", data=wish | {"token": "another"}).text
    settled = told[: told.index("x" * 501)]
    assert settled[settled.rindex('<details class="group"') :].startswith('<details class="group" open>')
    assert settled.rindex("<details open>") > settled.rindex('id="criterion-E2"')


def test_a_double_click_is_one_message_and_the_same_answer(home: House) -> None:
    client, page, form = opened(home)
    wish = form | {"criterion": "I4", "answer": "met", "note": ""}
    answers = []
    for _ in range(3):
        answers.append(client.post(f"{page}/determination", data=wish).headers["location"])
        home.clock.now += timedelta(seconds=1)
    assert len(set(answers)) == 1
    assert len(stored(home)) == 1


def test_a_status_needs_one_of_its_own_reasons(home: House) -> None:
    client, page, form = opened(home)
    for choice in ("declined", "declined|because", "screening|because", "nonsense", ""):
        assert client.post(f"{page}/status", data=form | {"choice": choice, "note": ""}).status_code == 422
    assert stored(home) == []
    done = client.post(f"{page}/status", data=form | {"choice": "declined|patient", "note": "not now"})
    assert done.headers["location"] == f"{page}?saved=applied#status"
    assert "Declined" in client.get("/?part=decided").text
    assert stored(home)[0]["reason"] == "patient"


def test_a_central_result_fills_what_was_missing(home: House) -> None:
    client, page, form = opened(home, *unclear())
    result = form | {"test": "mhladr|{AB}/{cell}", "value": "4200", "drawn": "2026-01-02T05:00"}
    assert client.post(f"{page}/result", data=result).headers["location"] == f"{page}?saved=applied#result"
    shown = client.get(page).text
    assert "Immunoparalysis" in shown
    assert "central laboratory" in shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": "4.420"},
        {"value": "4,420"},
        {"value": "many"},
        {"value": ""},
        {"value": "٤٤٢٠"},
        {"test": "mhladr|%"},
        {"test": "platelets|10*3/uL"},
        {"drawn": "2026-01-03T05:00"},
        {"drawn": "soon"},
    ],
)
def test_a_result_that_could_be_misread_is_asked_again(home: House, wrong: dict[str, str]) -> None:
    client, page, form = opened(home, *unclear())
    result = form | {"test": "ferritin|ng/mL", "value": "4420", "drawn": "2026-01-02T05:00"}
    answer = client.post(f"{page}/result", data=result | wrong)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert stored(home) == []


@pytest.mark.parametrize(("value", "kept"), [("1200,5", "1200.5"), ("1200.5", "1200.5"), (">7500", ">7500")])
def test_a_page_with_a_decimal_comma_takes_one(home: House, value: str, kept: str) -> None:
    client, page, form = opened(home, *unclear())
    client.cookies.set("language", "nl")
    result = form | {"test": "ferritin|ng/mL", "value": value, "drawn": "2026-01-02T05:00"}
    assert client.post(f"{page}/result", data=result).headers["location"] == f"{page}?saved=applied#result"
    assert stored(home)[0]["value"] == kept


@pytest.mark.parametrize("value", ["4,420", "4.420"])
def test_three_digits_behind_a_comma_are_asked_about_in_every_language(home: House, value: str) -> None:
    client, page, form = opened(home, *unclear())
    client.cookies.set("language", "nl")
    result = form | {"test": "ferritin|ng/mL", "value": value, "drawn": "2026-01-02T05:00"}
    assert "Betekent 4,420 nu 4420 of 4,42?" in client.post(f"{page}/result", data=result).text
    assert stored(home) == []


def test_an_english_page_takes_no_comma(home: House) -> None:
    client, page, form = opened(home, *unclear())
    result = form | {"test": "ferritin|ng/mL", "value": "1200,5", "drawn": "2026-01-02T05:00"}
    assert client.post(f"{page}/result", data=result).status_code == 422
    assert stored(home) == []


@pytest.mark.parametrize(
    ("act", "typed", "kept"),
    [
        (
            "result",
            {"test": "ferritin|ug/L", "value": "4.420", "drawn": "2026-01-02T05:00"},
            (
                '<option value="ferritin|ug/L" selected>',
                'name="value" value="4.420" autofocus',
                'name="drawn" value="2026-01-02T05:00"',
            ),
        ),
        (
            "status",
            {"choice": "screening|because", "note": "asks <again>"},
            ('name="choice" required autofocus', "asks &lt;again&gt;</textarea>"),
        ),
        (
            "onset",
            {"began": "2027-01-01T05:00", "reason": "seen then"},
            ('<details id="onset" open>', 'name="began" value="2027-01-01T05:00" autofocus', 'value="seen then"'),
        ),
        (
            "determination",
            {"criterion": "E6", "answer": "met", "note": "x" * 501},
            (f'value="{"x" * 501}" autofocus',),
        ),
    ],
)
def test_what_was_typed_into_a_refused_form_stands_in_it_again(
    home: House, act: str, typed: dict[str, str], kept: tuple[str, ...]
) -> None:
    client, page, form = opened(home)
    fresh, answer = client.get(page).text, client.post(f"{page}/{act}", data=form | typed)
    assert answer.status_code == 422
    assert stored(home) == []
    for part in kept:
        assert answer.text.count(part) == 1, part
        assert part not in fresh
    assert answer.text.count(" autofocus") == 1


@pytest.mark.parametrize(
    ("act", "typed", "kept"),
    [
        ("status", {"choice": "declined|patient", "note": "not <now>"}, "not &lt;now&gt;</textarea>"),
        ("determination", {"criterion": "I2", "answer": "met", "note": "seen"}, 'value="seen" autofocus'),
        ("onset", {"began": "2026-01-02T01:00", "reason": "seen"}, 'name="reason" value="seen"'),
        ("note", {"text": "comes at <three>"}, "comes at &lt;three&gt;</textarea>"),
        ("hand-over", {"addressee": "ben", "text": "comes at three"}, 'value="comes at three"'),
    ],
)
def test_a_form_of_an_older_session_waits_to_be_sent_again(
    home: House, act: str, typed: dict[str, str], kept: str
) -> None:
    home.person("ben", "coordinator")
    client, page, form = opened(home)
    again = home.signed_in()
    sent = form if act not in {"note", "hand-over"} else {"csrf": form["csrf"]}
    answer = again.post(f"{page}/{act}", data=sent | typed)
    assert (answer.status_code, stored(home)) == (403, [])
    assert "You are signed in as anna" in answer.text
    assert answer.text.count(kept) == 1
    assert hidden(answer.text)["csrf"] not in {form["csrf"], ""}
    fresh = {"csrf": hidden(answer.text)["csrf"]}
    assert again.post(f"{page}/{act}", data=sent | typed | fresh).status_code == 303
    assert client.get(page).status_code == 200


def test_a_form_of_another_session_is_refused(home: House) -> None:
    client, page, form = opened(home)
    wish = form | {"csrf": "x" * 43, "criterion": "I4", "answer": "met", "note": ""}
    assert client.post(f"{page}/determination", data=wish).status_code == 403
    assert client.post(f"{page}/determination", data=wish | {"extra": "1"}).status_code == 422
    assert stored(home) == []


def test_an_administrator_may_not_decide(home: House) -> None:
    _, page, form = opened(home)
    wish = form | {"criterion": "I4", "answer": "met", "note": ""}
    assert home.signed_in("root").post(f"{page}/determination", data=wish).status_code == 403


def test_an_unknown_criterion_or_answer_or_candidate_is_refused(home: House) -> None:
    client, page, form = opened(home)
    for wish in ({"criterion": "I99", "answer": "met"}, {"criterion": "I4", "answer": "yes"}):
        assert client.post(f"{page}/determination", data=form | wish | {"note": ""}).status_code == 422
    wish = form | {"criterion": "I4", "answer": "met", "note": ""}
    assert client.post("/c/0000/determination", data=wish).status_code == 404
    assert client.post(f"{page}/determination", data=wish | {"note": "x" * 501}).status_code == 422


def test_a_message_that_waits_longer_than_people_do_says_so(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    client, page, form = opened(home)
    monkeypatch.setattr(acts, "PATIENCE", 0.1)
    monkeypatch.setattr(home.inbox, "_on_stored", lambda: None)
    answer = client.post(f"{page}/determination", data=form | {"criterion": "I4", "answer": "met", "note": ""})
    assert answer.headers["location"].startswith(f"{page}?saved=pending")
    assert "takes effect in a moment" in client.get(f"{page}?saved=pending").text


def test_a_store_that_refuses_is_told_and_nothing_is_kept(home: House) -> None:
    client, page, form = opened(home)
    home.inbox.close()
    answer = client.post(f"{page}/determination", data=form | {"criterion": "I4", "answer": "met", "note": ""})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "Nothing was saved" in answer.text


def test_an_act_that_failed_may_be_tried_again() -> None:
    tries: list[int] = []

    async def put() -> Receipt:
        tries.append(1)
        if len(tries) == 1:
            raise UnavailableError("not now")
        return Receipt(len(tries), duplicate=False)

    async def twice() -> int:
        made = Acts()
        with pytest.raises(UnavailableError):
            await made.store(("a",), put)
        return (await made.store(("a",), put)).inbox_id

    assert asyncio.run(twice()) == 2


def test_a_second_click_knows_what_the_first_one_stored_and_nothing_of_one_that_failed() -> None:
    async def put() -> Receipt:
        return Receipt(7, duplicate=False)

    async def fails() -> Receipt:
        raise UnavailableError("not now")

    async def asked() -> list[Receipt | None]:
        made = Acts()
        with pytest.raises(UnavailableError):
            await made.store(("a",), fails)
        await made.store(("b",), put)
        return [await made.known((name,)) for name in "abc"]

    assert asyncio.run(asked()) == [None, Receipt(7, duplicate=False), None]


# --- JSON -------------------------------------------------------------------------------------------------------------


def scripted(home: House, *messages: bytes) -> tuple[TestClient, str]:
    home.tell(*(messages or mals()))
    client = home.signed_in()
    client.headers["x-csrf-token"] = client.get("/api/v1/session").json()["csrf"]
    return client, f"/api/v1/candidates/{client.get('/api/v1/candidates').json()['candidates'][0]['id']}"


def test_the_list_and_a_candidate_as_json(home: House) -> None:
    client, path = scripted(home)
    listed = client.get("/api/v1/candidates").json()
    assert listed["candidates"][0]["hours_left"] == 68.0
    assert listed["candidates"][0]["patient"]["id"] == "100"
    one = client.get(path).json()
    assert one["assessment"]["patient"] == one["id"]
    assert one["assessment"]["stratum"] == one["stratum"] == "mals"
    assert [entry["kind"] for entry in one["history"]] == ["verdict", "raised"]


def test_answers_statuses_and_results_by_json(home: House) -> None:
    client, path = scripted(home, *unclear())
    for body in (
        {"criterion": "I4", "answer": "met", "at": "2026-01-02T06:00:00+00:00", "note": ""},
        {"status": "declined", "reason": "patient", "note": ""},
        {"concept": "mhladr", "value": "4200", "unit": "{AB}/{cell}", "drawn": "2026-01-02T04:00:00+00:00"},
    ):
        answer = client.post(f"{path}/determinations", json=body)
        assert (answer.status_code, answer.json()["state"]) == (201, "applied"), answer.text
    assert client.get(path).json()["stratum"] == "immunoparalysis"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"criterion":"I4","criterion":"I4","answer":"met"}', 400),
        (b'{"criterion":"I4","answer":NaN}', 400),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"criterion":"I4","answer":"met","who":"me"}', 422),
        (b'{"criterion":"I4","answer":1}', 422),
        (b'{"criterion":"I99","answer":"met"}', 422),
        (b'{"criterion":"I4","answer":"met","at":"2026-01-02T06:00:00"}', 422),
        (b'{"criterion":"I4","answer":"met","at":"2027-01-02T06:00:00Z"}', 422),
        (b'{"status":"declined"}', 422),
    ],
)
def test_json_that_is_wrong_is_refused_without_an_echo(home: House, body: bytes, status: int) -> None:
    client, path = scripted(home)
    answer = client.post(f"{path}/determinations", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert answer.json().keys() == {"detail"}
    assert stored(home) == []


def test_json_needs_its_own_type_and_the_sessions_token(home: House) -> None:
    client, path = scripted(home)
    body = {"criterion": "I4", "answer": "met"}
    plain = client.post(f"{path}/determinations", content=b"{}", headers={"content-type": "text/plain"})
    forged = client.post(f"{path}/determinations", json=body, headers={"x-csrf-token": "no"})
    assert (plain.status_code, forged.status_code) == (415, 403)


def test_who_read_an_older_page_is_told_before_deciding(home: House) -> None:
    client, path = scripted(home)
    tag, body = client.get(path).headers["etag"], {"criterion": "I4", "answer": "met"}
    home.clock.now += timedelta(minutes=10)
    home.processor.review()
    assert client.post(f"{path}/determinations", json=body, headers={"if-match": tag}).status_code == 201
    assert client.post(f"{path}/determinations", json=body, headers={"if-match": tag}).status_code == 412


def test_an_idempotency_key_makes_a_repetition_the_same_act(home: House) -> None:
    client, path = scripted(home)
    headers, body = {"idempotency-key": "k1"}, {"criterion": "I4", "answer": "met"}
    ids = {client.post(f"{path}/determinations", json=body, headers=headers).json()["message"] for _ in range(3)}
    assert len(ids) == len(stored(home)) == 1


def test_a_long_list_comes_to_scripts_in_pages(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapter.web.api.PAGE", 2)
    home.tell(*mals("1"), *mals("2"), *unclear("3"))
    client = home.signed_in()
    pages = [client.get("/api/v1/candidates", params={"page": n}).json() for n in (1, 2, 3)]
    assert [(one["total"], one["pages"], len(one["candidates"])) for one in pages] == [(3, 2, 2), (3, 2, 1), (3, 2, 0)]
    assert len({row["id"] for one in pages for row in one["candidates"]}) == 3
    assert [client.get("/api/v1/candidates", params={"page": n}).status_code for n in ("0", "x")] == [422, 422]


def test_the_counts_add_up(home: House) -> None:
    client, _ = scripted(home)
    counts = client.get("/api/v1/quality").json()
    parts = ("applied", "duplicate", "ignored", "quarantined", "pending")
    assert counts["messages"]["received"] == sum(counts["messages"][name] for name in parts) == 2
    assert counts["candidates"]["candidate"] == 1
    assert [feed["state"] for feed in client.get("/api/v1/feeds").json()["feeds"]] == ["live", "never"]


def test_the_api_describes_itself(home: House) -> None:
    paths = home.client().get("/openapi.json").json()["paths"]
    assert {"/api/v1/candidates", "/api/v1/candidates/{candidate}/determinations", "/api/v1/feeds"} <= paths.keys()
    assert "/sign-in" not in paths


def test_of_two_screening_numbers_a_person_chooses_the_one_that_counts(home: House) -> None:
    home.tell(*mals("1"), *mals("2"), adt("A40", patient="2", merged="1", control="M1"))
    home.tell(oru(obx("2276-4", "9900", "ng/mL"), patient="2", order="N", control="N"))
    client = home.signed_in()
    with home.database.read() as conn:
        row, *_ = (row for row in worklist.shown(conn, home.clock.now) if row.assessment.get("screening_ids"))
    page = f"/c/{row.id}"
    shown = client.get(page).text
    assert "Two screening numbers, one person" in shown
    form = hidden(shown)
    wrong = form | {"number": "NOT-A-NUMBER", "reason": "guessed"}
    assert client.post(f"{page}/screening-id", data=wrong).status_code == 422
    settled(home, page, "screening-id", number=row.assessment["screening_ids"][0])
    assert "Two screening numbers" not in client.get(page).text


def test_a_number_whose_person_turned_out_to_be_two_is_asked_about_on_either_page(home: House) -> None:
    home.tell(*mals("1"), adt("A28", patient="2", control="P2"), adt("A40", patient="2", merged="1", control="M1"))
    home.tell(pair("A37", "1", "2", sent="20260102030000", control="U"))
    client = home.signed_in()
    with home.database.read() as conn:
        row, *_ = (row for row in worklist.shown(conn, home.clock.now) if row.assessment.get("screening_ids"))
    page = f"/c/{row.id}"
    shown = client.get(page).text
    assert "One screening number, two persons" in shown
    number = row.assessment["screening_ids"][0]
    settled(home, page, "screening-id", number=number)
    assert "One screening number" not in client.get(page).text


def test_a_stated_onset_stands_beside_the_computed_one_and_can_be_taken_back(home: House) -> None:
    client, page, form = opened(home)
    wish = form | {"began": "2026-01-02T06:15", "reason": "seen on the ward"}
    assert client.post(f"{page}/onset", data=wish).headers["location"] == f"{page}?saved=applied#onset"
    assert "stated by anna: seen on the ward. By the score:" in client.get(page).text
    assert ("anna", "onset", "ok") in home.audited()
    back = hidden(client.get(page).text) | {"began": "", "reason": "misread"}
    assert client.post(f"{page}/onset", data=back).status_code == 303
    assert "stated by" not in client.get(page).text


@pytest.mark.parametrize(
    "wrong", [{"reason": " "}, {"began": "2026-01-03T05:00"}, {"began": "soon"}, {"began": ""}, {"reason": "x" * 501}]
)
def test_an_onset_needs_a_moment_of_the_past_and_a_reason(home: House, wrong: dict[str, str]) -> None:
    client, page, form = opened(home)
    given = form | {"began": "2026-01-02T06:15", "reason": "seen"} | wrong
    assert client.post(f"{page}/onset", data=given).status_code == 422
    assert stored(home) == []


def test_a_script_states_an_onset(home: House) -> None:
    client, page, _ = opened(home)
    token = {"X-CSRF-Token": client.get("/api/v1/session").json()["csrf"]}
    url = f"/api/v1/candidates/{page.rpartition('/')[2]}/determinations"
    posted = {"onset": "2026-01-02T06:15:00+00:00", "reason": "seen"}
    assert client.post(url, json=posted, headers=token).status_code == 201
    told = client.get(url.removesuffix("/determinations")).json()["assessment"]["sepsis"]
    assert (told["onset"], told["onset_by"]) == ("2026-01-02T06:15:00+00:00", "anna")
    assert client.post(url, json=posted | {"onset": None}, headers=token).status_code == 201
    assert client.post(url, json=posted | {"onset": None}, headers=token).status_code == 422
