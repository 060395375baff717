"""No statement of the running daemon walks a table that grows: its cost is that of what it asks for, after years as on day one."""

import asyncio
import contextlib
import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from adapter.daemon.commands import Desk, perform
from adapter.daemon.figures import figures
from adapter.daemon.health import Pulse
from adapter.demo.stage import edc_at
from adapter.fhir.bundle import BundleContext
from adapter.fhir.calendar import Dates
from adapter.fhir.subject import Study
from adapter.notifiers.webhook import Webhook, WebhookNotifier
from adapter.pipeline.deliver import deliver_next
from adapter.pipeline.outgoing import NotifierOutlet, PushWhen, SinkOutlet
from adapter.sinks.edc_fhir import Edc, EdcFhir
from adapter.standins.edc_store import EdcStore
from adapter.store import accounts, inbox, worklist
from adapter.store.space import Marks, Space
from adapter.web import sessions
from tests.builders import adt, er7, move, msh, obr, obx, oru, pair, pid, raw
from tests.installation import until
from tests.plans import Issued, SqliteDesk, listening, written_out
from tests.ports import free_port
from tests.web_house import House, hidden, house, mals, rules, settled, unclear

SMALL = {
    *("users", "feeds", "unmapped", "analytes", "sessions", "sign_in_tokens", "schema_version", "sqlite_master"),
    *("break_glass", "contested_ids", "opt_outs"),
}
"""Grow with people, emergencies, disputed numbers, those who want no part, sources, codes nobody mapped, and codes that are watched (2,000 at most); expired sign-ins are taken away."""
BUNDLES = BundleContext(b"0" * 32, Dates.EXACT, "test", Study(rules().trials[0].registry, ""))
TEST = er7(msh("ORU^R01", control="T1", processing="T"), pid(), obr(), obx("777-3", "98", "10*3/uL"))
STRANGE = oru(obx("LOCAL-9", "5", "mg"), obx("777-3", "98", "stones"), control="U1")
ILSE = {"by": "ilse", "reason": "ticket 77"}

OPEN, BACKLOG = "holds only what is open", "holds only what waits: nothing, but after an outage"
ALLOWED = {
    "audit: SELECT audit.seq, audit.hash FROM audit ORDER BY audit.seq DESC LIMIT": "one row from the end",
    "inbox_pending: SELECT inbox_pending.id, inbox_pending.attempts, inbox_pending.again, inbox.source": "the first twenty",
    "inbox_pending: SELECT count(*) AS count_1 FROM inbox_pending": BACKLOG,
    "inbox_pending: SELECT inbox_pending.id FROM inbox_pending ORDER BY inbox_pending.id LIMIT": "the first five thousand",
    "inbox_pending: SELECT inbox.source, inbox.received FROM inbox JOIN (SELECT min(inbox_pending.id)": BACKLOG,
    "inbox_pending: SELECT inbox_pending.source, count(*) AS count_1 FROM inbox_pending GROUP BY": BACKLOG,
    "inbox_outcomes by inbox_outcomes_quarantined:": OPEN,
    "proposals by proposals_open:": OPEN,
    "unjudged: SELECT count(*) AS count_1 FROM unjudged": BACKLOG,
    "unjudged by unjudged_message:": "a hundred of those whom a backlog left, the newest first",
    "candidates by candidates_standing:": OPEN,
    "candidates by candidates_shown:": OPEN,
    "candidates by candidates_left:": OPEN,
    "claims: SELECT claims.candidate, claims.holder FROM claims": "holds whom somebody has in hand",
    "candidates by candidates_board:": "the list in brief, read once after a change and kept (`web/roll.py`)",
    "candidates by candidates_watched:": "counted, not read: 0.2 µs a patient, for the page and the scrape",
    "outbox by outbox_states:": "counted, not read: 0.1 µs a delivery, for the scrape",
}
"""Walks that are right: how `Walk` writes them, up to where it is plain, and the reason. Replay, exports and `adapter inbox
list` walk everything by nature; no day of the daemon issues them.
"""


def day(home: House) -> None:
    """Everything a day brings, each kind once: messages, people, deliveries, clocks, operators."""
    messages(home)
    people(home)
    deliveries(home)
    clocks(home)
    operators(home)


def messages(home: House) -> None:
    home.tell(*mals("1"), *mals("2"), *unclear("3"), *mals("1"), TEST, TEST, STRANGE, b"nobody")
    home.tell(adt("A40", patient="2", merged="1", control="M1"), adt("A40", patient="9", merged="8", control="M2"))
    home.tell(oru(obx("2276-4", "9900", "ng/mL"), patient="2", order="N", control="N"))
    home.tell(oru(obx("777-3", "97", "10*3/uL", status="C"), patient="2", order="N", control="N"))
    home.tell(oru(obx("777-3", "97", "10*3/uL", status="C"), at="20260102020000", patient="2", order="N", control="N"))
    identities(home)
    with home.database.write() as tx:
        receipt, *_ = inbox.put_many(tx, [raw(oru(obx("777-3", "96", "10*3/uL"), control="F1"))])
        inbox.failed(tx, receipt.inbox_id, "INTERNAL")
    home.processor.step()


def identities(home: House) -> None:
    """A merge that is taken back, whose number somebody claims, and a visit that moves."""
    home.tell(*mals("5"), adt("A28", patient="6", control="P6"), adt("A40", patient="6", merged="5", control="M5"))
    home.tell(pair("A37", "5", "6", sent="20260102030000", control="U5"))
    home.tell(
        adt("A28", patient="7", control="P7"),
        move("5", "7", visit="V5", into="V5", sent="20260102031000", control="M7"),
    )


def people(home: House) -> None:
    client = home.signed_in()
    pages(client, "/", "/?hold=1", "/quality", "/healthz", "/readyz", "/metrics")
    pages(client, "/api/v1/session", "/api/v1/candidates", "/api/v1/feeds", "/api/v1/quality")
    with home.database.read() as conn:
        rows = worklist.shown(conn, home.clock.now)
        worklist.shown(conn, home.clock.now, trial="immunosep-demo")
    for row in rows:
        candidate(home, client, f"/c/{row.id}")
        pages(client, f"/api/v1/candidates/{row.id}")
    home.person("ilse", "interface-admin")
    settle(home.signed_in("ilse"))
    home.client().get(home.link("first-run"))
    csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/").text)
    assert csrf
    client.post("/sign-out", data={"csrf": csrf[1]})


def pages(client: TestClient, *paths: str) -> None:
    for path in paths:
        assert client.get(path).status_code == 200, path


def candidate(home: House, client: TestClient, page: str) -> None:
    shown = client.get(page).text
    numbers = re.findall(r'name="number" value="([^"]+)"', shown)
    drawn = "2026-01-02T03:30"
    for word, fields in (
        ("determination", {"criterion": "I4", "answer": "met", "note": ""}),
        ("status", {"choice": "declined|patient", "note": ""}),
        ("result", {"test": "mhla-dr|{AB}/{cell}", "value": "4000", "drawn": drawn}),
    ):
        answer = client.post(f"{page}/{word}", data=hidden(client.get(page).text) | fields)
        assert answer.status_code in {303, 422}, (word, answer.status_code)
    for number in numbers[:1]:
        settled(home, page, "screening-id", number=number)


def settle(client: TestClient) -> None:
    csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/quality").text)
    assert csrf
    held = re.findall(r"/quality/quarantine/(\d+)/show", client.get("/quality").text)
    for message, word in zip(held * 3, ("show", "release", "discard"), strict=False):
        client.post(f"/quality/quarantine/{message}/{word}", data={"csrf": csrf[1], "reason": "ticket 77"})


def deliveries(home: House) -> None:
    """To an EDC that answers, and to people by an address nobody listens on."""
    store, port = EdcStore(), free_port()
    with edc_at(store, port):
        sink = EdcFhir(Edc(f"http://127.0.0.1:{port}"), home.clock)
        hook = WebhookNotifier(
            Webhook(f"http://127.0.0.1:{free_port()}/", ("k" * 32,), "", allow_private=True), home.clock
        )
        until(lambda: connects(port))
        for _ in range(3):
            asyncio.run(deliver_next(home.database, {"edc": sink, "mail": hook}, home.clock))
            home.clock.now += timedelta(days=2)
    assert store.resources


def connects(port: int) -> bool:
    with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def clocks(home: House) -> None:
    home.clock.now += timedelta(days=3)
    while home.processor.review():
        pass
    with home.database.write() as tx:
        accounts.forget_tokens(tx, home.clock.now)
        sessions.expire(tx, home.clock.now, timedelta(minutes=15))
    space = Space(home.database.path.parent, Marks(0, 0, 0, 0))
    list(figures(home.database, space, home.clock))
    pulse = Pulse(home.database, space, home.clock)
    pulse.health()


def operators(home: House) -> None:
    desk = Desk(home.database, home.clock, "http://127.0.0.1")
    home.tell(
        er7(msh("ORU^R01", control="T2", processing="T"), pid(), obr(), obx("777-3", "98", "10*3/uL")), b"nothing"
    )
    perform(desk, ILSE | {"command": "user-add", "name": "bert", "role": "coordinator"})
    perform(desk, ILSE | {"command": "user-invite", "name": "bert"})
    perform(desk, ILSE | {"command": "user-disable", "name": "bert"})
    perform(desk, ILSE | {"command": "inbox-show", "id": 1})
    perform(desk, ILSE | {"command": "quarantine-release", "code": "PROCID"})
    home.processor.step()


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Issued, SqliteDesk]]:
    folder: Path = tmp_path_factory.mktemp("plans")
    with house(folder) as home, listening() as heard:
        home.keeper.outlets = (NotifierOutlet("mail"), SinkOutlet("edc", PushWhen.CANDIDATE, BUNDLES))
        day(home)
        with home.database.read() as conn:
            yield heard, SqliteDesk(conn)


def test_a_day_touches_every_table_that_grows(issued: tuple[Issued, SqliteDesk]) -> None:
    heard, _ = issued
    said = "\n".join([*heard.statements, *written_out()])
    for words in (
        "UPDATE patients", "UPDATE candidates", "UPDATE outbox", "UPDATE inbox ", "UPDATE inbox_pending", "DELETE FROM inbox_pending",
        "DELETE FROM candidate_aliases", "DELETE FROM candidates", "DELETE FROM results", "JOIN ties", "FROM contested_ids",
        "FROM candidate_history", "FROM inbox_outcomes", "FROM outbox", "FROM audit", "FROM results", "FROM statements",
        "FROM screening_ids", "UPDATE screening_ids", "DELETE FROM contested_ids", "INTO outbox_remotes", "DELETE FROM inbox_outcomes", "UPDATE inbox_outcomes",
    ):  # fmt: skip
        assert words in said, words


def test_no_statement_walks_a_table_that_grows(issued: tuple[Issued, SqliteDesk]) -> None:
    heard, desk = issued
    walks = [walk for statement, given in heard.statements.items() for walk in desk.walks(statement, given)]
    walks += [walk for statement in written_out() for walk in desk.walks(statement)]
    found = {str(walk) for walk in walks if walk.table not in SMALL}
    reasons = {walk: [words for words in ALLOWED if walk.startswith(words)] for walk in found}
    assert [walk for walk, said in sorted(reasons.items()) if not said] == []
    assert {words for said in reasons.values() for words in said} == set(ALLOWED), "a reason without a walk"


def test_every_child_of_a_foreign_key_is_found_by_an_index(issued: tuple[Issued, SqliteDesk]) -> None:
    _, desk = issued
    assert {(table, column) for table, column in desk.unfound_children() if table not in SMALL} == set()
