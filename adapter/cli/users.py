"""Commands about people who may sign in: user add, invite, disable, list."""

import getpass
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

import typer

from adapter.cli.options import DEFAULT, AsJson, Config, say_json, settings_of
from adapter.cli.records import reading

app = typer.Typer(help="People who may sign in.", no_args_is_help=True, rich_markup_mode=None)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The account's name.")]
ROLES = "coordinator, investigator, monitor, data-manager, pharmacist, interface-admin, admin or auditor."
Role = Annotated[str, typer.Option(help=ROLES)]
Sites = Annotated[list[str] | None, typer.Option("--site", help="A site to work for; again for more. None: all.")]
Trials = Annotated[list[str] | None, typer.Option("--trial", help="A trial to work for; again for more. None: all.")]


@app.command("add")
def add(  # noqa: PLR0913 — a command's words
    name: Name,
    role: Role,
    site: Sites = None,
    trial: Trials = None,
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Make an account; its owner chooses the password by the link that is printed, within two days.

    Example: adapter user add e.papadopoulou --role coordinator
    """
    asked = {"command": "user-add", "name": name, **_work(role, site or [], trial or [], config)}
    _change(asked, config, as_json=as_json)


@app.command("role")
def change_role(  # noqa: PLR0913 — a command's words
    name: Name,
    role: Role,
    site: Sites = None,
    trial: Trials = None,
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Give an account another role, or other sites and trials; every session of it ends.

    Example: adapter user role e.papadopoulou --role coordinator --site attikon --trial immunosep
    """
    asked = {"command": "user-role", "name": name, **_work(role, site or [], trial or [], config)}
    _change(asked, config, as_json=as_json)


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
        line = {
            "name": user.name,
            "role": user.role,
            "created": user.created.isoformat(),
            "disabled": user.disabled,
            "sites": None if user.scope.sites is None else sorted(user.scope.sites),
            "trials": None if user.scope.trials is None else sorted(user.scope.trials),
            "hospital": bool(user.external),
            "second_step": bool(user.second_step),
        }
        if as_json:
            say_json(line)
        else:
            typer.echo(f"{user.name:<32}{user.role:<14}{'disabled' if user.disabled else ''}")


def _work(role: str, sites: list[str], trials: list[str], config: Path) -> dict[str, Any]:
    """What is asked for, in words that this house knows. Raises ConfigError naming the nearest."""
    from adapter.daemon.rules import load_rules
    from adapter.domain.document import nearest
    from adapter.errors import ConfigError
    from adapter.web.roles import RIGHTS

    known: list[tuple[str, list[str], Collection[str]]] = [("role", [role], RIGHTS)]
    if sites or trials:
        rules = load_rules(settings_of(config))
        known += [("site", sites, rules.sites), ("trial", trials, [trial.id for trial in rules.trials])]
    for kind, asked, words in known:
        for word in asked:
            if word not in words:
                raise ConfigError(f"no {kind} '{word}'{nearest(word, words)}")
    return {"role": role, "sites": sites, "trials": trials}


def _change(request: dict[str, Any], config: Config, *, as_json: bool) -> None:
    from adapter.daemon.reaching import command

    done = command(settings_of(config), request | {"by": getpass.getuser()})
    if as_json:
        say_json(done)
    else:
        typer.echo(done.get("link") or f"{done['name']}: done")
