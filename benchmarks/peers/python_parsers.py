"""Python parsers as workers (see `benchmarks.peers.worker`): `python python_parsers.py NAME FILE`, in the peers' own environment.

Each reads of every message MSH-10, PID-3.1, and of each OBX 3.1, 3.2, 5, 6.1, 11 and 14.1, as decoded text.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Reader = Callable[[str], list[str]]
OBX = ((3, 1), (3, 2), (5, 1), (6, 1), (11, 1), (14, 1))


def plain_split(text: str) -> list[str]:
    """The least that reads these fields: no other separators than the usual, escapes replaced, nothing else of HL7."""
    found = []
    for line in text.split("\r"):
        name = line[:3]
        if name == "OBX":
            fields = line.split("|")
            code = fields[3].split("^")
            found += [code[0], code[1], fields[5], fields[6].split("^")[0], fields[11], fields[14]]
        elif name == "MSH":
            found.append(line.split("|")[9])
        elif name == "PID":
            found.append(line.split("|")[3].split("^")[0])
    return [one.replace("\\T\\", "&") if "\\" in one else one for one in found]


def python_hl7() -> Reader:
    import hl7

    def part(message: Any, segment: Any, field: int, component: int) -> str:
        value = segment(field)
        value = value[0] if value else ""
        if not isinstance(value, str):
            value = value[component - 1]
        while not isinstance(value, str):
            value = value[0]
        return message.unescape(value)

    def read(text: str) -> list[str]:
        message = hl7.parse(text)
        found = [str(message.segment("MSH")(10)), part(message, message.segment("PID"), 3, 1)]
        try:
            lines = message.segments("OBX")
        except KeyError:
            return found
        return found + [part(message, line, *place) for line in lines for place in OBX]

    return read


def hl7apy() -> Reader:
    from hl7apy.consts import VALIDATION_LEVEL
    from hl7apy.parser import parse_message

    def part(segment: Any, field: int, component: int) -> str:
        value = getattr(segment, f"{segment.name.lower()}_{field}").to_er7()
        value = value.split("^")[component - 1]
        return value.replace("\\T\\", "&")

    def read(text: str) -> list[str]:
        message = parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=False)
        found = [part(message.msh, 10, 1), part(message.pid, 3, 1)]
        return found + [part(line, *place) for line in message.obx for place in OBX]

    return read


def hl7types() -> Reader:
    from hl7types import decode_er7

    def lines(message: Any) -> Iterator[Any]:
        for result in getattr(message, "PATIENT_RESULT", None) or ():
            for order in result.ORDER_OBSERVATION:
                for observation in order.OBSERVATION or ():
                    yield observation.OBX

    def read(text: str) -> list[str]:
        message = decode_er7(text)
        results = getattr(message, "PATIENT_RESULT", None)
        pid = results[0].PATIENT.PID if results else message.PID
        found = [message.MSH.msh_10, pid.pid_3[0].cx_1]
        for line in lines(message):
            code = line.obx_3
            found += [code.ce_1, code.ce_2, line.obx_5[0], line.obx_6.ce_1, line.obx_11, line.obx_14.ts_1]
        return found

    return read


def hl7kit() -> Reader:
    from hl7kit import parse

    def read(text: str) -> list[str]:
        message = parse(text)
        get = message.get
        found = [message.control_id, get("PID-3.1")]
        for number in range(1, message.segments().count("OBX") + 1):
            found += [get(f"OBX[{number}]-{field}.{component}") for field, component in OBX]
        return found

    return read


def medforge() -> Reader:
    from medforge import parse

    def read(text: str) -> list[str]:
        message = parse(text)
        found = [message.control_id, message.segment("PID").field(3).component(1)]
        for line in message.segments_by_name("OBX"):
            field = line.field
            found += [field(number).component(component) for number, component in OBX]
        return [str(one) for one in found]

    return read


READERS = {
    "plain str.split": lambda: plain_split,
    "python-hl7": python_hl7,
    "hl7apy": hl7apy,
    "hl7types": hl7types,
    "hl7kit": hl7kit,
    "medforge": medforge,
}


def main() -> None:
    warnings.simplefilter("ignore")
    read = READERS[sys.argv[1]]()
    texts = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    print(json.dumps([read(text) for text in texts]), flush=True)
    for line in sys.stdin:
        seconds, done, count, began = float(line), 0, len(texts), time.perf_counter()
        while (spent := time.perf_counter() - began) < seconds:
            read(texts[done % count])
            done += 1
        print(done / spent, flush=True)


main()
