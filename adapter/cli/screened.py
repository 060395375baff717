"""What a retrospective screening leaves in its folder: a row for each episode, sums, a page; persons are only numbered."""

import csv
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from adapter.cli.courses import moments
from adapter.domain.trial import Trial
from adapter.screening.rulebook import Rulebook
from adapter.web.flow import Step
from adapter.web.pictures import Moment, bar_picture, course_picture, flow_picture
from adapter.web.tongue import taught

if TYPE_CHECKING:
    from adapter.daemon.archive import Found

COLUMNS = (
    *("person", "episode", "trial", "first", "last", "context", "last_verdict"),
    *("judged_at", "verdict", "certainty", "stratum"),
    *("first_shown", "first_candidate", "sofa_low", "sofa_high", "sofa_at", "infection", "onset", "deadline"),
    *("met", "against", "unknown", "missing"),
)
LINKAGE = ("person", "site", "authority", "identifier")
Row = dict[str, Any]
Holds = Callable[[Row], bool]
Says = Callable[[Row], str]
MOST_BARS = 12
"""Criteria in the picture; the table beside it holds all."""


def write(folder: Path, found: "Found", rules: Rulebook) -> dict[str, Any]:
    """The summary, as it stands in summary.json."""
    summary = summed(found, rules)
    rows = [[_text(row[name] if name != "person" else row[name] + 1) for name in COLUMNS] for row in found.rows]
    people = [[n, one.site, one.authority, one.value] for n, one in enumerate(found.persons, 1)]
    _csv(folder / "assessments.csv", COLUMNS, rows)
    _csv(folder / "linkage.csv", LINKAGE, people)
    _put(folder / "summary.json", json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
    _put(folder / "report.html", page(summary))
    return summary


def summed(found: "Found", rules: Rulebook) -> dict[str, Any]:
    return {
        "messages": found.messages,
        "reasons": found.reasons,
        "ledger": found.ledger,
        "persons": len(found.persons),
        "episodes": len({(row["person"], row["episode"]) for row in found.rows}),
        "trials": {
            trial.id: _trial(trial, [r for r in found.rows if r["trial"] == trial.id]) for trial in rules.trials
        },
        "rulebook": rules.digest,
        "software": rules.software,
    }


def _trial(trial: Trial, rows: list[Row]) -> dict[str, Any]:
    steps = list(_funnel(trial, rows))
    return {
        "funnel": [{"step": step.name, "episodes": step.count} for step in steps],
        "flow": [step.as_json() for step in steps],
        "sofa_over_time": [asdict(one) for one in moments(rows)],
        "verdict": _counted([row["verdict"]] for row in rows),
        "stratum": _counted([row["stratum"]] for row in rows),
        "against": _counted(row["against"] for row in rows),
        "unknown": _counted(row["unknown"] for row in rows),
        "missing": _counted(row["missing"] for row in rows),
        "near_misses": _counted(row["against"] for row in rows if near_miss(trial, row)),
        "criteria": {criterion.id: criterion.short for criterion in trial.criteria},
    }


def near_miss(trial: Trial, row: Row) -> bool:
    """Sepsis held, and one criterion alone stood against it."""
    return trial.parameters.sepsis_criterion in row["met"] and len(row["against"]) == 1


def _funnel(trial: Trial, rows: list[Row]) -> Iterator[Step]:
    """Each step of those before it, with the reasons of those who left."""
    sepsis, stratum = trial.parameters.sepsis_criterion, trial.parameters.stratum_criterion
    names = {one.id: f"{one.id} {one.short}".strip() for one in trial.criteria}
    steps: tuple[tuple[str, Holds, Says], ...] = (
        (f"{sepsis} held at some time", lambda row: sepsis in row["met"], lambda _: f"{names[sepsis]}: never held"),
        ("nothing stood against", lambda row: not row["against"], lambda row: _against(row["against"], names)),
        (
            "shown to coordinators",
            lambda row: row["first_shown"] is not None,
            lambda row: f"never shown: {row['verdict']}",
        ),
        (f"{stratum} held", lambda row: stratum in row["met"], lambda _: f"{names[stratum]}: never held"),
        ("candidate", lambda row: row["first_candidate"] is not None, lambda row: row["verdict"]),
    )
    name, left = "episodes", rows
    for following, holds, says in steps:
        gone = _counted([says(row)] for row in left if not holds(row))
        yield Step(name, len(left), tuple(gone.items()))
        name, left = following, [row for row in left if holds(row)]
    yield Step(name, len(left))


def _against(criteria: list[str], names: dict[str, str]) -> str:
    return names[criteria[0]] if len(criteria) == 1 else f"{len(criteria)} criteria at once"


def _counted(groups: Iterable[Iterable[str]]) -> dict[str, int]:
    """Most frequent first; of equals by name."""
    counts = Counter(word for group in groups for word in group)
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def page(summary: dict[str, Any]) -> str:
    """Self-contained HTML."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("adapter.cli"), PackageLoader("adapter.web")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    drawn = {name: _pictures(trial) for name, trial in summary["trials"].items()}
    return taught(environment).get_template("screening.html").render(summary=summary, drawn=drawn)


def _pictures(trial: dict[str, Any]) -> dict[str, Any]:
    steps = [Step(one["step"], one["count"], tuple(one["left"].items())) for one in trial["flow"]]
    stops = [(f"{one} {trial['criteria'].get(one, '')}".strip(), n) for one, n in trial["against"].items()]
    course = [Moment(**one) for one in trial["sofa_over_time"]]
    return {
        "flow": flow_picture(steps),
        "stops": bar_picture(stops[:MOST_BARS]),
        "course": course_picture(course) if course else None,
    }


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return "" if value is None else " ".join(value) if isinstance(value, list) else str(value)


def _csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    with os.fdopen(_private(path), "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def _put(path: Path, text: str) -> None:
    with os.fdopen(_private(path), "w", encoding="utf-8") as file:
        file.write(text)


def _private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
