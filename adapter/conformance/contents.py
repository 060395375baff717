"""Cases about content, which never changes the answer of the generic profile: rows C of the catalogue, mllp-receiver 4.5."""

from functools import partial

from adapter.conformance import odd
from adapter.conformance.model import Act, Case
from adapter.conformance.probe import AUTHORITY, PATIENT, Probe, framed, in_turn, listed, obr, obx, pv1

MOVEMENTS = ("A01", "A02", "A03", "A04", "A05", "A06", "A07", "A08", "A11", "A12", "A13", "A28", "A31")
STATUSES = tuple("FPCXDWRSUABVINO")
"""Table 0085, every letter a laboratory may send."""
TIMES = ("1900", "190001", "19000101", "1900010100", "190001010000", "19000101000000.1234+0530", "19000101000060")
NUMBERS = ("1,2", " 7 ", "+5", "1 000", "<=3", "1'234", "16", "2500000")
DOCUMENT = 10_000_000
BIRTHS = ("20300101", "18000101", "00000000", "1950", "not known")


def merge(probe: Probe, gone: str = "ZZTEST-OTHER") -> bytes:
    mrg = (f"MRG|{gone}^^^{AUTHORITY}^PI",) if gone else ()
    return framed(probe.adt("A40", *mrg) if mrg else probe.adt("A40", "PD1|"))


def results(probe: Probe, *values: str, **parts: str) -> bytes:
    """All of them in one message."""
    return framed(probe.oru(*listed(values, **parts)))


def births(probe: Probe) -> list[Act]:
    return in_turn(*(probe.oru(born=born) for born in BIRTHS))


def numbers_of_patients(probe: Probe) -> list[Act]:
    numbers = (f" {PATIENT} ", f"0{PATIENT}", "１００", "1" * 300)
    return in_turn(*(probe.oru(patient=f"{number}^^^{AUTHORITY}^PI") for number in numbers))


def movements(probe: Probe) -> list[Act]:
    return in_turn(*(probe.adt(event) for event in MOVEMENTS))


def statuses(probe: Probe) -> bytes:
    return framed(probe.oru(*(obx("1", status=letter, sub=letter) for letter in STATUSES)))


def corrected(probe: Probe) -> list[Act]:
    """Preliminary, final, corrected; then the final one again."""
    return in_turn(*(probe.oru(obx("1", status=letter)) for letter in "PFCF"))


def times(probe: Probe, *moments: str) -> list[Act]:
    return in_turn(*(probe.message("ORU^R01", probe.pid(), obr(at=at), obx("1", at=at)) for at in moments))


def names(probe: Probe, *texts: str) -> list[Act]:
    return in_turn(*(probe.oru(name=text) for text in texts))


CASES = (
    Case("C01", "PID-3 empty", "C01 61", lambda p: framed(p.oru(patient="")), strict="AE 101"),
    Case(
        "C01-pid", "no PID at all", "C01 61", lambda p: framed(p.message("ORU^R01", obr(), obx("1"))), strict="AE 101"
    ),
    Case(
        "C02", "a patient of another authority", "C02 61", lambda p: framed(p.oru(patient=f"{PATIENT}^^^ELSEWHERE^SS"))
    ),
    Case("C04", "odd patient numbers", "C04 61", numbers_of_patients),
    Case("C05", "odd dates of birth", "C05 57", births),
    Case("C06", "PID-8 unknown", "C06", lambda p: framed(p.oru(sex="Q"))),
    Case("C09", "a merge (A40)", "C09 60", merge),
    Case("C11", "a merge of a patient with himself", "C11", partial(merge, gone=PATIENT)),
    Case("C18", "a merge without MRG", "C18", partial(merge, gone=""), strict="AE 100"),
    Case("C24", "every movement and its cancel", "C24 C21 C23 60", movements),
    Case("C22", "PV1-19 empty", "C22", lambda p: framed(p.adt("A01", "PV1|1|N|CONFORMANCE"))),
    Case(
        "C25",
        "a transfer to an unknown ward",
        "C25",
        lambda p: framed(p.adt("A02", "PV1|1|N|NOWHERE^^1" + "|" * 16 + "ZZTEST-VISIT")),
    ),
    Case(
        "C27",
        "a death, then results",
        "C27",
        lambda p: in_turn(p.message("ADT^A08", "EVN|A08", p.pid() + "|" * 22 + "Y", pv1()), p.oru()),
    ),
    Case("C28", "preliminary, final, corrected, final", "C28 C29 59", corrected),
    Case("C30", "every letter of table 0085", "C30 C31 59", statuses),
    Case("C32", "OBX-5 empty", "C32", lambda p: results(p, "")),
    Case("C33", "bounds instead of values", "C33 58", lambda p: results(p, *odd.BOUNDS, kind="NM")),
    Case("C34", "words instead of numbers", "C34 58", lambda p: results(p, *odd.NO_NUMBERS)),
    Case("C35", "numbers as people write them", "C35 C36 58", lambda p: results(p, *NUMBERS, *odd.GROUPED, kind="NM")),
    Case(
        "C39",
        "the micro sign in three ways",
        "C39 C37 C38",
        lambda p: framed(p.oru(*(obx("1", unit=unit) for unit in odd.MICRO_SIGNS))),
    ),
    Case(
        "C41",
        "numbers only a programming language reads",
        "C41 58",
        lambda p: results(p, *odd.ONLY_PROGRAMS_READ, kind="NM"),
    ),
    Case(
        "C42",
        "OBX-2 and OBX-5 disagree",
        "C42",
        lambda p: framed(p.oru(obx("low", kind="NM"), obx(">^100", kind="SN"), obx("98", kind="QQ"))),
    ),
    Case(
        "C43",
        "an embedded document of 10 MB",
        "C43 12",
        lambda p: framed(p.oru(obx("^AP^PDF^Base64^" + "A" * min(DOCUMENT, p.limit - 4096), kind="ED"))),
        times=3,
    ),
    Case("C46", "no time of observation", "C46", lambda p: times(p, "")),
    Case("C50", "no times", "C50 57", lambda p: times(p, *odd.NO_TIMES)),
    Case("R57", "times of every precision", "57", lambda p: times(p, *TIMES)),
    Case("C55", "several values of one code", "C55", lambda p: results(p, "1", "2", "3")),
    Case(
        "C62", "what a spreadsheet, browser, database or mailer would obey", "C62", lambda p: names(p, *odd.FREE_TEXT)
    ),
    Case("C63", "what a template or logger would obey", "C63", lambda p: names(p, *odd.PATTERNS)),
    Case("C64", "bidirectional and zero-width characters", "C64", lambda p: names(p, odd.INVISIBLE)),
    Case("C65", "names of the world, in UTF-8", "C65 56", lambda p: names(p, *odd.NAMES.values(), "N" * 200)),
    Case(
        "R60",
        "a planned admission and the deletion of a visit's patient",
        "60",
        lambda p: in_turn(p.adt("A05"), p.adt("A29")),
        strict="AA/AR 201",
    ),
)
