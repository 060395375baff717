"""Several people work with one list: what is new to whom, who has whom in hand, what they tell each other."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from adapter import assets
from adapter.store import accounts, worklist
from adapter.store.accounts import Scope
from adapter.store.board import Part
from adapter.web import listing, ways
from adapter.web.app import create_app
from tests.builders import T0, after, obx
from tests.web_house import (
    BASE,
    PASSWORD,
    House,
    arrival,
    first_candidate,
    hidden,
    in_words,
    mals,
    organs,
    results,
    unclear,
)

FRESH = re.compile(r'<span class="fresh">([^<]+)</span>')


def tell_all(home: House) -> None:
    home.tell(*mals(), *unclear())


def send(client: TestClient, path: str, page: str = "/", **given: str) -> int:
    csrf = re.search(r'name="csrf" value="([^"]+)"', client.get(page).text)
    assert csrf
    return client.post(path, data={"csrf": csrf[1]} | given).status_code


def fresh(client: TestClient, path: str = "/") -> list[str]:
    return FRESH.findall(client.get(path).text)


def test_what_is_new_is_new_until_this_person_has_opened_it(home: House) -> None:
    home.person("ben", "investigator")
    tell_all(home)
    anna, ben = home.signed_in(), home.signed_in("ben")
    assert fresh(anna) == ["New", "New"]
    anna.get(first_candidate(anna))
    assert (fresh(anna), fresh(ben)) == (["New"], ["New", "New"])
    assert "<b>1 new, changed or taken back</b>" in anna.get("/").text


def test_what_changes_after_somebody_looked_is_news_with_what_changed(home: House) -> None:
    home.tell(*unclear())
    anna = home.signed_in()
    anna.get(first_candidate(anna))
    assert fresh(anna) == []
    home.clock.now += timedelta(minutes=5)
    home.tell(results("200", obx("2276-4", "5200", "ng/mL", sub="8"), name="N^G", order="F9", at=after(3)))
    page = anna.get("/").text
    assert FRESH.findall(page) == ["Changed"]
    assert "Stratum not known yet → MALS" in page


def test_all_is_seen_by_one_click_and_only_what_comes_later_is_new(home: House) -> None:
    home.tell(*mals())
    anna = home.signed_in()
    until = re.search(r'name="until" value="([^"]+)"', anna.get("/").text)
    assert until
    home.clock.now += timedelta(minutes=1)
    home.tell(*unclear())
    assert send(anna, "/looked", until=until[1], to="/") == 303
    assert fresh(anna) == ["New"]
    assert fresh(anna, "/?news=1") == ["New"]
    assert "1 candidate to look at" in anna.get("/?news=1").text
    assert ("anna", "seen", "ok") in home.audited()


def test_nobody_has_seen_what_is_still_to_come(home: House) -> None:
    anna = home.signed_in()
    for until in ((home.clock.now + timedelta(hours=1)).isoformat(), "soon", "2026-01-01T00:00:00"):
        assert send(anna, "/looked", until=until, to="/") == 422


def test_the_first_one_has_the_candidate_and_the_second_is_told_who(home: House) -> None:
    home.person("ben", "coordinator")
    home.tell(*mals())
    anna, ben = home.signed_in(), home.signed_in("ben")
    one = first_candidate(anna)
    assert send(anna, f"{one}/claim", to="/") == 303
    csrf = re.search(r'name="csrf" value="([^"]+)"', ben.get("/").text)
    assert csrf
    refused = ben.post(f"{one}/claim", data={"csrf": csrf[1], "to": "/"})
    assert refused.status_code == 409
    assert "anna has this candidate in hand since" in refused.text
    assert "In hand: <b>anna</b>" in ben.get("/").text
    assert "In hand: <b>you</b>" in anna.get("/").text
    assert send(anna, f"{one}/claim", to="/") == 303
    assert home.audited().count(("anna", "claim", "ok")) == 1


def test_a_candidate_is_let_go_or_handed_over_and_the_history_tells(home: House) -> None:
    home.person("ben", "coordinator")
    home.tell(*mals())
    anna, ben = home.signed_in(), home.signed_in("ben")
    one = first_candidate(anna)
    send(anna, f"{one}/claim", to=one)
    assert send(anna, f"{one}/hand-over", one, addressee="ben", text="blood is drawn") == 303
    assert "In hand: <b>you</b>" in ben.get("/?hand=mine").text
    assert "0 candidates" in anna.get("/?hand=mine").text
    assert send(ben, f"{one}/release", to="/") == 303
    assert "0 candidates" in ben.get("/?hand=mine").text
    assert "1 candidate to look at" in ben.get("/?hand=free").text
    page = anna.get(one).text
    for wanted in ("Taken in hand", "Handed over to ben", "blood is drawn", "Let go"):
        assert wanted in page, wanted
    acts = [action for actor, action, _ in home.audited() if action in {"claim", "hand-over", "release"}]
    assert acts == ["claim", "hand-over", "release"]


def test_a_note_is_news_to_the_others_and_stands_at_the_top_of_the_page(home: House) -> None:
    home.person("ben", "coordinator")
    home.tell(*mals())
    anna, ben = home.signed_in(), home.signed_in("ben")
    one = first_candidate(anna)
    for client in (anna, ben):
        client.get(one)
    home.clock.now += timedelta(minutes=1)
    send(anna, f"{one}/claim", to="/")
    assert fresh(ben) == [], "who has whom in hand stands there anyway"
    home.clock.now += timedelta(minutes=1)
    send(anna, f"{one}/note", one, text="son comes at 15:00 <b>")
    anna.get(one)
    assert (fresh(anna), fresh(ben)) == ([], ["Note"])
    assert "<b>1 new, changed or taken back</b>" in ben.get("/").text
    summary = ben.get(one).text.partition('<div class="pair">')[0]
    assert '<p class="lately"><b>Note</b> · son comes at 15:00 &lt;b&gt;' in summary
    assert fresh(ben) == []
    home.clock.now += timedelta(minutes=1)
    send(anna, f"{one}/note", one, text="he came")
    until = re.search(r'name="until" value="([^"]+)"', ben.get("/").text)
    assert until
    assert send(ben, "/looked", until=until[1], to="/") == 303
    assert fresh(ben) == []


def test_what_was_handed_to_somebody_is_marked_until_they_have_opened_it(home: House) -> None:
    for name in ("ben", "carl"):
        home.person(name, "coordinator")
    home.tell(*mals())
    anna, ben, carl = home.signed_in(), home.signed_in("ben"), home.signed_in("carl")
    one = first_candidate(anna)
    for client in (anna, ben, carl):
        client.get(one)
    home.clock.now += timedelta(minutes=1)
    send(anna, f"{one}/hand-over", one, addressee="ben", text="blood is drawn")
    anna.get(one)
    home.clock.now += timedelta(minutes=1)
    send(carl, f"{one}/note", one, text="wife was here")
    assert (fresh(ben), fresh(anna)) == (["Handed to you"], ["Note"])
    until = re.search(r'name="until" value="([^"]+)"', ben.get("/").text)
    assert until
    send(ben, "/looked", until=until[1], to="/")
    assert fresh(ben, "/?news=1") == ["Handed to you"], "seen on the list is not opened"
    ben.get(one)
    assert fresh(ben) == []
    home.clock.now += timedelta(minutes=1)
    send(ben, f"{one}/hand-over", one, addressee="anna", text="")
    assert (fresh(anna), fresh(carl)) == (["Handed to you"], ["Handed over"])
    assert "<b>Note</b> · wife was here" in anna.get(one).text.partition('<div class="pair">')[0]


def test_only_a_colleague_who_may_act_is_handed_a_candidate(home: House) -> None:
    home.tell(*mals())
    anna = home.signed_in()
    one = first_candidate(anna)
    for stranger in ("root", "nobody", ""):
        assert send(anna, f"{one}/hand-over", one, addressee=stranger, text="") == 422


@pytest.mark.parametrize(
    "scope", [Scope(sites=frozenset({"elsewhere"})), Scope(trials=frozenset({"another"}))], ids=["site", "trial"]
)
def test_who_works_elsewhere_is_neither_offered_nor_accepted(home: House, scope: Scope) -> None:
    for name in ("far", "near"):
        home.person(name, "coordinator")
    with home.database.write() as tx:
        accounts.set_role(tx, "far", "coordinator", scope)
        accounts.set_role(tx, "near", "coordinator", Scope(sites=frozenset({"generic"})))
    home.tell(*mals())
    anna = home.signed_in()
    one = first_candidate(anna)
    assert re.findall(r"<option>(far|near)|<option value=\"(far|near)\"", anna.get(one).text) == [("near", "")]
    assert send(anna, f"{one}/hand-over", one, addressee="far", text="") == 422
    assert "In hand: <b>" not in anna.get("/").text
    assert send(anna, f"{one}/hand-over", one, addressee="near", text="") == 303


def test_notes_are_kept_with_who_and_when_and_an_empty_one_is_none(home: House) -> None:
    home.tell(*mals())
    anna = home.signed_in()
    one = first_candidate(anna)
    assert send(anna, f"{one}/note", one, text="son comes at 15:00 <b>") == 303
    assert send(anna, f"{one}/note", one, text="") == 422
    assert send(anna, f"{one}/note", one, text="x" * 501) == 422
    page = anna.get(one).text
    assert "son comes at 15:00 &lt;b&gt;" in page
    assert home.audited().count(("anna", "note", "ok")) == 1


@pytest.mark.parametrize("act", ["note", "hand-over"])
def test_a_note_that_is_too_long_is_not_lost(home: House, act: str) -> None:
    home.person("ben", "coordinator")
    home.tell(*mals())
    anna = home.signed_in()
    one = first_candidate(anna)
    form = {"csrf": hidden(anna.get(one).text)["csrf"], "text": "y" * 501}
    answer = anna.post(f"{one}/{act}", data=form | ({"addressee": "ben"} if act == "hand-over" else {}))
    assert answer.status_code == 422
    assert answer.text.count("y" * 501) == 1
    where = (
        '<textarea name="text" maxlength="500" rows="2" required autofocus>y'
        if act == "note"
        else 'name="text" value="y'
    )
    assert where in answer.text


def test_an_administrator_takes_nobody_in_hand(home: House) -> None:
    home.tell(*mals())
    anna, root = home.signed_in(), home.signed_in("root")
    one = first_candidate(anna)
    csrf = re.search(r'name="csrf" value="([^"]+)"', root.get("/quality").text)
    assert csrf
    for act, more in (("claim", {"to": "/"}), ("release", {"to": "/"}), ("note", {"text": "x"})):
        assert root.post(f"{one}/{act}", data={"csrf": csrf[1]} | more).status_code == 403
    assert root.post("/find", data={"csrf": csrf[1], "words": "x"}).status_code == 403


def test_the_list_is_filtered_by_its_address_and_an_odd_one_shows_all(home: House) -> None:
    tell_all(home)
    anna = home.signed_in()
    shown = {
        "?ward=ED": 1,
        "?stratum=mals": 1,
        "?trial=immunosep-demo": 2,
        "?trial=none": 0,
        "?hand=mine": 0,
        "?hand=free": 2,
        "?page=x&part=moon&hand=odd&news=0": 2,
        "?page=7": 2,
    }
    for query, number in shown.items():
        assert f"{number} candidate{'' if number == 1 else 's'} to look at" in anna.get(f"/{query}").text, query


def test_the_strata_to_choose_from_are_those_of_the_trials_that_somebody_sees(home: House) -> None:
    both = assets.load_rulebook(None, trials=("immunosep-demo", "example-trial")).trials
    home.context = replace(home.context, trials=both)
    with home.database.write() as tx:
        accounts.set_role(tx, "anna", "coordinator", Scope(trials=frozenset({"example-trial"})))

    def choices(name: str) -> list[str]:
        select = re.search(r'<select name="stratum">(.*?)</select>', home.signed_in(name).get("/").text)
        assert select
        return re.findall(r'<option value="([^"]+)"', select[1])

    home.person("maria", "coordinator")
    found = ["unclassified", "indeterminate"]
    assert choices("anna") == ["immunosuppression", *found]
    ours = ["mals", "immunoparalysis", "immunoparalysis-blocked-by-covid"]
    assert choices("maria") == [*ours, "immunosuppression", *found]


def test_a_search_leaves_no_name_in_an_address(home: House) -> None:
    home.tell(*mals(), *mals("300", "ΠΑΡΆΔΕΙΓΜΑ^ΆΝΝΑ", bed="9"))
    anna = home.signed_in()
    csrf = re.search(r'name="csrf" value="([^"]+)"', anna.get("/").text)
    assert csrf
    for said, number in (("παράδειγμα", 1), ("papadop eleni", 1), ("300", 1), ("ED", 2), ("nobody", 0)):
        asked = anna.post("/find", data={"csrf": csrf[1], "words": said})
        assert asked.status_code == 303
        assert re.fullmatch(r"/\?found=[0-9a-f]{8}", asked.headers["location"])
        assert "set-cookie" not in asked.headers
        page = anna.get(asked.headers["location"]).text
        assert f"{number} candidate{'' if number == 1 else 's'} found" in page, said
    assert anna.get("/find").status_code == 405


def found(client: TestClient, said: str) -> str:
    csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/").text)
    assert csrf
    asked = client.post("/find", data={"csrf": csrf[1], "words": said})
    return client.get(asked.headers["location"]).text


def test_a_search_finds_whoever_ever_stood_on_the_list_and_says_in_which_part(home: House) -> None:
    """Declined, over, taken back two days ago, and still to look at."""
    home.tell(*mals("100", "GONE^GUS"), *mals("101", "DECIDED^DORA"), *mals("102", "OVER^OTTO"))
    home.tell(results("100", obx("mhladr", "9000", "{AB}/{cell}", system="L"), name="GONE^GUS", order="H1"))
    corrected = obx("2276-4", "520", "ng/mL", status="C", sub="8")
    home.tell(results("100", corrected, name="GONE^GUS").replace(b"R100F1", b"R100F2"))
    anna = home.signed_in()
    one = re.search(r'href="(/c/[0-9a-f]+)" id="[^"]+">DECIDED', anna.get("/").text)
    assert one
    form = hidden(anna.get(one[1]).text) | {"choice": "declined|relative", "note": ""}
    assert anna.post(f"{one[1]}/status", data=form).status_code == 303
    home.clock.now = T0 + timedelta(hours=73)
    home.tell(arrival("103", "NEW^NORA", at=T0 + timedelta(hours=70)))
    ferritin = obx("2276-4", "5200", "ng/mL", sub="8")
    home.tell(results("103", *organs(), ferritin, name="NEW^NORA", at=T0 + timedelta(hours=72)))
    anna = home.signed_in()
    assert "GONE" not in in_words("".join(anna.get(f"/?part={part}").text for part in Part))
    page = found(anna, "ED")
    assert "4 candidates found" in page
    rows = re.findall(r'">(\w+), \w+</a>.*?<p class="fine">([A-Z][a-z ]+)</p>', page, re.DOTALL)
    assert rows == [("NEW", "To look at"), ("DECIDED", "Decided"), ("OVER", "Time is over"), ("GONE", "Taken back")]
    assert anna.get("/").text.count('aria-current="page">To look at') == 1
    assert 'aria-current="page">To look at' not in page


def test_of_very_many_found_the_first_are_shown_and_the_page_says_so(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_FOUND", 2)
    for number in range(3):
        home.tell(*mals(str(1000 + number), f"P{number}^X"))
    anna = home.signed_in()
    page = found(anna, "ED")
    assert "3 candidates found" in page
    assert "The first 2 of 3: add a word." in page
    assert page.count('<li class="candidate') == 2
    assert "add a word" not in found(anna, "P1")


def test_the_number_of_a_message_stands_on_list_and_page_and_is_found(home: House) -> None:
    home.tell(*mals(), *unclear())
    anna = home.signed_in()
    one = first_candidate(anna)
    number = f"Candidate {one.removeprefix('/c/')[:6]}"
    assert f'<span class="nowrap">{number}</span>' in anna.get("/").text
    assert f'<span class="nowrap">{number}</span>' in anna.get(one).text
    page = found(anna, number)
    assert "1 candidate found" in page
    assert f'href="{one}"' in page
    with home.database.write() as tx:
        row = worklist.find(tx, one.removeprefix("/c/"))
        assert row
        worklist.adopt(tx, row.id, "ad0b7ed0", row.patient, "another visit")
    page = found(anna, number)
    assert "1 candidate found" in page, "also by the number it had before"
    assert 'href="/c/ad0b7ed0"' in page


def test_what_was_found_stays_found_for_this_session_alone(home: House) -> None:
    home.person("ben", "coordinator")
    home.tell(*mals(), *unclear())
    app = create_app(home.context)
    anna, ben = (TestClient(app, base_url=BASE, follow_redirects=False) for _ in range(2))
    for client, name in ((anna, "anna"), (ben, "ben")):
        client.post("/sign-in", data={"name": name, "password": PASSWORD, "to": "/"})
    csrf = re.search(r'name="csrf" value="([^"]+)"', anna.get("/").text)
    assert csrf
    first, second = (
        anna.post("/find", data={"csrf": csrf[1], "words": said}).headers["location"] for said in ("papado", "nikola")
    )
    page = anna.get(first).text
    assert "PAPADOPOULOU" in page
    assert "NIKOLAOU" not in page
    assert page.count(f'name="to" value="{first}') == 2, "an act and the language come back to it"
    assert "NIKOLAOU" in anna.get(second).text
    for client, where in ((ben, first), (anna, "/?found=00000000")):
        lost = client.get(where).text
        assert "What you searched for is no longer known here" in lost
        assert "2 candidates to look at" in lost
    assert "papado" not in "".join(map(str, home.audited()))
    assert anna.post("/find", data={"csrf": csrf[1], "words": " "}).headers["location"] == "/"
    anna.get(first_candidate(anna), headers={"referer": f"{BASE}{first}"})
    assert anna.post("/sign-out", data={"csrf": csrf[1]}).status_code == 303
    assert kept_words(home) == []


def kept_words(home: House) -> list[str]:
    with home.database.read() as conn:
        return [one for one in conn.execute(text("SELECT ways FROM sessions")).scalars() if one]


def test_what_was_searched_for_is_known_to_every_process_and_after_a_restart(home: House) -> None:
    """And nobody reads it in the database."""
    home.tell(*mals(), *unclear())
    anna = home.signed_in()
    where = search(anna, "papado")
    anna.get(first_candidate(anna), headers={"referer": f"{BASE}{where}"})
    other = home.client()
    other.cookies = anna.cookies
    page = other.get(where).text
    assert ("PAPADOPOULOU" in page, "NIKOLAOU" in page) == (True, False)
    candidate = first_candidate(other)
    assert f'<p class="back"><a href="{where}#open-' in other.get(candidate).text
    (sealed,) = kept_words(home)
    assert "papado" not in sealed
    assert where.rpartition("=")[2] not in sealed
    names = [search(other, f"papado{number}") for number in range(ways.MOST[ways.SEARCHES] + 1)]
    assert "no longer known" in anna.get(where).text, "the oldest are forgotten first"
    assert "no longer known" not in anna.get(names[-1]).text


def search(client: TestClient, said: str) -> str:
    csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/").text)
    assert csrf
    return client.post("/find", data={"csrf": csrf[1], "words": said}).headers["location"]


@pytest.mark.parametrize(
    ("before", "back"),
    [
        ("", "/"),
        (f"{BASE}/", "/"),
        (f"{BASE}/?part=decided&ward=ICU+2&page=3&auto=1", "/?ward=ICU+2&part=decided&page=3"),
        (f"{BASE}/?found=0a1b2c3d&part=over", "/?found=0a1b2c3d"),
        ("https://elsewhere.example/", "/"),
        (f"{BASE}/log?part=decided", "/"),
        ("http://[", "/"),
    ],
)
def test_the_arrow_leads_to_the_list_by_which_somebody_came(home: House, before: str, back: str) -> None:
    home.tell(*mals())
    anna = home.signed_in()
    one = first_candidate(anna)
    row = f"#open-{one.rpartition('/')[2]}"
    shown = f'<p class="back"><a href="{back}{row}">'.replace("&", "&amp;")
    assert shown in anna.get(one, headers={"referer": before}).text
    form = hidden(anna.get(one, headers={"referer": f"{BASE}{one}"}).text) | {"choice": "declined|relative", "note": ""}
    acted = anna.post(f"{one}/status", data=form, headers={"referer": f"{BASE}{one}"})
    assert shown in anna.get(acted.headers["location"], headers={"referer": f"{BASE}{one}"}).text
    assert f'<p class="back"><a href="/{row}">' in anna.get(one, headers={"referer": f"{BASE}/"}).text


@pytest.mark.parametrize(
    "answer", ["ΠΑΡΑΔΕΙΓΜΑ, ΆΝΝΑ", "παράδειγμα αννα", "Παραδειγμα", "bed 5", "TEP · bed 5", "TEP 5"]
)
def test_a_patient_is_found_by_what_the_page_shows(home: House, answer: str) -> None:
    home.tell(*mals("410002", "ΠΑΡΆΔΕΙΓΜΑ^ΆΝΝΑ", ward="TEP", bed="5"), *mals("415055", "NOBODY^ELSE", bed="55"))
    page = found(home.signed_in(), answer)
    assert "1 candidate found" in page
    assert "ΠΑΡΑΔΕΙΓΜΑ" in page


def test_whom_somebody_declined_is_no_longer_to_look_at_until_there_are_new_facts(home: House) -> None:
    home.tell(*unclear())
    anna = home.signed_in()
    one = first_candidate(anna)
    form = hidden(anna.get(one).text) | {"choice": "declined|relative", "note": ""}
    assert anna.post(f"{one}/status", data=form).status_code == 303
    page = anna.get("/").text
    assert "0 candidates to look at" in page
    assert "1 candidate · decided" in anna.get("/?part=decided").text
    home.clock.now += timedelta(minutes=5)
    home.tell(results("200", obx("2276-4", "5200", "ng/mL", sub="8"), name="N^G", order="F9", at=after(3)))
    page = anna.get("/").text
    assert "1 candidate to look at" in page
    assert "New since “Declined”: " in page
    form = hidden(anna.get(one).text) | {"choice": "declined|relative", "note": "again"}
    assert anna.post(f"{one}/status", data=form).status_code == 303
    assert "0 candidates to look at" in anna.get("/").text


def test_a_long_list_comes_in_pages(home: House, monkeypatch: object) -> None:
    wards = range(listing.PAGE + 2)
    for number in wards:
        home.tell(*mals(str(1000 + number), f"P{number:02}^X", bed=str(number)))
    anna = home.signed_in()
    first, second = anna.get("/").text, anna.get("/?page=2").text
    assert first.count('<li class="candidate') == listing.PAGE
    assert second.count('<li class="candidate') == 2
    assert "Page 1 of 2" in first
    assert f"{listing.PAGE + 2} candidates to look at" in second


def test_certain_comes_before_possible_within_the_hour(home: House) -> None:
    late = T0 + timedelta(minutes=40)
    lines = (*organs(bilirubin=None), obx("2276-4", "3000", "ng/mL", sub="8"))
    home.tell(arrival("200", "POSSIBLE^P"), results("200", *lines, name="POSSIBLE^P"))
    ferritin = obx("2276-4", "5200", "ng/mL", sub="8")
    came = arrival("300", "CERTAIN^C", at=late - timedelta(hours=1))
    home.tell(came, results("300", *organs(), ferritin, name="CERTAIN^C", at=late))
    page = home.signed_in().get("/").text
    assert page.index("CERTAIN") < page.index("POSSIBLE")


def test_the_same_person_on_the_list_of_two_trials_is_flagged_on_both(home: House) -> None:
    from adapter import assets
    from adapter.pipeline.keep import Keeper
    from adapter.pipeline.process import Processor

    both = assets.load_rulebook(None, trials=("immunosep-demo", "immunosep"))
    home.context = replace(home.context, trials=both.trials)
    home.keeper = Keeper(home.database, both, home.context.secret, (), "http://127.0.0.1:8080/c/")
    home.processor = Processor(home.database, both, home.keeper, home.clock, lambda: None)
    home.tell(*mals())
    page = home.signed_in().get("/").text
    assert "2 candidates to look at" in page
    assert "Also on the list of immunosep" in page
    assert "Also on the list of immunosep-demo" in page
