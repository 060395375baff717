"""Commands that set the adapter up and run it: run, demo, init, check."""

from pathlib import Path
from typing import Annotated

import typer

from adapter.cli.options import DEFAULT, AsJson, Config, complain, say_json, settings_of


def run(config: Config = DEFAULT) -> None:
    """Run the daemon until SIGTERM.

    Refuses to start on a bad configuration, naming file, line and the nearest known word (exit 2).

    Example: adapter run --config /etc/adapter/adapter.toml
    """
    from adapter.daemon import collector

    collector.wait_for_the_start()
    from adapter.daemon.service import serve

    serve(settings_of(config), typer.echo)


def demo(  # noqa: PLR0913 — a command's words
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="How much faster than life the ward sends.")] = 1.0,
    mllp_port: Annotated[int, typer.Option(min=0, max=65534, help="The first MLLP port; a free one if taken.")] = 2575,
    web_port: Annotated[int, typer.Option(min=0, max=65535, help="The worklist's port; a free one if taken.")] = 8080,
    folder: Annotated[
        Path | None, typer.Option("--dir", file_okay=False, help="Where to keep it; temporary if left out.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--for", min=1, help="Stop by itself after so many seconds, with a summary.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show everything at once: a synthetic ward, the daemon, a stand-in EDC and a mail catcher.

    Prints the worklist's address with a sign-in that works once. With --for: exit 1 unless candidates were found,
    bundles arrived and mails were caught.

    Example: adapter demo --for 60
    """
    from adapter.demo.play import run as play
    from adapter.demo.stage import Wish

    story = play(Wish(speed, mllp_port, web_port, folder, seconds), complain if as_json else typer.echo)
    if as_json:
        say_json(story.as_json())
    else:
        typer.echo(story.text())
    if seconds is not None and not story.accepted:
        raise typer.Exit(1)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, help="A folder; made if absent.")],
) -> None:
    """Write a commented adapter.toml, a site file to fill in, and a data folder that only this account can read.

    Nothing that exists is overwritten. Decisions that are the hospital's stay open: `adapter check` names them.

    Example: adapter init /etc/adapter
    """
    from adapter.daemon.first_files import write_first_files

    for path in write_first_files(folder):
        typer.echo(f"wrote {path}")
    typer.echo(f"Now fill them in, then: adapter check --config {folder / 'adapter.toml'}")


def check(config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """Say what is wrong with configuration, mappings, trials, store, ports, TLS files, clock and disk, and how to mend it.

    Exit 0 when the daemon would start, 2 when not.

    Example: adapter check --config /etc/adapter/adapter.toml
    """
    from adapter.daemon.checks import examine

    findings = list(examine(config))
    for finding in findings:
        if as_json:
            say_json(finding.as_json())
        else:
            typer.echo(finding.line())
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(2)


COMMANDS = (run, demo, init, check)
