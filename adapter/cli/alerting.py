"""Commands about people being told: alert test, alert rota."""

import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from adapter.cli.options import DEFAULT, AsJson, Config, say_json, settings_of

if TYPE_CHECKING:
    from adapter.ports import Notifier

app = typer.Typer(help="Who is told of a candidate, and by which way.", no_args_is_help=True, rich_markup_mode=None)


@app.command("test")
def send_test(
    channel: Annotated[str, typer.Argument(metavar="[CHANNEL]", help="One of them; all if left out.")] = "",
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Send a test by each channel now, from here, and say what its server answered. Nothing of a patient is in it.

    Exit 0 when every channel took it, 1 when not, 2 for a channel that there is not.

    Example: adapter alert test coordinators
    """
    from adapter.daemon.clock import utc_now
    from adapter.daemon.telling import notifiers_for
    from adapter.errors import ConfigError
    from adapter.web.alerting import payload_of_test

    settings = settings_of(config)
    made = {name: make for name, make in notifiers_for(settings).items() if channel in {"", name}}
    if not made:
        raise ConfigError(f"no channel '{channel}' — see [[notifier]] in the configuration")
    failed = False
    for name, make in made.items():
        answer = _sent(name, make(utc_now), payload_of_test(settings.web_base()))
        failed = failed or bool(answer)
        if as_json:
            say_json({"channel": name, "taken": not answer, "error": answer})
        else:
            typer.echo(f"{name:<32}{answer or 'taken'}")
    if failed:
        raise typer.Exit(1)


def _sent(name: str, notifier: "Notifier", payload: str) -> str:
    """What went wrong, in our own words; empty when it was taken."""
    import asyncio

    from adapter.domain.message import Delivery
    from adapter.errors import RejectedError, UnavailableError

    key = secrets.token_hex(16)
    try:
        asyncio.run(notifier.deliver(Delivery(0, name, f"test-{key}", "test", payload, key)))
    except (UnavailableError, RejectedError) as error:
        return str(error)
    return ""


@app.command("rota")
def rota(
    days: Annotated[int, typer.Option(min=1, max=366, help="How far ahead.")] = 14,
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Who is on call from now on, in the order in which they are called; a gap is named.

    Exit 2 for a calendar that cannot be read, naming its line.

    Example: adapter alert rota --days 30
    """
    from zoneinfo import ZoneInfo

    from adapter.alerting.rota import turns
    from adapter.daemon.clock import utc_now
    from adapter.daemon.telling import RotaBook
    from adapter.errors import ConfigError

    section = settings_of(config).alerts
    if section is None:
        raise ConfigError("there is no [alerts] in the configuration — docs/alerts.md says how to write it")
    book, zone = RotaBook(section), ZoneInfo(section.timezone)
    book.read()
    for turn in turns(book.now(), utc_now(), days):
        start, until = (moment.astimezone(zone) for moment in (turn.start, turn.until))
        if as_json:
            say_json({"from": start.isoformat(), "until": until.isoformat(), "who": list(turn.who)})
        else:
            typer.echo(f"{start:%a %Y-%m-%d %H:%M}  {until:%a %Y-%m-%d %H:%M}  {', '.join(turn.who) or 'NOBODY'}")
