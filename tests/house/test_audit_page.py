"""docs/audit.md, the codes of AuditEvent and the code itself name the same actions."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from adapter.domain.alert import AlertKind
from adapter.fhir.audit_codes import KINDS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "adapter"
TABLE = PACKAGE / "fhir" / "audit_codes.py"
WHERE = {"Act": 2, "own": 0, "_act": 1, "_settled": 1, "_done": 2}
ELSEWHERE = {("web/log.py", "_act"): 2}
"""Functions that are given an action, alone or in a tuple, and at which place."""
COMPOSED: dict[str, set[str]] = {
    "web/acts.py": set(),
    "pipeline/on_record.py": {f"alert-{kind}" for kind in AlertKind}
    | {"push-sent", "push-refused", "alert-sent", "alert-failed"},
    "web/quarantine.py": {f"quarantine-{act}" for act in ("show", "release", "discard")},
    "web/again.py": {"sign-in-again"},
    "web/identity.py": set(),
    "web/hospital.py": {"sign-in-again"},
    "web/together.py": set(),
    "web/log.py": set(),
    "daemon/commands.py": set(),
    "daemon/workbench.py": set(),
    "daemon/recording.py": set(),
    "pipeline/shadow.py": {"shadow-begun", "shadow-ended"},
}
"""Modules that make an action of parts, or hand it on; and what they make."""


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in WHERE and not (name == "own" and isinstance(node.func, ast.Attribute)):
                yield name, node


def written() -> set[str]:
    """Every action that the code writes; one that is no literal stands in COMPOSED."""
    found: set[str] = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        where = str(path.relative_to(PACKAGE))
        for name, call in calls(path):
            place = ELSEWHERE.get((where, name), WHERE[name])
            if len(call.args) <= place:
                continue
            given = call.args[place]
            parts = given.elts[:2] if isinstance(given, ast.Tuple) else [given]
            words = [one.value for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            found.update(words)
            if name == "Act" and not words:
                assert where in COMPOSED, f"{where}:{call.lineno} writes an action that is no literal — see COMPOSED"
    return found.union(*COMPOSED.values())


def literals() -> set[str]:
    nodes = (node for path in PACKAGE.rglob("*.py") if path != TABLE for node in ast.walk(ast.parse(path.read_text())))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def on_the_page() -> list[str]:
    page = (ROOT / "docs" / "audit.md").read_text().split("## Events")[1]
    return re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)


def test_the_page_names_each_action_once_and_every_one() -> None:
    named = on_the_page()
    assert len(named) == len(set(named))
    assert set(named) == set(KINDS)
    assert len(named) >= 40  # reliability 4.2


def test_whatever_the_code_writes_is_in_the_table() -> None:
    assert written() <= set(KINDS)


def test_whatever_is_in_the_table_is_written_somewhere() -> None:
    assert set(KINDS) <= literals() | written()
