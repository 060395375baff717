"""ICU stays as HL7 v2 and as FHIR resources, made of the same tables by two programs, end in the same judgement."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapter.domain.message import MessageKind, RawMessage
from adapter.domain.patient import PatientId, PatientState
from adapter.eligibility.evaluate import assess
from adapter.screening.interpret import interpret
from adapter.screening.rulebook import Rulebook
from adapter.screening.state import apply_all
from tests.icu.house import SITE, rulebook
from tests.icu.resources import resources
from tests.icu.window import Running, running

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
States = dict[PatientId, PatientState]


@pytest.fixture(scope="module")
def tables(shared_data: Path) -> Running:
    return running(shared_data / "icu" / "mimic-iv-demo", NOW)


@pytest.fixture(scope="module")
def rules() -> Rulebook:
    return rulebook()


def hl7(tables: Running) -> Iterator[RawMessage]:
    for one in tables.told():
        yield RawMessage("icu", SITE, MessageKind.HL7V2, one.body, tables.now)


def fhir(tables: Running) -> Iterator[RawMessage]:
    """A page for each patient."""
    pages: dict[str, list[Any]] = {}
    for one in resources(tables):
        whose = one["subject"]["reference"] if "subject" in one else f"Patient/{one['id']}"
        resource = one | {"meta": {"lastUpdated": tables.now.isoformat()}}
        pages.setdefault(whose, []).append({"fullUrl": f"{one['resourceType']}/{one['id']}", "resource": resource})
    for entries in pages.values():
        body = json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entries}).encode()
        yield RawMessage("ehr", SITE, MessageKind.FHIR, body, tables.now)


def read(messages: Iterable[RawMessage], rules: Rulebook) -> tuple[States, Counter[str]]:
    """What is believed of each patient, and what could not be used, by reason."""
    states: States = {}
    issues: Counter[str] = Counter()
    for number, message in enumerate(messages, 1):
        seen = interpret(message, rules, message_id=str(number))
        assert seen.disposition == "applied", seen.issues
        issues.update(issue.code for issue in seen.issues)
        for patient in seen.patients:
            mine = [event for event in seen.events if event.patient == patient]
            states[patient] = apply_all(states.get(patient, PatientState(patient)), mine)
    return states, issues


def judged(state: PatientState, rules: Rulebook) -> dict[str, Any]:
    found = assess(rules.trials[0], state, NOW, options=rules.scoring_options(SITE), rulebook="")
    organs = {name: (one.score, one.low, one.high, one.flags) for name, one in found.sofa.organs.items()}
    facts = sorted((one.concept, one.value, one.unit, one.effective) for one in found.facts.values())
    return {
        "verdict": (found.verdict, found.certainty, found.stratum, found.shown, found.missing),
        "criteria": [(one.id, one.answer) for one in found.criteria],
        "sepsis": (found.sepsis.context, found.sepsis.onset),
        "organs": organs,
        "facts": facts,
    }


def test_every_stay_is_judged_alike_in_both_syntaxes(tables: Running, rules: Rulebook) -> None:
    told, held = read(hl7(tables), rules), read(fhir(tables), rules)
    assert told[0].keys() == held[0].keys()
    assert len(told[0]) == len(tables.chosen)
    assert told[1] == held[1]
    assert {who: judged(one, rules) for who, one in held[0].items()} == {
        who: judged(one, rules) for who, one in told[0].items()
    }
    assert any(judged(one, rules)["verdict"][3] for one in held[0].values())
