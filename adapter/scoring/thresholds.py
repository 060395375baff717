"""The published numbers of SOFA: cut-points in both unit columns, doses, times; the only place where they stand.

Sources. `TABLE`: Vincent 1996 as printed in Sepsis-3 (Singer 2016, Table 1). Where the printed classes leave gaps
(bilirubin 1.9–2.0, creatinine 5.0) the next class begins at its own printed bound, as mimic-code, ricu and the German
core data set read it (clinical specification 2.2). The two unit columns disagree in narrow zones (2.3): both stand here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from adapter.domain.assessment import ORGANS
from adapter.scoring.ladder import Ladder, ladder

TABLE = "Sepsis-3 Table 1"
WORST = 4
"""Points of a failed organ: the high end of an organ nobody measured."""
WORST_TOTAL = WORST * len(ORGANS)
"""Points of six failed organs."""
WINDOW = timedelta(hours=24)
WINDOW_HOURS = 24


@dataclass(frozen=True, slots=True)
class Columns:
    """One row of the table: conventional units, and the printed SI column with factors from SI units into it."""

    conventional: Ladder
    si: Ladder
    si_units: Mapping[str, Fraction]


PF = Columns(
    ladder("PaO2/FiO2", "mm[Hg]", TABLE, ("<", "100", 4), ("<", "200", 3), ("<", "300", 2), ("<", "400", 1)),
    ladder("PaO2/FiO2", "kPa", TABLE, ("<", "13.3", 4), ("<", "26.7", 3), ("<", "40", 2), ("<", "53.3", 1)),
    {"kPa": Fraction(1)},
)
UNSUPPORTED_CEILING = 2
"""3 and 4 points need respiratory support (Table 1): without it P/F < 200 scores 2."""

PLATELETS = ladder("platelets", "10*3/uL", TABLE, ("<", "20", 4), ("<", "50", 3), ("<", "100", 2), ("<", "150", 1))

BILIRUBIN = Columns(
    ladder("bilirubin", "mg/dL", TABLE, (">=", "12", 4), (">=", "6", 3), (">=", "2", 2), (">=", "1.2", 1)),
    ladder("bilirubin", "umol/L", TABLE, (">", "204", 4), (">=", "102", 3), (">=", "33", 2), (">=", "20", 1)),
    {"umol/L": Fraction(1), "mmol/L": Fraction(1000)},
)
CREATININE = Columns(
    ladder("creatinine", "mg/dL", TABLE, (">=", "5", 4), (">=", "3.5", 3), (">=", "2", 2), (">=", "1.2", 1)),
    ladder("creatinine", "umol/L", TABLE, (">", "440", 4), (">=", "300", 3), (">=", "171", 2), (">=", "110", 1)),
    {"umol/L": Fraction(1), "mmol/L": Fraction(1000)},
)
URINE = ladder("urine output", "mL/(24.h)", TABLE, ("<", "200", 4), ("<", "500", 3))
URINE_SETTLED = Fraction(500)
"""So much urine within 24 hours already settles "not below 500" (clinical D12)."""

GCS = ladder("GCS", "{score}", TABLE, ("<", "6", 4), ("<", "10", 3), ("<", "13", 2), ("<", "15", 1))
GCS_BEST = 15
GCS_RANGES = {"gcs-total": (3, 15), "gcs-eye": (1, 4), "gcs-verbal": (1, 5), "gcs-motor": (1, 6)}
VERBAL_BEST, VERBAL_NONE = 5, 1
UNVERBAL_BEST = 11
"""E4 + V1 + M6: a charted total above it has counted a verbal answer."""

MAP = ladder("MAP", "mm[Hg]", TABLE, ("<", "70", 1))

DOSES = {
    "norepinephrine-rate": ladder("norepinephrine", "ug/kg/min", TABLE, (">", "0.1", 4), (">", "0", 3)),
    "epinephrine-rate": ladder("epinephrine", "ug/kg/min", TABLE, (">", "0.1", 4), (">", "0", 3)),
    "dopamine-rate": ladder("dopamine", "ug/kg/min", TABLE, (">", "15", 4), (">", "5", 3), (">", "0", 2)),
    "dobutamine-rate": ladder("dobutamine", "ug/kg/min", TABLE, (">", "0", 2)),
}
"""Vincent 1996 prints dopamine "≤ 5" for 2 points (Table 1: "< 5"); a charted 0 is "off", never "≤ 0.1"."""
UNSCORED_VASOACTIVES = (
    *("vasopressin-rate", "terlipressin-rate", "phenylephrine-rate", "angiotensin-ii-rate", "metaraminol-rate"),
    *("milrinone-rate", "levosimendan-rate", "isoprenaline-rate"),
)
"""Not in SOFA-1: no points, a question for a person (clinical 2.6)."""
EQUIVALENTS = {
    **dict.fromkeys(("norepinephrine-rate", "epinephrine-rate"), Fraction(1)),
    "dopamine-rate": Fraction(1, 100),
    "phenylephrine-rate": Fraction(1, 10),
    "metaraminol-rate": Fraction(1, 8),
    "vasopressin-rate": Fraction(5, 2),
    "angiotensin-ii-rate": Fraction(10),
}
"""Norepinephrine equivalents of 1 ug/kg/min (vasopressin: of 1 [IU]/min), as mimic-code has them after Goradia 2020; a
side figure without points (clinical 2.6)."""
WEIGHT_AGE = timedelta(days=7)
"""How old a measured weight may be without being flagged (clinical 2.6)."""
INFUSION_COUNTS = timedelta(minutes=60)
"""Doses are given "for at least 1 hour" (Table 1, footnote)."""
INFUSION_GAP = timedelta(minutes=5)
"""Segments this near are one infusion (ricu vaso60)."""
NOREPINEPHRINE = "norepinephrine-rate"
BASE_SHARE = {
    "base": (Fraction(1), Fraction(1)),
    "bitartrate": (Fraction(1, 2), Fraction(1, 2)),
    "hydrochloride": (Fraction(100, 122), Fraction(100, 122)),
    "unknown": (Fraction(1, 2), Fraction(1)),
}
"""Norepinephrine base in the charted dose, least and most: 1 mg base ≈ 2 mg bitartrate monohydrate ≈ 1.22 mg
hydrochloride (SOFA-2 footnote k; clinical 2.6)."""

DIASTOLIC_WEIGHT = 2
"""MAP = (SBP + 2·DBP)/3, where no mean was measured."""
MAP_NEIGHBOURS = timedelta(minutes=15)
"""Readings this near judge each other: a low one counts when a neighbour is low too; the arterial line wins over the
cuff (clinical 2.6, decisions B5)."""
MAP_REACH = 3 * MAP_NEIGHBOURS
"""A neighbour may be a cuff reading, judged by arithmetic's neighbour, judged by the arterial line: three steps back."""

NO_THERAPY = "none"
LUNG_BYPASS = frozenset({"va-ecmo", "vv-ecmo"})
HEART_BYPASS = frozenset({"va-ecmo", "iabp", "lvad", "microaxial-pump"})
"""Mechanical support, of which SOFA-1 is silent: a question for a person (clinical 2.6)."""
SUPPORT = frozenset({"invasive", "niv", "cpap"})
"""Respiratory support for 3 and 4 points (clinical 2.5); high-flow oxygen is the site's choice."""
HIGH_FLOW, INVASIVE, ROOM_AIR = "hfnc", "invasive", "room-air"
ROOM_AIR_FIO2 = Fraction("0.21")
FULL_OXYGEN = Fraction(1)
PROBABLY_VENOUS = Fraction("52.5")
"""PaO2 in mm[Hg], about 7 kPa: often a venous sample (UMCG); flagged, not dropped."""

FIO2_PERHAPS_SPO2 = Fraction("0.85")
"""So much oxygen with no device charted is probably a saturation in the wrong field (UMCG); flagged, not dropped."""

SPO2_USABLE_BELOW = Fraction(98)
"""At 98 % and more the saturation says nothing of the gradient (SOFA-2 footnote f; Rice 2007 used ≤ 97)."""
SF = ladder(
    "SpO2/FiO2",
    "1",
    "Rice 2007: S/F = 64 + 0.84 P/F; 148 and 400 extrapolated",
    ("<", "148", 4),
    ("<", "235", 3),
    ("<", "315", 2),
    ("<", "400", 1),
)


@dataclass(frozen=True, slots=True)
class Line:
    """FiO2 = start + per_litre × flow (L/min), as one source prints it."""

    start: Fraction
    per_litre: Fraction = Fraction(0)

    def at(self, flow: Fraction) -> Fraction:
        return self.start + self.per_litre * flow


@dataclass(frozen=True, slots=True)
class FlowTable:
    """FiO2 by flow: from each flow of `bands` on its lines hold, the first as the estimate, all as its range."""

    highest: Fraction
    bands: tuple[tuple[Fraction, tuple[Line, ...]], ...]

    def lines(self, flow: Fraction) -> tuple[Line, ...]:
        """None outside the table."""
        if flow > self.highest:
            return ()
        return next((lines for lowest, lines in reversed(self.bands) if flow >= lowest), ())


_CANNULA = (Line(Fraction("0.20"), Fraction("0.04")), Line(Fraction("0.20"), Fraction("0.025")))
_MASK = Line(Fraction("0.05"), Fraction("0.05"))
_RESERVOIR = (Line(Fraction(0), Fraction("0.06")), Line(Fraction("0.70")))
FIO2_BY_FLOW = {
    "nasal-cannula": FlowTable(Fraction(6), ((Fraction(1), _CANNULA),)),
    "mask": FlowTable(
        Fraction(10),
        (
            (Fraction(5), (Line(Fraction("0.40")), _MASK)),
            (Fraction(6), (Line(Fraction("0.50")), _MASK)),
            (Fraction(7), (Line(Fraction("0.60")), Line(Fraction("0.50")), _MASK)),
        ),
    ),
    "non-rebreather": FlowTable(Fraction(15), ((Fraction(10), _RESERVOIR),)),
}
"""The published tables disagree, so each is a line (clinical 2.5): cannula 0.20 + 0.04 per litre (UMCG, clifpy) or .25 at
2 L and .30 at 4 L (MSD manual); mask 5 → .40, 6 → .50, 7–8 → .60 or .35 at 6 L rising to .55 at 10 L (ccmdb);
reservoir 0.06 per litre (UMCG) or .70 throughout (ccmdb)."""
FIO2_BY_VALVE = {
    Fraction(2): Fraction("0.24"),
    Fraction(4): Fraction("0.28"),
    Fraction(6): Fraction("0.31"),
    Fraction(8): Fraction("0.35"),
    Fraction(10): Fraction("0.40"),
    Fraction(15): Fraction("0.60"),
}
"""Venturi: printed on the valve beside the flow in L/min."""

SEDATIVES = (
    *("propofol-rate", "midazolam-rate", "dexmedetomidine-rate", "ketamine-rate", "lorazepam-rate"),
    *("pentobarbital-rate", "neuromuscular-blocker-rate"),
)
"""Running continuously they sedate; an opioid alone does not (SOFA-2 list as in clifpy; decisions B7)."""
PARALYSIS = "neuromuscular-blocker-rate"
"""A single dose of it is enough."""
SEDATION_LASTS = timedelta(hours=1)
"""So long after the end a sedative still counts (clinical 2.7)."""
SEDATION_DOUBTFUL = timedelta(hours=24)
"""So long a sedative whose end nobody told may still be running."""
SEDATED_RASS = -2
"""RASS −2 and deeper is sedation (ricu); −1 and lighter is not (decisions B7)."""
RASS_AFTER = timedelta(hours=1)
"""A RASS charted so soon after a GCS belongs to the same look at the patient, where none came before it."""
PRE_SEDATION_AGE = timedelta(days=7)
"""How old the last GCS before sedation may be (clinical 2.7)."""
GCS_PARTS_TOGETHER = timedelta(hours=6)
"""Eye, verbal and motor answers this near add up to one GCS (mimic-code, ricu)."""

URINE_LOOKBACK = timedelta(hours=30)
URINE_DAY = timedelta(hours=24)
URINE_SCORED = (timedelta(hours=22), timedelta(hours=30))
"""Observed so long, urine is normalised to 24 hours and scores (mimic-code)."""
URINE_PROVISIONAL = timedelta(hours=12)
"""Observed at least so long it is shown, and decides nothing (ricu scores from 12 hours)."""
URINE_FIRST_ENTRY = timedelta(hours=1)
"""What the first entry of a record covers when nothing stands before it: hourly charting is the rule on an ICU."""
URINE_SPARSE = timedelta(hours=8)
"""A longer silence between two entries (a shift) was not observed: an undocumented void is not anuria."""

PREDNISONE_FACTORS = {
    "prednisone": Fraction(1),
    "prednisolone": Fraction(1),
    "methylprednisolone": Fraction(5, 4),
    "hydrocortisone": Fraction(5, 20),
    "cortisone": Fraction(5, 25),
    "dexamethasone": Fraction(5) / Fraction("0.75"),
    "betamethasone": Fraction(5) / Fraction("0.75"),
    "triamcinolone": Fraction(5, 4),
    "deflazacort": Fraction(5, 6),
}
"""Milligrams of prednisone that one milligram is worth; fludrocortisone is not counted (clinical 3.3)."""
CULTURE_AFTER_ANTIBIOTIC = timedelta(hours=24)
ANTIBIOTIC_AFTER_CULTURE = timedelta(hours=72)
"""So far apart a culture and an antibiotic still mean one suspected infection (Seymour, JAMA 2016; clinical 1.7)."""
STEROID_ROUTES = frozenset({"iv", "oral", "im", ""})
"""Systemic; where nobody said, it is shown."""
