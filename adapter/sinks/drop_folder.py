"""Writes snapshots as CSV files to a drop folder, for EDCs that import files: complete or absent, checksummed, in order."""

import asyncio
import csv
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from adapter import flushed
from adapter.domain.message import Delivery, RemoteResource
from adapter.errors import RejectedError, UnavailableError
from adapter.fhir.flat import KINDS, Flat, Row
from adapter.sinks.redcap import snapshot

FORMAT = "immunosep-adapter-csv-1"
MANIFEST = "manifest.json"
FILES = {"record": "record.csv", "observation": "observations.csv", "day": "days.csv"}
LEADING = ("snapshot", "sequence", "screening_number", "tells")
GROUPS = {"status": "status", "findings": "verdict", "sofa": "sofa-total", "vital-status": "vital-status"}
"""What a row may tell, each by an item that stands for it: an empty cell of what it tells is unknown, of the rest unsaid."""
FILE_MODE, FOLDER_MODE = 0o640, 0o750
"""Whoever fetches the files is in the folder's group."""

_KEY = re.compile(r"[A-Za-z0-9_-]{8,80}", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?", re.ASCII)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class DropFolder:
    """A Sink: one folder a snapshot, renamed into place as a whole. The number of a subject's snapshot rises by one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def deliver(self, delivery: Delivery) -> RemoteResource | None:
        """The snapshot that now stands for the subject: its key and its number."""
        if not _KEY.fullmatch(delivery.key):
            raise RejectedError("the delivery's key is no file name — this is a bug of ours, report it")
        told = snapshot(delivery.payload)
        before = delivery.remote
        sequence = int(before.version) + 1 if before is not None and before.version.isdecimal() else 1
        files = dict(_files(told, delivery.key, sequence))
        files[MANIFEST] = _manifest(told, delivery.key, sequence, before.id if before else None, files)
        try:
            await asyncio.to_thread(self._write, f"{told.number}-{sequence:04d}-{delivery.key[:8]}", files)
        except OSError as error:
            raise UnavailableError(
                f"cannot write to the drop folder ({type(error).__name__}) — check that it is there, its space and rights"
            ) from None
        return RemoteResource(delivery.key, str(sequence))

    def _write(self, name: str, files: dict[str, bytes]) -> None:
        """The drop folder itself is never made: it may be a share that is not mounted."""
        place, part = self._folder / name, self._folder / f".{name}.part"
        if place.is_dir():
            return
        if part.exists():
            shutil.rmtree(part)
        part.mkdir()
        for file, data in files.items():
            made = os.open(part / file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
            flushed.write(made, data, lambda handle: os.fchmod(handle, FILE_MODE))
        part.chmod(FOLDER_MODE)
        flushed.flush_folder(part)
        part.rename(place)
        flushed.flush_folder(self._folder)


def _files(told: Flat, key: str, sequence: int) -> Iterator[tuple[str, bytes]]:
    for kind, name in FILES.items():
        items = [item for item in KINDS[kind] if item != "screening-number"]
        head = (*LEADING, *(item.replace("-", "_") for item in items))
        rows = [
            (key, str(sequence), told.number, _tells(row), *(row.get(i, "") for i in items)) for row in told.rows(kind)
        ]
        yield name, _csv([head, *rows])


def _tells(row: Row) -> str:
    return " ".join(group for group, item in GROUPS.items() if item in row)


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    """RFC 4180, UTF-8."""
    written = io.StringIO()
    csv.writer(written).writerows([[cell(text) for text in row] for row in rows])
    return written.getvalue().encode()


def cell(text: str) -> str:
    """Nothing that a spreadsheet would carry out: whatever opens a formula and is no number gets an apostrophe before it."""
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def _manifest(told: Flat, key: str, sequence: int, before: str | None, files: dict[str, bytes]) -> bytes:
    sizes = {"record.csv": 1, "observations.csv": len(told.observations), "days.csv": len(told.days)}
    content = {
        "format": FORMAT,
        "snapshot": key,
        "screening_number": told.number,
        "sequence": sequence,
        "supersedes": before,
        "study": told.record["study"],
        "told_at": told.record.get("told-at", ""),
        "software": told.record.get("software", ""),
        "files": [
            {"name": name, "rows": sizes[name], "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in files.items()
        ],
    }
    return json.dumps(content, indent=1).encode() + b"\n"
