"""Shadow as an operator meets it: the true daemon, a mail server, a webhook's receiver and an EDC, none of which hears a word
till the trial is live. One installation, started three times (12 s).
"""

import contextlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapter.standins.edc import create_edc
from adapter.standins.edc_store import EdcStore
from adapter.store import audit
from tests import stores
from tests.builders import obx
from tests.installation import Installation, lines, tell, until
from tests.peers import Script, misbehaving, serving
from tests.smtp import Server, smtp
from tests.web_house import arrival, organs, results

TRIAL = "immunosep-demo"
LIVE = f'trials = ["{TRIAL}"]'
DARK = f'{LIVE}\nshadow = ["{TRIAL}"]'
OUTLETS = """
[[notifier]]
kind = "email"
name = "mail"
host = "127.0.0.1"
port = {smtp}
sender = "adapter@example.org"
to = ["team@example.org"]
encryption = "none"

[[notifier]]
kind = "webhook"
name = "hook"
url = "{hook}/hook"
secret = "env:HOOK_SECRET"
allow_private = true

[[sink]]
kind = "fhir"
name = "edc"
base = "{edc}"
push_when = "candidate"
dates = "exact"

[[sink]]
kind = "csv"
name = "files"
path = "{folder}/drop"
push_when = "candidate"
dates = "exact"
"""
ALERTS = """
[alerts]
timezone = "Europe/Athens"

[[alerts.person]]
name = "anna"
channels = ["mail"]

[[alerts.rota]]
who = ["anna"]
"""


@dataclass
class Town:
    """Everybody who may hear of a candidate."""

    mail: Server = field(default_factory=Server)
    hook: Script = field(default_factory=Script)
    edc: EdcStore = field(default_factory=EdcStore)
    folder: Path = Path()

    def hooks(self) -> list[dict[str, object]]:
        return [json.loads(body) for *_, body in self.hook.seen]

    def subjects(self) -> int:
        return sum(kind == "ResearchSubject" for kind, _ in self.edc.resources)

    def heard(self) -> tuple[int, int, int, int]:
        files = sum(1 for one in self.folder.rglob("*") if one.is_file()) if self.folder.exists() else 0
        return len(self.mail.taken), len(self.hook.seen), self.subjects(), files


@contextlib.contextmanager
def town(tmp_path: Path, alerts: str) -> Iterator[tuple[Town, Installation]]:
    made = Town(hook=Script([(200, {}, b"")] * 99), folder=tmp_path / "drop")
    with (
        serving(create_edc(made.edc)) as edc,
        misbehaving("http://127.0.0.1:9", made.hook) as hook,
        smtp(made.mail) as port,
    ):
        outlets = OUTLETS.format(smtp=port, hook=hook, edc=edc, folder=tmp_path) + alerts
        place = Installation(tmp_path / "house", outlets, HOOK_SECRET="k" * 32)
        try:
            yield made, place
        finally:
            place.end()


def begin(place: Installation, mode: str) -> None:
    said = place.config.read_text()
    place.config.write_text(re.sub(r"trials = .*\n(shadow = .*\n)?", mode + "\n", said, count=1))
    place.start()


def patient(number: str) -> tuple[bytes, bytes]:
    now = datetime.now(UTC)  # noqa: TID251 — the daemon's own clock is asked too
    lab = (*organs(), obx("2276-4", "5200", "ng/mL", sub="8"))
    return arrival(number, f"N{number}^X", at=now - timedelta(hours=2)), results(
        number, *lab, name=f"N{number}^X", at=now - timedelta(hours=1)
    )


def shown(place: Installation) -> int:
    found = re.search(r"^adapter_shown ([\d.]+)$", place.get("/metrics"), re.MULTILINE)
    return int(float(found[1])) if found else 0


@pytest.mark.parametrize("alerts", ["", ALERTS], ids=["every channel", "a rota"])
def test_nothing_leaves_in_shadow_and_after_going_live_it_does(tmp_path: Path, alerts: str) -> None:
    with town(tmp_path, alerts) as (heard, place):
        begin(place, DARK)
        tell(place.mllp, *patient("100"), *patient("101"))
        until(lambda: shown(place) == 2)
        time.sleep(5)  # longer than a round of alerting and two of deliveries
        assert heard.heard() == (0, 0, 0, 0)
        assert place.owes_nothing()
        assert f'adapter_shadow{{trial="{TRIAL}"}} 1.0' in place.get("/metrics")
        assert place.stop() == 0
        begin(place, LIVE)
        until(lambda: heard.subjects() == 2 and len(heard.mail.taken) == 1 and len(heard.hook.seen) == 1)
        assert [(one["kind"], one["count"]) for one in heard.hooks()] == [("many" if alerts else "digest", 2)]
        tell(place.mllp, *patient("102"))
        until(lambda: heard.subjects() == 3 and len(heard.mail.taken) == 2 and len(heard.hook.seen) == 2)
        assert heard.hooks()[-1]["kind"] == "raised"
        assert place.stop() == 0
        before = heard.heard()
        begin(place, DARK)
        tell(place.mllp, *patient("103"))
        until(lambda: shown(place) == 4)
        time.sleep(5)
        assert heard.heard() == before
        assert place.stop() == 0
    with contextlib.closing(stores.opened(place.folder / "data")) as store, store.read() as conn:
        acts = [row.act.action for row in audit.listing(conn) if row.act.object_type == "trial"]
    assert acts == ["shadow-begun", "shadow-ended", "shadow-begun"]


def test_check_says_what_is_in_shadow_and_what_the_next_start_turns(tmp_path: Path) -> None:
    with town(tmp_path, "") as (_heard, place):
        begin(place, DARK)
        tell(place.mllp, *patient("100"))
        until(lambda: shown(place) == 1)
        assert about(place) == [("ok", f"{TRIAL}: nobody is told, nothing is pushed")]
        assert place.stop() == 0
        place.config.write_text(place.config.read_text().replace(DARK, LIVE))
        assert about(place) == [
            ("ok", "none: every trial is live"),
            ("warning", f"{TRIAL} goes live at the next start: 1 that stand undecided are told together"),
        ]
        begin(place, LIVE)
        assert place.stop() == 0
        place.config.write_text(place.config.read_text().replace(LIVE, DARK))
        assert [level for level, _ in about(place)] == ["ok", "warning"]
        place.config.write_text(place.config.read_text().replace(DARK, DARK.replace('demo"]', 'dmeo"]')))
        wrong = place.command("check", check=False)
        assert wrong.returncode == 2


def about(place: Installation) -> list[tuple[str, str]]:
    found = lines(place.command("check", "--json", check=False).stdout)
    return [(one["level"], one["text"]) for one in found if one["about"] == "shadow"]
