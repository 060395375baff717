"""No identifier leaves the house (reliability P10): a real daemon is fed canaries, and every byte it lets out is searched.

What is let in and written down belongs there: the store and the page of somebody signed in are the positive controls.
"""

import base64
import contextlib
import hashlib
import http.client
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyotp
import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapter.daemon.clock import utc_now
from adapter.hl7.mllp import encode
from adapter.standins.edc import create_edc
from adapter.standins.edc_store import EdcStore
from adapter.standins.mailbox import Mailbox, catcher
from tests import stores
from tests.canary import Canaries
from tests.installation import Installation, lines, say, tell, until
from tests.peers import Script, misbehaving, serving
from tests.ports import free_port
from tests.shell.identified import Person, line

pytestmark = pytest.mark.slow
HALF, PHONE = r'name="half" value="([^"]+)"', r'href="otpauth://totp/[^"]*secret=([A-Z2-7]{32})&amp;'
LOUD = (sys.executable, str(Path(__file__).with_name("loud.py")))
OUTLETS = """
[[sink]]
kind = "fhir"
name = "edc"
base = "{edc}"
push_when = "candidate"
dates = "shifted"
token = "env:EDC_TOKEN"

[[sink]]
kind = "folder"
name = "shelf"
path = "{folder}/bundles"
push_when = "candidate"
dates = "shifted"

[[sink]]
kind = "csv"
name = "files"
path = "{folder}/drop"
push_when = "candidate"
dates = "shifted"

[[notifier]]
kind = "email"
name = "mail"
host = "127.0.0.1"
port = {smtp}
sender = "adapter@example.org"
to = ["coordinator@example.org"]
encryption = "none"

[[notifier]]
kind = "webhook"
name = "hook"
url = "{hook}/hook"
secret = "env:HOOK_SECRET"
allow_private = true
"""
SECRETS = "secret "
"""Names of canaries that are no patient's: keys and passwords, which may go where they belong, but never into a log."""


class Refusing(Mailbox):
    """The first answers quote what a mail server might quote; then mails are taken."""

    def __init__(self, answers: list[str]) -> None:
        super().__init__()
        self.answers = answers
        self.heard: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 — aiosmtpd's name
        spoken = f"{session.host_name} {envelope.mail_from} {envelope.rcpt_tos}\n"
        self.heard.append(spoken.encode() + envelope.content)
        return self.answers.pop(0) if self.answers else await super().handle_DATA(server, session, envelope)


@dataclass
class Hook:
    """A webhook receiver that fails at first, with words of its own."""

    words: str
    heard: list[bytes] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/hook", self.take, methods=["POST"])])

    async def take(self, request: Request) -> Response:
        body = await request.body()
        headers = "".join(f"{name}: {value}\n" for name, value in request.headers.items())
        self.heard.append(f"{request.method} {request.url}\n{headers}".encode() + body)
        self.kinds.append(json.loads(body)["kind"])
        return Response(self.words, status_code=500 if len(self.heard) == 1 else 200)


@dataclass
class Stage:
    """Everything round the daemon, and what was seen of it, by the place where it came out."""

    place: Installation
    canaries: Canaries
    edc: EdcStore
    requests: Script
    mailbox: Refusing
    hook: Hook
    seen: dict[str, bytes] = field(default_factory=dict)
    people: dict[str, requests.Session] = field(default_factory=dict)
    faults: Path = field(init=False)

    def __post_init__(self) -> None:
        self.faults = Path(self.place.environment["CANARY_FAULTS"])

    def keep(self, where: str, data: bytes) -> None:
        self.seen[where] = self.seen.get(where, b"") + data + b"\n"

    def tell(self, *bodies: bytes) -> None:
        """Acknowledged, screened, and every delivery it caused settled."""
        before = self.place.counts()["received"]
        self.keep("answers", tell(self.place.mllp, *bodies))
        self.place.settled(before + len(bodies), 60)

    def person(self, name: str) -> Person:
        return Person(name, self.canaries, utc_now())

    def signed_in(self, name: str, role: str) -> requests.Session:
        link = self.place.command("user", "add", name, "--role", role).stdout.decode().split()[-1]
        password = self.canaries.word(f"{SECRETS}password of {name}")
        session = self.people[name] = requests.Session()
        session.trust_env = False
        answer = session.post(link, data={"name": name, "password": password, "again": password}, timeout=10)
        assert answer.status_code == 200, answer.text
        page = session.post(
            f"{self.place.base}/sign-in", data={"name": name, "password": password, "to": "/"}, timeout=10
        )
        half, secret = (re.findall(pattern, page.text)[0] for pattern in (HALF, PHONE))
        code = {"half": half, "code": pyotp.TOTP(secret).now()}
        assert session.post(f"{self.place.base}/sign-in/second-step", data=code, timeout=10).status_code == 200
        return session

    def act(self, who: requests.Session, candidate: str, **body: str) -> requests.Response:
        token = who.get(f"{self.place.base}/api/v1/session", timeout=10).json()["csrf"]
        address = f"{self.place.base}/api/v1/candidates/{candidate}/determinations"
        return who.post(address, json=body, headers={"X-CSRF-Token": token}, timeout=10)

    def listed(self, who: requests.Session) -> dict[str, dict[str, Any]]:
        """Candidates by their hospital number."""
        rows = who.get(f"{self.place.base}/api/v1/candidates", timeout=10).json()["candidates"]
        return {row["patient"]["id"]: row for row in rows}

    def history(self, who: requests.Session, candidate: str) -> list[str]:
        page = who.get(f"{self.place.base}/api/v1/candidates/{candidate}", timeout=10).json()
        return [entry["kind"] for entry in page["history"]]

    def delivered(self) -> None:
        until(self.place.owes_nothing, 90)


@pytest.fixture(scope="module", params=stores.KINDS)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    with stores.using(server), staged(tmp_path_factory.mktemp("canary")) as played:
        if server is not None:
            played.keep("log", server.log.read_bytes())
        yield played


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    canaries, store = Canaries(), EdcStore()
    (folder / "faults").mkdir()
    (folder / "drop").mkdir()
    outcome = {"resourceType": "OperationOutcome", "text": {"div": canaries.word("EDC text"), "status": "additional"}}
    issue = {"severity": "error", "code": "invalid", "diagnostics": f"family {canaries.word('EDC diagnostics')}"}
    no = json.dumps(outcome | {"issue": [issue | {"details": {"text": canaries.word("EDC details")}}]}).encode()
    script = Script(
        [(503, {}, canaries.word("EDC page").encode()), (422, {"Content-Type": "application/fhir+json"}, no)]
    )
    mailbox = Refusing([f"451 4.3.0 {canaries.word('SMTP later')}", f"554 5.7.1 {canaries.word('SMTP never')}"])
    hook, port = Hook(canaries.word("webhook words")), free_port()
    mails = catcher(mailbox, port)
    mails.start()
    secrets = {
        "EDC_TOKEN": canaries.word(f"{SECRETS}of the EDC"),
        "HOOK_SECRET": "whsec_" + base64.b64encode(canaries.word(f"{SECRETS}of the webhook").encode()).decode(),
    }
    with serving(create_edc(store)) as real, misbehaving(real, script) as edc, serving(hook.app()) as address:
        outlets = OUTLETS.format(edc=edc, folder=folder, smtp=port, hook=address)
        hasty = {"ADAPTER_WEB__REQUESTS_PER_MINUTE": "6000"}  # every page in a moment
        place = Installation(folder, outlets, program=LOUD, CANARY_FAULTS=str(folder / "faults"), **hasty, **secrets)
        try:
            yield play(Stage(place, canaries, store, script, mailbox, hook))
        finally:
            place.end()
            mails.stop()


def play(stage: Stage) -> Stage:
    """The whole story once; the tests look at what came out."""
    stage.place.start()
    anna, root = stage.signed_in("anna", "coordinator"), stage.signed_in("root", "admin")
    ann, ben = stage.person("ANN"), stage.person("BEN")
    a_life(stage, ann, anna)
    decisions(stage, ben, anna)
    broken(stage, stage.person("CYD"), stage.person("DEE"))
    stage.delivered()
    looks(stage, anna, root, ben)
    ending(stage, ben)
    return stage


def a_life(stage: Stage, ann: Person, anna: requests.Session) -> None:
    """Raised, updated by a correction, withdrawn."""
    stage.tell(ann.admission(), ann.report(*ann.organs(), ann.value("2276-4", "5200"), order="first"))
    row = until(lambda: stage.listed(anna).get(ann.mint("PID-3")))
    assert row["stratum"] == "mals"
    stage.delivered()
    lower = ann.value("2276-4", "3000", status="C")
    stage.tell(ann.report(lower, ann.value("mhladr-abc", "4000"), order="first"), ann.report(*ann.oddities()))
    assert stage.listed(anna)[ann.mint("PID-3")]["stratum"] == "immunoparalysis"
    stage.delivered()
    gone = ann.value("mhladr-abc", "21000", status="C")
    stage.tell(ann.report(gone, ann.value("2276-4", "300", status="C"), order="first"))
    stage.tell(ann.report(ann.obx("777-3", "", status="D"), order="first"))
    stage.delivered()
    kinds = stage.history(anna, row["id"])
    assert {"raised", "updated", "withdrawn"} <= set(kinds), kinds


def decisions(stage: Stage, ben: Person, anna: requests.Session) -> None:
    """What people write in a note stays in the hospital."""
    stage.tell(ben.admission(), ben.report(*ben.organs(), ben.value("2276-4", "6100"), *ben.oddities(), order="first"))
    candidate = until(lambda: stage.listed(anna).get(ben.mint("PID-3")))["id"]
    said = ({"criterion": "I5", "answer": "met"}, {"status": "screening"}, {"criterion": "E11", "answer": "not-met"})
    for body in said:
        answer = stage.act(anna, candidate, **body, note=f"{ben.fresh('note')} and {ben.xcn('note')}")
        assert answer.json()["state"] == "applied", answer.text
    drawn = utc_now().isoformat()
    assert stage.act(anna, candidate, concept="mhladr", value="4100", unit="{AB}/{cell}", drawn=drawn).ok
    assert stage.act(anna, candidate, status="declined", reason="relative", note=ben.fresh("note")).ok
    refused = stage.act(anna, candidate, status="declined", reason=ben.fresh("no reason code"), note="")
    assert refused.status_code == 422
    stage.delivered()


def broken(stage: Stage, cyd: Person, dee: Person) -> None:
    """Bytes that are no frame, frames that are no message, messages that are no use, and bugs that quote them."""
    port = stage.place.mllp
    good = cyd.report(cyd.value("2276-4", "900"))
    whole = cyd.report(*cyd.organs())
    cases = {
        "cut off": (b"\x0b" + whole[:900] + encode(good), 1),
        "no header": (encode(cyd.pid().encode() + b"\r" + cyd.pv1().encode()), 1),
        "no delimiters": (encode(b"MSH|||" + whole[8:]), 1),
        "one line": (encode(whole.replace(b"\r", b"")), 1),
        "fields run together": (encode(joined(cyd)), 1),
        "noise between": (encode(good) + (cyd.fresh("noise").encode() + b"|") * 300, 0),
        "no frame at all": ((cyd.fresh("noise").encode() + whole) * 2, 0),
        "too big": (encode(cyd.report(cyd.obx("11502-2", cyd.fresh("OBX-5") * 5000, kind="TX"))), 1),
        "other bytes": (encode(whole.replace(b"UNICODE UTF-8", b"8859/1") + b"ZZZ|\xff\xfe\x00|\r"), 1),
        "not a number": (encode(cyd.report(*cyd.oddities())), 1),
        "training": (encode(cyd.report(processing="T")), 1),
        "nobody": (
            encode(good.replace(f"{cyd.mint('PID-3')}^^^HOSP^MR~{cyd.mint('PID-3 social')}^^^GOV^SS".encode(), b"")),
            1,
        ),
        "merge": (
            encode(
                good.replace(b"ORU^R01", b"ADT^A40")
                + line("MRG", {1: f"{cyd.fresh('MRG-1')}^^^HOSP^MR"}).encode()
                + b"\r"
            ),
            1,
        ),
        "unused": (encode(good.replace(b"ORU^R01", b"SIU^S12")), 1),
        "mapper": (encode(dee.report(*dee.organs(), dee.obx("1", "MAPPER-FAULT", kind="ST"))), 1),
        "store": (encode(cyd.report(cyd.obx("1", "STORE-FAULT", kind="ST"))), 0),
        "door": (encode(cyd.report(cyd.obx("1", "DOOR-FAULT", kind="ST"))), 0),
    }
    for name, (sent, answers) in cases.items():
        heard = say(port, sent, answers=answers)
        assert answers == 0 or heard.count(b"\x1c\r") == answers, name
        stage.keep("answers", heard)
        if not answers or name == "too big":  # of a frame that is too big only the head is stored
            stage.keep("control: never stored", sent)
    stage.tell(good)


def joined(person: Person) -> bytes:
    """A sender lost its line ends: the patient stands in the header's last fields, MSH-12 to MSH-18."""
    head = f"MSH|^~\\&|LAB|HOSP|A|T|20260102||ORU^R01|J1|{person.fresh('MSH-11')}|2.5.1|PID|1||"
    return f"{head}{person.fresh('MSH-16')}||{person.fresh('MSH-18')}|{person.fresh('MSH-19')}\r".encode()


def looks(stage: Stage, anna: requests.Session, root: requests.Session, ben: Person) -> None:
    """Whoever may not see patients, and whatever watches the daemon, looks everywhere."""
    base, candidate = stage.place.base, stage.listed(anna)[ben.mint("PID-3")]["id"]
    stage.keep("control: the candidate's page", anna.get(f"{base}/c/{candidate}", timeout=10).content)
    (stage.faults / "page").write_text(ben.pid())
    failed = anna.get(f"{base}/c/{candidate}", timeout=10)
    assert failed.status_code == 500
    (stage.faults / "page").unlink()
    stage.keep("error pages", told(failed))
    for path in ("/api/v1/screening-log", "/api/v1/screened", "/screened", "/api/v1/flow", "/log"):
        stage.keep("what the trial unit is given", told(anna.get(base + path, timeout=10)))
    stranger = requests.Session()
    paths = (
        "/",
        f"/c/{candidate}",
        "/c/0",
        "/nothing",
        "/quality",
        "/figures",
        "/log",
        "/screened",
        "/trail",
        "/emergency",
        "/api/v1/flow",
        "/api/v1/screening-log",
        "/api/v1/candidates",
        f"/api/v1/candidates/{candidate}",
    )
    more = ("/api/v1/session", "/api/v1/quality", "/sign-in", "/sign-in/once/no", "/static/no", "/openapi.json", "/%00")
    for path in (*paths, *more):
        stage.keep("error pages", told(stranger.get(base + path, timeout=10)))
        stage.keep("pages of the administrator", told(root.get(base + path, timeout=10)))
    for method, path in (
        ("POST", f"/c/{candidate}/status"),
        ("PUT", "/"),
        ("POST", "/api/v1/candidates/1/determinations"),
    ):
        stage.keep("error pages", told(stranger.request(method, base + path, data={"note": ""}, timeout=10)))
    mistaken(stage, ben, stranger)
    for path in ("/metrics", "/livez", "/readyz", "/healthz"):
        stage.keep(path, told(stranger.get(base + path, timeout=10)))
    stage.keep(
        "errors of the socket", raw(stage.place.web, b"GET / HTTP/9\r\n\r\n") + raw(stage.place.web, b"\x00\r\n\r\n")
    )
    for words in (
        ("inbox", "list"),
        ("inbox", "list", "--json"),
        ("inbox", "count"),
        ("quarantine", "list"),
        ("quarantine", "list", "--json"),
        ("user", "list"),
        ("explain", candidate),
    ):
        stage.keep("commands", stage.place.command(*words).stdout)
    assert stage.place.process is not None
    for name in ("cmdline", "comm", "limits"):
        stage.keep(f"process {name}", Path(f"/proc/{stage.place.process.pid}/{name}").read_bytes())


def mistaken(stage: Stage, ben: Person, stranger: requests.Session) -> None:
    """What people type into the wrong place: their own answer may repeat it, a log may not."""
    base, number = stage.place.base, ben.mint("PID-3")
    family = stage.canaries.greek("BEN PID-5 family")
    for path in (f"/c/{number}", f"/?q={number}", f"/{quote(family)}", f"/sign-in?to=/c/{number}"):
        stranger.get(base + path, timeout=10)
        stage.people["anna"].get(base + path, timeout=10)
    stranger.post(f"{base}/sign-in", data={"name": family, "password": number, "to": f"/c/{number}"}, timeout=10)
    stranger.get(base, headers={"Host": f"{number}.example.org", "Referer": f"{base}/{number}"}, timeout=10)
    raw(stage.place.web, f"GET /{number} HTTP/9\r\n{number}\r\n\r\n".encode())


def ending(stage: Stage, ben: Person) -> None:
    """The processor meets a bug whose words are a patient's: the daemon ends, and says where, not what."""
    (stage.faults / "death").write_text(ben.pid())
    tell(stage.place.mllp, ben.report(ben.value("2276-4", "7000")))
    assert stage.place.process is not None
    assert stage.place.process.wait(timeout=30) == 70
    stage.keep("log", stage.place.log.read_bytes())
    # Row by row: in the file itself a long text is cut by the pages.
    with stores.beside(stage.place.database.parent) as store:
        stage.keep("control: the store", b"\n".join(bytes(body) for (body,) in store.execute("SELECT body FROM inbox")))
    names = [str(path) for path in stage.place.folder.rglob("*")]
    stage.keep("file names", "\n".join(names).encode())
    for path in sorted((stage.place.folder / "bundles").rglob("*.json")):
        stage.keep("bundles in the folder", path.read_bytes())
    for path in sorted((stage.place.folder / "drop").glob("*/*")):
        stage.keep("files in the drop folder", path.read_bytes())
    for method, path, headers, body in stage.requests.seen:
        clear = {name: value for name, value in headers.items() if name != "Authorization"}
        stage.keep("requests to the EDC", f"{method} {path} {clear}\n".encode() + body)
    stage.keep("mails", b"\n".join(stage.mailbox.heard))
    stage.keep("webhooks", b"\n".join(stage.hook.heard))
    stage.keep("what the EDC holds", json.dumps(list(stage.edc.resources.values())).encode())


def told(answer: requests.Response) -> bytes:
    """Every answer on the way, with its headers."""
    return b"".join(f"{a.status_code} {dict(a.headers)}\n".encode() + a.content for a in (*answer.history, answer))


def raw(port: int, sent: bytes) -> bytes:
    """What the web says to bytes that are no HTTP."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.connect()
    with connection.sock as sock:
        sock.sendall(sent)
        return sock.recv(65536)


# --- what the tests look at -------------------------------------------------------------------------------------------

PLACES = (
    "log", "answers", "error pages", "pages of the administrator", "/metrics", "/livez", "/readyz", "/healthz",
    "errors of the socket", "commands", "process cmdline", "process comm", "process limits", "file names",
    "bundles in the folder", "files in the drop folder", "requests to the EDC", "what the EDC holds", "mails", "webhooks",
    "what the trial unit is given",
)  # fmt: skip


@pytest.mark.parametrize("where", PLACES)
def test_no_canary_is_found_in(stage: Stage, where: str) -> None:
    assert stage.seen[where].strip(), f"nothing was seen of {where}: this proves nothing"
    assert not stage.canaries.found(stage.seen[where])


def test_the_places_are_all_that_was_seen_but_for_the_controls(stage: Stage) -> None:
    assert {where for where in stage.seen if not where.startswith("control")} == set(PLACES)


def test_every_canary_was_let_in(stage: Stage) -> None:
    """The store holds each of them as it is; those of the peers' answers and of what could not be stored apart."""
    peers = ("EDC ", "SMTP ", "webhook ", "BEN no reason code", SECRETS)
    come = stage.canaries.plain(stage.seen["control: the store"] + stage.seen["control: never stored"])
    assert {name for name in stage.canaries.tokens if not name.startswith(peers)} <= come
    assert len(stage.canaries.tokens) > 500
    assert len(stage.canaries.plain(stage.seen["control: the store"])) > 500


def test_the_page_of_a_candidate_shows_the_patient_to_who_is_signed_in(stage: Stage) -> None:
    shown = stage.canaries.found(stage.seen["control: the candidate's page"])
    expected = ("PID-3", "PID-5 family", "PID-5 given", "PV1-3 ward", "PV1-3 bed")
    assert {f"BEN {field} (as it is)" for field in expected} <= shown


def test_the_story_was_told_in_full(stage: Stage) -> None:
    """Otherwise the silence of the places above would be cheap."""
    log = lines(stage.seen["log"])
    events = {entry["event"] for entry in log}
    wanted = {
        "message failed",
        "page failed",
        "loop",
        "not stored",
        "delivery refused",
        "delivery postponed",
        "delivered",
    }
    assert wanted | {"no mllp", "frame too big", "library"} <= events, events
    refused = {(e["outlet"], e["event"]) for e in log if e["event"].startswith("delivery")}
    assert {("edc", "delivery postponed"), ("edc", "delivery refused"), ("mail", "delivery postponed")} <= refused
    assert {("mail", "delivery refused"), ("hook", "delivery postponed")} <= refused
    assert {"raised", "updated", "withdrawn"} <= set(stage.hook.kinds)
    assert {"corrected"} <= {r.get("status") for r in stage.edc.resources.values()}
    assert stage.seen["answers"].count(b"MSA|AA") > 15
    assert stage.seen["answers"].count(b"MSA|AE") >= 2
    listed = lines(stage.seen["commands"])
    reasons = {entry.get("reason") for entry in listed}
    assert {"INTERNAL ValueError", "NO_MSH", "FRAME_TRUNC", "TOO_BIG", "PROCID", "NO_PATIENT"} <= reasons, reasons
    assert b"a bug: RuntimeError at running.py:" in stage.seen["log"]


def test_a_crash_leaves_no_memory_on_the_disk(stage: Stage) -> None:
    (cores,) = (text for text in stage.seen["process limits"].splitlines() if text.startswith(b"Max core file size"))
    assert cores.split()[4:6] == [b"0", b"0"]


DRESSES: dict[str, Callable[[str], bytes]] = {
    "as it is": str.encode,
    "upper case": lambda t: t.upper().encode(),
    "lower case": lambda t: t.lower().encode(),
    "reversed": lambda t: t[::-1].encode(),
    "base64": lambda t: base64.b64encode(t.encode()),
    "base64 in a longer text": lambda t: base64.b64encode(b"PID|" + t.encode() + b"|F"),
    "base64 for URLs": lambda t: base64.urlsafe_b64encode(b"?>" + t.encode()),
    "url": lambda t: quote(t).lower().encode(),
    "hex": lambda t: t.encode().hex().upper().encode(),
    "json": lambda t: json.dumps(t).encode(),
    "sha256": lambda t: hashlib.sha256(t.encode()).hexdigest().encode(),
    "sha1": lambda t: hashlib.sha1(t.encode()).hexdigest().encode(),
    "md5": lambda t: hashlib.md5(t.encode()).hexdigest().encode(),
    "half a sha256": lambda t: hashlib.sha256(t.encode()).hexdigest()[:32].encode(),
    "sha256 of lower case": lambda t: hashlib.sha256(t.lower().encode()).hexdigest().encode(),
}


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("where", ["log", "requests to the EDC"])
def test_a_leak_in_any_dress_would_have_been_found(stage: Stage, where: str, dress: str) -> None:
    for name in ("BEN PID-3", "BEN PID-5 family"):
        one = Canaries(tokens={name: stage.canaries.tokens[name]})
        (token,) = one.tokens[name]
        half = len(stage.seen[where]) // 2
        leaking = stage.seen[where][:half] + DRESSES[dress](token) + stage.seen[where][half:]
        assert one.found(leaking)
        assert not one.found(stage.seen[where])


def test_a_date_of_birth_is_known_in_many_spellings(stage: Stage) -> None:
    spellings = stage.canaries.tokens["BEN PID-7"]
    assert len(spellings) == 6
    assert all(stage.canaries.found(f"born {spelling}!".encode()) for spelling in spellings)
