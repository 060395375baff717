"""Copies of a store: what one holds, that it is whole, when the daemon makes one, and when it is deleted."""

import asyncio
import fcntl
import io
import json
import os
import shutil
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyrage
import pytest
from sqlalchemy import text

from adapter import telemetry
from adapter.daemon import backing_up, backup_checks, copies, numbers_file, sealing
from adapter.daemon.backing_up import SCRATCH, Job, Made, make
from adapter.daemon.backup_checks import looked_at
from adapter.daemon.backup_round import Rounds, brought_up_to_date
from adapter.daemon.health import Pulse
from adapter.daemon.on_backups import NOTHING_HELD
from adapter.daemon.opening import open_store
from adapter.daemon.reaching import command
from adapter.daemon.replaying import Wish, rebuild
from adapter.daemon.rules import SECRET
from adapter.daemon.site_key import site_key
from adapter.daemon.taking import take
from adapter.domain.message import Delivery, MessageKind, RawMessage
from adapter.domain.patient import PatientId
from adapter.errors import ConfigError, RejectedError, StorageFailedError, UnavailableError
from adapter.pipeline.deliver import deliver_next
from adapter.pipeline.outgoing import Owed
from adapter.settings import Settings, load_settings
from adapter.store import audit, backup, backup_log, hold, outbox, screening_ids
from adapter.store.backup import BrokenOffError
from adapter.store.database import Database
from adapter.store.migrate import HEAD, VERSION_TABLE, _config, current_revision
from adapter.store.space import Marks, Space
from tests import stores
from tests.postgres import Cluster

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 26, 10, 12, tzinfo=UTC)
CANARY = "CANARYFAMILY"
CONFIG = """
[adapter]
data = "{data}"
trials = ["immunosep-demo"]
environment = "test"
{store}
[[source]]
kind = "mllp"
name = "lab"
site = "generic"
listen = "127.0.0.1:2575"

[backup]
to = "{to}"
keep = "2 d"
{more}
"""


@dataclass
class House:
    """A store with messages, its key, and a configuration."""

    folder: Path
    now: datetime = NOW

    def __post_init__(self) -> None:
        (self.folder / "data").mkdir(mode=0o700)
        self.database = stores.opened(self.folder / "data")
        self.secret = site_key(self.database, self.folder / "data" / SECRET)

    def clock(self) -> datetime:
        return self.now

    @property
    def to(self) -> Path:
        return self.folder / "out"

    def settings(self, more: str = "") -> Settings:
        file = self.folder / "adapter.toml"
        store = stores.settings(self.folder / "data")
        file.write_text(CONFIG.format(data=self.folder / "data", to=self.to, more=more, store=store))
        return load_settings(file)

    def put(self, *names: str, source: str = "lab") -> None:
        body = f"MSH|^~\\&|||||||||{CANARY}".encode()
        with_names = [
            RawMessage(source, "generic", MessageKind.HL7V2, body, self.now, "L|H", name, "ORU^R01", "", b"AA")
            for name in names
        ]
        self.database.store(with_names, wait=True)

    def made(self, more: str = "", going: backup.Going = lambda: True) -> Made:
        return make(self.settings(more), self.database, Job(self.to, self.now, going))

    def rounds(self, *, stopping: bool = False) -> Rounds:
        settings = self.settings()
        assert settings.backup is not None
        return Rounds(settings, settings.backup, self.database, self.clock, lambda: stopping)

    def trail(self) -> list[tuple[str, str]]:
        with self.database.read() as conn:
            return [(row.act.action, row.act.object_id) for row in audit.listing(conn)]


@pytest.fixture
def house(each_store: str, tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.database.close()


@pytest.fixture
def sqlite_house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.database.close()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_copy_says_how_far_it_reaches_and_tells_of_no_patient(house: House) -> None:
    house.put("1", "2")
    house.now += timedelta(minutes=1)
    house.put("3", source="icu")
    with house.database.write() as tx:
        head = audit.append(tx, audit.Act("anna", "operator", "replay"), NOW)
    made = house.made()
    kind = "db" if stores.on_sqlite() else "dump"
    assert files(house.to) == [f"adapter-20261126T101300Z.{kind}", f"adapter-20261126T101300Z.{kind}.json"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in house.to.iterdir())
    assert stat.S_IMODE(house.to.stat().st_mode) == 0o700
    read = copies.read(made.path)
    assert read == made.manifest
    assert read.contents.schema == HEAD
    assert read.contents.audit == head
    assert {name: (one.message, one.received) for name, one in read.contents.feeds.items()} == {
        "icu": (3, NOW + timedelta(minutes=1)),
        "lab": (2, NOW),
    }
    assert read.sha256 == copies.sha256(made.path)
    assert CANARY not in copies.manifest_of(made.path).read_text()
    assert not (house.folder / "data" / SCRATCH).exists()


def test_a_copy_is_one_file_that_sqlite_reads_and_the_store_goes_on(sqlite_house: House) -> None:
    sqlite_house.put("1")
    made = sqlite_house.made()
    sqlite_house.put("2")  # the guard looks at the files of the store after every commit
    with backup.looked_into(made.path) as conn:
        assert backup.problems(conn) == []
        assert backup.contents(conn) == made.manifest.contents
    assert len(files(sqlite_house.to)) == 2
    assert CANARY.encode() in made.path.read_bytes()


def test_commits_meanwhile_do_not_make_it_begin_anew_and_are_not_in_it(sqlite_house: House) -> None:
    sqlite_house.put(*map(str, range(10_000)))
    steps: list[int] = []

    def going() -> bool:
        sqlite_house.put(f"meanwhile-{len(steps)}")
        steps.append(sum(sqlite_house.database.sizes()))
        return len(steps) < 300

    made = sqlite_house.made(going=going)
    assert len(steps) > 3
    assert made.manifest.contents.last_message == 10_000
    with sqlite_house.database.read() as conn:
        assert backup.contents(conn).last_message == 10_000 + len(steps)


def test_the_key_of_the_site_is_in_no_copy(house: House) -> None:
    with house.database.write() as tx:
        screening_ids.allocate(tx, house.secret, "immunosep-demo", PatientId("generic", "HOSP", "90817263"), "A")
    made = house.made()
    for path in house.to.iterdir():
        assert house.secret.key not in path.read_bytes()
        assert house.secret.key.hex() not in path.read_text(errors="replace")
    assert made.manifest.key


def test_encrypted_it_is_nowhere_in_clear_and_opens_with_the_private_key_alone(house: House) -> None:
    house.put("1")
    own = pyrage.x25519.Identity.generate()
    seen: list[str] = []

    def going() -> bool:
        seen.extend(files(house.to))
        return True

    made = house.made(f'recipient = "{own.to_public()}"', going)
    assert made.path.name.endswith(".age")
    assert all(".age" in name for name in seen), (
        "nothing in clear stands in the folder of backups, not even for a moment"
    )
    assert CANARY.encode() not in made.path.read_bytes()
    plain = pyrage.decrypt(made.path.read_bytes(), [own])
    if stores.on_sqlite():
        assert CANARY.encode() in plain
    assert not (house.folder / "data" / SCRATCH).exists()


def test_what_is_broken_off_or_cannot_be_leaves_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.put("1")
    with pytest.raises(BrokenOffError):
        house.made(going=lambda: False)
    assert files(house.to) == []
    monkeypatch.setattr(backing_up, "SPARE", 1 << 60)
    with pytest.raises(UnavailableError, match="no room for a copy"):
        house.made()
    assert files(house.to) == []


def test_a_store_whose_trail_was_changed_makes_no_copy_that_looks_good(house: House) -> None:
    with house.database.write() as tx:
        audit.append(tx, audit.Act("anna", "operator", "replay"), NOW)
    with stores.beside(house.folder / "data") as conn:
        conn.execute(f"DROP TRIGGER {'audit_no_update' if stores.on_sqlite() else 'audit_only_grows ON audit'}")
        conn.execute("UPDATE audit SET actor = 'dora'")
    with pytest.raises(UnavailableError, match="audit trail: entry 1 was changed"):
        house.made()
    assert files(house.to) == []


def test_the_look_at_its_trail_is_broken_off_and_rests_only_where_others_work_beside_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with house.database.write() as tx:
        for _ in range(200):
            audit.append(tx, audit.Act("anna", "operator", "replay"), NOW)
    house.put(*map(str, range(300)))
    made, asked = house.made(), list[int]()

    def going() -> bool:
        asked.append(1)
        return len(asked) < 3

    with backup.looked_into(made.path) if stores.on_sqlite() else house.database.read() as conn:
        with pytest.raises(BrokenOffError):
            backup.problems(conn, going)
        assert len(asked) == 3
        backup.contents(conn)
        assert len(asked) == 3, "what follows the look is not broken off"
        monkeypatch.setattr(backup, "REST", -1)
        assert backup.problems(conn) == [], "a restore has nobody to rest for"


def test_a_damaged_store_makes_no_copy_that_looks_good(sqlite_house: House) -> None:
    sqlite_house.put(*map(str, range(500)))
    sqlite_house.database.close()
    path = sqlite_house.folder / "data" / "adapter.db"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(os.urandom(8192))
    broken = open_store(sqlite_house.settings(), read_only=True)
    with pytest.raises(UnavailableError, match=r"not whole|SQLite says"):
        make(sqlite_house.settings(), broken, Job(sqlite_house.to, NOW))
    broken.close()
    assert files(sqlite_house.to) == []


def test_a_store_that_does_not_open_is_a_failed_store_and_no_failed_backup(sqlite_house: House) -> None:
    sqlite_house.put("1")
    sqlite_house.database.close()
    with (sqlite_house.folder / "data" / "adapter.db").open("r+b") as file:
        file.write(os.urandom(4096))
    broken = open_store(sqlite_house.settings(), read_only=True)
    with pytest.raises(StorageFailedError):
        make(sqlite_house.settings(), broken, Job(sqlite_house.to, NOW))
    broken.close()
    assert files(sqlite_house.to) == []


def test_the_folder_is_of_this_account_alone_on_no_data_folder_and_one_works_in_it_at_a_time(house: House) -> None:
    house.to.mkdir(mode=0o750)
    with pytest.raises(ConfigError, match="can be reached by others — chmod 700"):
        house.made()
    house.to.chmod(0o700)
    with pytest.raises(ConfigError, match="lies in the data folder"):
        make(house.settings(), house.database, Job(house.folder / "data" / "out", NOW))
    (house.folder / "data" / "out").rmdir()
    handle = os.open(house.to, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(UnavailableError, match="another backup is being made"):
        house.made()
    os.close(handle)
    house.made()
    with pytest.raises(UnavailableError, match="is there already"):
        house.made()


def test_who_comes_second_does_not_take_the_lock_of_the_first_away(house: House) -> None:
    scratch, refused = house.folder / "data" / SCRATCH, list[str]()

    def going() -> bool:
        if not refused:
            with pytest.raises(UnavailableError) as caught, backing_up.scratch_folder(house.settings()):
                pass
            refused.append(str(caught.value))
        return scratch.is_dir()

    house.made(going=going)
    assert "another backup is being made just now" in refused[0]
    assert not scratch.exists()


def test_a_lock_of_a_folder_that_was_taken_away_meanwhile_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, opened = tmp_path / "scratch", os.open

    def late(path: Path, flags: int) -> int:
        handle = opened(path, flags)
        folder.rmdir()  # whoever held it until now
        return handle

    for again in (False, True):
        folder.mkdir()
        with monkeypatch.context() as slow:
            slow.setattr(os, "open", late)
            if again:
                slow.setattr(fcntl, "flock", lambda _handle, _how: folder.mkdir())
            with pytest.raises(UnavailableError, match="another backup"), copies.locked(folder):
                pass
    folder.rmdir()


def test_leftovers_of_a_killed_one_go_and_foreign_files_stay(house: House) -> None:
    house.to.mkdir(mode=0o700)
    for name in (
        ".adapter-20260101T000000Z.db.part",
        ".adapter-20260101T000000Z.db.age.json.part",
        "notes.txt",
        ".x.part",
    ):
        (house.to / name).touch()
    house.made()
    assert not {name for name in files(house.to) if name.startswith(".adapter")}
    assert {"notes.txt", ".x.part"} <= set(files(house.to))


# --- the daemon's own -------------------------------------------------------------------------------------------------


def test_one_is_made_when_it_is_due_and_put_on_record(house: House) -> None:
    rounds = house.rounds()
    rounds.round()
    [first] = [name for name in files(house.to) if copies.NAME.fullmatch(name)]
    assert house.trail() == [("backup", first)]
    house.now += timedelta(minutes=59)
    rounds.round()
    assert len(house.trail()) == 1
    house.now += timedelta(minutes=2)
    house.rounds().round()  # after a start too
    assert len(house.trail()) == 2
    house.now -= timedelta(days=3)  # a clock that was set back
    rounds.round()
    assert len(house.trail()) == 3


def test_of_several_processes_one_makes_it(house: House) -> None:
    with house.database.write() as tx:
        assert backup_log.claim(tx, NOW, timedelta(hours=1))
        assert not backup_log.claim(tx, NOW + timedelta(seconds=10), timedelta(hours=1))
        assert backup_log.claim(tx, NOW + backup_log.AGAIN, timedelta(hours=1))


def test_those_past_their_time_go_but_never_the_newest_nor_anothers(house: House, tmp_path: Path) -> None:
    rounds = house.rounds()
    rounds.round()
    foreign = house.to / "adapter-20200101T000000Z.db"
    foreign.touch()
    [own] = [path for path in house.to.iterdir() if copies.NAME.fullmatch(path.name) and path != foreign]
    copied = copies.manifest_of(own).read_text().replace(own.name, foreign.name).replace('"key": "', '"key": "0')
    copies.manifest_of(foreign).write_text(copied.replace('"bytes": ', '"bytes": 0, "was": '))
    house.now += timedelta(days=30)
    assert copies.expire(house.to, rounds.settings and copies.read(own).key, timedelta(days=2), house.now, HOUR) == 0
    rounds.round()
    assert own.name in files(house.to), "the daemon was off, or the clock was set: who looks after it has a day"
    house.now += timedelta(hours=25)
    rounds.round()
    names = files(house.to)
    assert own.name not in names
    assert copies.manifest_of(own).name not in names
    assert foreign.name in names
    assert len([name for name in names if copies.NAME.fullmatch(name)]) == 3


def shelf(house: House, *made: datetime) -> str:
    """Copies of these times alone, with nothing in them; the label of their key."""
    first = house.made().manifest
    house.to.joinpath(first.file).unlink()
    for number, at in enumerate(made):
        manifest = replace(first, made=at, file=f"adapter-20261126T{number:06}Z.db", bytes=0)
        house.to.joinpath(manifest.file).touch()
        copies.manifest_of(house.to / manifest.file).write_text(json.dumps(manifest.as_json()))
    return first.key


@pytest.mark.parametrize(("keep", "every"), [(35, 1), (2, 1), (35, 24 * 7)])
def test_a_clock_that_was_set_far_ahead_deletes_nothing_for_a_day(sqlite_house: House, keep: int, every: int) -> None:
    period, ahead = timedelta(hours=every), NOW + timedelta(days=400)
    true = [NOW - number * period for number in range(min(5, 48 // every + 1))]
    wrong = [ahead + number * timedelta(hours=1) for number in range(24)]
    key = shelf(sqlite_house, *true, *wrong)
    assert copies.expire(sqlite_house.to, key, timedelta(days=keep), wrong[-1], period) == 0
    assert copies.expire(sqlite_house.to, key, timedelta(days=keep), NOW + period, period) == 0, "and was set right"
    shutil.rmtree(sqlite_house.to)
    sqlite_house.now += timedelta(seconds=1)
    key = shelf(sqlite_house, *true, *wrong, ahead + copies.LOOK)
    assert copies.expire(sqlite_house.to, key, timedelta(days=keep), ahead + copies.LOOK, period) == len(true)


def test_of_days_that_are_over_the_last_stays(sqlite_house: House) -> None:
    begun = NOW.replace(hour=0, minute=0)
    key = shelf(sqlite_house, *(begun + timedelta(hours=hour) for hour in range(24 * 5)))
    now = begun + timedelta(days=5)
    assert copies.expire(sqlite_house.to, key, timedelta(days=35), now, HOUR) == 69
    held = [manifest.made for _, manifest in copies.listing(sqlite_house.to, key)]
    assert held[:3] == [begun + timedelta(hours=24 * day + 23) for day in range(3)]
    assert len(held) == 3 + 48
    assert copies.expire(sqlite_house.to, key, timedelta(days=1), now, HOUR) == 3 + 24
    assert copies.expire(sqlite_house.to, key, timedelta(days=1), now + timedelta(days=99), HOUR) == 23
    assert len(copies.listing(sqlite_house.to, key)) == 1


def test_one_that_fails_is_told_tried_again_later_and_becomes_an_alarm(
    house: House,
) -> None:
    book = io.StringIO()
    telemetry.configure_log(book)
    house.to.mkdir(mode=0o755)
    house.to.chmod(0o755)
    rounds, pulse = house.rounds(), alarms(house, backups=True)
    rounds.round()
    assert house.trail() == []
    assert "chmod 700" in book.getvalue()
    house.now += timedelta(hours=25)
    assert "backup-old" not in pulse.health().codes
    house.now += timedelta(hours=2)
    assert "backup-old" in pulse.health().codes
    assert "backup-old" not in alarms(house, backups=False).health().codes, "no [backup], no alarm"
    house.to.chmod(0o700)
    rounds.round()
    assert "backup-old" not in pulse.health().codes
    house.now += backup_log.OLD + timedelta(minutes=1)
    assert "backup-old" in pulse.health().codes


def alarms(house: House, *, backups: bool) -> Pulse:
    return Pulse(house.database, Space(house.folder, Marks(0, 0, 0, 0)), house.clock, backups=backups)


def test_a_daemon_that_stops_does_not_wait_for_one(house: House) -> None:
    house.put("1")
    house.rounds(stopping=True).round()
    assert not [name for name in files(house.to) if copies.NAME.fullmatch(name)]
    assert house.trail() == []


def test_screening_numbers_are_kept_as_they_are_given_and_tell_nobody(house: House) -> None:
    rounds = house.rounds()
    rounds.round()
    rounds.keep_numbers()
    with house.database.write() as tx:
        screening_ids.allocate(
            tx, house.secret, "immunosep-demo", PatientId("generic", "HOSP", "90817263"), "4TQ7K2M9XA"
        )
    rounds.keep_numbers()
    with house.database.read() as conn:
        listed = screening_ids.listing(conn)
    [path] = house.to.glob("screening-numbers-*.json")
    key = path.name.removeprefix("screening-numbers-").removesuffix(".json")
    assert numbers_file.read(key, house.to) == listed
    path.unlink()
    rounds.keep_numbers()
    assert numbers_file.read(key, house.to) == listed, "somebody took the file away"
    assert "90817263" not in path.read_text()
    assert numbers_file.read("0", house.to) is None
    path.write_text("{")
    with pytest.raises(ConfigError, match="take it away to restore without it"):
        numbers_file.read(key, house.to)
    path.unlink()
    house.to.chmod(0o500)
    house.to.rename(house.folder / "away")
    rounds.keep_numbers()  # a disk that is not mounted just now keeps nobody from working


def kept(house: House) -> dict[str, set[str]]:
    """By file, without the label of the key."""
    found = {}
    for path in house.to.glob("screening-numbers-*"):
        rows = json.loads(path.read_text())["numbers"]
        found["".join(path.suffixes)] = {row[0] for row in rows}
    return found


def given(house: House, number: str, patient: str) -> None:
    with house.database.write() as tx:
        screening_ids.allocate(tx, house.secret, "immunosep-demo", PatientId("generic", "HOSP", patient), number)


def erased(house: House, number: str) -> None:
    with house.database.write() as tx:
        tx.execute(text("DELETE FROM screening_ids WHERE screening_id = :number"), {"number": number})


def test_an_empty_store_that_was_started_before_the_restore_takes_no_number_away(sqlite_house: House) -> None:
    house = sqlite_house
    given(house, "4TQ7K2M9XA", "90817263")
    house.rounds().round()
    house.rounds().keep_numbers()
    house.database.close()
    data = house.folder / "data"
    data.rename(house.folder / "lost")
    data.mkdir(mode=0o700)
    (data / SECRET).write_bytes((house.folder / "lost" / SECRET).read_bytes())
    (data / SECRET).chmod(0o400)
    house.database = stores.opened(data)
    house.secret = site_key(house.database, data / SECRET)
    house.rounds().keep_numbers()
    given(house, "7VYB3WQ0HN", "11111111")
    house.rounds().keep_numbers()
    assert kept(house) == {".json": {"7VYB3WQ0HN"}, ".json.before": {"4TQ7K2M9XA"}}
    key = next(house.to.glob("screening-numbers-*.json")).name.removeprefix("screening-numbers-").removesuffix(".json")
    assert {one.screening_id for one in numbers_file.read(key, house.to) or ()} == {"4TQ7K2M9XA", "7VYB3WQ0HN"}
    with house.database.write() as tx:  # as a restore does
        assert screening_ids.take_over(tx, numbers_file.read(key, house.to) or ()) == 1
    house.rounds().keep_numbers()
    assert kept(house) == {".json": {"4TQ7K2M9XA", "7VYB3WQ0HN"}}, "nothing stays aside that the store has"


@pytest.mark.parametrize("running", [True, False])
def test_an_erased_person_s_number_goes_from_beside_the_backups_too(house: House, running: bool) -> None:
    given(house, "4TQ7K2M9XA", "90817263")
    given(house, "7VYB3WQ0HN", "11111111")
    rounds = house.rounds()
    rounds.round()
    rounds.keep_numbers()
    erased(house, "4TQ7K2M9XA")
    (rounds if running else house.rounds()).keep_numbers()
    assert kept(house) == {".json": {"7VYB3WQ0HN"}}


def test_it_goes_from_a_folder_of_copies_by_hand_too(house: House) -> None:
    given(house, "4TQ7K2M9XA", "90817263")
    given(house, "7VYB3WQ0HN", "11111111")
    assert (take(house.settings(), house.to, "anna").unrecorded, kept(house)) == (
        "",
        {".json": {"4TQ7K2M9XA", "7VYB3WQ0HN"}},
    )
    erased(house, "4TQ7K2M9XA")
    time.sleep(1.1)  # a copy is named by the second
    take(house.settings(), house.to, "anna")
    assert kept(house) == {".json": {"7VYB3WQ0HN"}}


def test_it_goes_from_a_folder_that_another_host_calls_alike(house: House) -> None:
    given(house, "4TQ7K2M9XA", "90817263")
    house.rounds().round()
    house.rounds().keep_numbers()
    other = shutil.copytree(house.to, house.folder / "other")
    erased(house, "4TQ7K2M9XA")
    house.rounds().keep_numbers()
    assert kept(house) == {".json": set()}
    house.to.rename(house.folder / "one")
    other.rename(house.to)
    house.rounds().keep_numbers()
    assert kept(house) == {".json": set()}


def test_a_copy_by_hand_is_good_and_on_record_though_the_numbers_cannot_be_kept(house: House) -> None:
    given(house, "4TQ7K2M9XA", "90817263")
    house.rounds().round()
    house.rounds().keep_numbers()
    [path] = house.to.glob("screening-numbers-*.json")
    path.write_text(path.read_text().replace('"form": 1', '"form": 2'))
    taken = take(house.settings(), house.to, "anna")
    assert ("newer program" in taken.unkept, taken.unrecorded) == (True, "")
    assert house.trail()[-1] == ("backup", taken.made.path.name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file away")
def test_numbers_that_root_writes_are_the_folder_s_owner_s(house: House) -> None:
    house.to.mkdir(mode=0o700)
    os.chown(house.to, 12345, 12345)
    given(house, "4TQ7K2M9XA", "90817263")
    assert take(house.settings(), house.to, "root").unkept == ""
    numbers = [path for path in house.to.iterdir() if "screening-numbers" in path.name]
    assert [(path.stat().st_uid, path.stat().st_mode & 0o777) for path in numbers] == [(12345, 0o600)] * 2


def test_a_damaged_file_of_numbers_is_kept_aside_and_written_anew(house: House) -> None:
    given(house, "4TQ7K2M9XA", "90817263")
    house.rounds().round()
    house.rounds().keep_numbers()
    [path] = house.to.glob("screening-numbers-*.json")
    path.write_text("{")
    house.rounds().keep_numbers()
    assert path.with_name(f"{path.name}.damaged").read_text() == "{"
    path.with_name(f"{path.name}.damaged").unlink()
    assert kept(house) == {".json": {"4TQ7K2M9XA"}}
    path.write_text(path.read_text().replace('"form": 1', '"form": 2'))
    house.rounds().keep_numbers()
    assert '"form": 2' in path.read_text(), "of a newer program: not ours to write over"


def test_numbers_are_kept_while_a_backup_is_being_made(house: House) -> None:
    rounds = house.rounds()
    house.put("1")

    def going() -> bool:
        rounds.keep_numbers()
        return True

    house.made(going=going)
    assert list(house.to.glob("screening-numbers-*.json"))


def test_a_folder_on_a_share_that_is_dead_ends_no_daemon(house: House) -> None:
    book = io.StringIO()
    telemetry.configure_log(book)
    dead = house.folder / ("d" * 300)
    """The system refuses to look at it, as at a share whose server is gone: not absent, but an error."""
    with pytest.raises(OSError, match="too long"):
        dead.is_dir()
    rounds = house.rounds()
    rounds.wish = rounds.wish.model_copy(update={"to": dead})
    rounds.round()
    rounds.keep_numbers()
    assert "backup failed" in book.getvalue()
    assert "screening numbers not kept" in book.getvalue()
    settings = house.settings().model_copy(update={"backup": rounds.wish})
    said = [text for level, text in looked_at(settings) if level == "warning"]
    assert [f"{dead} cannot be looked at (File name too long) — look at its disk or share"] == said


def test_an_old_one_that_cannot_be_deleted_is_told_and_the_new_one_counts(house: House) -> None:
    book = io.StringIO()
    telemetry.configure_log(book)
    house.rounds().round()
    [old] = [path for path in house.to.iterdir() if copies.NAME.fullmatch(path.name)]
    old.unlink()
    old.mkdir()
    beside = copies.manifest_of(old)
    beside.write_text(json.dumps(json.loads(beside.read_text()) | {"bytes": old.stat().st_size}))
    house.now += timedelta(days=30)
    house.rounds().round()
    house.now += timedelta(hours=25)
    house.rounds().round()
    assert "backups not deleted" in book.getvalue()
    assert book.getvalue().count("backup made") == len(house.trail()) == 3


# --- before the schema changes ----------------------------------------------------------------------------------------


def older(folder: Path, postgres: bool) -> Database:
    from alembic import command

    address = stores.address(folder, bare=True)
    opened = Database.open(address, password="quiet heron" if postgres else "")
    with opened.write() as tx:
        command.upgrade(_config(tx), "0018")
    return opened


def revision(database: Database) -> str | None:
    with database.read() as conn:
        return current_revision(conn)


def test_a_store_is_copied_before_its_schema_changes(each_store: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    database = older(tmp_path / "data", each_store == "postgresql")
    settings = _settings(tmp_path)
    (tmp_path / "out").mkdir(mode=0o755)
    (tmp_path / "out").chmod(0o755)
    with pytest.raises(ConfigError, match=r"failed: .* nothing was changed"):
        brought_up_to_date(settings, database, lambda: NOW)
    assert revision(database) == "0018"
    (tmp_path / "out").chmod(0o700)
    brought_up_to_date(settings, database, lambda: NOW)
    assert revision(database) == HEAD
    [copy] = [path for path in (tmp_path / "out").iterdir() if copies.NAME.fullmatch(path.name)]
    assert copies.read(copy).contents.schema == "0018"
    with database.read() as conn:
        assert [row.act.action for row in audit.listing(conn)] == ["migration", "backup"]
    brought_up_to_date(settings, database, lambda: NOW + timedelta(days=1))
    assert len(list((tmp_path / "out").glob("adapter-*.json"))) == 1
    with database.write() as tx:
        tx.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(ConfigError, match=r"newer than this program .*adapter restore"):
        brought_up_to_date(settings, database, lambda: NOW)
    database.close()


@pytest.mark.parametrize("asked", ["restore --release", "replay"])
def test_so_it_is_where_a_command_brings_it_up_to_date(each_store: str, tmp_path: Path, asked: str) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    older(tmp_path / "data", each_store == "postgresql").close()
    settings = _settings(tmp_path)
    if asked == "replay":
        with pytest.raises(UnavailableError, match="no site key"):
            rebuild(settings, Wish(None, None, None))
    else:
        with pytest.raises(RejectedError, match=NOTHING_HELD):
            command(settings, {"command": "restore-release", "by": "anna"})
    [copy] = [path for path in (tmp_path / "out").iterdir() if copies.NAME.fullmatch(path.name)]
    assert copies.read(copy).contents.schema == "0018"


def _settings(folder: Path) -> Settings:
    file = folder / "adapter.toml"
    store = stores.settings(folder / "data")
    file.write_text(CONFIG.format(data=folder / "data", to=folder / "out", more="", store=store))
    return load_settings(file)


# --- PostgreSQL's programs --------------------------------------------------------------------------------------------


def test_without_pg_dump_one_is_told_what_to_install_and_what_it_says_is_not_repeated(
    postgres: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stores.using(postgres):
        house = House(tmp_path)
        programs = tmp_path / "bin"
        programs.mkdir()
        monkeypatch.setenv("PATH", str(programs))
        with pytest.raises(ConfigError, match="pg_dump was not found — apt-get install postgresql-client"):
            house.made()
        fake = programs / "pg_dump"
        for said, told in (
            ("aborting because of server version mismatch", "older than the server"),
            (CANARY, "code 3"),
        ):
            fake.write_text(f'#!/bin/sh\necho "{said}" >&2\nexit 3\n')
            fake.chmod(0o755)
            with pytest.raises(UnavailableError, match=told) as caught:
                house.made()
            assert CANARY not in str(caught.value)
            assert files(house.to) == []
        fake.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
        with pytest.raises(BrokenOffError):
            house.made(going=lambda: False)
        house.database.close()


# --- what is held after a restore -------------------------------------------------------------------------------------


def test_while_it_is_held_nothing_leaves_and_nobody_is_told(house: House) -> None:
    """By hand, without the daemon: each round of deliveries and of alerting looks at the mark."""
    gone: list[Delivery] = []

    class Outlet:
        async def deliver(self, delivery: Delivery) -> None:
            gone.append(delivery)

    with house.database.write() as tx:
        outbox.add(tx, Owed("mail", "c1", "raised", "{}", "k1"), NOW)
        hold.begin(tx, hold.Hold(NOW, {}, 0))
    assert asyncio.run(deliver_next(house.database, {"mail": Outlet()}, house.clock)) == 0
    assert gone == []
    assert "restored" in alarms(house, backups=False).health().codes
    with house.database.write() as tx:
        assert hold.release(tx) == hold.Hold(NOW, {}, 0)
        assert hold.release(tx) is None
    assert asyncio.run(deliver_next(house.database, {"mail": Outlet()}, house.clock)) == 1
    assert "restored" not in alarms(house, backups=False).health().codes


# --- adapter check ----------------------------------------------------------------------------------------------------


def test_check_says_whether_the_next_one_could_be_made(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    own = pyrage.x25519.Identity.generate().to_public()
    settings = house.settings(f'recipient = "{own}"')
    bare = settings.model_copy(update={"backup": None})
    assert [text for level, text in looked_at(bare) if level == "warning"] == [
        'none is made by the daemon — add [backup] to = "/a/folder/on/another/disk"'
    ]
    found = dict(reversed(pair) for pair in looked_at(settings))
    assert found[f"{house.to} is not there yet — the first backup makes it"] == "warning"
    assert found[f"{house.to}, encrypted"] == "ok"
    house.to.mkdir(mode=0o700)
    house.rounds().round()
    with house.database.write() as tx:
        hold.begin(tx, hold.Hold(NOW, {}, 0))
    found = dict(reversed(pair) for pair in looked_at(house.settings()))
    assert found[f"{house.to}, not encrypted by us: that disk must be"] == "ok"
    assert found[f"{house.to} lies on the disk of the store: both would be lost together — choose another disk"]
    assert found["the store was restored: alerts and pushes are held until `adapter restore --release`"] == "warning"
    assert any(text.startswith("the last one that is whole was begun 2026-11-26 10:12 UTC") for text in found)
    monkeypatch.setattr(backup_checks, "SPARE", 1 << 60)
    assert any("make room there" in text for level, text in looked_at(house.settings()) if level == "warning")
    house.to.chmod(0o755)
    assert any("chmod 700" in text for level, text in looked_at(settings) if level == "warning")
    monkeypatch.setattr(sealing, "find_spec", lambda _name: None)
    assert any("immunosep-adapter[age]" in text for level, text in looked_at(settings) if level == "warning")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('to = "relative"', "write the whole path"),
        ('to = "/b"\nevery = "1 hour"', "a time is written with its unit"),
        ('to = "/b"\nevery = "10 s"', "one a minute is the most"),
        ('to = "/b"\nrecipient = "AGE-SECRET-KEY-1QQQ"', "a recipient is a public key of age"),
        ('to = "/b"\nkept = "35 d"', "unknown key 'kept' — did you mean 'keep'?"),
        ('every = "1 h"', "'backup.to' is missing"),
    ],
)
def test_a_wrong_section_is_told_with_its_line(tmp_path: Path, line: str, told: str) -> None:
    file = tmp_path / "adapter.toml"
    head = CONFIG.partition("[backup]")[0].format(data=tmp_path, store="", to="", more="")
    file.write_text(f"{head}[backup]\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(file)
    assert told in str(caught.value)
    assert str(caught.value).startswith(f"{file}:")


def test_one_that_is_being_encrypted_or_decrypted_is_broken_off_too(tmp_path: Path) -> None:
    own, plain, sealed = pyrage.x25519.Identity.generate(), tmp_path / "plain", tmp_path / "sealed"
    keys = tmp_path / "keys"
    keys.write_text(f"{own}\n")
    plain.write_bytes(os.urandom(1 << 20))
    sealing.seal(plain, sealed, [str(own.to_public())], lambda: True)

    def going_for(looks: int) -> backup.Going:
        asked = iter(range(1000))
        return lambda: next(asked) < looks  # whoever asks for ever comes to its end

    with pytest.raises(BrokenOffError):
        sealing.seal(plain, tmp_path / "again", [str(own.to_public())], going_for(3))
    with pytest.raises(BrokenOffError):
        sealing.unseal(sealed, tmp_path / "open", sealing.identities(keys), going_for(6))
    with pytest.raises(UnavailableError, match="could not be encrypted"):
        sealing.seal(Path("/proc/self/mem"), tmp_path / "more", [str(own.to_public())], lambda: True)
