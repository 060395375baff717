"""A hospital that writes platelets, urine and a drug in its own way, and what its messages come to once that is mapped."""

import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from adapter import assets
from adapter.daemon.bench import PageBench
from adapter.mapping.amend import SiteLine
from adapter.screening.rulebook import Rulebook
from adapter.store.inbox import put_many
from tests.builders import T0, adt, dtm, er7, msh, obx, oru, pid, pv1, raw
from tests.web_house import House

SITE = """# Klinikum, by hand
site: klinikum
encoding: utf-8
timezone: UTC
decimal: "."
patient_identifier: {authority: any, type: MR}
codes:            # the laboratory's
  FERR: ferritin  # checked
not_needed: [NA]
units: {}
"""
CODE = SiteLine("code", "THRO", "platelets")
UNIT = SiteLine("unit", "10 hoch 9/L", "10*9/L")
DRUG = SiteLine("drug", "NORA1", "norepinephrine")
DOSE = SiteLine("unit", "mcg/kgmin", "ug/kg/min")
NOT_NEEDED = SiteLine("not-needed", "KAL")
LINES = (CODE, UNIT, DRUG, DOSE, NOT_NEEDED)
"""In this order: the first makes the second's messages known."""


def folder(place: Path) -> Path:
    """An operator's folder with the site in it."""
    sites = place / "mappings" / "sites"
    sites.mkdir(parents=True)
    (sites / "klinikum.yaml").write_text(SITE)
    return place


def platelets(value: str, unit: str = "G/l", *, code: str = "THRO", status: str = "F", at: datetime = T0) -> str:
    head = f"OBX|1|NM|{code}^Thrombozyten^L||{value}|{unit}"
    return f"{head}|||||{status}|||{dtm(at)}"


def day(patient: str = "100", at: datetime = T0, *, corrected: bool = False) -> list[bytes]:
    """A candidate whom only platelets make one, an infusion, what nobody needs; and a correction in a unit nobody knows."""
    now, soon, later = (dtm(at + timedelta(minutes=minutes)) for minutes in (0, 10, 60))
    told = {"visit": f"V{patient}", "patient": patient}
    first, second = {"at": now, "sent": soon, **told}, {"at": now, "sent": later, "issued": later, **told}
    ras = er7(
        msh("RAS^O17", control=f"RAS{patient}", at=later),
        pid(patient),
        pv1(told["visit"]),
        f"ORC|RE|P1|N{patient}",
        f"RXA|0|1|{now}|{later}|NORA1^Noradrenalin^L|0.2|mcg/kgmin",
    )
    unwanted = obx("KAL", "4.1", "mmol/l", system="L")
    correction = oru(
        platelets("41", UNIT.word, status="C", at=at), control=f"C{patient}", order=f"P{patient}", **second
    )
    return [
        adt("A01", cls="E", ward="ED", control=f"A{patient}", at=now, sent=soon, **told),
        oru(platelets("90", at=at), unwanted, control=f"P{patient}", order=f"P{patient}", **first),
        oru(obx("FERR", "5200", "ng/mL", system="L"), control=f"F{patient}", order=f"F{patient}", **first),
        *([correction] if corrected else ()),
        ras,
        oru(obx("8478-0", "60", "mm[Hg]"), control=f"M{patient}", order=f"M{patient}", **first),
    ]


@cache
def rulebook(text: str) -> Rulebook:
    """Once for each text of the site's file."""
    with tempfile.TemporaryDirectory() as name:
        (folder(Path(name)) / "mappings/sites/klinikum.yaml").write_text(text)
        return assets.load_rulebook(Path(name), trials=("immunosep-demo",))


def amendable(home: House, place: Path) -> None:
    """The house reads by the files of this folder, which its pages may amend; the messages of a day have come."""
    site = folder(place) / "mappings/sites/klinikum.yaml"
    desk = replace(home.desk, load=lambda: rulebook(site.read_text()))
    home.processor.adopt(desk.load())
    home.context = replace(home.context, bench=PageBench(desk, place))
    for number, body in enumerate(day()):
        arrive(home, body, f"{number}")


def arrive(home: House, body: bytes, control: str) -> None:
    said = raw(body, site="klinikum", control_id=control, received=home.clock.now, sender="LAB|HOSP")
    with home.database.write() as tx:
        put_many(tx, [said])
    home.processor.step()
