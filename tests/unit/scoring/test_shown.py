"""What is shown of an organ, word for word: its interval and rule, its flags, and each result with its note.

A person signs by these words; a score that is right for a reason that is wrong helps nobody.
"""

from collections.abc import Callable
from typing import Any

import pytest

from adapter.domain.administration import Administration
from adapter.domain.assessment import OrganScore, SofaScore
from adapter.domain.observation import Observation
from adapter.scoring.options import ScoringOptions
from adapter.scoring.sofa import score
from adapter.scoring.sofa2 import score_2
from tests.builders import T0, after, given, hours, observation, state_of

Told = Observation | Administration
AIR, TUBE = observation("fio2", "0.5"), observation("respiratory-support", "invasive")
PLAIN = ScoringOptions()
MAP_80, KG_80 = observation("map", 80), observation("weight", 80)


def gas(pao2: float | str, unit: str | None = None, specimen: str = "arterial", at: float = 0) -> Observation:
    return observation("pao2", pao2, unit, at=after(at), specimen=specimen, identity=f"{specimen} {at}")


def hourly(concept: str, *values: float, start: float = 0, step: float = 1) -> tuple[Observation, ...]:
    return tuple(observation(concept, value, at=after(start + step * i)) for i, value in enumerate(values))


def shown(found: OrganScore) -> str:
    """`score low-high status | rule | +flags | concept value @hour: note`, the results in the order they are shown."""
    results = (
        f"{' '.join(filter(None, (e.concept, e.value)))} @{(e.effective - T0) / hours(1):g}"
        + (f": {e.note}" if e.note else "")
        for e in found.evidence
    )
    flags = " ".join(f"+{flag}" for flag in found.flags)
    parts = f"{found.score} {found.low}-{found.high} {found.status}", found.rule, flags, "; ".join(results)
    return " | ".join(part for part in parts if part)


def ask(
    scoring: Callable[..., SofaScore], organ: str, told: tuple[Told, ...], hour: float, options: ScoringOptions
) -> str:
    drugs = tuple(one for one in told if isinstance(one, Administration))
    state = state_of(*(one for one in told if isinstance(one, Observation)), administrations=drugs)
    return shown(scoring(state, after(hour), options).organs[organ])


def case(
    organ: str, name: str, told: tuple[Told, ...], words: str, hour: float = 1, options: ScoringOptions = PLAIN
) -> Any:
    return pytest.param(organ, told, words, hour, options, id=f"{organ}: {name}")


# Two lines a case: what is charted, what is shown.
# fmt: off
ON_SOFA = [
    case("respiration", "measured", (gas(75), AIR, TUBE),
         "3 3-3 measured | PaO2/FiO2 < 200 mm[Hg]: 3 (Sepsis-3 Table 1) | pao2 75 @0: PaO2/FiO2 150 mm[Hg], FiO2 0.5; fio2 0.5 @0; respiratory-support invasive @0"),
    case("respiration", "another unit", (gas("13.3", "kPa"), AIR, TUBE),
         "3 3-3 measured | PaO2/FiO2 < 26.7 kPa: 3 (Sepsis-3 Table 1) | pao2 99.758246 @0: PaO2/FiO2 26.6 kPa, FiO2 0.5; fio2 0.5 @0; respiratory-support invasive @0"),
    case("respiration", "estimated from a flow", (gas(90), observation("respiratory-support", "mask"), observation("oxygen-flow", 6)),
         "2 2-2 derived | PaO2/FiO2 < 200 mm[Hg]: 3 (Sepsis-3 Table 1), without respiratory support 2 | +fio2_estimated +estimate_sensitive | pao2 90 @0: PaO2/FiO2 180 mm[Hg], FiO2 0.5 (estimated); oxygen-flow 6 @0; respiratory-support mask @0"),
    case("respiration", "estimate across a cut-point", (gas(115), observation("respiratory-support", "mask"), observation("oxygen-flow", 6)),
         "2 1-2 derived | PaO2/FiO2 < 300 mm[Hg]: 2 (Sepsis-3 Table 1) | +fio2_estimated +estimate_sensitive | pao2 115 @0: PaO2/FiO2 230 mm[Hg], FiO2 0.5 (estimated); oxygen-flow 6 @0; respiratory-support mask @0"),
    case("respiration", "room air", (gas(60), observation("respiratory-support", "room-air")),
         "2 2-2 measured | PaO2/FiO2 < 300 mm[Hg]: 2 (Sepsis-3 Table 1) | pao2 60 @0: PaO2/FiO2 285.714 mm[Hg], FiO2 0.21; respiratory-support room-air @0"),
    case("respiration", "nobody charted support", (gas(45), AIR),
         "2 2-4 measured | PaO2/FiO2 < 100 mm[Hg]: 4 (Sepsis-3 Table 1), without respiratory support 2 | +respiratory_support_unknown +possibly_venous | pao2 45 @0: PaO2/FiO2 90 mm[Hg], FiO2 0.5; fio2 0.5 @0"),
    case("respiration", "nobody charted support, mild", (gas(110), AIR),
         "2 2-2 measured | PaO2/FiO2 < 300 mm[Hg]: 2 (Sepsis-3 Table 1) | pao2 110 @0: PaO2/FiO2 220 mm[Hg], FiO2 0.5; fio2 0.5 @0"),
    case("respiration", "oxygen that may be a saturation", (gas(80), observation("fio2", "0.9")),
         "2 2-4 measured | PaO2/FiO2 < 100 mm[Hg]: 4 (Sepsis-3 Table 1), without respiratory support 2 | +respiratory_support_unknown +fio2_may_be_spo2 | pao2 80 @0: PaO2/FiO2 88.8889 mm[Hg], FiO2 0.9; fio2 0.9 @0"),
    case("respiration", "high flow", (gas(80), AIR, observation("respiratory-support", "hfnc")),
         "2 2-2 measured | PaO2/FiO2 < 200 mm[Hg]: 3 (Sepsis-3 Table 1), without respiratory support 2 | +hfnc_not_counted_as_support | pao2 80 @0: PaO2/FiO2 160 mm[Hg], FiO2 0.5; fio2 0.5 @0; respiratory-support hfnc @0"),
    case("respiration", "venous and capillary", (gas(40, specimen="venous"), gas(90, specimen="capillary"), AIR, TUBE),
         "3 0-4 measured | PaO2/FiO2 < 200 mm[Hg]: 3 (Sepsis-3 Table 1) | +specimen_not_confirmed_arterial +venous_gas_rejected | pao2 90 @0: PaO2/FiO2 180 mm[Hg], FiO2 0.5; fio2 0.5 @0; respiratory-support invasive @0"),
    case("respiration", "reported", (observation("pf-ratio", 150), TUBE),
         "3 3-3 measured | PaO2/FiO2 < 200 mm[Hg]: 3 (Sepsis-3 Table 1) | pf-ratio 150 @0: PaO2/FiO2 150 mm[Hg], as reported; respiratory-support invasive @0"),
    case("respiration", "reported of a capillary", (observation("pf-ratio", 150, specimen="capillary"), TUBE),
         "3 0-4 measured | PaO2/FiO2 < 200 mm[Hg]: 3 (Sepsis-3 Table 1) | +specimen_not_confirmed_arterial | pf-ratio 150 @0: PaO2/FiO2 150 mm[Hg], as reported; respiratory-support invasive @0"),
    case("respiration", "a bound", (gas("<100"), AIR, TUBE),
         "3 3-4 measured | PaO2/FiO2 < 200 mm[Hg]: 3 (Sepsis-3 Table 1) | +censored | pao2 <100 @0: PaO2/FiO2 <200 mm[Hg], FiO2 0.5; fio2 0.5 @0; respiratory-support invasive @0"),
    case("respiration", "saturation", (observation("spo2", 94), observation("fio2", "0.4"), TUBE),
         "2 0-4 derived | SpO2/FiO2 < 315: 2 (Rice 2007: S/F = 64 + 0.84 P/F; 148 and 400 extrapolated) | +sf_imputed | spo2 94 @0: SpO2/FiO2 235, FiO2 0.4; fio2 0.4 @0; respiratory-support invasive @0"),
    case("respiration", "no oxygen", (gas(80), TUBE),
         "None 0-4 missing | +fio2_missing"),
    case("respiration", "lung machine", (gas(75), AIR, TUBE, observation("circulatory-support", "vv-ecmo")),
         "3 3-3 measured | PaO2/FiO2 < 200 mm[Hg]: 3 (Sepsis-3 Table 1) | +ecmo | pao2 75 @0: PaO2/FiO2 150 mm[Hg], FiO2 0.5; fio2 0.5 @0; respiratory-support invasive @0"),
    case("respiration", "two of one moment", (gas(75), gas(90, specimen="capillary"), AIR, TUBE),
         "3 3-3 measured | PaO2/FiO2 < 200 mm[Hg]: 3 (Sepsis-3 Table 1) | pao2 75 @0: PaO2/FiO2 150 mm[Hg], FiO2 0.5; fio2 0.5 @0; respiratory-support invasive @0"),
    case("respiration", "a venous one beside it", (gas(75), gas(30, specimen="venous"), AIR, TUBE),
         "3 3-3 measured | PaO2/FiO2 < 200 mm[Hg]: 3 (Sepsis-3 Table 1) | +venous_gas_rejected | pao2 75 @0: PaO2/FiO2 150 mm[Hg], FiO2 0.5; fio2 0.5 @0; respiratory-support invasive @0"),
    case("respiration", "valve", (gas(60), observation("respiratory-support", "venturi"), observation("oxygen-flow", 8)),
         "2 2-2 derived | PaO2/FiO2 < 200 mm[Hg]: 3 (Sepsis-3 Table 1), without respiratory support 2 | +fio2_estimated | pao2 60 @0: PaO2/FiO2 171.429 mm[Hg], FiO2 0.35 (estimated); oxygen-flow 8 @0; respiratory-support venturi @0"),
    case("respiration", "a device charted again", (gas(60), *(observation("respiratory-support", "room-air", at=after(h)) for h in (-2, -1))),
         "2 2-2 measured | PaO2/FiO2 < 300 mm[Hg]: 2 (Sepsis-3 Table 1) | pao2 60 @0: PaO2/FiO2 285.714 mm[Hg], FiO2 0.21; respiratory-support room-air @-1"),
    case("respiration", "two gases alike", (gas(75), gas(75, at=0.5), AIR, TUBE),
         "3 3-3 measured | PaO2/FiO2 < 200 mm[Hg]: 3 (Sepsis-3 Table 1) | pao2 75 @0.5: PaO2/FiO2 150 mm[Hg], FiO2 0.5; fio2 0.5 @0; respiratory-support invasive @0"),
    case("cardiovascular", "alone", (observation("map", 65),),
         "1 1-1 measured | MAP < 70 mm[Hg]: 1 (Sepsis-3 Table 1) | map 65 @0: MAP 65 mm[Hg]"),
    case("cardiovascular", "two alike", (observation("map", 65), observation("map", 65, at=after(2))),
         "1 1-1 measured | MAP < 70 mm[Hg]: 1 (Sepsis-3 Table 1) | map 65 @2: MAP 65 mm[Hg]", hour=3),
    case("cardiovascular", "low for a moment", hourly("map", 80, 60, 82, step=0.1),
         "0 0-0 measured | MAP not < 70 mm[Hg]: 0 (Sepsis-3 Table 1) | +map_not_sustained | map 80 @0: MAP 80 mm[Hg]"),
    case("cardiovascular", "low for a moment without a point", hourly("map", 80, 75, 82, step=0.1),
         "0 0-0 measured | MAP not < 70 mm[Hg]: 0 (Sepsis-3 Table 1) | map 80 @0: MAP 80 mm[Hg]"),
    case("cardiovascular", "sustained at the higher", hourly("map", 80, 55, 66, 80, step=0.1),
         "1 1-1 measured | MAP < 70 mm[Hg]: 1 (Sepsis-3 Table 1) | map 66 @0.2: MAP 66 mm[Hg]"),
    case("cardiovascular", "arithmetic", (observation("sbp", 90), observation("dbp", 50)),
         "1 1-1 derived | MAP < 70 mm[Hg]: 1 (Sepsis-3 Table 1) | +map_from_sbp_dbp | sbp 90 @0: MAP 63.3333 mm[Hg]; dbp 50 @0"),
    case("cardiovascular", "a charted rate", (*hourly("norepinephrine-rate", 0.05, 0.2, 0, step=2), MAP_80),
         "4 4-4 measured | norepinephrine > 0.1 ug/kg/min: 4 (Sepsis-3 Table 1) | norepinephrine-rate 0.2 @2: sustained for 60 min", hour=5),
    case("cardiovascular", "the lowest rate that held the points", hourly("norepinephrine-rate", 0.15, 0.12, 0.3, 0.02, step=0.5),
         "4 4-4 measured | norepinephrine > 0.1 ug/kg/min: 4 (Sepsis-3 Table 1) | norepinephrine-rate 0.12 @0.5: sustained for 60 min", hour=3),
    case("cardiovascular", "worked out", (given("norepinephrine", "0.5", "mg/h", until=after(2)), KG_80),
         "4 4-4 measured | norepinephrine > 0.1 ug/kg/min: 4 (Sepsis-3 Table 1) | norepinephrine-rate 0.104167 @0: sustained for 60 min; given as 0.5 mg/h; weight 80 @0", hour=3),
    case("cardiovascular", "from a syringe", (given("norepinephrine", "8", "mL/h", until=after(2), concentration="0.08"), observation("weight-stated", 70)),
         "4 4-4 measured | norepinephrine > 0.1 ug/kg/min: 4 (Sepsis-3 Table 1) | +weight_stated | norepinephrine-rate 0.152381 @0: sustained for 60 min; given as 8 mL/h; weight-stated 70 @0", hour=3),
    case("cardiovascular", "weight unknown", (given("dopamine", "50", "mg/h", until=after(2)),),
         "2 2-4 measured | dopamine at an unknown dose: 2 to 4 (Sepsis-3 Table 1) | +weight_missing | dopamine-rate @0: sustained for 60 min", hour=3),
    case("cardiovascular", "strength unknown", (given("epinephrine", "8", "mL/h", until=after(2)), KG_80),
         "3 3-4 measured | epinephrine at an unknown dose: 3 to 4 (Sepsis-3 Table 1) | +concentration_missing | epinephrine-rate @0: sustained for 60 min", hour=3),
    case("cardiovascular", "nobody said how much", (given("norepinephrine", until=after(2)),),
         "0 0-4 measured | norepinephrine at an unknown dose: 0 to 4 (Sepsis-3 Table 1) | +dose_unknown | norepinephrine-rate @0: sustained for 60 min", hour=3),
    case("cardiovascular", "too short", (given("norepinephrine", "0.2", until=after(0.9)), MAP_80),
         "0 0-0 measured | MAP not < 70 mm[Hg]: 0 (Sepsis-3 Table 1) | +infusion_under_60_min | map 80 @0: MAP 80 mm[Hg]", hour=3),
    case("cardiovascular", "not in the table", (given("vasopressin", "0.03", "U/min", until=after(2)), given("milrinone", "0.5", until=after(2)), MAP_80),
         "0 0-0 measured | MAP not < 70 mm[Hg]: 0 (Sepsis-3 Table 1) | +unscored_vasoactive +vasopressin_running +milrinone_running | map 80 @0: MAP 80 mm[Hg]", hour=3),
    case("cardiovascular", "machine", (MAP_80, observation("circulatory-support", "iabp")),
         "0 0-0 measured | MAP not < 70 mm[Hg]: 0 (Sepsis-3 Table 1) | +mechanical_circulatory_support | map 80 @0: MAP 80 mm[Hg]"),
    case("cardiovascular", "machine that is off", (MAP_80, observation("circulatory-support", "none")),
         "0 0-0 measured | MAP not < 70 mm[Hg]: 0 (Sepsis-3 Table 1) | map 80 @0: MAP 80 mm[Hg]"),
    case("cns", "total", (observation("gcs-total", 12),),
         "2 2-2 measured | GCS < 13: 2 (Sepsis-3 Table 1) | gcs-total 12 @0: GCS 12"),
    case("cns", "parts", (observation("gcs-eye", 3), observation("gcs-verbal", 4), observation("gcs-motor", 5)),
         "2 2-2 derived | GCS < 13: 2 (Sepsis-3 Table 1) | +gcs_from_components | gcs-eye 3 @0: GCS 12; gcs-verbal 4 @0; gcs-motor 5 @0"),
    case("cns", "two alike", (observation("gcs-total", 12), observation("gcs-total", 12, at=after(0.5))),
         "2 2-2 measured | GCS < 13: 2 (Sepsis-3 Table 1) | gcs-total 12 @0.5: GCS 12"),
    case("cns", "a part is missing", (observation("gcs-eye", 3), observation("gcs-motor", 5)),
         "None 0-4 missing | +gcs_component_missing"),
    case("cns", "tube, sum", (TUBE, observation("rass", 0), observation("gcs-eye", 4), observation("gcs-motor", 6)),
         "0 0-2 derived | GCS not < 15: 0 (Sepsis-3 Table 1) | +gcs_from_components +gcs_verbal_imputed | gcs-eye 4 @0: GCS 15; gcs-motor 6 @0"),
    case("cns", "parts without an answer", (observation("gcs-eye", 1), observation("gcs-verbal", 1), observation("gcs-motor", 4)),
         "3 3-3 derived | GCS < 10: 3 (Sepsis-3 Table 1) | +gcs_from_components | gcs-eye 1 @0: GCS 6; gcs-verbal 1 @0; gcs-motor 4 @0"),
    case("cns", "tube, sum with an answer", (TUBE, observation("rass", 0), observation("gcs-eye", 3), observation("gcs-verbal", 3), observation("gcs-motor", 5)),
         "2 2-2 derived | GCS < 13: 2 (Sepsis-3 Table 1) | +gcs_from_components | gcs-eye 3 @0: GCS 11; gcs-verbal 3 @0; gcs-motor 5 @0"),
    case("cns", "tube, total", (TUBE, observation("rass", 0), observation("gcs-total", 7)),
         "2 2-3 measured | GCS < 13: 2 (Sepsis-3 Table 1) | +gcs_verbal_imputed | gcs-total 7 @0: GCS 11"),
    case("cns", "tube, nobody charted sedation", (TUBE, observation("gcs-total", 3)),
         "3 0-4 measured | GCS < 10: 3 (Sepsis-3 Table 1) | +gcs_verbal_imputed +sedation_unknown | gcs-total 3 @0: GCS 7"),
    case("cns", "before sedation", (observation("gcs-total", 13, at=after(-40)), observation("rass", -4)),
         "1 1-1 carried | GCS < 15: 1 (Sepsis-3 Table 1) | +gcs_before_sedation +sedated | gcs-total 13 @-40: GCS 13, charted 40.0 h before sedation"),
    case("cns", "sedated alone", (observation("rass", -4),),
         "None 0-4 missing | +sedated"),
    case("renal", "creatinine", (observation("creatinine", "2.5"),),
         "2 2-2 measured | creatinine >= 2 mg/dL: 2 (Sepsis-3 Table 1) | creatinine 2.5 @0"),
    case("renal", "creatinine in another unit", (observation("creatinine", 175, "umol/L"),),
         "2 1-2 measured | creatinine >= 171 umol/L: 2 (Sepsis-3 Table 1) | +unit_discordant | creatinine 1.97964 @0"),
    case("renal", "a bound", (observation("creatinine", "<2"),),
         "0 0-1 measured | creatinine not >= 1.2 mg/dL: 0 (Sepsis-3 Table 1) | +censored | creatinine <2 @0"),
    case("renal", "urine settles it", hourly("urine-output", 300, 220),
         "0 0-4 measured | urine output not < 500 mL/(24.h): 0 (Sepsis-3 Table 1) | +creatinine_missing | urine-output 300 @0: 520 mL within 24 h; urine-output 220 @1", hour=2),
    case("renal", "total", (observation("urine-output-24h", 300),),
         "3 3-4 measured | urine output < 500 mL/(24.h): 3 (Sepsis-3 Table 1) | +creatinine_missing | urine-output-24h 300 @0: 24-hour total"),
    case("renal", "half a day", (*hourly("urine-output", 0, 75, 75, step=6), observation("creatinine", 1)),
         "3 0-3 derived | urine output < 500 mL/(24.h): 3 (Sepsis-3 Table 1) | +urine_provisional | urine-output 0 @0: 150 mL in 13 h: 276.923 mL per 24 h; urine-output 75 @6; urine-output 75 @12; creatinine 1 @0", hour=12),
    case("renal", "a day, sparsely", hourly("urine-output", 0, 100, 100, step=12),
         "3 0-4 derived | urine output < 500 mL/(24.h): 3 (Sepsis-3 Table 1) | +urine_sparsely_charted +creatinine_missing | urine-output 100 @12: 200 mL in 24 h: 200 mL per 24 h; urine-output 100 @24", hour=24),
    case("renal", "rinsed", (*hourly("urine-output", 0, 300, 180, step=12), *hourly("bladder-irrigation", 100, start=13)),
         "3 0-4 derived | urine output < 500 mL/(24.h): 3 (Sepsis-3 Table 1) | +bladder_irrigation +urine_sparsely_charted +creatinine_missing | urine-output 300 @12: 380 mL in 24 h: 380 mL per 24 h; bladder-irrigation 100 @13; urine-output 180 @24", hour=24),
    case("renal", "replaced", (observation("creatinine", "1.3"), observation("renal-replacement", "crrt")),
         "1 1-1 measured | creatinine >= 1.2 mg/dL: 1 (Sepsis-3 Table 1) | +on_rrt | creatinine 1.3 @0"),
    case("renal", "replaced", (observation("creatinine", "1.3"), observation("renal-replacement", "crrt")),
         "4 4-4 measured | renal replacement: 4 (the site's convention; not in Table 1) | +on_rrt | renal-replacement crrt @0", options=ScoringOptions(rrt_scores_4=True)),
    case("renal", "converted", (observation("creatinine", 175, "umol/L"),),
         "1 1-1 measured | creatinine >= 1.2 mg/dL: 1 (Sepsis-3 Table 1) | creatinine 1.97964 @0", options=ScoringOptions(unit_policy="converted")),
    case("respiration", "lung converted", (gas("13.3", "kPa"), AIR, TUBE),
         "3 3-3 measured | PaO2/FiO2 < 200 mm[Hg]: 3 (Sepsis-3 Table 1) | pao2 99.758246 @0: PaO2/FiO2 199.516492 mm[Hg], FiO2 0.5; fio2 0.5 @0; respiratory-support invasive @0", options=ScoringOptions(unit_policy="converted")),
    case("respiration", "high flow chosen", (gas(80), AIR, observation("respiratory-support", "hfnc")),
         "3 3-3 measured | PaO2/FiO2 < 200 mm[Hg]: 3 (Sepsis-3 Table 1) | pao2 80 @0: PaO2/FiO2 160 mm[Hg], FiO2 0.5; fio2 0.5 @0; respiratory-support hfnc @0", options=ScoringOptions(hfnc_is_support=True)),
    case("cardiovascular", "salt", (given("norepinephrine", "0.15", until=after(2)),),
         "3 3-3 measured | norepinephrine > 0 ug/kg/min: 3 (Sepsis-3 Table 1) | +norepinephrine_salt_converted | norepinephrine-rate 0.15 @0: sustained for 60 min", hour=3, options=ScoringOptions(norepinephrine_basis="bitartrate")),
    case("cardiovascular", "salt of another drug", (given("epinephrine", "0.15", until=after(2)),),
         "4 4-4 measured | epinephrine > 0.1 ug/kg/min: 4 (Sepsis-3 Table 1) | epinephrine-rate 0.15 @0: sustained for 60 min", hour=3, options=ScoringOptions(norepinephrine_basis="bitartrate")),
    case("cardiovascular", "salt by weight stated", (given("norepinephrine", "1", "mg/h", until=after(2)), observation("weight-stated", 80)),
         "4 4-4 measured | norepinephrine > 0.1 ug/kg/min: 4 (Sepsis-3 Table 1) | +weight_stated +norepinephrine_salt_converted | norepinephrine-rate 0.208333 @0: sustained for 60 min; given as 1 mg/h; weight-stated 80 @0", hour=3, options=ScoringOptions(norepinephrine_basis="bitartrate")),
    case("cardiovascular", "salt unknown", (given("norepinephrine", "0.15", until=after(2)),),
         "4 3-4 measured | norepinephrine > 0.1 ug/kg/min: 4 (Sepsis-3 Table 1) | +norepinephrine_salt_unknown | norepinephrine-rate 0.15 @0: sustained for 60 min", hour=3, options=ScoringOptions(norepinephrine_basis="unknown")),
    case("cardiovascular", "salt unknown, no matter", (given("norepinephrine", "0.05", until=after(2)),),
         "3 3-3 measured | norepinephrine > 0 ug/kg/min: 3 (Sepsis-3 Table 1) | norepinephrine-rate 0.05 @0: sustained for 60 min", hour=3, options=ScoringOptions(norepinephrine_basis="unknown")),
    case("cardiovascular", "salt and weight unknown", (given("norepinephrine", "1", "mg/h", until=after(2)),),
         "3 3-4 measured | norepinephrine at an unknown dose: 3 to 4 (Sepsis-3 Table 1) | +weight_missing | norepinephrine-rate @0: sustained for 60 min", hour=3, options=ScoringOptions(norepinephrine_basis="unknown")),
]
ON_SOFA_2 = [
    case("respiration", "saturation", (observation("spo2", 94), observation("fio2", "0.4"), TUBE),
         "2 2-2 derived | SpO2/FiO2 <= 250: 2 (SOFA-2, JAMA 2025) | +sf_imputed | spo2 94 @0: SpO2/FiO2 235, FiO2 0.4; fio2 0.4 @0; respiratory-support invasive @0"),
    case("respiration", "gas", (gas(75), AIR, TUBE),
         "3 3-3 measured | PaO2/FiO2 <= 150 mm[Hg]: 3 (SOFA-2, JAMA 2025) | pao2 75 @0: PaO2/FiO2 150 mm[Hg], FiO2 0.5; fio2 0.5 @0; respiratory-support invasive @0"),
    case("respiration", "machine", (gas(75), AIR, TUBE, observation("circulatory-support", "vv-ecmo")),
         "4 4-4 measured | ECMO: 4 (SOFA-2, JAMA 2025) | circulatory-support vv-ecmo @0"),
    case("coagulation", "platelets", (observation("platelets", 80),),
         "3 3-3 measured | platelets <= 80 10*3/uL: 3 (SOFA-2, JAMA 2025) | platelets 80 @0"),
    case("liver", "bilirubin", (observation("bilirubin", 52, "umol/L"),),
         "2 2-2 measured | bilirubin > 51.3 umol/L: 2 (SOFA-2, JAMA 2025) | bilirubin 3.04094 @0"),
    case("cns", "coma", (observation("gcs-total", 9),),
         "2 2-2 measured | GCS <= 12: 2 (SOFA-2, JAMA 2025) | gcs-total 9 @0: GCS 9"),
    case("cardiovascular", "sum", (given("norepinephrine", "0.15", until=after(2)), given("epinephrine", "0.1", at=after(0.5), until=after(3)), MAP_80),
         "3 3-3 measured | vasoactive drugs, norepinephrine and epinephrine summed: 3 (SOFA-2, JAMA 2025) | norepinephrine-rate 0.15 @0: sustained for 60 min", hour=3),
    case("cardiovascular", "companion", (given("norepinephrine", "0.5", "mg/h", until=after(2)), given("dobutamine", "5", until=after(2)), KG_80),
         "3 3-3 measured | vasoactive drugs, norepinephrine and epinephrine summed: 3 (SOFA-2, JAMA 2025) | norepinephrine-rate @0: sustained for 60 min; weight 80 @0", hour=3),
    case("cardiovascular", "unknown", (given("norepinephrine", "0.5", "mg/h", until=after(2)),),
         "2 2-4 measured | vasoactive drugs, norepinephrine and epinephrine summed: 2 (SOFA-2, JAMA 2025) | norepinephrine-rate @0: sustained for 60 min", hour=3),
    case("cardiovascular", "unknown and companion", (given("epinephrine", "0.5", "mg/h", until=after(2)), given("milrinone", "0.5", until=after(2))),
         "3 3-4 measured | vasoactive drugs, norepinephrine and epinephrine summed: 3 (SOFA-2, JAMA 2025) | epinephrine-rate @0: sustained for 60 min", hour=3),
    case("cardiovascular", "other alone", (given("vasopressin", "0.03", "U/min", until=after(2)),),
         "2 2-2 measured | vasoactive drugs, norepinephrine and epinephrine summed: 2 (SOFA-2, JAMA 2025) | vasopressin-rate 0.03 @0: sustained for 60 min", hour=3),
    case("cardiovascular", "dopamine", (given("dopamine", "25", until=after(2)),),
         "3 3-3 measured | vasoactive drugs, norepinephrine and epinephrine summed: 3 (SOFA-2, JAMA 2025) | dopamine-rate 25 @0: sustained for 60 min", hour=3),
    case("cardiovascular", "dopamine unknown", (given("dopamine", "50", "mg/h", until=after(2)),),
         "2 2-4 measured | vasoactive drugs, norepinephrine and epinephrine summed: 2 (SOFA-2, JAMA 2025) | dopamine-rate @0: sustained for 60 min", hour=3),
    case("cardiovascular", "not sustained", hourly("map", 80, 60, 82, step=0.1),
         "0 0-0 measured | MAP not < 70 mm[Hg]: 0 (Sepsis-3 Table 1) | +map_not_sustained | map 80 @0: MAP 80 mm[Hg]"),
    case("cardiovascular", "pump", (MAP_80, observation("circulatory-support", "iabp")),
         "4 4-4 measured | mechanical circulatory support: 4 (SOFA-2, JAMA 2025) | +mechanical_circulatory_support | circulatory-support iabp @0"),
    case("renal", "replaced", (observation("creatinine", "1.3"), observation("renal-replacement", "crrt")),
         "4 4-4 measured | renal replacement: 4 (SOFA-2, JAMA 2025) | renal-replacement crrt @0"),
    case("renal", "six hours", (*hourly("urine-output", *[120] * 4, *[30] * 6), KG_80),
         "1 1-1 measured | urine 0.375 mL/kg/h over 6 h: 1 (SOFA-2, JAMA 2025) | +weight_charted_later | urine-output 30 @9: 0.375 mL/kg/h over 6 h; urine-output 30 @8; urine-output 30 @7; urine-output 30 @6; urine-output 30 @5; urine-output 30 @4; weight 80 @0", hour=9),
    case("renal", "the latest of equals", (*hourly("urine-output", *[10] * 25, 1000, *[0] * 12), observation("weight-stated", 80)),
         "3 3-3 measured | urine 0 mL/kg/h over 12 h: 3 (SOFA-2, JAMA 2025) | +weight_stated | urine-output 0 @37: 0 mL/kg/h over 12 h; urine-output 0 @36; urine-output 0 @35; urine-output 0 @34; urine-output 0 @33; urine-output 0 @32; urine-output 0 @31; urine-output 0 @30; urine-output 0 @29; urine-output 0 @28; urine-output 0 @27; urine-output 0 @26; weight-stated 80 @0", hour=38),
    case("renal", "an old weight", (*hourly("urine-output", 0, 200, 200, step=12), observation("weight", 80, at=after(-200))),
         "3 3-3 measured | urine 0.208333 mL/kg/h over 24 h: 3 (SOFA-2, JAMA 2025) | +weight_old | urine-output 200 @24: 0.208333 mL/kg/h over 24 h; urine-output 200 @12; weight 80 @-200", hour=24),
]
# fmt: on


@pytest.mark.parametrize(("organ", "told", "words", "hour", "options"), ON_SOFA)
def test_what_is_shown_of_sofa(
    organ: str, told: tuple[Told, ...], words: str, hour: float, options: ScoringOptions
) -> None:
    assert ask(score, organ, told, hour, options) == words


@pytest.mark.parametrize(("organ", "told", "words", "hour", "options"), ON_SOFA_2)
def test_what_is_shown_of_sofa_2(
    organ: str, told: tuple[Told, ...], words: str, hour: float, options: ScoringOptions
) -> None:
    assert ask(score_2, organ, told, hour, options) == words
