"""Parsing, beside other people's parsers in one run: the same decoded fields of the same messages read by each.

Of every message MSH-10, PID-3.1, and of each OBX 3.1, 3.2, 5, 6.1, 11 and 14.1. Every parser is a process of its own, warm, asked
in turns, so that a ratio is of one machine in one mood. We start from bytes and decode them; the others are given text.
"""

import json
import statistics
import tempfile
from pathlib import Path

from adapter.hl7 import compose
from benchmarks.peers.worker import OURS, Parser, parsers
from benchmarks.report import number, spread, table

VARIANTS = 50
"""Different messages of a shape, so that nobody lives on remembering the last one."""
UNIT = ("10*3/uL", "", "UCUM")


def oru(variant: int, lines: int) -> bytes:
    at = f"202601020{variant % 10}{lines:02}{variant % 60:02}+0100"
    found = [head(variant, ("ORU", "R01", "ORU_R01"), at), *person(variant)]
    found.append(
        compose.segment("OBR", "1", ("P1", "CPOE"), (f"F{variant}", "LIS"), ("24323-8", "Panel", "LN"), None, None, at)
    )
    for n in range(1, lines + 1):
        code, value = (f"{2160 + n}-0", "Creatinine & more", "LN"), f"{n}.{variant}"
        found.append(
            compose.segment(
                "OBX", str(n), "NM", code, str(n), value, UNIT, "0.6-1.2", "N", None, None, "F", None, None, at
            )
        )
    return compose.er7(found)


def adt(variant: int) -> bytes:
    at = f"2026010203{variant % 60:02}00+0100"
    return compose.er7(
        [head(variant, ("ADT", "A01", "ADT_A01"), at), compose.segment("EVN", "A01", at), *person(variant)]
    )


def head(variant: int, kind: tuple[str, ...], at: str) -> str:
    return compose.segment("MSH", "LAB", "HOSP", "ADAPTER", "TRIAL", at, None, kind, f"M{variant}", "P", "2.5.1")


def person(variant: int) -> list[str]:
    return [
        compose.segment(
            "PID", "1", None, (f"1{variant}", "", "", "HOSP", "MR"), None, ("DOE & DOE", "JANE"), None, "19600101", "F"
        ),
        compose.segment("PV1", "1", "I", ("ICU", "1", "2"), *[None] * 15, (f"V{variant}", "", "", "HOSP", "VN")),
    ]


SHAPES = {
    "ORU, 20 OBX": [oru(n, 20) for n in range(VARIANTS)],
    "ORU, 1 OBX": [oru(n, 1) for n in range(VARIANTS)],
    "ADT": [adt(n) for n in range(VARIANTS)],
}


def measured(messages: list[bytes], seconds: float, rounds: int) -> dict[str, list[float]]:
    """Rates by parser, one a round; a parser that reads other values than we do has no rate."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "messages.json"
        texts = [message.decode() for message in messages]
        file.write_text(json.dumps(texts))
        file.with_suffix(".lines").write_text("\n".join(text.replace("\r", "\x1e") for text in texts))
        found = parsers(file)
        same = {name: parser for name, parser in found.items() if parser.read == found[OURS].read}
        for name in found.keys() - same.keys():
            print(f"  {name} reads otherwise: {difference(found[name], found[OURS])}")
        for parser in same.values():
            parser.rate(seconds)  # warm: the first second is nobody's
        rates = [{name: parser.rate(seconds) for name, parser in same.items()} for _ in range(rounds)]
        for parser in found.values():
            parser.close()
    return {name: [one[name] for one in rates] for name in same}


def difference(theirs: Parser, ours: Parser) -> str:
    pairs = (
        (a, b) for one, other in zip(theirs.read, ours.read, strict=True) for a, b in zip(one, other, strict=False)
    )
    return next((f"{a!r} where we read {b!r}" for a, b in pairs if a != b), "another number of values")


def main(*, quick: bool = False) -> str:
    seconds, rounds = (0.2, 3) if quick else (1.0, 5)
    found = {shape: measured(messages, seconds, rounds) for shape, messages in SHAPES.items()}
    names = list(dict.fromkeys(name for rates in found.values() for name in rates))
    rows = [[name, *(cell(rates, name) for rates in found.values())] for name in names]
    heads = [f"{shape} ({len(messages[0])} bytes)" for shape, messages in SHAPES.items()]
    note = f"Messages a second on one core, spread of {rounds} rounds, and how many times as fast we are."
    return f"{table(['parser', *heads], rows)}\n\n{note}"


def cell(rates: dict[str, list[float]], name: str) -> str:
    if name not in rates:
        return "reads other values"
    text = f"{number(statistics.median(rates[name]))} ±{spread(rates[name])}"
    ratio = statistics.median(ours / theirs for ours, theirs in zip(rates[OURS], rates[name], strict=True))
    return text if name == OURS else f"{text} ({number(ratio)} ×)"


if __name__ == "__main__":
    print(main())
