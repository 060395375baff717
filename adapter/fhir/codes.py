"""The code systems and codes we write; a concept that is not listed here never leaves the hospital."""

from dataclasses import dataclass
from typing import Any

NAMESPACE = "https://immunosep-adapter.invalid/fhir/"
"""Our own canonical root. The domain can never be registered (RFC 2606), so nobody else can come to own it."""

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"
ABSENT_REASON = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
DATA_OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
AGENT_TYPE = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
REGISTRY = "https://clinicaltrials.gov"

LAB_SYSTEM = NAMESPACE + "CodeSystem/immunosep-lab"
CONCEPT_SYSTEM = NAMESPACE + "CodeSystem/concept"
REASON_SYSTEM = NAMESPACE + "CodeSystem/screening-reason"
SCREENING_NUMBER = NAMESPACE + "sid/screening-number"
RESOURCE_NUMBER = NAMESPACE + "sid/resource"
MESSAGE_NUMBER = NAMESPACE + "sid/message"

ASSESSMENT_EXTENSION = NAMESPACE + "StructureDefinition/screening-assessment"
INTERVAL_EXTENSION = NAMESPACE + "StructureDefinition/score-interval"
LABORATORY_EXTENSION = NAMESPACE + "StructureDefinition/laboratory"
STUDY_DAY_EXTENSION = NAMESPACE + "StructureDefinition/study-day"
IMPUTED_EXTENSION = NAMESPACE + "StructureDefinition/imputed"

VITAL_STATUS = "vital-status"


def said_by(profile: str, **more: Any) -> dict[str, Any]:
    """`meta` of a resource that is made by one of our profiles (profiles/immunosep/fhir, docs/edc)."""
    return {"meta": {"profile": [f"{NAMESPACE}StructureDefinition/{profile}"], **more}}


SOFA_TOTAL = "96790-1"
SOFA_ORGANS = {
    "respiration": "96823-0",
    "coagulation": "96824-8",
    "liver": "96825-5",
    "cardiovascular": "96826-3",
    "cns": "96827-1",
    "renal": "96828-9",
}
"""LOINC panel 96789-3, first released with 2.70; the modified SOFA 96792-7 is another score."""


@dataclass(frozen=True, slots=True)
class Code:
    system: str
    code: str
    text: str
    method: str = ""


def _loinc(code: str, text: str) -> Code:
    return Code(LOINC, code, text)


def _own(code: str, text: str) -> Code:
    return Code(CONCEPT_SYSTEM, code, text)


CONCEPTS = {
    "pao2": _loinc("2703-7", "Oxygen partial pressure, arterial blood"),
    "fio2": _loinc("71835-3", "Inhaled oxygen, pure fraction"),
    "pf-ratio": _loinc("50984-4", "Horowitz index, arterial blood"),
    "spo2": _loinc("59408-5", "Oxygen saturation, pulse oximetry"),
    "oxygen-flow": _loinc("3151-8", "Inhaled oxygen flow"),
    "respiratory-support": _own("respiratory-support", "Respiratory support"),
    "platelets": _loinc("26515-7", "Platelets, blood"),
    "bilirubin": _loinc("1975-2", "Bilirubin, total"),
    "creatinine": _loinc("2160-0", "Creatinine"),
    "map": _loinc("8478-0", "Mean arterial pressure"),
    "map-arterial": _loinc("76214-6", "Mean arterial pressure, invasive"),
    "map-cuff": _loinc("76536-2", "Mean arterial pressure, cuff"),
    "sbp": _loinc("8480-6", "Systolic blood pressure"),
    "dbp": _loinc("8462-4", "Diastolic blood pressure"),
    "gcs-total": _loinc("9269-2", "Glasgow coma scale, total"),
    "gcs-eye": _loinc("9267-6", "Glasgow coma scale, eye"),
    "gcs-verbal": _loinc("9270-0", "Glasgow coma scale, verbal"),
    "gcs-motor": _loinc("9268-4", "Glasgow coma scale, motor"),
    "rass": _own("rass", "Richmond agitation-sedation scale"),
    "urine-output": _loinc("9187-6", "Urine output"),
    "urine-output-24h": _loinc("9192-6", "Urine output, 24 hours"),
    "norepinephrine-rate": _own("norepinephrine-rate", "Norepinephrine infusion rate"),
    "epinephrine-rate": _own("epinephrine-rate", "Epinephrine infusion rate"),
    "dopamine-rate": _own("dopamine-rate", "Dopamine infusion rate"),
    "dobutamine-rate": _own("dobutamine-rate", "Dobutamine infusion rate"),
    "weight": _loinc("29463-7", "Body weight"),
    "ferritin": _loinc("2276-4", "Ferritin"),
    "mhladr": Code(LAB_SYSTEM, "mhladr-abc", "HLA-DR on CD14 monocytes, antibodies bound per cell", "Quantibrite"),
    "mhladr-percent": Code(LAB_SYSTEM, "mhladr-pct", "HLA-DR on CD14 monocytes, percentage of positive cells"),
    "mhladr-mfi": Code(LAB_SYSTEM, "mhladr-mfi", "HLA-DR on CD14 monocytes, mean fluorescence intensity"),
}
"""Concept → what the EDC is told it is, in the concept's canonical unit (so `bilirubin` is the mass code).

LOINC has no term for monocyte HLA-DR in antibodies per cell, nor for vasopressor rates by weight (clinical 3.1, 3.3).
"""

LABORATORY = frozenset(
    {"pao2", "pf-ratio", "platelets", "bilirubin", "creatinine", "ferritin", "mhladr", "mhladr-percent", "mhladr-mfi"}
)
"""Concepts of the FHIR category `laboratory`."""
