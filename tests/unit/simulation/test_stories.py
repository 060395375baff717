"""Each story, read by the real mappings and judged by the demonstration's trial file, ends as it says."""

import itertools
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from adapter import assets
from adapter.domain.assessment import Assessment
from adapter.domain.ledger import Bucket
from adapter.domain.message import MessageKind, RawMessage
from adapter.domain.patient import PatientState
from adapter.eligibility.evaluate import assess
from adapter.screening.interpret import interpret
from adapter.screening.rulebook import Rulebook
from adapter.screening.state import apply_all
from adapter.simulation.messages import Sent
from adapter.simulation.stories import SEND_CORRECTION, STORIES, Story, story
from adapter.simulation.ward import ward

START = datetime(2026, 1, 12, 9, 30, tzinfo=UTC)


@cache
def rules() -> Rulebook:
    return assets.load_rulebook(None, trials=("immunosep-demo",), production=True)


def told(sent: list[Sent]) -> PatientState:
    state = None
    for number, one in enumerate(sent):
        message = RawMessage(one.site, one.site, MessageKind.HL7V2, one.body, START)
        seen = interpret(message, rules(), message_id=str(number))
        assert seen.disposition == "applied"
        assert set(seen.ledger.counts) <= {Bucket.USED, Bucket.KNOWN_NOT_NEEDED, Bucket.WITHDRAWN}, seen.issues
        state = apply_all(state or PatientState(seen.patients[0]), seen.events)
    assert state is not None
    return state


def judged(case: Story, *, until: float = 60) -> Assessment:
    sent = [one for one in case.messages(START) if one.after <= timedelta(seconds=until)]
    state = told(sent)
    options = rules().scoring_options(state.patient.site)
    return assess(rules().trials[0], state, START + timedelta(minutes=1), options=options, rulebook="")


@pytest.mark.parametrize("case", STORIES, ids=lambda case: case.name)
def test_a_story_ends_as_it_says(case: Story) -> None:
    found = judged(case)
    words = "not-candidate" if case.expect == "withdrawn" else case.expect.split(" ", maxsplit=1)[0]
    assert str(found.verdict) == words
    if " " in case.expect:
        assert found.stratum == case.expect.split(" ")[1]


def test_the_correction_takes_back_a_candidate_that_was_shown() -> None:
    assert judged(story("corrected-platelets"), until=SEND_CORRECTION - 1).shown
    assert not judged(story("corrected-platelets")).shown


def test_a_missing_bilirubin_leaves_an_interval() -> None:
    found = judged(story("missing-bilirubin"))
    assert found.sofa.missing == ("liver",)
    assert (found.sofa.low, found.sofa.high) == (5, 9)


def test_a_chronic_score_is_high_and_did_not_increase() -> None:
    found = judged(story("chronic-sofa-without-increase"))
    assert found.sofa.low == found.sofa.high == 4
    assert (found.sepsis.increase_low, found.sepsis.increase_high) == (0, 0)


def test_the_same_start_and_seed_give_the_same_bytes() -> None:
    def first(count: int, seed: int) -> list[Sent]:
        return list(itertools.islice(ward(START, seed), count))

    assert first(60, 1) == first(60, 1)
    assert first(60, 1) != first(60, 2)


def test_the_ward_sends_in_order_and_goes_on_after_the_stories() -> None:
    sent = list(itertools.islice(ward(START), 120))
    assert sent == sorted(sent, key=lambda one: one.after)
    assert sent[-1].after > timedelta(seconds=SEND_CORRECTION)
    assert {one.site for one in sent} == {"attikon", "generic"}


def test_ordinary_patients_are_understood_whole() -> None:
    numbers = {one.patient for one in itertools.islice(ward(START), 60)} - {one.name for one in STORIES}
    for number in numbers:
        told([one for one in itertools.islice(ward(START), 100) if one.patient == number])
