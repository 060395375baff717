"""The main job as a newcomer meets it: candidates on the page, bundles in the EDC, mails caught, within a minute."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_demonstration_finds_its_candidates_and_tells_nothing_of_them_in_log_or_mail(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "adapter", "demo", "--for", "20", "--speed", "4", "--json"]
    command += ["--mllp-port", "0", "--web-port", "0", "--dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    story = json.loads(done.stdout)
    assert story["candidates"] == 3
    assert story["first_candidate_seconds"] < 20
    assert story["bundles_in_edc"] >= 3
    assert story["mails_caught"] >= 3
    assert set(story["acknowledged"]) == {"AA"}
    counts = story["messages"]
    assert counts["received"] == sum(number for name, number in counts.items() if name != "received")
    assert "/sign-in/once/" in done.stderr
    written = (tmp_path / "adapter.log").read_text()
    written += "".join(mail.read_text() for mail in (tmp_path / "mails").iterdir())
    for secret in ("Example", "Παράδειγμα", "730001", "410002"):
        assert secret not in written
