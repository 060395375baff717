"""What we compose is read by others as it was meant: values in, ER7 bytes, their values."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from adapter.hl7 import compose
from tests.oracles import generated, trees
from tests.oracles.java_oracle import JavaOracle, oracle

__all__ = ["oracle"]
MESSAGES = 300
TEXTS = (
    *tuple(text for text in generated.PLAIN if "\t" not in text),
    "|^~\\&",
    "\\E\\",
    "a\\.br\\b",
    "C:\\lab\\new",
    "&amp;",
    "50%",
)
"""No control characters: HAPI does not decode `\\X..\\`."""

pytestmark = pytest.mark.server


def composed(dice: random.Random) -> tuple[bytes, list[trees.Line]]:
    head: list[Any] = [
        "LAB",
        "HOSP",
        "ADAPTER",
        "TRIAL",
        "20260102031000",
        None,
        ("ORU", "R01", "ORU_R01"),
        "C1",
        "P",
        "2.5.1",
    ]
    lines, meant = [compose.segment("MSH", *head)], []
    for _ in range(dice.randint(1, 6)):
        parts = [field(dice) for _ in range(dice.randint(0, 8))]
        lines.append(compose.segment("OBX", *(as_field(one) for one in parts)))
        meant.append(trees.Line("OBX", trees.trimmed(parts)))
    return compose.er7(lines), meant


def field(dice: random.Random) -> trees.Parts:
    return [
        [[dice.choice(TEXTS) for _ in range(dice.choice((1, 1, 2)))] for _ in range(dice.choice((1, 2, 3)))]
        for _ in range(dice.choice((1, 1, 2)))
    ]


def as_field(parts: trees.Parts) -> Any:
    return [tuple(tuple(component) for component in repetition) for repetition in parts]


def messages() -> Iterator[tuple[bytes, list[trees.Line]]]:
    dice = random.Random(7)
    return (composed(dice) for _ in range(MESSAGES))


def test_hapi_reads_what_we_composed(oracle: JavaOracle) -> None:
    for payload, meant in messages():
        read = oracle.read(payload.decode())
        assert not isinstance(read, str), read
        assert trees.by_hapi(read)[1:] == meant


def test_python_hl7_reads_what_we_composed() -> None:
    for payload, meant in messages():
        read = trees.by_python_hl7(payload.decode())
        assert not isinstance(read, str), read
        assert [trees.Line(one.name, stripped(one.fields)) for one in read[1:]] == [
            trees.Line(one.name, stripped(one.fields)) for one in meant
        ]


def stripped(tree: Any) -> Any:
    """python-hl7 strips the end of the message."""
    return trees.trimmed(tree.strip() if isinstance(tree, str) else [stripped(one) for one in tree])


def test_hl7apy_reads_what_we_composed() -> None:
    """Its place for a component depends on the data type, so only the texts in their order are compared."""
    for payload, meant in list(messages())[::10]:
        read = trees.by_hl7apy(payload.decode())
        assert not isinstance(read, str), read
        assert [texts(one) for one in read[1:]] == [texts(one) for one in meant]


def texts(line: trees.Line) -> list[str]:
    flat = [
        part
        for field in [*line.fields, line.beyond]
        for repetition in field
        for component in repetition
        for part in component
    ]
    return sorted(text.strip() for text in flat if text.strip())
