"""The front door: which commands there are, and what becomes of an error: 0, 1, 2, 3 or 70 (interfaces 1)."""

import os
import sys
from typing import Annotated

import typer

from adapter import __version__
from adapter.cli import (
    alerting,
    auditing,
    backups,
    conforming,
    erasing,
    mapping,
    messages,
    operation,
    polling,
    quarantine,
    records,
    replaying,
    screening,
    simulating,
    users,
)
from adapter.errors import (
    ConfigError,
    MalformedMessageError,
    RejectedError,
    StorageFailedError,
    UnavailableError,
    place,
)

DONE_NO, WRONG_USE, UNAVAILABLE, BUG, INTERRUPTED = 1, 2, 3, 70, 130

app = typer.Typer(
    name="adapter",
    help="HL7 v2 and FHIR in, trial candidates out. Research recruitment support; not for diagnosis or treatment.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback with locals could show a patient
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for room in (operation, polling, messages, conforming, simulating, screening, records, replaying, erasing, backups):
    for command in room.COMMANDS:
        app.command()(command)
app.add_typer(records.inbox_app, name="inbox")
app.add_typer(auditing.app, name="audit")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(mapping.app, name="mapping")
app.add_typer(alerting.app, name="alert")
app.add_typer(users.app, name="user")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"adapter {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Options before any command."""


def main() -> None:
    """The console script. Errors we raise on purpose are one sentence; a bug is its type and place."""
    try:
        app()
    except (ConfigError, MalformedMessageError) as error:
        _end(str(error), WRONG_USE)
    except StorageFailedError as error:
        sys.stdout.flush()
        print(f"adapter: {error}", file=sys.stderr, flush=True)  # noqa: T201 — as in `_end`
        os._exit(UNAVAILABLE)  # nothing is tidied up on a disk that failed: the next start recovers from the files
    except UnavailableError as error:
        _end(str(error), UNAVAILABLE)
    except RejectedError as error:
        _end(str(error), DONE_NO)
    except KeyboardInterrupt:
        _end("interrupted", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # who read us has enough
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 — the last door: no traceback with data in it
        _end(f"a bug: {type(error).__name__} at {place(error)} — please report it", BUG)


def _end(text: str, code: int) -> None:
    print(f"adapter: {text}", file=sys.stderr)  # noqa: T201 — a command speaks to its user
    sys.exit(code)
