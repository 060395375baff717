"""Commands about messages in files: convert (what would be understood), send (to a receiver)."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapter.cli.files import Found, Paths, read_messages
from adapter.cli.options import AsJson, say_json
from adapter.domain.message import MessageKind
from adapter.errors import ConfigError, MalformedMessageError

if TYPE_CHECKING:
    import ssl

    from adapter.cli.findings import Finding
    from adapter.hl7.er7 import Message
    from adapter.ports import Clock
    from adapter.screening.rulebook import Rulebook


def convert(  # noqa: PLR0913 — a command's words
    paths: Paths,
    site: Annotated[str, typer.Option(help="Whose codes, units and zone to read it with.")] = "generic",
    assets: Annotated[
        Path | None, typer.Option(help="The folder that holds your mappings/ (not mappings/ itself).", file_okay=False)
    ] = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="Only the sum: each finding once, with its count.")
    ] = False,
    testing: Annotated[
        bool,
        typer.Option("--test", help="Read test messages (MSH-11 T, D, V, N) too; a production source refuses them."),
    ] = False,
    linting: Annotated[
        bool, typer.Option("--lint", help="Add what hl7apy minds of each message's structure (slow, strict).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Dry run, nothing is stored: what the adapter would understand of HL7 v2 messages and of FHIR resources.

    Exit 0 whatever the content; 2 for a path that cannot be read.

    Example: adapter convert --site attikon --summary exports/
    """
    from adapter.cli.findings import Sum, findings

    reader, sum_ = reader_of(site, assets, production=not testing), Sum()
    for found in read_messages(paths):
        seen, message = reader.read(found), None if as_json and not summary else reader.parsed(found)
        if linting:
            seen["lint"] = reader.linted(found)
        if summary:
            sum_.add(seen, message)
        elif as_json:
            say_json(seen)
        else:
            typer.echo(_told(seen, findings(seen, message)))
    if summary:
        say_json(sum_.as_json()) if as_json else typer.echo(sum_.text())


@dataclass(frozen=True, slots=True)
class Reader:
    """One site's reading of files."""

    site: str
    rules: "Rulebook"
    clock: "Clock"

    def read(self, found: Found) -> dict[str, Any]:
        """The `convert` object."""
        from adapter.domain.message import RawMessage
        from adapter.screening.describe import as_json
        from adapter.screening.interpret import interpret, unreadable

        if found.lost:
            return as_json(unreadable(found.body, found.lost), found.source)
        message = RawMessage("convert", self.site, found.kind, found.body, self.clock())
        try:
            seen = interpret(message, self.rules, message_id=found.source)
        except MalformedMessageError as error:
            seen = unreadable(found.body, error.code)
        return as_json(seen, found.source)

    def linted(self, found: Found) -> list[dict[str, str]]:
        from adapter.cli.lint import lint

        return lint(found.body, self.rules.sites[self.site].encoding)

    def parsed(self, found: Found) -> "Message | None":
        from adapter.hl7.er7 import parse

        try:
            return parse(found.body, self.rules.sites[self.site].encoding)
        except MalformedMessageError:
            return None


def reader_of(site: str, assets_folder: Path | None, *, production: bool = True) -> Reader:
    from adapter import assets
    from adapter.daemon.clock import utc_now
    from adapter.domain.document import nearest

    rules = assets.load_rulebook(assets_folder, trials=(), production=production)
    if site not in rules.sites:
        place = "" if assets_folder is None else f" in {assets_folder / 'mappings' / 'sites'} or among the shipped"
        raise ConfigError(f"no site '{site}'{place}{nearest(site, rules.sites)}")
    return Reader(site, rules, utc_now)


def _told(seen: dict[str, Any], findings: "list[Finding]") -> str:
    from adapter.screening.reasons import REASONS

    ledger = {name: count for name, count in seen["ledger"].items() if count}
    buckets = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in ledger.items())
    reason = f" ({seen['reason']})" if seen["reason"] else ""
    lines = [f"{seen['source']}: {seen['type'] or '?'} {seen['disposition']}{reason}; {buckets or 'no observations'}"]
    lines += [f"  {_event(event)}" for event in seen["events"]]
    if seen["reason"] in REASONS:
        lines.append(f"  ! {REASONS[seen['reason']]}")
    lines += [f"  ! {one.where}{f' ({one.said})' if one.said else ''}: {one.text}" for one in findings]
    lines += [f"  ~ {one['where']}: {one['text']}" for one in seen.get("lint", ())]
    return "\n".join(lines)


def _event(event: dict[str, Any]) -> str:
    if event["kind"] == "observation":
        number = f"{event.get('comparator') or ''}{event['value']} {event['unit'] or ''}".strip()
        return f"{event['concept']} = {number}  ({event['status']}, {event['effective']})"
    if event["kind"] == "encounter":
        return f"{event['event']} {event['class'] or ''} {event['ward']} {event['bed']}  ({event['at']})"
    return str(event["kind"])


def send(  # noqa: PLR0913 — a command's words
    paths: Paths,
    to: Annotated[str, typer.Option(help="HOST:PORT of the receiver.")],
    rate: Annotated[float, typer.Option(min=0, help="Messages a second; 0: as fast as answers come.")] = 0,
    connections: Annotated[int, typer.Option(min=1, max=100, help="Connections at the same time.")] = 1,
    tls: Annotated[bool, typer.Option("--tls", help="Speak TLS.")] = False,
    ca: Annotated[Path | None, typer.Option(help="Trust this authority (PEM).", dir_okay=False)] = None,
    certificate: Annotated[Path | None, typer.Option(help="Our certificate and key (PEM).", dir_okay=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Send messages by MLLP, each after the answer to the one before, and sum up codes and latencies.

    Exit 1 unless every message got the answer it asks for: AA, CA, or none where MSH-15 and MSH-16 want none.

    Example: adapter send --to 127.0.0.1:2575 --connections 4 messages/
    """
    import asyncio

    from adapter.sinks.mllp_sender import MllpSender, Pace, send_all

    host, port = address(to)
    context = tls_context(ca, certificate) if tls or ca or certificate else None
    bodies = [_as_hl7(found) for found in read_messages(paths)]
    with progress(len(bodies)) as advance:
        summary = asyncio.run(
            send_all(bodies, lambda: MllpSender(host, port, tls=context), Pace(connections, rate), advance)
        )
    result = summary.as_json()
    say_json(result) if as_json else typer.echo(
        f"{summary.sent} sent, {result['codes']}, latency {result['latency_ms']} ms, {result['rate']}/s"
    )
    for reason, count in summary.silences.items():
        typer.echo(
            f"adapter: {count} got no answer from {to}: {reason} — see that it listens there, and send again", err=True
        )
    if not summary.accepted:
        raise typer.Exit(1)


def _as_hl7(found: Found) -> bytes:
    if found.kind is MessageKind.FHIR:
        raise ConfigError(f"{found.source}: is FHIR, and MLLP carries HL7 v2 — leave it out")
    if found.lost:
        raise ConfigError(f"{found.source}: is no whole message ({found.lost}) — leave it out")
    return found.body


def address(text: str, word: str = "--to") -> tuple[str, int]:
    """HOST:PORT. Raises ConfigError for anything else."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()):
        raise ConfigError(f"{word} {text}: write HOST:PORT, for example 127.0.0.1:2575")
    return host.strip("[]"), int(port)


def tls_context(ca: Path | None, certificate: Path | None) -> "ssl.SSLContext":
    import ssl

    try:
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
        if certificate is not None:
            context.load_cert_chain(certificate)
    except OSError as error:
        raise ConfigError(f"the TLS files cannot be used ({error.strerror}) — check --ca and --certificate") from error
    return context


class progress:  # noqa: N801 — used like a function
    """A bar on standard error, where that is a terminal."""

    def __init__(self, total: int, word: str = "sending") -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._bar = Progress(console=Console(stderr=True), disable=not sys.stderr.isatty())
        self._task = self._bar.add_task(word, total=total)

    def __enter__(self) -> Any:
        self._bar.start()
        return self

    def __call__(self, _code: object) -> None:
        self.many(1)

    def many(self, count: int) -> None:
        self._bar.advance(self._task, count)

    def __exit__(self, *_error: object) -> None:
        self._bar.stop()


COMMANDS = (convert, send)
