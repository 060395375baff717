"""Parsing beside python-hl7 and hl7apy in one run: the same decoded fields of a 20-OBX ORU read by each.

    python benchmarks/parse.py [SECONDS]

Prints messages a second and our ratio to each peer; the absolute figures mean little on a noisy machine.
"""

import statistics
import sys
import time
import warnings
from collections.abc import Callable

from adapter.hl7 import compose, er7

OBSERVATIONS = 20
ROUNDS = 5
OBR_FIELDS = (2, 3, 4, 7, 22)
OBX_FIELDS = (2, 3, 4, 5, 6, 11, 14)

Reader = Callable[[bytes], list[str]]


def message() -> bytes:
    header = compose.segment(
        "MSH",
        "LAB",
        "HOSP",
        "ADAPTER",
        "TRIAL",
        "20260102030405+0100",
        None,
        ("ORU", "R01", "ORU_R01"),
        "1",
        "P",
        "2.5.1",
    )
    patient = compose.segment(
        "PID", "1", None, ("100", "", "", "HOSP", "MR"), None, ("DOE & DOE", "JANE"), None, "19600101", "F"
    )
    visit = compose.segment("PV1", "1", "I", ("ICU", "1", "2"), *[None] * 15, ("V100", "", "", "HOSP", "VN"))
    order = compose.segment(
        "OBR",
        "1",
        ("P1", "CPOE"),
        ("F1", "LIS"),
        ("24323-8", "Panel", "LN"),
        None,
        None,
        "20260102030000+0100",
        *[None] * 14,
        "20260102033000+0100",
    )
    results = [
        compose.segment(
            "OBX",
            str(n),
            "NM",
            ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "LN"),
            str(n),
            "1.20",
            ("mg/dL", "", "UCUM"),
            "0.6-1.2",
            "N",
            None,
            None,
            "F",
            None,
            None,
            "20260102030000+0100",
        )
        for n in range(1, OBSERVATIONS + 1)
    ]
    return compose.er7([header, patient, visit, order, *results])


def ours(payload: bytes) -> list[str]:
    read = er7.parse(payload)
    found = []
    for name, fields in (("PID", (3,)), ("PV1", (19,)), ("OBR", OBR_FIELDS), ("OBX", OBX_FIELDS)):
        for segment in read.all(name):
            text = segment.text
            found += [text(field) for field in fields]
    return found


def python_hl7(payload: bytes) -> list[str]:
    import hl7

    read = hl7.parse(payload.decode())
    found = []
    for name, fields in (("PID", (3,)), ("PV1", (19,)), ("OBR", OBR_FIELDS), ("OBX", OBX_FIELDS)):
        for segment in read.segments(name):
            found += [_of_python_hl7(read, segment, field) for field in fields]
    return found


def _of_python_hl7(read: object, segment: object, field: int) -> str:
    value = segment(field)[0] if segment(field) else ""
    while not isinstance(value, str):
        value = value[0]
    return read.unescape(value)


def hl7apy(payload: bytes) -> list[str]:
    from hl7apy.consts import VALIDATION_LEVEL
    from hl7apy.parser import parse_message

    read = parse_message(payload.decode(), validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=False)
    found = []
    for name, fields in (("PID", (3,)), ("PV1", (19,)), ("OBR", OBR_FIELDS), ("OBX", OBX_FIELDS)):
        for segment in getattr(read, name.lower()):
            found += [_of_hl7apy(getattr(segment, f"{name.lower()}_{field}")) for field in fields]
    return found


def _of_hl7apy(field: object) -> str:
    text = field.to_er7() if field else ""
    return text.split("^")[0].replace("\\T\\", "&")


def rate(read: Reader, payload: bytes, seconds: float) -> float:
    read(payload)
    done, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        read(payload)
        done += 1
    return done / spent


def main(seconds: float = 1.0) -> None:
    warnings.simplefilter("ignore")
    payload = message()
    readers = {"adapter": ours, "python-hl7": python_hl7, "hl7apy": hl7apy}
    expected = ours(payload)
    for name, read in readers.items():
        if read(payload) != expected:
            raise SystemExit(f"{name} reads other values than we do")
    rounds = [{name: rate(read, payload, seconds) for name, read in readers.items()} for _ in range(ROUNDS)]
    print(
        f"ORU with {OBSERVATIONS} OBX, {len(payload)} bytes, {len(expected)} decoded fields; median of {ROUNDS} rounds"
    )
    for name in readers:
        print(f"  {name:<12}{statistics.median(one[name] for one in rounds):>12,.0f} messages/s")
    for peer in ("python-hl7", "hl7apy"):
        print(f"  {statistics.median(one['adapter'] / one[peer] for one in rounds):>8,.0f} x {peer}")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
