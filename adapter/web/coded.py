"""Coded answers as a coordinator says them: how somebody is ventilated, what a test found; an unknown one is shown as it is."""

from adapter.web.tongue import mark, say

ANSWERS = {
    "invasive": mark("Invasive ventilation"),
    "niv": mark("Non-invasive ventilation"),
    "cpap": "CPAP",
    "hfnc": mark("High-flow nasal oxygen"),
    "non-rebreather": mark("Non-rebreather mask"),
    "venturi": mark("Venturi mask"),
    "mask": mark("Oxygen mask"),
    "nasal-cannula": mark("Nasal cannula"),
    "room-air": mark("Room air"),
    "crrt": mark("Continuous renal replacement"),
    "haemodialysis": mark("Haemodialysis"),
    "peritoneal": mark("Peritoneal dialysis"),
    "va-ecmo": "VA-ECMO",
    "vv-ecmo": "VV-ECMO",
    "iabp": mark("Intra-aortic balloon pump"),
    "microaxial-pump": mark("Microaxial pump"),
    "lvad": "LVAD",
    "none": mark("None"),
    "positive": mark("Positive"),
    "negative": mark("Negative"),
    "inconclusive": mark("Inconclusive"),
    "detected": mark("Detected"),
    "not-detected": mark("Not detected"),
    "dnr": mark("Do not resuscitate"),
    "dni": mark("Do not intubate"),
    "full": mark("Full code"),
}


def answer(code: str) -> str:
    return say(ANSWERS.get(code, code))
