"""`adapter check` says beforehand what a start would trip over."""

import subprocess
from pathlib import Path

import pytest

from adapter.daemon.checks import examine
from tests import stores
from tests.installation import ADAPTER, Installation
from tests.mounts import NO_MOUNT, usable_mount

EDC = '[[sink]]\nkind = "fhir"\nname = "edc"\npush_when = "screening"\ndates = "shifted"\n'
HOOK = '[[notifier]]\nkind = "webhook"\nname = "hook"\nurl = "https://hook.example.org/"\n'


@pytest.mark.parametrize(
    ("outlet", "said"),
    [
        (EDC + 'base = "https://e.example.org/fhir"\ntoken = "env:NOBODY_SET_THIS"', "secret env:NOBODY_SET_THIS cannot"),
        (EDC + 'base = "https://e.example.org/fhir"\ntoken = "file:/not/there"', "secret file:/not/there cannot be read"),
        (EDC + 'base = "https://e.example.org/fhir"\nverify = "/not/there.pem"', "/not/there.pem is not there"),
        (EDC + 'base = "http://other-machine/fhir"', "plain http to another machine"),
        (HOOK + 'secret = "env:ADAPTER_TEST_HOOK"', "hook: the webhook's secret is no base64"),
    ],
)  # fmt: skip
def test_an_outlet_that_cannot_be_made_is_an_error(
    tmp_path: Path, outlet: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Installation(tmp_path, outlet)
    monkeypatch.setenv("ADAPTER_TEST_HOOK", "whsec_Canary!")
    found = [one for one in examine(place.config) if one.about == "outlets" and one.level == "error"]
    assert len(found) == 1
    assert said in found[0].text
    assert "Canary" not in found[0].text


@pytest.mark.skipif(not usable_mount(), reason=NO_MOUNT)
def test_a_data_folder_that_is_mounted_read_only_is_an_error(tmp_path: Path) -> None:
    place = Installation(tmp_path, "")
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    mounted = 'mount -t tmpfs -o ro,mode=700 tmpfs "$0" && exec "$@"'
    command = ["unshare", "-m", "sh", "-c", mounted, str(data), *ADAPTER, "check", "--config", str(place.config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"error   store: {data}: the disk is mounted read-only" in done.stdout
    assert "is free" in done.stdout


def test_a_store_of_a_newer_program_is_an_error(tmp_path: Path) -> None:
    place = Installation(tmp_path, "")
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    stores.opened(data).close()
    with stores.beside(data) as conn:
        conn.execute("UPDATE schema_version SET version_num = '9999'")
    found = [one.text for one in examine(place.config) if one.about == "store" and one.level == "error"]
    assert found == [
        "the database has schema 9999, newer than this program — install the newer program, or restore the backup of before (adapter restore)"
    ]
