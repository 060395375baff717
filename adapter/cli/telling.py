"""The `explain` object as a person reads it: every organ and criterion with its values, their messages, and the rule."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]
OPEN_ANSWERS = frozenset({"culture-organism", "culture-other"})
"""Concepts whose canonical answer is the laboratory's own text."""
NUMBER = re.compile(r"[<>=]{0,2}\s*[+-]?\d[\d.,]*\s*%?\s*$", re.ASCII)


def told(one: Json) -> str:
    return "\n".join((*_head(one), "", *_organs(one["sofa"]), "", *_criteria(one["criteria"]), *_foot(one)))


def _head(one: Json) -> Iterator[str]:
    sofa, sepsis = one["sofa"], one["sepsis"]
    yield f"{one['trial']}: {one['verdict']} ({one['certainty']}), {one['stratum']}, at {one['at']}"
    for item in one["stratum_evidence"]:
        yield f"    {_evidence(item)}"
    left = sepsis["hours_left"]
    onset = sepsis["sofa_at_onset"]
    parts = [f"SOFA {_interval(sofa)} over {sofa['window_hours']} h"]
    parts += [f"{_interval(onset)} at onset {sepsis['onset']}"] if onset else []
    parts += [f"{left:.1f} hours left"] if left is not None else []
    yield ", ".join(parts)
    before = sepsis["baseline"]
    if before:
        yield f"SOFA before: {_interval(before)}, {before['source']}"


def _interval(limits: Json) -> str:
    low, high = limits["low"], limits["high"]
    return str(low) if low == high else f"{low} to {high}"


def _organs(sofa: Json) -> Iterator[str]:
    for organ, found in sofa["components"].items():
        score = "missing" if found["score"] is None else found["score"]
        flags = " ".join(found["flags"])
        yield f"  {organ:<16}{score!s:<8}[{found['low']}, {found['high']}] {flags}".rstrip()
        for item in found["evidence"]:
            yield f"      {_evidence(item)}"
        if found["rule"]:
            yield f"      rule: {found['rule']}"


def _criteria(criteria: list[Json]) -> Iterator[str]:
    for one in criteria:
        yield f"  {one['id']:<4}{one['answer']:<9}{one['text']}"
        if one["answer"] == "unknown" and one["ask"]:
            yield f"      ? {one['ask']}"
        for item in one["evidence"]:
            yield f"      {_evidence(item)}"
        if one["determined_by"]:
            yield f"      answered by {one['determined_by']}"
        if one["rule"]:
            yield f"      rule: {one['rule']}"
        if one["source"]:
            yield f"      source: {one['source']}"


def _foot(one: Json) -> Iterator[str]:
    if one["missing"]:
        yield f"missing: {', '.join(one['missing'])}"


def _evidence(item: Json) -> str:
    """Canonical value, the number the source wrote, when, and in which message.

    Words of a source or of a colleague stay off the terminal: free text may name anybody. `--json` and the page have them.
    """
    original = item["original"]
    value = "as text" if item["concept"] in OPEN_ANSWERS else item["value"]
    number, reported = _quantity(value, item["unit"]), _quantity(original["value"], original["unit"])
    parts = [f"{item['concept']} {number}"]
    parts += [f"reported as {reported}"] if NUMBER.match(original["value"]) and reported != number else []
    parts.append(item["effective"])
    if item["message"]:
        origin = " ".join(str(item[name]) for name in ("source", "type") if item.get(name))
        parts.append(f"message {item['message']}{f' ({origin})' if origin else ''}")
    parts += [item["note"]] if item["note"] else []
    return ", ".join(parts)


def _quantity(value: str, unit: str) -> str:
    return f"{value} {unit}".strip()
