"""`adapter conformance`: the wire cases against a running receiver, and the report that two teams sign."""

import sys
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapter import __version__
from adapter.cli.messages import address, progress, tls_context
from adapter.cli.options import AsJson, say_json
from adapter.errors import ConfigError

if TYPE_CHECKING:
    from adapter.conformance.model import Case
    from adapter.conformance.run import Plan, Report

WIDTH = 132


class ProfileName(StrEnum):
    """The words of `--profile`."""

    GENERIC = "generic"
    MIRTH = "mirth"
    INTERSYSTEMS = "intersystems"
    RHAPSODY = "rhapsody"
    CLOVERLEAF = "cloverleaf"
    STRICT = "strict"


def conformance(  # noqa: PLR0913 — a command's words
    receiver: Annotated[str, typer.Argument(metavar="HOST:PORT", help="The receiver.")] = "",
    profile: Annotated[
        ProfileName, typer.Option(help="What the receiver is configured to answer.")
    ] = ProfileName.GENERIC,
    tls: Annotated[bool, typer.Option("--tls", help="Speak TLS.")] = False,
    ca: Annotated[Path | None, typer.Option(help="Trust this authority (PEM).", dir_okay=False)] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="Our certificate and key (PEM); then the port must ask for one.", dir_okay=False)
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="This case, or all whose ids begin so: M05; may be repeated.")
    ] = None,
    slow: Annotated[bool, typer.Option("--slow", help="Also cases that take a minute or send a hundred MB.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="Only list the cases and their rules.")] = False,
    max_bytes: Annotated[int, typer.Option(min=4096, help="The largest message that was agreed.")] = 16 * 1024 * 1024,
    processing_id: Annotated[str, typer.Option(help="What the port is for: P, or T, D for a test port.")] = "P",
    patience: Annotated[float, typer.Option(min=0.2, max=30, help="Seconds after which no answer is none.")] = 3.0,
    hospital: Annotated[str, typer.Option(help="The hospital's team, for the report.")] = "",
    team: Annotated[str, typer.Option(help="The adapter's team, for the report.")] = "",
    html: Annotated[Path | None, typer.Option(help="Write the report to sign here.", dir_okay=False)] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write here what would be printed.", dir_okay=False, writable=True)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play some 190 wire cases against an MLLP receiver, ours or another's, and report rule by rule what it answers.

    Under a minute, one synthetic patient of nobody's, never a load test. Exit 0 when all that must hold holds, 1 when not,
    3 when nobody listens.

    Example: adapter conformance 127.0.0.1:2575 --profile strict --html report.html
    """
    cases = _chosen(only or [])
    if list_:
        _list(cases, as_json=as_json)
        return
    if not receiver:
        raise typer.BadParameter("give HOST:PORT of the receiver, or --list")
    plan = _plan(receiver, profile, (tls, ca, certificate), patience)
    report = _played(cases, _agreed(plan, slow=slow, limit=max_bytes, processing=processing_id))
    _write(html, _page(report, hospital, team))
    _say(report, out, as_json=as_json)
    if not report.conforms:
        raise typer.Exit(1)


def _chosen(only: list[str]) -> "list[Case]":
    from adapter.conformance.cases import CASES
    from adapter.domain.document import nearest

    for word in only:
        if not any(case.id.startswith(word) for case in CASES):
            raise ConfigError(f"--only {word}: there is no such case{nearest(word, [case.id for case in CASES])}")
    return [case for case in CASES if not only or case.id.startswith(tuple(only))]


def _list(cases: "list[Case]", *, as_json: bool) -> None:
    from adapter.conformance.rules import rule_of, spoken

    for case in cases:
        if as_json:
            rules = [{"name": spoken(name), "source": rule_of(name).source} for name in case.named]
            say_json({"id": case.id, "title": case.title, "severity": case.severity, "rules": rules})
        else:
            typer.echo(f"{case.id:<16}{case.severity:<8}{case.title}  ({', '.join(map(spoken, case.named))})")


def _plan(receiver: str, profile: str, tls: tuple[bool, Path | None, Path | None], patience: float) -> "Plan":
    from adapter.conformance.doors import with_tls, without_tls
    from adapter.conformance.player import Where
    from adapter.conformance.profiles import PROFILES
    from adapter.conformance.run import Plan
    from adapter.daemon.clock import utc_now

    host, port = address(receiver, "HOST:PORT")
    wanted, ca, certificate = tls
    speaks = wanted or ca is not None or certificate is not None
    doors = with_tls(tls_context(ca, certificate), ca, utc_now()) if speaks else without_tls()
    return Plan(
        Where(host, port, doors, patience),
        PROFILES[profile],
        tls=speaks,
        client_certificate=certificate is not None,
    )


def _agreed(plan: "Plan", **agreed: Any) -> "Plan":
    from dataclasses import replace

    return replace(plan, **agreed)


def _played(cases: "list[Case]", plan: "Plan") -> "Report":
    import asyncio

    from adapter.conformance.run import run
    from adapter.daemon.clock import utc_now

    with progress(len(cases), "playing") as advance:
        return asyncio.run(run(cases, plan, utc_now, advance))


def _page(report: "Report", hospital: str, team: str) -> str:
    from adapter.conformance.telling import Teams, page

    return page(report, __version__, Teams(hospital, team))


def _write(path: Path | None, text: str) -> None:
    if path is None:
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}) — check the path") from error


def _say(report: "Report", out: Path | None, *, as_json: bool) -> None:
    text = _json_lines(report) if as_json else _text(report, colour=out is None and sys.stdout.isatty())
    if out is None:
        typer.echo(text, nl=False)
    else:
        _write(out, text)


def _json_lines(report: "Report") -> str:
    import json

    from adapter.conformance.telling import finding_as_json, report_as_json

    said = [*map(finding_as_json, report.findings), report_as_json(report, __version__)]
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in said)


def _text(report: "Report", *, colour: bool) -> str:
    from rich.console import Console
    from rich.table import Table

    from adapter.conformance.telling import conclusion, counts, details, grouped

    colours = {"pass": "green", "fail": "bold red"}
    table = Table("case", "rules", "weight", "verdict", "what is played", title_justify="left")
    for title, findings in grouped(report):
        table.add_section()
        table.add_row("", "", "", "", f"[bold]{title}[/bold]")
        for one in findings:
            verdict = f"[{colours.get(one.verdict, 'dim')}]{one.verdict}[/]"
            table.add_row(one.case.id, one.case.rules, one.case.severity, verdict, one.case.title)
    console = Console(file=StringIO(), width=WIDTH, force_terminal=colour, color_system="auto" if colour else None)
    plan = report.plan
    console.print(
        f"Conformance of {report.address}, profile {plan.profile.name}, {report.began.isoformat(timespec='seconds')}"
    )
    console.print(plan.profile.remark, markup=False, highlight=False, soft_wrap=True)
    console.print(table)
    for line in (*details(report), counts(report), conclusion(report)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    file = console.file
    return file.getvalue() if isinstance(file, StringIO) else ""


COMMANDS = (conformance,)
