"""`adapter screen`: retrospective screening of HL7 v2 and FHIR archives with the live rules."""

import time
from pathlib import Path
from typing import Annotated

import typer

from adapter.cli.files import Paths, read_messages
from adapter.cli.messages import progress
from adapter.cli.options import AsJson, say_json
from adapter.errors import ConfigError

MOST_WORKERS = 64


def screen(  # noqa: PLR0913 — a command's words
    paths: Paths,
    out: Annotated[Path, typer.Option(help="Write the results here: a folder that is new or empty.", file_okay=False)],
    site: Annotated[str, typer.Option(help="Whose codes, units and zone to read it with.")] = "generic",
    trial: Annotated[list[str] | None, typer.Option(help="A trial of profiles/; may be repeated.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=MOST_WORKERS, help="Processes that share the work.")] = 2,
    assets: Annotated[
        Path | None,
        typer.Option(help="The folder that holds your mappings/ and profiles/.", file_okay=False),
    ] = None,
    testing: Annotated[bool, typer.Option("--test", help="Read test messages (MSH-11 T, D, V, N) too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Whom the rules would have shown, and when: an archive of HL7 v2 messages or FHIR NDJSON told again by its own clock.

    Writes assessments.csv (a row for each episode), summary.json and report.html, in which persons are only numbered;
    who they are stands in linkage.csv alone. Changes no store, tells nobody. Exit 2 for a path that cannot be read.
    The archive is laid aside there while it is sorted: the disk needs room for it once more.

    Example: adapter screen --site attikon --out january archive/
    """
    from adapter.cli.screened import write
    from adapter.daemon.archive import Rules, screen_all
    from adapter.daemon.sorting import Sorter
    from adapter.daemon.spool import spool
    from adapter.fhir.gather import Gathering

    began = time.monotonic()
    wish = Rules(site, tuple(trial or ("immunosep",)), assets, production=not testing)
    rules, folder = wish.load(), _folder(out)
    with spool(folder) as shelf:
        sorter, count = Sorter(site, rules, shelf), 0
        for message in read_messages(paths, Gathering(shelf)):
            sorter.put(message.source, message.body, message.kind, message.lost)
            count += 1
        with progress(count, "screening") as advance:
            found = screen_all(sorter.piles(), shelf, wish, workers, advance.many)
    summary = write(folder, found, rules)
    told = summary | {"seconds": round(time.monotonic() - began, 1), "out": str(out)}
    unread = summary["messages"].get("quarantined", 0)
    aside = f" ({unread} of them unread: `reasons` in summary.json says why)" if unread else ""
    say_json(told) if as_json else typer.echo(
        f"{count} messages{aside} of {summary['persons']} persons, {summary['episodes']} episodes, in {told['seconds']} s: "
        f"{out / 'report.html'}"
    )


def _folder(out: Path) -> Path:
    """Nobody else may read it: it holds dates and, in one file, identifiers."""
    try:
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(out.iterdir()):
            raise ConfigError(f"{out}: holds files already — name a new or an empty folder")
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror}) — check --out") from error
    return out


COMMANDS = (screen,)
