"""How hospitals write the same things: in LOINC and UCUM, or in their own codes, units, language and charset."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Code:
    """OBX-2, OBX-3 and OBX-6 of one concept as a sender writes them.

    `factor` is how many of its units are one of ours; `system` is OBX-3.3 where it is not the dialect's.
    """

    code: str
    name: str
    unit: str = ""
    type: str = "NM"
    factor: float = 1.0
    places: int = 0
    system: str = ""


TREES = ("Ash", "Birch", "Cedar", "Elm", "Hazel", "Holly", "Juniper", "Linden", "Maple", "Oak", "Pine", "Willow")
"""Trees: nobody is called so by accident, and anybody can tell."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One sending system. `encoding` is the Python codec of `charset` (MSH-18, table 0211; empty: MSH-18 is silent).

    `words` are its own for coded answers, by ours; `families` and `given` are names that anybody can tell are made up.
    """

    site: str
    application: str
    authority: str
    system: str
    charset: str
    encoding: str
    zone: tzinfo
    offset_written: bool
    emergency_ward: str
    codes: Mapping[str, Code]
    identifier_type: str = "MR"
    decimal: str = "."
    words: Mapping[str, str] = field(default_factory=dict)
    families: tuple[str, ...] = TREES
    given: tuple[str, ...] = ("Test",)

    def number(self, concept: str, value: float) -> str:
        """A value of ours in this hospital's unit, with its decimal mark."""
        code = self.codes[concept]
        return f"{value * code.factor:.{code.places}f}".replace(".", self.decimal)

    def word(self, answer: str) -> str:
        return self.words.get(answer, answer)

    def time(self, moment: datetime) -> str:
        """An HL7 timestamp in the hospital's own habit: with its offset, or in local time without."""
        local = moment.astimezone(self.zone)
        return local.strftime("%Y%m%d%H%M%S%z" if self.offset_written else "%Y%m%d%H%M%S")


GENERIC = Dialect(
    site="generic",
    application="LABSYS",
    authority="HOSP",
    system="LN",
    charset="UNICODE UTF-8",
    encoding="utf-8",
    zone=UTC,
    offset_written=True,
    emergency_ward="ED",
    codes={
        "pao2": Code("2703-7", "Oxygen [Partial pressure] in Arterial blood", "mm[Hg]"),
        "fio2": Code("3150-0", "Inhaled oxygen concentration", "%"),
        "respiratory-support": Code("20124-4", "Ventilation mode", type="ST"),
        "platelets": Code("777-3", "Platelets", "10*3/uL"),
        "bilirubin": Code("1975-2", "Bilirubin.total", "mg/dL", places=1),
        "creatinine": Code("2160-0", "Creatinine", "mg/dL", places=2),
        "map": Code("8478-0", "Mean blood pressure", "mm[Hg]"),
        "gcs-total": Code("9269-2", "Glasgow coma score total", "{score}"),
        "ferritin": Code("2276-4", "Ferritin", "ng/mL"),
        "neutrophils": Code("751-8", "Neutrophils", "10*3/uL", places=1),
        "crp": Code("1988-5", "C reactive protein", "mg/L"),
        "lactate": Code("2518-9", "Lactate in arterial blood", "mmol/L", places=1),
        "spo2": Code("59408-5", "Oxygen saturation by pulse oximetry", "%"),
        "urine-output-24h": Code("3167-4", "Urine volume 24 hour", "mL"),
        "sars-cov-2": Code("94500-6", "SARS-CoV-2 RNA", type="ST"),
        "culture-organism": Code("600-7", "Bacteria identified in blood by culture", type="ST"),
        "sodium": Code("2951-2", "Sodium", "mmol/L"),
        "potassium": Code("2823-3", "Potassium", "mmol/L", places=1),
        "haemoglobin": Code("718-7", "Hemoglobin", "g/dL", places=1),
    },
)
"""A ward whose engine sends public codes, with the offset in every time."""

ATTIKON = Dialect(
    site="attikon",
    application="EURYDIKE",
    authority="ATTIKON",
    system="99ATT",
    charset="8859/7",
    encoding="iso-8859-7",
    zone=ZoneInfo("Europe/Athens"),
    offset_written=False,
    emergency_ward="TEP",
    codes={
        "pao2": Code("PO2A", "pO2 αρτηριακό", "mmHg"),
        "fio2": Code("FIO2", "FiO2", "%"),
        "respiratory-support": Code("RESP", "Αναπνευστική υποστήριξη", type="ST"),
        "platelets": Code("PLT", "Αιμοπετάλια", "K/ul"),
        "bilirubin": Code("TBIL", "Ολική χολερυθρίνη", "umol/L", factor=17.1),
        "creatinine": Code("CREA", "Κρεατινίνη", "umol/L", factor=88.4),
        "map": Code("NBPM", "ΜΑΠ", "mmHg"),
        "gcs-total": Code("GCS", "Κλίμακα Γλασκώβης"),
        "ferritin": Code("FERR", "Φερριτίνη", "ng/mL"),
        "mhladr": Code("HLADR", "HLA-DR μονοκυττάρων", "AB/C"),
        "sars-cov-2": Code("COVPCR", "SARS-CoV-2 PCR", type="ST"),
        "neutrophils": Code("ANC", "Ουδετερόφιλα", "K/ul", places=1),
        "crp": Code("CRP", "CRP", "mg/L"),
        "lactate": Code("LAC", "Γαλακτικό", "mmol/L", places=1),
        "spo2": Code("SPO2", "SpO2", "%"),
        "urine-output-24h": Code("DIUR24", "Διούρηση 24ώρου", "ml"),
        "culture-organism": Code("BCORG", "Αιμοκαλλιέργεια", type="ST"),
        "sodium": Code("NA", "Νάτριο", "mmol/L"),
        "potassium": Code("K", "Κάλιο", "mmol/L", places=1),
        "haemoglobin": Code("HB", "Αιμοσφαιρίνη", "g/dL", places=1),
    },
    words={
        "detected": "ΘΕΤΙΚΟ",
        "not-detected": "ΑΡΝΗΤΙΚΟ",
        "invasive": "ΔΙΑΣΩΛΗΝΩΜΕΝΟΣ",
        "mask": "ΜΑΣΚΑ",
        "room-air": "ΑΕΡΑΣ ΔΩΜΑΤΙΟΥ",
    },
    families=("Πεύκος", "Έλατος", "Δρυς", "Κέδρος", "Φτελιά", "Ιτιά", "Δάφνη", "Πλάτανος", "Οξιά", "Καστανιά"),
    given=("Δοκιμή", "Πρότυπο", "Υπόδειγμα"),
)
"""A Greek hospital with its own codes, SI units, ISO 8859-7 and local time without offset."""

US = replace(
    GENERIC,
    site="us-example",
    application="LABCORE",
    authority="GENHOSP",
    zone=ZoneInfo("America/New_York"),
    offset_written=False,
    emergency_ward="ED",
    codes={
        **GENERIC.codes,
        "mhladr": Code("1557", "Monocyte HLA-DR", "{AB}/{cell}", system="COREFLOW"),
        "platelets": Code("777-3", "Platelets", "x 10(3)/mcL"),
        "respiratory-support": Code("VENTMODE", "Ventilator mode", type="ST"),
    },
    words={"invasive": "AC/VC"},
)
"""A hospital in the United States: LOINC, some codes and spellings of its own, Eastern Time without offset."""

NETHERLANDS = Dialect(
    site="nl-example",
    application="GLIMS",
    authority="NLZH",
    system="L",
    charset="",
    encoding="iso-8859-1",
    zone=ZoneInfo("Europe/Amsterdam"),
    offset_written=False,
    emergency_ward="SEH",
    codes={
        "pao2": Code("PO2A", "pO2 arterieel", "kPa", factor=0.133322, places=2),
        "fio2": Code("FIO2", "FiO2", "%"),
        "respiratory-support": Code("BEADEM", "Ademhalingsondersteuning", type="ST"),
        "platelets": Code("TROM", "Trombocyten", "10*9/L"),
        "bilirubin": Code("BILT", "Bilirubine totaal", "umol/L", factor=17.1, places=1),
        "creatinine": Code("KREA", "Kreatinine", "umol/L", factor=88.4),
        "map": Code("NIBPM", "Gemiddelde bloeddruk", "mmHg"),
        "gcs-total": Code("EMV", "EMV-score"),
        "ferritin": Code("FERR", "Ferritine", "ug/L"),
        "mhladr": Code("HLADRM", "HLA-DR monocyten", "AS/cel"),
        "neutrophils": Code("NEUTA", "Neutrofielen", "10E9/l", places=2),
        "crp": Code("CRP", "CRP", "mg/L"),
        "lactate": Code("LACT", "Lactaat", "mmol/L", places=1),
        "spo2": Code("SAT", "Saturatie", "%"),
        "urine-output-24h": Code("DIUR24", "Diurese 24 uur", "mL"),
        "sars-cov-2": Code("COVPCR", "SARS-CoV-2 PCR", type="ST"),
        "culture-organism": Code("BLKW", "Bloedkweek", type="ST"),
        "sodium": Code("NAT", "Natrium", "mmol/L"),
        "potassium": Code("KAL", "Kalium", "mmol/L", places=1),
        "haemoglobin": Code("HB", "Hemoglobine", "mmol/L", factor=0.6206, places=1),
    },
    identifier_type="PI",
    decimal=",",
    words={
        "detected": "aangetoond",
        "not-detected": "niet aangetoond",
        "invasive": "geïntubeerd",
        "mask": "masker",
        "room-air": "kamerlucht",
        "escherichia coli": "ECOL",
    },
    families=("Eik", "Beuk", "Berk", "Wilg", "Linde", "Hazelaar", "Esdoorn", "Jeneverbes", "Lijsterbes", "Kornoelje"),
    given=("Zoë", "Daniël", "Chloë"),
)
"""A Dutch hospital: codes of its own, SI units and kPa, a decimal comma, ISO 8859-1 that no header announces."""

DIALECTS = {dialect.site: dialect for dialect in (GENERIC, ATTIKON, US, NETHERLANDS)}
