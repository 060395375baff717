"""Concepts, units, strata and verdicts as a coordinator says them; an unknown one is shown as it is."""

import unicodedata
from collections.abc import Mapping

TONOS = "\N{COMBINING ACUTE ACCENT}"

CONCEPTS = {
    "pao2": "PaO₂",
    "fio2": "FiO₂",
    "pf-ratio": "PaO₂/FiO₂",
    "spo2": "SpO₂",
    "oxygen-flow": "Oxygen flow",
    "respiratory-support": "Respiratory support",
    "platelets": "Platelets",
    "bilirubin": "Bilirubin",
    "creatinine": "Creatinine",
    "map": "MAP",
    "map-arterial": "MAP (arterial)",
    "map-cuff": "MAP (cuff)",
    "sbp": "Systolic pressure",
    "dbp": "Diastolic pressure",
    "gcs-total": "GCS",
    "gcs-eye": "GCS eye",
    "gcs-verbal": "GCS verbal",
    "gcs-motor": "GCS motor",
    "rass": "RASS",
    "urine-output": "Urine",
    "urine-output-24h": "Urine in 24 h",
    "norepinephrine-rate": "Norepinephrine",
    "epinephrine-rate": "Epinephrine",
    "dopamine-rate": "Dopamine",
    "dobutamine-rate": "Dobutamine",
    "vasopressin-rate": "Vasopressin",
    "phenylephrine-rate": "Phenylephrine",
    "weight": "Weight",
    "ferritin": "Ferritin",
    "mhladr": "mHLA-DR",
    "mhladr-percent": "mHLA-DR (%)",
    "mhladr-mfi": "mHLA-DR (MFI)",
    "neutrophils": "Neutrophils",
    "neutrophil-percent": "Neutrophils (%)",
    "wbc": "White cells",
    "lactate": "Lactate",
    "crp": "CRP",
    "procalcitonin": "Procalcitonin",
    "sars-cov-2": "SARS-CoV-2",
    "pregnancy-test": "Pregnancy test",
    "hiv-test": "HIV test",
    "culture-organism": "Culture",
    "culture-other": "Culture (not of blood)",
    "code-status": "Code status",
    "age_years": "Age",
    "sofa.total": "SOFA total",
    "sofa.increase": "SOFA increase",
}
FACTS = {
    "age_years": "Age",
    "sofa.total": "SOFA",
    "sofa.increase": "SOFA increase",
    "covid.active": "COVID-19",
    "pregnancy.test": "Pregnancy test",
    "pregnancy.unwilling": "Unwilling to become pregnant",
    "hiv.test": "HIV test",
    "code_status.dnr": "Do-not-resuscitate decision",
    "culture.growth": "Growth in a culture",
    "stratum.assigned": "Stratum found",
    "clock.open": "Time left",
}
"""Facts a rule may name beside the newest value of a concept."""
UNITS = {
    "{AB}/{cell}": "AB/cell",
    "10*3/uL": "×10³/µL",
    "mm[Hg]": "mmHg",
    "ug/kg/min": "µg/kg/min",
    "umol/L": "µmol/L",
    "ug/L": "µg/L",
    "{score}": "",
    "1": "",
    "a": "years",
}
ORGANS = {
    "respiration": "Respiration",
    "coagulation": "Coagulation",
    "liver": "Liver",
    "cardiovascular": "Cardiovascular",
    "cns": "Central nervous system",
    "renal": "Renal",
}
STRATA = {
    "mals": "MALS",
    "immunoparalysis": "Immunoparalysis",
    "immunoparalysis-blocked-by-covid": "Immunoparalysis, blocked by COVID-19",
    "unclassified": "Unclassified",
    "indeterminate": "Stratum not known yet",
}
UNMAPPED = {
    "unmapped-code": "Code",
    "unmapped-drug": "Drug",
    "unmapped-unit": "Unit",
    "unmapped-answer": "Answer in words",
    "unknown-specimen": "Specimen",
}
VERDICTS = {
    "candidate": "Candidate",
    "incomplete": "Incomplete",
    "not-candidate": "Not a candidate",
    "expired": "Expired",
}


def concept(name: str) -> str:
    """`mhladr` → `mHLA-DR`; a fact `ferritin.latest` is named like its concept."""
    known = CONCEPTS.get(name) or CONCEPTS.get(name.removesuffix(".latest"))
    return known or sentence(name)


def unit(ucum: str) -> str:
    """A UCUM unit as it is written on the ward; annotations of counting are left out."""
    return UNITS.get(ucum, ucum)


def quantity(value: str, ucum: str) -> str:
    """Value and unit with a no-break space between them."""
    shown = unit(ucum)
    return f"{value}\u00a0{shown}" if shown else value


def stratum(name: str) -> str:
    return STRATA.get(name) or sentence(name)


def verdict(name: str) -> str:
    return VERDICTS.get(name) or sentence(name)


def organ(name: str) -> str:
    return ORGANS.get(name) or sentence(name)


def sentence(word: str) -> str:
    """`consent-asked` → `Consent asked`: the way out for words this page does not know."""
    text = word.replace("-", " ").replace("_", " ").replace(".", " ").strip()
    return text[:1].upper() + text[1:]


def interval(low: object, high: object) -> str:
    """`5–9`, or `6` where both ends agree; below zero with words, as `−2 to 3`; a dash where nothing is known."""
    if not isinstance(low, int) or not isinstance(high, int):
        return "–"
    if low == high:
        return str(low).replace("-", "−")
    return f"{low}–{high}" if low >= 0 else f"{low} to {high}".replace("-", "−")


def span(limits: Mapping[str, object] | None) -> str:
    """An object with `low` and `high` as an interval; empty without one."""
    return interval(limits.get("low"), limits.get("high")) if limits else ""


def rule(text: str) -> str:
    """A rule's facts and units as they are said on the ward: `ferritin.latest above 4420 ng/mL` → `Ferritin above …`."""
    return " ".join(_rule_word(word) for word in text.split(" "))


def _rule_word(word: str) -> str:
    """Brackets and commas round a word stay; `a` is a unit of UCUM and a word of English, here the latter."""
    bare = word.strip("(),;:")
    of_unit = "" if bare.isalnum() else UNITS.get(bare)
    known = FACTS.get(bare) or of_unit or (concept(bare) if bare.endswith(".latest") else "")
    return word.replace(bare, known) if known else word


def capitals(name: str) -> str:
    """A family name in capitals; Greek ones lose their accent, as Greek writes them: Παράδειγμα → ΠΑΡΑΔΕΙΓΜΑ."""
    spread = unicodedata.normalize("NFD", name.upper())
    kept = [c for base, c in zip(" " + spread, spread, strict=False) if not (c == TONOS and _is_greek(base))]
    return unicodedata.normalize("NFC", "".join(kept))


def _is_greek(character: str) -> bool:
    return unicodedata.name(character, "").startswith("GREEK")
