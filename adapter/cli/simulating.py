"""`adapter simulate`: the synthetic hospital as files, or as a feed."""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapter.cli.messages import address, progress
from adapter.cli.options import AsJson, say_json
from adapter.errors import ConfigError, UnavailableError

if TYPE_CHECKING:
    from adapter.simulation.messages import Sent
    from adapter.simulation.traffic import Plan
    from adapter.sinks.mllp_sender import Summary

MANIFEST = "manifest.json"
MESSAGES = "messages"
"""A folder of their own, so that `adapter send DIR/messages` sends nothing else."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Where to, and how fast: 1 is the hospital's own time, 0 as fast as answers come."""

    host: str
    port: int
    speed: float


def simulate(  # noqa: PLR0913 — a command's words
    beds: Annotated[
        int, typer.Option(min=1, max=20_000, help="1,000 beds send 3 messages a second at the mean.")
    ] = 1000,
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 366, help="How long the run is.")] = 24,
    seed: Annotated[int, typer.Option(help="The same seed and start give the same bytes.")] = 1,
    site: Annotated[str, typer.Option(help="Whose codes, units, charset and zone to write with.")] = "generic",
    out: Annotated[Path | None, typer.Option(help="Write files here: one for each hour, and a manifest.")] = None,
    to: Annotated[str | None, typer.Option(help="HOST:PORT of a receiver.")] = None,
    start: Annotated[
        str | None,
        typer.Option(
            help="First moment, ISO 8601 with offset. Files: the evening before the clock change of 2025; "
            "a feed: now, or HOURS ago with --speed 0."
        ),
    ] = None,
    speed: Annotated[float, typer.Option(min=0, help="Of a feed: 1 is real time; 0: as fast as answers come.")] = 1,
    as_json: AsJson = False,
) -> None:
    """A synthetic hospital: results and movements with corrections, cancels, merges, late, doubled and spoiled messages.

    Nobody in it ever lived. Exit 1 if a receiver did not accept every message that was not spoiled on purpose.

    Example: adapter simulate --beds 200 --hours 12 --site attikon --out week
    """
    if (out is None) == (to is None):
        raise typer.BadParameter("give --out DIR or --to HOST:PORT")
    feed = None if to is None else Feed(*address(to), speed)
    plan = _plan(site, _start(start, site, hours, feed), hours, (beds, seed))
    if feed is None:
        done = _write(plan, out or Path())
        say_json(done) if as_json else typer.echo(f"{done['messages']} messages in {len(done['files'])} files: {out}")
        return
    told = _send(plan, feed)
    say_json(told.as_json()) if as_json else typer.echo(told.text())
    if not told.accepted:
        raise typer.Exit(1)


def _plan(site: str, start: datetime, hours: float, size: tuple[int, int]) -> "Plan":
    from adapter.simulation.dialect import DIALECTS
    from adapter.simulation.traffic import Plan

    return Plan(DIALECTS[site], start, hours=hours, beds=size[0], seed=size[1])


def _start(text: str | None, site: str, hours: float, feed: Feed | None) -> datetime:
    from adapter.daemon.clock import utc_now
    from adapter.daemon.explaining import moment_of
    from adapter.domain.document import nearest
    from adapter.simulation.dialect import DIALECTS
    from adapter.simulation.traffic import evening_before_the_change

    if site not in DIALECTS:
        raise ConfigError(f"--site {site}: nobody here writes like that{nearest(site, DIALECTS)}")
    if text is not None:
        return moment_of(text, "--start")
    if feed is None:
        return evening_before_the_change(DIALECTS[site].zone)
    return utc_now() if feed.speed else utc_now() - timedelta(hours=hours)


# --- files -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Counts:
    """What was sent, for the manifest."""

    types: Counter[str] = field(default_factory=Counter)
    oddities: Counter[str] = field(default_factory=Counter)

    def add(self, sent: "Sent") -> None:
        self.types[sent.type] += 1
        if sent.oddity:
            self.oddities[sent.oddity] += 1

    def as_json(self) -> dict[str, Any]:
        return {
            "messages": self.types.total(),
            "types": dict(sorted(self.types.items())),
            "oddities": dict(sorted(self.oddities.items())),
        }


def _write(plan: "Plan", folder: Path) -> dict[str, Any]:
    """The manifest. Raises ConfigError for a folder that holds something or cannot be written."""
    from adapter.simulation.hospital import hospital

    place, counts, files = folder / MESSAGES, _Counts(), []
    try:
        place.mkdir(parents=True, exist_ok=True)
        if any(place.iterdir()):
            raise ConfigError(f"{place}: holds files already — choose another folder")
        for hour, group in groupby(hospital(plan), key=lambda sent: int(sent.after / timedelta(hours=1))):
            files.append(_hour(place / f"hour-{hour:03}.mllp", group, counts))
        manifest = _manifest(plan, counts, files)
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written ({error.strerror}) — check the path") from error
    return manifest


def _hour(path: Path, group: "Iterator[Sent]", counts: _Counts) -> dict[str, Any]:
    """One file of MLLP frames, written as it grows."""
    from adapter.hl7.mllp import encode

    digest, size, number = hashlib.sha256(), 0, 0
    with path.open("wb") as file:
        for sent in group:
            frame = encode(sent.body)
            file.write(frame)
            digest.update(frame)
            counts.add(sent)
            size, number = size + len(frame), number + 1
    return {"name": f"{MESSAGES}/{path.name}", "messages": number, "bytes": size, "sha256": digest.hexdigest()}


def _manifest(plan: "Plan", counts: _Counts, files: list[dict[str, Any]]) -> dict[str, Any]:
    said = {
        "site": plan.dialect.site,
        "beds": plan.beds,
        "hours": plan.hours,
        "seed": plan.seed,
        "restarts": plan.traffic.restarts,
    }
    return {**said, "start": plan.start.isoformat(), **counts.as_json(), "files": files}


# --- a feed ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Told:
    """What became of a feed; `refused` counts good messages without a positive answer."""

    summary: "Summary"
    counts: _Counts
    refused: int = 0

    @property
    def accepted(self) -> bool:
        return self.refused == 0

    def as_json(self) -> dict[str, Any]:
        return {**self.counts.as_json(), **self.summary.as_json(), "refused": self.refused}

    def text(self) -> str:
        result = self.summary.as_json()
        return f"{self.summary.sent} sent, {result['codes']}, latency {result['latency_ms']} ms, {self.refused} refused"


def _send(plan: "Plan", feed: Feed) -> _Told:
    import asyncio

    from adapter.sinks.mllp_sender import Summary

    told = _Told(Summary(), _Counts())
    with progress(plan.expected()) as advance:
        asyncio.run(_feed(plan, feed, told, advance))
    return told


async def _feed(plan: "Plan", feed: Feed, told: _Told, advance: Any) -> None:
    """Each message in its time, after the answer to the one before."""
    import asyncio

    from adapter.simulation.hospital import hospital
    from adapter.sinks.mllp_sender import NO_ANSWER, NOT_OWED, POSITIVE, MllpSender, code_of

    loop = asyncio.get_running_loop()
    began = loop.time()
    async with MllpSender(feed.host, feed.port) as sender:
        for sent in hospital(plan):
            due = began + sent.after.total_seconds() / feed.speed if feed.speed else -math.inf
            await asyncio.sleep(max(0.0, due - loop.time()))
            asked = loop.time()
            try:
                answer = await sender.send(sent.body)
                code = code_of(answer) if answer else NOT_OWED
                told.summary.latencies.append(loop.time() - asked)
            except UnavailableError:
                code = NO_ANSWER
            told.summary.codes[code] += 1
            told.counts.add(sent)
            told.refused += code not in {*POSITIVE, NOT_OWED} and sent.oddity != "malformed"
            advance(code)
    told.summary.seconds = loop.time() - began


COMMANDS = (simulate,)
