"""Commands that keep the store safe from the loss of its disk: backup, restore."""

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapter.cli.options import DEFAULT, AsJson, Config, complain, say_json, settings_of

if TYPE_CHECKING:
    from datetime import datetime

    from adapter.daemon.copies import Manifest
    from adapter.daemon.gaps import Gap
    from adapter.daemon.rehearsing import Rehearsal
    from adapter.daemon.sealing import Opened
    from adapter.settings import Settings

MEBI = 1 << 20
RELEASE = "adapter restore --release"


def backup(
    to: Annotated[Path | None, typer.Option(file_okay=False, help="The folder; [backup] to if left out.")] = None,
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Copy the store beside the running daemon, and look whether the copy is whole.

    Two files: the copy, and its manifest (.json). It is complete or not there. The site key is never in it: keep that apart.

    Example: adapter backup --to /mnt/safe/adapter
    """
    from adapter.daemon.taking import take
    from adapter.errors import ConfigError

    settings = settings_of(config)
    folder = to or (settings.backup.to if settings.backup else None)
    if folder is None:
        raise ConfigError("where to? Say --to DIR, or add [backup] to the configuration")
    taken = take(settings, folder.absolute(), getpass.getuser())
    manifest, path = taken.made.manifest, taken.made.path
    if as_json:
        say_json(manifest.as_json() | {"path": str(path), "recorded": not taken.unrecorded})
    else:
        kind = "encrypted" if manifest.encrypted else "not encrypted"
        typer.echo(f"{path}: {manifest.bytes / MEBI:.1f} MiB, {kind}, whole")
        typer.echo(
            f"messages up to {manifest.contents.last_message}, {manifest.contents.audit.seq} entries of the audit trail"
        )
    if taken.unrecorded:
        complain(f"adapter: the backup is good, but not on record: {taken.unrecorded}")
    if taken.unkept:
        complain(f"adapter: the backup is good, but the screening numbers beside it are not: {taken.unkept}")


def restore(  # noqa: PLR0913 — a command's words
    file: Annotated[
        Path | None, typer.Argument(dir_okay=False, help="The backup; its manifest lies beside it.", show_default=False)
    ] = None,
    identity: Annotated[
        Path | None, typer.Option(dir_okay=False, help="The file with the private key, of an encrypted backup.")
    ] = None,
    trying: Annotated[
        bool, typer.Option("--try", help="Only see that it can be: beside the daemon, and thrown away.")
    ] = False,
    release: Annotated[bool, typer.Option("--release", help="Let alerts and pushes go out again.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Bring a backup back into an empty data folder, and say what must be sent again.

    The daemon is stopped, and site.key lies in the folder. Afterwards it starts, receives and screens, and holds alerts
    and pushes until somebody who saw that the gap is closed says --release.

    With --try the daemon runs on and the store is not touched: exit 1 for a backup that cannot be restored. Either is on record.

    Example: adapter restore /mnt/safe/adapter/adapter-20261126T101200Z.db
    """
    if (file is None) is not release or (release and trying):
        raise typer.BadParameter("give the FILE of a backup, or --release")
    settings = settings_of(config)
    if file is None:
        _release(settings, yes=yes, as_json=as_json)
    elif trying:
        _try(settings, file.absolute(), identity, as_json=as_json)
    else:
        _sure(f"Restore {file.name} into {_store(settings)}?", yes=yes)
        _restore(settings, file.absolute(), identity, as_json=as_json)


def _store(settings: "Settings") -> str:
    return str(settings.adapter.data) if settings.on_sqlite() else settings.store_url()


def _restore(settings: "Settings", file: Path, identity: Path | None, *, as_json: bool) -> None:
    from adapter.daemon.clock import utc_now
    from adapter.daemon.gaps import gaps
    from adapter.daemon.restoring import Order
    from adapter.daemon.restoring import restore as bring_back

    now, kept = utc_now(), (settings.backup.to,) if settings.backup else ()
    restored = bring_back(settings, Order(file, _opened(identity), getpass.getuser(), now, kept))
    manifest, found = restored.manifest, list(gaps(settings, restored.manifest))
    if as_json:
        done = {"file": manifest.file, "made": manifest.as_json()["made"], "restored": now.isoformat(), "held": True}
        done |= {"screening_numbers": restored.numbers}
        say_json(done | {"gaps": [gap.as_json() for gap in found]})
    else:
        _told(manifest, found, restored.numbers)


def _opened(identity: Path | None) -> "Opened | None":
    """Raises ConfigError."""
    from adapter.daemon import sealing

    return None if identity is None else sealing.identities(identity)


def _try(settings: "Settings", file: Path, identity: Path | None, *, as_json: bool) -> None:
    from adapter.cli.signals import heard
    from adapter.daemon.clock import utc_now
    from adapter.daemon.rehearsing import on_record, rehearse
    from adapter.daemon.restoring import Order

    by, kept = getpass.getuser(), (settings.backup.to,) if settings.backup else ()
    opened = _opened(identity)
    with heard() as going:
        found = rehearse(settings, Order(file, opened, by, utc_now(), kept, going))
    unrecorded = on_record(settings, found, by)
    if as_json:
        said = {"file": found.file, "passed": not found.problem, "problem": found.problem, "limit": found.limit}
        say_json(said | found.detail() | {"seconds": round(found.seconds, 1), "recorded": not unrecorded})
    elif not found.problem:
        _found(found)
    if unrecorded:
        complain(f"adapter: that it was tried is not on record: {unrecorded}")
    if found.problem:
        complain(f"adapter: {found.file} cannot be restored: {found.problem}")
        raise typer.Exit(1)


def _found(found: "Rehearsal") -> None:
    said, seen, manifest = found.detail(), found.seen, found.manifest
    typer.echo(
        f"{found.file}: whole, made {_local(manifest.made if manifest else None)}, messages up to {said['last_message']}, {said['entries']} entries of the "
        f"audit trail; {found.seconds:.1f} s"
    )
    if seen is not None:
        typer.echo(
            f"brought back and thrown away: the key opens {seen.numbers} screening numbers, {seen.read} of "
            f"{seen.patients} patients were read"
        )
    if found.limit:
        typer.echo(f"Not all was tried: {found.limit}")


def _told(manifest: "Manifest", found: "list[Gap]", numbers: int | None) -> None:
    typer.echo(
        f"Restored {manifest.file}, made {_local(manifest.made)}: whole, messages up to {manifest.contents.last_message}, "
        f"{manifest.contents.audit.seq} entries of the audit trail."
    )
    typer.echo("What came after it is missing. What is sent twice is recognised, so rather ask for too much:")
    for gap in found:
        typer.echo(f"  {gap.feed}: {_asked(gap)}")
    if numbers is None:
        typer.echo(
            "  screening numbers given after it are not known again: subjects pushed after it will be sent as new ones"
        )
    elif numbers:
        typer.echo(f"  {numbers} screening numbers that were given after it are known again")
    typer.echo(f"Start the daemon now. It receives and screens; alerts and pushes are held until: {RELEASE}")


def _asked(gap: "Gap") -> str:
    last = f"last stored {_local(gap.last)}" if gap.last else "nothing of it is in the backup"
    since = f"since {_local(gap.since)}" if gap.since else "there is"
    return {
        "resend": f"{last}; ask to send again everything {since}",
        "polled": f"{last}; asked again by the daemon itself",
        "gone": f"{last}; no source of this name is configured",
        "pages": f"answers, statuses, notes and accounts entered after {_local(gap.last)} are lost; tell those who work there",
    }[gap.how]


def _local(at: "datetime | None") -> str:
    """As the clock on the wall of this machine, with its offset."""
    return at.astimezone().isoformat(sep=" ", timespec="seconds") if at else ""


def _release(settings: "Settings", *, yes: bool, as_json: bool) -> None:
    from adapter.daemon.reaching import command
    from adapter.daemon.releasing import standing

    held = standing(settings)
    if not as_json:
        _came("Held since", held)
    _sure("Has everything been sent again, so that alerts and pushes may go out?", yes=yes)
    told = command(settings, {"command": "restore-release", "by": getpass.getuser()})
    if as_json:
        say_json(told)
        return
    typer.echo("Released: alerts and pushes go out again.")


def _came(word: str, told: dict[str, Any]) -> None:
    from datetime import datetime

    typer.echo(f"{word} {_local(datetime.fromisoformat(told['restored']))}. What came since:")
    for feed in told["feeds"]:
        typer.echo(f"  {feed['feed']}: {_since(feed)}")


def _since(feed: dict[str, Any]) -> str:
    from datetime import datetime

    if not feed["messages"]:
        return "nothing"
    return f"{feed['messages']} messages, the newest {_local(datetime.fromisoformat(feed['newest']))}"


def _sure(question: str, *, yes: bool) -> None:
    from adapter.errors import ConfigError

    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError("nobody is there to be asked — add --yes")
    typer.confirm(question, abort=True)


COMMANDS = (backup, restore)
