"""A value with its unit, time and source, as it stands beside a criterion or an organ."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from adapter.web import coded, times, words


@dataclass(frozen=True, slots=True)
class Value:
    """`original` is what the source wrote, where that differs; `message` the inbox id it came in, and `origin` its source."""

    label: str
    text: str
    at: str
    original: str
    laboratory: str
    message: str
    note: str
    origin: str = ""


def value(evidence: Mapping[str, Any], zone: tzinfo) -> Value:
    """From one evidence object of the explanation (interfaces 4)."""
    return Value(
        label=words.concept(str(evidence.get("concept") or "")),
        text=words.quantity(coded.answer(_shown(evidence)), str(evidence.get("unit") or "")),
        at=times.local(evidence.get("effective"), zone),
        original=_original(evidence),
        laboratory=str(evidence.get("laboratory") or ""),
        message=str(evidence.get("message") or ""),
        note=_note(str(evidence.get("note") or ""), str(evidence.get("value") or "")),
        origin=" ".join(str(evidence[name]) for name in ("source", "type") if evidence.get(name)),
    )


def values(many: Any, zone: tzinfo) -> tuple[Value, ...]:
    return tuple(value(evidence, zone) for evidence in many or ())


def _shown(evidence: Mapping[str, Any]) -> str:
    """What was converted or computed, with as many digits as anybody reads; a sender's own number as it is."""
    used = str(evidence.get("value") or "")
    return used if used == _stated(evidence) else words.rounded(used)


def _stated(evidence: Mapping[str, Any]) -> str:
    return str(evidence.get("original_value") or (evidence.get("original") or {}).get("value") or "")


def _note(note: str, number: str) -> str:
    """A note that only says the value again is left out."""
    return "" if number in note.split() else note


def _original(evidence: Mapping[str, Any]) -> str:
    """As its sender wrote it, in every language."""
    stated, used = evidence.get("original") or {}, str(evidence.get("value") or "")
    number = _stated(evidence)
    ucum = str(evidence.get("original_unit") or stated.get("unit") or "")
    shown = words.verbatim(number, ucum)
    same = number == used and words.unit(ucum) == words.unit(str(evidence.get("unit")))
    return "" if not number or same or shown == words.verbatim(used, str(evidence.get("unit") or "")) else shown
