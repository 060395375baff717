"""The same patient told by three hospitals in their own words, units, bytes and zones is the same patient."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from adapter.assets import load_rulebook
from adapter.domain.assessment import Assessment
from adapter.domain.events import ClinicalEvent
from adapter.domain.observation import Observation
from adapter.domain.patient import PatientState
from adapter.screening.interpret import interpret
from adapter.screening.screen import screen
from adapter.store.inbox import put_many
from tests.builders import T0, after, obr, raw
from tests.web_house import MovableClock, house

RULES = load_rulebook(None, trials=["immunosep-demo"])
JUDGED = after(4)
SEEN = {"sars-cov-2": "not-detected", "respiratory-support": "mask"}


@dataclass(frozen=True)
class Word:
    """OBX-2, 3 and 6, and OBX-5 as this hospital writes the patient's value; `{}` stands for ferritin and mHLA-DR."""

    code: str
    value: str
    unit: str = ""
    type: str = "NM"


@dataclass(frozen=True)
class Hospital:
    """`name` is written in `encoding`, and nothing in the message says so."""

    site: str
    authority: str
    number_type: str
    encoding: str
    zone: str
    name: tuple[str, str]
    emergency: tuple[str, str]
    words: Mapping[str, Word]
    immune: tuple[Word, Word]

    def time(self, at: datetime) -> str:
        """Local, without an offset."""
        return at.astimezone(ZoneInfo(self.zone)).strftime("%Y%m%d%H%M%S")

    def head(self, kind: str, control: str, sent: datetime) -> list[str]:
        family, given = self.name
        cls, ward = self.emergency
        return [
            f"MSH|^~\\&|HIS|{self.authority}|A|T|{self.time(sent)}||{kind}|{control}|P|2.5",
            f"PID|1||4711^^^{self.authority}^{self.number_type}||{family}^{given}||19500615|F",
            f"PV1|1|{cls}|{ward}^^4{'|' * 16}V1{'|' * 25}{self.time(T0 - timedelta(hours=1))}",
        ]

    def written(self, *segments: str) -> bytes:
        return ("\r".join(segments) + "\r").encode(self.encoding)

    def admission(self) -> bytes:
        head, *rest = self.head("ADT^A01", "A1", T0)
        return self.written(head, f"EVN|A01|{self.time(T0)}||||{self.time(T0 - timedelta(hours=1))}", *rest)

    def report(self, order: str, at: datetime, *words: Word) -> bytes:
        sent = at + timedelta(minutes=20)
        lines = [
            f"OBX|{n}|{w.type}|{w.code}||{w.value}|{w.unit}|||||F|||{self.time(at)}" for n, w in enumerate(words, 1)
        ]
        asked = obr(order, at=self.time(at), issued=self.time(sent))
        return self.written(*self.head("ORU^R01", f"R{order}", sent), asked, *lines)

    def tells(self, ferritin: str, mhladr: str) -> list[bytes]:
        """The admission, the first hour's results, and an hour later ferritin and mHLA-DR."""
        first, second = self.immune
        immune = Word(first.code, ferritin, first.unit), Word(second.code, mhladr, second.unit)
        return [
            self.admission(),
            self.report("F1", T0, *self.words.values()),
            self.report("F2", after(1), *immune),
        ]


US = Hospital(
    site="us-example",
    authority="GENHOSP",
    number_type="MR",
    encoding="utf-8",
    zone="America/New_York",
    name=("Núñez-O'Brien", "Zoë"),
    emergency=("E", "ED"),
    words={
        "pao2": Word("2703-7^pO2 art^LN", "68", "mmHg"),
        "fio2": Word("3150-0^FiO2^LN", "40", "%"),
        "respiratory-support": Word("VENTMODE^Oxygen device^L", "Face mask", type="ST"),
        "platelets": Word("777-3^Plt^LN", "88", "x 10(3)/mcL"),
        "bilirubin": Word("1975-2^Bili^LN", "2.5", "mg/dL"),
        "map": Word("8478-0^MAP^LN", "64", "mmHg"),
        "gcs-total": Word("9269-2^GCS^LN", "14"),
        "creatinine": Word("2160-0^Creat^LN", "2.0", "mg/dL"),
        "sars-cov-2": Word("94500-6^SARS-CoV-2 RNA^LN", "260415000^Not detected^SCT", type="CWE"),
    },
    immune=(Word("2276-4^Ferritin^LN", "", "ng/mL"), Word("1557^mHLA-DR^COREFLOW", "")),
)
NL = Hospital(
    site="nl-example",
    authority="NLZH",
    number_type="PI",
    encoding="iso-8859-1",
    zone="Europe/Amsterdam",
    name=("Daniëls-Çelik", "Anneloré"),
    emergency=("I", "SEH"),
    words={
        "pao2": Word("PO2A^pO2 arterieel^L", "9,07", "kPa"),
        "fio2": Word("FIO2^FiO2^L", "0,40"),
        "respiratory-support": Word("BEADEM^Beademing^L", "Zuurstofmasker", type="ST"),
        "platelets": Word("TROM^Trombocyten^L", "88", "10E9/l"),
        "bilirubin": Word("BILT^Bilirubine^L", "42,75", "µmol/l"),
        "map": Word("NIBPM^MAP^L", "64", "mmHg"),
        "gcs-total": Word("EMV^EMV-score^L", "14"),
        "creatinine": Word("KREA^Kreatinine^L", "176,8", "µmol/l"),
        "sars-cov-2": Word("COVPCR^SARS-CoV-2^L", "Niet aangetoond", type="ST"),
    },
    immune=(Word("FERR^Ferritine^L", "", "µg/l"), Word("HLADRM^mHLA-DR^L", "", "AS/cel")),
)
GREECE = Hospital(
    site="attikon",
    authority="ATTIKON",
    number_type="MR",
    encoding="iso-8859-7",
    zone="Europe/Athens",
    name=("Παπαδοπούλου", "Ελένη"),
    emergency=("I", "ΤΕΠ"),
    words={
        "pao2": Word("PO2A^pO2 αρτηριακό^99ATT", "68", "mmHg"),
        "fio2": Word("FIO2^FiO2^99ATT", "40", "%"),
        "respiratory-support": Word("ΑΝΑΠΝ^Αναπνευστική υποστήριξη^99ATT", "Μάσκα οξυγόνου", type="ST"),
        "platelets": Word("ΑΙΜΟΠΕΤ^Αιμοπετάλια^99ATT", "88", "χιλ/μL"),
        "bilirubin": Word("ΧΟΛΕΡ^Ολική χολερυθρίνη^99ATT", "2.5", "mg/dl"),
        "map": Word("NBPM^ΜΑΠ^99ATT", "64", "mmHg"),
        "gcs-total": Word("GCS^Κλίμακα Γλασκώβης^99ATT", "14"),
        "creatinine": Word("ΚΡΕΑΤ^Κρεατινίνη^99ATT", "2.0", "mg/100ml"),
        "sars-cov-2": Word("COVPCR^SARS-CoV-2 PCR^99ATT", "ΑΡΝΗΤΙΚΟ", type="ST"),
    },
    immune=(Word("ΦΕΡΡ^Φερριτίνη^99ATT", "", "ng/mL"), Word("HLADR^HLA-DR^99ATT", "", "αντισ/κύτταρο")),
)
HOSPITALS = (US, NL, GREECE)
CASES = {
    "candidate mals": {"us-example": ("5200", "9100"), "nl-example": ("5200,0", "9100"), "attikon": ("5200.0", "9100")},
    "candidate immunoparalysis": {
        "us-example": ("1850", "4200"),
        "nl-example": ("1850,0", "4200,0"),
        "attikon": ("1850", "4200"),
    },
    "not-candidate unclassified": {
        "us-example": ("4420", "5001"),
        "nl-example": ("4420", "5001"),
        "attikon": ("4420.0", "5001"),
    },
}


def read(hospital: Hospital, bodies: list[bytes]) -> tuple[list[ClinicalEvent], PatientState]:
    """All of it used: nothing unmapped, nothing odd."""
    events: list[ClinicalEvent] = []
    for number, body in enumerate(bodies, 1):
        seen = interpret(raw(body, site=hospital.site, received=JUDGED), RULES, message_id=str(number))
        assert (seen.disposition, seen.issues) == ("applied", ())
        assert seen.ledger.as_json()["used"] == seen.ledger.as_json()["observations"]
        events += seen.events
    return events, PatientState(seen.patients[0])


def judged(hospital: Hospital, case: str) -> tuple[Assessment, PatientState]:
    events, nobody = read(hospital, hospital.tells(*CASES[case][hospital.site]))
    outcome = screen(nobody, events, RULES, alerts={}, now=JUDGED)
    (judgement,) = outcome.judgements
    return judgement.assessment, outcome.state


def newest(state: PatientState, *concepts: str) -> Observation:
    (result,) = (result for concept in concepts for result in state.results.get(concept, ()))
    return result.versions[-1]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("hospital", HOSPITALS, ids=lambda hospital: hospital.site)
def test_verdict_sofa_and_stratum_are_the_same(hospital: Hospital, case: str) -> None:
    found, state = judged(hospital, case)
    assert f"{found.verdict} {found.stratum}" == case
    assert {organ: score.score for organ, score in found.sofa.organs.items()} == {
        "respiration": 2,
        "coagulation": 2,
        "liver": 2,
        "cardiovascular": 1,
        "cns": 1,
        "renal": 2,
    }
    assert (found.sofa.low, found.sofa.high) == (10, 10)
    assert found.certainty == ("certain" if found.verdict == "candidate" else "possible")
    assert (found.sepsis.context, found.sepsis.onset) == ("emergency", T0)
    ferritin, mhladr = (Fraction(number) for number in CASES[case]["us-example"])
    for concept, value, unit in (("ferritin", ferritin, "ng/mL"), ("mhladr", mhladr, "{AB}/{cell}")):
        quantity = newest(state, concept).quantity
        assert quantity is not None
        assert (quantity.value, quantity.unit) == (value, unit)
    assert newest(state, "ferritin").effective == after(1)


@pytest.mark.parametrize("hospital", HOSPITALS, ids=lambda hospital: hospital.site)
def test_values_are_the_same_in_our_units_and_as_written_beside_them(hospital: Hospital) -> None:
    _, state = judged(hospital, "candidate mals")
    exact = {"platelets": "88", "bilirubin": "2.5", "creatinine": "2", "fio2": "0.4", "gcs-total": "14"}
    for concept, value in exact.items():
        seen = newest(state, concept)
        assert seen.quantity is not None
        assert seen.quantity.value == Fraction(value)
        assert (seen.original.value, seen.original.unit) == (
            hospital.words[concept].value,
            hospital.words[concept].unit,
        )
    oxygen = newest(state, "pao2").quantity
    assert oxygen is not None
    assert abs(oxygen.value - 68) < Fraction(1, 20)  # two decimals of a kPa
    assert newest(state, "map", "map-cuff").quantity == newest(state, "map", "map-cuff").native
    assert {concept: newest(state, concept).code for concept in SEEN} == SEEN


def test_a_number_grouped_by_points_is_asked_about_where_the_mark_is_a_comma() -> None:
    """`5.200` in the Netherlands is five thousand to a person; to us it is a question."""
    body = NL.report("F2", after(1), Word("FERR^Ferritine^L", "5.200", "µg/l"))
    seen = interpret(raw(body, site=NL.site, received=JUDGED), RULES, message_id="1")
    assert ([issue.code for issue in seen.issues], seen.ledger.as_json()["bad_value"]) == (["ambiguous-number"], 1)


def test_a_ratio_in_kilopascals_is_the_ratio_in_millimetres() -> None:
    """22.67 kPa is 170 mmHg: the respiration score without PaO2 and FiO2 apart."""
    ratio = Word("50984-4^P/F^LN", "22,67", "kPa")
    events, nobody = read(NL, [NL.admission(), NL.report("F1", T0, ratio, NL.words["respiratory-support"])])
    state = screen(nobody, events, RULES, alerts={}, now=JUDGED).state
    quantity = newest(state, "pf-ratio").quantity
    assert quantity is not None
    assert abs(quantity.value - 170) < Fraction(1, 10)


def test_all_three_stand_on_one_worklist_with_their_names_spelled_right(tmp_path: Path) -> None:
    with house(tmp_path) as place:
        place.clock = MovableClock(JUDGED)
        for hospital in HOSPITALS:
            bodies = hospital.tells(*CASES["candidate mals"][hospital.site])
            with place.database.write() as tx:
                put_many(tx, [raw(body, site=hospital.site, received=JUDGED, source=hospital.site) for body in bodies])
        while place.processor.step():
            pass
        page = place.signed_in().get("/").text
    text = page.replace("&#39;", "'")
    for shown in ("NÚÑEZ-O'BRIEN, Zoë", "DANIËLS-ÇELIK, Anneloré", "ΠΑΠΑΔΟΠΟΥΛΟΥ, Ελένη"):
        assert shown in text
    assert not re.search(r"[\ufffd\udc80-\udcff]|Ã|Î", text)
