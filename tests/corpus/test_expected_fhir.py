"""Our reading of a message beside the FHIR that CDC's ReportStream, Microsoft's converter and Google's WSTL expect of it."""

from dataclasses import replace
from fractions import Fraction

import pytest

from tests.corpus import explained, fhir_table
from tests.corpus.expected import FOLDER, our_results, pairs
from tests.corpus.explained import Count, Odd, reason_of

pytestmark = pytest.mark.skipif(
    not (FOLDER / "cdc-reportstream").is_dir(),
    reason=f"third-party messages not found at {FOLDER}; set ADAPTER_TEST_DATA",
)
PAIRS, RESULTS, FACTS = 310, 360, 3000


@pytest.fixture(scope="module")
def found() -> tuple[dict[str, Count], list[Odd]]:
    return fhir_table.found()


def test_every_difference_has_a_name(found: tuple[dict[str, Count], list[Odd]]) -> None:
    _, odd = found
    unexplained = [f"{one.pair.path.name} {one.what}: {one.ours} | {one.theirs}" for one in odd if not reason_of(one)]
    assert unexplained == []


def test_most_facts_agree(found: tuple[dict[str, Count], list[Odd]]) -> None:
    counts, odd = found
    assert sum(one.pairs for one in counts.values()) > PAIRS
    assert sum(one.results for one in counts.values()) > RESULTS
    assert sum(one.same for one in counts.values()) > FACTS > 7 * len(odd)


def test_the_page_tells_of_them(found: tuple[dict[str, Count], list[Odd]]) -> None:
    told = fhir_table.PAGE.read_text(encoding="utf-8")
    assert told == fhir_table.page(*found), "`python -m tests.corpus.fhir_table`, then read the diff"


def test_no_reason_explains_another_number_code_or_time() -> None:
    """The comparison itself can fail: a value that is misread has no name."""
    pair = next(one for one in pairs() if one.path.name == "OBX-to-Observation-nm-value.hl7")
    (mine,) = our_results(pair)
    assert mine.number == (Fraction(5), "")
    (obx,) = pair.message.all("OBX")
    for what, wrong in (("number", (Fraction(50), "")), ("codes", frozenset({"x"})), ("units", frozenset({"L"}))):
        assert reason_of(Odd(pair, what, getattr(replace(mine, **{what: wrong}), what), getattr(mine, what), obx)) == ""
    assert explained.REASONS
