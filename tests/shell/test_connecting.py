"""Connecting a hospital as mappings/README.md tells it: init, read, mend, read again, until the ledger is clean."""

import json
import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from adapter.daemon.clock import utc_now
from tests import nursery

PV1 = f"PV1|1|N|ZNA^^3{'|' * 16}F77"
YESTERDAY = (utc_now() - timedelta(days=1)).strftime("%Y%m%d")
OBR = f"OBR|1||L1|LAB^Labor^L|||{YESTERDAY}0730"
HEAD = (
    f"MSH|^~\\&|ORBIS|KLSEE|A|T|{YESTERDAY}0810||ORU^R01|M1|{{}}|2.3\rPID|1||815^^^KLSEE^PI~D1^^^AOK^HC||Müßig^Jörg\r"
)
LINES = (
    "OBX|1|NM|THRO^Thrombozyten^L||88|Gpt/l|||||F",
    "OBX|2|NM|BILG^Bilirubin^L||42,8|µmol/l|||||F",
    "OBX|3|ST|COVPCR^SARS-CoV-2^L||nicht nachweisbar||||||F",
    "OBX|4|NM|HLADR^mHLA-DR^L||9100|AK/Zelle|||||F",
    "OBX|5|NM|NATR^Natrium^L||138|mmol/l|||||F",
)


def message(processing: str = "P") -> bytes:
    return (HEAD.format(processing) + "\r".join([PV1, OBR, *LINES, ""])).encode("cp1252")


class Afternoon:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "etc"
        self.feed = folder / "day.hl7"
        self.feed.write_bytes(message() * 2)
        assert self.adapter("init", str(self.folder)).returncode == 0
        self.site = self.folder / "mappings" / "sites" / "my-hospital.yaml"
        self.mend('timezone: ""', "timezone: Europe/Berlin")

    def adapter(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return nursery.run(*words, text=True)

    def convert(self, *words: str) -> str:
        found = self.adapter("convert", "--site", "my-hospital", "--assets", str(self.folder), *words, str(self.feed))
        assert found.returncode == 0, found.stderr
        return found.stdout

    def mend(self, old: str, new: str) -> None:
        text = self.site.read_text(encoding="utf-8")
        assert old in text
        self.site.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def afternoon(tmp_path: Path) -> Afternoon:
    return Afternoon(tmp_path)


def test_each_reading_says_what_to_write_next(afternoon: Afternoon) -> None:
    said = afternoon.convert("--summary")
    assert re.search(r"2  ORU\^R01 quarantined \(NO_MRN\)", said)
    assert re.search(r"2  PID-3 the message names numbers of: KLSEE PI, AOK HC\n +nobody is identified", said)
    assert "815" not in said

    afternoon.mend("authority: MYHOSP, type: MR", "authority: KLSEE, type: PI")
    afternoon.mend("encoding: utf-8 ", "encoding: windows-1252 ")
    afternoon.mend('decimal: "."', 'decimal: ","')
    said = afternoon.convert("--summary")
    for code in ("THRO^Thrombozyten^L", "BILG^Bilirubin^L", "NATR^Natrium^L"):
        assert f"2  OBX-3 {code}\n" in said
    assert f"first in {afternoon.feed}#1" in said

    afternoon.mend("  TBIL: bilirubin", "  BILG: bilirubin\n  THRO: platelets\n  COVPCR: sars-cov-2\n  HLADR: mhladr")
    afternoon.mend("not_needed: []", "not_needed: [NATR]")
    said = afternoon.convert("--summary")
    assert "OBX-6 AK/Zelle at HLADR^mHLA-DR^L\n" in said
    assert "OBX-5 nicht nachweisbar at COVPCR^SARS-CoV-2^L\n" in said
    assert "add it under 'answers: sars-cov-2' in the site's file" in said

    afternoon.mend("units: {}", 'units: {"AK/Zelle": "{AB}/{cell}"}')
    afternoon.mend("answers: {}", "answers: {sars-cov-2: {not-detected: [Nicht nachweisbar]}}")
    summed = json.loads(afternoon.convert("--summary", "--json"))
    assert summed["messages"] == {"ORU^R01 applied": 2}
    assert (summed["findings"], summed["ledger"]["used"], summed["ledger"]["known_not_needed"]) == ([], 8, 2)


def test_a_single_message_shows_its_findings_with_the_words_they_are_about(afternoon: Afternoon) -> None:
    afternoon.mend("authority: MYHOSP, type: MR", "authority: KLSEE, type: PI")
    said = afternoon.convert()
    assert "! OBX-3 #1 (THRO^Thrombozyten^L): this code is not mapped" in said
    afternoon.feed.write_bytes(message("T"))
    assert "read it here with --test" in afternoon.convert()
    assert "applied" in afternoon.convert("--test")


def test_answers_that_contradict_each_other_are_both_shown(tmp_path: Path) -> None:
    feed = tmp_path / "one.hl7"
    line = "OBX|1|CWE|94500-6^PCR^LN||NEG~POS||||||F"
    feed.write_bytes(f"{HEAD.format('P')}{PV1}\r{OBR}\r{line}\r".encode())
    said = nursery.run("convert", str(feed), text=True).stdout
    assert "OBX-5 #1 (NEG ~ POS at 94500-6^PCR^LN)" in said


def test_mappings_can_be_checked_before_the_sponsor_has_decided(afternoon: Afternoon) -> None:
    config = str(afternoon.folder / "adapter.toml")
    said = afternoon.adapter("check", "--config", config).stdout
    assert "push_when is not decided" in said
    assert re.search(r"^ok +mappings: sites my-hospital, ", said, re.MULTILINE)
    afternoon.mend("PLT: platelets", "PLT: platelet")
    said = afternoon.adapter("check", "--config", config).stdout
    assert "my-hospital.yaml:11: unknown concept 'platelet' — did you mean 'platelets'?" in said


def test_the_wrong_folder_is_named(afternoon: Afternoon) -> None:
    inside = str(afternoon.folder / "mappings")
    found = afternoon.adapter("convert", "--site", "my-hospital", "--assets", inside, str(afternoon.feed))
    assert found.returncode == 2
    assert f"no site 'my-hospital' in {inside}/mappings/sites or among the shipped" in found.stderr
