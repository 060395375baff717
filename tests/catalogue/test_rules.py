"""The rules of a receiver: each is there, each has its test, and the page tells of them."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.catalogue import receiver
from tests.catalogue.cases import ROWS
from tests.catalogue.rules import RULES, Rule

TESTS = Path(__file__).parents[1]
FOR_PEOPLE = {66}
"""Rules that ask nothing of a program."""


@cache
def functions(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("rule", RULES, ids=lambda one: f"rule {one.number}")
def test_a_rule_names_tests_that_are_there(rule: Rule) -> None:
    assert bool(rule.tests) is not bool(rule.later)
    tried = {row.id for row in ROWS if (row.cases or row.elsewhere) and not row.later}
    for name in rule.tests:
        file, colons, function = name.partition("::")
        if colons:
            assert function.startswith("test_")
            assert function in functions(TESTS / file), name
        else:
            assert name in tried, name


def test_all_sixty_six_are_there_and_only_paper_waits() -> None:
    assert [rule.number for rule in RULES] == list(range(1, 67))
    assert {rule.number for rule in RULES if rule.later} == FOR_PEOPLE


def test_the_page_is_the_rules() -> None:
    assert receiver.PATH.read_text(encoding="utf-8") == receiver.text(), "run python -m tests.catalogue.receiver"
