"""Commands about messages nobody could read: quarantine list, show, release, discard."""

import base64
import getpass
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapter.cli.options import DEFAULT, AsJson, Config, printable, say_json, settings_of
from adapter.cli.records import reading

if TYPE_CHECKING:
    from adapter.store.quarantine import QuarantineRow

app = typer.Typer(
    help="Messages nobody could read: stored, shown here, never retried by themselves.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Id = Annotated[int, typer.Argument(metavar="ID", min=1, help="The number of `adapter quarantine list`.")]
Reason = Annotated[str, typer.Option(help="Why: it is put on record with your name. No patient data in it.")]


@app.command("list")
def listing(
    config: Config = DEFAULT,
    code: Annotated[str | None, typer.Option(help="Only those with this reason code.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many; all if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every message in quarantine, oldest first, with its reason in words. Nothing of its content.

    Example: adapter quarantine list --code NO_MRN
    """
    from adapter.screening.reasons import explained
    from adapter.store import quarantine

    with reading(settings_of(config)) as database, database.read() as conn:
        for row in quarantine.listing(conn, limit=limit, reason=code):
            line: dict[str, Any] = {
                "id": row.id,
                "source": row.source,
                "control_id": row.control_id,
                "type": row.type,
                "received": row.received.isoformat(),
                "reason": row.reason,
                "explained": explained(row.reason),
                "releasable": not row.at_the_door,
            }
            say_json(line) if as_json else typer.echo(_told(row, line["explained"]))


def _told(row: "QuarantineRow", explained: str) -> str:
    said = printable(f"{row.source:<12} {row.control_id:<12} {row.type:<10} {row.reason}")
    return f"{row.id:>8}  {row.received:%Y-%m-%d %H:%M:%S}  {said}\n{'':>10}{explained}"


@app.command("show")
def show(message_id: Id, reason: Reason, config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """One message as it came; looking is audited.

    Example: adapter quarantine show 1042 --reason "which number does PID-3 carry, ticket 77"
    """
    shown = _asked({"command": "quarantine-show", "id": message_id}, reason, config)
    if as_json:
        say_json(shown)
    else:
        sys.stdout.buffer.write(base64.b64decode(shown["body"]).replace(b"\r", b"\n"))


@app.command("release")
def release(
    reason: Reason,
    message_id: Annotated[int | None, typer.Argument(metavar="ID", min=1, show_default=False)] = None,
    code: Annotated[
        str | None, typer.Option("--all-with-reason", metavar="CODE", help="All with this reason code.")
    ] = None,
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Put back what was mended since: it is read again under the rules the daemon runs with now.

    Mend the site's file and restart first. What came in broken (NO_MSH, TOO_BIG, FRAME_TRUNC) cannot be released.
    Exit 1 if nothing was.

    Example: adapter quarantine release --all-with-reason NO_MRN --reason "authority corrected, ticket 77"
    """
    if (message_id is None) == (code is None):
        raise typer.BadParameter("give an ID, or --all-with-reason CODE")
    released = _released(message_id, code, reason, config)
    if as_json:
        say_json({"released": released})
    else:
        typer.echo(f"released {len(released)}: see what became of them with `adapter inbox list`")


def _released(message_id: int | None, code: str | None, reason: str, config: Config) -> list[int]:
    from adapter.errors import RejectedError

    if code is None:
        found: list[int] = _asked({"command": "quarantine-release", "id": message_id}, reason, config)["released"]
        return found
    released: list[int] = []
    # Ids only go up, so that what comes back with the same reason is not released again.
    while run := _asked(
        {"command": "quarantine-release", "code": code, "after": released[-1] if released else 0}, reason, config
    )["released"]:
        released += run
    if not released:
        raise RejectedError(f"nothing with the reason {code} can be released — see `adapter quarantine list`")
    return released


@app.command("discard")
def discard(message_id: Id, reason: Reason, config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """Give a message up for good: it counts as ignored, its bytes stay, who and why is on record.

    Example: adapter quarantine discard 1042 --reason "a test by the laboratory, ticket 78"
    """
    done = _asked({"command": "quarantine-discard", "id": message_id}, reason, config)
    if as_json:
        say_json(done)
    else:
        typer.echo(f"discarded {message_id}")


def _asked(request: dict[str, Any], reason: str, config: Config) -> dict[str, Any]:
    from adapter.daemon.reaching import command

    return command(settings_of(config), request | {"reason": reason, "by": getpass.getuser()})
