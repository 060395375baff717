"""Commands that look into the store, beside a running daemon: inbox, explain."""

import base64
import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapter.cli.options import DEFAULT, AsJson, Config, complain, say_json, settings_of

if TYPE_CHECKING:
    from adapter.settings import Settings
    from adapter.store.database import Database

inbox_app = typer.Typer(help="What is stored: every message as it came.", no_args_is_help=True, rich_markup_mode=None)


@contextmanager
def reading(settings: "Settings") -> "Iterator[Database]":
    """The store, read-only: the daemon may be running. Raises UnavailableError before the first start of this version."""
    from adapter.daemon.opening import open_store
    from adapter.errors import UnavailableError
    from adapter.store.migrate import HEAD, current_revision

    database = open_store(settings, read_only=True)
    try:
        with database.read() as conn:
            revision = current_revision(conn)
        if revision is None:
            raise UnavailableError("the store is not made yet — start the daemon, or wait until it listens")
        if revision != HEAD:
            raise UnavailableError("the store is not of this version — start the daemon of this version once")
        yield database
    finally:
        database.close()


@inbox_app.command("list")
def inbox_list(
    config: Config = DEFAULT,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many; all if left out.")] = None,
    last: Annotated[int | None, typer.Option(min=1, help="Only so many of the newest.")] = None,
    source: Annotated[str, typer.Option(help="Only what came by this source.")] = "",
    as_json: AsJson = False,
) -> None:
    """Every stored message, oldest first.

    Example: adapter inbox list --json | jq 'select(.state=="quarantined")'
    """
    from adapter.store import inbox

    with reading(settings_of(config)) as database, database.read() as conn:
        for row in inbox.listing(conn, limit=limit, last=last, of=source):
            line: dict[str, Any] = {
                "id": row.id,
                "source": row.source,
                "control_id": row.control_id,
                "type": row.type,
                "received": row.received.isoformat(),
                "state": str(row.state),
                "reason": row.reason,
                "sha256": row.sha256,
                "duplicates": row.duplicates,
                "erased": None if row.erased is None else row.erased.isoformat(),
            }
            say_json(line) if as_json else typer.echo(
                f"{row.id:>8}  {row.received:%Y-%m-%d %H:%M:%S}  {row.source:<12} {row.type:<10} "
                f"{row.state:<12} {row.reason or ''}{' (bytes erased)' * bool(row.erased)}"
            )


@inbox_app.command("count")
def inbox_count(config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """How many were received, and what became of them: the parts add up.

    Example: adapter inbox count --json
    """
    from adapter.store import inbox

    with reading(settings_of(config)) as database, database.read() as conn:
        counts = inbox.counts(conn)
    names = ("received", "applied", "duplicate", "ignored", "quarantined", "pending", "control_id_reuse")
    found = {name: getattr(counts, name) for name in names}
    if as_json:
        say_json(found)
    else:
        for name, number in found.items():
            typer.echo(f"{name.replace('_', ' '):<18}{number:>10}")


@inbox_app.command("show")
def inbox_show(
    inbox_id: Annotated[int, typer.Argument(metavar="ID")],
    reason: Annotated[str, typer.Option(help="Why you look: it is put on record before anything is shown.")],
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """One message as it came; looking is audited.

    Example: adapter inbox show 1042 --reason "unmapped code, ticket 77"
    """
    from adapter.daemon.reaching import command

    request = {"command": "inbox-show", "id": inbox_id, "reason": reason, "by": getpass.getuser()}
    shown = command(settings_of(config), request)
    if as_json:
        say_json(shown)
    else:
        sys.stdout.buffer.write(base64.b64decode(shown["body"]).replace(b"\r", b"\n"))


def explain(  # noqa: PLR0913 — a command's words
    patient_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="A screening id or a worklist id.", show_default=False)
    ] = None,
    patient: Annotated[
        str | None, typer.Option(help="- reads SITE|AUTHORITY|NUMBER from standard input.", metavar="-")
    ] = None,
    trial: Annotated[str | None, typer.Option(help="Which trial, where several are screened.")] = None,
    at: Annotated[str | None, typer.Option(help="As of this moment (ISO 8601 with offset); now if left out.")] = None,
    reason: Annotated[str, typer.Option(help="Why you look, for the audit log.")] = "",
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Why this patient is or is not a candidate: every criterion, the score, what is missing.

    No hospital number on the command line: give an id of ours, or the number on standard input. Exit 1 if unknown.
    Looking is audited.

    Example: adapter explain 4TQ7K2M9XA
    """
    from adapter.cli.telling import told
    from adapter.daemon.explaining import Question, explanations, looked_at
    from adapter.daemon.reaching import command

    if (patient_id is None) == (patient is None) or patient not in {None, "-"}:
        raise typer.BadParameter("give an ID, or --patient - with the number on standard input")
    number = sys.stdin.readline().strip() if patient else None
    settings = settings_of(config)
    question = Question(patient_id, number, trial, at)
    with reading(settings) as database:
        found = explanations(settings, database, question)
        known = looked_at(settings, database, question)
    detail = {"by": "id" if patient is None else "number"} | ({} if trial is None else {"trial": trial})
    request = {"command": "explain", "candidates": known, "found": bool(found), "detail": detail, "reason": reason}
    command(settings, request | {"by": getpass.getuser()})
    for one in found:
        say_json(one) if as_json else typer.echo(told(one))
    if not found:
        complain("adapter: nobody is known under this id")
        raise typer.Exit(1)


COMMANDS = (explain,)
