"""The whole daemon is killed with -9 again and again while a ward sends to it, and nobody can tell afterwards.

Against an undisturbed run of the same messages: the same worklist and the same states; at the EDC and the webhook nothing
doubled, nothing missing. A kill proves recovery and bookkeeping, not that the disk was flushed (reliability 0, point 1).
ADAPTER_KILLS sets the number of kills.
"""

import base64
import json
import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapter.daemon.clock import utc_now
from adapter.standins.edc import create_edc
from adapter.standins.edc_store import EdcStore
from tests import stores
from tests.crash.ward import Sender
from tests.installation import STATES, Installation, tell, until
from tests.peers import serving

KILLS = int(os.environ.get("ADAPTER_KILLS", "4"))
SENDERS = 4
LONGEST_LIFE = 1.5
"""Seconds between the daemon's first sign of life and its end."""
BEING_BORN = (0.02, 0.6)
"""The same after its birth, when it opens its store: a daemon of the nursery listens after half a second."""
OUTLETS = """
[[sink]]
kind = "fhir"
name = "edc"
base = "{edc}"
push_when = "candidate"
dates = "exact"

[[notifier]]
kind = "webhook"
name = "hook"
url = "{hook}/hook"
secret = "env:HOOK_SECRET"
allow_private = true
"""
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


@dataclass
class Hook:
    """Every call, by its webhook-id."""

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/hook", self.take, methods=["POST"])])

    async def take(self, request: Request) -> Response:
        self.calls.append((request.headers["webhook-id"], json.loads(await request.body())))
        return Response()


@dataclass
class Run:
    place: Installation
    edc: EdcStore
    hook: Hook

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Only after the daemon has ended."""
        with stores.beside(self.place.database.parent) as store:
            found: list[tuple[Any, ...]] = store.execute(sql).fetchall()
            return found


@contextmanager
def run(folder: Path, key: Path | None = None, roles: str = "receive,process,deliver,web") -> Iterator[Run]:
    """A daemon with its own EDC and webhook; `key` makes its opaque ids those of another run."""
    made, hook = EdcStore(), Hook()
    with serving(create_edc(made)) as edc, serving(hook.app()) as address:
        place = Installation(
            folder,
            OUTLETS.format(edc=edc, hook=address),
            HOOK_SECRET=SECRET,
            ADAPTER_ADAPTER__ROLES=roles,
        )
        if key is not None:
            (folder / "data").mkdir(mode=0o700)
            shutil.copy(key, folder / "data" / "site.key")
        try:
            yield Run(place, made, hook)
        finally:
            place.end()


def killed(place: Installation, chance: random.Random) -> None:
    """One life of the daemon; some do not even last until it is ready."""
    process = place.launch()
    if chance.random() > 1 / 4:
        until(lambda: place.ready() or process.poll() is not None)
        time.sleep(chance.uniform(0.1, LONGEST_LIFE))
    else:
        time.sleep(chance.uniform(*BEING_BORN))
    assert process.poll() is None, place.log.read_text()
    place.stop(signal.SIGKILL)


def finished(run: Run, messages: int) -> None:
    """Everything read and delivered, then stopped in good order."""
    counts = run.place.settled(messages, 120)
    assert counts["received"] == sum(counts[state] for state in STATES)
    until(run.place.owes_nothing, 120)
    assert run.place.stop() == 0


@pytest.mark.slow
def test_kills_change_nothing_but_the_time_it_takes(each_store: str, tmp_path: Path) -> None:
    chance, enough = random.Random(13), threading.Event()
    with run(tmp_path / "killed") as broken:
        senders = [Sender(n, broken.place.mllp, utc_now(), enough) for n in range(1, SENDERS + 1)]
        threads = [threading.Thread(target=sender.run) for sender in senders]
        for thread in threads:
            thread.start()
        try:
            for _ in range(KILLS):
                killed(broken.place, chance)
            broken.place.start()
        finally:
            enough.set()
            if broken.place.process is None or broken.place.process.poll() is not None:
                broken.place.launch()  # so that the senders come to an end, and the first failure is the one we see
            for thread in threads:
                thread.join()
        sent = {control_id: body for sender in senders for control_id, body in sender.sent.items()}
        finished(broken, len(sent))
    with run(tmp_path / "whole", tmp_path / "killed" / "data" / "site.key") as whole:
        whole.place.start()
        tell_all(whole, list(sent.values()))
        finished(whole, len(sent))
    proves_something(senders, broken)
    stored_once(senders, broken)
    alike(broken, whole)
    for one in (broken, whole):
        delivered_once(one)


def tell_all(run: Run, bodies: list[bytes]) -> None:
    for start in range(0, len(bodies), 50):
        tell(run.place.mllp, *bodies[start : start + 50])


# --- what must hold ---------------------------------------------------------------------------------------------------

WORKLIST = "SELECT id, trial, episode, verdict, certainty, stratum, shown, status, deadline, standing FROM candidates"
OUTCOMES = "SELECT control_id, state, reason FROM inbox JOIN inbox_outcomes USING (id)"
STATEMENTS = """
SELECT value, kind, digest, s.at FROM statements AS s JOIN patients AS p ON s.patient = p.key
"""
RESULTS = """
SELECT value, concept, identity, effective, versions FROM results AS r JOIN patients AS p ON r.patient = p.key
"""


def alike(broken: Run, whole: Run) -> None:
    for sql in (WORKLIST, STATEMENTS, OUTCOMES):
        assert sorted(broken.rows(sql), key=repr) == sorted(whole.rows(sql), key=repr)
    assert broken.rows(WORKLIST)
    states = states_of_patients(broken)
    assert states == states_of_patients(whole)
    assert all(digests for *_, digests in states)


def states_of_patients(run: Run) -> list[tuple[Any, ...]]:
    """Digests stand for what was stated, whoever carried it: the number of the message differs from run to run."""
    return sorted(
        (*row, sorted(version["digest"] for version in json.loads(versions))) for *row, versions in run.rows(RESULTS)
    )


def proves_something(senders: list[Sender], run: Run) -> None:
    """The kills hit messages on their way, and what was acknowledged was sent again."""
    assert sum(len(sender.acknowledged) for sender in senders) > KILLS * 20
    assert sum(sender.resent for sender in senders) > KILLS
    assert sum(sender.failed for sender in senders) >= KILLS
    assert run.place.log.read_bytes().count(b'"event": "started"') > KILLS / 2
    assert {kind for (kind,) in run.rows("SELECT kind FROM candidate_history")} >= {"raised"}


def stored_once(senders: list[Sender], run: Run, besides: int = 0) -> None:
    """`besides` counts what others than the senders sent."""
    if stores.on_sqlite():
        assert run.rows("PRAGMA integrity_check") == [("ok",)]
        assert run.rows("PRAGMA foreign_key_check") == []
    rows = run.rows("SELECT control_id, body FROM inbox")
    stored = dict(rows)
    for sender in senders:
        assert sender.acknowledged == sender.sent
        assert {control_id: stored.get(control_id) for control_id in sender.acknowledged} == sender.acknowledged
    assert len(rows) == len(stored) == sum(len(sender.sent) for sender in senders) + besides
    ((duplicates, reuse),) = run.rows("SELECT sum(duplicate), sum(control_id_reuse) FROM feeds")
    assert duplicates >= sum(sender.resent for sender in senders)
    assert reuse == 0
    assert run.rows("SELECT count(*) FROM inbox_pending") == [(0,)]


def delivered_once(run: Run) -> None:
    """By what the resources say, not by how often they were sent: a repeat after a crash has the same ids."""
    resources = list(run.edc.resources.values())
    numbers = Counter(json.dumps(r["identifier"]) for r in resources if r["resourceType"] == "ResearchSubject")
    patients = Counter(json.dumps(r["identifier"]) for r in resources if r["resourceType"] == "Patient")
    ((raised,),) = run.rows("SELECT count(*) FROM candidates WHERE raised IS NOT NULL")
    assert len(numbers) == len(patients) == raised == run.rows("SELECT count(*) FROM screening_ids")[0][0] > 0
    assert set(numbers.values()) == set(patients.values()) == {1}
    measured = Counter(measurement(r) for r in resources if r["resourceType"] == "Observation" and "component" not in r)
    assert measured
    assert set(measured.values()) == {1}
    assert set(run.rows("SELECT state FROM outbox")) <= {("delivered",), ("superseded",)}
    alerts_once(run)


def measurement(resource: dict[str, Any]) -> tuple[str, str, str]:
    code = resource["code"]["coding"][0]["code"]
    return resource["subject"]["reference"], code, resource["effectiveDateTime"]


def alerts_once(run: Run) -> None:
    """One webhook-id for each thing told, whatever was repeated; and each thing that the history tells."""
    told = {webhook_id: (call["candidate"], call["kind"]) for webhook_id, call in run.hook.calls}
    assert len({json.dumps([i, call]) for i, call in run.hook.calls}) == len(told)
    wanted = run.rows("SELECT candidate, kind FROM candidate_history WHERE kind IN ('raised', 'updated', 'withdrawn')")
    assert Counter(told.values()) == Counter(wanted)
