"""Every golden case: HL7 v2 in, the assessment, the acknowledgment and the bundle out, as approved.

`GOLDEN=write` (make golden) rewrites them from the stories of `adapter/simulation`; the diff is the review.
"""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.assets import load_rulebook
from adapter.domain.alert import AlertKind
from adapter.domain.message import MessageKind, RawMessage
from adapter.domain.patient import PatientState
from adapter.fhir.bundle import BundleContext, DecisionEvent, candidate_bundle, tells_values
from adapter.fhir.calendar import Dates
from adapter.fhir.subject import Study
from adapter.hl7 import ack
from adapter.hl7.er7 import parse
from adapter.screening.describe import event_json
from adapter.screening.interpret import interpret
from adapter.screening.screen import screen
from adapter.screening.snapshot import as_decided, explained
from adapter.simulation.stories import STORIES, Story

GOLDEN = Path(__file__).parent / "golden"
WRITE = os.environ.get("GOLDEN") == "write"
START = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
AT = START + timedelta(minutes=1)
RULES = replace(load_rulebook(None, trials=["immunosep-demo"]), digest=f"sha256:{'0' * 64}")
"""A digest of its own: a line added to some site's file changes no case."""
CONTEXT = BundleContext(b"0" * 32, Dates.EXACT, "golden", Study("NCT04990232"))


def without_release(value: Any) -> Any:
    """The digest and the version change with every edit; what they stand for is compared by content."""
    if isinstance(value, dict):
        return {key: without_release(item) for key, item in value.items() if key not in {"rulebook", "software"}}
    return [without_release(item) for item in value] if isinstance(value, list) else value


def stored(site: str, body: bytes) -> RawMessage:
    return RawMessage(source="lab", site=site, kind=MessageKind.HL7V2, body=body, received=AT)


def pretty(value: Any) -> bytes:
    return (json.dumps(without_release(value), indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def files(story: Story) -> dict[str, bytes]:
    state, alerts, kinds, events = None, {}, [], []
    bodies = [sent.body for sent in story.messages(START)]
    for number, body in enumerate(bodies, 1):
        seen = interpret(stored(story.dialect.site, body), RULES, message_id=str(number))
        events.append([event_json(event) for event in seen.events])
        state = state or PatientState(seen.patients[0])
        outcome = screen(state, seen.events, RULES, alerts=alerts, now=AT)
        state = outcome.state
        (judged,) = outcome.judgements
        if judged.change is not None:
            alerts = {(judged.change.alert.trial, judged.change.alert.episode): judged.change.alert}
            kinds.append(judged.change.kind)
    header = parse(bodies[0], "utf-8")
    answer = ack.build(header, ack.judge(header, ack.AckPolicy()), control_id="ACK1", now=AT)
    told = {
        "told": [str(kind) for kind in kinds],
        **explained(judged.assessment, outcome.chart, RULES, known_as=story.name),
    }
    found = {
        "message.hl7": b"\n\n".join(body.replace(b"\r", b"\n").strip() for body in bodies) + b"\n",
        "ack.hl7": answer.replace(b"\r", b"\n"),
        "events.json": pretty(events),
        "assessment.json": pretty(told),
    }
    if kinds and tells_values(judged.assessment):
        event = DecisionEvent("withdrawn" if kinds[-1] is AlertKind.WITHDRAWN else "raised")
        found["bundle.json"] = pretty(
            candidate_bundle(
                as_decided(judged.assessment, outcome.chart, RULES),
                screening_id="GOLDEN0001",
                context=CONTEXT,
                event=event,
            )
        )
    return found


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_the_case_ends_as_approved(story: Story) -> None:
    folder = GOLDEN / story.name.replace("-", "_")
    found = files(story)
    if WRITE:
        folder.mkdir(exist_ok=True)
        for name, content in found.items():
            (folder / name).write_bytes(content)
    assert (folder / "why.md").read_text().strip(), "a golden case says in a sentence what it guards"
    assert {p.name for p in folder.iterdir()} == {*found, "why.md"}
    for name, content in found.items():
        assert (folder / name).read_bytes() == content, (
            f"{folder.name}/{name} differs: `make golden`, then read the diff"
        )


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_the_case_ends_as_its_story_says(story: Story) -> None:
    told = json.loads(files(story)["assessment.json"])
    verdict, *stratum = story.expect.split()
    if verdict == "withdrawn":
        assert told["told"][-1] == "withdrawn"
        assert not told["shown"]
    else:
        assert told["verdict"] == verdict
    if stratum:
        assert told["stratum"] == stratum[0]
