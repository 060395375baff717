"""Two persons under one number: name, date of birth and sex were all stated otherwise (reliability C08).

A wedding changes a name, a clerk mends a date of birth; all three together are another person. What was stated is kept as a
fingerprint for each person described, so that the order of arrival does not matter; who they are is not compared, only whether.
"""

from collections.abc import Collection, Iterable
from itertools import combinations

from adapter.domain.patient import Demographics, Determination

PREFIX = "person:"
POSSIBLE_OVERLAY = "possible-overlay"
"""The flag of an assessment; nothing of the patient leaves until somebody says that it is one person."""
SAME_PERSON = "same-person"
"""The question that a person answers; the note names the fingerprints that were looked at."""


def field(name: str, born: str, sex: str) -> str:
    """The field of a description; each of the three is a fingerprint."""
    return f"{PREFIX}{name}.{born}.{sex}"


def described(demographics: Demographics) -> frozenset[str]:
    return frozenset(name for name in demographics.fields if name.startswith(PREFIX))


def overlaid(demographics: Demographics, answers: Iterable[Determination]) -> tuple[str, ...]:
    """The fingerprints among which two differ in everything, unless a person has looked at all of them; else nothing."""
    found = described(demographics)
    if not _conflict(found):
        return ()
    seen = [frozenset(answer.note.split()) for answer in answers if answer.criterion == SAME_PERSON]
    return () if any(found <= looked for looked in seen) else tuple(sorted(found))


def _conflict(found: Collection[str]) -> bool:
    parts = [name.removeprefix(PREFIX).split(".") for name in sorted(found)]
    return any(all(a != b for a, b in zip(one, other, strict=True)) for one, other in combinations(parts, 2))
