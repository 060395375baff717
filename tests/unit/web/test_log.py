"""The screening log: every row of it on both stores, two versions, no name where none may be, no formula in any cell."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pyotp
import pytest
from starlette.testclient import TestClient

from adapter.fhir.calendar import Dates, calendar
from adapter.store import accounts
from adapter.store.audit import listing
from adapter.web import one_time, sessions, sheets
from adapter.web.entries import columns_of
from adapter.web.sealed import Seal
from tests import stores
from tests.builders import T0, adt, dtm
from tests.web_house import PASSWORD, House, first_candidate, hidden, house, mals, unclear

SITE = (
    "screening_number site hospital_number authority family given birth_date sex ward bed flagged first_flag first_look "
    "hours_to_look decided hours_to_decision verdict certainty stratum sofa_low sofa_high onset furthest status reason by "
    "note rules_out open taken_back in_shadow"
)
TRIAL = (
    "screening_number age_band sex flagged first_flag hours_to_look decided hours_to_decision verdict furthest status "
    "reason rules_out open in_shadow"
)
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def pages(client: TestClient) -> dict[str, str]:
    """By family name: the address of each candidate."""
    found = re.findall(r'href="(/c/[0-9a-f]+)"[^>]*>(\w+)', client.get("/").text)
    return {name: path for path, name in found}


def decide(client: TestClient, page: str, choice: str, note: str = "") -> None:
    form = hidden(client.get(page).text)
    answer = client.post(f"{page}/status", data=form | {"choice": choice, "note": note})
    assert answer.status_code == 303, answer.text


def download(client: TestClient, version: str, kind: str = "csv", trial: str = "") -> bytes:
    csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/log").text)
    assert csrf
    wish = {"csrf": csrf[1], "trial": trial, "version": version, "format": kind}
    answer = client.post("/log/download", data=wish)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].endswith(f'.{kind}"')
    assert answer.headers["cache-control"] == "no-store"
    return answer.content


def table(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def filled(home: House) -> House:
    """ELENI was looked at after half an hour and declined after two; nobody looked at GEORGIOS."""
    home.tell(*mals(ward="ICU", bed="7"), *unclear())
    eleni = pages(home.signed_in())["PAPADOPOULOU"]
    home.clock.now += timedelta(minutes=30)
    decide(home.signed_in(), eleni, "eligible")
    home.clock.now += timedelta(minutes=90)
    decide(home.signed_in(), eleni, "declined|patient", "=cmd|' /C calc'!A0")
    return home


@pytest.fixture
def ward(home: House) -> House:
    """On both stores: what rests on the rows."""
    return filled(home)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[House]:
    """On SQLite alone: what rests on the pages."""
    with house(tmp_path) as made:
        yield filled(made)


def test_the_site_finds_every_patient_again(ward: House) -> None:
    eleni, georgios = sorted(table(download(ward.signed_in(), "site")), key=lambda row: row["hospital_number"])
    assert " ".join(eleni) == SITE
    flagged = (T0 + timedelta(hours=4)).isoformat(timespec="seconds")
    wanted = {
        "hospital_number": "100",
        "family": "PAPADOPOULOU",
        "given": "ELENI",
        "birth_date": "1950-06-15",
        "ward": "ICU",
        "bed": "7",
        "sex": "female",
        "flagged": flagged,
        "first_flag": "candidate",
        "hours_to_look": "0.5",
        "hours_to_decision": "0.5",
        "stratum": "mals",
        "furthest": "approached",
        "status": "declined",
        "reason": "patient",
        "by": "anna",
        "note": "'=cmd|' /C calc'!A0",
        "site": "generic",
        "sofa_low": "6",
        "verdict": "candidate",
        "taken_back": "",
    }
    assert {name: eleni[name] for name in wanted} == wanted
    assert eleni["onset"].startswith("2026-01-02")
    assert (georgios["first_look"], georgios["decided"], georgios["status"]) == ("", "", "")
    assert "I7" in georgios["open"].split()


def test_the_trial_unit_learns_no_name_no_place_and_no_true_date(ward: House) -> None:
    body = download(ward.signed_in(), "trial")
    rows = table(body)
    assert " ".join(rows[0]) == TRIAL
    for word in ("PAPADOPOULOU", "ELENI", "HOSP", "1950", "ICU", "2026-01-0", "calc", "anna", "generic"):
        assert word not in body.decode(), word
    eleni = next(row for row in rows if row["status"])
    assert (eleni["age_band"], eleni["sex"]) == ("70-79", "female")
    assert (eleni["hours_to_look"], eleni["hours_to_decision"], eleni["furthest"]) == ("0.5", "0.5", "approached")
    apart = datetime.fromisoformat(eleni["decided"]) - datetime.fromisoformat(eleni["flagged"])
    assert apart == timedelta(minutes=30)
    edc = calendar(ward.context.secret.derive("fhir-ids"), "immunosep-demo", eleni["screening_number"], Dates.SHIFTED)
    assert eleni["flagged"] == edc.text(T0 + timedelta(hours=4))
    assert [row["screening_number"] for row in rows] == sorted(row["screening_number"] for row in rows)


def test_exact_dates_go_only_where_every_edc_may_know_them(desk: House) -> None:
    desk.context = replace(desk.context, dates=Dates.EXACT)
    rows = table(download(desk.signed_in(), "trial"))
    assert {row["flagged"] for row in rows} == {(T0 + timedelta(hours=4)).isoformat(timespec="seconds")}


def another_person(number: str) -> bytes:
    """Two persons under one number: nothing of them leaves until somebody has looked."""
    return adt(
        "A08", patient=number, visit=f"V{number}", cls="E", ward="ED", control=f"X{number}", name="ROE^RICHARD",
        born="19800101", sex="M", sent=dtm(T0 + timedelta(hours=1)),
    )  # fmt: skip


def test_who_may_not_leave_is_left_out_and_counted(ward: House) -> None:
    ward.tell(another_person("200"))
    client = ward.signed_in()
    assert len(table(download(client, "site"))) == 2
    rows = table(download(client, "trial"))
    assert [row["status"] for row in rows] == ["declined"]
    assert "1 person is left out" in client.get("/log").text
    found = client.get("/api/v1/screening-log").json()
    assert (found["withheld"], len(found["entries"]), found["dates"]) == (1, 1, "shifted")
    assert {name: "" if cell is None else str(cell) for name, cell in found["entries"][0].items()} == rows[0]


def test_every_download_is_on_record_before_it_is_given(desk: House) -> None:
    client = desk.signed_in()
    client.get("/api/v1/screening-log")
    download(client, "site", "xlsx")
    with desk.database.read() as conn:
        acts = [row.act for row in listing(conn) if row.act.action == "export-log"]
    assert [(act.actor, act.object_id, dict(act.detail)) for act in acts] == [
        ("anna", "immunosep-demo", {"version": "trial", "format": "json", "rows": 2}),
        ("anna", "immunosep-demo", {"version": "site", "format": "xlsx", "rows": 2}),
    ]


def late(desk: House, client: TestClient, *, coded: bool = False) -> dict[str, str]:
    """What the page that asks who it is sends on, sixteen minutes after signing in."""
    for _ in range(2):
        desk.clock.now += timedelta(minutes=8)
        page = client.get("/log").text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert csrf
    wish = {"csrf": csrf[1], "trial": "immunosep-demo", "version": "site", "format": "csv"}
    asked = client.post("/log/download", data=wish)
    assert asked.status_code == 403
    assert "content-disposition" not in asked.headers
    main = asked.text.partition("<main")[2].partition("</main>")[0]
    assert dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', main)) == wish | (
        {} if coded else {"code": ""}
    )
    assert ('name="code" required' in main) is coded
    assert 'action="/log/download"' in main
    return wish | {"code": ""}


def test_a_download_long_after_signing_in_goes_on_after_the_password(desk: House) -> None:
    client = desk.signed_in()
    form = late(desk, client)
    for wrong in ("wrong", "wrong wrong wrong"):
        answer = client.post("/log/download", data=form | {"password": wrong})
        assert answer.status_code == 403
        assert "This is not your password." in answer.text
    assert client.post("/log/download", data=form | {"password": PASSWORD, "csrf": "x"}).status_code == 403
    answer = client.post("/log/download", data=form | {"password": PASSWORD})
    assert re.search(r'-site-\d{8}\.csv"$', answer.headers["content-disposition"])
    assert {row["family"] for row in table(answer.content)} == {"PAPADOPOULOU", "NIKOLAOU"}
    acts = [act for act in desk.audited() if act[1] in {"sign-in-again", "export-log"}]
    tries = [("anna", "sign-in-again", outcome) for outcome in ("failed", "failed", "ok")]
    assert acts == [*tries, ("anna", "export-log", "ok")]
    assert client.get("/api/v1/screening-log").status_code == 200, "who said it is known for a quarter of an hour"
    for _ in range(2):
        desk.clock.now += timedelta(minutes=8)
        client.get("/account")
    assert client.get("/api/v1/screening-log").status_code == 403


def test_guessing_a_password_there_is_guessing_it_at_the_door(desk: House) -> None:
    client = desk.signed_in()
    form = late(desk, client)
    for _ in range(5):
        assert client.post("/log/download", data=form | {"password": "wrong"}).status_code == 403
    answer = client.post("/log/download", data=form | {"password": PASSWORD})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "31")
    assert desk.client().post("/sign-in", data={"name": "anna", "password": PASSWORD, "to": "/"}).status_code == 303
    assert ("anna", "sign-in-again", "refused") in desk.audited()


def entered(desk: House, name: str) -> TestClient:
    """However they signed in."""
    client = desk.client()
    with desk.database.write() as tx:
        user = accounts.find_user(tx, name)
        assert user
        client.cookies.set("session", sessions.start(tx, user, desk.clock.now))
    return client


def test_who_has_a_phone_gives_its_code_too(desk: House) -> None:
    secret = one_time.new()
    with desk.database.write() as tx:
        kept = Seal(desk.context.secret, one_time.PURPOSE).close({"secret": secret}, desk.clock.now)
        accounts.set_second_step(tx, "anna", kept)
    client = entered(desk, "anna")
    form = late(desk, client, coded=True)
    right = form | {"password": PASSWORD}
    assert "This code is not right" in client.post("/log/download", data=right | {"code": "000000"}).text
    code = pyotp.TOTP(secret).at(desk.clock.now)
    assert client.post("/log/download", data=right | {"code": code}).status_code == 200
    late(desk, client, coded=True)
    assert client.post("/log/download", data=right | {"code": code}).status_code == 403, "a code is good for once"


def test_a_proof_that_cannot_be_put_on_record_is_none_and_uses_up_no_code(desk: House) -> None:
    if not stores.on_sqlite():
        pytest.skip("its trigger is of SQLite")
    secret = one_time.new()
    with desk.database.write() as tx:
        kept = Seal(desk.context.secret, one_time.PURPOSE).close({"secret": secret}, desk.clock.now)
        accounts.set_second_step(tx, "anna", kept)
    client = entered(desk, "anna")
    right = late(desk, client, coded=True) | {"password": PASSWORD, "code": pyotp.TOTP(secret).at(desk.clock.now)}
    with desk.database.write() as tx:
        tx.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON audit WHEN NEW.action = 'sign-in-again' "
            "BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    assert client.post("/log/download", data=right).status_code == 500
    with desk.database.write() as tx:
        tx.exec_driver_sql("DROP TRIGGER full")
    assert client.get("/api/v1/screening-log").status_code == 403
    assert client.post("/log/download", data=right).status_code == 200, "the code is still good"


def test_who_has_an_account_of_the_hospital_signs_in_there(desk: House) -> None:
    with desk.database.write() as tx:
        accounts.add_user(tx, accounts.User("max", "coordinator", "", desk.clock.now, external="issuer|max"))
    client = entered(desk, "max")
    for _ in range(2):
        desk.clock.now += timedelta(minutes=8)
        csrf = client.get("/api/v1/session").json()["csrf"]
    wish = {"csrf": csrf, "trial": "immunosep-demo", "version": "site", "format": "csv"}
    page = client.post("/log/download", data=wish).text
    assert 'href="/sign-in/hospital?again=1&amp;to=%2Flog%3Ftrial%3Dimmunosep-demo"' in page
    assert 'type="password"' not in page
    for given in ("", PASSWORD):
        assert client.post("/log/download", data=wish | {"password": given, "code": ""}).status_code == 403


def test_only_who_may_see_patients_may_have_it(desk: House) -> None:
    root, anna = desk.signed_in("root"), desk.signed_in()
    for path in ("/log", "/api/v1/screening-log"):
        assert root.get(path).status_code == 403
    wish = {"csrf": "", "trial": "", "version": "site", "format": "csv"}
    assert root.post("/log/download", data=wish).status_code == 403
    assert anna.post("/log/download", data=wish).status_code == 403
    assert "Screening log</a>" not in root.get("/figures").text
    assert desk.client().get("/api/v1/screening-log").status_code == 401


def test_what_is_no_log_is_refused(desk: House) -> None:
    client = desk.signed_in()
    csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/log").text)
    assert csrf
    plain = {"csrf": csrf[1], "trial": "", "version": "site", "format": "csv"}
    for change, status in (({"version": "all"}, 422), ({"format": "pdf"}, 422), ({"trial": "nothing"}, 404)):
        assert client.post("/log/download", data=plain | change).status_code == status


def cells(body: bytes) -> list[list[str]]:
    """As Excel reads it: shared strings and numbers; a formula would be an `f`."""
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        shared = [
            "".join(text.text or "" for text in one.iter(f"{MAIN}t"))
            for one in ET.fromstring(book.read("xl/sharedStrings.xml"))
        ]
        sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))
    assert not list(sheet.iter(f"{MAIN}f"))
    assert not list(sheet.iter(f"{MAIN}hyperlink"))
    return [
        [shared[int(c[0].text or "")] if c.get("t") == "s" else c[0].text or "" for c in row.iter(f"{MAIN}c") if len(c)]
        for row in sheet.iter(f"{MAIN}row")
    ]


def test_the_workbook_holds_the_same_as_text(desk: House) -> None:
    client = desk.signed_in()
    found = cells(download(client, "site", "xlsx"))
    assert found[0] == columns_of("site")
    plain = [[cell for cell in row.values() if cell] for row in table(download(client, "site"))]
    assert [[cell for cell in row if cell] for row in found[1:]] == plain
    assert any(cell.startswith("'=cmd") for row in found for cell in row)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", " =1", "\n=1"])
def test_no_cell_becomes_a_formula(text: str) -> None:
    assert sheets.guarded(text) == f"'{text}"
    assert next(csv.reader(io.StringIO(sheets.as_csv(["a"], [[text]]).decode("utf-8-sig").split("\r\n", 1)[1])))


def test_words_and_numbers_stay_as_they_are() -> None:
    assert [sheets.guarded(cell) for cell in ("ΠΑΠΠΑΣ", "a=b", "", None, -2, 0.5)] == [
        "ΠΑΠΠΑΣ",
        "a=b",
        "",
        None,
        -2,
        0.5,
    ]


def test_a_merged_record_keeps_its_decisions_and_its_number(home: House) -> None:
    home.tell(*mals())
    client = home.signed_in()
    decide(client, first_candidate(client), "not-eligible|exclusion-criterion")
    (before,) = table(download(client, "site"))
    home.tell(adt("A40", patient="900", merged="100", control="M1", sent=dtm(home.clock.now)))
    (after,) = table(download(home.signed_in(), "site"))
    assert after["hospital_number"] == "900"
    same = ("screening_number", "status", "reason", "by", "first_look", "flagged", "decided")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


def test_the_page_shows_no_name(desk: House) -> None:
    page = desk.signed_in().get("/log").text
    assert "PAPADOPOULOU" not in page
    assert "Declined: patient" in page
    assert "after 30\u00a0min" in page
