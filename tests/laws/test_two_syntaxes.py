"""The same story told by HL7 v2 and by FHIR ends the same, in any order of its pages, and told twice it is told once."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from adapter.assets import load_rulebook
from adapter.domain.assessment import Assessment
from adapter.domain.message import MessageKind, RawMessage
from adapter.domain.patient import PatientState
from adapter.eligibility.evaluate import assess
from adapter.screening.interpret import interpret
from adapter.screening.rulebook import Rulebook
from adapter.screening.screen import screen
from adapter.simulation.stories import STORIES, Story
from tests import as_fhir

START = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
AT = START + timedelta(minutes=1)
Message = tuple[MessageKind, bytes]


@cache
def rules() -> Rulebook:
    return load_rulebook(None, trials=["immunosep-demo"])


def hl7(story: Story) -> list[Message]:
    return [(MessageKind.HL7V2, sent.body) for sent in story.messages(START)]


def fhir(story: Story) -> list[Message]:
    site = rules().sites[story.dialect.site]
    offset = START.astimezone(site.timezone).strftime("%z")
    zone = f"{offset[:3]}:{offset[3:]}"
    return [
        (MessageKind.FHIR, as_fhir.bundle(body, site.encoding, zone=zone, decimal=site.decimal))
        for _, body in hl7(story)
    ]


def told(story: Story, messages: list[Message]) -> PatientState:
    """Everything in them, joined. Every message must be applied."""
    state = None
    for number, (kind, body) in enumerate(messages, 1):
        seen = interpret(RawMessage("feed", story.dialect.site, kind, body, AT), rules(), message_id=str(number))
        assert seen.disposition == "applied", seen.issues
        state = screen(state or PatientState(seen.patients[0]), seen.events, rules(), alerts={}, now=AT).state
    assert state is not None
    return state


def judged(state: PatientState) -> Assessment:
    (trial,) = rules().trials
    return assess(trial, state, AT, options=rules().scoring_options(state.patient.site), rulebook="")


def essence(state: PatientState) -> dict[str, Any]:
    """What a clinician reads of it."""
    found = judged(state)
    organs = {name: (organ.score, organ.low, organ.high, organ.flags) for name, organ in found.sofa.organs.items()}
    values = sorted((one.concept, one.value, one.unit, one.effective.astimezone(UTC)) for one in found.facts.values())
    return {
        "verdict": (found.verdict, found.certainty, found.stratum, found.shown, found.missing),
        "criteria": [(one.id, one.answer) for one in found.criteria],
        "onset": found.sepsis.onset and found.sepsis.onset.astimezone(UTC),
        "organs": organs,
        "facts": values,
    }


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_story_ends_alike_in_both_syntaxes(story: Story) -> None:
    assert essence(told(story, fhir(story))) == essence(told(story, hl7(story)))


@pytest.mark.parametrize("story", [one for one in STORIES if len(one.chapters) > 1], ids=lambda story: story.name)
def test_the_order_of_the_pages_does_not_matter(story: Story) -> None:
    pages = fhir(story)
    found = [told(story, list(order)) for order in itertools.islice(itertools.permutations(pages), 12)]
    first = essence(found[0])
    assert all(essence(state) == first for state in found[1:])


@pytest.mark.parametrize("story", STORIES[:4], ids=lambda story: story.name)
def test_told_by_both_ways_it_is_one_fact(story: Story) -> None:
    """Two results of one concept, moment and value are one for scoring (decisions C2)."""
    both = told(story, [*hl7(story), *fhir(story)])
    assert essence(both) == essence(told(story, hl7(story)))


def test_a_page_told_twice_changes_nothing() -> None:
    story = STORIES[0]
    once = told(story, fhir(story))
    assert replace(told(story, fhir(story) * 2), patient=once.patient) == once
