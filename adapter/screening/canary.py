"""The canary patient judged by the rules in force, from its bytes to its verdict; what it says reaches no patient's record.

The message is JSON: `hl7` are the messages of simulation/canary.py, `expect` says of each trial what must come of them. It is
stored and read in its turn like any other, but it tells no events: no worklist, push, alert or count of patients can know of it
(docs/adr/0050-the-canary-is-judged-where-messages-are-read.md).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from adapter.domain.assessment import Assessment
from adapter.domain.events import ClinicalEvent
from adapter.domain.issue import Issue
from adapter.domain.message import MessageKind, RawMessage
from adapter.domain.patient import PatientState
from adapter.mapping.site import ANY, SiteMap
from adapter.screening.rulebook import Rulebook
from adapter.screening.screen import screen
from adapter.simulation.canary import AUTHORITY, NUMBER, POINTS, VALUES, Ways, messages

SOURCE = "canary"
"""Of its messages in the store: no `[[source]]` may have this name."""
PASSED, MISSED = "canary-passed", "canary-missed"
SHOWN, NOBODY = "shown", "nobody"
"""What a trial may expect instead of a stratum: to see the patient on its worklist, or nothing since it asks for others."""
FERRITIN = f"{VALUES['ferritin']:.0f}"


def told(rules: Rulebook, site: SiteMap, now: datetime, expect: Mapping[str, str]) -> RawMessage:
    """What goes into the inbox. Trials that `expect` does not name expect to show the patient."""
    ways = Ways(
        site=site.site,
        authority=AUTHORITY if site.authority == ANY else site.authority,
        kind=site.identifier_type,
        decimal=site.decimal,
        emergency_ward=min(site.emergency_wards, default=""),
    )
    said = {trial.id: expect.get(trial.id, SHOWN) for trial in rules.trials}
    body = json.dumps({"expect": said, "hl7": [one.decode() for one in messages(ways, now)]}).encode()
    stamp = f"{NUMBER}-{now:%Y%m%d%H%M%S%f}"
    return RawMessage(SOURCE, site.site, MessageKind.CANARY, body, now, control_id=stamp, type=NUMBER)


def parts(message: RawMessage) -> tuple[bytes, ...]:
    return tuple(part.encode() for part in json.loads(message.body)["hl7"])


def missed(message: RawMessage, events: Sequence[ClinicalEvent], rules: Rulebook) -> tuple[Issue, ...]:
    """What did not come out as it must, judged at the moment it was told; empty when all did."""
    expect: Mapping[str, str] = json.loads(message.body)["expect"]
    if not events:
        return (Issue(MISSED, "", f"nothing of it could be used at site '{message.site}' — look at the site's page"),)
    outcome = screen(PatientState(events[0].patient), events, rules, alerts={}, now=message.received)
    judged = {one.assessment.trial: one.assessment for one in outcome.judgements}
    return tuple(
        Issue(MISSED, trial, f"{said} — compare the trial's and the site's page with those that passed last")
        for trial, wanted in expect.items()
        if trial in judged and wanted != NOBODY
        for said in _differences(judged[trial], wanted)
    )


def _differences(found: Assessment, wanted: str) -> Iterator[str]:
    for organ, points in POINTS.items():
        if (score := found.sofa.organs[organ].score) != points:
            yield f"{organ} has {'no' if score is None else score} points instead of {points}"
    ferritin = found.facts.get("ferritin")
    if ferritin is None or ferritin.value != FERRITIN:
        yield f"ferritin is {'unknown' if ferritin is None else ferritin.value} instead of {FERRITIN}"
    if found.sepsis.onset is None:
        yield "sepsis was not found"
    if not found.shown:
        yield f"the patient is not shown ({found.verdict})"
    elif wanted not in {SHOWN, found.stratum}:
        yield f"the stratum is {found.stratum or 'none'} instead of {wanted}"
