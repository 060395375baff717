"""The trial unit's log tells times as the EDCs may know them: exactly only where each of them may, and there is one."""

from pathlib import Path

import pytest

from adapter.daemon.parts import common_dates
from adapter.settings import load_settings

HEAD = """
[adapter]
data = "/var/lib/adapter"
trials = ["immunosep"]
environment = "test"
"""
SINK = """
[[sink]]
kind = "folder"
name = "edc-{number}"
path = "/var/lib/edc"
push_when = "screening"
dates = "{dates}"
"""


@pytest.mark.parametrize(
    ("said", "told"),
    [((), "shifted"), (("exact",), "exact"), (("exact", "shifted"), "shifted"), (("exact", "exact"), "exact")],
)
def test_the_most_cautious_edc_decides(tmp_path: Path, said: tuple[str, ...], told: str) -> None:
    file = tmp_path / "adapter.toml"
    sinks = (SINK.format(number=number, dates=dates) for number, dates in enumerate(said))
    file.write_text(HEAD + "".join(sinks), encoding="utf-8")
    assert common_dates(load_settings(file)) == told
