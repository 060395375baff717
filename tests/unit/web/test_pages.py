"""The worklist and a candidate's page, as a coordinator meets them."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from adapter.store import accounts, unjudged
from adapter.store.accounts import Scope
from adapter.web import board
from adapter.web.context import FeedInfo
from tests import stores
from tests.builders import after, obx
from tests.web_house import BASE, House, arrival, first_candidate, hidden, mals, organs, results, unclear

NASTY = "<img src=x onerror=alert(1)>{{7*7}}'\""


def test_the_least_time_left_comes_first_with_what_speaks_for_it_and_what_is_missing(home: House) -> None:
    later = results("300", *organs(), obx("2276-4", "9000", "ng/mL", sub="8"), name="VLACHOS^D", at=after(2))
    home.tell(arrival("300", "VLACHOS^D"), later, *unclear(), *mals(ward="ICU", bed="7"))
    page = home.signed_in().get("/").text
    assert "3 candidates to look at" in page
    assert page.index("PAPADOPOULOU, ELENI") < page.index("VLACHOS, D")
    assert page.index("NIKOLAOU, GEORGIOS") < page.index("VLACHOS, D")
    for wanted in (
        "MALS",
        "5200\u00a0ng/mL",
        "ICU · bed 7",
        "MRN 100",
        "Bilirubin",
        "mHLA-DR",
        "68\u00a0h",
        "possible",
    ):
        assert wanted in page, wanted


def test_every_page_says_what_it_is_not_for(home: House) -> None:
    home.tell(*mals())
    client = home.signed_in()
    for path in ("/", first_candidate(client), "/quality", "/sign-in", "/nowhere"):
        assert "Not for diagnosis, monitoring or treatment." in client.get(path).text


def test_a_silent_feed_is_said_in_words(home: House) -> None:
    assert "nothing received yet" in home.signed_in().get("/").text
    home.tell(*mals())
    home.clock.now += timedelta(minutes=10)
    assert "last message 10 min ago" in home.signed_in().get("/").text
    home.clock.now += timedelta(minutes=21)
    assert "<strong>silent</strong>, last message 31 min ago" in home.signed_in().get("/").text


def test_a_backlog_is_said_in_words_until_everybody_is_judged(home: House) -> None:
    home.tell(*mals())
    assert "backlog" not in home.signed_in().get("/").text
    with home.database.write() as tx:
        unjudged.mark(tx, {1: 1})
    assert "A backlog of messages is being worked off" in home.signed_in().get("/").text
    home.processor._backlog.look()
    home.processor.step()
    assert "backlog" not in home.signed_in().get("/").text


def test_a_feed_is_quiet_once_it_was_not_heard_for_too_long(home: House) -> None:
    info, now = home.context.feeds[0], home.clock.now
    states = [board.feed(info, last, home.context, now).state for last in (None, now - timedelta(minutes=31), now)]
    assert states == ["never", "quiet", "live"]


def test_a_candidate_whose_time_is_over_moves_down_before_anybody_reassesses(home: House) -> None:
    home.tell(*mals())
    home.clock.now = after(72)
    page = home.signed_in().get("/").text
    assert "0 candidates to look at" in page
    assert "Time is over" in page


def test_a_withdrawn_candidate_stays_for_a_day_so_that_nobody_looks_in_vain(home: House) -> None:
    home.tell(*mals())
    home.tell(results("100", obx("mhladr", "9000", "{AB}/{cell}", system="L"), name="P^E", order="H1"))
    corrected = obx("2276-4", "520", "ng/mL", status="C", sub="8")
    home.tell(results("100", corrected, name="P^E").replace(b"R100F1", b"R100F2"))
    client = home.signed_in()
    page = client.get("/").text
    assert "0 candidates to look at" in page
    assert "Taken back in the last 24 hours" in page
    assert "Taken back just now" in client.get(first_candidate(client)).text
    home.clock.now += timedelta(hours=25)
    assert "Taken back" not in home.signed_in().get("/").text


def test_the_candidates_page_shows_why(home: House) -> None:
    home.tell(*unclear())
    client = home.signed_in()
    page = client.get(first_candidate(client)).text
    for wanted in (
        *("SOFA", "5–10", "no result in the window", "PaO₂", "68\u00a0mmHg", "140\u00a0×10³/µL"),
        *("To settle at the bedside", "Waiting for data", "Settled", "I6", "E15", "Missing:"),
        *("Set status", "Enter a central laboratory result", "History", "Raised", "message"),
    ):
        assert wanted in page, wanted


def test_times_are_shown_in_the_zone_of_the_patients_site(home: House) -> None:
    home.context = replace(home.context, zones={"generic": ZoneInfo("Europe/Athens")})
    home.tell(*mals())
    client = home.signed_in()
    page = client.get(first_candidate(client)).text
    assert "Fri 2 Jan 05:00" in page
    assert "Europe/Athens (+02:00)" in page


def test_a_list_of_sites_in_two_zones_says_of_each_deadline_which(home: House) -> None:
    home.context = replace(
        home.context,
        feeds=(FeedInfo("lab", "generic", "mllp"), FeedInfo("adt", "nearby", "mllp")),
        zones={"generic": ZoneInfo("Europe/Athens"), "nearby": ZoneInfo("Europe/Athens")},
    )
    home.tell(*mals())
    page = home.signed_in().get("/").text
    assert "until Mon 5 Jan 05:00<" in page
    assert "As of <b>Fri 2 Jan 09:00</b>" in page, "two sites, one zone"
    home.context = replace(home.context, zones={"generic": ZoneInfo("Europe/Athens")})
    page = home.signed_in().get("/").text
    assert "until Mon 5 Jan 05:00 (+02:00)<" in page
    assert "As of <b>Fri 2 Jan 07:00</b>" in page
    with home.database.write() as tx:
        accounts.set_role(tx, "anna", "coordinator", Scope(sites=frozenset({"generic"})))
    page = home.signed_in().get("/").text
    assert "until Mon 5 Jan 05:00<" in page
    assert "As of <b>Fri 2 Jan 09:00</b>" in page, "who works for one site reads its clock"


def test_who_was_taken_back_is_listed_with_what_stands_against(home: House) -> None:
    home.tell(*mals())
    client = home.signed_in()
    assert "<dt>Against</dt>" not in client.get("/").text
    form = hidden(client.get(first_candidate(client)).text)
    client.post(
        f"{first_candidate(client)}/determination", data=form | {"criterion": "E6", "answer": "met", "note": ""}
    )
    page = client.get("/").text
    assert "<dt>Against</dt><dd><b>E6</b> Do not resuscitate</dd>" in page
    assert "against: E6" not in page, "said once"


def test_a_candidates_page_says_when_nothing_comes_of_its_site_any_more(home: House) -> None:
    feeds = (FeedInfo("lab", "generic", "mllp"), FeedInfo("far", "elsewhere", "mllp"))
    home.context = replace(home.context, feeds=feeds)
    home.tell(*mals())
    client = home.signed_in()
    one = first_candidate(client)
    assert 'class="feeds"' not in client.get(one).text, "the other site is no matter of this patient's"
    home.clock.now += feeds[0].quiet_after + timedelta(minutes=1)
    client = home.signed_in()
    page = client.get(one).text
    assert re.search(r"<b>lab</b>\s*<strong>silent</strong>, last message", page)
    assert "<b>far</b>" not in page


def test_the_paper_for_the_bedside_has_boxes_to_tick(home: House) -> None:
    home.tell(*mals())
    client = home.signed_in()
    one = first_candidate(client)
    paper = client.get(f"{one}?print=1").text
    assert paper.count('<p class="boxes"><span>Met (') == paper.count('class="criterion open"') > 5
    assert "Answered at the bedside by, date and time:" in paper
    assert 'class="boxes"' not in client.get(one).text


def test_text_from_a_message_is_never_markup(home: House) -> None:
    home.tell(*mals(name=f"{NASTY}^{NASTY}", ward=NASTY, bed=NASTY))
    client = home.signed_in()
    for path in ("/", first_candidate(client)):
        page = client.get(path).text.lower()
        assert "<img" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}&#39;&#34;" in page


def test_every_view_is_written_down_and_a_stranger_id_is_not_found(home: House) -> None:
    home.tell(*mals())
    client = home.signed_in()
    client.get(first_candidate(client))
    assert client.get("/c/0000000000").status_code == 404
    ours = [entry for entry in home.audited() if entry[0] == "anna"]
    assert ours == [
        ("anna", "sign-in", "ok"),
        ("anna", "view-worklist", "ok"),
        ("anna", "view-candidate", "ok"),
        ("anna", "view-candidate", "not found"),
    ]


def test_a_patient_who_is_only_watched_has_no_page(home: House) -> None:
    home.tell(arrival("500", "WATCHED^W"))
    client = home.signed_in()
    assert client.get("/api/v1/candidates").json()["candidates"] == []
    with home.database.read() as conn:
        from adapter.domain.patient import PatientId
        from adapter.store import worklist

        watched = worklist.of_patient(conn, PatientId("generic", "HOSP", "500"))
    assert watched
    assert client.get(f"/c/{watched[0].id}").status_code == 404


def test_the_page_reloads_by_itself_unless_asked_to_hold_still(home: House) -> None:
    client = home.signed_in()
    assert 'content="30;url=/?auto=1"' in client.get("/").text
    assert "http-equiv" not in client.get("/?hold=1").text


OURS = re.compile(r'<script src="/static/(?:live|blank|kept|moved)\.js\?v=[0-9a-f]{12}" defer></script>')


def test_pages_hold_no_script_but_a_file_of_ours_and_need_no_other_site(home: House) -> None:
    home.tell(*mals())
    client = home.signed_in()
    for path in ("/", first_candidate(client), "/quality"):
        page = client.get(path).text
        assert "<script" not in OURS.sub("", page)
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
        assert " style=" not in page
        assert not re.findall(r'(?:src|href|action)="https?:', page)
    assert client.get("/static/icon.svg", headers={"host": BASE.removeprefix("http://")}).status_code == 200


def test_two_trials_are_told_apart(home: House) -> None:
    home.context = replace(home.context, trials=(*home.context.trials, replace(home.context.trials[0], id="other")))
    home.tell(*mals())
    assert "immunosep-demo" in home.signed_in().get("/").text


def test_a_view_that_cannot_be_written_down_is_not_shown(home: House, tmp_path: Path) -> None:
    home.tell(*mals())
    client = home.signed_in()
    read_only = stores.opened(tmp_path, read_only=True)
    client.app.state.context = replace(home.context, database=read_only)  # type: ignore[attr-defined]
    answer = client.get("/")
    assert answer.status_code == 500
    assert "PAPADOPOULOU" not in answer.text
    read_only.close()
