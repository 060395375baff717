"""A wheel carries mappings and profiles, and runs from a clean environment in another folder."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_carries_what_the_checkout_has(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("mappings", "profiles"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file():
                assert f"adapter/_assets/{path.relative_to(ROOT)}" in names
    assert "adapter/web/templates/worklist.html" in names
    assert {f"adapter/web/locale/{name}/LC_MESSAGES/adapter.po" for name in ("nl", "de", "el")} <= names
    assert any(name.startswith("adapter/store/migrations/versions/0001") for name in names)
    assert not any(name.startswith("tests/") for name in names)


def test_the_installed_wheel_understands_a_message_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    (site,) = (venv / "lib").glob("python3*/site-packages")
    zipfile.ZipFile(wheel).extractall(site)
    message = tmp_path / "one.hl7"
    message.write_bytes(
        b"MSH|^~\\&|LAB|H|A|A|20260102030000+0000||ORU^R01|1|P|2.5.1\rPID|1||7^^^HOSP^MR\r"
        b"OBR|1||F1|x\rOBX|1|NM|777-3^^LN||98|10*9/L|||||F|||20260102030000+0000\r"
    )
    dependencies = next(p for p in sys.path if p.endswith("site-packages"))
    elsewhere = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{site}{os.pathsep}{dependencies}", "HOME": str(tmp_path)}
    done = subprocess.run(
        [venv / "bin/python", "-m", "adapter", "convert", "--json", message],
        cwd=tmp_path, env=elsewhere, capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert told["disposition"] == "applied"
    assert told["events"][-1]["concept"] == "platelets"
    assert told["events"][-1]["value"] == "98"
