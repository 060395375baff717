"""One line more in a site's file, as text: comments, order and every other byte stay; whoever writes it checks what it says."""

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from typing import Any

from adapter.domain.document import Document, nearest
from adapter.errors import RejectedError
from adapter.mapping.units import folded

SECTIONS = {"code": "codes", "not-needed": "not_needed", "unit": "units", "drug": "drugs"}
"""What a line is about → the key of the site's file it stands under."""
ISSUES = {
    "code": ("unmapped-code",),
    "not-needed": ("unmapped-code", "unmapped-drug"),
    "unit": ("unmapped-unit",),
    "drug": ("unmapped-drug",),
}
"""The issues that such a line mends."""
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*", re.ASCII)
RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
LONGEST_COMMENT = 120


@dataclass(frozen=True, slots=True)
class SiteLine:
    """`kind` is `code`, `not-needed`, `unit` or `drug`; `word` as the sender writes it, `meaning` as we do; the rest of a code only."""

    kind: str
    word: str
    meaning: str = ""
    unit: str = ""
    specimen: str = ""

    @property
    def section(self) -> str:
        return SECTIONS[self.kind]

    @property
    def entry(self) -> str | Mapping[str, str]:
        """What stands behind the word."""
        parts = {"concept": self.meaning, "unit": self.unit, "specimen": self.specimen}
        filled = {name: part for name, part in parts.items() if part}
        return filled if len(filled) > 1 else self.meaning

    def as_json(self) -> dict[str, str]:
        return {name: part for name, part in asdict(self).items() if part}

    def mends(self, detail: str) -> bool:
        """Whether an issue with this detail is one that the line mends; a unit is known by any spelling that folds to it."""
        return folded(detail) == folded(self.word) if self.kind == "unit" else detail == self.word


def line_of(said: Mapping[str, Any]) -> SiteLine:
    """From JSON. Raises RejectedError for what is no line."""
    parts = {name: str(said.get(name, "")).strip() for name in ("kind", "word", "meaning", "unit", "specimen")}
    if parts["kind"] not in SECTIONS or not parts["word"] or (parts["kind"] != "not-needed") != bool(parts["meaning"]):
        raise RejectedError("a line needs a word and what it means — see `adapter mapping add --help`")
    if not all(part.isprintable() for part in parts.values()):
        raise RejectedError("the word holds characters that cannot be shown — write this line by hand")
    return SiteLine(**parts)


def says(after: Any, before: Any, line: SiteLine) -> bool:
    """Whether a file says what it said before and the line, and nothing else; the order of what is not needed says nothing."""
    expected, found = deepcopy(before), deepcopy(after)
    if line.kind == "not-needed":
        expected[line.section] = sorted([*(expected.get(line.section) or []), line.word])
        found[line.section] = sorted(found.get(line.section) or [])
    else:
        expected[line.section] = (expected.get(line.section) or {}) | {line.word: line.entry}
    return bool(found == expected)


def stands(document: Document, line: SiteLine) -> bool:
    """Whether the very line stands there. Raises RejectedError where another one does: a person who sees it changes that."""
    here = document.data.get(line.section) or {}
    if line.word in here and (line.kind == "not-needed" or here[line.word] == line.entry):
        return True
    _refuse_known(document, line)
    return False


def _refuse_known(document: Document, line: SiteLine) -> None:
    for section in dict.fromkeys(
        (line.section, *(("codes", "not_needed") if line.kind in {"code", "not-needed"} else ()))
    ):
        here = document.data.get(section) or ()
        if line.word in here:
            at = document.line((section, line.word) if isinstance(here, dict) else (section, here.index(line.word)))
            raise RejectedError(f"{document.file}:{at}: '{line.word}' stands there already — change that line by hand")


def amended(text: str, document: Document, line: SiteLine, comment: str) -> str:
    """The text with the line in it; the same text where no place for it is found."""
    end = "\r\n" if "\r\n" in text else "\n"
    rows = text.split(end)
    note = f"  # {comment}"
    if line.section not in document.data:
        gap = [] if rows and not rows[-1] else [""]
        return end.join([*rows, *gap, f"{line.section}:", f"  {_written(line, '')}{note}", ""])
    first = document.line((line.section,)) - 1
    head = re.match(r"(\s*\S+?\s*:\s*)([\[{]?)(\s*[\]}])?", rows[first])
    if head is None:
        return text
    if head[2] and head[3] is None:
        rows[first : first + 1] = [
            rows[first][: head.end()],
            f"  {_written(line, ',', inside=True)}{note}",
            f"  {rows[first][head.end() :].lstrip()}",
        ]
        return end.join(rows)
    if head[2]:
        rows[first] = f"{head[1].rstrip()}{rows[first][head.end() :]}"
        at, indent = first + 1, "  "
    else:
        at, indent = _last_of(rows, first)
    rows.insert(at, f"{indent}{_written(line, '')}{note}")
    return end.join(rows)


def _last_of(rows: list[str], first: int) -> tuple[int, str]:
    """Behind the last entry of a section of lines, and how deep its entries stand."""
    at, indent = first + 1, "  "
    depth: int | None = None
    for number in range(first + 1, len(rows)):
        bare = rows[number].lstrip()
        if not bare or bare.startswith("#"):
            continue
        here = len(rows[number]) - len(bare)
        if depth is None and (here or bare.startswith("- ")):
            depth, indent = here, rows[number][:here]
        if depth is None or here < depth or (not here and not bare.startswith("- ")):
            break
        at = number + 1
    return at, indent


def _written(line: SiteLine, behind: str, *, inside: bool = False) -> str:
    if line.kind == "not-needed":
        return f"{quoted(line.word)}{behind}" if inside else f"- {quoted(line.word)}"
    entry = line.entry
    if not isinstance(entry, str):
        entry = "{" + ", ".join(f"{name}: {quoted(part)}" for name, part in entry.items()) + "}"
    else:
        entry = quoted(entry)
    return f"{quoted(line.word)}: {entry}{behind}"


def quoted(word: str) -> str:
    """As YAML reads back the very same text."""
    if PLAIN.fullmatch(word) and word.lower() not in RESERVED:
        return word
    return json.dumps(word, ensure_ascii=False)


def comment_of(by: str, day: str, reason: str) -> str:
    """Who, when and why, on one line."""
    said = f"{by}, {day}{f': {reason}' if reason else ''}"
    plain = "".join(letter if letter.isprintable() else " " for letter in said)
    return plain if len(plain) <= LONGEST_COMMENT else f"{plain[:LONGEST_COMMENT]}…"


def by_hand(line: SiteLine) -> str:
    """The line as a person would write it."""
    return f"{line.section}: {_written(line, '')}"


def unknown(line: SiteLine, known: Mapping[str, Any], what: str) -> None:
    """Raises RejectedError, with the nearest word we know."""
    if line.meaning not in known:
        raise RejectedError(f"unknown {what} '{line.meaning}'{nearest(line.meaning, known)}")
