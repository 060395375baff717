"""Concepts, units, strata and verdicts as a coordinator says them; an unknown one is shown as it is."""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal

from adapter.web.tongue import figure, mark, say

COMPUTED = re.compile(r"((?:[<>]=?)?)(\d+\.\d+)", re.ASCII)
DIGITS = 4
TONOS = "\N{COMBINING ACUTE ACCENT}"

CONCEPTS = {
    "pao2": "PaO₂",
    "fio2": "FiO₂",
    "pf-ratio": "PaO₂/FiO₂",
    "spo2": "SpO₂",
    "oxygen-flow": mark("Oxygen flow"),
    "respiratory-support": mark("Respiratory support"),
    "platelets": mark("Platelets"),
    "bilirubin": mark("Bilirubin"),
    "creatinine": mark("Creatinine"),
    "map": "MAP",
    "map-arterial": mark("MAP (arterial)"),
    "map-cuff": mark("MAP (cuff)"),
    "sbp": mark("Systolic pressure"),
    "dbp": mark("Diastolic pressure"),
    "gcs-total": "GCS",
    "gcs-eye": mark("GCS eye"),
    "gcs-verbal": mark("GCS verbal"),
    "gcs-motor": mark("GCS motor"),
    "rass": "RASS",
    "urine-output": mark("Urine"),
    "urine-output-24h": mark("Urine in 24 h"),
    "norepinephrine-rate": mark("Norepinephrine"),
    "epinephrine-rate": mark("Epinephrine"),
    "dopamine-rate": mark("Dopamine"),
    "dobutamine-rate": mark("Dobutamine"),
    "vasopressin-rate": mark("Vasopressin"),
    "phenylephrine-rate": mark("Phenylephrine"),
    "renal-replacement": mark("Renal replacement"),
    "circulatory-support": mark("Mechanical support"),
    "bladder-irrigation": mark("Bladder irrigation"),
    "weight": mark("Weight"),
    "weight-stated": mark("Weight (stated)"),
    "ferritin": mark("Ferritin"),
    "mhladr": "mHLA-DR",
    "mhladr-percent": "mHLA-DR (%)",
    "mhladr-mfi": "mHLA-DR (MFI)",
    "neutrophils": mark("Neutrophils"),
    "neutrophil-percent": mark("Neutrophils (%)"),
    "wbc": mark("White cells"),
    "lactate": mark("Lactate"),
    "crp": "CRP",
    "procalcitonin": mark("Procalcitonin"),
    "sars-cov-2": "SARS-CoV-2",
    "covid-19": "COVID-19",
    "pregnancy-test": mark("Pregnancy test"),
    "hiv-test": mark("HIV test"),
    "culture-organism": mark("Culture"),
    "culture-other": mark("Culture (not of blood)"),
    "code-status": mark("Code status"),
    "age_years": mark("Age"),
    "sofa.total": mark("SOFA total"),
    "sofa.increase": mark("SOFA increase"),
}
FACTS = {
    "age_years": mark("Age"),
    "sofa.total": "SOFA",
    "sofa.increase": mark("SOFA increase"),
    "covid.active": "COVID-19",
    "pregnancy.test": mark("Pregnancy test"),
    "pregnancy.unwilling": mark("Unwilling to become pregnant"),
    "hiv.test": mark("HIV test"),
    "code_status.dnr": mark("Do-not-resuscitate decision"),
    "culture.growth": mark("Growth in a culture"),
    "stratum.assigned": mark("Stratum found"),
    "clock.open": mark("Time left"),
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
    "a": mark("years"),
}
ORGANS = {
    "respiration": mark("Respiration"),
    "coagulation": mark("Coagulation"),
    "liver": mark("Liver"),
    "cardiovascular": mark("Cardiovascular"),
    "cns": mark("Central nervous system"),
    "renal": mark("Renal"),
}
STRATA = {
    "mals": "MALS",
    "immunoparalysis": mark("Immunoparalysis"),
    "immunoparalysis-blocked-by-covid": mark("Immunoparalysis, blocked by COVID-19"),
    "unclassified": mark("Unclassified"),
    "indeterminate": mark("Stratum not known yet"),
}
UNMAPPED = {
    "unmapped-code": mark("Code"),
    "unmapped-drug": mark("Drug"),
    "unmapped-unit": mark("Unit"),
    "unmapped-answer": mark("Answer in words"),
    "unknown-specimen": mark("Specimen"),
}
VERDICTS = {
    "candidate": mark("Candidate"),
    "incomplete": mark("Incomplete"),
    "not-candidate": mark("Not a candidate"),
    "expired": mark("Expired"),
}


def unmapped(code: str) -> str:
    """What it is that nobody mapped."""
    return say(UNMAPPED[code])


def concept(name: str) -> str:
    """`mhladr` → `mHLA-DR`; a fact `ferritin.latest` is named like its concept."""
    return say(_concept(name))


def _concept(name: str) -> str:
    return CONCEPTS.get(name) or CONCEPTS.get(name.removesuffix(".latest")) or _spelled(name)


def unit(ucum: str) -> str:
    """A UCUM unit as it is written on the ward; annotations of counting are left out."""
    return say(UNITS.get(ucum, ucum))


def quantity(value: str, ucum: str) -> str:
    """Value and unit with a no-break space between them, the number as the reader's language writes it."""
    return verbatim(figure(value), ucum)


def rounded(value: str) -> str:
    """A computed number with four digits: 1.40351 → 1.404. One that would look like a shorter number keeps all it has: 1.19989 is
    not shown as 1.2, which would score a point. Limits have three digits at most in the units that values are converted to.
    """
    found = COMPUTED.fullmatch(value)
    if found is None:
        return value
    near = Decimal(f"{Decimal(found[2]):.{DIGITS}g}")
    whole = len(near.normalize().as_tuple().digits) == DIGITS and near.adjusted() < DIGITS
    return f"{found[1]}{near:f}" if whole else value


def verbatim(value: str, ucum: str) -> str:
    """The same with the number as its sender wrote it."""
    shown = unit(ucum)
    return f"{value}\u00a0{shown}" if shown else value


def stratum(name: str) -> str:
    return say(STRATA.get(name) or _spelled(name))


def verdict(name: str) -> str:
    return say(VERDICTS.get(name) or _spelled(name))


def organ(name: str) -> str:
    return say(ORGANS.get(name) or _spelled(name))


def sentence(word: str) -> str:
    """`consent-asked` → `Consent asked`: a code in words; those that are known (`codes.py`) in the reader's language."""
    return say(_spelled(word))


def happened(kind: str) -> str:
    """What became of a candidate, or why somebody is told. `withdrawn` is a status too, which a person sets."""
    return say("Taken back") if kind == "withdrawn" else sentence(kind)


def _spelled(word: str) -> str:
    text = word.replace("-", " ").replace("_", " ").replace(".", " ").strip()
    return capital(text)


def capital(text: str) -> str:
    """As a sentence begins; what follows stays as it is."""
    return text[:1].upper() + text[1:]


def interval(low: object, high: object) -> str:
    """`5–9`, or `6` where both ends agree; below zero with words, as `−2 to 3`; a dash where nothing is known."""
    if not isinstance(low, int) or not isinstance(high, int):
        return "–"
    if low == high:
        return str(low).replace("-", "−")
    return f"{low}–{high}" if low >= 0 else say("%(low)s to %(high)s", low=low, high=high).replace("-", "−")


def span(limits: Mapping[str, object] | None) -> str:
    """An object with `low` and `high` as an interval; empty without one."""
    return interval(limits.get("low"), limits.get("high")) if limits else ""


def rule(text: str) -> str:
    """A rule's facts and units as they are said on the ward: `ferritin.latest above 4420 ng/mL` → `Ferritin above …`.

    The rules speak English, and so does the whole of the sentence: half a translation is worse than none.
    """
    return " ".join(_rule_word(word) for word in text.split(" "))


def _rule_word(word: str) -> str:
    """Brackets and commas round a word stay; `a` is a unit of UCUM and a word of English, here the latter."""
    bare = word.strip("(),;:")
    of_unit = "" if bare.isalnum() else UNITS.get(bare)
    known = FACTS.get(bare) or of_unit or (_concept(bare) if bare.endswith(".latest") else "")
    return word.replace(bare, known) if known else word


def capitals(name: str) -> str:
    """A family name in capitals; Greek ones lose their accent, as Greek writes them: Παράδειγμα → ΠΑΡΑΔΕΙΓΜΑ."""
    spread = unicodedata.normalize("NFD", name.upper())
    kept = [c for base, c in zip(" " + spread, spread, strict=False) if not (c == TONOS and _is_greek(base))]
    return unicodedata.normalize("NFC", "".join(kept))


def _is_greek(character: str) -> bool:
    return unicodedata.name(character, "").startswith("GREEK")
