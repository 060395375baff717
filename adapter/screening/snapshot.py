"""What an EDC is shown of an assessment: the decision as it stands, beside the values of the moment it rests on."""

from dataclasses import replace
from datetime import datetime

from adapter.domain.assessment import Assessment
from adapter.eligibility.evaluate import assess
from adapter.scoring.chart import Chart
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
    return replace(assessment, sofa=then.sofa, sofa2=then.sofa2, facts=then.facts)
