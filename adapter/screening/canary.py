"""The canary: patients who are made up, judged from their bytes to their verdicts; nothing they say reaches a record.

The message is JSON: `hl7` holds the messages of each patient of simulation/canary.py, `expect` says of each trial what must come of
each of them. It is stored and read in its turn like any other, but it tells no events: no worklist, push, alert or count of patients
can know of it (docs/adr/0050-the-canary-is-judged-where-messages-are-read.md).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from adapter.domain.assessment import Assessment
from adapter.domain.events import ClinicalEvent
from adapter.domain.issue import Issue
from adapter.domain.message import MessageKind, RawMessage
from adapter.domain.patient import PatientId, PatientState
from adapter.domain.trial import Trial
from adapter.eligibility.strata import CENTRAL
from adapter.mapping.site import ANY, SiteMap
from adapter.screening.rulebook import Rulebook
from adapter.screening.screen import screen
from adapter.simulation.canary import AUTHORITY, MARKERS, NAMES, POINTS, Ways, patients

SOURCE = str(MessageKind.CANARY)
"""Of its messages in the store: no `[[source]]` may have this name."""
KIND = "CANARY"
PASSED, MISSED = "canary-passed", "canary-missed"
SHOWN, NOBODY = "shown", "nobody"
"""What a trial may expect of one of them instead of a stratum: that it is on the worklist, or nothing, since it asks for others."""
CALLED = ("hyper-inflammation", "immunoparalysis")
Expected = tuple[str, str]
"""Of each of the two, in the order of `CALLED`."""


def told(rules: Rulebook, site: SiteMap, now: datetime, expect: Mapping[str, Expected]) -> RawMessage:
    """What goes into the inbox. Trials that `expect` does not name expect to show both."""
    free = (name for name in NAMES if not name.upper().startswith(site.test_patients))
    ways = Ways(
        site=site.site,
        authority=AUTHORITY if site.authority == ANY else site.authority,
        kind=site.identifier_type,
        decimal=site.decimal,
        emergency_ward=min(site.emergency_wards, default=""),
        laboratory=min(site.central_laboratory, default=""),
        name=next(free, NAMES[0]),
    )
    said = {trial.id: expect.get(trial.id, (SHOWN, SHOWN)) for trial in rules.trials}
    body = {"expect": said, "hl7": [[one.decode() for one in many] for many in patients(ways, now)]}
    stamp = f"{KIND}-{now:%Y%m%d%H%M%S%f}-{site.site}"
    return RawMessage(
        SOURCE, site.site, MessageKind.CANARY, json.dumps(body).encode(), now, control_id=stamp, type=KIND
    )


def untried(trial: Trial, site: SiteMap) -> bool:
    """Whether its limits are not tried at this site: it believes the central laboratory alone, and the page names none."""
    return trial.stratum_requires == CENTRAL and not site.central_laboratory


def said_by(message: RawMessage) -> tuple[tuple[bytes, ...], ...]:
    """Its HL7 messages, patient by patient."""
    return tuple(tuple(one.encode() for one in many) for many in json.loads(message.body)["hl7"])


def seeming(message: RawMessage) -> PatientId:
    """Another one each time: each of several processors has its turn."""
    return PatientId(message.site, AUTHORITY, message.control_id)


def missed(message: RawMessage, said: Sequence[Sequence[ClinicalEvent]], rules: Rulebook) -> tuple[Issue, ...]:
    """What did not come out as it must, judged at the moment it was told; empty when all did. `said`: by each patient's messages."""
    return tuple(issue for which, events in enumerate(said) for issue in _missed(message, which, events, rules))


def _missed(message: RawMessage, which: int, events: Sequence[ClinicalEvent], rules: Rulebook) -> Iterator[Issue]:
    if not events:
        text = f"nothing of {CALLED[which]} could be used at site '{message.site}' — look at the site's page"
        yield Issue(MISSED, "", text)
        return
    outcome = screen(PatientState(events[0].patient), events, rules, alerts={}, now=message.received)
    judged = {one.assessment.trial: one.assessment for one in outcome.judgements}
    for trial, wanted in json.loads(message.body)["expect"].items():
        for text in _differences(judged[trial], which, wanted[which]) if trial in judged else ():
            what = f"of {CALLED[which]}, {text} — compare the trial's and the site's page with those that passed last"
            yield Issue(MISSED, trial, what)


def _differences(found: Assessment, which: int, wanted: str) -> Iterator[str]:
    for organ, points in POINTS.items():
        if (score := found.sofa.organs[organ].score) != points:
            yield f"{organ} has {'no' if score is None else score} points instead of {points}"
    for concept, value in MARKERS[which].items():
        fact = found.facts.get(concept)
        if fact is None or fact.value != f"{value:.0f}":
            yield f"{concept} is {'unknown' if fact is None else fact.value} instead of {value:.0f}"
    if wanted != NOBODY:
        yield from _overlooked(found, wanted)


def _overlooked(found: Assessment, wanted: str) -> Iterator[str]:
    if found.sepsis.onset is None:
        yield "sepsis was not found"
    if not found.shown:
        yield f"the patient is not shown ({found.verdict})"
    elif wanted not in {SHOWN, found.stratum}:
        yield f"the stratum is {found.stratum or 'none'} instead of {wanted}"
