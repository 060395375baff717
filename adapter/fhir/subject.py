"""The pseudonym and its place in the trial: Patient, ResearchSubject, and what of it people have changed since."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from adapter.domain.assessment import Assessment
from adapter.fhir.calendar import Calendar
from adapter.fhir.codes import ASSESSMENT_EXTENSION, IDENTIFIER_TYPE, REGISTRY, SCREENING_NUMBER, said_by
from adapter.fhir.observations import reference

Json = dict[str, Any]

VERDICT, REASON = "verdict", "reason"
ASSERTED = "asserted-status"
"""Sub-extension: the status this program last asserted; another one on the resource was set by somebody else."""


@dataclass(frozen=True, slots=True)
class Study:
    """`registry` is the trial's number (NCT…); `reference` the EDC's ResearchStudy, where it is configured."""

    registry: str
    reference: str = ""

    def json(self) -> Json:
        logical: Json = {"identifier": {"system": REGISTRY, "value": self.registry}}
        return logical | ({"reference": self.reference} if self.reference else {})


def patient_pseudonym(resource_id: str, screening_id: str) -> Json:
    """Nothing but the screening number (reliability 4.6)."""
    kind = {"coding": [{"system": IDENTIFIER_TYPE, "code": "ANON"}]}
    return {
        "resourceType": "Patient",
        "id": resource_id,
        **said_by("screened-patient"),
        "identifier": [{"type": kind, "system": SCREENING_NUMBER, "value": screening_id}],
    }


def research_subject(screening_id: str, status: str, *, patient: str, study: Study) -> Json:
    """No consent and no arm: the one is not ours to give, the other is blinded."""
    return {
        "resourceType": "ResearchSubject",
        **said_by("screened-subject"),
        "identifier": [{"system": SCREENING_NUMBER, "value": screening_id}],
        "status": status,
        "study": study.json(),
        "individual": reference(patient),
        "extension": [{"url": ASSESSMENT_EXTENSION, "extension": [{"url": ASSERTED, "valueCode": status}]}],
    }


def findings(assessment: Assessment, calendar: Calendar) -> list[Json]:
    """What the machine found, as parts of our extension; a stratum is a finding, never an arm."""
    parts: list[Json] = [
        {"url": VERDICT, "valueCode": str(assessment.verdict)},
        {"url": "certainty", "valueCode": str(assessment.certainty)},
        {"url": "stratum", "valueCode": assessment.stratum or "indeterminate"},
        {"url": "stratum-provisional", "valueBoolean": assessment.provisional},
        {"url": "rulebook", "valueString": assessment.rulebook},
    ]
    times = (("onset", assessment.sepsis.onset), ("deadline", assessment.sepsis.deadline))
    return parts + [{"url": url, "valueDateTime": calendar.text(at)} for url, at in times if at is not None]


def merged(current: Json, ours: Json) -> Json:
    """`current` as the server holds it, with our extension renewed and the status where nobody else changed it.

    Period, consent and everything else somebody wrote stays (decisions E2: the machine creates, people change). Of ours only
    what was found stays where nothing is found anew; a reason is of its own decision alone.
    """
    result = deepcopy(current)
    meta = {k: v for k, v in result.pop("meta", {}).items() if k not in ("versionId", "lastUpdated")}
    if meta:
        result["meta"] = meta
    before = parts_of(current)
    untouched = ASSERTED in before and before[ASSERTED].get("valueCode") == current.get("status")
    said = parts_of(ours)
    kept = {url: part for url, part in before.items() if url == ASSERTED or (VERDICT not in said and url != REASON)}
    renewed = kept | {url: part for url, part in said.items() if url != ASSERTED}
    if untouched:
        result["status"] = ours["status"]
        renewed[ASSERTED] = {"url": ASSERTED, "valueCode": ours["status"]}
    theirs = [item for item in current.get("extension", []) if item.get("url") != ASSESSMENT_EXTENSION]
    result["extension"] = [*theirs, {"url": ASSESSMENT_EXTENSION, "extension": list(renewed.values())}]
    return result


def parts_of(subject: Json) -> dict[str, Json]:
    """Of our extension, by their names; empty where a server kept none of it."""
    for item in subject.get("extension", []):
        if item.get("url") == ASSESSMENT_EXTENSION:
            return {part["url"]: part for part in item.get("extension", [])}
    return {}
