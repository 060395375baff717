"""The inbox told again: the same state, the same worklist, nothing sent; and what other rules would change."""

import atexit
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import inspect

from adapter import assets
from adapter.daemon.rules import SECRET
from adapter.domain.message import MessageKind
from adapter.errors import UnavailableError
from adapter.fhir.bundle import BundleContext
from adapter.fhir.calendar import Dates
from adapter.fhir.subject import Study
from adapter.pipeline.outgoing import NotifierOutlet, PushWhen, SinkOutlet
from adapter.pipeline.replay import Replay, take_over
from adapter.screening import actions
from adapter.store import audit, projections, quarantine
from adapter.store.database import Database
from adapter.store.projections import Span
from tests import nursery, stores
from tests.builders import RECEIVED, adt, er7, move, msh, obx, oru, pair, pid, pv1
from tests.installation import hashing
from tests.walking import House, open_house

EDC = SinkOutlet("edc", PushWhen.CANDIDATE, BundleContext(b"0" * 32, Dates.EXACT, "test", Study("s", "NCT")))
ORGANS = (obx("777-3", "90", "10*3/uL"), obx("8478-0", "60", "mm[Hg]"), obx("1975-2", "1.2", "mg/dL"))


def admitted(patient: str, event: str = "A01", **parts: str) -> bytes:
    parts = {"cls": "E", "ward": "ED", "visit": f"V{patient}"} | parts
    return adt(event, patient=patient, control=f"{event}{patient}{parts['visit']}", **parts)


def organs(patient: str) -> bytes:
    return oru(*ORGANS, patient=patient, order=f"O{patient}", control=f"O{patient}", visit=f"V{patient}")


def ferritin(patient: str, value: str, **parts: str) -> bytes:
    control = f"F{patient}{value}"
    return oru(obx("2276-4", value, "ng/mL"), patient=patient, order=f"F{patient}", control=control, **parts)


def story() -> list[bytes]:
    """Results before their admission, a correction, a merge, a circle, a discharge, a second visit, rubbish, a batch,
    records that come apart again, a visit that moves.
    """
    batch = b"FHS|^~\\&\rBHS|^~\\&\r" + admitted("8") + organs("9") + b"BTS|2\rFTS|1\r"
    return [
        organs("1"), admitted("1"), ferritin("1", "5200"),
        admitted("2"), organs("2"), ferritin("2", "4500"),
        ferritin("3", "9000"), organs("3"), admitted("3", "A04"),
        ferritin("2", "4300", issued="20260102060000"),
        adt("A40", patient="4", merged="3", control="M34", sent="20260102040000"),
        adt("A40", patient="3", merged="4", control="M43", sent="20260102050000"),
        ferritin("4", "8000", at="20260102050000"),
        admitted("5"), organs("5"), admitted("5", "A03", at="20260102050000", sent="20260102050000"),
        admitted("5", visit="V5b", at="20260102063000", sent="20260102063000"),
        oru(obx("2276-4", "5200", "ng/mL"), patient="", control="nobody"), b"rubbish", batch,
        adt("A31", patient="7", control="A31"),
        oru(obx("9999-9", "1", "?"), patient="2", control="unmapped", order="U"),
        organs("A"), admitted("A"), adt("A40", patient="B", merged="A", control="MAB", sent="20260102040000"),
        ferritin("B", "9200", visit="VA"), pair("A37", "A", "B", sent="20260102050000", control="UAB"), admitted("B"),
        organs("C"), move("C", "D", visit="VC", into="VC", sent="20260102050000", control="VCD"),
        ferritin("C", "9300", visit="VC"), admitted("C"),
    ]  # fmt: skip


def opened(folder: Path) -> House:
    folder.mkdir(exist_ok=True)
    return open_house(folder, outlets=(NotifierOutlet("mail"), EDC))


@cache
def lived(store: str) -> tuple[stores.Kept, datetime]:
    """The story told, once for each kind of store, and when it ended; every test goes on from a copy."""
    folder = Path(tempfile.mkdtemp(prefix=f"replay-{store}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    built = opened(folder)
    for number, message in enumerate(story()):
        built.tell(message)
        built.now += timedelta(seconds=number)
    row = next(row for row in built.rows if row.patient.value == "1")
    common = {"patient": row.patient, "trial": row.trial, "episode": row.episode, "by": "kim", "at": built.now}
    built.tell(
        actions.determination_body(**common, criterion="I4", answer="met", note=""),
        actions.status_body(**common, status="screening", reason="", note=""),
        kind=MessageKind.ACTION,
    )
    settle(built)
    built.processor.close()
    built.database.close()
    return stores.keep(folder), built.now


@pytest.fixture
def house(each_store: str, tmp_path: Path) -> Iterator[House]:
    kept, ended = lived(each_store)
    stores.again(kept, tmp_path / "live")
    built = opened(tmp_path / "live")
    built.now = ended
    built.work()  # nothing waits; on PostgreSQL it takes the patients up
    yield built
    built.database.close()


def settle(house: House) -> None:
    """Everybody looked at again at the present hour, as the daemon's tick does in time."""
    with house.database.read() as conn:
        alone, tied = projections.people(conn)
    steps = house.processor._steps_of([*alone, *tied], house.now)
    house.processor._write((), steps, house.processor._turn(house.now))


def replayed(house: House, folder: Path, rules: Path | None = None) -> Replay:
    folder.mkdir()
    shutil.copy(stores.empty(), folder / "replay.db")
    second = Database.open(f"sqlite:///{folder}/replay.db")
    keeper = house.keeper
    other = keeper.rules if rules is None else assets.load_rulebook(rules, trials=["immunosep-demo"])
    return Replay(house.database, second, other, keeper.rules, keeper.secret, house.now)


def lines(database: Database) -> list[str]:
    with database.read() as conn:
        return list(projections.lines(conn))


def everything(database: Database, *but: str) -> list[str]:
    """Every row of every table, but for the tables named."""
    with database.read() as conn:
        kept = sorted(set(inspect(conn).get_table_names()) - {*but})
        return [
            f"{name} {row}" for name in kept for row in sorted(map(repr, conn.exec_driver_sql(f"SELECT * FROM {name}")))
        ]


def other_rules(folder: Path, limit: str) -> Path:
    """The shipped trials with another ferritin threshold."""
    shutil.copytree(assets.root() / "profiles", folder / "profiles")
    page = folder / "profiles/immunosep/trial.yaml"
    text = page.read_text()
    assert "above: 4420, unit" in text
    page.write_text(
        text.replace("above: 4420, unit", f"above: {limit}, unit").replace("at_most: 4420", f"at_most: {limit}")
    )
    return folder


def test_the_inbox_told_again_is_the_live_state_byte_for_byte(house: House, tmp_path: Path) -> None:
    replay = replayed(house, tmp_path / "second")
    assert replay.tell() == house.counts().received
    replay.judge()
    assert lines(replay.second) == lines(house.database)
    assert (replay.differences(), replay.turns()) == ([], [])
    replay.second.close()


def test_one_go_without_what_people_saw_finds_the_same_people_and_verdicts(house: House, tmp_path: Path) -> None:
    """A store that processes the same inbox message by message, at one moment, with no history of its own."""
    fresh = opened(tmp_path / "fresh")
    (tmp_path / "fresh/secret.key").unlink()
    fresh.keeper.secret = house.keeper.secret
    fresh.now = house.now
    with house.database.read() as conn:
        items = projections.told(conn, Span(), 0, 1000)
    fresh.put(*(item.message.body for item in items if item.message.kind is MessageKind.HL7V2))
    fresh.put(
        *(item.message.body for item in items if item.message.kind is MessageKind.ACTION), kind=MessageKind.ACTION
    )
    fresh.work()
    seen = [{(r.id, r.verdict, r.stratum, r.shown, r.status) for r in one.rows if r.standing} for one in (house, fresh)]
    assert seen[0] == seen[1]
    assert seen[0]
    fresh.database.close()


def test_a_rebuild_in_place_changes_nothing_that_was_right_and_sends_nothing(house: House, tmp_path: Path) -> None:
    before = everything(house.database)
    replay = replayed(house, tmp_path / "second")
    replay.tell()
    replay.judge()
    assert take_over(replay) > 4
    assert [line for line in everything(house.database) if line not in before] == []
    assert len(everything(house.database)) == len(before)
    replay.second.close()


def test_a_rebuild_mends_what_was_broken_and_leaves_the_telling_to_the_daemon(house: House, tmp_path: Path) -> None:
    good, telling = lines(house.database), everything(house.database, "candidates")
    row = next(row for row in house.rows if row.patient.value == "1")
    with house.database.write() as tx:
        tx.exec_driver_sql("DELETE FROM results")
        tx.exec_driver_sql("DELETE FROM ties")
        tx.exec_driver_sql("UPDATE patients SET merged_into = NULL, knot = NULL, demographics = '{}'")
        tx.exec_driver_sql("UPDATE candidates SET verdict = 'incomplete', stratum = 'x', shown = 0 WHERE standing = 1")
        tx.exec_driver_sql(f"UPDATE candidates SET summary = 'incomplete possible x - -' WHERE id = '{row.id}'")
        tx.exec_driver_sql("UPDATE inbox_outcomes SET state = 'ignored', reason = 'x' WHERE id = 1")
        tx.exec_driver_sql("UPDATE feeds SET applied = applied - 1, ignored = ignored + 1")
    replay = replayed(house, tmp_path / "second")
    replay.tell()
    replay.judge()
    assert [turn.id for turn in replay.turns()] == [1]
    take_over(replay)
    replay.second.close()
    assert [line for line in lines(house.database) if row.id not in line] == [
        line for line in good if row.id not in line
    ]
    assert everything(house.database, "candidates", "inbox_outcomes", "candidate_history") == [
        line for line in telling if not line.startswith(("inbox_outcomes", "candidate_history"))
    ]
    house.keeper._memory.clear()
    house.owed("mail")
    house.later(hours=0.01)
    assert house.owed("mail") == ["updated"]


def test_a_replay_from_a_moment_tells_only_what_came_since(house: House, tmp_path: Path) -> None:
    with house.database.write() as tx:
        tx.exec_driver_sql("UPDATE inbox SET received = '2026-01-08T00:00:00.000000+00:00' WHERE id <= 6")
    house.now += timedelta(minutes=1)
    settle(house)
    with house.database.read() as conn:
        since = projections.told(conn, Span(), 6, 1)[0].message.received
    replay = replayed(house, tmp_path / "second")
    assert replay.tell(Span(since)) == house.counts().received - 6
    replay.judge()
    assert lines(replay.second) == lines(house.database)
    replay.second.close()


def test_a_replay_from_a_moment_forgets_what_its_messages_said_of_drugs_and_problems(
    house: House, tmp_path: Path
) -> None:
    with house.database.write() as tx:
        tx.exec_driver_sql("UPDATE inbox SET received = '2026-01-08T00:00:00.000000+00:00'")
    who = pid("1"), pv1("V1", "E")
    drug = f"RXA|0|1|20260102030000||C01CA03^^ATC|0.12|ug/kg/min{'|' * 13}CP|A"
    house.tell(er7(msh("RAS^O17", control="RAS"), *who, "ORC|RE|P1|F1", drug))
    house.tell(er7(msh("PPR^PC1", control="PPR"), *who, "PRB|AD|20260102030000|J18.9^Pneumonia^I10|P1"))
    settle(house)
    good = lines(house.database)
    with house.database.write() as tx:
        by_other_rules = "digest = 'x' || digest, body = replace(replace(body, 'norepi', 'epi'), 'J18.9', 'J18.8')"
        tx.exec_driver_sql(f"UPDATE statements SET {by_other_rules} WHERE kind IN ('administration', 'condition')")
    assert lines(house.database) != good
    replay = replayed(house, tmp_path / "second")
    assert replay.tell(Span(RECEIVED)) == 2
    replay.judge()
    assert lines(replay.second) == good
    replay.second.close()


def test_what_a_person_gave_up_stays_given_up_and_what_waits_keeps_waiting(house: House, tmp_path: Path) -> None:
    with house.database.write() as tx:
        bad = next(quarantine.listing(tx))
        quarantine.discard(tx, bad.id, house.now)
    house.put(ferritin("2", "7777"))
    before = everything(house.database)
    replay = replayed(house, tmp_path / "second")
    replay.tell()
    replay.judge()
    take_over(replay)
    replay.second.close()
    assert everything(house.database) == before
    assert house.counts().pending == 1


def test_a_diff_names_exactly_the_verdicts_that_another_threshold_changes(house: House, tmp_path: Path) -> None:
    before = everything(house.database)
    rules = other_rules(tmp_path / "rules", "6000")
    replay = replayed(house, tmp_path / "second", rules)
    replay.tell()
    replay.judge()
    (found,) = replay.differences()
    one = next(row for row in house.rows if row.patient.value == "1")
    said = found.as_json()
    assert said["candidate"] == one.id
    assert (said["old"]["verdict"], said["old"]["stratum"]) == ("candidate", "mals")
    assert said["new"] == {"verdict": "incomplete", "stratum": "indeterminate", "shown": True}
    assert said["criteria"] == [{"id": "I7", "old": "met", "new": "unknown"}]
    assert said["rulebook"] == {"old": house.keeper.rules.digest, "new": replay.rules.digest}
    assert everything(house.database) == before
    replay.second.close()


def test_an_alert_whose_ground_new_rules_take_is_taken_back_by_the_daemon_not_by_the_replay(
    house: House, tmp_path: Path
) -> None:
    house.owed("mail")
    outbox = [line for line in everything(house.database) if line.startswith(("outbox", "audit"))]
    replay = replayed(house, tmp_path / "second", other_rules(tmp_path / "rules", "6000"))
    replay.tell()
    replay.judge()
    take_over(replay)
    assert [line for line in everything(house.database) if line.startswith(("outbox", "audit"))] == outbox
    house.keeper.rules = house.processor._rules = replay.rules
    house.keeper._memory.clear()
    house.later(hours=0.01)
    assert house.owed("mail") == ["updated"]
    with house.database.read() as conn:
        assert audit.verify(conn) == []
    replay.second.close()


# --- the command ------------------------------------------------------------------------------------------------------

CONFIG = """
[adapter]
data = "{folder}"
trials = ["immunosep-demo"]
environment = "production"

[[source]]
kind = "mllp"
name = "lab"
site = "generic"
listen = "127.0.0.1:2575"

[web]
listen = "127.0.0.1:8080"
"""


@pytest.fixture
def installed(house: House, tmp_path: Path) -> Path:
    """The house's data folder, its configuration beside it."""
    folder = tmp_path / "live"
    (folder / "secret.key").rename(folder / SECRET)
    config = tmp_path / "adapter.toml"
    config.write_text(CONFIG.format(folder=folder) + stores.settings(folder))
    return config


def adapter(*words: str) -> subprocess.CompletedProcess[str]:
    return nursery.run(*words, text=True)


def test_the_command_says_the_same_bytes_for_the_same_inbox(house: House, installed: Path, tmp_path: Path) -> None:
    rules, at = other_rules(tmp_path / "rules", "6000"), house.now.isoformat()
    words = ("replay", "--config", str(installed), "--at", at, "--diff", "--json")
    same = adapter(*words)
    assert (same.returncode, same.stdout) == (0, ""), same.stderr
    first, second = (hashing(seed, *words, "--rules", str(rules)) for seed in (1, 2))
    assert first.returncode == 1
    assert first.stdout == second.stdout
    (line,) = first.stdout.splitlines()
    assert json.loads(line)["criteria"] == [{"id": "I7", "old": "met", "new": "unknown"}]
    told = adapter(*words[:-1], "--rules", str(rules)).stdout
    assert "candidate mals shown → incomplete indeterminate shown; I7 met → unknown" in told
    assert not list((tmp_path / "live").glob("replay-*"))


def test_the_command_rebuilds_alone_and_puts_it_on_record(house: House, installed: Path) -> None:
    good = lines(house.database)
    with house.database.write() as tx:
        tx.exec_driver_sql("DELETE FROM results")
    words = ("replay", "--config", str(installed), "--at", house.now.isoformat(), "--json")
    if not stores.on_sqlite():
        beside = adapter(*words)
        assert (beside.returncode, "in use" in beside.stderr) == (3, True)
    house.processor.close()
    assert adapter(*words, "--rules", ".").returncode == 2
    done = adapter(*words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["candidates_changed"] == 0
    assert lines(house.database) == good
    with house.database.read() as conn:
        *_, last = audit.listing(conn)
    assert last.act.action == "replay"


def test_nothing_is_rebuilt_beside_a_running_daemon(house: House, installed: Path, tmp_path: Path) -> None:
    from adapter.daemon.lock import held
    from adapter.daemon.replaying import Wish, difference, rebuild
    from adapter.settings import load_settings

    settings = load_settings(installed)
    with held(tmp_path / "live"):
        with pytest.raises(UnavailableError, match="in use"):
            rebuild(settings, Wish())
        assert difference(settings, Wish(at=house.now)).differences == ()
