"""What a receiver may be configured to answer, as a report names it; what each engine does with an answer stands in `hl7/profiles.py`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from adapter.hl7 import profiles as table

STOPS_THE_FEED: Mapping[str, frozenset[str]] = MappingProxyType({"intersystems": frozenset({"AR", "CR"})})
"""Codes after which this engine sends nothing else any more."""


@dataclass(frozen=True, slots=True)
class Profile:
    """`refuses`: content is refused with AE and AR; `never`: codes that stop this sender's feed."""

    name: str
    remark: str
    refuses: bool = False
    never: frozenset[str] = frozenset()


def _profile(name: str, row: table.Profile) -> Profile:
    promise = "content is refused with AE or AR" if row.minds_content else "AA means stored, whatever the content"
    engine = f"without an answer: {row.silence}; AE: {row.error}; AR: {row.reject}"
    remark = f"{promise}. What its sender does: {engine} [{row.source}]"
    return Profile(name, re.sub(r"\*\*|`", "", remark), row.minds_content, STOPS_THE_FEED.get(name, frozenset()))


PROFILES: Mapping[str, Profile] = MappingProxyType({name: _profile(name, row) for name, row in table.PROFILES.items()})
