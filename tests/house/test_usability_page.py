"""What the page of the usability test says of clicks is what the browser counts, and its example of a score adds up."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "usability.md").read_text(encoding="utf-8")


def counted() -> dict[str, int]:
    """The figures that the test of the click path insists on."""
    tree = ast.parse((ROOT / "tests" / "browser" / "test_click_path.py").read_text(encoding="utf-8"))
    found = next(one for one in ast.walk(tree) if isinstance(one, ast.Dict) and len(one.keys) == 10)
    figures: dict[str, int] = ast.literal_eval(found)
    return figures


def test_the_ten_tasks_and_their_clicks_are_those_of_the_click_path() -> None:
    rows = re.findall(r"^\| \d+ \| ([^|]+) \| [^|]+ \| [^|]+ \| (\d+) \| \d+ s \|$", PAGE, re.MULTILINE)
    assert [(name, int(clicks)) for name, clicks in rows] == list(counted().items())


def test_there_are_ten_statements_and_the_example_adds_up() -> None:
    assert len(re.findall(r"^> \| \d+ \| [^|]+ \| \| \| \| \| \|$", PAGE, re.MULTILINE)) == 10
    found = re.search(r"Example: ([\d ]+) gives .* = \*\*(\d+)\*\*", PAGE)
    assert found
    marks = [int(mark) for mark in found[1].split()]
    score = 2.5 * sum(mark - 1 if number % 2 else 5 - mark for number, mark in enumerate(marks, 1))
    assert (len(marks), score) == (10, int(found[2]))
