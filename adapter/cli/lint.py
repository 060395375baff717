"""`convert --lint`: what hl7apy, which knows the structures of HL7 2.1 to 2.8, minds of a message that we read all the same."""

import re
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adapter.errors import MalformedMessageError
from adapter.hl7.er7 import parse

_LINE = re.compile(r"(?:Error|Warning): (.*)", re.ASCII)
_PLACE = r"(?P<parent>\w+)\.(?P<child>\w+)"
_FIELD = re.compile(r"([A-Z][A-Z0-9]{1,2})_(\d+)")
_KINDS = (
    ("required", re.compile(rf"Missing required child {_PLACE}"), "is required and missing"),
    ("repeated", re.compile(rf"Child limit exceeded {_PLACE}"), "is more than the standard allows here: repeated, or withdrawn in this version"),
    ("unknown-part", re.compile(r"Invalid children detected for <\w+ (?P<child>\w+).*"), "has parts the standard does not know"),
    ("table", re.compile(rf"Value .* not in table (?P<table>\w+) in element {_PLACE}", re.DOTALL), "is no code of table {table}"),
    ("length", re.compile(rf"Exceeded max length \((?P<length>\d+)\) of {_PLACE}"), "is longer than {length} characters"),
    ("unknown-structure", re.compile(r"Unknown element found.*"), "the standard knows no structure for this type and version"),
)  # fmt: skip


def lint(body: bytes, encoding: str) -> list[dict[str, str]]:
    """Findings as issues: `code`, `where` (`PID-3`), `text`; never a value of the message. Each once, in hl7apy's order."""
    try:
        message = parse(body, encoding)
    except MalformedMessageError as error:
        return [_issue("unreadable", "MSH", f"nobody can read it ({error.code})")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = list(_findings("".join(_line(segment.wire, message.charset) for segment in message.segments)))
    return [dict(one) for one in dict.fromkeys(tuple(issue.items()) for issue in found)]


def _line(wire: bytes, charset: str) -> str:
    return wire.decode(charset, "replace") + "\r"


def _findings(text: str) -> Iterator[dict[str, str]]:
    from hl7apy.consts import VALIDATION_LEVEL
    from hl7apy.exceptions import HL7apyException
    from hl7apy.parser import parse_message

    try:
        message = parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT)
    except HL7apyException as error:
        yield _issue("unknown-structure", "MSH", f"hl7apy does not read it ({type(error).__name__})")
        return
    except (ValueError, KeyError, AttributeError, IndexError, TypeError, AssertionError) as error:
        yield _issue("unknown-structure", "MSH", f"hl7apy fails on it ({type(error).__name__})")
        return
    yield from _told(message)


def _told(message: Any) -> Iterator[dict[str, str]]:
    from hl7apy.exceptions import HL7apyException
    from hl7apy.validation import Validator

    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report"
        try:
            Validator.validate(message, report_file=str(report))
        except HL7apyException:
            pass  # the first finding again: the report holds them all
        except (ValueError, KeyError, AttributeError, IndexError, TypeError) as error:
            yield _issue("unknown-structure", "MSH", f"hl7apy fails on it ({type(error).__name__})")
        lines = report.read_text(encoding="utf-8", errors="replace") if report.exists() else ""
    for line in re.split(r"\n(?=Error: |Warning: )", lines):
        yield from _finding(line)


def _finding(line: str) -> Iterator[dict[str, str]]:
    said = _LINE.match(line)
    for code, pattern, words in _KINDS if said else ():
        if said is not None and (match := pattern.match(said[1])):
            parts = match.groupdict()
            yield _issue(code, _where(parts), words.format(**parts))
            return


def _where(parts: dict[str, str]) -> str:
    """`PID-3`, `PID-3 CX-5`, `PID in ADT_A01`; the message itself where nothing smaller is meant."""
    child, parent = parts.get("child", ""), parts.get("parent", "")
    if not child:
        return "MSH-9"
    if (field := _FIELD.fullmatch(child)) is None:
        return f"{child} in {parent}" if parent else child
    name = f"{field[1]}-{field[2]}"
    outer = _FIELD.fullmatch(parent)
    return f"{outer[1]}-{outer[2]} {name}" if outer else name


def _issue(code: str, where: str, text: str) -> dict[str, str]:
    return {"code": f"lint-{code}", "where": where, "text": text}
