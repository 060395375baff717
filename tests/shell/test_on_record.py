"""What the daemon puts on record of itself: starts, ends, changes, the clock; and the head of the log outside the store."""

import json
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from prometheus_client.core import Metric

from adapter.daemon import recording
from adapter.daemon.anchoring import ANCHOR_ENTRIES, DAILY, Anchors, StoppingError
from adapter.daemon.self_check import SelfChecks
from adapter.daemon.tally import Tally
from adapter.errors import StorageFailedError
from adapter.store import accounts, audit
from adapter.store.accounts import Session, User
from adapter.store.audit import Act
from adapter.store.database import Database
from adapter.web import sessions
from tests import stores
from tests.installation import Installation
from tests.shell.test_audit_commands import cut_off

NOW = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now, self.steady = NOW, 100.0

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def database(each_store: str, tmp_path: Path) -> Iterator[Database]:
    opened = stores.opened(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path, "")
    yield made
    made.end()


def entries(database: Database) -> list[Act]:
    with database.read() as conn:
        return [row.act for row in audit.listing(conn)]


def said(metrics: Iterator[Metric]) -> dict[tuple[str, ...], float]:
    return {(one.name, *one.labels.values()): one.value for metric in metrics for one in metric.samples}


def append(database: Database, number: int = 1, action: str = "seen", outcome: str = "ok") -> None:
    with database.write() as tx:
        for _ in range(number):
            audit.append(tx, Act("anna", "coordinator", action, outcome=outcome), NOW)


# --- a daemon's own life ---------------------------------------------------------------------------------------------


def test_starts_ends_a_kill_and_what_changed_meanwhile_are_on_record(place: Installation) -> None:
    place.start()
    assert place.stop() == 0
    place.start()
    place.stop(signal.SIGKILL)
    place.config.write_text(place.config.read_text().replace("[web]", "[web]\nidle_minutes = 20"))
    place.start()
    lines = place.command("audit", "export", "--reason", "test").stdout.splitlines()
    found = [json.loads(line) for line in lines]
    life = [one["action"] for one in found if not one["action"].startswith("audit")]
    first = ["migration", "daemon-start", "daemon-stop"]
    assert life == [*first, "daemon-start", "daemon-recovered", "daemon-start", "config-changed"]
    changed = json.loads(next(one for one in found if one["action"] == "config-changed")["detail"])
    assert (changed["sections"], changed["before"] != changed["after"]) == (["web"], True)
    assert "audit head" in place.log.read_text()
    verified = place.command("audit", "verify", "--against", str(place.log))
    assert b"as they were noted in log" in verified.stdout


def test_an_error_that_ends_the_daemon_is_told_with_its_stop(database: Database, tmp_path: Path) -> None:
    settings, rules = configured(tmp_path)
    with pytest.raises(ZeroDivisionError), recording.on_duty(settings, rules, database, Hands()):
        raise ZeroDivisionError
    stop = entries(database)[-1]
    assert (stop.action, stop.outcome, stop.reason) == ("daemon-stop", "failed", "ZeroDivisionError")


def test_a_store_that_fails_at_the_stop_is_told_by_how_the_daemon_ends(tmp_path: Path) -> None:
    """Else the last commit would have failed unseen (reliability R5)."""
    (tmp_path / "store").mkdir()
    opened = stores.opened(tmp_path / "store")
    settings, rules = configured(tmp_path)
    with pytest.raises(StorageFailedError), recording.on_duty(settings, rules, opened, Hands()):
        (tmp_path / "store" / "adapter.db").rename(tmp_path / "store" / "elsewhere")


def configured(folder: Path) -> tuple[Any, Any]:
    from adapter.daemon.rules import load_rules
    from adapter.settings import load_settings

    settings = load_settings(Installation(folder, "").config)
    return settings, load_rules(settings)


def test_other_rules_are_on_record_by_their_digests(database: Database, tmp_path: Path) -> None:
    from dataclasses import replace

    settings, rules = configured(tmp_path)
    for one in (rules, replace(rules, digest="sha256:other")):
        with recording.on_duty(settings, one, database, Hands()):
            pass
    changed = [one for one in entries(database) if one.action == "rules-changed"]
    assert [one.detail for one in changed] == [{"before": rules.digest, "after": "sha256:other"}]


def test_an_alarm_of_the_store_is_on_record_when_it_begins_and_when_it_ends(database: Database) -> None:
    checks = SelfChecks(database)
    checks.note({"disk-low", "feed-silent"}, set(), NOW)
    checks.note(set(), {"disk-low"}, NOW)
    checks.note(set(), set(), NOW)
    assert [(one.action, one.detail, one.outcome) for one in entries(database)] == [
        ("self-check", {"code": "disk-low"}, "failed"),
        ("self-check", {"code": "disk-low"}, "ok"),
    ]


def test_a_session_that_nobody_used_ends_on_record(database: Database) -> None:
    with database.write() as tx:
        accounts.add_user(tx, User("anna", "coordinator", "", NOW))
        for token, seen in (("idle", NOW), ("busy", NOW + timedelta(minutes=14))):
            accounts.open_session(tx, Session(token, "c", "anna", NOW, seen, NOW + timedelta(hours=12)))
        sessions.expire(tx, NOW + timedelta(minutes=16), timedelta(minutes=15))
        assert accounts.find_session(tx, "idle", NOW) is None
        assert accounts.find_session(tx, "busy", NOW) is not None
    assert [(one.actor, one.role, one.action) for one in entries(database)] == [
        ("anna", "coordinator", "session-timeout")
    ]


def test_the_oldest_of_too_many_sessions_ends_on_record(database: Database) -> None:
    anna = User("anna", "coordinator", "", NOW)
    with database.write() as tx:
        accounts.add_user(tx, anna)
        for minute in range(4):
            sessions.start(tx, anna, NOW + timedelta(minutes=minute))
    assert [(one.action, one.detail) for one in entries(database)] == [("session-ended", {"sessions": 1})]


# --- anchors ---------------------------------------------------------------------------------------------------------


def heads(lines: list[dict[str, Any]]) -> list[int]:
    return [line["count"] for line in lines if line["event"] == "audit head"]


def test_the_head_goes_into_the_log_in_its_time_and_after_a_thousand_entries(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(database, 3)
    hands = Hands()
    anchors = Anchors(database, hands)
    with structlog.testing.capture_logs() as lines:
        anchors.look()
        append(database)
        anchors.look()
        assert heads(lines) == [3]
        append(database, ANCHOR_ENTRIES)
        anchors.look()
        assert heads(lines) == [3, 1005]  # the entry of the daily walk is one too
        steady = time.monotonic() + 601
        monkeypatch.setattr(time, "monotonic", lambda: steady)
        anchors.look()
        assert heads(lines) == [3, 1005, 1005]
    assert said(anchors.figures()) == {
        ("adapter_audit_last_anchor_timestamp_seconds",): NOW.timestamp(),
        ("adapter_audit_verify_ok",): 1.0,
    }
    monkeypatch.setattr(time, "monotonic", lambda: steady + 3601)
    assert anchors.alarms() == ("audit-not-anchored",)


def test_the_whole_chain_is_walked_once_a_day_and_that_is_on_record(database: Database) -> None:
    hands = Hands()
    for hours, walks in ((0, 1), (23, 1), (24, 2)):
        hands.now = NOW + timedelta(hours=hours)
        Anchors(database, hands).look()
        assert [one.action for one in entries(database)].count("audit-verify") == walks
    Anchors(database, lambda: NOW + 3 * DAILY, verifies=False).look()
    assert [one.action for one in entries(database)].count("audit-verify") == 2


def test_a_log_that_was_cut_is_an_alarm_which_a_new_start_does_not_forget(database: Database, tmp_path: Path) -> None:
    append(database, 5)
    Anchors(database, Hands()).look()
    cut_off(database, tmp_path, 3)
    for start in range(2):
        anchors = Anchors(database, Hands())
        anchors.look()
        assert anchors.alarms() == ("audit-broken",), start
        assert said(anchors.figures())["adapter_audit_verify_ok",] == 0.0
    failed = [one for one in entries(database) if one.action == "audit-verify"]
    assert [(one.outcome, one.reason) for one in failed] == [("failed", "entries 4 to 5 are missing at the end")]
    later = Hands()
    later.now += DAILY
    anchors = Anchors(database, later)
    anchors.look()
    assert anchors.alarms() == ("audit-broken",)


def test_a_walk_ends_when_the_daemon_stops(database: Database) -> None:
    append(database, 2)
    with pytest.raises(StoppingError):
        Anchors(database, Hands(), stopping=lambda: True).look()


# --- counted ---------------------------------------------------------------------------------------------------------


def test_what_was_put_on_record_since_the_start_is_counted_and_so_are_sign_ins(database: Database) -> None:
    append(database, 2, "sign-in")
    tally = Tally(database)
    assert said(tally.figures())["adapter_logins_total", "ok"] == 0
    append(database, 2, "sign-in")
    append(database, 1, "second-step", "failed")
    append(database)
    for _ in range(2):
        found = said(tally.figures())
        assert [found["adapter_logins_total", outcome] for outcome in ("ok", "failed", "refused")] == [2, 1, 0]
        assert found["adapter_audit_entries_total", "seen", "ok"] == 1


def test_a_disk_that_fails_is_not_hidden_behind_the_figures_of_the_last_look(tmp_path: Path) -> None:
    opened = stores.opened(tmp_path)
    append(opened, 2)
    tally = Tally(opened)
    opened.make_room()
    with (tmp_path / "adapter.db").open("r+b") as file:
        file.write(bytes(4096))
    with pytest.raises(StorageFailedError):
        list(tally.figures())
