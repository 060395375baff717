"""What an EDC is shown of an assessment: the decision as it stands, beside the values of the moment it rests on; and what people are."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from adapter.domain.assessment import Assessment
from adapter.eligibility.evaluate import assess
from adapter.eligibility.explain import as_json
from adapter.scoring.chart import Chart
from adapter.scoring.sofa2 import score_2
from adapter.screening.rulebook import Rulebook


def decided_at(assessment: Assessment) -> datetime:
    """The time of the newest value the decision rests on: sepsis began, or the stratum's specimen was drawn.

    A clinical time, not the moment somebody looked: whatever order the messages came in, it is the same (reliability P4),
    and a later result of the day does not move it (edc 5.1: a bundle a decision, not a message).
    """
    grounds = [evidence.effective for evidence in assessment.stratum_evidence]
    if assessment.sepsis.onset is not None:
        grounds.append(assessment.sepsis.onset)
    return min(assessment.at, max(grounds, default=assessment.at))


def as_decided(assessment: Assessment, chart: Chart, rules: Rulebook) -> Assessment:
    """Verdict, stratum and status of now; SOFA, ferritin and mHLA-DR as they were, by all that is known today, when it was
    decided. A correction of any of them changes it; a newer value alone does not.
    """
    trial = next((one for one in rules.trials if one.id == assessment.trial), None)
    moment = decided_at(assessment)
    if trial is None or moment == assessment.at:
        return assessment
    options = rules.scoring_options(assessment.patient.site)
    then = assess(trial, chart, moment, options=options, rulebook=rules.digest, episode=assessment.episode)
    return replace(assessment, sofa=then.sofa, facts=then.facts)


def explained(assessment: Assessment, chart: Chart, rules: Rulebook, *, known_as: str) -> dict[str, Any]:
    """The `explain` object of interfaces.md, for whoever looks; SOFA-2 is scored here, since nobody else asks for it."""
    second = score_2(chart, assessment.at, rules.scoring_options(assessment.patient.site))
    return as_json(assessment, patient=known_as, software=rules.software, sofa2=second)
