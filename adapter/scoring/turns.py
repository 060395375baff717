"""When a conclusion may change although nothing new is told: at each turn of the results it rests on.

A result turns when it arrives (a delay of nothing: it may be dated ahead) and when a window, a hold or an hour has passed
it. Between two turns every part of a conclusion stands: score, flags, evidence (tests/laws/test_sofa_laws.py). Turns may
be named too often, never too seldom.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from adapter.scoring.options import ScoringOptions
from adapter.scoring.thresholds import (
    DOSES,
    INFUSION_COUNTS,
    INFUSION_GAP,
    MAP_REACH,
    SEDATIVES,
    UNSCORED_VASOACTIVES,
    URINE_LOOKBACK,
    WINDOW,
)

Turns = Mapping[str, tuple[timedelta, ...]]
"""By concept, how long after its time a result turns; without a delay only news of that concept matters."""

ALWAYS, NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
AT_ONCE = timedelta(0)
JUST_AFTER = timedelta.resolution
OF_THE_DAY = (AT_ONCE, WINDOW)
SILENT: tuple[timedelta, ...] = ()
"""Devices and oxygen speak through the gas or the coma they belong to, at its time."""

PARTS = ("gcs-eye", "gcs-verbal", "gcs-motor")
WEIGHTS = ("weight", "weight-stated")
BLOOD_PRESSURES = ("map", "map-arterial", "map-cuff", "sbp", "dbp")


def delayed(moment: datetime, delay: timedelta) -> datetime:
    """A result may be dated as late as a calendar goes."""
    return NEVER if moment > NEVER - delay else moment + delay


@lru_cache(maxsize=64)
def organ_turns(options: ScoringOptions) -> Mapping[str, Turns]:
    """Of each organ, by all it reads."""
    return {
        "respiration": {
            **dict.fromkeys(("pao2", "pf-ratio", "spo2", "circulatory-support"), OF_THE_DAY),
            **dict.fromkeys(("fio2", "oxygen-flow", "respiratory-support"), SILENT),
        },
        "coagulation": {"platelets": OF_THE_DAY},
        "liver": {"bilirubin": OF_THE_DAY},
        "cardiovascular": _circulation(options),
        "cns": {
            **dict.fromkeys(("gcs-total", "rass"), OF_THE_DAY),
            **dict.fromkeys(SEDATIVES, OF_THE_DAY),
            **dict.fromkeys(PARTS, (*OF_THE_DAY, WINDOW + JUST_AFTER)),
            "respiratory-support": SILENT,
        },
        "renal": {
            **dict.fromkeys(("creatinine", "urine-output-24h", "renal-replacement"), OF_THE_DAY),
            **dict.fromkeys(("urine-output", "bladder-irrigation"), (*OF_THE_DAY, URINE_LOOKBACK + JUST_AFTER)),
        },
    }


def _circulation(options: ScoringOptions) -> Turns:
    """A pressure judges its neighbours a while after it left the day; a rate begins to run just after it was charted,
    counts from its hour on, holds for a while, and keeps an infusion going that reaches into the day.
    """
    gone = WINDOW + options.rate_hold
    return {
        **dict.fromkeys(BLOOD_PRESSURES, (*OF_THE_DAY, WINDOW + MAP_REACH + JUST_AFTER)),
        **dict.fromkeys(DOSES, dose_turns(options)),
        **dict.fromkeys(UNSCORED_VASOACTIVES, (*OF_THE_DAY, gone)),
        "circulatory-support": OF_THE_DAY,
        **dict.fromkeys(WEIGHTS, (AT_ONCE,)),
    }


def dose_turns(options: ScoringOptions) -> tuple[timedelta, ...]:
    gone = WINDOW + options.rate_hold
    return AT_ONCE, JUST_AFTER, INFUSION_COUNTS, WINDOW, gone, gone + INFUSION_COUNTS + INFUSION_GAP + JUST_AFTER


@lru_cache(maxsize=64)
def drug_turns(options: ScoringOptions) -> Turns:
    """Of every vasoactive drug, scored or not."""
    return {
        **dict.fromkeys((*DOSES, *UNSCORED_VASOACTIVES), dose_turns(options)),
        **dict.fromkeys(WEIGHTS, (AT_ONCE,)),
    }


SCORED = frozenset(concept for turns in organ_turns(ScoringOptions()).values() for concept in turns)
"""Every concept that a score reads."""


@lru_cache(maxsize=64)
def review_turns(options: ScoringOptions) -> Turns:
    """Where points may change: results arrive and leave the day; infusions begin, reach their hour and end by their hold."""
    doses = (*OF_THE_DAY, JUST_AFTER, INFUSION_COUNTS, options.rate_hold + WINDOW)
    return {
        **dict.fromkeys(SCORED, OF_THE_DAY),
        **dict.fromkeys((*DOSES, *UNSCORED_VASOACTIVES), doses),
        **dict.fromkeys(WEIGHTS, (AT_ONCE,)),
        **dict.fromkeys(("urine-output", "bladder-irrigation"), (*OF_THE_DAY, URINE_LOOKBACK + JUST_AFTER)),
    }
