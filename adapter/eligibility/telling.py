"""An organ's score told to a clinician: why it is what it is, and what would change it."""

from typing import Any

from adapter.domain.assessment import CriterionResult, Evidence, OrganScore, OrganStatus
from adapter.domain.truth import Truth
from adapter.eligibility.flag_words import flag_words
from adapter.eligibility.phrases import ALWAYS
from adapter.scoring.ladder import UNSAID, Ladder
from adapter.scoring.thresholds import BILIRUBIN, CREATININE, DOSES, GCS, MAP, PF, PLATELETS, SF, URINE

ORGANS = {
    "respiration": "Lungs",
    "coagulation": "Coagulation",
    "liver": "Liver",
    "cardiovascular": "Circulation",
    "cns": "Consciousness",
    "renal": "Kidneys",
}
NAMES = {
    "pao2": "PaO2",
    "pf-ratio": "PaO2/FiO2",
    "spo2": "SpO2",
    "gcs-total": "GCS",
    "gcs-eye": "GCS eye",
    "map": "MAP",
    "map-arterial": "MAP (arterial line)",
    "map-cuff": "MAP (cuff)",
    "sbp": "Systolic pressure",
}
LADDERS: dict[str, tuple[Ladder, ...]] = {
    "respiration": (PF.conventional, PF.si, SF),
    "coagulation": (PLATELETS,),
    "liver": (BILIRUBIN.conventional, BILIRUBIN.si),
    "cardiovascular": (MAP, *DOSES.values()),
    "cns": (GCS,),
    "renal": (CREATININE.conventional, CREATININE.si, URINE),
}
"""The first of each is that of the usual test."""
UNSUPPORTED = ", without respiratory support"


def says(name: str, organ: OrganScore) -> str:
    """`Coagulation: 2 points. Platelets 90 10*3/uL on 2026-01-02 at 03:00; platelets < 100 10*3/uL: 2 (…).`"""
    called = ORGANS.get(name, name)
    if organ.score is None:
        why = [f"{called}: not known, so 0 to 4 points. No result that can be used within the window."]
    else:
        count = f"{organ.score} point{'' if organ.score == 1 else 's'}"
        spread = "" if organ.low == organ.high else f" (it may be {organ.low} to {organ.high})"
        why = [f"{called}: {count}{spread}. {_value(organ)}; {organ.rule}."]
    return " ".join((*why, *(flag_words(flag) for flag in organ.flags)))


def _value(organ: OrganScore) -> str:
    first = organ.evidence[0]
    told = NAMES.get(first.concept, first.concept.replace("-", " ").capitalize())
    amount = f" {_quantity(first.value, first.unit)}" if first.value else ""
    text = f"{told}{amount} on {_moment(first)}{_as_reported(first)}"
    carried = ", from before sedation" if organ.status is OrganStatus.CARRIED else ""
    return f"{text}{carried} ({first.note})" if first.note else f"{text}{carried}"


def _quantity(value: str, unit: str) -> str:
    return value if not unit or unit in UNSAID else f"{value} {unit}"


def _moment(evidence: Evidence) -> str:
    return evidence.effective.strftime("%Y-%m-%d at %H:%M")


def _as_reported(evidence: Evidence) -> str:
    if not evidence.original_value or (evidence.original_value, evidence.original_unit) == (
        evidence.value,
        evidence.unit,
    ):
        return ""
    return f" (reported as {_quantity(evidence.original_value, evidence.original_unit)})"


def otherwise(name: str, organ: OrganScore) -> list[dict[str, Any]]:
    """What would give other points, the fewest first: by the ladder that decided, else by that of the usual test."""
    ladder = _deciding(name, organ)
    other = [
        {"points": points, "when": words} for points, words in sorted(ladder.words.items()) if points != organ.score
    ]
    if UNSUPPORTED in organ.rule:
        other.append({"points": _supported(ladder, organ), "when": "the same value under respiratory support"})
    if name == "cardiovascular" and ladder is MAP:
        other += [
            {"points": step.points, "when": f"{drug.words[step.points]}, for an hour"}
            for drug in DOSES.values()
            for step in reversed(drug.steps)
        ]
    return other


def _deciding(name: str, organ: OrganScore) -> Ladder:
    ladders = LADDERS[name]
    stem = organ.rule.partition(UNSUPPORTED)[0]
    return next((ladder for ladder in ladders if stem in ladder.words.values()), ladders[0])


def _supported(ladder: Ladder, organ: OrganScore) -> int | None:
    stem = organ.rule.partition(UNSUPPORTED)[0]
    return next((points for points, words in ladder.words.items() if words == stem), organ.score)


def would_change(result: CriterionResult) -> str:
    """Of a criterion that the machine answered; a person's answer is changed by a person."""
    if result.determined_by:
        return f"Another answer by a person; this one is of {result.determined_by}."
    if result.answer is Truth.UNKNOWN or result.rule in {"", ALWAYS}:
        return result.ask
    return f"It would {'no longer be met without' if result.answer is Truth.MET else 'be met by'}: {result.rule}."
