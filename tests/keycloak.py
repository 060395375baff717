"""A real Keycloak on a free port of this machine, with a realm made for the test; fetched by Maven and built once."""

import fcntl
import os
import shutil
import signal
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import requests

from tests.jars import JARS
from tests.ports import free_port

FOLDER = JARS / "keycloak"
VERSION = "26.7.3"
ARTEFACT = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
FETCH = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
ADMIN = "admin"
PATIENCE = 120
JAVA = "-XX:TieredStopAtLevel=1"
"""As `tests.jars.BRIEF`; the collector is chosen by Keycloak's own script."""


class Keycloak:
    def __init__(self, base: str) -> None:
        self.base = base

    def realm(self, representation: dict[str, Any]) -> str:
        """Imported; its issuer. One of the same name is replaced. Scopes come after it: given with it they replace the usual."""
        name, later = representation["realm"], ("clientScopes", "clients")
        self._asked("DELETE", f"/admin/realms/{name}", missing=True)
        self._asked("POST", "/admin/realms", {k: v for k, v in representation.items() if k not in later})
        for kind, where in zip(later, ("client-scopes", "clients"), strict=True):
            for one in representation.get(kind, ()):
                self._asked("POST", f"/admin/realms/{name}/{where}", one)
        return f"{self.base}/realms/{name}"

    def user_id(self, realm: str, name: str) -> str:
        return str(self._asked("GET", f"/admin/realms/{realm}/users?username={name}&exact=true").json()[0]["id"])

    def change_user(self, realm: str, name: str, **changes: Any) -> None:
        self._asked("PUT", f"/admin/realms/{realm}/users/{self.user_id(realm, name)}", changes)

    def sign_out(self, realm: str, name: str) -> None:
        """As an administrator does who ends all sessions of somebody."""
        self._asked("POST", f"/admin/realms/{realm}/users/{self.user_id(realm, name)}/logout")

    def _asked(self, method: str, path: str, body: Any = None, *, missing: bool = False) -> requests.Response:
        form = {"client_id": "admin-cli", "username": ADMIN, "password": ADMIN, "grant_type": "password"}
        token = requests.post(f"{self.base}/realms/master/protocol/openid-connect/token", form, timeout=30).json()
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        answer = requests.request(method, self.base + path, json=body, headers=headers, timeout=60)
        assert answer.ok or (missing and answer.status_code == 404), (answer.status_code, answer.text)
        return answer


@cache
def home() -> Path:
    """Fetched and built for memory and plain HTTP, once; other test processes wait for it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = FOLDER / f"keycloak-{VERSION}"
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made / "built").exists():
            shutil.rmtree(made, ignore_errors=True)
            archive = FOLDER / f"keycloak-quarkus-dist-{VERSION}.zip"
            if not archive.exists():
                _run(["mvn", "-q", "-B", FETCH, f"-Dartifact={ARTEFACT}", f"-DoutputDirectory={FOLDER}"])
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(FOLDER)
            _run(["sh", str(made / "bin" / "kc.sh"), "build", "--db=dev-mem"])
            (made / "built").touch()
    return made


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, check=False, capture_output=True, timeout=600, env=os.environ | {"JAVA_OPTS_APPEND": JAVA}
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


@contextmanager
def running(folder: Path) -> Iterator[Keycloak]:
    port = free_port()
    secrets = {
        "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN,
        "KC_BOOTSTRAP_ADMIN_PASSWORD": ADMIN,
        "JAVA_OPTS_APPEND": f"{JAVA} -Xmx384m",
    }
    options = [
        "--optimized",
        "--http-enabled=true",
        "--http-host=127.0.0.1",
        f"--http-port={port}",
        "--hostname-strict=false",
        "--cache=local",
    ]
    with (folder / "keycloak.out").open("wb") as out:
        process = subprocess.Popen(
            ["sh", str(home() / "bin" / "kc.sh"), "start", *options],
            stdout=out,
            stderr=out,
            env=os.environ | secrets,
            start_new_session=True,
        )
        try:
            # By a name other than the worklist's, so that a browser takes the two for two sites.
            yield Keycloak(_ready(f"http://localhost:{port}", process, folder))
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _ready(base: str, process: subprocess.Popen[bytes], folder: Path) -> str:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            if requests.get(f"{base}/realms/master", timeout=5).ok:
                return base
        except requests.RequestException:
            time.sleep(0.2)
    raise AssertionError((folder / "keycloak.out").read_text())
