"""Commands about what no mapping knew: mapping coverage, suggest, add."""

import getpass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapter.cli.options import DEFAULT, AsJson, Config, printable, say_json, settings_of
from adapter.cli.records import reading

if TYPE_CHECKING:
    from adapter.daemon.replaying import Report
    from adapter.daemon.workbench import Order
    from adapter.mapping.amend import SiteLine
    from adapter.pipeline.survey import Found
    from adapter.settings import Settings

app = typer.Typer(
    help="What no mapping knew: how much of it, what it may mean, and the line that mends it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Source = Annotated[str | None, typer.Option(help="Only what this source sent.")]
Limit = Annotated[int, typer.Option(min=1, max=5000, help="The most frequent so many.")]


@app.command("coverage")
def coverage(config: Config = DEFAULT, source: Source = None, limit: Limit = 100, as_json: AsJson = False) -> None:
    """Codes, units, drugs, answers and specimens nobody mapped, the most frequent first, with what stands round them.

    Names, units and the range of values are those of the newest messages. No patient, and no range of fewer than
    five patients' values.

    Example: adapter mapping coverage --source lab
    """
    for found in _survey(config, source, limit):
        one = found.as_json()
        say_json(one) if as_json else typer.echo(_covered(one))


@app.command("suggest")
def suggest(config: Config = DEFAULT, source: Source = None, limit: Limit = 100, as_json: AsJson = False) -> None:
    """For each the likeliest meanings, with a score and the reasons; nothing is applied.

    The score helps the eye and is no probability: ask the laboratory, then `adapter mapping add`.

    Example: adapter mapping suggest --source lab
    """
    for found in _survey(config, source, limit):
        one = found.as_json() | {"suggestions": [s.as_json() for s in found.suggestions]}
        say_json(one) if as_json else typer.echo("\n".join((_covered(one), *_proposed(one))))


@app.command("add")
def add(  # noqa: PLR0913 — a command's words
    word: Annotated[str, typer.Argument(metavar="CODE", help="As the sender writes it.", show_default=False)],
    site: Annotated[str, typer.Option(help="Whose file.")],
    by: Annotated[str, typer.Option(help="Who answers for it: it stands in the file, and on record with your login.")],
    meaning: Annotated[str | None, typer.Argument(metavar="[CONCEPT]", show_default=False)] = None,
    unit: Annotated[str, typer.Option(help="Of a code: the UCUM unit where OBX-6 is empty.")] = "",
    specimen: Annotated[str, typer.Option(help="Of a code: the specimen where the message says none.")] = "",
    not_needed: Annotated[bool, typer.Option("--not-needed", help="CODE is known and not wanted.")] = False,
    unit_spelling: Annotated[
        bool, typer.Option("--unit-spelling", help="CODE is a spelling of a unit, CONCEPT its UCUM unit.")
    ] = False,
    drug: Annotated[bool, typer.Option("--drug", help="CODE is a pharmacy's, CONCEPT a substance.")] = False,
    reason: Annotated[str, typer.Option(help="Why: it stands in the file and on record. No patient data.")] = "",
    trying: Annotated[
        bool, typer.Option("--try", help="Change nothing: say which results and verdicts would.")
    ] = False,
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Write one line into a site's file; the daemon reads by it at once, and reads again what it concerns.

    Comments and order of the file stay; the old one is kept beside it. Only messages that had this very finding are
    read again, in their order; what they counted is corrected, the worklist follows. Started again, it goes on
    where it was stopped. --try tells first what would change, and exits 1 where a verdict would.

    Example: adapter mapping add --site klinikum THRO platelets --by "E. Braun" --reason "catalogue of May"
    """
    from adapter.daemon import amending
    from adapter.daemon.rules import load_rules

    line = _line(word, meaning, (not_needed, unit_spelling, drug), (unit, specimen))
    settings = settings_of(config)
    order = _order(site, line, by, reason)
    planned = amending.plan(settings.adapter.assets, load_rules(settings), site, line, order.author)
    if trying:
        _try(settings, order, planned.site, as_json=as_json)
        return
    done = _carried_out(settings, order, planned)
    if as_json:
        say_json(done)
        return
    typer.echo(f"wrote {done['file']}" if done["backup"] else f"it stands already in {done['file']}")
    then = "being read again" if done["running"] else "to be read again when the daemon starts"
    typer.echo(f"{done['messages']} messages {then}")


def _survey(config: Any, source: str | None, limit: int) -> "list[Found]":
    from adapter.daemon.rules import load_rules
    from adapter.pipeline.survey import survey

    settings = settings_of(config)
    rules = load_rules(settings)
    with reading(settings) as database, database.read() as conn:
        return survey(conn, rules, limit, source=source)


def _covered(one: dict[str, Any]) -> str:
    senders = f" ({', '.join(one['senders'])})" if one["senders"] else ""
    names = f" {', '.join(one['names'])}" if one["names"] else ""
    when = f"{(one['first'] or '?')[:10]} to {(one['last'] or '?')[:10]}"
    lines = [
        f"{one['count']:>8}  {one['code']} {one['said']}{names}",
        f"{one['source']}{senders}, site {one['site']}, {when}",
    ]
    said = [f"at {', '.join(one['concepts'])}"] if one["concepts"] else []
    said += [f"units {', '.join(one['units'])}"] if one["units"] else []
    said += [_range(one["values"])] if one["values"] else ["values of fewer than 5 patients are not shown"]
    lines.append("; ".join(said))
    return "\n".join(printable(line) if at == 0 else f"{'':>10}{printable(line)}" for at, line in enumerate(lines))


def _range(values: dict[str, Any]) -> str:
    if values["low"] is None:
        return f"no numbers in {values['results']} results"
    words = f", {values['in_words']} in words" if values["in_words"] else ""
    return f"{values['distinct']} values from {values['low']} to {values['high']} in {values['results']} results{words}"


def _proposed(one: dict[str, Any]) -> list[str]:
    lines = []
    for found in one["suggestions"]:
        lines.append(f"{'':>10}{found['score']:>4}  {found['meaning']} ({found['display']})")
        lines += [f"{'':>16}{printable(reason)}" for reason in found["reasons"]]
    return lines or [f"{'':>10}   no suggestion: ask the laboratory"]


def _line(word: str, meaning: str | None, kinds: tuple[bool, bool, bool], more: tuple[str, str]) -> "SiteLine":
    from adapter.mapping.amend import line_of

    chosen = [kind for kind, is_one in zip(("not-needed", "unit", "drug"), kinds, strict=True) if is_one]
    if len(chosen) > 1:
        raise typer.BadParameter("--not-needed, --unit-spelling and --drug exclude each other")
    kind = chosen[0] if chosen else "code"
    if (kind == "not-needed") == (meaning is not None):
        raise typer.BadParameter("give CODE and CONCEPT, or CODE with --not-needed")
    if kind != "code" and any(more):
        raise typer.BadParameter("--unit and --specimen belong to a code")
    return line_of({"kind": kind, "word": word, "meaning": meaning or "", "unit": more[0], "specimen": more[1]})


def _order(site: str, line: "SiteLine", by: str, reason: str) -> "Order":
    from adapter.daemon.amending import Author
    from adapter.daemon.clock import utc_now
    from adapter.daemon.workbench import Order

    if not by.strip():
        raise typer.BadParameter("--by: say who answers for this line")
    return Order(site, line, Author(by.strip(), utc_now(), reason.strip()))


def _carried_out(settings: "Settings", order: "Order", planned: Any) -> dict[str, Any]:
    from adapter.daemon.reaching import command
    from adapter.daemon.rules import load_rules
    from adapter.daemon.workbench import carry_out

    login = {"login": getpass.getuser()}
    return carry_out(
        order, planned, lambda: load_rules(settings), lambda request: command(settings, {**request, **login})
    )


def _try(settings: "Settings", order: "Order", amended: Any, *, as_json: bool) -> None:
    from adapter.daemon.trying import tried

    report, concerned = tried(settings, order, amended)
    told = {"concerned": concerned, "results": dict(report.ledger), **report.summary()}
    if as_json:
        say_json(told | {"changes": [one.as_json() for one in report.differences]})
    else:
        typer.echo(f"{concerned['messages']} messages with {concerned['findings']} such findings would be read again")
        for name, change in report.ledger.items():
            typer.echo(f"{change:>+8}  {name.replace('_', ' ')}")
        typer.echo("\n".join(_verdicts(report)) or "no verdict would change")
    if report.differences:
        raise typer.Exit(1)


def _verdicts(report: "Report") -> list[str]:
    words = []
    for one in report.differences:
        old, new = (found.verdict if found else "nothing" for found in (one.before, one.now))
        strata = f" ({one.before.stratum if one.before else '-'} -> {one.now.stratum if one.now else '-'})"
        words.append(f"{one.trial} {one.candidate}: {old} -> {new}{strata}")
    return words
