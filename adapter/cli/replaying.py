"""The command that tells the whole inbox again: replay."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapter.cli.options import DEFAULT, AsJson, Config, complain, say_json, settings_of

if TYPE_CHECKING:
    from adapter.daemon.replaying import Report


def replay(  # noqa: PLR0913 — a command's words
    since: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Only messages received from this moment on (ISO 8601 with offset); names and merges stay as they are on record.",
        ),
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="With --diff: a folder with mappings/ or profiles/ to try; files it lacks are the shipped ones.",
        ),
    ] = None,
    diff: Annotated[
        bool, typer.Option("--diff", help="Change nothing; report every episode judged otherwise.")
    ] = False,
    at: Annotated[str | None, typer.Option(help="The clinical now at the end; the clock's if left out.")] = None,
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Rebuild patients and worklist from the stored messages, or with --diff see what other rules would change.

    Nothing is sent. What people were told stays told; where they must be told otherwise, the daemon does so when it
    starts. --diff works beside a running daemon and exits 1 where something differs.

    Example: adapter replay --diff --rules ./next-year
    """
    from adapter.daemon.replaying import Wish, difference, rebuild

    settings = settings_of(config)
    wish = Wish(_moment("--from", since), rules, _moment("--at", at))
    report = difference(settings, wish) if diff else rebuild(settings, wish)
    _say(report, as_json=as_json, diff=diff)
    if diff and report.differences:
        raise typer.Exit(1)


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise typer.BadParameter(f"{option}: write it with its offset, as 2026-01-02T03:04:00+01:00")
    return at


def _say(report: "Report", *, as_json: bool, diff: bool) -> None:
    """One line an episode; after a rebuild one line a message that ends otherwise. The summary goes to the person."""
    for difference in report.differences:
        said = difference.as_json()
        say_json(said if diff else {"kind": "candidate"} | said) if as_json else typer.echo(_line(said))
    for turn in () if diff else report.turns:
        before, now = _ending(turn.before), _ending(turn.now)
        line = {"kind": "message", "message": turn.id, "old": before, "new": now}
        say_json(line) if as_json else typer.echo(f"message {turn.id}: {before} → {now}")
    if as_json and not diff:
        say_json({"kind": "summary"} | report.summary())
    else:
        words = report.summary()
        complain(
            f"{words['messages']} messages told again; {words['messages_changed']} end otherwise, "
            f"{words['candidates_changed']} episodes are judged otherwise"
            + (f"; {words['messages_erased']} were erased and cannot be told" if words["messages_erased"] else "")
        )


def _ending(ending: tuple[str, str | None]) -> str:
    state, reason = ending
    return f"{state} {reason}" if reason else state


def _line(said: dict[str, Any]) -> str:
    old, new, digests = _finding(said["old"]), _finding(said["new"]), said["rulebook"]
    criteria = ", ".join(f"{c['id']} {c['old'] or '-'} → {c['new'] or '-'}" for c in said["criteria"])
    rules = digests["new"] if digests["old"] == digests["new"] else f"{digests['old']} → {digests['new']}"
    return f"{said['trial']} {said['candidate']}: {old} → {new}; {criteria or 'no criterion'}; rules {rules}"


def _finding(said: dict[str, Any] | None) -> str:
    if said is None:
        return "no episode"
    return f"{said['verdict']} {said['stratum']} {'shown' if said['shown'] else 'not shown'}"


COMMANDS = (replay,)
