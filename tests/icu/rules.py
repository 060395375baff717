"""Where mimic-code's SOFA differs from ours, rule by rule: each turns a patient's state into what mimic-code makes of it.

The organ is then scored by our own scorer. `differences.csv` names each rule with file and line of mimic-code.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

from adapter.domain.administration import AdministrationState, standing
from adapter.domain.patient import PatientState
from adapter.domain.quantity import Quantity
from adapter.scoring.chart import Chart, window_to
from adapter.scoring.thresholds import DOSES, SEDATIVES, WINDOW
from adapter.scoring.urine import urine
from tests.builders import usable
from tests.icu.charted import INVASIVE, Charted
from tests.icu.tables import Stay
from tests.icu.views import drop, given, keep, made, only, put

HOUR = timedelta(hours=1)
FIO2_REACH = timedelta(hours=4)
PARTS_REACH = timedelta(hours=6)
URINE_DAY = timedelta(hours=23)
TWIN = timedelta(microseconds=1)
PRESSURE = "mm[Hg]"
SPECIMEN_FIO2 = "50816"
TUBE = "No Response-ETT"


@dataclass(frozen=True)
class Case:
    """One stay, and the hour ends at which mimic-code looks (from a day before the first)."""

    stay: Stay
    charted: Charted
    ends: tuple[datetime, ...]


Rule = Callable[[PatientState, Case], PatientState]


# --- whose rows -------------------------------------------------------------------------------------------------------


def own_admission(state: PatientState, case: Case) -> PatientState:
    """Laboratory results by the admission they were filed under; those of the emergency department have none yet."""
    for concept in ("platelets", "bilirubin", "creatinine"):
        state = keep(state, concept, lambda one: one.visit == case.stay.admission)
    return state


def own_stay(state: PatientState, case: Case) -> PatientState:
    """Charting, urine and infusions by the ICU stay they were filed under."""
    for concept in state.results:
        if concept in URINE:
            state = keep(state, concept, lambda one: one.effective in case.charted.outputs)
        elif concept in CHARTED:
            state = keep(state, concept, lambda one: one.effective in case.charted.moments)
    return given(state, lambda one: one.start in case.charted.infusions)


def bounds_are_numbers(state: PatientState, case: Case) -> PatientState:
    """A bound such as "<5" is the number beside it in the table, or nothing where there is none."""
    numbers = {(concept, at): Fraction(str(value)) for concept, at, value in case.charted.laboratory}
    for concept in POSSIBLE:
        kept = []
        for one in usable(state, concept):
            value = numbers.get((concept, one.effective))
            if one.quantity is None or one.quantity.comparator is None:
                kept.append(one)
            elif value is not None:
                kept.append(replace(one, quantity=Quantity(value, one.quantity.unit), native=None))
        state = put(state, concept, kept)
    return state


def results_impossible(state: PatientState, case: Case) -> PatientState:
    """Laboratory values that we refuse as impossible count as they stand, if they are above 0."""
    for concept, (low, high, unit) in POSSIBLE.items():
        if concept in state.results:
            strange = [
                replace(made(concept, at, Fraction(str(value)), unit), visit=case.stay.admission)
                for name, at, value in case.charted.laboratory
                if name == concept and value > 0 and not low <= value <= high
            ]
            state = put(state, concept, [*usable(state, concept), *strange])
    return state


POSSIBLE = {
    "platelets": (1.0, 3000.0, "10*3/uL"),
    "bilirubin": (0.0, 80.0, "mg/dL"),
    "creatinine": (0.0, 40.0, "mg/dL"),
}
"""As mappings/concepts.yaml has it."""
URINE = frozenset({"urine-output", "bladder-irrigation"})
CHARTED = frozenset(
    ("map-arterial", "map-cuff", "sbp", "dbp", "gcs-eye", "gcs-verbal", "gcs-motor", "gcs-total", "rass",
     "respiratory-support")
)  # fmt: skip


# --- respiration ------------------------------------------------------------------------------------------------------


def no_surrogate(state: PatientState, _case: Case) -> PatientState:
    return drop(state, "spo2")


def arterial_only(state: PatientState, _case: Case) -> PatientState:
    for concept in ("pao2", "pf-ratio"):
        state = keep(state, concept, lambda one: one.specimen == "arterial")
    return state


def charted_fio2(state: PatientState, _case: Case) -> PatientState:
    """FiO2 of the specimen, else the last charted one of four hours, whatever happened to the device meanwhile."""
    own: dict[str, float] = {}
    charted: dict[datetime, float] = {}
    for one in usable(state, "fio2"):
        percent = _percent(one.original.value)
        if percent is not None:
            if one.original.code == SPECIMEN_FIO2 and percent != 20:
                own[one.message] = max(percent, own.get(one.message, 0.0))
            else:
                charted[one.effective] = max(percent, charted.get(one.effective, 0.0))
    ratios = []
    for gas in usable(state, "pao2"):
        held = [at for at in charted if gas.effective - FIO2_REACH <= at <= gas.effective]
        fio2 = own.get(gas.message) or (charted[max(held)] if held else None)
        if fio2 and gas.quantity is not None:
            ratio = gas.quantity.value * 100 / Fraction(str(fio2))
            ratios.append(replace(made("pf-ratio", gas.effective, ratio, PRESSURE), specimen=gas.specimen))
    return put(drop(state, "pao2", "fio2"), "pf-ratio", ratios)


def _percent(text: str) -> float | None:
    try:
        number = float(text.split("^", maxsplit=1)[0])
    except ValueError:
        return None
    if 0.2 < number <= 1:
        return number * 100
    return number if 20 <= number <= 100 else None


def ventilation_episodes(state: PatientState, case: Case) -> PatientState:
    """Ventilated within an episode, by mode or tube, and by nothing else; noninvasive support is none."""
    episodes = [one for one in case.charted.episodes() if one.status == INVASIVE]
    times = {one.effective for name in ("pao2", "pf-ratio", "spo2") for one in usable(state, name)}
    devices = [
        made("respiratory-support", at, None, "", code="invasive" if any(e.begin <= at <= e.end for e in episodes)
             else "hfnc")
        for at in times
    ]  # fmt: skip
    return put(state, "respiratory-support", devices)


# --- cardiovascular ---------------------------------------------------------------------------------------------------


def pressures_averaged(state: PatientState, _case: Case) -> PatientState:
    """Line and cuff of one moment are averaged; neither goes before the other."""
    found: dict[datetime, list[Fraction]] = defaultdict(list)
    for concept in ("map-arterial", "map-cuff", "map"):
        for one in usable(state, concept):
            if one.quantity is not None:
                found[one.effective].append(one.quantity.value)
    means = [made("map", at, sum(values, Fraction(0)) / len(values), PRESSURE) for at, values in found.items()]
    return put(drop(state, "map-arterial", "map-cuff"), "map", means)


def pressures_impossible(state: PatientState, case: Case) -> PatientState:
    """Readings above 0 and below 300 mm[Hg] count, which we refuse below 10 and above 250."""
    strange = [
        made("map", at, Fraction(str(value)), PRESSURE)
        for at, value in case.charted.pressures
        if 0 < value < 300 and not 10 <= value <= 250
    ]
    return put(state, "map", [*usable(state, "map"), *strange])


def pressures_single(state: PatientState, _case: Case) -> PatientState:
    """A single low reading counts: each gets a twin beside it, so that it is sustained."""
    for concept in ("map-arterial", "map-cuff", "map"):
        told = usable(state, concept)
        twins = [replace(one, effective=one.effective - TWIN, identity=f"{one.identity} twin") for one in told]
        state = put(state, concept, [*told, *twins])
    return state


def pressures_measured(state: PatientState, _case: Case) -> PatientState:
    return drop(state, "sbp", "dbp")


def rates_at_hour_end(state: PatientState, case: Case) -> PatientState:
    """The rate at the end of each clock hour counts, however short the infusion; nothing between two hours is seen."""
    found = []
    for drug in DOSES:
        running = [
            one
            for one in standing(state.administrations)
            if f"{one.substance}-rate" == drug and one.state is AdministrationState.GIVEN and one.end and one.rate
        ]
        for end in case.ends:
            now = [one for one in running if one.start < end <= (one.end or one.start)]
            if now:
                most = max(now, key=lambda one: one.rate.value if one.rate else Fraction(0))
                identity = f"{most.identity} {end.isoformat()}"
                found.append(replace(most, identity=identity, digest=identity, start=end - HOUR, end=end))
    others = (one for one in state.administrations if f"{one.substance}-rate" not in DOSES)
    return replace(state, administrations=(*others, *found))


# --- nervous system ---------------------------------------------------------------------------------------------------


def sedation_ignored(state: PatientState, _case: Case) -> PatientState:
    return given(drop(state, "rass"), lambda one: f"{one.substance}-rate" not in SEDATIVES)


def tube_is_normal(state: PatientState, _case: Case) -> PatientState:
    """ "No Response-ETT" makes the whole score 15, at its own charting and at the next where no verbal answer stands."""
    rows, totals = _rows(state), []
    for at, (parts, before) in rows.items():
        spoken = parts.get("gcs-verbal", before.get("gcs-verbal"))
        if spoken == 0:
            totals.append(at)
    for concept in PARTS:
        state = keep(state, concept, lambda one: one.effective not in set(totals))
    kept = [one for one in usable(state, "gcs-total") if one.effective not in set(totals)]
    return put(state, "gcs-total", [*kept, *(made("gcs-total", at, Fraction(15), "{score}") for at in totals)])


def parts_assumed(state: PatientState, _case: Case) -> PatientState:
    """An answer that is missing is the one charted just before, within six hours, else normal."""
    totals = []
    for at, (parts, before) in _rows(state).items():
        earlier = {} if before.get("gcs-verbal") == 0 else before
        found = [parts.get(name, earlier.get(name, best)) for name, best in PARTS.items()]
        totals.append(made("gcs-total", at, Fraction(sum(max(1, part) for part in found)), "{score}"))
    known = usable(state, "gcs-total")
    return put(drop(state, *PARTS), "gcs-total", [*known, *totals])


def tube_unseen(state: PatientState, _case: Case) -> PatientState:
    """Whether the patient is intubated plays no part beyond the words of the verbal answer."""
    return drop(state, "respiratory-support")


PARTS = {"gcs-eye": 4, "gcs-verbal": 5, "gcs-motor": 6}


def _rows(state: PatientState) -> dict[datetime, tuple[dict[str, int], dict[str, int]]]:
    """By moment the answers charted then, and those of the charting before, if less than six hours ago; the tube is 0."""
    rows: dict[datetime, dict[str, int]] = defaultdict(dict)
    for name in PARTS:
        for one in usable(state, name):
            value = 0 if TUBE in one.original.value else int(one.quantity.value if one.quantity else 1)
            rows[one.effective][name] = max(value, rows[one.effective].get(name, 0))
    found: dict[datetime, tuple[dict[str, int], dict[str, int]]] = {}
    previous: datetime | None = None
    for at in sorted(rows):
        near = previous is not None and previous > at - PARTS_REACH
        found[at] = rows[at], rows[previous] if near and previous is not None else {}
        previous = at
    return found


# --- kidney -----------------------------------------------------------------------------------------------------------


def conduit_is_urine(state: PatientState, case: Case) -> PatientState:
    """An ileoconduit, which also drains stool (clinical 2.8), counts as urine."""
    drained = [made("urine-output", at, Fraction(str(value)), "mL") for at, value in case.charted.conduit]
    return put(state, "urine-output", [*usable(state, "urine-output"), *drained])


def urine_of_any_entry(state: PatientState, _case: Case) -> PatientState:
    """The day's urine is asked for at every entry of the last 24 hours, and the worst stands; we ask for the present day."""
    chart, totals = Chart(state), []
    for at in chart.series("urine-output").times:
        found = max((one.score for one in urine(chart, window_to(at, WINDOW))), default=None)
        if found is not None:
            totals.append(made("urine-output-24h", at, AS_POINTS[found], "mL"))
    return put(state, "urine-output-24h", [*usable(state, "urine-output-24h"), *totals])


AS_POINTS = {0: Fraction(500), 3: Fraction(499), 4: Fraction(199)}
"""A total that makes these points."""


def urine_rate(state: PatientState, case: Case) -> PatientState:
    """A day's urine by `urine_output_rate.sql`, at every entry of the last 24 hours: the volumes of 23 hours over the
    time since the entry before each (before the first: since the first heart rate), where that makes 22 to 30 hours.
    """
    volumes: dict[datetime, Fraction] = defaultdict(Fraction)
    for one in usable(state, "urine-output"):
        volumes[one.effective] += one.quantity.value if one.quantity else 0
    for one in usable(state, "bladder-irrigation"):
        volumes[one.effective] -= one.quantity.value if one.quantity else 0
    times = sorted(volumes)
    state = drop(state, "urine-output", "bladder-irrigation")
    if not times or not case.charted.heart:
        return state
    before = dict(zip(times, [min(case.charted.heart), *times], strict=False))
    totals = []
    for at in times:
        day = [one for one in times if at - URINE_DAY <= one <= at]
        length = sum(((one - before[one]) for one in day), timedelta(0))
        hours = round(Fraction(length // timedelta(seconds=1), 3600), 2)
        if 22 <= hours <= 30:
            total = sum((volumes[one] for one in day), Fraction(0)) / hours * 24
            totals.append(replace(made("urine-output-24h", at, None, "mL"), quantity=Quantity(total, "mL")))
    return put(state, "urine-output-24h", totals)


# --- the table of them ------------------------------------------------------------------------------------------------

MISSING_IS_NORMAL = "missing-is-normal"
"""The rule of every organ: what nobody measured is 0 points."""
URINE_PROVISIONAL = "urine-provisional"
"""The kidney's: less than 22 hours of urine say nothing; we show what 12 hours make of a day, and decide nothing by it."""
CONCEPTS: dict[str, tuple[str, ...]] = {
    "respiration": ("pao2", "fio2", "pf-ratio", "spo2", "oxygen-flow", "respiratory-support"),
    "coagulation": ("platelets",),
    "liver": ("bilirubin",),
    "cardiovascular": ("map", "map-arterial", "map-cuff", "sbp", "dbp", "weight"),
    "cns": (*PARTS, "gcs-total", "rass", "respiratory-support"),
    "renal": ("creatinine", *URINE, "urine-output-24h", "renal-replacement"),
}
"""What an organ is scored from, beside the infusions."""
RULES: dict[str, dict[str, Rule]] = {
    "respiration": {
        "no-surrogate": no_surrogate,
        "arterial-only": arterial_only,
        "charted-fio2": charted_fio2,
        "ventilation-episodes": ventilation_episodes,
    },
    "coagulation": {
        "own-admission": own_admission,
        "bound-is-number": bounds_are_numbers,
        "impossible-result": results_impossible,
    },
    "liver": {
        "own-admission": own_admission,
        "bound-is-number": bounds_are_numbers,
        "impossible-result": results_impossible,
    },
    "cardiovascular": {
        "own-stay": own_stay,
        "rate-at-hour-end": rates_at_hour_end,
        "impossible-pressure": pressures_impossible,
        "line-and-cuff-averaged": pressures_averaged,
        "measured-mean-only": pressures_measured,
        "single-low-pressure": pressures_single,
    },
    "cns": {
        "own-stay": own_stay,
        "sedation-ignored": sedation_ignored,
        "tube-is-15": tube_is_normal,
        "parts-assumed": parts_assumed,
        "tube-unseen": tube_unseen,
    },
    "renal": {
        "own-admission": own_admission,
        "bound-is-number": bounds_are_numbers,
        "impossible-result": results_impossible,
        "own-stay": own_stay,
        URINE_PROVISIONAL: lambda state, _case: state,
        "ileoconduit-is-urine": conduit_is_urine,
        "urine-of-any-entry": urine_of_any_entry,
        "urine-rate": urine_rate,
    },
}
"""By organ, in the order in which they are applied."""


def under(state: PatientState, organ: str, rules: Iterable[str], case: Case) -> PatientState:
    """The state as mimic-code would see it by those of its rules."""
    seen, chosen = only(state, CONCEPTS[organ]), set(rules)
    for name, rule in RULES[organ].items():
        if name in chosen:
            seen = rule(seen, case)
    return seen


__all__ = ["CONCEPTS", "MISSING_IS_NORMAL", "RULES", "URINE_PROVISIONAL", "Case", "under"]
