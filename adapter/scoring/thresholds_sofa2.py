"""The published numbers of SOFA-2, the only place where they stand: a second score, shown beside SOFA and never in its place.

Source: Ranzani et al., JAMA 2025, doi 10.1001/jama.2025.20516, as two public transcriptions print it (clinical 2.11). Its
classes are closed where those of SOFA are open: P/F of 300 exactly is one point here and one there, 150 platelets are one
point here and none there.
"""

from datetime import timedelta
from fractions import Fraction

from adapter.scoring.ladder import ladder
from adapter.scoring.thresholds import SUPPORT, Columns

TABLE_2 = "SOFA-2, JAMA 2025"

PF_2 = Columns(
    ladder("PaO2/FiO2", "mm[Hg]", TABLE_2, ("<=", "75", 4), ("<=", "150", 3), ("<=", "225", 2), ("<=", "300", 1)),
    ladder("PaO2/FiO2", "kPa", TABLE_2, ("<=", "10", 4), ("<=", "20", 3), ("<=", "30", 2), ("<=", "40", 1)),
    {"kPa": Fraction(1)},
)
SF_2 = ladder("SpO2/FiO2", "1", TABLE_2, ("<=", "120", 4), ("<=", "200", 3), ("<=", "250", 2), ("<=", "300", 1))
SUPPORT_2 = SUPPORT | {"hfnc"}
"""Advanced ventilatory support (footnote g)."""

PLATELETS_2 = ladder(
    "platelets", "10*3/uL", TABLE_2, ("<=", "50", 4), ("<=", "80", 3), ("<=", "100", 2), ("<=", "150", 1)
)
BILIRUBIN_2 = Columns(
    ladder("bilirubin", "mg/dL", TABLE_2, (">", "12", 4), (">", "6", 3), (">", "3", 2), (">", "1.2", 1)),
    ladder("bilirubin", "umol/L", TABLE_2, (">", "205", 4), (">", "102.6", 3), (">", "51.3", 2), (">", "20.6", 1)),
    {"umol/L": Fraction(1), "mmol/L": Fraction(1000)},
)
CREATININE_2 = Columns(
    ladder("creatinine", "mg/dL", TABLE_2, (">", "3.5", 3), (">", "2", 2), (">", "1.2", 1)),
    ladder("creatinine", "umol/L", TABLE_2, (">", "300", 3), (">", "170", 2), (">", "110", 1)),
    {"umol/L": Fraction(1), "mmol/L": Fraction(1000)},
)
GCS_2 = ladder("GCS", "{score}", TABLE_2, ("<=", "5", 4), ("<=", "8", 3), ("<=", "12", 2), ("<=", "14", 1))

CATECHOLAMINES_2 = ladder(
    "norepinephrine + epinephrine", "ug/kg/min", TABLE_2, (">", "0.4", 4), (">", "0.2", 3), (">", "0", 2)
)
DOPAMINE_2 = ladder("dopamine alone", "ug/kg/min", TABLE_2, (">", "40", 4), (">", "20", 3), (">", "0", 2))
"""Footnote l."""
OTHER_ALONE = 2
"""Any dose of another vasopressor or inotrope; beside norepinephrine or epinephrine it adds one point."""
MACHINE = 4
"""Mechanical circulatory support, ECMO for the lung, renal replacement (also on the days between, footnote q)."""

URINE_2 = (
    (timedelta(hours=24), Fraction("0.3"), 3),
    (timedelta(hours=12), Fraction("0.5"), 2),
    (timedelta(hours=6), Fraction("0.5"), 1),
)
"""Less than so many mL/kg/h over so long."""
ANURIA = timedelta(hours=12), 3
"""Nothing at all over so long."""
