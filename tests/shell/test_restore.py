"""What `adapter restore` refuses, each with the way on, and what it leaves when all is well."""

import contextlib
import json
import resource
import shutil
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pyrage
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from adapter.cli.entry import app
from adapter.daemon import copies, sealing
from adapter.daemon.backing_up import SCRATCH, Made
from adapter.daemon.gaps import gaps
from adapter.daemon.lock import held
from adapter.daemon.on_backups import NOTHING_HELD
from adapter.daemon.rehearsal_place import folder_name
from adapter.daemon.releasing import standing
from adapter.daemon.restoring import Order, Restored, restore
from adapter.daemon.site_key import site_key
from adapter.domain.patient import PatientId
from adapter.errors import AdapterError, ConfigError, RejectedError, UnavailableError
from adapter.settings import Settings
from adapter.store import audit, backup, hold, screening_ids
from adapter.store.migrate import HEAD, VERSION_TABLE, current_revision
from tests import stores
from tests.postgres import PASSWORD, Cluster
from tests.shell.test_backup import NOW, House

WHO = PatientId("generic", "HOSP", "90817263")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    made.put("1", "2")
    yield made
    made.database.close()


def emptied(house: House, *, key: bool = True) -> None:
    """The disk is lost; the key was kept elsewhere."""
    house.database.close()
    data = house.folder / "data"
    data.rename(house.folder / "before")
    data.mkdir(mode=0o700)
    if key:
        shutil.copy2(house.folder / "before" / "site.key", data / "site.key")


def names(house: House) -> list[str]:
    return sorted(path.name for path in (house.folder / "data").iterdir())


def order(house: House, file: Path, identity: Path | None = None) -> Order:
    return Order(file, None if identity is None else sealing.identities(identity), "anna", house.now)


def test_what_a_killed_try_or_backup_left_is_taken_away_and_hinders_no_restore(house: House) -> None:
    made = house.made()
    emptied(house)
    data = house.folder / "data"
    left, scratch = data / folder_name(house.settings()), data / SCRATCH
    for folder in (left, scratch):
        folder.mkdir(mode=0o700)
    (left / "adapter.db").write_text("in clear")
    (scratch / ".adapter-20261126T101200Z.db.part").write_text("in clear")
    with copies.locked(scratch):
        with pytest.raises(UnavailableError, match="another backup is being made just now, or tried"):
            restore(house.settings(), order(house, made.path))
        assert left.is_dir()
    restore(house.settings(), order(house, made.path))
    assert names(house) == ["adapter.db", "adapter.lock", "site.key"]


def refusal(house: House, file: Path, identity: Path | None = None, kind: type[AdapterError] = ConfigError) -> str:
    """And nothing was left behind."""
    before = names(house)
    with pytest.raises(kind) as caught:
        restore(house.settings(), order(house, file, identity))
    assert sorted({*names(house)} - {"adapter.lock"}) == [n for n in before if n != "adapter.lock"]
    return str(caught.value)


def test_a_restored_store_is_the_copy_and_holds_what_would_leave(house: House) -> None:
    made = house.made()
    emptied(house)
    (house.folder / "data" / ".restore.part").write_text("of one that was killed")
    house.now += timedelta(hours=2)
    done = restore(house.settings(), order(house, made.path))
    assert done.manifest == made.manifest
    data = house.folder / "data"
    assert names(house) == ["adapter.db", "adapter.lock", "site.key"]
    assert stat.S_IMODE((data / "adapter.db").stat().st_mode) == 0o600
    house.database = stores.opened(data)
    with house.database.read() as conn:
        assert backup.problems(conn) == []
        assert backup.contents(conn).feeds == made.manifest.contents.feeds
        assert hold.read(conn) == hold.Hold(house.now, {"lab": NOW}, 2)
        [entry] = audit.listing(conn)
    assert (entry.act.actor, entry.act.action, entry.act.object_id) == ("anna", "restore", made.path.name)


def test_it_is_refused_where_anything_is_already(house: House) -> None:
    made = house.made()
    said = refusal(house, made.path)
    assert "is not empty (adapter.db" in said
    assert "mv " in said
    house.database.close()
    with held(house.folder / "data"):
        assert "stop that one first" in refusal(house, made.path, kind=UnavailableError)


def test_it_is_refused_with_no_key_or_anothers(house: House) -> None:
    made = house.made()
    emptied(house, key=False)
    key = house.folder / "data" / "site.key"
    assert "copy it from where it is kept" in refusal(house, made.path)
    key.write_bytes(b"o" * 32)
    key.chmod(0o400)
    assert "is not the key that this backup was made with" in refusal(house, made.path)
    assert key.read_bytes() == b"o" * 32, "no key is made, none is changed"


def test_a_flipped_byte_is_found_wherever_it_is(house: House) -> None:
    made = house.made()
    emptied(house)
    good = made.path.read_bytes()
    for place in (100, len(good) // 2, len(good) - 1):
        made.path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        assert "is not as it was made (sha256)" in refusal(house, made.path)
    made.path.write_bytes(good[:-4096])
    assert "is not as it was made" in refusal(house, made.path)


def test_a_copy_without_its_manifest_or_with_another_is_refused(house: House) -> None:
    made = house.made()
    emptied(house)
    beside, other = copies.manifest_of(made.path), made.path.with_name("adapter-20260101T000000Z.db")
    shutil.copy(made.path, other)
    assert "a backup is two files" in refusal(house, other)
    shutil.copy(beside, copies.manifest_of(other))
    assert f"the manifest is of {made.path.name}" in refusal(house, other)
    text = beside.read_text()
    beside.write_text(text.replace('"form": 1', '"form": 2'))
    assert "of a newer program" in refusal(house, made.path)
    beside.write_text(text.replace('"last_message": 2', '"last_message": 1'))
    assert "something else than its manifest says" in refusal(house, made.path)
    for broken in ("", "[]", "{}", text.replace('"feeds": {', '"feeds": {"x": 1, ')):
        beside.write_text(broken)
        assert "is no manifest of a backup" in refusal(house, made.path)


def test_one_whose_trail_was_changed_is_refused_though_its_manifest_was_made_to_fit(house: House) -> None:
    with house.database.write() as tx:
        audit.append(tx, audit.Act("anna", "operator", "replay"), NOW)
    made = house.made()
    emptied(house)
    with backup.amended(made.path) as tx:
        tx.exec_driver_sql("DROP TRIGGER audit_no_update")
        tx.exec_driver_sql("UPDATE audit SET actor = 'dora'")
    fitted(made)
    assert "audit trail: entry 1 was changed" in refusal(house, made.path)


def fitted(made: Made) -> None:
    new = replace(made.manifest, sha256=copies.sha256(made.path), bytes=made.path.stat().st_size)
    copies.manifest_of(made.path).write_text(json.dumps(new.as_json()))


@contextlib.contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """As on a disk that is full: the system writes no byte more into any file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_and_a_copy_that_is_gone_are_no_bug_of_ours(house: House) -> None:
    made = house.made()
    emptied(house)
    with files_of_at_most(4096):
        assert "could not be restored (File too large)" in refusal(house, made.path, kind=UnavailableError)
    with (
        files_of_at_most(made.path.stat().st_size),
        pytest.raises(UnavailableError, match="SQLite says"),
        backup.amended(made.path) as tx,
    ):
        tx.exec_driver_sql("CREATE TABLE more AS SELECT zeroblob(1000000)")
    made.path.unlink()
    assert "could not be restored (No such file or directory)" in refusal(house, made.path, kind=UnavailableError)


def test_a_newer_schema_is_refused(house: House) -> None:
    made = house.made()
    emptied(house)
    with backup.amended(made.path) as tx:
        tx.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    fitted(made)
    assert "newer than this program" in refusal(house, made.path)


def other_database(house: House, postgres: Cluster) -> tuple[Settings, str]:
    """The settings with an empty database in place of the one that was copied."""
    url = postgres.new_database()
    old = house.settings()
    assert old.store is not None
    return old.model_copy(update={"store": old.store.model_copy(update={"url": url})}), url


def tables(url: str) -> int:
    with psycopg.connect(url, password=PASSWORD) as conn:
        [number] = conn.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() or (-1,)
    return int(number)


def test_a_server_is_filled_only_with_what_fits(postgres: Cluster, tmp_path: Path) -> None:
    with stores.using(postgres):
        house = House(tmp_path)
        house.put("1", "2")
        house.rounds().keep_numbers()
        made = house.made()
        house.rounds().keep_numbers()
        settings, url = other_database(house, postgres)
        beside, [numbers] = copies.manifest_of(made.path), house.to.glob("screening-numbers-*.json")
        good, kept = beside.read_text(), numbers.read_text()
        wish = order(house, made.path)
        beside.write_text(good.replace(f'"schema": "{HEAD}"', '"schema": "9999"'))
        with pytest.raises(ConfigError, match="newer than this program"):
            restore(settings, wish)
        beside.write_text(good)
        numbers.write_text("{")
        with pytest.raises(ConfigError, match="take it away to restore without it"):
            restore(settings, wish)
        numbers.write_text(kept)
        assert tables(url) == 0
        beside.write_text(good.replace('"last_message": 2', '"last_message": 1'))
        with pytest.raises(ConfigError, match=r"than its manifest says .* nothing in it is held: drop it"):
            restore(settings, wish)
        postgres.drop(url)
        beside.write_text(good)
        settings, url = other_database(house, postgres)
        assert restore(settings, wish) == Restored(made.manifest, 0)
        postgres.drop(url)
        house.database.close()


def test_an_older_one_is_brought_up_to_date(tmp_path: Path) -> None:
    from alembic import command

    from adapter.store.database import Database
    from adapter.store.migrate import _config

    (tmp_path / "data").mkdir(mode=0o700)
    old = Database.open(f"sqlite:///{tmp_path}/data/adapter.db")
    with old.write() as tx:
        command.upgrade(_config(tx), "0018")
    house = object.__new__(House)
    house.folder, house.now, house.database = tmp_path, NOW, old
    house.secret = site_key(old, tmp_path / "data" / "site.key")
    made = house.made()
    emptied(house)
    restore(house.settings(), order(house, made.path))
    house.database = stores.opened(tmp_path / "data")
    with house.database.read() as conn:
        assert current_revision(conn) == HEAD
        assert hold.stands(conn)
    house.database.close()


def test_an_encrypted_one_wants_its_private_key(house: House) -> None:
    own, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    made = house.made(f'recipient = ["{own.to_public()}"]')
    emptied(house)
    keys = house.folder / "keys"
    assert "give the private key: --identity FILE" in refusal(house, made.path)
    assert "no file with a private key" in refusal(house, made.path, keys)
    keys.write_text(f"# made today\n{other}\n")
    assert "none of its keys opens" in refusal(house, made.path, keys)
    keys.write_text(f"# made today\n{other}\n{own}\n")
    good = made.path.read_bytes()
    made.path.write_bytes(good[:-40])
    fitted(made)
    assert "it does not decrypt" in refusal(house, made.path, keys)
    made.path.write_bytes(good)
    fitted(made)
    restore(house.settings(), order(house, made.path, keys))
    house.database = stores.opened(house.folder / "data")


def test_numbers_given_after_it_are_known_again(house: House) -> None:
    made = house.made()
    with house.database.write() as tx:
        screening_ids.allocate(tx, house.secret, "immunosep-demo", WHO, "4TQ7K2M9XA")
    rounds = house.rounds()
    house.now += timedelta(hours=3)
    rounds.round()
    rounds.keep_numbers()
    elsewhere = house.folder / "elsewhere"
    elsewhere.mkdir()
    for path in (made.path, copies.manifest_of(made.path)):
        shutil.copy(path, elsewhere)
    emptied(house)
    wish = order(house, elsewhere / made.path.name)
    assert restore(house.settings(), wish) == Restored(made.manifest, None)
    (house.folder / "data" / "adapter.db").unlink()
    assert restore(house.settings(), replace(wish, kept=(house.to,))) == Restored(made.manifest, 1)
    house.database = stores.opened(house.folder / "data")
    with house.database.read() as conn:
        assert screening_ids.find(conn, house.secret, "immunosep-demo", WHO) == "4TQ7K2M9XA"
        assert screening_ids.resolve(conn, house.secret, "4TQ7K2M9XA") == ("immunosep-demo", WHO)


def test_numbers_that_lie_beside_a_copied_backup_are_older_than_those_the_daemon_kept(house: House) -> None:
    house.rounds().keep_numbers()
    made = house.made()
    house.rounds().keep_numbers()
    elsewhere = shutil.copytree(house.to, house.folder / "elsewhere")
    with house.database.write() as tx:
        screening_ids.allocate(tx, house.secret, "immunosep-demo", WHO, "4TQ7K2M9XA")
    house.rounds().keep_numbers()
    emptied(house)
    wish = replace(order(house, elsewhere / made.path.name), kept=(house.to,))
    assert restore(house.settings(), wish).numbers == 1
    house.database = stores.opened(house.folder / "data")


def test_a_folder_that_was_begun_anew_hides_no_numbers_beside_the_backup(house: House) -> None:
    made = house.made()
    with house.database.write() as tx:
        screening_ids.allocate(tx, house.secret, "immunosep-demo", WHO, "4TQ7K2M9XA")
    house.rounds().keep_numbers()
    elsewhere = shutil.copytree(house.to, house.folder / "elsewhere")
    [path] = house.to.glob("screening-numbers-*.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"numbers": []}))
    emptied(house)
    wish = replace(order(house, elsewhere / made.path.name), kept=(house.to,))
    assert restore(house.settings(), wish).numbers == 1
    house.database = stores.opened(house.folder / "data")


def test_each_feed_is_told_what_to_send_again(house: House) -> None:
    house.now += timedelta(seconds=90)
    house.put("3", source="gone")
    house.put("4", source="canary")
    house.put("4", source="worklist")
    settings = more_sources(house)
    made = house.made()
    found = {gap.feed: gap for gap in gaps(settings, made.manifest)}
    assert {name: gap.how for name, gap in found.items()} == {
        "lab": "resend",
        "icu": "resend",
        "ehr": "polled",
        "gone": "gone",
        "worklist": "pages",
    }
    assert found["lab"].last == NOW
    assert found["lab"].since == NOW - timedelta(minutes=1)
    assert found["gone"].since == NOW
    assert found["icu"].since is None
    assert found["worklist"].last == made.manifest.made


def more_sources(house: House) -> Settings:
    house.settings()
    file = house.folder / "adapter.toml"
    other = '[[source]]\nkind = "mllp"\nname = "icu"\nsite = "generic"\nlisten = "127.0.0.1:2576"\n'
    polled = '[[source]]\nkind = "fhir"\nname = "ehr"\nsite = "generic"\nbase = "https://ehr.example.org/fhir"\nevery = "60 s"\n'
    file.write_text(file.read_text() + other + polled + 'auth = {kind = "basic", user = "a", password = "env:A"}\n')
    from adapter.settings import load_settings

    return load_settings(file)


# --- the command ------------------------------------------------------------------------------------------------------


def said(house: House, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words, "--config", str(house.folder / "adapter.toml")])
    return done.exit_code, str(done.exception) if isinstance(done.exception, AdapterError) else done.output


def test_the_commands_say_what_they_did_and_what_is_to_be_done(house: House) -> None:
    more_sources(house)
    code, line = said(house, "backup", "--json")
    made = json.loads(line)
    assert (code, made["last_message"], made["recorded"]) == (0, 2, True)
    path = made["path"]
    assert "give the FILE of a backup, or --release" in said(house, "restore")[1]
    assert "--yes" in said(house, "restore", path)[1]
    emptied(house)
    code, text = said(house, "restore", path, "--yes")
    assert code == 0
    at = (NOW - timedelta(minutes=1)).astimezone().isoformat(sep=" ", timespec="seconds")
    assert (
        f"lab: last stored {NOW.astimezone().isoformat(sep=' ', timespec='seconds')}; ask to send again everything since {at}"
        in text
    )
    assert "icu: nothing of it is in the backup; ask to send again everything there is" in text
    assert "ehr: nothing of it is in the backup; asked again by the daemon itself" in text
    assert "worklist: answers, statuses, notes and accounts entered after" in text
    assert "adapter restore --release" in text
    assert standing(house.settings())["feeds"][0]["messages"] == 0
    code, text = said(house, "restore", "--release", "--yes")
    assert (code, "lab: nothing" in text) == (0, True)
    with pytest.raises(RejectedError, match=NOTHING_HELD):
        standing(house.settings())
    house.database = stores.opened(house.folder / "data")
    assert [action for action, _ in house.trail()] == ["restore", "restore-release"]


def test_without_a_folder_one_is_asked_for_and_without_a_store_none_is_made(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.settings()
    file = tmp_path / "adapter.toml"
    file.write_text(file.read_text().partition("[backup]")[0])
    assert "--to DIR" in said(house, "backup")[1]
    emptied(house)
    assert "no database at" in said(house, "restore", "--release", "--yes")[1]
    assert names(house) == ["site.key"]
