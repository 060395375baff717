"""Alerts as an operator meets them: the true daemon, a real mail server, and the commands. One daemon serves all of it (4 s)."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli import alerting
from adapter.cli.alerting import _sent
from adapter.notifiers.apprise import AppriseNotifier
from adapter.standins.mailbox import Mailbox, catcher
from adapter.web.alerting import payload_of_test
from tests.builders import obx
from tests.installation import Installation, lines, tell, until
from tests.peers import Script, misbehaving
from tests.ports import free_port
from tests.web_house import arrival, organs, results

ALERTS = """
[[notifier]]
kind = "email"
name = "mail"
host = "127.0.0.1"
port = {port}
sender = "adapter@example.org"
to = ["team@example.org"]
encryption = "none"

[alerts]
timezone = "Europe/Athens"
calendar = "{calendar}"

[[alerts.person]]
name = "anna"
channels = ["mail"]
mail = "anna@example.org"

[[alerts.rota]]
who = ["anna"]
"""
NAME = "CANARY^ELENI"


def ward(now: datetime) -> tuple[bytes, bytes]:
    lab = (*organs(), obx("2276-4", "5200", "ng/mL", sub="8"))
    return arrival("100", NAME, at=now - timedelta(hours=2)), results(
        "100", *lab, name=NAME, at=now - timedelta(hours=1)
    )


def test_a_candidate_is_in_the_mail_box_within_seconds_and_the_test_is_taken(tmp_path: Path) -> None:
    box, port = Mailbox(), free_port()
    calendar = tmp_path / "rota.csv"
    calendar.write_text("from,until,who\n2020-01-01 08:00,2020-01-02 08:00,anna\n")
    place = Installation(tmp_path / "house", ALERTS.format(port=port, calendar=calendar))
    controller = catcher(box, port)
    controller.start()
    try:
        place.start()
        began = time.monotonic()
        tell(place.mllp, *ward(datetime.now(UTC)))  # noqa: TID251 — the daemon's own clock is asked too
        until(lambda: box.mails)
        assert time.monotonic() - began < 60, "P7"
        (mail,) = box.mails
        assert mail["To"] == "anna@example.org"
        assert mail["Subject"].endswith("waiting")
        assert "CANARY" not in mail.as_string()
        answers = lines(place.command("alert", "test", "--json").stdout)
        assert {answer["channel"]: answer["taken"] for answer in answers} == {"mail": True, "mail/anna": True}
        assert box.mails[-1]["Subject"] == "Test of an alert channel"
        rota = CliRunner().invoke(alerting.app, ["rota", "--json", "--config", str(place.config)])
        assert [turn["who"] for turn in lines(rota.stdout_bytes)] == [["anna"]]
    finally:
        place.end()
        controller.stop()
    calendar.write_text("from,until,who\n2020-01-01 08:00,2020-01-02 08:00,dora\n")
    wrong = place.command("check", check=False)
    assert (wrong.returncode, b"line 2: dora" in wrong.stdout) == (2, True)
    lost = CliRunner().invoke(alerting.app, ["test", "mail/anna", "--config", str(place.config)])
    assert (lost.exit_code, "no answer from the mail server" in lost.stdout) == (1, True)


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_apprise_carries_the_same_words_and_a_service_that_fails_is_tried_again() -> None:
    script = Script([(200, {}, b""), 500])
    with misbehaving("http://127.0.0.1:9", script) as base:
        channel = AppriseNotifier(base.replace("http://", "json://"))
        said = [_sent("phone", channel, payload_of_test("https://w")) for _ in range(2)]
    assert said[0] == ""
    assert "tried again" in said[1]
    assert b"Test of an alert channel" in script.seen[0][3]
    assert b"https://w/alerts" in script.seen[0][3]
