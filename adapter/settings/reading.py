"""Reads adapter.toml, and names every mistake with its line and the nearest known word."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from adapter import ENVIRONMENT_VARIABLE
from adapter.domain.document import Document, nearest
from adapter.domain.document import Path as KeyPath
from adapter.errors import ConfigError
from adapter.settings.flat import CsvSink, FolderSink, RedcapSink
from adapter.settings.folder import FolderSource
from adapter.settings.kept import BackupSection
from adapter.settings.listening import MllpSource, Tls
from adapter.settings.polled import BasicAuth, BearerAuth, ClientTls, FhirSource, SecretAuth, SmartAuth
from adapter.settings.process import AdapterSection
from adapter.settings.sections import (
    FhirSink,
    Settings,
    StoreSection,
    WebSection,
)
from adapter.settings.staff import OidcSection
from adapter.settings.telling import (
    AlertsSection,
    AppriseNotifier,
    EmailNotifier,
    PersonSection,
    RotaSection,
    WebhookNotifier,
)

CHOICE = {
    "push_when": "when may a patient leave for the EDC? Choose candidate, screening or consented: a legal decision",
    "dates": "do true dates leave the hospital? Choose exact or shifted: a legal decision",
}

KNOWN: Mapping[tuple[str, ...], type[BaseModel]] = {
    (): Settings,
    ("adapter",): AdapterSection,
    ("store",): StoreSection,
    ("source", "mllp"): MllpSource,
    ("source", "mllp", "tls"): Tls,
    ("source", "fhir"): FhirSource,
    ("source", "fhir", "tls"): ClientTls,
    ("source", "fhir", "auth", "smart-backend"): SmartAuth,
    ("source", "fhir", "auth", "client-secret"): SecretAuth,
    ("source", "fhir", "auth", "bearer"): BearerAuth,
    ("source", "fhir", "auth", "basic"): BasicAuth,
    ("source", "folder"): FolderSource,
    ("sink", "fhir"): FhirSink,
    ("sink", "folder"): FolderSink,
    ("sink", "redcap"): RedcapSink,
    ("sink", "csv"): CsvSink,
    ("notifier", "email"): EmailNotifier,
    ("notifier", "webhook"): WebhookNotifier,
    ("notifier", "apprise"): AppriseNotifier,
    ("alerts",): AlertsSection,
    ("alerts", "person"): PersonSection,
    ("alerts", "rota"): RotaSection,
    ("backup",): BackupSection,
    ("web",): WebSection,
    ("web", "oidc"): OidcSection,
}


def load_settings(path: Path) -> Settings:
    """Raises ConfigError naming file, line and the nearest known word."""
    document = read_toml(path)
    try:
        return (
            Settings(**document.data)
            .repeated_names()
            .repeated_addresses()
            .folders_apart()
            .known_channels()
            .shared_only_on_postgresql()
        )
    except ValidationError as error:
        raise ConfigError("\n".join(str(_told(document, one)) for one in error.errors(include_input=True))) from None


def read_toml(path: Path) -> Document:
    """The file with the line of every key. Raises ConfigError when it is absent or no TOML."""
    try:
        text = path.read_text(encoding="utf-8")
        return Document(str(path), tomllib.loads(text), _lines(text))
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}) — give --config or set {ENVIRONMENT_VARIABLE}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        found = re.search(r"at line (\d+)", str(error))
        raise ConfigError(f"{path}:{found[1] if found else 1}: not TOML: {error}") from error


def _lines(text: str) -> dict[KeyPath, int]:
    lines: dict[KeyPath, int] = {}
    arrays: dict[str, int] = {}
    table: KeyPath = ()
    for number, line in enumerate(text.splitlines(), 1):
        if opened := re.match(r"\s*\[\[\s*([\w.-]+)\s*\]\]", line):
            arrays[opened[1]] = arrays.get(opened[1], -1) + 1
            table = (opened[1], arrays[opened[1]])
            lines.setdefault((opened[1],), number)
        elif opened := re.match(r"\s*\[\s*([\w.-]+)\s*\]", line):
            table = tuple(opened[1].split("."))
        elif key := re.match(r"\s*([\w-]+)\s*=", line):
            lines[(*table, key[1])] = number
            continue
        else:
            continue
        lines[table] = number
    return lines


def _told(document: Document, error: Any) -> ConfigError:
    """One finding of pydantic in the operator's terms."""
    loc: tuple[str | int, ...] = error["loc"]
    path = _path(document.data, loc)
    last = str(loc[-1]) if loc else ""
    dotted = ".".join(str(part) for part in path)
    if error["type"] == "extra_forbidden":
        names = tuple(str(part) for part in loc[:-1] if isinstance(part, str))
        known = KNOWN[names].model_fields if names in KNOWN else {}
        return document.error(path, f"unknown key '{last}'", got=last, known=known)
    if last in CHOICE and error["type"] in {"missing", "literal_error"}:
        return document.error(path, f"{last} is not decided — {CHOICE[last]}")
    if error["type"] == "missing":
        return document.error(path, f"'{dotted}' is missing — add it")
    return document.error(path, f"'{dotted}': {_words(error)}{_advice(error)}")


def _words(error: Any) -> str:
    return str(error["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")


def _advice(error: Any) -> str:
    context = error.get("ctx", {})
    expected = str(context.get("expected", context.get("expected_tags", "")))
    got = error.get("input")
    word = str(got.get("kind", "")) if isinstance(got, dict) else str(got)
    return nearest(word, re.findall(r"'([^']+)'", expected)) if expected else ""


def _path(data: Any, loc: tuple[str | int, ...]) -> KeyPath:
    """The place in the file: pydantic's own words for a union's branch are no keys of it."""
    path: list[str | int] = []
    for index, part in enumerate(loc):
        inside = (isinstance(data, dict) and part in data) or (isinstance(data, list) and isinstance(part, int))
        if inside:
            data = data[part]
        elif index != len(loc) - 1:
            continue
        path.append(part)
    return tuple(path)
