"""Who is in doubt, and what came of each source, on the page of feeds and data."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event
from starlette.testclient import TestClient

from adapter.domain.patient import PatientId
from adapter.store import accounts, opt_outs
from adapter.store.accounts import Scope
from tests.builders import adt, dtm
from tests.web_house import PASSWORD, House, first_candidate, hidden, mals, settled, unclear


def richard() -> bytes:
    """Somebody else under ELENI's number."""
    return adt(
        "A08",
        patient="100",
        visit="V100",
        cls="E",
        ward="ED",
        control="O",
        name="ROE^RICHARD",
        born="19800101",
        sex="M",
    )


def identity(home: House) -> dict[str, int]:
    found: dict[str, int] = home.signed_in("root").get("/api/v1/quality").json()["identity"]
    return found


def test_two_persons_under_one_number_are_counted_for_all_and_linked_for_who_may_answer(home: House) -> None:
    home.tell(*mals())
    client = home.signed_in()
    page = first_candidate(client)
    assert "Nobody: no number stands for two persons" in client.get("/quality").text
    home.tell(richard())
    assert identity(home) == {"two-persons": 1, "two-numbers": 0, "claimed-number": 0}
    assert f'<a href="{page}">answer it</a>' in client.get("/quality").text
    told = home.signed_in("root").get("/quality").text
    assert "Two persons were described" in told
    assert page not in told
    settled(home, page, "same-person")
    assert identity(home)["two-persons"] == 0


def test_a_person_with_two_numbers_is_in_doubt_until_one_is_chosen(home: House) -> None:
    home.tell(*mals(), *unclear())
    home.tell(adt("A40", patient="200", merged="100", control="M1", sent=dtm(home.clock.now)))
    assert identity(home)["two-numbers"] >= 1
    assert "One person has two screening numbers" in home.signed_in().get("/quality").text


def test_what_came_of_each_source_adds_up(home: House) -> None:
    home.tell(*mals(), b"rubbish")
    page = home.signed_in("root").get("/quality").text
    row = page[page.index('<th scope="row">lab</th>') :].split("</tr>", 1)[0]
    cells = [int(cell.split("<")[0]) for cell in row.split("<td>")[1:]]
    assert sum(cells[:-1]) == cells[-1] == 3


def doubted(home: House, *people: tuple[str, str]) -> str:
    """The page of one of whom nobody knows whether it is one person."""
    for name, role in people:
        home.person(name, role)
    home.tell(*mals(), richard())
    return first_candidate(home.signed_in())


def propose(client: TestClient, page: str, reason: str = "the clerk mistyped") -> tuple[int, str]:
    answer = client.post(f"{page}/same-person", data=hidden(client.get(page).text) | {"reason": reason})
    return answer.status_code, answer.headers.get("location", answer.text)


def answer_it(client: TestClient, page: str, act: str, number: int = 1, **fields: str) -> tuple[int, str]:
    answer = client.post(f"{page}/identity/{number}/{act}", data=hidden(client.get(page).text) | fields)
    return answer.status_code, answer.headers.get("location", answer.text)


def acts(home: House) -> list[tuple[str, str]]:
    return [(who, what) for who, what, outcome in home.audited() if what.startswith("identity") and outcome == "ok"]


def test_one_proposes_and_another_approves_both_on_record_and_on_both_pages(home: House) -> None:
    page = doubted(home, ("iris", "investigator"))
    anna, iris = home.signed_in(), home.signed_in("iris")
    assert propose(anna, page) == (303, f"{page}?saved=proposed#same-person")
    shown = anna.get(page).text
    assert "anna proposes: It is one person" in shown
    assert "the clerk mistyped" in shown
    assert "Who can approve it or send it back: iris. No mail tells them: call." in shown
    assert ">Approve<" not in shown
    assert answer_it(anna, page, "approve")[0] == 403, "a coordinator alone settles nothing"
    quality = iris.get("/quality").text
    assert "approve or send back" in quality
    assert "proposed by anna, Fri 2 Jan 07:00" in quality
    assert "One number, two persons?" in iris.get(page).text
    assert answer_it(iris, page, "approve") == (303, f"{page}?saved=approved")
    shown = anna.get(page).text
    assert "One number, two persons?" not in shown
    history = shown.partition('id="history"')[2]
    assert re.search(r"Proposal approved</b> · It is one person\s+<span class=\"fine\"> by iris", history)
    assert "It is one person: the clerk mistyped" in history
    assert acts(home) == [("anna", "identity-propose"), ("iris", "identity-approve")]
    assert ("iris", "same-person", "ok") in home.audited(), "and the answer itself, with its message"
    assert answer_it(iris, page, "approve")[0] == 422, "decided once"


def test_what_is_sent_back_says_why_and_leaves_the_question_open(home: House) -> None:
    page = doubted(home, ("iris", "investigator"))
    anna, iris = home.signed_in(), home.signed_in("iris")
    assert propose(anna, page, "")[0] == 422
    assert propose(anna, page)[0] == 303
    status, text = propose(anna, page)
    assert (status, "something is proposed already" in text) == (422, True)
    assert answer_it(iris, page, "send-back", reason="")[0] == 422
    assert answer_it(iris, page, "send-back", reason="ask <the> ward") == (303, f"{page}?saved=sent-back")
    shown = anna.get(page).text
    assert "iris sent the last proposal back, Fri 2 Jan 07:00: ask &lt;the&gt; ward" in shown
    assert "answer it" in anna.get("/quality").text
    assert propose(anna, page, "asked the ward")[0] == 303
    assert answer_it(iris, page, "approve", 1)[0] == 422
    assert answer_it(iris, page, "approve", 2)[0] == 303
    assert acts(home)[1] == ("iris", "identity-send-back")


def test_too_long_a_reason_is_told_and_stays_in_the_form(home: House) -> None:
    page = doubted(home, ("iris", "investigator"))
    anna, iris = home.signed_in(), home.signed_in("iris")
    long = "x" * 501
    status, text = propose(anna, page, long)
    assert (status, "at most 500 characters" in text, f'value="{long}" autofocus' in text) == (422, True, True)
    assert propose(anna, page)[0] == 303
    status, text = answer_it(iris, page, "send-back", reason=long)
    assert (status, "at most 500 characters" in text, "Say why" in text) == (422, True, False)
    assert f'value="{long}" autofocus' in text
    status, text = answer_it(iris, page, "send-back", reason="ask", csrf="of another session")
    assert (status, 'value="ask" autofocus' in text) == (403, True)


def test_who_proposed_may_take_it_back_and_no_other_coordinator(home: House) -> None:
    page = doubted(home, ("iris", "investigator"), ("ben", "coordinator"))
    anna, ben = home.signed_in(), home.signed_in("ben")
    propose(anna, page)
    assert "Take back" not in ben.get(page).text
    assert answer_it(ben, page, "send-back", reason="no")[0] == 403
    assert home.audited()[-1] == ("ben", "refused", "refused")
    assert "Take back" in anna.get(page).text
    assert answer_it(anna, page, "send-back", reason="too early")[0] == 303


def test_an_investigator_approves_their_own_only_where_there_is_no_other(home: House) -> None:
    page = doubted(home, ("iris", "investigator"), ("ivan", "investigator"))
    iris = home.signed_in("iris")
    propose(iris, page)
    assert ">Approve<" not in iris.get(page).text
    status, text = answer_it(iris, page, "approve")
    assert (status, "Another investigator of this site must approve" in text) == (422, True)
    with home.database.write() as tx:
        accounts.set_role(tx, "ivan", "investigator", Scope(frozenset({"elsewhere"}), None))
    assert ">Approve<" in iris.get(page).text, "ivan works for another site"
    assert answer_it(iris, page, "approve")[0] == 303


def test_where_nobody_can_approve_the_page_says_so(home: House) -> None:
    page = doubted(home)
    assert "No investigator has an account for this site and trial" in home.signed_in().get(page).text


def test_who_could_approve_is_looked_up_only_of_somebody_in_doubt(home: House) -> None:
    def readings() -> int:
        """Of all accounts, for one page."""
        asked: list[str] = []

        def hear(_conn: object, _cursor: object, statement: str, *_more: object) -> None:
            asked.append(" ".join(statement.split()))

        event.listen(Engine, "before_cursor_execute", hear)
        try:
            anna.get(page)
        finally:
            event.remove(Engine, "before_cursor_execute", hear)
        return sum("FROM users ORDER BY" in one for one in asked)

    home.tell(*mals())
    anna = home.signed_in()
    page = first_candidate(anna)
    assert readings() == 1, "whom it may be handed to"
    home.tell(richard())
    assert readings() == 2


def test_an_approval_long_after_signing_in_asks_for_the_password(home: House) -> None:
    page = doubted(home, ("iris", "investigator"))
    propose(home.signed_in(), page)
    iris = home.signed_in("iris")
    for _ in range(2):
        home.clock.now += timedelta(minutes=8)
        form = hidden(iris.get(page).text)
    told = iris.post(f"{page}/identity/1/approve", data=form)
    assert (told.status_code, "Approve who this patient is" in told.text) == (403, True)
    right = form | {"password": PASSWORD, "code": ""}
    assert iris.post(f"{page}/identity/1/approve", data=right).headers["location"] == f"{page}?saved=approved"


def test_a_proposal_for_another_doubt_counts_for_nothing(home: House) -> None:
    """A third description came after it was made."""
    page = doubted(home, ("iris", "investigator"))
    anna, iris = home.signed_in(), home.signed_in("iris")
    propose(anna, page)
    more = {"visit": "V100", "cls": "E", "ward": "ED"}
    home.tell(adt("A08", patient="100", control="O3", name="ODD^THIRD", born="19500505", sex="F", **more))
    assert "anna proposes" not in iris.get(page).text
    assert answer_it(iris, page, "approve")[0] == 422
    assert propose(anna, page, "all three are one")[0] == 303
    assert answer_it(iris, page, "approve", 2)[0] == 303


def test_a_double_click_on_approve_is_one_approval_and_the_same_answer(home: House) -> None:
    page = doubted(home, ("iris", "investigator"))
    iris = home.signed_in("iris")
    propose(home.signed_in(), page)
    form = hidden(iris.get(page).text)
    answers = []
    for _ in range(3):
        answers.append(iris.post(f"{page}/identity/1/approve", data=form).headers["location"])
        home.clock.now += timedelta(seconds=1)
    assert set(answers) == {f"{page}?saved=approved"}
    assert [what for who, what in acts(home) if who == "iris"] == ["identity-approve"]
    assert answer_it(iris, page, "approve")[0] == 422, "another page's click is another wish"


def test_of_two_clicks_at_once_on_approve_both_hear_of_the_one_approval(home: House) -> None:
    page = doubted(home, ("iris", "investigator"))
    iris = home.signed_in("iris")
    propose(home.signed_in(), page)
    form = hidden(iris.get(page).text)
    with iris, ThreadPoolExecutor(2) as pool:  # one loop for both
        sent = [pool.submit(iris.post, f"{page}/identity/1/approve", data=form) for _ in range(2)]
        answers = [one.result().headers.get("location") for one in sent]
    assert set(answers) == {f"{page}?saved=approved"}
    assert [what for who, what in acts(home) if who == "iris"] == ["identity-approve"]


def test_an_approved_answer_that_cannot_be_used_is_told(home: House) -> None:
    """They want no part since a moment ago; nobody was erased yet."""
    page = doubted(home, ("iris", "investigator"))
    iris = home.signed_in("iris")
    propose(home.signed_in(), page)
    with home.database.write() as tx:
        opt_outs.add(tx, home.context.secret, {PatientId("generic", "HOSP", "100")}, home.clock.now)
    home.processor.eraser._left_out.forget()
    status, text = answer_it(iris, page, "approve")
    assert status == 422
    assert re.search(r"Stored as message \d+, but it could not be used", text)


@pytest.mark.parametrize("act", ["approve", "send-back"])
def test_a_proposal_is_of_its_own_candidate(home: House, act: str) -> None:
    page = doubted(home, ("iris", "investigator"))
    home.tell(*unclear())
    iris = home.signed_in("iris")
    propose(iris, page)
    (other,) = {f"/c/{one}" for one in re.findall(r"/c/([0-9a-f]+)", iris.get("/").text)} - {page}
    assert answer_it(iris, other, act, **({"reason": "no"} if act == "send-back" else {}))[0] == 422
