"""docs/metrics.md names every metric of a running daemon with its labels, and no other."""

import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from adapter.daemon.clock import utc_now
from adapter.daemon.parts import open_parts
from adapter.hl7.mllp import encode
from adapter.settings import load_settings
from adapter.sources.fhir_tally import PollMetrics
from tests.installation import Installation, until
from tests.peers import Script, misbehaving

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
PARTS = ("_bucket", "_count", "_sum")


SECTIONS = """
[[source]]
kind = "folder"
name = "files"
site = "generic"
path = "{0}/drop"

[backup]
to = "{0}/copies"

[canary]

[heartbeat]
url = "file:{0}/watcher"
every = "1 s"
allow_private = true
"""
BY_AND_BY = {f"adapter_{one}_last_success_timestamp_seconds" for one in ("backup", "canary", "heartbeat")}
BY_AND_BY |= {"adapter_backup_last_restore_test_timestamp_seconds"}
OF_THE_KERNEL = {"adapter_clock_synchronised"}
"""Absent where it does not say."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Installation]:
    (tmp_path / "drop").mkdir()
    script = Script(only="GET", steps=[(200, dict[str, str](), b"")] * 1000)
    with misbehaving("http://127.0.0.1:9", script) as watcher:
        (tmp_path / "watcher").write_text(watcher)
        made = Installation(tmp_path, SECTIONS.format(tmp_path), source='senders = ["LAB|HOSP"]')
        yield made
        made.end()


def on_the_page() -> dict[str, set[str]]:
    rows = re.findall(r"^\| `(\w+)` \| ([\w, ]*) ?\|", PAGE.read_text(), re.MULTILINE)
    found = {name: {label.strip() for label in labels.split(",")} - {""} for name, labels in rows}
    assert len(found) == len(rows)
    return found


def families(text: str) -> set[str]:
    """Of each the name that is asked for: a counter's ends in `_total`."""
    kinds = re.findall(r"^# TYPE (\w+) (\w+)", text, re.MULTILINE)
    return {name for name, _ in kinds if not name.endswith("_created")}


def test_every_metric_of_a_running_daemon_stands_on_the_page_with_its_labels_and_no_other_does(
    place: Installation,
) -> None:
    place.start()
    message = b"MSH|^~\\&|LAB|HOSP|A|T|20260102030405+0000||ORU^R01|1|P|2.5.1\rPID|1||77^^^HOSP^MR\r"
    with socket.create_connection(("127.0.0.1", place.mllp), timeout=30) as peer:
        peer.sendall(encode(message))
        assert b"MSA|AA" in peer.recv(4096)
    until(lambda: place.counts()["pending"] == 0 and families(place.get("/metrics")) >= BY_AND_BY)
    text, polls, page = place.get("/metrics"), CollectorRegistry(), on_the_page()
    PollMetrics(polls)
    assert families(text) | families(generate_latest(polls).decode()) | OF_THE_KERNEL == set(page)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = re.sub(rf"({'|'.join(PARTS)})$", "", sample.name)
            if not name.endswith("_created"):
                assert set(sample.labels) <= page[name], name
                assert set(sample.labels) >= page[name] - {"le"}, name


def test_what_runs_and_how_much_it_takes_is_told(place: Installation) -> None:
    place.start()
    text = place.get("/metrics")
    built = re.search(r"^adapter_build_info\{(.*)\} 1.0$", text, re.MULTILINE)
    assert built
    said = dict(re.findall(r'(\w+)="([^"]*)"', built[1]))
    assert said["rule_version"].startswith("sha256:")
    assert said["environment"] == "production"
    assert all(said.values())
    for name in ("process_resident_memory_bytes", "process_open_fds", "adapter_threads"):
        found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
        assert found
        assert float(found[1]) > 0


def test_rules_that_are_adopted_are_those_that_run(tmp_path: Path) -> None:
    with open_parts(load_settings(Installation(tmp_path, "").config), utc_now) as parts:
        parts.keeper.rules = replace(parts.rules, digest="sha256:adopted")
        assert 'rule_version="sha256:adopted"' in parts.metrics.text().decode()
