"""How two hospitals write the same things: one in LOINC and UCUM, one in its own codes, language and charset."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Code:
    """OBX-2, OBX-3 and OBX-6 of one concept as a sender writes them."""

    code: str
    name: str
    unit: str = ""
    type: str = "NM"


@dataclass(frozen=True, slots=True)
class Dialect:
    """One sending system. `encoding` is the Python codec of `charset` (MSH-18, table 0211)."""

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
        "bilirubin": Code("1975-2", "Bilirubin.total", "mg/dL"),
        "creatinine": Code("2160-0", "Creatinine", "mg/dL"),
        "map": Code("8478-0", "Mean blood pressure", "mm[Hg]"),
        "gcs-total": Code("9269-2", "Glasgow coma score total", "{score}"),
        "ferritin": Code("2276-4", "Ferritin", "ng/mL"),
        "neutrophils": Code("751-8", "Neutrophils", "10*3/uL"),
        "crp": Code("1988-5", "C reactive protein", "mg/L"),
        "lactate": Code("2518-9", "Lactate in arterial blood", "mmol/L"),
        "spo2": Code("59408-5", "Oxygen saturation by pulse oximetry", "%"),
        "urine-output-24h": Code("3167-4", "Urine volume 24 hour", "mL"),
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
        "bilirubin": Code("TBIL", "Ολική χολερυθρίνη", "umol/L"),
        "creatinine": Code("CREA", "Κρεατινίνη", "umol/L"),
        "map": Code("NBPM", "ΜΑΠ", "mmHg"),
        "gcs-total": Code("GCS", "Κλίμακα Γλασκώβης"),
        "ferritin": Code("FERR", "Φερριτίνη", "ng/mL"),
        "mhladr": Code("HLADR", "HLA-DR μονοκυττάρων", "AB/C"),
        "sars-cov-2": Code("COVPCR", "SARS-CoV-2 PCR", type="ST"),
        "neutrophils": Code("ANC", "Ουδετερόφιλα", "K/ul"),
        "crp": Code("CRP", "CRP", "mg/L"),
        "lactate": Code("LAC", "Γαλακτικό", "mmol/L"),
        "spo2": Code("SPO2", "SpO2", "%"),
        "urine-output-24h": Code("DIUR24", "Διούρηση 24ώρου", "ml"),
    },
)
"""A Greek hospital with its own codes, SI units, ISO 8859-7 and local time without offset."""
