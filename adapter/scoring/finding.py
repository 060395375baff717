"""What one measurement says of an organ, and how the worst of a window becomes the organ's score.

An interval holds every score the organ may have: firm findings bound it on both sides; a provisional one (a surrogate,
a specimen nobody confirmed, a short urine window) may only raise its high end; without a firm one the organ may be anything.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter

from adapter.domain.assessment import Evidence, OrganScore, OrganStatus, evidence_of
from adapter.domain.observation import Observation
from adapter.scoring.thresholds import WORST

UNIT_DISCORDANT = "unit_discordant"
CENSORED = "censored"


@dataclass(slots=True)  # never changed once made; frozen ones take three times as long to make
class Finding:
    """Points with their interval. `converted` is what the other unit column gives, which the interval holds too; `settled`, the
    low end in the column that gives more, where they differ. `note` explains the first of `basis`: a text, or who can tell it,
    for most findings are never shown. `shown` is the evidence of `basis`, if it is made already.
    """

    score: int
    low: int
    high: int
    basis: tuple[Observation, ...]
    rule: str
    note: str | Callable[[], str] = ""
    converted: int | None = None
    settled: int | None = None
    status: OrganStatus = OrganStatus.MEASURED
    flags: tuple[str, ...] = ()
    firm: bool = True
    shown: tuple[Evidence, ...] = ()


def beside(found: Finding, score: int, low: int, high: int) -> Finding:
    """With what the other unit column gives: nobody has said which one counts (clinical 2.3)."""
    settled = None if low == found.low else max(low, found.low)
    return replace(found, converted=score, low=min(low, found.low), high=max(high, found.high), settled=settled)


_SCORE, _LOW, _HIGH = attrgetter("score", "firm"), attrgetter("low"), attrgetter("high")


def worst(findings: Sequence[Finding], flags: Iterable[str] = ()) -> OrganScore:
    """The organ's score: the highest of each end; of equals the firm, then the latest decides."""
    if not findings:
        return missing(flags)
    firm = [finding for finding in findings if finding.firm]
    recent = findings[::-1]
    decider = max(recent, key=_SCORE)
    lowest = max(firm[::-1], key=_LOW) if firm else decider
    highest = max(recent, key=_HIGH)
    low = lowest.low if firm else 0
    settled = max((finding.settled for finding in firm if finding.settled is not None), default=low)
    deciding = _relevant(decider, lowest, highest)
    return OrganScore(
        score=decider.score,
        low=low,
        high=highest.high if firm else WORST,
        status=decider.status,
        flags=_flags(findings, deciding, flags),
        evidence=_evidence(deciding),
        rule=decider.rule,
        settled=settled if settled > low else None,
    )


def missing(flags: Iterable[str] = ()) -> OrganScore:
    return OrganScore(None, 0, WORST, OrganStatus.MISSING, tuple(dict.fromkeys(flags)))


def _relevant(decider: Finding, lowest: Finding, highest: Finding) -> tuple[Finding, ...]:
    """The decider, and whoever sets an end of the interval that the decider does not reach."""
    found = [decider]
    if lowest.low != decider.low or not decider.firm:
        found.append(lowest)
    if highest.high > decider.high:
        found.append(highest)
    return tuple({id(finding): finding for finding in found}.values())


def _flags(findings: Sequence[Finding], deciding: Iterable[Finding], more: Iterable[str]) -> tuple[str, ...]:
    flags = [flag for finding in deciding for flag in (*finding.flags, *_data_flags(finding))]
    if any(f.converted is not None for f in findings):
        converted = max(f.score if f.converted is None else f.converted for f in findings)
        if converted != max(f.score for f in findings):
            flags.append(UNIT_DISCORDANT)
    return tuple(dict.fromkeys((*flags, *more)))


def _data_flags(finding: Finding) -> Iterable[str]:
    return (flag for observation in finding.basis for flag in observation.flags)


def _evidence(deciding: Iterable[Finding]) -> tuple[Evidence, ...]:
    """Of each result once, with what the first finding that rests on it says."""
    found: dict[tuple[str, str, datetime], Evidence] = {}
    for finding in deciding:
        note = finding.note if isinstance(finding.note, str) else finding.note()
        for index, one in enumerate(finding.basis):
            key = (one.concept, one.identity, one.effective)
            if key not in found:
                made = bool(finding.shown) and (index > 0 or not note)
                found[key] = finding.shown[index] if made else evidence_of(one, "" if index else note)
    return tuple(found.values())
