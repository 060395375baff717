"""What people were told of a candidate, as it stands in the history, in the words of the ward."""

from collections.abc import Callable, Mapping
from datetime import tzinfo

from adapter.web import times, words
from adapter.web.tongue import inner, say

NOTHING = "-"
SAID: Mapping[str, Callable[[str], str]] = {
    "verdict": words.verdict,
    "stratum": words.stratum,
    "status": words.sentence,
    "certainty": say,
}
PARTS = 4
"""`stratum indeterminate → mals`: what, before, arrow, now."""


def change(text: str, zone: tzinfo) -> str:
    """`verdict incomplete → candidate, onset - → 2026-01-02T…` → `Incomplete → Candidate; onset Fri 2 Jan 04:00`."""
    return "; ".join(_one(part, zone) for part in text.split(", ")) if text else ""


def _one(part: str, zone: tzinfo) -> str:
    found = part.split(" ")
    if len(found) != PARTS or found[2] != "→" or found[0] not in {*SAID, "onset"}:
        return _ground(part)
    what, before, _, now = found
    was, is_now = (_said(what, word, zone) for word in (before, now))
    named = say("onset") if what == "onset" else ""
    return " ".join(word for word in (named, f"{was} →" if was else "", is_now or say("none")) if word)


def _ground(text: str) -> str:
    """`against: I4`, `was incomplete`, or one of the sentences that `codes.py` lists; anything else as it stands."""
    first, _, rest = text.partition(" ")
    if first == "against:":
        return say("against: %(criteria)s", criteria=rest)
    if first == "was" and rest in words.VERDICTS:
        return say("was %(verdict)s", verdict=inner(words.verdict(rest)))
    return say(text)


def _said(what: str, word: str, zone: tzinfo) -> str:
    if word == NOTHING:
        return ""
    return times.local(word, zone) if what == "onset" else SAID[what](word)


def lately(told: Mapping[str, str], candidate: str, zone: tzinfo) -> str:
    return change(told.get(candidate, ""), zone)
