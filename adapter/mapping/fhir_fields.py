"""FHIR elements as fields of HL7 v2: one reader serves both syntaxes, so that both say the same of the same result.

What FHIR gives is written as the segments of a message nobody sent; `mapping.hl7_result`, `hl7_pharmacy`, `hl7_problem` and
`hl7_patient` read them with the site's words (HL7 v2-to-FHIR, read backwards).
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from adapter.domain.issue import Issue
from adapter.fhir.contents import Coding, coding_list, codings, elements, text, time_in
from adapter.fhir.strict import Json
from adapter.hl7.datatypes import Moment
from adapter.hl7.er7 import Segment, composed
from adapter.mapping.codes import Unmapped
from adapter.mapping.feed import SKEW_TOLERANCE, Feed, usable
from adapter.mapping.plain import plain

_TIME = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)
_FRACTION = 7
"""A point and six digits."""
ELEMENTS = {
    "OBX-2": "value[x]",
    "OBX-3": "code",
    "OBX-4": "component",
    "OBX-5": "value[x]",
    "OBX-6": "value[x].unit",
    "OBX-11": "status",
    "OBX-14": "effective[x]",
    "OBR-22": "issued",
    "SPM-4": "specimen",
    "SPM-11": "specimen",
    "RXA-3": "effective[x]",
    "RXA-5": "medication[x]",
    "RXA-6": "dosage.rate[x]",
    "RXA-7": "dosage.rate[x].unit",
    "RXA-13": "medication[x].ingredient.strength",
    "RXA-14": "medication[x].ingredient.strength",
    "RXE-1": "authoredOn",
    "RXE-2": "medication[x]",
    "PID-7": "birthDate",
}
"""Where an issue found in a field stands in FHIR."""


@lru_cache(maxsize=1024)
def dtm(value: str) -> str:
    """A FHIR date, dateTime or instant as HL7 writes it, in the precision given; empty where it is none."""
    found = _TIME.fullmatch(value)
    if found is None:
        return ""
    *parts, fraction, zone = found.groups()
    offset = {"Z": "+0000", None: ""}.get(zone, (zone or "").replace(":", ""))
    return "".join(part or "" for part in parts) + (fraction or "")[:_FRACTION] + offset


def time_of(resource: Json, name: str) -> str:
    """`name`[x] as HL7 writes it."""
    return dtm(time_in(resource, name))


def coded(concept: object, feed: Feed) -> tuple[str, ...]:
    return two_codings(coding_list(concept), text(concept, "text"), feed)


def two_codings(found: list[Coding], said: str, feed: Feed) -> tuple[str, ...]:
    """A CWE: first the coding that is mapped, then the first other one; the text where nothing is coded."""
    if not found:
        return ("", said)
    if len(found) > 1:
        found = sorted(found, key=lambda one: not _is_mapped(one, feed))
    code, display, system = found[0]
    first = (code, display or said, system)
    return (*first, *found[1]) if len(found) > 1 else first


def _is_mapped(coding: Coding, feed: Feed) -> bool:
    return not isinstance(feed.words.meaning(coding), Unmapped)


def segments(lines: Iterable[str]) -> tuple[Segment, ...]:
    """The lines as a reader of HL7 sees them."""
    return tuple(map(composed, lines))


def told_by(resource: Json, feed: Feed) -> Feed:
    """With the time this version of the resource was said: `meta.lastUpdated`, where it can be trusted."""
    moment = moment_of(dtm(text(resource, "meta", "lastUpdated")), feed)
    sent = None if moment is None or moment.instant > feed.received + SKEW_TOLERANCE else moment.instant
    told = None if sent is None else sent.astimezone(UTC)
    return Feed(feed.words, feed.message_id, feed.received, feed.latest, sent, told, feed.facility, feed.source)


def moment_of(written: str, feed: Feed) -> Moment | None:
    """A time as HL7 writes it; `None` where it is none, or coarser than a day."""
    return usable(feed.words.moment(written))


def instant(value: str, feed: Feed) -> datetime | None:
    """A FHIR time, in the site's zone where it has none; `None` as `moment_of`."""
    moment = moment_of(dtm(value), feed)
    return None if moment is None else moment.instant


def in_fhir(issue: Issue, resource: Json) -> Issue:
    """The same finding, where somebody who looks at the resource finds it."""
    field = issue.where.partition(" #")[0]
    return replace(issue, where=f"{resource['resourceType']}.{ELEMENTS.get(field, field)}", detail=plain(issue.detail))


def names(*concepts: Json) -> list[str]:
    """Every word by which CodeableConcepts call something."""
    return [
        word
        for concept in concepts
        for word in (
            *(part for code, display, _ in codings(concept) for part in (code, display)),
            text(concept, "text"),
        )
        if word
    ]


def identifiers_of(resource: Json) -> list[Json]:
    """Those in use."""
    return [one for one in elements(resource, "identifier") if text(one, "value") and text(one, "use") != "old"]
