"""Commands about people who may sign in: user add, invite, disable, list."""

import getpass
from typing import Annotated

import typer

from adapter.cli.options import DEFAULT, AsJson, Config, say_json, settings_of
from adapter.cli.records import reading

app = typer.Typer(help="People who may sign in.", no_args_is_help=True, rich_markup_mode=None)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The account's name.")]


@app.command("add")
def add(
    name: Name,
    role: Annotated[str, typer.Option(help="coordinator, investigator, interface-admin or admin.")],
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Make an account; its owner chooses the password by the link that is printed, within two days.

    Example: adapter user add e.papadopoulou --role coordinator
    """
    _change({"command": "user-add", "name": name, "role": role}, config, as_json=as_json)


@app.command("invite")
def invite(name: Name, config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """Give a new link to somebody who lost their password.

    Example: adapter user invite e.papadopoulou
    """
    _change({"command": "user-invite", "name": name}, config, as_json=as_json)


@app.command("disable")
def disable(name: Name, config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """Close an account and every session of it.

    Example: adapter user disable e.papadopoulou
    """
    _change({"command": "user-disable", "name": name}, config, as_json=as_json)


@app.command("reset-second-step")
def reset_second_step(name: Name, config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """For one who lost their phone: every session ends, and another phone is made known at the next sign-in.

    Example: adapter user reset-second-step e.papadopoulou
    """
    _change({"command": "user-reset-second-step", "name": name}, config, as_json=as_json)


@app.command("list")
def listing(config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """Every account.

    Example: adapter user list
    """
    from adapter.store import accounts

    with reading(settings_of(config)) as database, database.read() as conn:
        users = accounts.list_users(conn)
    for user in users:
        line = {"name": user.name, "role": user.role, "created": user.created.isoformat(), "disabled": user.disabled}
        if as_json:
            say_json(line)
        else:
            typer.echo(f"{user.name:<32}{user.role:<14}{'disabled' if user.disabled else ''}")


def _change(request: dict[str, str], config: Config, *, as_json: bool) -> None:
    from adapter.daemon.reaching import command

    done = command(settings_of(config), request | {"by": getpass.getuser()})
    if as_json:
        say_json(done)
    else:
        typer.echo(done.get("link") or f"{done['name']}: done")
