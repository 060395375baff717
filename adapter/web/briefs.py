"""What the list shows of an assessment, remembered: the whole of it is a hundred times as long, and read for each view."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from adapter.web.effects import effect

REMEMBERED = 2000
"""Assessments; a few kilobytes each."""
KEPT = ("sofa", "sepsis", "missing", "deciding", "stratum_provisional")
OF_CRITERION = ("id", "kind", "answer", "needs")
LEADING = ("ferritin", "mhladr")
"""Facts that stand on the list itself: what a stratum is made of."""


class Briefs:
    """By the text of the assessment, so that no other than the newest is ever shown."""

    def __init__(self) -> None:
        self._known: dict[bytes, dict[str, Any]] = {}

    def read(self, text: str) -> dict[str, Any]:
        """The `explain` object without what the list does not show; not to be changed."""
        key = hashlib.blake2b(text.encode(), digest_size=16).digest()
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            found = self._known[key] = _brief(json.loads(text))
        return found


def _brief(explained: Mapping[str, Any]) -> dict[str, Any]:
    facts = explained.get("facts") or {}
    kept = {name: explained[name] for name in KEPT if name in explained}
    return kept | {
        "facts": {name: facts[name] for name in LEADING if name in facts},
        "criteria": tuple({name: one[name] for name in OF_CRITERION if name in one} for one in _telling(explained)),
    }


def open_questions(explained: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Criteria only a person can settle."""
    return tuple(one for one in explained.get("criteria") or () if _is_open(one))


def against(explained: Mapping[str, Any]) -> tuple[str, ...]:
    """Criteria that rule the patient out, by id."""
    return tuple(str(one.get("id")) for one in explained.get("criteria") or () if _stops(one))


def _telling(explained: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (one for one in explained.get("criteria") or () if _is_open(one) or _stops(one))


def _is_open(criterion: Mapping[str, Any]) -> bool:
    return criterion.get("answer") == "unknown" and criterion.get("needs") == "person"


def _stops(criterion: Mapping[str, Any]) -> bool:
    return effect(str(criterion.get("kind")), str(criterion.get("answer"))) == "stops"
