"""The habits of the house, held by tests: signs on doors, sizes, names, one address for each clinical number."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "adapter"
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if "_assets" not in p.parts)
MAX_FUNCTION, MAX_MODULE = 50, 300
JUNK = {"common", "utils", "util", "helpers", "misc", "manager", "base", "tools"}
NUMBERS_LIVE_HERE = {"scoring/thresholds.py", "scoring/thresholds_sofa2.py", "domain/quantity.py"}


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_every_module_has_a_sign_on_its_door_and_fits_in_the_eye(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    first = (ast.get_docstring(tree) or "").split("\n")[0]
    assert first.endswith((".", ":")), f"{name(path)} opens without a sentence"
    assert text.count("\n") <= MAX_MODULE, f"{name(path)} has {text.count(chr(10))} lines"
    long = [
        f"{f.name} {f.end_lineno - f.lineno + 1}" for f in functions(tree) if f.end_lineno - f.lineno >= MAX_FUNCTION
    ]
    assert not long, f"{name(path)}: {long}"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_junk_drawers(path: Path) -> None:
    assert path.stem not in JUNK
    assert not any(part in JUNK for part in path.relative_to(PACKAGE).parts)


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.parts[len(PACKAGE.parts)] in {"scoring", "eligibility", "screening"}], ids=name
)
def test_a_clinical_number_stands_in_one_place(path: Path) -> None:
    if name(path) in NUMBERS_LIVE_HERE:
        return
    calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
    literals = [
        ast.unparse(call)
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id in {"Decimal", "Fraction"}
        and any(isinstance(a, ast.Constant) and a.value not in (0, 1, 2, 100, "0", "1", "100") for a in call.args)
    ]
    assert not literals, f"{name(path)}: {literals} belong into scoring/thresholds.py or a data file"


def test_functions_are_short_at_the_median() -> None:
    sizes = sorted(f.end_lineno - f.lineno + 1 for p in MODULES for f in functions(ast.parse(p.read_text())))
    assert sizes[len(sizes) // 2] <= 10
    assert sizes[int(len(sizes) * 0.95)] <= 32


def test_every_lint_ignore_in_the_package_gives_its_reason() -> None:
    silent = [
        f"{name(p)}:{number}"
        for p in MODULES
        for number, line in enumerate(p.read_text().splitlines(), 1)
        if re.search(r"#\s*(noqa|type: ignore)", line)
        and not re.search(r"#\s*(noqa: [A-Z0-9, ]+|type: ignore\[[\w, -]+\])\s*(—|#|-)\s*\S", line)
    ]
    assert not silent, silent


def test_every_dependency_is_explained() -> None:
    pages = (ROOT / "docs/dependencies.md").read_text().lower()
    listed = re.findall(r'^  "([a-z0-9.\[\]-]+?)[><=]', (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE)
    missing = [d for d in {re.sub(r"\[.*", "", entry) for entry in listed} if f"`{d}`" not in pages]
    assert not missing, f"docs/dependencies.md does not speak of {missing}"


def test_every_test_that_a_promise_names_exists() -> None:
    page = (ROOT / "docs/promises.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page)
    assert len(named) > 20
    missing = [f"{file}::{test}" for file, test in named if test and f"def {test}(" not in (ROOT / file).read_text()]
    assert not missing


CITED = {
    r"reliability [^();]*?\b([CEFHMW]\d\d|R\d+|P\d+)\b": ("docs/bad-input.md", "docs/promises.md"),
    r"mllp-receiver (\d+)\b(?!\.)": ("docs/receiver.md",),
    r"clinical (1\.7|2\.\d+)\b": ("docs/sofa.md",),
}
"""What comments cite → the pages of ours that have it in a table (CONTRIBUTING.md)."""


@pytest.mark.parametrize("cited", CITED)
def test_what_comments_cite_of_our_pages_stands_there(cited: str) -> None:
    rows = re.findall(r"^\| ([^|]+) \|", "\n".join((ROOT / page).read_text() for page in CITED[cited]), re.MULTILINE)
    there = {number for row in rows for number in row.split(", ")}
    named = {found for p in MODULES for found in re.findall(cited, p.read_text())}
    assert named
    assert named <= there
    assert all(page in (ROOT / "CONTRIBUTING.md").read_text() for page in CITED[cited])


def test_no_file_speaks_of_unfinished_work() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError")
    guilty = [name(p) for p in MODULES if marks.search(p.read_text())]
    assert not guilty


def test_every_site_and_trial_we_ship_loads() -> None:
    from adapter import assets

    rules = assets.load_rulebook(None, trials=assets.trial_names(None))
    assert {trial.id for trial in rules.trials} >= {"immunosep", "immunosep-demo"}
    assert {"generic", "attikon"} <= set(rules.sites)


def test_every_table_says_what_erasing_a_person_does_with_it() -> None:
    from adapter.store.erasing import FATES
    from adapter.store.schema import metadata

    assert {table.name for table in FATES} == set(metadata.tables)
    assert all(fate.words for fate in FATES.values())
