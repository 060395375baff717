"""Options that several commands share, and how they speak."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapter import ENVIRONMENT_VARIABLE

if TYPE_CHECKING:
    from adapter.settings import Settings

Config = Annotated[
    Path,
    typer.Option("--config", "-c", envvar=ENVIRONMENT_VARIABLE, help="The configuration file.", dir_okay=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, one object a line.")]
DEFAULT = Path("adapter.toml")


def settings_of(config: Path) -> "Settings":
    """Raises ConfigError naming file and line."""
    from adapter.settings import load_settings

    return load_settings(config)


def say_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False))


def printable(text: str) -> str:
    """A sender's words on a terminal: nothing in them moves the cursor."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def complain(text: str) -> None:
    """To the person, not into the data."""
    typer.echo(text, err=True)
