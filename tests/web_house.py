"""The real house behind the pages: store, inbox, processor, rulebook; a clock that tests move."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from pwdlib.hashers.argon2 import Argon2Hasher
from starlette.testclient import TestClient

from adapter.daemon.bench import PageBench
from adapter.daemon.workbench import Desk
from adapter.pipeline.keep import Keeper
from adapter.pipeline.process import Processor
from adapter.pipeline.receive import StoreInbox
from adapter.screening.rulebook import Rulebook
from adapter.store import accounts, audit
from adapter.store.inbox import put_many
from adapter.store.secret import SiteSecret
from adapter.web import once
from adapter.web.app import create_app
from adapter.web.context import FeedInfo, Health, WebContext
from tests import stores
from tests.builders import T0, adt, dtm, obx, oru, raw
from tests.walking import rulebook

BASE = "http://127.0.0.1:8080"
PASSWORD = "seven quiet herons"
HIDDEN = re.compile(r'name="(csrf|token)" value="([^"]+)"')


def rules() -> Rulebook:
    return rulebook("immunosep-demo")


@dataclass
class MovableClock:
    now: datetime = T0 + timedelta(hours=4)

    def __call__(self) -> datetime:
        return self.now


class House:
    """`context` may be replaced by parts before `client()`; messages are processed as soon as they are stored."""

    def __init__(self, folder: Path) -> None:
        self.clock = MovableClock()
        self.database = stores.opened(folder)
        secret = SiteSecret.load_or_create(folder / "secret")
        self.keeper = Keeper(self.database, rules(), secret, (), f"{BASE}/c/")
        self.processor = Processor(self.database, rules(), self.keeper, self.clock, lambda: None)
        self.inbox = StoreInbox(self.database, self.processor.step)
        self.health = Health()
        self.desk = Desk(
            self.database, self.clock, rules, self.processor.step, lambda: self.keeper.rules, self.processor.adopt
        )
        self.context = WebContext(
            database=self.database,
            inbox=self.inbox,
            clock=self.clock,
            trials=rules().trials,
            secret=secret,
            feeds=(FeedInfo("lab", "generic", "mllp"), FeedInfo("adt", "generic", "mllp")),
            health=lambda: self.health,
            metrics=lambda: b"adapter_messages_received_total 1\n",
            base_url=BASE,
            cookie_secure=False,
            software="0.0.0",
            bench=PageBench(self.desk, None),
            requests_per_minute=100_000,  # most tests ask faster than people do, by a clock that stands still
        )
        self.person("anna", "coordinator")
        self.person("root", "admin")

    def person(self, name: str, role: str) -> None:
        with self.database.write() as tx:
            accounts.add_user(tx, accounts.User(name, role, hashed(), self.clock.now))

    def close(self) -> None:
        self.inbox.close()
        self.database.close()

    def tell(self, *messages: bytes) -> None:
        """As a source would: stored, then processed."""
        for body in messages:
            with self.database.write() as tx:
                put_many(tx, [raw(body, source="lab", received=self.clock.now)])
            self.processor.step()

    def link(self, purpose: str) -> str:
        with self.database.write() as tx:
            return f"/sign-in/once/{once.issue(tx, purpose, self.clock.now)}"

    def demo(self) -> None:
        self.context = replace(self.context, demo=True)

    def client(self, address: str = "127.0.0.1") -> TestClient:
        return TestClient(create_app(self.context), base_url=BASE, client=(address, 50000), follow_redirects=False)

    def signed_in(self, name: str = "anna") -> TestClient:
        client = self.client()
        answer = client.post("/sign-in", data={"name": name, "password": PASSWORD, "to": "/"})
        assert answer.status_code == 303, answer.text
        return client

    def audited(self) -> list[tuple[str, str, str]]:
        """(actor, action, outcome), oldest first."""
        with self.database.read() as conn:
            return [(row.act.actor, row.act.action, row.act.outcome) for row in audit.listing(conn)]


@cache
def hashed() -> str:
    """A light one: what a true one costs is tested once, and a thousand sign-ins need not pay it."""
    return Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@contextmanager
def house(folder: Path) -> Iterator[House]:
    made = House(folder)
    try:
        yield made
    finally:
        made.close()


def arrival(number: str, name: str, ward: str = "ED", bed: str = "1", at: datetime = T0 - timedelta(hours=1)) -> bytes:
    """An emergency admission, an hour before T0."""
    place = {"cls": "E", "ward": ward, "bed": bed, "visit": f"V{number}"}
    return adt("A01", patient=number, at=dtm(at), control=f"A{number}", name=name, **place)


def results(number: str, *lines: str, name: str, at: datetime = T0, order: str = "F1") -> bytes:
    of = {"visit": f"V{number}", "order": f"{order}-{number}"}
    return oru(*lines, patient=number, at=dtm(at), control=f"R{number}{order}", name=name, **of)


def organs(*, bilirubin: str | None = "1.2") -> tuple[str, ...]:
    """SOFA 6 of the plain example: respiration 2, coagulation 1, liver 1, circulation 1, renal 1."""
    liver = (obx("1975-2", bilirubin, "mg/dL", sub="3"),) if bilirubin is not None else ()
    return (
        obx("2703-7", "68", "mm[Hg]", sub="1"),
        obx("3150-0", "40", "%", sub="2"),
        obx("777-3", "140", "10*3/uL", sub="4"),
        *liver,
        obx("8478-0", "68", "mm[Hg]", sub="5"),
        obx("9269-2", "15", "{score}", sub="6"),
        obx("2160-0", "1.9", "mg/dL", sub="7"),
    )


def mals(
    number: str = "100", name: str = "PAPADOPOULOU^ELENI", ward: str = "ED", bed: str = "1"
) -> tuple[bytes, bytes]:
    """Ferritin 5200 ng/mL: the plain example of clinical 5."""
    ferritin = obx("2276-4", "5200", "ng/mL", sub="8")
    return arrival(number, name, ward, bed), results(number, *organs(), ferritin, name=name)


def unclear(number: str = "200", name: str = "NIKOLAOU^GEORGIOS", at: datetime = T0) -> tuple[bytes, bytes]:
    """No bilirubin, ferritin 3000, mHLA-DR not known: incomplete, and shown."""
    lines = (*organs(bilirubin=None), obx("2276-4", "3000", "ng/mL", sub="8"))
    came = arrival(number, name, "Emergency", "12", at - timedelta(hours=1))
    return came, results(number, *lines, name=name, at=at)


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the first act's form on a page (the sign-out form has no token)."""
    found = dict(reversed(HIDDEN.findall(page)))
    assert found.keys() == {"csrf", "token"}, found
    return found


def in_words(page: str) -> str:
    """What a reader of `page` sees: without its marks, whose tokens are random and spell a short word now and then."""
    return re.sub(r"<[^>]*>", " ", page)


def settled(home: House, page: str, question: str, **fields: str) -> None:
    """Anna proposes, an investigator approves."""
    home.person("iris", "investigator")
    anna, iris = home.signed_in(), home.signed_in("iris")
    wish = hidden(anna.get(page).text) | {"reason": "asked at the desk"} | fields
    answer = anna.post(f"{page}/{question}", data=wish)
    assert answer.headers.get("location") == f"{page}?saved=proposed#{question}", answer.text
    shown = iris.get(page).text
    found = re.search(rf'action="({page}/identity/\d+/approve)"', shown)
    assert found
    answer = iris.post(found[1], data=hidden(shown))
    assert answer.headers.get("location") == f"{page}?saved=approved", answer.text


def first_candidate(client: TestClient) -> str:
    found = re.search(r'href="(/c/[0-9a-f]+)"', client.get("/").text)
    assert found
    return found[1]
