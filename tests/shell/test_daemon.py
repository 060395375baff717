"""The daemon and its commands as an operator meets them: processes, sockets, exit codes."""

import base64
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter.hl7.mllp import encode
from tests import nursery, stores
from tests.ports import free_port

CONFIG = """
[adapter]
data = "{folder}/data"
trials = ["immunosep-demo"]
environment = "production"

[store]
{store}ballast_mib = 0

[[source]]
kind = "mllp"
name = "lab"
site = "generic"
listen = "127.0.0.1:{mllp}"

[[sink]]
kind = "folder"
name = "shelf"
path = "{folder}/bundles"
push_when = "candidate"
dates = "shifted"

[web]
listen = "127.0.0.1:{web}"
"""
NAME, NUMBER = "Canaryfamily", "90817263"


def oru(control_id: str, patient: str = NUMBER) -> bytes:
    return (
        f"MSH|^~\\&|LAB|HOSP|A|T|20260102030405+0000||ORU^R01|{control_id}|P|2.5.1\r"
        f"PID|1||{patient}^^^HOSP^MR||{NAME}^Zoe||19500101|F\rPV1|1|E|ED^^4||||||||||||||||V{patient}\r"
        f"OBR|1||{control_id}|P|||20260102030000+0000\rOBX|1|NM|777-3^Plt^LN||98|10*3/uL|||||F\r"
    ).encode()


class Installation:
    """A configuration in a folder, and a daemon running from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mllp, self.web = free_port(), free_port()
        self.config = folder / "adapter.toml"
        self.config.write_text(
            CONFIG.format(folder=folder, mllp=self.mllp, web=self.web, store=stores.lines(folder / "data"))
        )
        self.log = (folder / "log").open("w+")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "adapter", "run", "--config", str(self.config)]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.get("/readyz") == "ok\n":
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError((self.folder / "log").read_text())

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web}{path}", timeout=5) as answer:
            return str(answer.read().decode())

    def send(self, *bodies: bytes) -> list[bytes]:
        with socket.create_connection(("127.0.0.1", self.mllp), timeout=60) as peer:
            stream = peer.makefile("rwb")
            answers = []
            for body in bodies:
                stream.write(encode(body))
                stream.flush()
                answer = b""
                while not answer.endswith(b"\x1c\r"):
                    answer += stream.read(1)
                answers.append(answer)
            return answers

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def command(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"ADAPTER_CONFIG": str(self.config)}
        return nursery.run(*words, stdin=stdin.encode(), environment=environment, text=True)

    def settled(self, number: int) -> dict[str, int]:
        """The counts, once so many were received and none of them waits."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            counts = metrics(self.get("/metrics"))
            if counts["received"] >= number and not counts["inbox_pending"]:
                return counts
            time.sleep(0.05)
        raise AssertionError(counts)

    def written(self) -> str:
        self.log.flush()
        return (self.folder / "log").read_text()


def metrics(page: str) -> dict[str, int]:
    found = dict(re.findall(r'^adapter_messages_(\w+?)(?:_total)?\{feed="lab"\} ([\d.]+)$', page, re.MULTILINE))
    found |= dict(re.findall(r'^adapter_(inbox_pending)\{feed="lab"\} ([\d.]+)$', page, re.MULTILINE))
    names = ("received", "applied", "duplicate", "ignored", "quarantined", "inbox_pending")
    return {name: int(float(found.get(name, 0))) for name in names}


@pytest.fixture
def place(each_store: str, tmp_path: Path) -> Iterator[Installation]:
    yield from installed(tmp_path)


@pytest.fixture
def on_a_file(tmp_path: Path) -> Iterator[Installation]:
    """The same, for what only an SQLite store has."""
    yield from installed(tmp_path)


def installed(folder: Path) -> Iterator[Installation]:
    made = Installation(folder)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.wait()
    made.log.close()


def test_a_message_walks_from_the_socket_to_the_counts_and_the_daemon_stops_in_good_order(place: Installation) -> None:
    place.start()
    answers = place.send(oru("1"), oru("1"), oru("2"), b"no header")
    assert [a.split(b"MSA|")[1][:2] for a in answers] == [b"AA", b"AA", b"AA", b"AE"]
    counts = place.settled(4)
    assert counts["received"] == 4
    assert counts["received"] == sum(number for name, number in counts.items() if name != "received")
    assert counts["duplicate"] == counts["quarantined"] == 1
    assert place.stop() == 0
    listed = [json.loads(line) for line in place.command("inbox", "list", "--json").stdout.splitlines()]
    assert [(row["control_id"], row["state"]) for row in listed] == [
        ("1", "applied"),
        ("2", "applied"),
        ("", "quarantined"),
    ]
    assert "stopped" in place.written()
    assert NAME not in place.written()
    assert NUMBER not in place.written()


def test_a_terminal_that_hangs_up_stops_the_daemon_in_good_order(on_a_file: Installation) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whatever these tests were started under
    try:
        on_a_file.start()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert on_a_file.stop(signal.SIGHUP) == 0
    assert "stopped" in on_a_file.written()


def test_what_was_acknowledged_before_a_kill_is_there_after_the_restart(place: Installation) -> None:
    place.start()
    place.send(*(oru(str(n)) for n in range(20)))
    assert place.stop(signal.SIGKILL) == -signal.SIGKILL
    place.start()
    counts = place.settled(20)
    assert counts["received"] == 20
    place.send(oru("5"))
    assert metrics(place.get("/metrics"))["duplicate"] == 1


def test_one_process_runs_at_a_time_and_commands_reach_it_by_its_socket(place: Installation) -> None:
    place.start()
    second = place.command("run")
    assert second.returncode == 3
    assert "in use" in second.stderr
    assert (place.folder / "data" / "adapter.sock").stat().st_mode & 0o777 == 0o600
    added = place.command("user", "add", "anna", "--role", "coordinator")
    assert "/sign-in/once/" in added.stdout
    assert place.command("user", "add", "anna", "--role", "coordinator").returncode == 1
    assert place.command("user", "add", "bert", "--role", "king").returncode == 2
    assert place.command("user", "disable", "anna").returncode == 0
    listed = json.loads(place.command("user", "list", "--json").stdout)
    assert listed["disabled"] is True
    place.send(oru("1"))
    shown = json.loads(place.command("inbox", "show", "1", "--reason", "test", "--json").stdout)
    assert base64.b64decode(shown["body"]) == oru("1")
    assert place.command("inbox", "show", "7", "--reason", "test").returncode == 1
    assert place.command("inbox", "show", "1").returncode == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--role", "cordinator"), "no role 'cordinator' — did you mean 'coordinator'?"),
        (("--role", "coordinator", "--site", "atikon"), "no site 'atikon' — did you mean 'attikon'?"),
        (("--role", "coordinator", "--trial", "imunosep-demo"), "no trial 'imunosep-demo' — did you mean"),
    ],
)
def test_a_word_that_nobody_knows_is_wrong_use(on_a_file: Installation, words: tuple[str, ...], said: str) -> None:
    for act in ("add", "role"):
        done = on_a_file.command("user", act, "anna", *words)
        assert done.returncode == 2
        assert said in done.stderr


def test_without_a_daemon_a_command_does_its_work_under_the_lock(place: Installation) -> None:
    assert place.command("user", "add", "anna", "--role", "admin").returncode == 0
    assert "anna" in place.command("user", "list").stdout
    assert place.command("inbox", "count", "--json").stdout.startswith('{"received": 0')


def noted(place: Installation, number: int, digest: str) -> str:
    (place.folder / "noted").write_text(f"{number} {digest}\n")
    return str(place.folder / "noted")


def test_a_changed_audit_trail_is_noticed(place: Installation) -> None:
    place.command("user", "add", "anna", "--role", "admin")
    place.command("user", "add", "bert", "--role", "coordinator")
    whole = place.command("audit", "verify", "--json")
    said = json.loads(whole.stdout)
    assert (whole.returncode, said["whole"], said["problem"]) == (0, True, None)
    again = place.command("audit", "verify", "--json", "--against", noted(place, said["last"], said["hash"]))
    assert json.loads(again.stdout) | {"hash": ""} == said | {"last": said["last"] + 1, "hash": "", "compared": 1}
    assert (
        f"{said['last'] + 2} entries, each as it was written; the last is " in place.command("audit", "verify").stdout
    )
    with stores.beside(place.folder / "data") as store:
        store.execute("DROP TRIGGER " + ("audit_no_update" if stores.on_sqlite() else "audit_only_grows ON audit"))
        store.execute("UPDATE audit SET actor = 'somebody' WHERE seq = 1")
    changed = place.command("audit", "verify")
    assert (changed.returncode, changed.stdout) == (1, "")
    assert changed.stderr.startswith("adapter: entry 1 was changed")
    assert json.loads(place.command("audit", "verify", "--json").stdout)["problem"] == "entry 1 was changed"


def test_explain_answers_by_number_on_standard_input_and_says_no_to_strangers(place: Installation) -> None:
    place.start()
    place.send(oru("1"))
    place.settled(1)
    found = place.command(
        "explain", "--patient", "-", "--json", "--at", "2026-01-02T04:00:00+00:00", stdin=f"generic|HOSP|{NUMBER}\n"
    )
    assert json.loads(found.stdout)["sofa"]["components"]["coagulation"]["score"] == 2
    assert NUMBER not in found.stdout
    assert place.command("explain", "NOBODY").returncode == 1
    assert place.command("explain").returncode == 2
    assert place.command("explain", "--patient", "-", stdin="what\n").returncode == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('site = "generic"', 'site = "generik"', "no site 'generik' — did you mean 'generic'?"),
        ('trials = ["immunosep-demo"]', 'trials = ["imunosep"]', "did you mean 'immunosep'?"),
        ("listen =", "lisen =", "unknown key 'lisen' — did you mean 'listen'?"),
        ('push_when = "candidate"', 'push_when = ""', "push_when is not decided"),
    ],
)
def test_a_bad_configuration_refuses_to_start_and_check_says_so_too(
    place: Installation, old: str, new: str, said: str
) -> None:
    place.config.write_text(place.config.read_text().replace(old, new, 1))
    for word, stream in (("run", "stderr"), ("check", "stdout")):
        done = place.command(word)
        assert done.returncode == 2
        assert said in getattr(done, stream)


def test_an_address_in_use_is_named(place: Installation) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", place.mllp))
        other.listen()
        done = place.command("run")
        assert done.returncode == 2
        assert f"127.0.0.1:{place.mllp} cannot be listened on" in done.stderr
        assert place.command("check").returncode == 2


def test_an_address_that_the_worklist_took_is_refused_to_a_source(place: Installation) -> None:
    config = place.config.read_text().replace(f"127.0.0.1:{place.mllp}", f"127.0.0.1:{place.web}")
    place.config.write_text(
        config.replace(f'[web]\nlisten = "127.0.0.1:{place.web}"', f'[web]\nlisten = "localhost:{place.web}"')
    )
    done = place.command("run")
    assert done.returncode == 2
    assert f"127.0.0.1:{place.web} cannot be listened on" in done.stderr


def test_a_worklist_on_an_open_network_without_tls_is_refused(place: Installation) -> None:
    place.config.write_text(place.config.read_text().replace(f"127.0.0.1:{place.web}", f"0.0.0.0:{place.web}"))
    done = place.command("run")
    assert done.returncode == 2
    assert "in clear" in done.stderr


def test_check_says_how_the_store_stands_and_what_would_keep_it_from_starting(on_a_file: Installation) -> None:
    on_a_file.start()
    assert on_a_file.stop() == 0
    data = on_a_file.folder / "data"
    said = on_a_file.command("check").stdout
    assert "journal wal, pages of 4096 bytes, synchronous=FULL when written" in said
    assert f"SQLite {sqlite3.sqlite_version}" in said
    assert " MiB free" in said
    (data / "adapter.db").chmod(0o644)
    done = on_a_file.command("check")
    assert done.returncode == 2
    assert f"chmod 600 {data / 'adapter.db'}" in done.stdout
    (data / "adapter.db").rename(data / "aside.db")
    (data / "adapter.db-wal").write_bytes(b"what was acknowledged last")
    assert "put the database back" in on_a_file.command("check").stdout


def test_before_the_first_start_of_a_version_commands_say_so(on_a_file: Installation) -> None:
    data = on_a_file.folder / "data"
    data.mkdir(mode=0o700)
    stores.opened(data).close()
    with stores.beside(data) as conn:
        conn.execute("UPDATE schema_version SET version_num = '0018'")
    for words in (("user", "list"), ("mapping", "coverage"), ("explain", "4TQ7K2M9XA")):
        done = on_a_file.command(*words)
        assert done.returncode == 3
        assert "the store is not of this version — start the daemon of this version once" in done.stderr


def test_a_store_that_others_can_reach_is_refused_before_it_is_migrated(on_a_file: Installation) -> None:
    data = on_a_file.folder / "data"
    data.mkdir(mode=0o700)
    (data / "adapter.db").touch(0o644)
    done = on_a_file.command("run")
    assert done.returncode == 2
    assert f"chmod 600 {data / 'adapter.db'}" in done.stderr
    assert not (data / "adapter.db").stat().st_size


def test_check_is_content_with_a_good_installation(place: Installation) -> None:
    done = place.command("check", "--json")
    assert done.returncode == 0
    assert {json.loads(line)["level"] for line in done.stdout.splitlines()} <= {"ok", "warning"}
