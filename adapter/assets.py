"""The only reader of mappings/ and profiles/: files → Rulebook with a digest."""

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import adapter
from adapter.domain.document import Document, nearest
from adapter.domain.document import Path as Place
from adapter.domain.trial import Trial
from adapter.eligibility.protocol import extends, read_trial
from adapter.errors import ConfigError
from adapter.mapping.concept_file import read_dictionary
from adapter.mapping.dictionary import Dictionary
from adapter.mapping.site import SiteMap, read_site
from adapter.screening.rulebook import Rulebook

PACKAGE = Path(adapter.__file__).parent
COMPANIONS = ("known", "units", "specimens")
CODESETS = ("substances", "mdc", "organisms", "conditions")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # libyaml's reads in a tenth of the time
    """Plain scalars as JSON has them: `NO`, `12:30` and `2026-01-01` stay text."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", "n~\0"),
    ("int", r"-?(0|[1-9]\d*)", "-0123456789"),
    ("float", r"-?(0|[1-9]\d*)\.\d+", "-0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$", re.ASCII), list(_first))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^$"), [""])


def load_document(path: Path) -> Document:
    """A YAML file with the line of every key; refuses duplicate keys and what is no YAML."""
    try:
        written = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = type(error).__name__
        raise ConfigError(f"{path}: cannot be read ({reason}) — check the path and that it is UTF-8") from None
    return document_of(written, str(path))


def document_of(written: str, path: str) -> Document:
    """As `load_document`, of a text that is to stand at `path`."""
    lines: dict[Place, int] = {}
    try:
        loader = _Loader(written)
        node = loader.get_single_node()
        data = None if node is None else _Plain(loader, path, lines).read(node, ())
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}:{line}: this is no YAML: {error.problem} — look here and one line above") from None
    except yaml.YAMLError:
        raise ConfigError(f"{path}:1: this is no YAML — it holds characters that may not stand in it") from None
    except RecursionError:
        raise ConfigError(f"{path}:1: a part holds itself — write it out instead of using & and *") from None
    return Document(str(path), data, lines)


@dataclass(frozen=True, slots=True)
class _Plain:
    """YAML nodes → plain values, the line of each written down on the way."""

    loader: _Loader
    file: str
    lines: dict[Place, int]

    def read(self, node: yaml.Node, path: Place) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        if not isinstance(node, yaml.MappingNode):
            return self.loader.construct_object(node, deep=True)
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be one word", problem_mark=key_node.start_mark)
            key = self.loader.construct_object(key_node)
            here = (*path, key)
            self.lines[here] = key_node.start_mark.line + 1
            if key in found:
                raise Document(self.file, None, self.lines).error(here, f"the key '{key}' stands twice — keep one")
            found[key] = self.read(value_node, here)
        return found


def root() -> Path:
    """Where the shipped mappings/ and profiles/ lie: in the wheel, else in the checkout."""
    packaged = PACKAGE / "_assets"
    return packaged if packaged.is_dir() else PACKAGE.parent


def roots(folder: Path | None) -> tuple[Path, ...]:
    """The operator's folder first: its files win over the shipped ones of the same name."""
    if folder is None:
        return (root(),)
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder — name one that holds mappings/ or profiles/")
    return (folder, root())


def find(folder: Path | None, relative: str) -> Path:
    return next((found for base in roots(folder) if (found := base / relative).is_file()), root() / relative)


def site_files(folder: Path | None) -> Mapping[str, Path]:
    """Site name → file, the operator's before the shipped."""
    files: dict[str, Path] = {}
    for base in roots(folder):
        for path in sorted((base / "mappings" / "sites").glob("*.yaml")):
            files.setdefault(path.stem, path)
    return files


def trial_names(folder: Path | None) -> tuple[str, ...]:
    return tuple(
        sorted({path.parent.name for base in roots(folder) for path in (base / "profiles").glob("*/trial.yaml")})
    )


def _dictionary_documents(folder: Path | None) -> dict[str, Document]:
    named = {name: load_document(find(folder, f"mappings/{name}.yaml")) for name in ("concepts", *COMPANIONS)}
    return named | {name: load_rows(find(folder, f"mappings/codesets/{name}.csv")) for name in CODESETS}


def load_rows(path: Path) -> Document:
    """A CSV file as a list of rows by column name, with the line of each."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            found = [(dict(row), reader.line_num) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(
            f"{path}: cannot be read ({type(error).__name__}) — check the path and that it is CSV in UTF-8"
        ) from None
    return Document(str(path), [row for row, _ in found], {(n,): line for n, (_, line) in enumerate(found)})


def _site_documents(folder: Path | None) -> dict[str, Document]:
    return {name: load_document(path) for name, path in site_files(folder).items()}


def _sites(documents: Mapping[str, Document], dictionary: Dictionary) -> Iterator[tuple[str, SiteMap]]:
    for name, document in documents.items():
        site = read_site(document, dictionary)
        if site.site != name:
            raise document.error(
                ("site",), f"the site is called '{site.site}' but its file '{name}' — make them the same"
            )
        yield name, site


def load_rulebook(folder: Path | None, *, trials: Sequence[str], production: bool = True) -> Rulebook:
    """Everything configured that pure code needs: the dictionary, all sites, the named trials; checked.

    Raises ConfigError naming file, line and the nearest known word. `production` false lets test messages (MSH-11 T)
    through. The digest covers the content of the files, not their comments.
    """
    documents = _dictionary_documents(folder)
    dictionary = read_dictionary(documents["concepts"], **{name: documents[name] for name in (*COMPANIONS, *CODESETS)})
    sites = _site_documents(folder)
    protocols = _trial_documents(folder, trials)
    return Rulebook(
        dictionary=dictionary,
        sites=dict(_sites(sites, dictionary)),
        trials=tuple(_trial(folder, name, protocols[name], dictionary) for name in trials),
        digest=digest({"mappings": documents, "sites": sites, "trials": protocols}),
        software=adapter.__version__,
        production=production,
    )


def _trial_documents(folder: Path | None, trials: Sequence[str]) -> dict[str, Document]:
    """Each named trial and the ones it extends."""
    documents: dict[str, Document] = {}
    waiting = list(trials)
    while waiting:
        name = waiting.pop()
        if name in documents:
            continue
        path = find(folder, f"profiles/{name}/trial.yaml")
        if not path.is_file():
            raise ConfigError(f"profiles/{name}/trial.yaml: no such trial{nearest(name, trial_names(folder))}")
        documents[name] = load_document(path)
        parent = extends(documents[name])
        waiting.extend([parent] if parent else [])
    return documents


def load_field_file(folder: Path | None, trial: str) -> Document:
    """A trial's REDCap field names, or those of the trial it extends."""
    parent = extends(load_document(find(folder, f"profiles/{trial}/trial.yaml")))
    for name in (trial, parent):
        path = find(folder, f"profiles/{name}/redcap/fields.csv")
        if name and path.is_file():
            return load_rows(path)
    raise ConfigError(f"profiles/{trial}/redcap/fields.csv: no such file — write one after profiles/immunosep/redcap")


def _trial(folder: Path | None, name: str, document: Document, dictionary: Dictionary) -> Trial:
    parent = extends(document)
    above = None if parent is None else load_document(find(folder, f"profiles/{parent}/trial.yaml"))
    trial = read_trial(document, dictionary.vocabulary, above)
    if trial.id != name:
        raise document.error(
            ("trial",), f"the trial is called '{trial.id}' but its folder '{name}' — make them the same"
        )
    return trial


def digest(parts: Mapping[str, Mapping[str, Document]]) -> str:
    """`sha256:…` over the canonical JSON of every document."""
    content = {kind: {name: document.data for name, document in files.items()} for kind, files in parts.items()}
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"
