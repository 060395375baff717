"""Bulk Data `$export` (HL7 FHIR Bulk Data Access 2.0) for what was there before the first poll: asked for once, and resumed.

A round takes one step: the request, a look whether the server is done, or the files. How far it came stands in a bookmark of its
own, saved with what was stored; polling goes on beside it.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from adapter.domain.message import RawMessage, Receipt
from adapter.fhir.page import Entry, bundle_of, moment_of, read_resource
from adapter.fhir.search import Bookmark, Search
from adapter.sources.fhir_client import PollError
from adapter.sources.fhir_crawl import UNREADABLE, Crawl
from adapter.store import polls
from adapter.store.database import Transaction

EXPORT = "$export"
"""The bookmark's name: its watermark is the server's time of a whole export."""
SEARCH = Search(EXPORT, timeless=True)
TOGETHER = 100
"""Resources in one message."""
NDJSON = "application/fhir+ndjson"


@dataclass(frozen=True, slots=True)
class Progress:
    """`status` is where the server is asked whether it is done; `files` its answer, read up to line `line` of file `file`."""

    status: str
    at: str = ""
    files: tuple[tuple[str, str], ...] = ()
    file: int = 0
    line: int = 0

    @classmethod
    def of(cls, mark: Bookmark) -> "Progress | None":
        if not mark.next:
            return None
        said = json.loads(mark.next)
        return cls(**said | {"files": tuple((kind, url) for kind, url in said["files"])})

    def mark(self) -> Bookmark:
        told = {"status": self.status, "at": self.at, "files": self.files, "file": self.file, "line": self.line}
        return Bookmark(next=json.dumps(told))


def wanted(crawl: Crawl) -> bool:
    """Where the configuration asks for one and none has come to its end."""
    return bool(crawl.server.backfill) and _mark(crawl).watermark is None


def step(crawl: Crawl) -> None:
    """Raises PollError; what was stored until then stays."""
    progress = Progress.of(_mark(crawl))
    if progress is None:
        crawl.go_on()
        _save(crawl, Progress(crawl.client.started(_request(crawl))).mark())
        return
    try:
        ready = progress if progress.at else _looked(crawl, progress)
        if ready.at:
            _read(crawl, ready)
    except PollError as error:
        if error.kind in ("gone", "forbidden", "refused"):
            _save(crawl, Bookmark())  # its files have expired: asked for anew
        raise


def _mark(crawl: Crawl) -> Bookmark:
    with crawl.desk.database.read() as conn:
        return polls.bookmark(conn, crawl.server.name, EXPORT)


def _save(crawl: Crawl, mark: Bookmark) -> None:
    crawl.store((), lambda tx, _: polls.save(tx, crawl.server.name, EXPORT, mark))


def _request(crawl: Crawl) -> str:
    server = crawl.server
    level = {"patient": "Patient/", "group": f"Group/{server.group}/"}.get(server.backfill, "")
    since = (crawl.desk.clock() - server.backfill_since).isoformat(timespec="milliseconds")
    asked = {"_type": ",".join(server.kinds), "_since": since, "_outputFormat": NDJSON}
    return f"{server.base}/{level}{EXPORT}?{urlencode(asked, safe=',:/')}"


def _looked(crawl: Crawl, progress: Progress) -> Progress:
    """As it was while the server is still at it."""
    crawl.go_on()
    manifest = crawl.client.progress(progress.status)
    if manifest is None:
        return progress
    at, output = manifest.get("transactionTime"), manifest.get("output")
    if moment_of(at) is None or not isinstance(output, list):
        raise PollError(
            "content", "the export's manifest has no transactionTime or no output — ask who keeps the server"
        )
    if manifest.get("error"):
        crawl.tally.odd("export")
    ready = replace(progress, at=str(at), files=tuple(_files(output, crawl.server.kinds)))
    _save(crawl, ready.mark())
    return ready


def _files(output: Sequence[Any], kinds: Sequence[str]) -> Iterator[tuple[str, str]]:
    """People before what is said of them."""
    listed = [(one.get("type"), one.get("url")) for one in output if isinstance(one, dict)]
    for kind in kinds:
        yield from ((kind, url) for of, url in listed if of == kind and isinstance(url, str))


def _read(crawl: Crawl, ready: Progress) -> None:
    for number in range(ready.file, len(ready.files)):
        kind, url = ready.files[number]
        here = replace(ready, file=number, line=ready.line if number == ready.file else 0)
        lines = islice(crawl.client.lines(url), here.line, None)
        while some := list(islice(lines, TOGETHER)):
            here = replace(here, line=here.line + len(some))
            _keep(crawl, kind, some, here)
    _finish(crawl, ready)


def _keep(crawl: Crawl, kind: str, lines: Sequence[bytes], here: Progress) -> None:
    """Lines with what they refer to as one message; one that is no resource goes to quarantine by itself."""
    crawl.go_on()
    name = crawl.server.name
    read = [(line, read_resource(line)) for line in lines if line.strip()]
    entries = [one for _, one in read if one is not None and one.kind == kind]
    with crawl.desk.database.read() as conn:
        seen = polls.versions(conn, name, {one.name for one in entries})
    fresh = [one for one in entries if seen.get(one.name) != one.version]
    found = crawl.beside(fresh, {one.name for one in entries})
    broken = [crawl.message(kind, line, quarantine=UNREADABLE) for line, one in read if one is None]
    body = bundle_of([*fresh, *found], "collection", crawl.server.base).encode()
    messages = ([crawl.message(kind, body)] if fresh else []) + broken
    _stored(crawl, messages, [*fresh, *found], here)
    crawl.tally.page(kind, len(fresh))


def _stored(crawl: Crawl, messages: Sequence[RawMessage], entries: Sequence[Entry], here: Progress) -> None:
    name = crawl.server.name

    def beside(tx: Transaction, receipts: Sequence[Receipt]) -> None:
        if entries:
            polls.note(tx, name, entries, receipts[0].inbox_id, crawl.desk.clock())
        polls.save(tx, name, EXPORT, here.mark())

    crawl.store(messages, beside)


def _finish(crawl: Crawl, ready: Progress) -> None:
    """Polling of what was never polled begins where the export ended; the server may forget its files."""
    name, at = crawl.server.name, datetime.fromisoformat(ready.at)
    with crawl.desk.database.read() as conn:
        marks = {kind: polls.bookmark(conn, name, kind) for kind in crawl.server.kinds}

    def beside(tx: Transaction, _receipts: Sequence[Receipt]) -> None:
        for kind, mark in marks.items():
            if mark == Bookmark():
                polls.save(tx, name, kind, Bookmark(at))
        polls.save(tx, name, EXPORT, Bookmark(at))

    crawl.store((), beside)
    crawl.client.ended(ready.status)
