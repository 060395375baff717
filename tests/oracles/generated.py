"""Messages made at random from a seed: delimiters, escapes, repetitions, components, subcomponents, nulls, empties, odd line ends."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from adapter.hl7.escapes import Delimiters
from tests.oracles.trees import Line, Parts, trimmed

MARKS = ("|^~\\&", "|^~\\&", "|^~\\&#", "$%~\\&", "|@~!&", "*^+\\&", "|^~\\$", ";:~\\&")
NAMES = ("PID", "PV1", "OBR", "OBX", "NTE", "ZZ1", "SPM", "AL1", "IN1", "FT1")
ENDS = (b"\r", b"\r", b"\r", b"\r\n", b"\n")
PLAIN = (
    "",
    "",
    "a",
    "5200",
    "1.5",
    "Doe",
    "20260102030000+0100",
    '""',
    "µmol/L",
    "Ω",
    "日本",
    "a b",
    " b ",
    "-",
    "x" * 300,
    "''",
    "\t",
)
SEQUENCES = "FSTRE"


@dataclass(frozen=True)
class Made:
    """The bytes, and what was meant by them."""

    payload: bytes
    lines: list[Line]


def messages(seed: int, count: int) -> Iterator[Made]:
    dice = random.Random(seed)
    for number in range(count):
        yield message(dice, number)


def message(dice: random.Random, number: int) -> Made:
    written = dice.choice(MARKS)
    marks = Delimiters(*written)
    head = [[[[marks.field]]], [[[written[1:]]]], *([[[text]]] for text in ("LAB", "HOSP", "ADAPTER", "TRIAL"))]
    head += [[[["20260102031000"]]], [], [[["ORU"], ["R01"]]], [[[f"G{number}"]]], [[["P"]]], [[["2.5.1"]]]]
    lines = [Line("MSH", head), *(line(dice, marks) for _ in range(dice.randint(1, 8)))]
    first = f"MSH{written}{marks.field}" + marks.field.join(field(one, marks) for one in head[2:])
    rest = [marks.field.join([one.name, *(field(parts, marks) for parts in one.fields)]) for one in lines[1:]]
    end = dice.choice(ENDS)
    payload = end.join(text.encode() for text in (first, *rest)) + dice.choice((end, end, b"", end * 2))
    return Made(payload, [Line(one.name, trimmed(one.fields)) for one in lines])


def line(dice: random.Random, marks: Delimiters) -> Line:
    return Line(dice.choice(NAMES), [parts(dice, marks) for _ in range(dice.randint(0, 9))])


def parts(dice: random.Random, marks: Delimiters) -> Parts:
    def many(most: int) -> range:
        return range(dice.choice((1, 1, 1, 2, most)))

    return [[[leaf(dice, marks) for _ in many(3)] for _ in many(4)] for _ in many(3)]


def leaf(dice: random.Random, marks: Delimiters) -> str:
    text = dice.choice(PLAIN)
    if dice.random() < 0.15:
        text += dice.choice((marks.field, marks.component, marks.subcomponent, marks.repetition, marks.escape)) + "z"
    return text


def field(parts: Parts, marks: Delimiters) -> str:
    return marks.repetition.join(
        marks.component.join(
            marks.subcomponent.join(escaped(part, marks) for part in component) for component in repetition
        )
        for repetition in parts
    )


def escaped(text: str, marks: Delimiters) -> str:
    """Written anew here, so that `adapter.hl7.escapes` is judged by something else."""
    names = dict(
        zip((marks.field, marks.component, marks.subcomponent, marks.repetition, marks.escape), SEQUENCES, strict=True)
    )
    return "".join(f"{marks.escape}{names[letter]}{marks.escape}" if letter in names else letter for letter in text)
