"""EDCs that take records or files instead of FHIR, made of their settings; and what `adapter check` says of them."""

import os
from collections.abc import Callable, Iterator

from adapter import assets
from adapter.daemon.clock import utc_now
from adapter.errors import RejectedError, UnavailableError
from adapter.pipeline.exchange import Limits, checked_url
from adapter.ports import Clock, Sink
from adapter.settings import CsvSink, FolderSink, RedcapSink, Settings
from adapter.sinks.drop_folder import DropFolder
from adapter.sinks.folder import FolderSink as Folder
from adapter.sinks.redcap import Project, Redcap
from adapter.sinks.redcap_fields import FieldFile, read_fields


def flat_sink(settings: Settings, sink: FolderSink | RedcapSink | CsvSink) -> Callable[[Clock], Sink]:
    """Raises ConfigError."""
    if isinstance(sink, RedcapSink):
        return _redcap(settings, sink)
    return lambda _clock: DropFolder(sink.path) if isinstance(sink, CsvSink) else Folder(sink.path)


def _redcap(settings: Settings, sink: RedcapSink) -> Callable[[Clock], Redcap]:
    """Raises ConfigError for a field file, a token or an address that is no good."""
    checked_url(sink.url)
    project = Project(
        sink.url,
        sink.token.reveal(),
        _fields(settings, sink),
        sink.zone(),
        sink.event,
        sink.group,
        str(sink.verify or ""),
        Limits(read=sink.timeout_seconds),
    )
    return lambda clock: Redcap(project, clock)


def _fields(settings: Settings, sink: RedcapSink) -> FieldFile:
    if sink.fields is not None:
        return read_fields(assets.load_rows(sink.fields))
    return read_fields(assets.load_field_file(settings.adapter.assets, settings.adapter.trials[0]))


def findings(settings: Settings) -> Iterator[tuple[str, str]]:
    """Level and words."""
    for sink in settings.sink:
        if isinstance(sink, CsvSink):
            yield from _folder(sink)
        elif isinstance(sink, RedcapSink):
            if not sink.url.endswith("/"):
                yield (
                    "warning",
                    f"{sink.name}: REDCap's address ends in /api/ — without the last / it may only redirect",
                )
            if len(settings.adapter.trials) > 1:
                yield (
                    "warning",
                    f"{sink.name}: subjects of all trials go to one REDCap project — tell them apart by the item 'study'",
                )


def asked(settings: Settings) -> Iterator[tuple[str, str]]:
    """Whether each REDCap project answers and has our fields; nothing is written."""
    for sink in settings.sink:
        if isinstance(sink, RedcapSink):
            try:
                _redcap(settings, sink)(utc_now).look()
            except (UnavailableError, RejectedError) as error:
                yield "warning", f"{sink.name}: {sink.url}: {error}"
            else:
                yield "ok", f"{sink.name}: {sink.url} has every field that is sent"


def _folder(sink: CsvSink) -> Iterator[tuple[str, str]]:
    if not sink.path.is_dir():
        yield "error", f"{sink.name}: {sink.path} is no folder — make it, or mount it; the adapter never does"
    elif not os.access(sink.path, os.W_OK | os.X_OK):
        yield "error", f"{sink.name}: {sink.path} cannot be written by this account — chown or chmod it"
