"""What an operator is told of a PostgreSQL store: by `adapter check`, and by a daemon that does not start."""

from pathlib import Path

import pytest

from tests import stores
from tests.installation import Installation
from tests.postgres import Cluster


@pytest.fixture
def place(postgres: Cluster, tmp_path: Path) -> Installation:
    with stores.using(postgres):
        yield Installation(tmp_path, "")  # type: ignore[misc]


def checked(place: Installation) -> str:
    (place.folder / "data").mkdir(mode=0o700, exist_ok=True)
    done = place.command("check", "--config", str(place.config), check=False)
    return (done.stdout + done.stderr).decode()


def test_a_good_server_is_named_without_its_password(place: Installation) -> None:
    said = checked(place)
    assert "store: postgresql://adapter@127.0.0.1" in said
    assert "heron" not in said
    assert "error" not in said


def test_a_server_that_may_lose_what_was_acknowledged_is_reported_and_refused(
    postgres: Cluster, place: Installation
) -> None:
    with postgres.session() as conn:
        conn.execute("ALTER ROLE adapter SET synchronous_commit = off")
        try:
            assert "error   store: synchronous_commit = off: a crash would lose" in checked(place)
            done = place.command("run", "--config", str(place.config), check=False)
        finally:
            conn.execute("ALTER ROLE adapter RESET synchronous_commit")
    assert done.returncode == 2
    assert b"SET it on" in done.stderr


def test_a_server_that_is_away_is_said_to_be_away(place: Installation) -> None:
    place.config.write_text(place.config.read_text().replace("adapter@127.0.0.1:", "adapter@127.0.0.1:1"))
    assert "no connection to PostgreSQL" in checked(place)
