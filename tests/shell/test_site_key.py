"""A store belongs to the key it was made with: the daemon starts with no other, and makes none beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter.daemon.site_key import site_key
from adapter.domain.patient import PatientId
from adapter.errors import ConfigError
from adapter.store import marks, screening_ids
from adapter.store.database import Database
from adapter.store.secret import SiteSecret
from tests import stores
from tests.installation import Installation

WHO = PatientId("generic", "HOSP", "1")


@pytest.fixture
def store(each_store: str, tmp_path: Path) -> Iterator[Database]:
    database = stores.opened(tmp_path)
    yield database
    database.close()


def numbered(database: Database, secret: SiteSecret) -> None:
    with database.write() as tx:
        screening_ids.allocate(tx, secret, "immunosep", WHO, "A")


def marked(database: Database) -> str:
    with database.read() as conn:
        return marks.said(conn, marks.SITE_KEY)


def test_a_key_that_is_gone_or_anothers_keeps_the_daemon_from_starting_and_check_says_so(tmp_path: Path) -> None:
    place = Installation(tmp_path, "")
    place.start()
    assert place.stop() == 0
    key = place.folder / "data" / "site.key"
    own = key.read_bytes()
    for other, said in ((None, b"site.key is gone"), (b"o" * 32, b"site.key is not the key of this store")):
        key.unlink(missing_ok=True)
        if other is not None:
            key.write_bytes(other)
            key.chmod(0o400)
        for word in ("run", "check"):
            done = place.command(word, check=False)
            assert done.returncode == 2
            assert said in done.stdout + done.stderr
        assert key.exists() is (other is not None)
    key.chmod(0o600)
    key.write_bytes(own)
    place.start()
    assert place.stop() == 0


def test_a_store_of_before_takes_the_key_that_opens_its_numbers(store: Database, tmp_path: Path) -> None:
    numbered(store, SiteSecret(b"k" * 32))
    path = tmp_path / "site.key"
    with pytest.raises(ConfigError, match="is gone"):
        site_key(store, path)
    path.write_bytes(b"o" * 32)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="not the key of this store"):
        site_key(store, path)
    assert not marked(store)
    path.write_bytes(b"k" * 32)
    assert site_key(store, path) == SiteSecret(b"k" * 32)
    assert marked(store)


def test_a_store_without_a_number_takes_the_key_that_is_there_or_a_new_one(store: Database, tmp_path: Path) -> None:
    made = site_key(store, tmp_path / "site.key")
    assert marked(store)
    assert site_key(store, tmp_path / "site.key") == made
