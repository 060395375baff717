"""From an assessment to the R4 transaction of one decision event; the one place where a verdict becomes a status."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from adapter.domain.assessment import Assessment, Evidence, SofaScore, Verdict
from adapter.domain.follow_up import FollowUp
from adapter.domain.trial import CriterionKind
from adapter.domain.truth import Truth
from adapter.fhir.calendar import Dates, calendar
from adapter.fhir.entries import checked, create, put
from adapter.fhir.follow_up import day_observation, survival_observation
from adapter.fhir.ids import resource_id
from adapter.fhir.observations import (
    Placed,
    evidence_key,
    input_observation,
    listed,
    pushed_evidence,
    reference,
    sofa_observation,
    withdrawn_observation,
)
from adapter.fhir.provenance import device, provenance, reasons, sources
from adapter.fhir.subject import REASON, Study, findings, patient_pseudonym, research_subject

Json = dict[str, Any]

_SCREENING_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,63}", re.ASCII)
_REASON = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
_NOT_CODE = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class BundleContext:
    """What is configured for one EDC. `secret` is derived from the site secret for this purpose alone."""

    secret: bytes = field(repr=False)
    dates: Dates
    software: str
    study: Study
    consent_criterion: str = "I4"
    """The criterion that a person answers once consent is given (decisions E3)."""
    studies: Mapping[str, tuple[Study, str]] = field(default_factory=dict)
    """Where several trials are screened: the study and the consent criterion of each."""

    def of(self, trial: str) -> "BundleContext":
        """What is configured for this trial."""
        study, consent = self.studies.get(trial, (self.study, self.consent_criterion))
        return replace(self, study=study, consent_criterion=consent, studies={})


@dataclass(frozen=True, slots=True)
class DecisionEvent:
    """What made the push due. `reason` is a code; `earlier` the statuses people had set before the present one;
    `withdrawn` what this EDC was told and the hospital has taken back.
    """

    kind: str = "raised"
    reason: str = ""
    earlier: tuple[str, ...] = ()
    withdrawn: tuple[Evidence, ...] = ()


_BY_PERSON = {
    "screening": "screening",
    "eligible": "eligible",
    "consent-asked": "eligible",
    "consented": "pending-on-study",
    "on-study": "on-study",
    "declined": "not-registered",
    "not-eligible": "ineligible",
    "withdrawn": "withdrawn",
}
_ENDED = frozenset({"declined", "not-eligible", "withdrawn"})
_BEFORE_CONSENT = frozenset({"", "screening", "eligible", "consent-asked"})


def subject_status(assessment: Assessment, *, earlier: Sequence[str] = (), consent: str = "I4") -> str:
    """R4 ResearchSubject.status (decisions E4, by R4's own definitions).

    `not-registered`: registration was not completed; `withdrawn`: before registration; `off-study`: ended afterwards.
    """
    status, answer = assessment.status, _consent(assessment, consent)
    if status in _ENDED or answer is Truth.NOT_MET:
        return _ended(status, earlier)
    if status in _BEFORE_CONSENT and answer is Truth.MET:
        return "pending-on-study"
    if status == "screening" and _confirmed(assessment, consent):
        return "eligible"
    return _BY_PERSON.get(status) or _by_machine(assessment)


def _ended(status: str, earlier: Sequence[str]) -> str:
    """By a person's status, or by a consent that is refused or taken back."""
    before = {status, *earlier}
    if "on-study" in before:
        return "off-study"
    if status in _ENDED:
        return _BY_PERSON[status]
    return "withdrawn" if "consented" in before else "not-registered"


def _by_machine(assessment: Assessment) -> str:
    if not assessment.shown:
        return "ineligible"
    return "candidate" if assessment.verdict is Verdict.CANDIDATE else "potential-candidate"


def _consent(assessment: Assessment, criterion: str) -> Truth:
    return next((c.answer for c in assessment.criteria if c.id == criterion), Truth.UNKNOWN)


def _confirmed(assessment: Assessment, consent: str) -> bool:
    """Every criterion but the consent itself is answered in favour."""
    wanted = {CriterionKind.INCLUSION: Truth.MET, CriterionKind.EXCLUSION: Truth.NOT_MET}
    others = [c for c in assessment.criteria if c.id != consent]
    return assessment.verdict is Verdict.CANDIDATE and all(c.answer is wanted[c.kind] for c in others)


def tells_values(assessment: Assessment, *, consent: str = "I4") -> bool:
    """False once a person ended the screening or registered the subject: then the status goes, and nothing measured.

    After registration the screening snapshot is frozen, for blinding (reliability 4.7, clinical 6.3).
    """
    if assessment.status in _ENDED or assessment.status == "on-study":
        return False
    return _consent(assessment, consent) is not Truth.NOT_MET


def tells_follow_up(assessment: Assessment, *, consent: str = "I4") -> bool:
    """While somebody is on study: the SOFA of study days and survival, never ferritin nor mHLA-DR (clinical 6.3)."""
    return assessment.status == "on-study" and _consent(assessment, consent) is not Truth.NOT_MET


def candidate_bundle(
    assessment: Assessment, *, screening_id: str, context: BundleContext, event: DecisionEvent | None = None
) -> Json:
    """The transaction of one decision event, checked against R4B and the required bindings; same input, same bytes.

    Raises ValueError when the screening id or a code could carry anything but a pseudonym or a word of ours.
    """
    if not _SCREENING_ID.fullmatch(screening_id):
        raise ValueError("a screening id holds letters, digits, '.' and '-' only — allocate it by the linkage table")
    return checked(_Writer(assessment, screening_id, context, event or DecisionEvent()).bundle())


def observation_id(context: BundleContext, trial: str, screening_id: str, evidence: Evidence) -> str:
    """What a bundle calls the Observation of this result."""
    return resource_id(context.secret, trial, "observation", screening_id, evidence_key(evidence))


def content_digest(assessment: Assessment, *, screening_id: str, context: BundleContext, event: DecisionEvent) -> str:
    """Of what the bundle tells, and not of when it was told or by which message: equal for what an EDC need not hear again."""
    entries = _Writer(assessment, screening_id, context, event).bundle()["entry"]
    told = [entry["resource"] for entry in entries if entry["resource"]["resourceType"] != "Provenance"]
    lasting = [{name: value for name, value in one.items() if name not in ("period", "meta")} for one in told]
    return hashlib.sha256(json.dumps(lasting, sort_keys=True, default=str).encode()).hexdigest()[:32]


def bundle_text(bundle: Json) -> str:
    """Canonical JSON: the outbox payload."""
    return json.dumps(bundle, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def is_reason(text: str) -> bool:
    """Whether it has the shape of a code."""
    return _REASON.fullmatch(text) is not None


def reason_code(text: str) -> str:
    """A reason of the machine's own in the shape of a code: `SOFA fell below 2` → `sofa-fell-below-2`."""
    return _NOT_CODE.sub("-", text.lower()).strip("-")[:64].strip("-")


class _Writer:
    """The parts of one bundle, which name each other."""

    def __init__(self, assessment: Assessment, screening_id: str, context: BundleContext, event: DecisionEvent) -> None:
        self._a, self._number, self._event = assessment, screening_id, event
        self._context = context.of(assessment.trial)
        self._calendar = calendar(context.secret, assessment.trial, screening_id, context.dates)
        self._patient = self._id("patient")
        self._device = resource_id(
            context.secret, assessment.trial, "device", "", f"{context.software}|{assessment.rulebook}"
        )

    def _id(self, role: str, key: str = "") -> str:
        return resource_id(self._context.secret, self._a.trial, role, self._number, key)

    def bundle(self) -> Json:
        consent = self._context.consent_criterion
        measured = tells_values(self._a, consent=consent)
        values: list[Placed] = []
        if measured:
            values = self._values()
        elif tells_follow_up(self._a, consent=consent) and self._a.follow_up is not None:
            values = self._followed(self._a.follow_up)
        subject = self._subject(measured)
        placed = [
            Placed(self._patient, patient_pseudonym(self._patient, self._number)),
            Placed(self._device, device(self._device, self._context.software, self._a.rulebook)),
            *values,
        ]
        targets = [subject.id, *(p.id for p in placed if p.id != self._device)]
        placed.append(self._provenance(targets))
        entries = [create(subject, self._number), *map(put, placed)]
        return {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    def _subject(self, with_findings: bool) -> Placed:
        consent = self._context.consent_criterion
        status = subject_status(self._a, earlier=self._event.earlier, consent=consent)
        resource = research_subject(self._number, status, patient=self._patient, study=self._context.study)
        parts = resource["extension"][0]["extension"]
        if with_findings:
            parts += findings(self._a, self._calendar)
            resource["period"] = {"start": self._calendar.text(self._a.at)}
        if self._event.reason:
            parts.append({"url": REASON, "valueCode": self._reason()})
        return Placed(self._id("subject"), resource)

    def _reason(self) -> str:
        if not is_reason(self._event.reason):
            raise ValueError("a reason must be a code — pass it through reason_code, and keep notes in the hospital")
        return self._event.reason

    def _values(self) -> list[Placed]:
        measured = self._measured(pushed_evidence(self._a))
        at = f"{self._a.episode}|{self._a.sofa.at.isoformat()}|{self._a.rulebook}"
        own_id = self._id("sofa", at)
        score = sofa_observation(own_id, self._a.sofa, calendar=self._calendar)
        return [*measured.values(), *self._withdrawn(), self._derived(own_id, score, self._a.sofa, measured)]

    def _withdrawn(self) -> Iterator[Placed]:
        for one in self._event.withdrawn:
            own_id = self._id("observation", evidence_key(one))
            told = withdrawn_observation(own_id, one, patient=self._patient, calendar=self._calendar)
            yield Placed(own_id, told)

    def _followed(self, after: FollowUp) -> list[Placed]:
        """A day keeps its Observation: what comes late or is corrected renews it."""
        measured = self._measured(listed(e for day in after.days for o in day.organs.values() for e in o.evidence))
        told = [*measured.values()]
        for day in after.days:
            own_id = self._id("sofa", f"{self._a.episode}|study-day|{day.day.number}")
            score = day_observation(own_id, day, calendar=self._calendar)
            told.append(self._derived(own_id, score, day.sofa, measured))
        for one in after.survival:
            own_id = self._id("survival", f"{self._a.episode}|study-day|{one.day.number}")
            told.append(self._ours(own_id, survival_observation(own_id, one, calendar=self._calendar)))
        return told

    def _measured(self, evidence: Iterable[Evidence]) -> dict[str, Placed]:
        """By the key of the evidence."""
        found = {evidence_key(e): (self._id("observation", evidence_key(e)), e) for e in evidence}
        return {
            key: Placed(own_id, input_observation(own_id, e, patient=self._patient, calendar=self._calendar))
            for key, (own_id, e) in found.items()
        }

    def _derived(self, own_id: str, score: Json, sofa: SofaScore, measured: Mapping[str, Placed]) -> Placed:
        used = dict.fromkeys(evidence_key(e) for organ in sofa.organs.values() for e in organ.evidence)
        derived = [reference(measured[key].id) for key in used if key in measured]
        return self._ours(own_id, score | ({"derivedFrom": derived} if derived else {}))

    def _ours(self, own_id: str, resource: Json) -> Placed:
        return Placed(own_id, resource | {"subject": reference(self._patient), "device": reference(self._device)})

    def _provenance(self, targets: list[str]) -> Placed:
        key = "|".join((*sorted(targets), self._a.at.isoformat(), self._event.kind, self._a.status))
        own_id = self._id("provenance", key)
        messages = dict.fromkeys(e.message for e in pushed_evidence(self._a) if e.message)
        resource = provenance(
            own_id,
            targets=targets,
            agent=self._device,
            recorded=self._calendar.text(self._a.at),
            kind=self._event.kind,
        )
        resource |= reasons([self._reason()] if self._event.reason else [])
        return Placed(own_id, resource | sources([self._id("message", m) for m in messages]))
