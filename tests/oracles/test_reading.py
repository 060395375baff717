"""Our reader of ER7 beside HAPI, python-hl7 and hl7apy: the same tree, or a named reason."""

import logging
from collections.abc import Iterator

import pytest

from adapter.hl7 import er7
from tests.oracles import table, trees
from tests.oracles.java_oracle import JavaOracle, oracle
from tests.oracles.reasons import Difference, reason_of
from tests.oracles.table import Where

__all__ = ["oracle"]
UNREADABLE = 65
"""Messages of the corpus with no header or broken separators (fuzzed inputs most of them)."""
LISTED = 1312

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(
        not (table.data_folder() / "hl7v2").is_dir(),
        reason=f"third-party data not found at {table.data_folder()}; set ADAPTER_TEST_DATA",
    ),
]


@pytest.fixture(scope="module")
def found(oracle: JavaOracle) -> Iterator[list[tuple[Where, str, Difference]]]:
    logging.disable()
    yield list(table.found(oracle))
    logging.disable(logging.NOTSET)


def test_every_difference_has_a_name(found: list[tuple[Where, str, Difference]]) -> None:
    unexplained = [one for one in found if not reason_of(one[2])]
    assert not unexplained, table.shown(unexplained)


def test_the_page_tells_of_them(found: list[tuple[Where, str, Difference]]) -> None:
    told = table.PAGE.read_text(encoding="utf-8")
    assert told == table.page(table.counted(found)), "`python -m tests.oracles.table`, then read the diff"


def test_most_messages_are_read_alike(found: list[tuple[Where, str, Difference]]) -> None:
    odd = {(where, place) for where, place, one in found if one.reader != "hl7apy" and reason_of(one) != "end-stripped"}
    assert len(odd) < 50
    assert len(table.corpus()) > LISTED - UNREADABLE


def test_generated_messages_are_read_as_they_were_meant() -> None:
    for made in table.made():
        assert trees.ours(er7.parse(made.payload)) == made.lines, made.payload


def test_a_reader_that_mistakes_one_field_is_found_out() -> None:
    """The comparison itself can fail."""
    message = er7.parse(table.made()[0].payload)
    mine = trees.ours(message)
    theirs = [*mine[:-1], trees.Line(mine[-1].name, [[[["something else"]]]])]
    (one, *_) = table.differences("hapi", message, mine, theirs)
    assert reason_of(one) == ""
