"""Rounds of alerting over a real store: real messages of a ward, real mail and web servers that misbehave (P6, P7)."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.alerting.hours import DAILY, WHOLE_DAY, Hours
from adapter.alerting.model import Person, Policy
from adapter.alerting.rota import Rota, Weekly
from adapter.notifiers.email import EmailNotifier, Encryption, MailServer
from adapter.notifiers.webhook import Webhook, WebhookNotifier
from adapter.pipeline.calling import Caller
from adapter.pipeline.deliver import deliver_next
from adapter.ports import Notifier
from adapter.store import audit, calls, hold, outbox, teamwork, worklist
from adapter.store.audit import Act
from adapter.store.database import Transaction
from adapter.store.teamwork import HAND_OVER, Note
from tests.builders import T0
from tests.peers import Script, misbehaving
from tests.ports import free_port
from tests.smtp import Server, smtp
from tests.web_house import House, hidden, house, mals, rules, unclear

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
START = T0 + 4 * HOUR
"""What the clock of the house says first."""
PEOPLE = (
    Person("anna", ("mail/anna", "hook")),
    Person("bert", ("mail/bert",)),
    Person("#board", ("board",), team=True),
)
POLICY = Policy(PEOPLE)
ROTA = Rota(UTC, (Weekly(DAILY, WHOLE_DAY, ("anna", "bert")),))


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        yield made


def calling(ward: House, policy: Policy = POLICY) -> Caller:
    return Caller(ward.database, ward.clock, policy, lambda: ROTA, rules().trials, "https://w/")


def owed(ward: House) -> list[tuple[str, str]]:
    with ward.database.read() as conn:
        return [tuple(row) for row in conn.exec_driver_sql("SELECT outlet, kind FROM outbox ORDER BY id")]


def payloads(ward: House) -> list[dict[str, Any]]:
    with ward.database.read() as conn:
        return [json.loads(row[0]) for row in conn.exec_driver_sql("SELECT payload FROM outbox ORDER BY id")]


def on_record(ward: House, action: str) -> list[Act]:
    with ward.database.read() as conn:
        return [row.act for row in audit.listing(conn) if row.act.action == action]


def the_candidate(ward: House) -> str:
    with ward.database.read() as conn:
        return worklist.shown(conn, ward.clock.now)[0].id


def after(ward: House, caller: Caller, wait: timedelta) -> list[tuple[str, str]]:
    """What becomes owed by a round after some time in which everything arrived."""
    before = len(owed(ward))
    caller.round()
    with ward.database.write() as tx:
        for row in tx.exec_driver_sql("SELECT id FROM outbox WHERE state = 'waiting'").all():
            outbox.delivered(tx, row[0], None, ward.clock.now)
    ward.clock.now += wait
    caller.round()
    return owed(ward)[before:]


def test_a_candidate_is_owed_once_with_a_link_and_nothing_of_the_patient(each_store: str, ward: House) -> None:
    ward.tell(*mals())
    caller = calling(ward)
    assert (caller.round(), caller.round()) == (2, 0)
    assert owed(ward) == [("board", "raised"), ("mail/anna", "raised")]
    said = payloads(ward)[1]
    assert said.keys() == {"kind", "candidate", "link", "trial", "intended_use"}
    assert said["link"] == f"https://w/c/{said['candidate']}"


def test_a_process_that_starts_anew_tells_nobody_twice(ward: House) -> None:
    ward.tell(*mals())
    calling(ward).round()
    ward.clock.now += MINUTE
    assert calling(ward).round() == 0


def test_a_store_that_was_restored_calls_nobody_until_it_is_released(each_store: str, ward: House) -> None:
    ward.tell(*mals())
    with ward.database.write() as tx:
        hold.begin(tx, hold.Hold(ward.clock.now, {}, 0))
    assert calling(ward).round() == 0
    with ward.database.write() as tx:
        hold.release(tx)
    assert calling(ward).round() == 2


def test_a_resent_result_calls_nobody_again(ward: House) -> None:
    came, told = mals()
    ward.tell(came, told)
    caller = calling(ward)
    caller.round()
    ward.tell(told)
    assert after(ward, caller, MINUTE) == []


def test_the_next_is_called_unless_somebody_followed_the_link(each_store: str, ward: House) -> None:
    ward.tell(*mals())
    caller = calling(ward)
    caller.round()
    assert after(ward, caller, 29 * MINUTE) == []
    assert after(ward, caller, MINUTE) == [("mail/bert", "escalated")]
    escalated = on_record(ward, "alert-escalated")
    assert [one.detail for one in escalated] == [
        {"cause": "escalated", "candidates": [the_candidate(ward)], "person": "bert"}
    ]
    ward.tell(*mals("300", "OTHER^ONE"))
    assert after(ward, caller, MINUTE) == [("board", "raised"), ("mail/anna", "raised")]
    with ward.database.read() as conn:
        both = [row.id for row in worklist.shown(conn, ward.clock.now)]
    for candidate in both:
        with ward.database.write() as tx:
            assert calls.opened(tx, candidate, "anna", ward.clock.now)
            assert not calls.opened(tx, candidate, "anna", ward.clock.now)
            assert not calls.opened(tx, "nobody's", "anna", ward.clock.now)
    assert after(ward, caller, HOUR) == []


def act(ward: House, name: str, page: str, deed: str, **given: str) -> None:
    client = ward.signed_in(name)
    form = {"csrf": hidden(client.get(page).text)["csrf"]} | given
    assert client.post(f"{page}/{deed}", data=form).status_code == 303


def test_whom_a_candidate_was_handed_to_is_told_and_answers_by_looking(each_store: str, ward: House) -> None:
    for name in ("bert", "carl"):
        ward.person(name, "coordinator")
    people = (*PEOPLE, Person("carl", ("mail/carl",), Hours(START.time(), (START + 9 * HOUR).time())))
    caller = calling(ward, replace(POLICY, people=people, escalate_quiet=40 * MINUTE))
    ward.tell(*mals())
    caller.round()
    page = f"/c/{the_candidate(ward)}"
    ward.signed_in("carl").get(page)
    ward.clock.now += MINUTE
    act(ward, "anna", page, "hand-over", addressee="carl", text="son comes at 15:00")
    assert after(ward, caller, 39 * MINUTE) == [("mail/carl", "handed-over")]
    said = payloads(ward)[-1]
    assert said.keys() == {"kind", "candidate", "link", "trial", "intended_use"}
    ward.signed_in("bert").get(page)
    assert after(ward, caller, MINUTE) == [("mail/bert", "escalated")], "a look of somebody else is no answer"
    ward.signed_in("carl").get(page)
    assert after(ward, caller, 9 * HOUR) == []
    with ward.database.read() as conn:
        assert [by for by, _ in calls.looks(conn, page[3:])] == ["carl", "anna", "bert", "carl"]
    act(ward, "carl", page, "hand-over", addressee="anna", text="")
    assert after(ward, caller, HOUR) == [("mail/anna", "handed-over"), ("mail/bert", "escalated")]


@pytest.mark.parametrize("itself", [True, False], ids=["to oneself", "under another id"])
def test_a_hand_over_is_known_by_whom_it_was_made(each_store: str, ward: House, itself: bool) -> None:
    ward.tell(*mals())
    caller, former = calling(ward), the_candidate(ward)
    caller.round()
    ward.clock.now += MINUTE
    with ward.database.write() as tx:
        given = Note(ward.clock.now, "anna", HAND_OVER, "anna" if itself else "bert", "")
        teamwork.hand_over(tx, former, given)
        row = worklist.find(tx, former)
        assert row is not None
        worklist.adopt(tx, former, "adopted", row.patient, "another visit")
    assert after(ward, caller, HOUR) == ([] if itself else [("mail/bert", "handed-over"), ("mail/anna", "escalated")])


def test_what_is_taken_back_is_told_on_the_same_ways_and_a_regain_is_told_anew(ward: House) -> None:
    ward.tell(*mals())
    caller = calling(ward)
    assert len(after(ward, caller, MINUTE)) == 2
    page = f"/c/{the_candidate(ward)}"

    def answer(said: str) -> None:
        client = ward.signed_in()
        form = hidden(client.get(page).text) | {"criterion": "E6", "answer": said, "note": ""}
        assert client.post(f"{page}/determination", data=form).status_code == 303

    answer("met")
    assert sorted(after(ward, caller, MINUTE)) == [("board", "withdrawn"), ("mail/anna", "withdrawn")]
    assert after(ward, caller, HOUR) == []
    ward.clock.now += MINUTE
    answer("not-met")
    assert sorted(after(ward, caller, MINUTE)) == [("board", "raised"), ("mail/anna", "raised")]


@pytest.mark.parametrize(("choice", "told"), [("consented", ["board", "mail/anna"]), ("declined|patient", [])])
def test_of_a_decided_candidate_only_the_ground_of_one_who_consented_is_told(
    ward: House, choice: str, told: list[str]
) -> None:
    ward.tell(*mals())
    caller = calling(ward)
    assert len(after(ward, caller, MINUTE)) == 2
    client, page = ward.signed_in(), f"/c/{the_candidate(ward)}"
    form = hidden(client.get(page).text) | {"choice": choice, "note": ""}
    assert client.post(f"{page}/status", data=form).status_code == 303
    form = hidden(client.get(page).text) | {"criterion": "E6", "answer": "met", "note": ""}
    assert client.post(f"{page}/determination", data=form).status_code == 303
    assert sorted(outlet for outlet, kind in after(ward, caller, MINUTE) if kind == "withdrawn") == told


def test_a_candidate_that_becomes_another_patient_s_is_no_news_and_its_look_counts_on(ward: House) -> None:
    ward.tell(*mals())
    caller, former = calling(ward), the_candidate(ward)
    assert len(after(ward, caller, MINUTE)) == 2
    with ward.database.write() as tx:
        row = worklist.find(tx, former)
        assert row is not None
        assert calls.opened(tx, former, "anna", ward.clock.now)
        worklist.adopt(tx, former, "adopted", row.patient, "another visit")
        assert not calls.opened(tx, former, "anna", ward.clock.now), "by its old link"
    assert after(ward, caller, HOUR) == []
    with ward.database.read() as conn:
        assert [call.person for call in calls.of_candidate(conn, "adopted")] == ["#board", "anna"]


def test_marks_of_the_trial_remind_while_nobody_has_decided(ward: House) -> None:
    ward.tell(*mals())
    caller = calling(ward, replace(POLICY, escalate=timedelta(days=9)))
    caller.round()
    with ward.database.read() as conn:
        row = worklist.find(conn, the_candidate(ward))
    assert row is not None
    assert row.deadline is not None
    left = row.deadline - ward.clock.now
    assert after(ward, caller, left - 24 * HOUR - MINUTE) == []
    assert after(ward, caller, MINUTE) == [("mail/anna", "deadline")]
    assert after(ward, caller, 12 * HOUR) == [("mail/anna", "deadline"), ("mail/bert", "deadline")]
    assert after(ward, caller, MINUTE) == []


def consent(ward: House, said: str) -> None:
    page = f"/c/{the_candidate(ward)}"
    client = ward.signed_in()
    form = hidden(client.get(page).text) | {"criterion": "I4", "answer": said, "note": ""}
    assert client.post(f"{page}/determination", data=form).status_code == 303


@pytest.mark.parametrize(("said", "told"), [("met", []), ("unknown", [("mail/anna", "deadline")])])
def test_a_consent_that_was_answered_is_one_like_the_status(ward: House, said: str, told: list[object]) -> None:
    """Who answered I4 as met has not set *Consented*, and need not be reminded that nobody decided."""
    ward.tell(*mals())
    caller = calling(ward, replace(POLICY, escalate=timedelta(days=9)))
    caller.round()
    with ward.database.read() as conn:
        row = worklist.find(conn, the_candidate(ward))
    assert row is not None
    assert row.deadline is not None
    consent(ward, said)
    assert "decided</dt><dd>not yet" not in (page := ward.signed_in().get(f"/c/{row.id}").text) or said != "met", page
    assert after(ward, caller, row.deadline - ward.clock.now - 24 * HOUR) == told


def test_a_consent_that_is_taken_back_is_asked_about_again(ward: House) -> None:
    ward.tell(*mals())
    caller = calling(ward, replace(POLICY, escalate=timedelta(days=9)))
    caller.round()
    with ward.database.read() as conn:
        row = worklist.find(conn, the_candidate(ward))
    assert row is not None
    assert row.deadline is not None
    consent(ward, "met")
    assert after(ward, caller, row.deadline - ward.clock.now - 24 * HOUR + MINUTE) == []
    consent(ward, "unknown")
    assert after(ward, caller, MINUTE) == [("mail/anna", "deadline")]


def test_the_ground_of_one_whose_consent_was_answered_is_told_when_it_is_lost(ward: House) -> None:
    ward.tell(*mals())
    caller = calling(ward)
    assert len(after(ward, caller, MINUTE)) == 2
    consent(ward, "met")
    client, page = ward.signed_in(), f"/c/{the_candidate(ward)}"
    form = hidden(client.get(page).text) | {"criterion": "E6", "answer": "met", "note": ""}
    assert client.post(f"{page}/determination", data=form).status_code == 303
    found = sorted(outlet for outlet, kind in after(ward, caller, MINUTE) if kind == "withdrawn")
    assert found == ["board", "mail/anna"]


@pytest.mark.parametrize("said", ["met", "unknown"])
def test_a_digest_counts_no_consented_candidate(ward: House, said: str) -> None:
    ward.tell(*mals(), *unclear())
    at = (START + HOUR).time()
    caller = calling(ward, replace(POLICY, escalate=timedelta(days=9), digest=(at,)))
    caller.round()
    consent(ward, said)
    after(ward, caller, HOUR)
    counts = {one["count"] for one in payloads(ward) if one["kind"] == "digest"}
    assert counts == {1 if said == "met" else 2}


def test_the_night_is_held_and_told_together_in_the_morning_but_not_what_is_urgent(ward: House) -> None:
    night = Hours((START - HOUR).time(), (START + 8 * HOUR).time())
    people = tuple(replace(one, quiet=night) for one in PEOPLE[:2])
    days = timedelta(days=9)
    quiet = replace(POLICY, people=people, escalate=days, escalate_quiet=days)
    ward.tell(*mals(), *unclear())
    caller = calling(ward, quiet)
    assert caller.round() == 0
    assert after(ward, caller, 8 * HOUR) == [("mail/anna", "many")]
    assert payloads(ward)[0]["count"] == 2
    assert "candidate" not in payloads(ward)[0]
    urgent = calling(ward, replace(quiet, urgent=timedelta(hours=72)))
    assert after(ward, caller, 16 * HOUR) == []
    ward.tell(*mals("300", "OTHER^ONE"))
    assert after(ward, caller, MINUTE) == []
    before = len(owed(ward))
    urgent.round()
    assert owed(ward)[before:] == [("mail/anna", "raised")]


def test_a_digest_says_how_many_wait_once_a_day(ward: House) -> None:
    ward.tell(*mals(), *unclear())
    caller = calling(ward, replace(POLICY, digest=((START + HOUR).time(),), escalate=timedelta(days=9)))
    caller.round()
    assert after(ward, caller, HOUR) == [("mail/anna", "digest"), ("board", "digest")]
    assert payloads(ward)[-1]["count"] == 2
    assert after(ward, caller, MINUTE) == []


def test_a_digest_goes_by_trial_and_a_gap_in_the_rota_leaves_nobody_out(ward: House) -> None:
    anna, bert = replace(PEOPLE[0], trials=frozenset({"other"})), PEOPLE[1]
    policy = Policy((anna, bert), digest=((START + HOUR).time(),), digest_when_empty=True, escalate=timedelta(days=9))
    other = replace(rules().trials[0], id="other")
    both = (*rules().trials, other)
    caller = Caller(ward.database, ward.clock, policy, Rota, both, "https://w/")
    assert after(ward, caller, HOUR) == [("mail/anna", "digest"), ("mail/bert", "digest")]
    ward.tell(*mals())
    assert after(ward, caller, 24 * HOUR)[-2:] == [("mail/anna", "digest"), ("mail/bert", "digest")]
    assert [(said["trial"], said["count"]) for said in payloads(ward)[-2:]] == [("other", 0), (rules().trials[0].id, 1)]


# --- real servers ----------------------------------------------------------------------------------------------------


def deliver(ward: House, outlets: dict[str, Notifier]) -> None:
    asyncio.run(deliver_next(ward.database, outlets, ward.clock))


def mail(ward: House, port: int, name: str) -> EmailNotifier:
    server = MailServer("127.0.0.1", port, Encryption.NONE, timeout=0.3)
    return EmailNotifier(server, sender="adapter@h.example", recipients=(f"{name}@h.example",), clock=ward.clock)


def hook(ward: House, base: str) -> WebhookNotifier:
    return WebhookNotifier(Webhook(base, ("whsec_" + "b29v" * 8,), allow_private=True), ward.clock)


def ids(server: Server) -> set[bytes]:
    return {line for _, said in server.taken for line in said.splitlines() if line.startswith(b"Message-ID")}


@pytest.mark.parametrize("fault", ["drop", "451 later", "421 closing", "554 no", "550 nobody", "away", "hang"])
def test_a_mail_server_that_misbehaves_loses_nothing_and_the_next_channel_has_it_in_fifteen_minutes(
    tmp_path: Path, fault: str
) -> None:
    """P6 (b), (c): at least once by some channel within 15 minutes, one id, and a repeat only after a lost reply."""
    server = Server(
        data=[fault, *[fault.replace("hang", "451 later")] * 99]
        if fault[0] in "4d" or fault in ("554 no", "hang")
        else [],
        recipients={"anna@h.example": [fault] * 99} if fault.startswith("550") else {},
    )
    script = Script([(204, {}, b"")] * 9)
    with contextlib.ExitStack() as stack:
        ward = stack.enter_context(house(tmp_path))
        port = free_port() if fault == "away" else stack.enter_context(smtp(server))
        base = stack.enter_context(misbehaving("http://127.0.0.1:9", script))
        ward.tell(*mals())
        caller = calling(ward, replace(POLICY, people=PEOPLE[:2]))
        outlets = {"mail/anna": mail(ward, port, "anna"), "hook": hook(ward, base)}
        caller.round()
        for _ in range(15):
            deliver(ward, outlets)
            ward.clock.now += MINUTE
            caller.round()
        with ward.database.read() as conn:
            counts = outbox.counts(conn)
            keys = set(conn.exec_driver_sql("SELECT key FROM outbox WHERE kind = 'raised'").scalars())
        assert counts["hook"].delivered == 1, "the fallback took it"
        assert {seen[2]["webhook-id"] for seen in script.seen} == keys
        assert len(keys) == 1
        assert counts["mail/anna"].waiting + counts["mail/anna"].dead == 1, "a failed delivery is there to be seen"
        assert len(ids(server)) <= 1


@pytest.mark.parametrize("step", ["drop-after", "drop", 500, 429, 410, 301])
def test_a_webhook_that_misbehaves_is_followed_by_the_next_person(tmp_path: Path, step: Any) -> None:
    """Nobody else carries it: then somebody else is told, at once where the receiver said never."""
    script, server = Script([step] * 99), Server()
    people = (Person("anna", ("hook",)), Person("bert", ("mail/bert",)))
    with contextlib.ExitStack() as stack:
        ward = stack.enter_context(house(tmp_path))
        port = stack.enter_context(smtp(server))
        there = stack.enter_context(misbehaving("http://127.0.0.1:9", Script([(204, {}, b"")] * 99)))
        base = stack.enter_context(misbehaving(there, script))
        ward.tell(*mals())
        caller = calling(ward, replace(POLICY, people=people))
        outlets = {"mail/bert": mail(ward, port, "bert"), "hook": hook(ward, base)}
        caller.round()
        for _ in range(12):
            deliver(ward, outlets)
            ward.clock.now += MINUTE
            caller.round()
        deliver(ward, outlets)
        assert [to for to, _ in server.taken] == [("bert@h.example",)]
        with ward.database.read() as conn:
            assert calls.lost(conn, START)
            assert not calls.lost(conn, ward.clock.now)
        assert len({seen[2]["webhook-id"] for seen in script.seen}) == 1


def test_twenty_rounds_of_a_crashing_daemon_tell_everybody_once(tmp_path: Path) -> None:
    """P6: a kill between deciding and commit leaves nothing; one after it leaves the row that the next start sends."""

    class KilledError(Exception):
        pass

    def killed(caller: Caller, tx: Transaction, now: datetime) -> None:
        caller._keep(tx, caller.plan(tx, now), now)
        raise KilledError

    with house(tmp_path) as ward:
        ward.tell(*mals(), *unclear())
        for _ in range(20):
            with pytest.raises(KilledError), ward.database.write() as tx:
                killed(calling(ward), tx, ward.clock.now)
        assert owed(ward) == []
        assert calling(ward).round() == 4
        assert calling(ward).round() == 0


def test_after_a_day_of_silence_people_hear_of_what_holds_now_and_of_nothing_else(tmp_path: Path) -> None:
    """P7: 40 candidates found at once after an outage are a handful of messages, within one round."""
    with house(tmp_path) as ward:
        for number in range(40):
            ward.tell(*mals(str(1000 + number), f"P{number}^X"))
        began = ward.clock.now
        assert calling(ward).round() == 2
        assert owed(ward) == [("board", "many"), ("mail/anna", "many")]
        assert {said["count"] for said in payloads(ward)} == {40}
        assert ward.clock.now == began
