"""What of a snapshot is news for a REDCap record, where a person's edit wins over the machine's word (decisions E2)."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo

from adapter.fhir.flat import Flat
from adapter.sinks.redcap_fields import FieldFile, Form

Row = Mapping[str, str]

INSTRUMENT, INSTANCE = "redcap_repeat_instrument", "redcap_repeat_instance"
INCOMPLETE, UNVERIFIED, COMPLETE = frozenset({"", "0"}), "1", "2"
DIGITS = 8


def news(told: Flat, file: FieldFile, held: Sequence[Row], zone: tzinfo) -> list[dict[str, str]]:
    """The rows to import, changed fields only; empty when the record says it all already.

    A field is written while it still holds what we wrote last. Whatever else stands there a person wrote, and a form that
    a person marked Complete is theirs as a whole: then `differs` says what the hospital would have written.
    """
    whole = {INSTRUMENT: "", INSTANCE: ""} if len(file.forms) > 1 else {}
    return [
        {file.record_id: told.number, **whole, **row}
        for form in file.forms
        for row in _of_form(told, form, _rows(form, held), zone)
    ]


def _rows(form: Form, held: Sequence[Row]) -> list[Row]:
    return [row for row in held if (row.get(INSTRUMENT) or "") == (form.name if form.repeats else "")]


def _of_form(told: Flat, form: Form, held: Sequence[Row], zone: tzinfo) -> Iterator[dict[str, str]]:
    taken = {int(row[INSTANCE]) for row in held if str(row.get(INSTANCE, "")).isdecimal()}
    for row in told.rows(form.kind):
        values = form.values(row, zone)
        key = values.pop(form.key)
        current = next((one for one in held if not form.repeats or one.get(form.key) == key), None)
        changed = _first(form, values) if current is None else _changed(form, values, current)
        if not changed:
            continue
        if not form.repeats:
            yield changed
            continue
        instance = int(current[INSTANCE]) if current is not None else _free(form, key, taken)
        taken.add(instance)
        named = {} if current is not None else {form.key: key}
        yield {INSTRUMENT: form.name, INSTANCE: str(instance), **named, **changed}


def _free(form: Form, key: str, taken: set[int]) -> int:
    """A study day is the instance of its number; a value gets the next one."""
    if form.kind == "day" and int(key) not in taken:
        return int(key)
    return max(taken, default=0) + 1


def _first(form: Form, values: Mapping[str, str]) -> dict[str, str]:
    """Unverified: what the machine says is provisional until a person confirms it (edc 5.8)."""
    said = {name: value for name, value in values.items() if value}
    return said | {form.told: _line(_marks(values)), form.complete: UNVERIFIED}


def _changed(form: Form, values: Mapping[str, str], current: Row) -> dict[str, str]:
    before = dict(part.split(":", 1) for part in current.get(form.told, "").split() if ":" in part)
    confirmed = current.get(form.complete) == COMPLETE
    ours: dict[str, str] = {}
    theirs: dict[str, str] = {}
    for name, value in values.items():
        now = current.get(name, "")
        if now == value:
            continue
        untouched = before.get(name, _mark(name, "")) == _mark(name, now)
        if untouched and not confirmed:
            ours[name] = value
        elif value or untouched:  # that the hospital does not know contradicts nobody
            theirs[name] = value
    said = before | _marks({name: value for name, value in values.items() if name not in theirs})
    changed = ours | _where_other(current, {form.told: _line(said), form.differs: _differing(theirs)})
    if changed and current.get(form.complete, "") in INCOMPLETE:
        changed[form.complete] = UNVERIFIED
    return changed


def _where_other(current: Row, wanted: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in wanted.items() if current.get(name, "") != value}


def _differing(theirs: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in theirs.items())


def _marks(values: Mapping[str, str]) -> dict[str, str]:
    return {name: _mark(name, value) for name, value in values.items()}


def _line(marks: Mapping[str, str]) -> str:
    """Letters and digits only: nothing that an EDC might escape on the way."""
    return " ".join(f"{name}:{mark}" for name, mark in sorted(marks.items()))


def _mark(name: str, value: str) -> str:
    return hashlib.sha256(f"{name}={value}".encode()).hexdigest()[:DIGITS]
