"""A line into a site's file: planned, checked as the daemon would read it, written whole or not at all, the old file kept."""

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapter import assets, flushed
from adapter.domain.document import Document, nearest
from adapter.errors import ConfigError, RejectedError
from adapter.mapping.amend import SiteLine, amended, by_hand, comment_of, says, stands, unknown
from adapter.mapping.site import SiteMap, read_site
from adapter.screening.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes the line, when and why: a comment beside it says so."""

    name: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """`before` and `after` are the whole file, the same where the line stands there already; `site` is what it says then."""

    path: Path
    before: str
    after: str
    site: SiteMap


def plan(folder: Path | None, rules: Rulebook, site: str, line: SiteLine, author: Author) -> Plan:
    """Raises RejectedError for a line that cannot be, or that a person must write; ConfigError for a file that cannot be read."""
    path = _own_file(folder, site)
    _refuse_unknown(rules, line)
    before = _read(path)
    document = assets.document_of(before, str(path))
    if stands(document, line):
        return Plan(path, before, before, rules.sites[site])
    after = amended(before, document, line, comment_of(author.name, f"{author.at:%Y-%m-%d}", author.reason))
    return Plan(path, before, after, _checked(document, after, rules, line))


def _own_file(folder: Path | None, site: str) -> Path:
    files = assets.site_files(folder)
    path = files.get(site)
    if path is None:
        raise RejectedError(f"no site '{site}'{nearest(site, files)}")
    if folder is None or not path.resolve().is_relative_to(folder.resolve()):
        target = Path("DIR" if folder is None else str(folder)) / "mappings" / "sites" / path.name
        setting = ", and name DIR as [adapter] assets" if folder is None else ""
        raise RejectedError(f"'{site}' is a shipped example — copy it first: cp {path} {target}{setting}, then restart")
    return path


def _refuse_unknown(rules: Rulebook, line: SiteLine) -> None:
    known: Mapping[str, Mapping[str, object]] = {
        "concept": rules.dictionary.concepts,
        "substance": rules.dictionary.formulary.substances,
        "unit": dict.fromkeys(rules.dictionary.units.known),
    }
    what = {"code": "concept", "drug": "substance", "unit": "unit"}.get(line.kind)
    if what is not None:
        unknown(line, known[what], what)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: cannot be read ({type(error).__name__}) — check the path and that it is UTF-8"
        ) from None


def _checked(document: Document, after: str, rules: Rulebook, line: SiteLine) -> SiteMap:
    """The new file says what the old one said and this line, nothing else."""
    try:
        found = assets.document_of(after, document.file)
        same = says(found.data, document.data, line)
    except ConfigError:
        same = False
    if not same:
        raise RejectedError(
            f"{document.file}: the place for this line is not clear — write it by hand: {by_hand(line)}, then restart"
        )
    try:
        return read_site(found, rules.dictionary)
    except ConfigError as error:
        raise RejectedError(str(error)) from None


def write(planned: Plan, now: datetime) -> Path:
    """The new file in the place of the old, with its owner and rights; where the old one is kept comes back.

    Raises RejectedError where this account may not write there, or the file is not any more what the plan saw.
    """
    path = planned.path
    if _read(path) != planned.before:
        raise RejectedError(f"{path} was changed meanwhile — try again")
    kept = path.with_name(f"{path.name}.{now:%Y%m%dT%H%M%S%f}.bak")
    try:
        _put(kept, planned.before, like=path)
        _put(path, planned.after, like=path)
    except OSError as error:
        raise RejectedError(
            f"{path}: cannot be written ({error.strerror}) — let this account write in {path.parent}, or run "
            "`adapter mapping add` as one who may"
        ) from None
    return kept


def put_back(planned: Plan) -> None:
    """The old file again."""
    _put(planned.path, planned.before, like=planned.path)


def _put(path: Path, text: str, *, like: Path) -> None:
    """Never half: a file beside it, flushed, then renamed."""
    seen = like.stat()

    def as_it_was(file: int) -> None:
        os.fchmod(file, seen.st_mode & 0o777)
        flushed.give(file, seen)

    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        flushed.write(handle, text.encode(), as_it_was)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    flushed.flush_folder(path.parent)
