"""HAPI HL7v2 and the UCUM reference implementation, asked through one Java process."""

import base64
import json
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import data_folder
from tests.jars import BRIEF, absent, fetched

HERE = Path(__file__).parent / "java"
ESSENCE = data_folder() / "terminology" / "ucum-org" / "ucum-essence.xml"


class JavaOracle:
    def __init__(self) -> None:
        command = ["java", *BRIEF, "-cp", f"{fetched(HERE, 'oracles')}/*", str(HERE / "Oracle.java"), str(ESSENCE)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def close(self) -> None:
        self._process.communicate()

    def ask(self, questions: Iterable[str]) -> Iterator[str]:
        """One answer a question, in their order."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        for question in questions:
            self._process.stdin.write(question.encode("ascii") + b"\n")
            self._process.stdin.flush()
            yield self._process.stdout.readline().decode().rstrip("\n")

    def read(self, text: str) -> list[Any] | str:
        """What HAPI's generic model reads: `[name, fields]` for each segment; or the name of its refusal."""
        (answer,) = self.ask([f"G {encoded(text)}"])
        return answer[2:].split(" ")[0] if answer.startswith("!") else json.loads(answer)

    def valid(self, unit: str) -> bool:
        (answer,) = self.ask([f"V {encoded(unit)}".strip()])
        return answer == "OK"

    def convert(self, value: str, source: str, target: str) -> str | None:
        """Exact decimal text; `None` where the two cannot be compared."""
        (answer,) = self.ask([f"C {value} {encoded(source)} {encoded(target)}"])
        return None if answer.startswith("!") else answer


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture(scope="module")
def oracle() -> Iterator[JavaOracle]:
    if reason := absent():
        pytest.skip(reason)
    made = JavaOracle()
    yield made
    made.close()
