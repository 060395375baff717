"""`adapter … --help` answers at once: nothing heavy is loaded before a command is known to need it."""

import json
import subprocess
import sys
from typing import Any

import pytest
import typer

from adapter.cli.entry import app
from tests import unmeasured

HEAVY = {
    "aiosmtpd", "alembic", "apscheduler", "argon2", "asyncio", "babel", "cryptography", "fastapi", "fhir", "hl7apy", "jinja2",
    "prometheus_client", "psycopg", "pwdlib", "pydantic_settings", "requests", "rich", "sqlalchemy", "sqlite3",
    "ssl", "starlette", "structlog", "urllib3", "uvicorn", "uvloop", "yaml",
}  # fmt: skip
"""Without pydantic: Typer itself reads the options of a command with it."""
PROBE = """
import json, sys
from adapter.cli import main
sys.argv = ["adapter", *{words!r}]
try:
    main()
except SystemExit as end:
    told = {{"code": end.code, "loaded": sorted({{name.partition(".")[0] for name in sys.modules}})}}
print(json.dumps(told), file=sys.stderr)
"""
COMMANDS: Any = typer.main.get_command(app)


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in COMMANDS.commands)], ids=" ".join)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    command = [sys.executable, "-c", PROBE.format(words=words)]
    # Where coverage measures child processes, it loads sqlite3 itself.
    plain = unmeasured.environment()
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=plain)
    told = json.loads(done.stderr.splitlines()[-1])
    assert told["code"] == 0
    assert "Usage: " in done.stdout
    assert HEAVY & set(told["loaded"]) == set()
