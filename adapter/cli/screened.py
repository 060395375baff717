"""What a retrospective screening leaves in its folder: a row for each episode, sums, a page; persons are only numbered."""

import csv
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from adapter.domain.trial import Trial
from adapter.screening.rulebook import Rulebook

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
    return {
        "funnel": [{"step": step, "episodes": count} for step, count in _funnel(trial, rows)],
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


def _funnel(trial: Trial, rows: list[Row]) -> Iterator[tuple[str, int]]:
    """Each step of those before it."""
    sepsis, stratum = trial.parameters.sepsis_criterion, trial.parameters.stratum_criterion
    steps: tuple[tuple[str, Callable[[Row], bool]], ...] = (
        ("episodes", lambda _row: True),
        (f"{sepsis} held at some time", lambda row: sepsis in row["met"]),
        ("nothing stood against", lambda row: not row["against"]),
        ("shown to coordinators", lambda row: row["first_shown"] is not None),
        (f"{stratum} held", lambda row: stratum in row["met"]),
        ("candidate", lambda row: row["first_candidate"] is not None),
    )
    left = rows
    for step, holds in steps:
        left = [row for row in left if holds(row)]
        yield step, len(left)


def _counted(groups: Iterable[Iterable[str]]) -> dict[str, int]:
    """Most frequent first; of equals by name."""
    counts = Counter(word for group in groups for word in group)
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def page(summary: dict[str, Any]) -> str:
    """Self-contained HTML."""
    environment = Environment(
        loader=PackageLoader("adapter.cli"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("screening.html").render(summary=summary)


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
