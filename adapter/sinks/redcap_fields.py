"""Which REDCap field holds what of a snapshot: `profiles/<trial>/redcap/fields.csv`, one item a line."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from adapter.domain.document import Document
from adapter.errors import RejectedError
from adapter.fhir.flat import KINDS, TIMES, Row

COLUMNS = ("kind", "item", "field", "codes")
FORM, TOLD, DIFFERS = "form", "told", "differs"
"""Items that are no finding: the instrument of the kind, and the two fields by which a person's edit is known and kept."""
KEYS = {"record": "screening-number", "observation": "id", "day": "day"}
"""What a row of the kind is found again by."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """`codes` turn a word of ours into the project's own code; empty: the word itself is written."""

    name: str
    codes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Form:
    """One instrument. Every kind but the record repeats, a row each."""

    kind: str
    name: str
    told: str
    differs: str
    fields: Mapping[str, Field]

    @property
    def repeats(self) -> bool:
        return self.kind != "record"

    @property
    def key(self) -> str:
        return self.fields[KEYS[self.kind]].name

    @property
    def complete(self) -> str:
        """REDCap's own field: 0 incomplete, 1 unverified, 2 complete."""
        return f"{self.name}_complete"

    def names(self) -> tuple[str, ...]:
        return (*(field.name for field in self.fields.values()), self.told, self.differs)

    def values(self, row: Row, zone: tzinfo) -> dict[str, str]:
        """By field: what the row tells, as REDCap writes it."""
        return {field.name: _text(item, row[item], field, zone) for item, field in self.fields.items() if item in row}


def _text(item: str, value: str, field: Field, zone: tzinfo) -> str:
    """REDCap's times know no zone, so all are told in the one that is configured."""
    if value and item in TIMES:
        return datetime.fromisoformat(value).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    if not value or not field.codes:
        return value
    if value not in field.codes:
        raise RejectedError(f"the field file has no code for a word of '{item}' — add it to its codes, send again")
    return field.codes[value]


@dataclass(frozen=True, slots=True)
class FieldFile:
    """`record` first: its key is REDCap's record id."""

    forms: tuple[Form, ...]

    @property
    def record_id(self) -> str:
        return self.forms[0].key

    def names(self) -> frozenset[str]:
        return frozenset(name for form in self.forms for name in form.names())


def read_fields(document: Document) -> FieldFile:
    """Raises ConfigError naming file, line and the nearest known word. A kind that the file leaves out is not sent."""
    found: dict[str, dict[str, Field]] = {}
    seen: set[str] = set()
    for index, row in enumerate(document.data):
        kind, item = _known(document, index, row)
        field = _field(document, index, row)
        if item in found.setdefault(kind, {}) or (field.name in seen and item != FORM):
            raise document.error((index,), f"'{item}' or its field '{field.name}' stands twice — keep one")
        found[kind][item] = field
        seen.add(field.name)
    if "record" not in found:
        raise document.error((), "no line is of the kind 'record' — name at least its form, told, differs and key")
    return FieldFile(tuple(_form(document, kind, found[kind]) for kind in KINDS if kind in found))


def _known(document: Document, index: int, row: Mapping[str, Any]) -> tuple[str, str]:
    if tuple(row) != COLUMNS or None in row.values():
        raise document.error((index,), f"a line has the columns {','.join(COLUMNS)} — mend the first line or this one")
    kind, item = str(row["kind"]), str(row["item"])
    if kind not in KINDS:
        raise document.error((index,), f"unknown kind '{kind}'", got=kind, known=KINDS)
    known = (*KINDS[kind], FORM, TOLD, DIFFERS)
    if item not in known:
        raise document.error((index,), f"nothing is told as '{item}'", got=item, known=known)
    return kind, item


def _field(document: Document, index: int, row: Mapping[str, Any]) -> Field:
    name = str(row["field"])
    if not _NAME.fullmatch(name):
        raise document.error((index,), f"'{name}' is no REDCap field — small letters, digits and _, a letter first")
    parts = [part.strip() for part in str(row["codes"]).split("|") if part.strip()]
    pairs = [part.rpartition("=") for part in parts]
    if any(not sign or not word.strip() or not code.strip() for word, sign, code in pairs):
        raise document.error((index,), "codes are written 'word=code | word=code'")
    return Field(name, {word.strip(): code.strip() for word, _, code in pairs})


def _form(document: Document, kind: str, fields: dict[str, Field]) -> Form:
    for item in (FORM, TOLD, DIFFERS, KEYS[kind]):
        if item not in fields:
            raise document.error((), f"the kind '{kind}' lacks its line '{item}' — add it")
    own = {name: fields.pop(name).name for name in (FORM, TOLD, DIFFERS)}
    return Form(kind, own[FORM], own[TOLD], own[DIFFERS], fields)


def missing(file: FieldFile, dictionary: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What a project's dictionary does not hold where the field file says it stands."""
    forms = {str(row.get("field_name")): str(row.get("form_name")) for row in dictionary}
    if next(iter(forms), "") != file.record_id:
        yield f"{file.record_id} (as first field)"
    for form in file.forms:
        for name in form.names():
            if name != file.record_id and forms.get(name) != form.name:
                yield f"{name} (on {form.name})"
