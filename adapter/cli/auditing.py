"""Commands about the audit log, beside a running daemon: audit verify, audit export."""

import getpass
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapter.cli.options import DEFAULT, AsJson, Config, complain, say_json, settings_of
from adapter.cli.records import reading

if TYPE_CHECKING:
    from adapter.settings import Settings
    from adapter.store.database import Database

app = typer.Typer(help="Who saw and did what.", no_args_is_help=True, rich_markup_mode=None)


class Form(StrEnum):
    NDJSON = "ndjson"
    CSV = "csv"
    FHIR = "fhir"


@app.command("verify")
def verify(
    against: Annotated[
        Path | None,
        typer.Option(
            help="What was noted elsewhere: an export as NDJSON, lines of the daemon's log, or lines NUMBER HASH.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ] = None,
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Whether every entry of the audit log is as it was written, in its place. Exit 1 with the first that is not.

    That nothing was cut off at the end, and that the log was not written anew as a whole, is seen only against entries that
    were noted elsewhere. That you looked is an entry too.

    Example: journalctl -u adapter -o cat | grep '"audit head"' > heads && adapter audit verify --against heads
    """
    from adapter.store import audit_walk

    settings = settings_of(config)
    with reading(settings) as database:
        walked = audit_walk.check(database)
        compared, unlike = (0, None) if against is None else _compared(database, against)
    problem, last = next(iter(walked.problems), unlike), walked.last
    if as_json:
        found = {"whole": problem is None, "problem": problem, "last": last.seq, "hash": last.hash}
        say_json(found | ({} if against is None else {"compared": compared}))
    elif problem is None:
        noted = "" if against is None else f", and {compared} as they were noted in {against.name}"
        typer.echo(f"{last.seq} entries, each as it was written{noted}; the last is {last.hash}")
    if problem is not None:
        complain(f"adapter: {problem} — keep this database, and compare it with a backup")
    _note_that_we_looked(settings, problem is None, {"entries": last.seq, "hash": last.hash, "compared": compared})
    if problem is not None:
        raise typer.Exit(1)


def _compared(database: "Database", path: Path) -> tuple[int, str | None]:
    from adapter.daemon.noted import contradicted, noted

    with path.open(encoding="utf-8", errors="replace") as lines:
        return contradicted(database, noted(lines, path.name))


def _note_that_we_looked(settings: "Settings", whole: bool, detail: dict[str, Any]) -> None:
    """The store may be a copy that nobody writes. Raises StorageFailedError, once what was found is told."""
    from adapter.daemon.reaching import command
    from adapter.errors import AdapterError, StorageFailedError

    request = {"command": "audit-verify", "whole": whole, "detail": detail, "by": getpass.getuser()}
    try:
        command(settings, request)
    except StorageFailedError:
        raise
    except (AdapterError, OSError) as error:
        complain(f"adapter: that you looked is not on record: {error}")


@app.command("export")
def export(  # noqa: PLR0913 — a command's words
    reason: Annotated[str, typer.Option(help="Why you take it along: it is put on record before anything is written.")],
    out: Annotated[
        Path | None, typer.Option(help="A new file, for you alone; standard output if left out.", dir_okay=False)
    ] = None,
    form: Annotated[
        Form, typer.Option("--format", help="ndjson proves itself; csv and fhir (AuditEvent) are for reading.")
    ] = Form.NDJSON,
    since: Annotated[str | None, typer.Option("--from", help="Entries from then on (ISO 8601 with offset).")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Entries before then.")] = None,
    trial: Annotated[str, typer.Option(help="Leave out what is about another trial.")] = "",
    blinded: Annotated[
        bool, typer.Option("--blinded", help="Without details, reasons and hashes: for whoever must stay blinded.")
    ] = False,
    config: Config = DEFAULT,
) -> None:
    """Every entry of the audit log with all its fields, oldest first, to the entry of this export itself.

    docs/audit.md says how anybody verifies the NDJSON without this program. Exit 2 for a file that is there already.

    Example: adapter audit export --reason "inspection 2026-03" --out audit.ndjson
    """
    from adapter.daemon.audit_export import Cut, exported
    from adapter.daemon.explaining import moment_of
    from adapter.daemon.reaching import command
    from adapter.domain.document import nearest
    from adapter.errors import ConfigError

    settings = settings_of(config)
    if trial and trial not in settings.adapter.trials:
        raise ConfigError(f"no trial '{trial}' is configured{nearest(trial, settings.adapter.trials)}")
    since_at, until_at = (
        None if said is None else moment_of(said, option) for option, said in (("--from", since), ("--to", until))
    )
    cut = Cut(since_at, until_at, trial, blinded)
    if out is not None and out.exists():
        raise ConfigError(f"{out} is there already — choose another name")
    detail = {"format": str(form), **cut.said()}
    request = {"command": "audit-export", "detail": detail, "reason": reason, "by": getpass.getuser()}
    upto = command(settings, request)["upto"]
    with reading(settings) as database:
        _written(exported(database, cut, form, upto), out)


def _written(lines: "Iterable[bytes]", out: Path | None) -> None:
    from adapter.errors import ConfigError
    from adapter.flushed import new_file

    if out is None:
        for line in lines:
            sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
        return
    count = 0
    try:
        with new_file(out) as file:
            for line in lines:
                count += file.write(line)
    except OSError as error:
        raise ConfigError(f"{out} cannot be written ({error.strerror}) — choose another place") from None
    complain(f"{out}: {count} bytes")
