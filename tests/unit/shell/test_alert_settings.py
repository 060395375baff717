"""`[alerts]` as it is written, and what its mistakes are told as."""

from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from adapter.alerting.hours import Hours
from adapter.daemon.telling import RotaBook, notifiers_for, policy_of, rota_findings
from adapter.errors import ConfigError
from adapter.settings import Settings, load_settings

BASE = """
[adapter]
data = "data"
trials = ["immunosep-demo"]
environment = "test"

[[notifier]]
kind = "email"
name = "mail"
host = "h"
sender = "a@h.example"
to = ["team@h.example"]

[[notifier]]
kind = "webhook"
name = "board"
url = "https://board.example/hook"
secret = "env:HOME"

[alerts]
timezone = "Europe/Athens"
quiet = "22:00-07:00"
{more}
[[alerts.person]]
name = "anna"
channels = ["{channel}"]
mail = "anna@h.example"

[[alerts.person]]
name = "bert"
channels = ["mail"]
quiet = ""
trials = ["{trial}"]

[[alerts.rota]]
days = "{days}"
who = ["anna", "{second}"]
"""
MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)


RIGHT = {"more": "", "channel": "mail", "days": "daily", "second": "bert", "trial": "immunosep-demo"}


def written(folder: Path, **other: str) -> Settings:
    path = folder / "adapter.toml"
    path.write_text(BASE.format(**(RIGHT | other)))
    return load_settings(path)


def test_people_have_their_ways_and_what_nobody_names_is_a_team_s(tmp_path: Path) -> None:
    settings = written(tmp_path, more='digest = ["07:30"]\nurgent_hours = 6\n')
    assert settings.alerts is not None
    policy = policy_of(settings, settings.alerts)
    assert [(one.name, one.channels, one.team) for one in policy.people] == [
        ("anna", ("mail/anna",), False),
        ("bert", ("mail",), False),
        ("#board", ("board",), True),
    ]
    assert [one.quiet for one in policy.people] == [Hours(time(22), time(7)), None, None]
    assert (policy.digest, policy.urgent.total_seconds()) == ((time(7, 30),), 6 * 3600)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"channel": "pigeon"}, "no .*notifier.* 'pigeon' — known: mail, board"),
        ({"trial": "other"}, "no trial .*'other'"),
        ({"days": "weekdays"}, "mon-fri"),
        ({"second": "dora"}, "'dora' is no"),
        ({"more": 'digest = ["half past seven"]'}, "07:30"),
        ({"more": "fallback_minutes = 20"}, "15"),
        ({"more": "digst = []"}, "digst.*did you mean 'digest'"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, wrong: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        written(tmp_path, **wrong)


def test_check_names_the_gaps_of_the_rota(tmp_path: Path) -> None:
    ((level, text),) = rota_findings(written(tmp_path, days="mon-fri"), lambda: MONDAY)
    assert (level, "96 h" in text) == ("warning", True)
    ((level, _),) = rota_findings(written(tmp_path), lambda: MONDAY)
    assert level == "ok"


def test_a_calendar_is_read_again_when_it_changes_and_a_broken_one_leaves_the_last_in_force(tmp_path: Path) -> None:
    path = tmp_path / "rota.csv"
    line = "2026-11-23 00:00,2026-11-24 00:00,"
    path.write_text(f"from,until,who\n{line}bert\n")
    section = written(tmp_path, more=f'calendar = "{path}"').alerts
    assert section is not None
    book = RotaBook(section)
    book.read()
    assert book.now().on_call(MONDAY) == ("bert",)
    path.write_text(f"from,until,who\n{line}anna;bert\n")
    assert book.now().on_call(MONDAY) == ("anna", "bert")
    for broken in (
        "no calendar",
        f"from,until,who\n{line}{'x' * 200_000}\n",
        f"from,until,who\n0001-01-01 00:00,{line[17:]}bert\n",
    ):
        path.write_text(broken)
        assert book.now().on_call(MONDAY) == ("anna", "bert")
    path.write_text(f"from, until, who\n{line} bert\n")
    assert book.now().on_call(MONDAY) == ("bert",)
    path.write_text(f"from,until,who\n{line}anna;bert\n")
    assert book.now().on_call(MONDAY) == ("anna", "bert")
    path.unlink()
    assert book.now().on_call(MONDAY) == ("anna", "bert")
    with pytest.raises(ConfigError, match="cannot be read"):
        book.read()


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_apprise_refuses_a_url_it_does_not_know_without_telling_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHONE", "nonsense://secret-token")
    phone = '[[notifier]]\nkind = "apprise"\nname = "phone"\nurl = "env:PHONE"\n'
    path = tmp_path / "adapter.toml"
    path.write_text(BASE.format(**RIGHT) + phone)
    with pytest.raises(ConfigError) as error:
        notifiers_for(load_settings(path))
    assert "secret-token" not in str(error.value)
