"""Several daemons on one PostgreSQL while processors are killed with -9: the contract of docs/adr/0017, with real processes.

A witness in the database writes down, for each row of a patient, which session wrote it and which partitions it held.
ADAPTER_KILLS sets the number of kills.
"""

import random
import shutil
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from adapter.daemon.clock import utc_now
from adapter.domain.patient import PatientId
from adapter.store.leases import PARTITIONS
from adapter.store.partitions import COUNT, partition_of
from tests import stores
from tests.builders import adt, dtm, obx, oru
from tests.crash import ward
from tests.crash.test_daemon_kill import KILLS, Run, alike, delivered_once, finished, run, stored_once, tell_all
from tests.crash.ward import Sender
from tests.installation import Installation, until
from tests.postgres import Cluster

SENDERS = 3
PAUSE = 0.03
"""Seconds between two messages of a sender: the ward sends throughout, and processors are there to be killed in the midst."""
TAKEN_OVER = 10.0
"""Seconds within which a dead processor's patients have another."""

WITNESS = f"""
CREATE TABLE witness (n bigserial, what text, patient bigint, message bigint, pid int, held int[]);
CREATE FUNCTION witnessed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO witness (what, patient, message, pid, held) SELECT TG_TABLE_NAME,
    CASE WHEN TG_TABLE_NAME = 'inbox_outcomes' THEN NULL ELSE (to_jsonb(NEW)->>'patient')::bigint END,
    CASE WHEN TG_TABLE_NAME = 'inbox_outcomes' THEN (to_jsonb(NEW)->>'id')::bigint END, pg_backend_pid(),
    ARRAY(SELECT objid::int FROM pg_locks WHERE locktype = 'advisory' AND classid = {PARTITIONS} AND granted
      AND pid = pg_backend_pid());
  RETURN NEW;
END $$;
CREATE TRIGGER w BEFORE INSERT OR UPDATE ON results FOR EACH ROW EXECUTE FUNCTION witnessed();
CREATE TRIGGER w BEFORE INSERT OR UPDATE ON statements FOR EACH ROW EXECUTE FUNCTION witnessed();
CREATE TRIGGER w BEFORE INSERT OR UPDATE ON candidates FOR EACH ROW EXECUTE FUNCTION witnessed();
CREATE TRIGGER w BEFORE INSERT ON inbox_outcomes FOR EACH ROW EXECUTE FUNCTION witnessed();
"""
HOLDERS = (
    f"SELECT pid, count(*) FROM pg_locks WHERE classid = {PARTITIONS} AND granted AND database = "
    "(SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY pid"
)


@contextmanager
def beside(front: Run, name: str, roles: str) -> Iterator[Installation]:
    """One daemon more on the store of `front`, with its site key and its outlets."""
    folder = front.place.folder.parent / name
    outlets = front.place.config.read_text().partition("[[sink]]")
    (folder / "data").mkdir(parents=True, mode=0o700)
    shutil.copy(front.place.folder / "data" / "site.key", folder / "data" / "site.key")
    more = {key: front.place.environment[key] for key in ("HOOK_SECRET",)}
    data = front.place.folder / "data"
    made = Installation(folder, "".join(outlets[1:]), store=data, ADAPTER_ADAPTER__ROLES=roles, **more)
    try:
        made.launch()
        yield made
    finally:
        made.end()


def holders(front: Run) -> dict[int, int]:
    return {pid: number for pid, number in front.rows(HOLDERS)}  # noqa: C416 — rows are no pairs to dict()


def merges(number: int) -> dict[str, bytes]:
    """Two patients with a result each become one; another result still comes under the old number."""
    old, new, at = f"8{number:05}", f"9{number:05}", dtm(utc_now() - timedelta(hours=1))
    sent = dtm(utc_now())

    def report(control: str, patient: str) -> tuple[str, bytes]:
        line = obx("2160-0", "1.9", "mg/dL")
        return control, oru(line, patient=patient, at=at, sent=sent, order=control, control=control)

    merge = adt("A40", patient=new, merged=old, control=f"M{number}", sent=sent, at=sent)
    return dict([report(f"K{old}", old), report(f"K{new}", new), (f"M{number}", merge), report(f"L{old}", old)])


@pytest.mark.slow
def test_processors_are_killed_and_nobody_can_tell(
    postgres: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ward, "PAUSE", PAUSE)
    chance, enough = random.Random(23), threading.Event()
    with stores.using(postgres), ExitStack() as stack:
        front = stack.enter_context(run(tmp_path / "front", roles="receive,web,deliver"))
        front.place.start()
        with stores.beside(front.place.database.parent) as conn:
            conn.execute(WITNESS)
        stack.enter_context(beside(front, "second-deliverer", "deliver"))
        processors = [stack.enter_context(beside(front, name, "process")) for name in ("one", "two")]
        until(lambda: len(holders(front)) == 2)
        senders = [Sender(n, front.place.mllp, utc_now(), enough) for n in range(1, SENDERS + 1)]
        threads = [threading.Thread(target=sender.run) for sender in senders]
        for thread in threads:
            thread.start()
        more: dict[str, bytes] = {}
        try:
            for number in range(KILLS):
                time.sleep(chance.uniform(0.5, 1.5))
                told = merges(number)
                more |= told
                tell_all(front, list(told.values()))
                killed(front, chance.choice(processors))
        finally:
            enough.set()
            for thread in threads:
                thread.join()
        sent = {control_id: body for sender in senders for control_id, body in sender.sent.items()}
        finished(front, len(sent) + len(more))
        written_by_whoever_held_it(front)
        in_order(front)
        whole = stack.enter_context(run(tmp_path / "whole", tmp_path / "front" / "data" / "site.key"))
        whole.place.start()
        tell_all(whole, [*sent.values(), *more.values()])
        finished(whole, len(sent) + len(more))
        assert sum(len(sender.acknowledged) for sender in senders) > KILLS * 20
        stored_once(senders, front, besides=len(more))
        alike(front, whole)
        delivered_once(front)


def killed(front: Run, victim: Installation) -> None:
    """With -9; the other one has all patients within ten seconds, then the dead one comes back and they share again."""
    assert victim.stop(signal.SIGKILL) == -signal.SIGKILL
    began = time.monotonic()
    until(lambda: list(holders(front).values()) == [COUNT], TAKEN_OVER)
    assert time.monotonic() - began < TAKEN_OVER
    victim.launch()
    until(lambda: len(holders(front)) == 2)


def written_by_whoever_held_it(front: Run) -> None:
    """Each row of a patient was written in a session that held the patient's partition: locks make that one at a time."""
    who = {key: PatientId(site, authority, value) for key, site, authority, value in front.rows(
        "SELECT key, site, authority, value FROM patients")}  # fmt: skip
    seen = front.rows("SELECT patient, pid, held FROM witness WHERE patient IS NOT NULL")
    wrong = [(who[patient], pid) for patient, pid, held in seen if partition_of(who[patient]) not in held]
    assert seen
    assert not wrong
    writers = defaultdict(set)
    for patient, pid, _ in seen:
        writers[patient].add(pid)
    assert len({pid for _, pid, _ in seen}) > 2, "one processor did it all"
    assert any(len(pids) > 1 for pids in writers.values()), "no patient ever changed hands"


def in_order(front: Run) -> None:
    """The messages of each patient's story ended in the order in which they were stored."""
    ended = front.rows(
        "SELECT control_id, message FROM witness JOIN inbox ON inbox.id = message WHERE what = 'inbox_outcomes' ORDER BY n"
    )
    stories = defaultdict(list)
    for control_id, message in ended:
        if control_id[0] not in "NM":  # one names nobody, the other two patients
            stories[control_id[1:]].append(message)
    assert len(stories) > KILLS
    assert all(messages == sorted(messages) for messages in stories.values())
