"""`adapter convert --lint`: hl7apy's structural findings beside ours, without a word of the message."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli.entry import app
from adapter.cli.lint import lint
from tests.builders import er7, msh, obr, obx, oru, pid, pv1

SECRET = "ZEBRA"


def places(body: bytes) -> set[tuple[str, str]]:
    return {(one["code"], one["where"]) for one in lint(body, "utf-8")}


def test_a_missing_required_field_and_a_code_outside_its_table_are_named() -> None:
    body = er7(
        msh("ORU^R01^ORU_R01", version="2.5.1"), pid(name=f"{SECRET}^JANE", sex="Q"), pv1(cls="I"), obr(), obx("777-3", "1", status="")
    )  # fmt: skip
    found = places(body)
    assert ("lint-required", "OBX-11") in found
    assert ("lint-table", "PID-8") in found


def test_no_value_of_the_message_is_told() -> None:
    body = er7(
        msh("ORU^R01^ORU_R01"), pid(name=f"{SECRET}^{SECRET}", sex=SECRET), pv1(cls=SECRET), obr(), obx(SECRET, SECRET * 9)
    )  # fmt: skip
    found = lint(body, "utf-8")
    assert found
    assert SECRET not in json.dumps(found)


@pytest.mark.parametrize(
    "body", [b"", b"no message", b"MSH|^~\\&|A\r", b"MSH|^~\\&|A|B|C|D|||XXX^Y99|1|P|9.9\rZZZ|1\r"]
)
def test_what_hl7apy_cannot_read_is_a_finding_and_no_crash(body: bytes) -> None:
    assert lint(body, "utf-8")


def test_the_command_adds_them_and_changes_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "one.hl7"
    file.write_bytes(oru(obx("777-3", "140", "10*3/uL", status="F"), sex="Q"))
    plain, strict = (CliRunner().invoke(app, ["convert", "--json", *more, str(file)]) for more in ([], ["--lint"]))
    assert plain.exit_code == strict.exit_code == 0
    seen = json.loads(strict.stdout)
    minded = seen.pop("lint")
    assert {"code", "where", "text"} == set(minded[0])
    assert seen == json.loads(plain.stdout)
    assert "~ PID-8: is no code of table" in CliRunner().invoke(app, ["convert", "--lint", str(file)]).stdout
    summed = json.loads(CliRunner().invoke(app, ["convert", "--lint", "--summary", "--json", str(file)]).stdout)
    assert any(one["where"] == "PID-8" for one in summed["findings"])
