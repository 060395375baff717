"""Every message nobody here wrote: found as `adapter convert` finds them, read as it reads them, at one fixed time."""

import csv
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from adapter.cli.files import Found, read_messages
from adapter.cli.messages import Reader, reader_of
from adapter.domain.message import MessageKind
from tests.conftest import data_folder

RECEIVED = datetime(2026, 6, 1, tzinfo=UTC)
FOLDER = data_folder() / "hl7v2"
TYPE = re.compile(r"[A-Z][A-Z0-9]{2}(\^[A-Z0-9]{3})?")


@dataclass(frozen=True)
class Reading:
    """One message: its folder of the corpus, whether messages.csv lists its file, what became of it, what it took of the processor."""

    found: Found
    origin: str
    listed: bool
    seen: dict[str, Any]
    seconds: float

    @property
    def kind(self) -> str:
        """MSH-9, or a word where there is none that could be one."""
        if not self.listed:
            return "other files"
        name = str(self.seen["type"])
        return name if TYPE.fullmatch(name) else "no type"


def listed() -> dict[str, int]:
    """File → how many messages messages.csv says it holds."""
    found: dict[str, int] = {}
    with (FOLDER / "messages.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            path = str(FOLDER.parent / row["path"])
            found[path] = found.get(path, 0) + 1
    return found


def reader(site: str = "generic", *, production: bool = False) -> Reader:
    """Beside production: test messages (MSH-11 T, D), which are many here, are read too."""
    return replace(reader_of(site, None, production=production), clock=lambda: RECEIVED)


def read(reading: Reader, messages: Iterable[Found]) -> Iterator[Reading]:
    known = listed()
    for found in messages:
        if found.kind is MessageKind.FHIR:
            continue  # what others expect of a message lies beside it
        path, _, _ = found.source.rpartition("#")
        began = time.process_time()
        seen = reading.read(found)
        seconds = time.process_time() - began
        yield Reading(found, Path(path).relative_to(FOLDER).parts[0], path in known, seen, seconds)


@cache
def everything() -> tuple[Reading, ...]:
    return tuple(read(reader(), read_messages([str(FOLDER)])))
