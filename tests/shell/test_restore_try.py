"""A backup is tried beside the running daemon: brought back, looked into, thrown away, and put on record either way."""

import contextlib
import io
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pyrage
import pytest
from typer.testing import CliRunner

from adapter import telemetry
from adapter.cli.entry import app
from adapter.daemon import copies, rehearsal_place, restoring, sealing
from adapter.daemon.backing_up import SCRATCH, Made
from adapter.daemon.backup_checks import looked_at
from adapter.daemon.health import Pulse
from adapter.daemon.opening import open_store
from adapter.daemon.reaching import command
from adapter.daemon.rehearsal_place import FOLDER, clear_leftovers, folder_name
from adapter.daemon.rehearsal_round import Rehearsals
from adapter.daemon.rehearsing import Rehearsal, Seen, on_record, rehearse
from adapter.daemon.restoring import Order
from adapter.daemon.rules import SECRET
from adapter.domain.patient import PatientId
from adapter.errors import AdapterError, ConfigError, StorageFailedError, UnavailableError
from adapter.settings import Settings
from adapter.store import audit, backup, hold, patients, rehearsal_log, screening_ids
from adapter.store.backup import BrokenOffError, NoPlaceError
from adapter.store.database import Transaction
from adapter.store.locks import OURS, Lock
from adapter.store.rehearsal_log import FAILED, UNTESTED
from adapter.store.space import MIB, Marks, Space
from tests import stores
from tests.installation import Installation, until
from tests.postgres import PASSWORD, Cluster
from tests.shell.test_backup import NOW, House, files
from tests.shell.test_restore import files_of_at_most, fitted

WHO = PatientId("generic", "HOSP", "90817263")
OTHER = PatientId("generic", "HOSP", "11111111")


def furnished(house: House) -> House:
    """Messages, two patients, a screening number, an entry of the audit trail."""
    house.put("1", "2")
    with house.database.write() as tx:
        for one in (WHO, OTHER):
            patients.key_of(tx, one)
        screening_ids.allocate(tx, house.secret, "immunosep-demo", WHO, "4TQ7K2M9XA")
        audit.append(tx, audit.Act("anna", "operator", "replay"), NOW)
    return house


@pytest.fixture
def house(each_store: str, tmp_path: Path) -> Iterator[House]:
    made = furnished(House(tmp_path))
    yield made
    made.database.close()


@pytest.fixture
def sqlite_house(tmp_path: Path) -> Iterator[House]:
    made = furnished(House(tmp_path))
    yield made
    made.database.close()


def order(house: House, made: Made, identity: Path | None = None, going: backup.Going = lambda: True) -> Order:
    return Order(
        made.path, None if identity is None else sealing.identities(identity), "anna", house.now, (house.to,), going
    )


def standing(house: House) -> list[str]:
    """Every file and folder of the house but the log of the store, which may come and go."""
    there = (path for path in house.folder.rglob("*") if not path.name.startswith("adapter.db"))
    return sorted(str(path.relative_to(house.folder)) for path in there)


def folder(house: House) -> str:
    """The name of the one that this house tries in."""
    return folder_name(house.settings())


def databases(house: House) -> set[str]:
    """On the server, what a try left behind."""
    if stores.on_sqlite():
        return set()
    with psycopg.connect(stores.address(house.folder / "data"), password=PASSWORD) as conn:
        rows = conn.execute("SELECT datname FROM pg_database WHERE datname LIKE '%restore_try'").fetchall()
    return {str(name) for (name,) in rows}


def tried(house: House, made: Made, identity: Path | None = None, settings: Settings | None = None) -> Rehearsal:
    """And nothing is left behind, nothing of the store changed."""
    settings = settings or house.settings()
    before, trail = standing(house), house.trail()
    found = rehearse(settings, order(house, made, identity))
    assert standing(house) == before
    assert databases(house) == set()
    assert house.trail() == trail
    with house.database.read() as conn:
        assert not hold.stands(conn)
    return found


def test_it_is_brought_back_beside_the_store_and_thrown_away(house: House) -> None:
    made = house.made()
    house.put("3")
    found = tried(house, made)
    assert (found.problem, found.limit, found.outcome) == ("", "", "ok")
    assert found.manifest == made.manifest
    assert found.seen == Seen(numbers=1, patients=2, read=2)
    assert found.seconds > 0
    assert not ({WHO.value, "4TQ7K2M9XA"} & set(json.dumps(found.detail()).split('"')))


def test_a_path_that_an_url_would_read_otherwise_is_taken_as_it_is(sqlite_house: House) -> None:
    made = sqlite_house.made()
    odd = shutil.copytree(sqlite_house.to, sqlite_house.folder / "b?k=1#%41")
    other = sqlite_house.folder / "b"
    other.write_text("somebody else's")
    settings, moved = sqlite_house.settings(), replace(made, path=odd / made.path.name)
    wish = settings.backup
    assert wish is not None
    there = settings.model_copy(update={"backup": wish.model_copy(update={"to": odd})})
    assert tried(sqlite_house, moved, settings=there).seen == Seen(1, 2, 2)
    assert other.read_text() == "somebody else's"


def test_a_data_folder_may_be_named_from_where_the_command_is_called(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = pyrage.x25519.Identity.generate()
    more, keys = f'recipient = "{own.to_public()}"', house.folder / "keys"
    keys.write_text(f"{own}\n")
    made, settings = house.made(more), house.settings(more)
    monkeypatch.chdir(house.folder)
    there = settings.model_copy(update={"adapter": settings.adapter.model_copy(update={"data": Path("data")})})
    assert tried(house, made, keys, there).seen == Seen(1, 2, 2)
    assert folder_name(there) == folder_name(settings)


def test_meanwhile_only_this_account_reaches_it(sqlite_house: House) -> None:
    made, seen = sqlite_house.made(), dict[str, int]()

    def going() -> bool:
        for path in sqlite_house.folder.rglob("*"):
            if folder(sqlite_house) in path.parts:
                seen[str(path.relative_to(sqlite_house.folder))] = stat.S_IMODE(path.stat().st_mode)
        return True

    assert not rehearse(sqlite_house.settings(), order(sqlite_house, made, going=going)).problem
    assert seen.pop(f"out/{folder(sqlite_house)}") == 0o700
    assert seen
    assert set(seen.values()) == {0o600}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a folder away")
def test_what_root_makes_belongs_to_whom_the_data_folder_belongs(sqlite_house: House) -> None:
    made, seen = sqlite_house.made(), dict[str, int]()
    data = sqlite_house.folder / "data"
    os.chown(data, 12345, 12345)
    os.chown(sqlite_house.to, 12346, 12346)

    def going() -> bool:
        folders = (data / SCRATCH, *sqlite_house.to.glob(f"{FOLDER}*"))
        seen.update({path.name: path.stat().st_uid for path in folders})
        return True

    assert not rehearse(sqlite_house.settings(), order(sqlite_house, made, going=going)).problem
    assert sorted(seen.values()) == [12345, 12346]


def test_what_does_not_open_is_named(sqlite_house: House) -> None:
    made, scratch = sqlite_house.made(), sqlite_house.folder / "data" / SCRATCH
    scratch.write_text("no folder")
    with pytest.raises(UnavailableError, match=f"Not a directory.*look at {scratch}$"):
        rehearse(sqlite_house.settings(), order(sqlite_house, made))
    with pytest.raises(UnavailableError, match=f"Not a directory.*look at {scratch}$"):
        sqlite_house.made()


def test_a_flipped_byte_is_found(house: House) -> None:
    made = house.made()
    good = made.path.read_bytes()
    made.path.write_bytes(good[:-10] + bytes([good[-10] ^ 1]) + good[-9:])
    found = tried(house, made)
    assert "is not as it was made (sha256)" in found.problem
    assert (found.outcome, found.seen) == ("failed", None)


def test_one_that_the_disk_does_not_give_back_is_found(house: House) -> None:
    made = house.made()
    made.path.unlink()
    made.path.mkdir()
    assert tried(house, made).problem.endswith("could not be read (Is a directory) — look at its disk")


def test_one_that_is_damaged_though_its_manifest_was_made_to_fit_is_found(house: House) -> None:
    made = house.made()
    good = made.path.read_bytes()
    made.path.write_bytes(good[: len(good) // 2] + os.urandom(8192) + good[len(good) // 2 + 8192 :])
    fitted(made)
    found = tried(house, made)
    assert found.problem, "and the process goes on: it is no failure of the store"
    assert "drop it" not in found.problem, "no database is left that somebody might start a daemon on"


def test_one_that_holds_something_else_than_its_manifest_says_is_found(house: House) -> None:
    made = house.made()
    beside = copies.manifest_of(made.path)
    beside.write_text(beside.read_text().replace('"last_message": 2', '"last_message": 1'))
    found = tried(house, made)
    assert found.problem.endswith("something else than its manifest says — take another backup")
    beside.unlink()
    assert "a backup is two files" in tried(house, made).problem


def test_another_key_is_found(house: House) -> None:
    made, key = house.made(), house.folder / "data" / SECRET
    key.chmod(0o600)
    key.write_bytes(b"o" * 32)
    assert "is not the key that this backup was made with" in tried(house, made).problem
    key.unlink()
    assert "copy it from where it is kept" in tried(house, made).problem
    assert not key.exists()


def test_a_patient_that_cannot_be_read_is_found_and_not_named(house: House) -> None:
    with stores.beside(house.folder / "data") as conn:
        conn.execute(f"UPDATE patients SET demographics = '[CANARYFAMILY' WHERE value = '{WHO.value}'")
    found = tried(house, house.made())
    assert found.problem.startswith("a patient in it cannot be read (")
    assert "CANARYFAMILY" not in found.problem
    assert WHO.value not in found.problem


def test_a_number_that_the_key_does_not_open_is_found(house: House) -> None:
    with stores.beside(house.folder / "data") as conn:
        conn.execute("UPDATE screening_ids SET trial = 'another'")
    assert "sealed with another site secret" in tried(house, house.made()).problem


# --- what cannot be tried says nothing of the backup ------------------------------------------------------------------


def untried(house: House, made: Made, kind: type[AdapterError] = UnavailableError) -> str:
    before = standing(house)
    with pytest.raises(kind) as caught:
        rehearse(house.settings(), order(house, made))
    assert set(standing(house)) <= set(before)
    return str(caught.value)


def test_what_keeps_it_from_being_tried_is_no_failure_of_the_backup(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = house.made()
    scratch = house.folder / "data" / SCRATCH
    scratch.mkdir(mode=0o700)
    with copies.locked(scratch):
        assert "another backup is being made just now" in untried(house, made)
    with files_of_at_most(4096):
        assert "could not be tried (File too large)" in untried(house, made)
    with pytest.raises(BrokenOffError):
        rehearse(house.settings(), order(house, made, going=lambda: False))
    with monkeypatch.context() as tight:
        tight.setattr(rehearsal_place, "SPARE", 1 << 60)
        assert "has no room to try a backup" in untried(house, made)
    with monkeypatch.context() as filled:
        filled.setattr(restoring, "SPARE", 1 << 60)  # since it was looked for
        assert "has no room for" in untried(house, made, NoPlaceError)
    gone = replace(made, path=house.to / "adapter-20200101T000000Z.db")
    assert "is not there — give the file of a backup" in untried(house, gone, ConfigError)


def test_a_disk_that_fills_up_while_it_is_brought_back_is_no_failure_of_the_backup(
    sqlite_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def filled(tx: Transaction) -> None:
        tx.exec_driver_sql("PRAGMA max_page_count = 1")  # never less than there are
        tx.exec_driver_sql("CREATE TABLE more AS SELECT zeroblob(1000000)")

    monkeypatch.setattr(restoring, "migrate", filled)
    assert "SQLITE_FULL" in untried(sqlite_house, sqlite_house.made(), NoPlaceError)


def test_beside_the_store_no_room_is_taken_that_would_close_its_ports(sqlite_house: House) -> None:
    made, settings = sqlite_house.made(), sqlite_house.settings()
    free = shutil.disk_usage(sqlite_house.to)
    mark = free.total // 20
    store = settings.store.model_copy(update={"stop_free_mib": mark / MIB})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rehearsal_place, "SPARE", free.free - mark - made.manifest.bytes - (64 << 20))
        assert not rehearse(settings.model_copy(update={"store": store}), order(sqlite_house, made)).problem
        patched.setattr(rehearsal_place, "SPARE", free.free - mark + (64 << 20))
        with pytest.raises(UnavailableError, match="has no room to try"):
            rehearse(settings.model_copy(update={"store": store}), order(sqlite_house, made))


def test_an_encrypted_one_wants_its_key_and_is_in_clear_only_beside_the_store(house: House) -> None:
    own, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    more = f'recipient = "{own.to_public()}"'
    made, keys, seen = house.made(more), house.folder / "keys", set[str]()
    settings = house.settings(more)
    with pytest.raises(ConfigError, match="give the private key: --identity FILE"):
        rehearse(settings, order(house, made))
    keys.write_text(f"{other}\n")
    before = standing(house)
    with pytest.raises(ConfigError, match="none of its keys opens"):
        rehearse(settings, order(house, made, keys))
    assert standing(house) == before
    keys.write_text("AGE-SECRET-KEY-1MISTYPED\n")
    code, _, err = said(house, "restore", str(made.path), "--try", "--identity", str(keys))
    assert (code, "is no file with a private key" in err) == (1, True)
    assert records(house) == [], "that is no word of the backup"
    keys.write_text(f"{own}\n")

    def going() -> bool:
        seen.update(files(house.to))
        assert stat.S_IMODE((house.folder / "data" / folder_name(settings)).stat().st_mode) == 0o700
        return True

    found = rehearse(settings, order(house, made, keys, going))
    assert (found.problem, found.seen) == ("", Seen(1, 2, 2))
    assert seen == {made.path.name, copies.manifest_of(made.path).name}
    good = made.path.read_bytes()
    made.path.write_bytes(good[:-40])
    fitted(made)
    assert "it does not decrypt" in tried(house, made, keys, settings).problem


def test_one_that_lies_elsewhere_is_tried_beside_the_store(sqlite_house: House) -> None:
    made = sqlite_house.made()
    elsewhere = shutil.copytree(sqlite_house.to, sqlite_house.folder / "elsewhere")
    moved, seen = replace(made, path=elsewhere / made.path.name), set[str]()

    def going() -> bool:
        seen.update(files(elsewhere) + files(sqlite_house.to))
        return (sqlite_house.folder / "data" / folder(sqlite_house)).is_dir() or not seen

    assert not rehearse(sqlite_house.settings(), order(sqlite_house, moved, going=going)).problem
    assert seen == set(files(elsewhere))


# --- what a killed one leaves -----------------------------------------------------------------------------------------


def killed(house: House, made: Made) -> None:
    """As by -9, while the copy lies there."""

    def going() -> bool:
        if (house.to / name).is_dir():
            os.kill(os.getpid(), signal.SIGKILL)
        return True

    settings, name = house.settings(), folder(house)
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            rehearse(settings, order(house, made, going=going))
        os._exit(0)
    _, ended = os.waitpid(child, 0)
    assert os.WTERMSIG(ended) == signal.SIGKILL


def test_what_a_killed_one_left_goes_at_the_next_start_and_with_the_next_one(sqlite_house: House) -> None:
    made = sqlite_house.made()
    before = standing(sqlite_house)
    killed(sqlite_house, made)
    assert f"out/{folder(sqlite_house)}" in standing(sqlite_house)
    rounds(sqlite_house, tries=False).round()
    assert standing(sqlite_house) == before
    killed(sqlite_house, made)
    shutil.copytree(sqlite_house.to / folder(sqlite_house), sqlite_house.folder / "data" / folder(sqlite_house))
    assert not rehearse(sqlite_house.settings(), order(sqlite_house, made)).problem
    assert standing(sqlite_house) == before


def test_what_a_later_one_left_goes_though_the_daemon_looked_before(house: House, tmp_path: Path) -> None:
    mine = rounds(house, tries=False)
    mine.round()
    left = tmp_path / "data" / folder(house)
    left.mkdir()
    if not stores.on_sqlite():
        name = stores.address(tmp_path / "data").rpartition("/")[2] + "_restore_try"
        with psycopg.connect(stores.address(tmp_path / "data"), password=PASSWORD, autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {name}")
            conn.execute(f"COMMENT ON DATABASE {name} IS 'immunosep-adapter: a backup that is being tried'")
        left.rmdir()
    mine.round()
    assert not left.exists()
    assert databases(house) == set()


def test_what_another_installation_tries_in_the_same_folder_stays(sqlite_house: House, tmp_path: Path) -> None:
    made, there = sqlite_house.made(), tmp_path / "another"
    there.mkdir()
    other = House(there)
    other.database.close()
    theirs = sqlite_house.to / folder(other)
    theirs.mkdir(mode=0o700)
    assert not tried(sqlite_house, made).problem
    clear_leftovers(sqlite_house.settings())
    assert theirs.is_dir()
    shutil.copytree(sqlite_house.folder / "data", there / "moved")
    elsewhere = sqlite_house.settings().adapter.model_copy(update={"data": there / "moved"})
    moved = sqlite_house.settings().model_copy(update={"adapter": elsewhere})
    assert len({folder(other), folder(sqlite_house), folder_name(moved)}) == 3


def test_what_cannot_be_taken_away_is_told_and_looked_at_again_later(sqlite_house: House) -> None:
    book = io.StringIO()
    telemetry.configure_log(book)
    left, mine = sqlite_house.folder / "data" / folder(sqlite_house), rounds(sqlite_house, tries=False)
    left.write_text("no folder")
    mine.round()
    mine.round()
    assert book.getvalue().count("what a restore test left stays") == 1
    assert str(left) in book.getvalue()
    left.unlink()
    left.mkdir()
    sqlite_house.now += timedelta(hours=1)
    mine.round()
    assert not left.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_command_that_is_told_to_end_leaves_nothing(sqlite_house: House, number: signal.Signals) -> None:
    own = pyrage.x25519.Identity.generate()
    more, keys = f'recipient = "{own.to_public()}"', sqlite_house.folder / "keys"
    keys.write_text(f"{own}\n")
    made = sqlite_house.made(more)
    sqlite_house.settings(more)
    before = standing(sqlite_house)
    config = sqlite_house.folder / "adapter.toml"
    script = f"""
import os, signal, sys
signal.signal({int(number)}, signal.default_int_handler if {int(number)} == signal.SIGINT else signal.SIG_DFL)  # whoever runs the tests may ignore it
from adapter.daemon import restoring
whole = restoring.copies.sha256
def ended(*words):
    assert {folder_name(sqlite_house.settings(more))!r} in os.listdir({str(sqlite_house.folder / "data")!r})
    os.kill(os.getpid(), {int(number)})
    return whole(*words)
restoring.copies.sha256 = ended
sys.argv = ["adapter", "restore", {str(made.path)!r}, "--try", "--identity", {str(keys)!r}, "--config", {str(config)!r}]
from adapter.cli.entry import main
main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=120, check=False)
    assert done.returncode == 128 + number
    assert standing(sqlite_house) == before
    assert records(sqlite_house) == [], "that is no word of the backup"


def test_the_start_takes_nothing_away_from_one_that_is_at_work(sqlite_house: House) -> None:
    made, mine = sqlite_house.made(), rounds(sqlite_house, tries=False)

    def going() -> bool:
        mine.round()
        return (
            (sqlite_house.to / folder(sqlite_house)).is_dir() or not made.path.exists() or not sqlite_house.to.is_dir()
        )

    assert not rehearse(sqlite_house.settings(), order(sqlite_house, made, going=going)).problem
    (sqlite_house.to / folder(sqlite_house)).mkdir()
    mine.round()
    assert folder(sqlite_house) not in files(sqlite_house.to), "and looks again later"


def test_a_database_left_on_the_server_goes_and_anybody_else_s_stays(postgres: Cluster, tmp_path: Path) -> None:
    with stores.using(postgres):
        house = furnished(House(tmp_path))
        made, settings = house.made(), house.settings()
        name = stores.address(tmp_path / "data").rpartition("/")[2] + "_restore_try"
        with postgres.session() as conn:
            conn.execute(f"CREATE DATABASE {name}")
        with pytest.raises(NoPlaceError, match="not known to be ours"):
            rehearse(settings, order(house, made))
        with pytest.raises(NoPlaceError, match="drop it by hand"):
            clear_leftovers(settings)
        assert databases(house) == {name}
        with postgres.session() as conn:
            conn.execute(f"COMMENT ON DATABASE {name} IS 'immunosep-adapter: a backup that is being tried'")
        clear_leftovers(settings)
        assert databases(house) == set()
        with postgres.session() as conn:
            conn.execute(f"CREATE DATABASE {name}")
            conn.execute(f"COMMENT ON DATABASE {name} IS 'immunosep-adapter: a backup that is being tried'")
        assert not tried(house, made).problem
        house.database.close()


def test_a_server_that_makes_no_database_just_now_is_no_failure_of_the_backup(
    postgres: Cluster, tmp_path: Path
) -> None:
    with stores.using(postgres):
        house = furnished(House(tmp_path))
        made, settings = house.made(), house.settings()
        with psycopg.connect(stores.address(tmp_path / "data"), password=PASSWORD) as other:
            other.execute(f"SELECT pg_advisory_lock({OURS}, {int(Lock.SCRATCH)})")
            with pytest.raises(NoPlaceError, match="another process tries a backup of this store"):
                rehearse(settings, order(house, made))
        with postgres.session() as conn:
            conn.execute("ALTER DATABASE template0 RENAME TO away")
        try:
            with pytest.raises(NoPlaceError, match=r"no database to try a backup in \(3D000\)"):
                rehearse(settings, order(house, made))
        finally:
            with postgres.session() as conn:
                conn.execute("ALTER DATABASE away RENAME TO template0")
        gone = settings.store.model_copy(update={"url": settings.store.url.replace(f":{postgres.port}/", ":9/")})
        with pytest.raises(NoPlaceError, match="no connection to PostgreSQL"):
            rehearse(settings.model_copy(update={"store": gone}), order(house, made))
        assert not tried(house, made).problem
        house.database.close()


def test_a_database_that_cannot_be_used_is_no_failure_of_the_backup(
    postgres: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stores.using(postgres):
        house = furnished(House(tmp_path))
        made, settings = house.made(), house.settings()
        with monkeypatch.context() as bare:
            bare.setenv("PATH", str(tmp_path))
            with pytest.raises(ConfigError, match="pg_restore was not found"):
                rehearse(settings, order(house, made))
        with postgres.session() as conn:
            conn.execute(f"CREATE ROLE narrow LOGIN CREATEDB PASSWORD '{PASSWORD}'")
        narrow = settings.store.model_copy(update={"url": settings.store.url.replace("adapter@", "narrow@")})
        there = settings.model_copy(update={"store": narrow})
        assert not rehearse(there, order(house, made)).problem
        for limit in (1, 2):
            with postgres.session() as conn:
                conn.execute(f"ALTER ROLE narrow CONNECTION LIMIT {limit}")
            with pytest.raises(NoPlaceError):
                rehearse(there, order(house, made))
            assert databases(house) == set()
        with postgres.session() as conn:
            conn.execute("ALTER ROLE narrow CONNECTION LIMIT -1")
            conn.execute("ALTER ROLE narrow SET synchronous_commit = off")
        with pytest.raises(NoPlaceError, match="cannot be used: synchronous_commit = off"):
            rehearse(there, order(house, made))
        house.database.close()
        with postgres.session() as conn:
            conn.execute("DROP ROLE narrow")


def test_a_role_that_may_make_no_database_reads_it_through_and_says_so(postgres: Cluster, tmp_path: Path) -> None:
    with stores.using(postgres):
        house = furnished(House(tmp_path))
        made, settings = house.made(), house.settings()
        with postgres.session() as conn:
            conn.execute(f"CREATE ROLE modest LOGIN PASSWORD '{PASSWORD}'")
        modest = settings.store.model_copy(update={"url": settings.store.url.replace("adapter@", "modest@")})
        there = settings.model_copy(update={"store": modest})
        found = tried(house, made, settings=there)
        assert (found.problem, found.seen, found.manifest) == ("", None, made.manifest)
        assert "brought back nowhere: the role may not make a database" in found.limit
        assert found.detail()["brought_back"] is False
        assert on_record(settings, found, "anna") == ""
        assert raised(house) == set()
        warned = [text for level, text in looked_at(settings) if level == "warning"]
        assert any("was last read through on trial" in text and "brought back nowhere" in text for text in warned)
        made.path.write_bytes(made.path.read_bytes()[:-200])
        fitted(made)
        assert "pg_restore" in tried(house, made, settings=there).problem
        house.database.close()
        with postgres.session() as conn:
            conn.execute("DROP ROLE modest")


# --- the daemon's own -------------------------------------------------------------------------------------------------


def rounds(house: House, *, tries: bool = True, stopping: bool = False, more: str = "") -> Rehearsals:
    """`tries`: whether backups are made in clear."""
    sealed = "" if tries else f'recipient = "{pyrage.x25519.Identity.generate().to_public()}"'
    return Rehearsals(house.settings(more or sealed), house.database, house.clock, lambda: stopping)


def records(house: House) -> list[audit.Act]:
    with house.database.read() as conn:
        return [row.act for row in audit.listing(conn) if row.act.action == "restore-tested"]


def test_the_daemon_tries_the_newest_once_a_month_and_puts_it_on_record(house: House) -> None:
    mine = rounds(house)
    mine.round()
    assert records(house) == [], "there is none yet"
    house.made()
    house.now += timedelta(hours=1)
    newest = house.made().path.name
    mine.round()
    [act] = records(house)
    assert (act.actor, act.role, act.object_id, act.outcome) == ("adapter", "system", newest, "ok")
    assert (act.detail["brought_back"], act.detail["patients"]) == (True, 2)
    with house.database.read() as conn:
        assert rehearsal_log.passed(conn) == house.now
    house.now += timedelta(days=29)
    rounds(house).round()
    assert len(records(house)) == 1
    house.now += timedelta(days=2)
    rounds(house).round()
    assert len(records(house)) == 2
    house.now -= timedelta(days=90)  # a clock that was set back
    rounds(house).round()
    assert len(records(house)) == 3


@pytest.mark.parametrize("harm", ["cut off", "without its manifest", "with another's manifest"])
def test_a_newest_that_does_not_fit_is_not_passed_over_for_an_older_one(house: House, harm: str) -> None:
    older = house.made()
    house.now += timedelta(hours=1)
    newest = house.made()
    if harm == "cut off":
        newest.path.write_bytes(newest.path.read_bytes()[:-100])
    elif harm == "without its manifest":
        copies.manifest_of(newest.path).unlink()
    else:
        shutil.copy(copies.manifest_of(older.path), copies.manifest_of(newest.path))
    rounds(house).round()
    assert [(act.object_id, act.outcome) for act in records(house)] == [(newest.path.name, "failed")]
    assert raised(house) == {FAILED}


def test_one_of_another_store_in_the_same_folder_is_passed_over(sqlite_house: House, tmp_path: Path) -> None:
    mine = sqlite_house.made()
    (tmp_path / "another").mkdir()
    other = House(tmp_path / "another", sqlite_house.now + timedelta(hours=1))
    made = other.made()
    other.database.close()
    for path in (made.path, copies.manifest_of(made.path)):
        shutil.copy2(path, sqlite_house.to)
    rounds(sqlite_house).round()
    assert [(act.object_id, act.outcome) for act in records(sqlite_house)] == [(mine.path.name, "ok")]


ODD = (
    {"bytes": "many"},
    {"bytes": -1},
    {"bytes": 1 << 70},
    {"bytes": True},
    {"encrypted": "no"},
    {"made": "2026-11-26T10:12:00"},
    {"made": 5},
    {"file": "\ud800"},
    {"key": ["k"]},
    {"schema": 19},
    {"sha256": None},
    {"feeds": {"lab": {"last_message": "2", "last_received": "2026-11-26T10:12:00+00:00"}}},
    {"feeds": {"lab": {"last_message": 2, "last_received": "2026-11-26T10:12:00"}}},
    {"feeds": []},
    {"audit": {"entries": 1.5, "hash": ""}},
)


@pytest.mark.parametrize("odd", [*ODD, "deep"], ids=str)
def test_a_manifest_of_odd_values_is_a_failed_try_and_ends_nothing(sqlite_house: House, odd: object) -> None:
    made = sqlite_house.made()
    beside = copies.manifest_of(made.path)
    said = json.loads(beside.read_text())
    beside.write_text("[" * 200_000 if odd == "deep" else json.dumps(said | dict(odd)))  # type: ignore[call-overload]
    rounds(sqlite_house).round()
    [act] = records(sqlite_house)
    assert (act.outcome, "is no manifest of a backup" in act.reason) == ("failed", True)
    assert copies.listing(sqlite_house.to, made.manifest.key) == []


def test_one_of_a_store_without_patients_is_followed_by_another_a_day_later(each_store: str, tmp_path: Path) -> None:
    house = House(tmp_path)
    house.made()
    rounds(house).round()
    house.now += timedelta(hours=23)
    rounds(house).round()
    assert len(records(house)) == 1
    furnished(house)
    house.now += timedelta(hours=2)
    house.made()
    rounds(house).round()
    house.now += timedelta(days=2)
    rounds(house).round()
    assert [act.detail["patients"] for act in records(house)] == [0, 2]
    house.database.close()


def test_of_several_processes_one_tries(house: House) -> None:
    with house.database.write() as tx:
        assert rehearsal_log.claim(tx, NOW)
        assert not rehearsal_log.claim(tx, NOW + timedelta(minutes=1))
        assert rehearsal_log.claim(tx, NOW + rehearsal_log.AGAIN)


def test_encrypted_ones_wait_for_a_person(house: House) -> None:
    own = pyrage.x25519.Identity.generate()
    more = f'recipient = "{own.to_public()}"'
    house.made(more)
    rounds(house, more=more).round()
    rounds(house).round()  # `recipient` was taken out meanwhile
    assert records(house) == []
    house.now += timedelta(seconds=1)
    newest = house.made().path.name
    house.now += timedelta(seconds=1)
    house.made(more)
    rounds(house).round()
    assert [act.object_id for act in records(house)] == [newest], "the newest in clear"


def test_a_daemon_that_stops_does_not_wait_for_it(house: House) -> None:
    house.made()
    before = standing(house)
    rounds(house, stopping=True).round()
    assert records(house) == []
    assert standing(house) == before


def test_what_keeps_the_daemon_from_trying_is_told_and_ends_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = io.StringIO()
    telemetry.configure_log(book)
    house.made()
    with monkeypatch.context() as tight:
        tight.setattr(rehearsal_place, "SPARE", 1 << 60)
        rounds(house).round()
    assert "has no room to try a backup" in book.getvalue()
    assert alarms(house).health().codes == ()
    mine = rounds(house)
    wish = mine.settings.backup
    assert wish is not None
    dead = wish.model_copy(update={"to": house.folder / ("d" * 300)})
    mine.settings = mine.settings.model_copy(update={"backup": dead})
    mine.round()
    house.now += rehearsal_log.AGAIN
    mine.round()
    assert "ame too long \\u2014 look at the disks" in book.getvalue()
    rounds(house).round()
    assert [act.outcome for act in records(house)] == ["ok"]


def test_a_store_that_failed_is_told_as_such(sqlite_house: House) -> None:
    sqlite_house.made()
    sqlite_house.database.close()
    with (sqlite_house.folder / "data" / "adapter.db").open("r+b") as file:
        file.write(os.urandom(4096))
    with contextlib.closing(open_store(sqlite_house.settings(), read_only=True)) as broken:
        mine = rounds(sqlite_house)
        mine.database = broken
        with pytest.raises(StorageFailedError):
            mine.round()


# --- alarms -----------------------------------------------------------------------------------------------------------


def alarms(house: House, *, backups: bool = True) -> Pulse:
    return Pulse(house.database, Space(house.folder, Marks(0, 0, 0, 0)), house.clock, backups=backups)


def raised(house: House, *, backups: bool = True) -> set[str]:
    return {UNTESTED, FAILED} & set(alarms(house, backups=backups).health().codes)


def test_a_try_that_fails_is_an_alarm_at_once_until_one_passes(house: House) -> None:
    book = io.StringIO()
    telemetry.configure_log(book)
    made = house.made()
    good = made.path.read_bytes()
    made.path.write_bytes(good[:-10] + bytes([good[-10] ^ 1]) + good[-9:])
    rounds(house).round()
    [act] = records(house)
    assert (act.outcome, act.object_id) == ("failed", made.path.name)
    assert "sha256" in act.reason
    assert "restore test failed" in book.getvalue()
    assert raised(house) == {FAILED}
    assert raised(house, backups=False) == {FAILED}
    alarms(house).tell()
    assert "adapter restore --try FILE" in book.getvalue()
    made.path.write_bytes(good)
    rounds(house).round()
    assert raised(house) == {FAILED}, "it is tried again later"
    house.now += rehearsal_log.AGAIN
    rounds(house).round()
    assert raised(house) == set()
    assert [one.outcome for one in records(house)] == ["failed", "ok"]


def test_after_a_person_s_try_that_failed_the_daemon_tries_the_newest_though_one_had_passed(house: House) -> None:
    house.made()
    note(house, "ok")
    rounds(house).round()
    assert len(records(house)) == 1
    note(house, "failed")
    assert raised(house) == {FAILED}
    rounds(house).round()
    assert [act.outcome for act in records(house)] == ["ok", "failed", "ok"]
    assert raised(house) == set()


def test_35_days_without_one_that_passed_are_an_alarm(house: House) -> None:
    book = io.StringIO()
    telemetry.configure_log(book)
    assert raised(house) == set(), "no backup was ever wanted"
    house.rounds().round()
    house.now += timedelta(days=34)
    assert raised(house) == set()
    house.now += timedelta(days=2)
    assert raised(house) == {UNTESTED}
    assert raised(house, backups=False) == set(), "no [backup], no alarm"
    alarms(house).tell()
    assert "--identity KEY" in book.getvalue()
    note(house, "ok")
    assert raised(house) == set()
    house.now += timedelta(days=36)
    assert raised(house) == {UNTESTED}
    house.now += timedelta(days=3650)
    note(house, "ok")
    house.now -= timedelta(days=3650)  # that clock was wrong
    assert raised(house) == {UNTESTED}


def note(house: House, outcome: str) -> None:
    with house.database.write() as tx:
        act = audit.Act("anna", "operator", "restore-tested", "store", "adapter-x.db", {}, outcome)
        rehearsal_log.tested(tx, act, house.now)


def test_the_check_says_when_one_was_tried_and_how(house: House) -> None:
    def said() -> list[tuple[str, str]]:
        return [(level, text) for level, text in looked_at(house.settings()) if "trial" in text or "tried" in text]

    assert said() == [("ok", f"none was ever brought back on trial — {rehearsal_log.COMMAND}")]
    note(house, "failed")
    assert said()[0] == (
        "warning",
        f"adapter-x.db was tried and cannot be restored — try another one: {rehearsal_log.COMMAND}",
    )
    note(house, "ok")
    assert said() == [("ok", f"one was last brought back on trial {NOW:%Y-%m-%d %H:%M} UTC")]


def test_the_check_warns_where_none_was_tried_for_35_days(house: House) -> None:
    house.now -= timedelta(days=400)
    house.rounds().round()
    warned = [text for level, text in looked_at(house.settings()) if level == "warning"]
    assert f"none was ever brought back on trial — {rehearsal_log.COMMAND}" in warned


# --- the command ------------------------------------------------------------------------------------------------------


def said(house: House, *words: str, given: str = "") -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [*words, "--config", str(house.folder / "adapter.toml")], input=given)
    if isinstance(done.exception, AdapterError):
        return done.exit_code, "", str(done.exception)
    return done.exit_code, done.stdout, done.stderr


def test_the_command_says_what_was_found_and_how_long_it_took(house: House) -> None:
    made = house.made()
    house.settings()
    code, out, err = said(house, "restore", str(made.path), "--try")
    assert (code, err) == (0, "")
    assert "whole, made 2026-11-26" in out
    assert "messages up to 2, 1 entries of the audit trail; " in out
    assert "the key opens 1 screening numbers, 2 of 2 patients were read" in out
    code, out, _ = said(house, "restore", str(made.path), "--try", "--json")
    told = json.loads(out)
    assert (code, told["passed"], told["brought_back"], told["recorded"]) == (0, True, True, True)
    assert told["seconds"] >= 0
    made.path.write_bytes(made.path.read_bytes() + b"x")
    code, out, err = said(house, "restore", str(made.path), "--try")
    assert (code, out) == (1, "")
    assert "cannot be restored: " in err
    code, out, _ = said(house, "restore", str(made.path), "--try", "--json")
    assert (code, json.loads(out)["passed"]) == (1, False)
    assert [act.outcome for act in records(house)] == ["ok", "ok", "failed", "failed"]
    assert said(house, "restore", "--try")[0] == 2
    assert said(house, "restore", "--try", "--release")[0] == 2


@pytest.mark.parametrize("name", ["hostname", "adapter-20261126T101200Z.db.json", "backup.db"])
def test_a_file_that_is_no_backup_by_its_name_is_on_no_record(sqlite_house: House, name: str) -> None:
    sqlite_house.made()
    sqlite_house.settings()
    file = sqlite_house.to / name
    file.touch()
    code, _, err = said(sqlite_house, "restore", str(file), "--try")
    assert (code, f"{name} is no name of a backup" in err) == (1, True), "as a ConfigError, exit 2 of the program"
    assert records(sqlite_house) == []


def test_the_private_key_need_not_lie_on_the_disk(house: House) -> None:
    own = pyrage.x25519.Identity.generate()
    made = house.made(f'recipient = "{own.to_public()}"')
    house.settings(f'recipient = "{own.to_public()}"')
    script = (
        f"import sys; sys.argv = ['adapter', *{['restore', str(made.path), '--try', '--identity', '/dev/stdin']!r}]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{script}from adapter.cli.entry import main; main()"],
        input=f"{own}\n".encode(),
        env=os.environ | {"ADAPTER_CONFIG": str(house.folder / "adapter.toml")},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert [act.outcome for act in records(house)] == ["ok"]


def test_on_a_machine_without_the_store_it_is_tried_and_no_store_is_made(sqlite_house: House) -> None:
    made = sqlite_house.made()
    sqlite_house.settings()
    sqlite_house.database.close()
    data = sqlite_house.folder / "data"
    for path in data.glob("adapter.db*"):
        path.unlink()
    code, out, err = said(sqlite_house, "restore", str(made.path), "--try")
    assert (code, "2 of 2 patients were read" in out) == (0, True)
    assert "not on record: no database at" in err
    assert not list(data.glob("adapter.db*"))
    sqlite_house.database = stores.opened(data)


def test_a_store_of_another_schema_is_not_written_to(house: House) -> None:
    found = tried(house, house.made())
    with stores.beside(house.folder / "data") as conn:
        conn.execute("UPDATE schema_version SET version_num = '0018'")
    assert "has schema 0018" in on_record(house.settings(), found, "anna")


def test_a_command_that_lacks_what_it_needs_is_no_record(house: House) -> None:
    with pytest.raises(KeyError):
        command(house.settings(), {"command": "restore-tested", "by": "anna"})
    assert records(house) == []


# --- the true daemon --------------------------------------------------------------------------------------------------


def test_a_running_daemon_tries_its_first_backup_and_takes_a_person_s_on_record(
    each_store: str, tmp_path: Path
) -> None:
    place = Installation(tmp_path, f'[backup]\nto = "{tmp_path}/out"\n')
    figure = "adapter_backup_last_restore_test_timestamp_seconds 1"
    try:
        place.start()
        until(lambda: figure in place.get("/metrics"), 60)
        [file] = [path for path in (tmp_path / "out").iterdir() if copies.NAME.fullmatch(path.name)]
        done = place.command("restore", str(file), "--try", "--json")
        assert json.loads(done.stdout)["recorded"]
        file.write_bytes(file.read_bytes() + b"x")
        failed = place.command("restore", str(file), "--try", check=False)
        assert failed.returncode == 1
        until(lambda: f'adapter_alarm{{code="{FAILED}"}} 1.0' in place.get("/metrics"), 60)
        assert json.loads(place.get("/healthz"))["status"] == "degraded"
        assert place.stop() == 0
        with (
            contextlib.closing(stores.opened(place.folder / "data", read_only=True)) as store,
            store.read() as conn,
        ):
            acts = [row.act for row in audit.listing(conn) if row.act.action == "restore-tested"]
            outcomes = [(act.role, act.outcome) for act in acts]
        assert outcomes[:3] == [("system", "ok"), ("operator", "ok"), ("operator", "failed")]
    finally:
        place.end()
