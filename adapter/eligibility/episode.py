"""Which visit is the episode: trial × patient × encounter (decisions A4)."""

from collections.abc import Sequence
from datetime import UTC, datetime

from adapter.domain.encounter import Encounter, EncounterClass
from adapter.domain.visits import visits
from adapter.scoring.chart import Chart
from adapter.scoring.turns import ALWAYS

NO_VISIT = "no-visit"
"""The episode of a patient of whom only results have come: a person must say where they lie."""

NEWER_VISIT = "newer-visit"
"""Flag of an assessment whose episode is no longer the present one."""

BEGINNING = datetime.min.replace(tzinfo=UTC)


def visits_of(chart: Chart) -> Sequence[Encounter]:
    """Read once, as long as nothing else is said of them."""
    told = chart.state.statements
    return chart.remembered("visits", ALWAYS, {}, lambda: visits(told), told)


def encounter_of(chart: Chart, at: datetime) -> Encounter | None:
    """The running visit admitted last; an ended one only when none runs, a clinic visit only when nothing else is known."""
    begun = [visit for visit in visits_of(chart) if not visit.cancelled and _begun(visit, at)]
    return max(begun, key=lambda visit: _weight(visit, at), default=None)


def spoken_of(chart: Chart, at: datetime) -> bool:
    """Whether any visit is known by now, a cancelled one included: then nobody asks where the patient lies."""
    return any(_begun(visit, at) for visit in visits_of(chart))


def encounter_named(chart: Chart, episode: str, at: datetime) -> Encounter | None:
    """The visit of an episode as it stands at `at`, running, ended or cancelled; `None` where nobody speaks of it."""
    return next((v for v in visits_of(chart) if v.visit == episode and _begun(v, at)), None)


def episode_of(encounter: Encounter | None) -> str:
    return NO_VISIT if encounter is None else encounter.visit


def ended(encounter: Encounter | None, at: datetime) -> bool:
    return encounter is not None and encounter.discharged is not None and encounter.discharged <= at


def _begun(visit: Encounter, at: datetime) -> bool:
    return visit.admitted is None or visit.admitted <= at


def _weight(visit: Encounter, at: datetime) -> tuple[bool, bool, datetime, str]:
    lies_in = visit.encounter_class is not EncounterClass.OUTPATIENT
    return (lies_in and not ended(visit, at), lies_in, visit.admitted or BEGINNING, visit.visit)
