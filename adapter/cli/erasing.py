"""The command that takes a person out of everything: erase."""

import getpass
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapter.cli.options import DEFAULT, AsJson, Config, complain, say_json, settings_of
from adapter.errors import ConfigError

if TYPE_CHECKING:
    from adapter.settings import Settings

KINDS = {
    "results": "results",
    "statements": "visits, drugs, diagnoses, answers and decisions",
    "candidates": "rows of the worklist",
    "candidate_history": "lines of their history",
    "candidate_notes": "notes of colleagues",
    "claims": "claims",
    "alert_calls": "records of alerts",
    "alert_openings": "records of who looked after an alert",
    "seen": "marks of who has seen the row",
    "outbox": "deliveries, sent or waiting",
    "outbox_remotes": "references into an EDC",
    "screening_ids": "screening numbers, with the link to the patient",
    "contested_ids": "claims to a screening number",
    "ties": "merges and moves",
    "poll_resources": "references into a FHIR server",
    "missed_cases": "missed cases, which stay without note and link",
    "identity_proposals": "proposals who the person is",
    "sessions": "searches of people who are signed in, whatever they searched for",
    "erased_episodes": "rows that the screening log keeps, without identifiers",
}
"""By table, in the words of whoever reads the certificate."""


def erase(  # noqa: PLR0913 — a command's words
    patient: Annotated[str, typer.Option(help="- reads SITE|AUTHORITY|NUMBER from standard input.", metavar="-")],
    reason: Annotated[str, typer.Option(help="Why: it stays on record. No name, no number.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it without asking; without a terminal nothing else does.")
    ] = False,
    opt_out: Annotated[bool, typer.Option("--opt-out", help="Leave the person out from now on, too.")] = False,
    opt_in: Annotated[bool, typer.Option("--opt-in", help="Take an --opt-out back; erases nothing.")] = False,
    enrolled: Annotated[
        bool, typer.Option("--enrolled", help="Also one who takes part, or whom an EDC knows.")
    ] = False,
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Take a person out of everything that is stored, with every record merged with theirs, and print a certificate.

    First it says what would go. On a terminal you confirm by typing the environment's name; anywhere else nothing is
    done without --yes. The audit trail is never touched: it holds no patient. What an EDC was sent is listed, and is
    not ours to delete. Exit 1 where nobody is known, or the trial's file must stay.

    Example: adapter erase --patient - --reason "request of 12 May, file 7" --opt-out
    """
    if patient != "-":
        raise typer.BadParameter(
            "no hospital number on the command line — write --patient - and give it on standard input"
        )
    if opt_in and (opt_out or enrolled or dry_run):
        raise typer.BadParameter("--opt-in only takes a name off the list — leave the other options away")
    settings, who = settings_of(config), _who()
    request = {"patient": who, "reason": reason, "by": getpass.getuser(), "opt_out": opt_out, "enrolled": enrolled}
    if opt_in:
        _say(_asked(settings, "opt-in", request), as_json=as_json)
        return
    planned = _asked(settings, "erase", request | {"rehearsal": True})
    if dry_run or not (yes or sys.stdin.isatty()):
        _say(planned, as_json=as_json)
    elif yes or _confirmed(settings, planned):
        _say(_asked(settings, "erase", request | {"rehearsal": False}), as_json=as_json)
        return
    if not dry_run:
        complain("adapter: nothing was erased — add --yes, or type the environment's name on a terminal")


def _asked(settings: "Settings", name: str, request: dict[str, Any]) -> dict[str, Any]:
    from adapter.daemon.reaching import command

    return command(settings, request | {"command": name})


def _who() -> list[str]:
    """Raises ConfigError, which never repeats what was written."""
    from adapter.daemon.erasing import patient_of

    if sys.stdin.isatty():
        lines = [typer.prompt("Who, as SITE|AUTHORITY|NUMBER", err=True)]
    else:
        lines = [line for line in sys.stdin.read().splitlines() if line.strip()]
    if len(lines) != 1:
        what = "nothing came" if not lines else "more than one line came"
        raise ConfigError(f"standard input: {what} — write one person as SITE|AUTHORITY|NUMBER")
    who = patient_of(lines[0])
    return [who.site, who.authority, who.value]


def _confirmed(settings: "Settings", planned: dict[str, Any]) -> bool:
    """By a word that is not typed by accident."""
    complain("\n".join(_told(planned)))
    return (
        str(typer.prompt(f"Type '{settings.adapter.environment}' to do it", err=True)) == settings.adapter.environment
    )


def _say(done: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        say_json(done)
    elif "opted_in" in done:
        typer.echo(f"Messages of this person are read again from now on (audit entry {done['audit']}).")
    else:
        typer.echo("\n".join(_told(done)))


def _told(done: dict[str, Any]) -> Iterator[str]:
    sure = done["erased"]
    yield f"Certificate of erasure, {done['environment']}, {done['at']}" if sure else "This would be erased:"
    yield f"  {done['records']:>6}  records of the person"
    yield f"  {done['messages']:>6}  messages emptied; when they came, their hash and what became of them stays"
    for table, words in KINDS.items():
        if table in done["rows"]:
            yield f"  {done['rows'][table]:>6}  {words}"
    yield from _limits(done)
    if sure:
        yield f"On record as audit entry {done['audit']}, for the reason: {done['reason']}"


def _limits(done: dict[str, Any]) -> Iterator[str]:
    if done["shared_messages"]:
        yield f"{done['shared_messages']} of the messages spoke of others too: what was understood of them stays, the bytes do not."
    if done["other_messages_with_the_number"]:
        yield (
            f"{done['other_messages_with_the_number']} messages of other patients hold the same characters (a mother's or a "
            "donor's number, or chance): they stay — look at them with `adapter inbox`."
        )
    for one in done["pushed"]:
        yield f"EDC '{one['outlet']}' holds data under screening number {one['screening_number']}: ask there; nothing more is sent."
    if done["opted_out"]:
        yield "Later messages of this person are acknowledged and emptied unread."
    else:
        yield "The next message about this person makes them known again; --opt-out prevents that."
    until = done["backups_hold_it_until"]
    yield (
        f"Backups of [backup] hold the data until {until}."
        if until
        else "No [backup] is configured: copies of the store that others made hold the data."
    )
    yield "So do mails and files people took away, and copies they made of either."
    if not done["log_emptied"]:
        yield "A reader kept the write-ahead log from being emptied: the daemon tries again every ten minutes."


COMMANDS = (erase,)
