"""The candidate's page: criteria in the order in which they need somebody, organs with evidence, strata."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from adapter.domain.assessment import ORGANS
from adapter.domain.trial import Trial
from adapter.scoring.thresholds import WORST
from adapter.store.worklist import CandidateRow
from adapter.web import board, times, words
from adapter.web.board import BoardRow
from adapter.web.briefs import LEADING
from adapter.web.context import WebContext
from adapter.web.effects import effect
from adapter.web.followed import Followed, followed
from adapter.web.tongue import figure, mark, say
from adapter.web.values import Value, values

ANSWERS = {"met": mark("Met"), "not-met": mark("Not met"), "unknown": mark("Still unknown")}
OUTCOMES = {"fits": mark("stays in"), "stops": mark("rules out")}


@dataclass(frozen=True, slots=True)
class Item:
    """One criterion. `effect` says what the answer means: it `fits`, it `stops`, or it is `open`."""

    id: str
    kind: str
    text: str
    short: str
    ask: str
    answer: str
    effect: str
    needs: str
    certain: bool
    by: str
    note: str
    evidence: tuple[Value, ...]
    rule: str
    source: str


@dataclass(frozen=True, slots=True)
class Organ:
    name: str
    label: str
    score: int | None
    low: int
    high: int
    status: str
    rule: str
    flags: tuple[str, ...]
    evidence: tuple[Value, ...]
    says: str
    otherwise: tuple[str, ...]
    second: str
    """Its points in SOFA-2."""


@dataclass(frozen=True, slots=True)
class Sheet:
    row: BoardRow
    zone: str
    to_ask: tuple[Item, ...]
    waiting: tuple[Item, ...]
    stopping: tuple[Item, ...]
    settled: tuple[Item, ...]
    deciding: tuple[str, ...]
    """What the results would say that settle a criterion by themselves."""
    organs: tuple[Organ, ...]
    second: str
    """SOFA-2, shown beside SOFA."""
    equivalent: str
    sofa_low: int
    sofa_high: int
    window: str
    onset_sofa: str
    """Empty where sepsis has not begun."""
    stratum_rule: str
    context: str
    baseline: str
    baseline_source: str
    onset: str
    onset_provisional: bool
    onset_computed: str
    onset_by: str
    """Who stated the onset, if a person did; `onset_computed` is what the score says beside it."""
    onset_reason: str
    infection: str
    infection_basis: str
    facts: tuple[Value, ...]
    stratum_evidence: tuple[Value, ...]
    flags: tuple[str, ...]
    advice: tuple[str, ...]
    """Questions that belong to no criterion, such as asking the laboratory to dilute."""
    rulebook: str
    evaluated: str
    followed: Followed | None = None
    doubted: bool = False
    """Two persons may stand under this number; nothing leaves until somebody says that it is one."""
    numbers: tuple[str, ...] = ()
    """The screening ids of a person who turned out to have two; nothing leaves until somebody chooses."""


def sheet(row: CandidateRow, context: WebContext, now: datetime) -> Sheet:
    explained: Mapping[str, Any] = row.assessment or {}
    zone = board.zone_of(context, row.patient.site)
    trial = context.trial(row.trial)
    items = items_of(explained, trial, zone)
    sofa: Mapping[str, Any] = explained.get("sofa") or {}
    sepsis: Mapping[str, Any] = explained.get("sepsis") or {}
    baseline: Mapping[str, Any] = sepsis.get("baseline") or {}
    return Sheet(
        row=board.row_of(row, context, now),
        zone=times.zone_name(zone, now),
        to_ask=tuple(item for item in items if item.effect == "open" and item.needs == "person"),
        waiting=tuple(item for item in items if item.effect == "open" and item.needs != "person"),
        stopping=tuple(item for item in items if item.effect == "stops"),
        settled=tuple(item for item in items if item.effect == "fits"),
        deciding=tuple(str(test.get("says") or "") for test in explained.get("deciding") or ()),
        organs=organs_of(sofa, explained.get("sofa2") or {}, zone),
        second=words.span(explained.get("sofa2")),
        equivalent=figure(str(sofa.get("norepinephrine_equivalent") or "")),
        sofa_low=int(sofa.get("low") or 0),
        sofa_high=int(sofa.get("high") or 0),
        window=str(sofa.get("window_hours") or ""),
        onset_sofa=words.span(sepsis.get("sofa_at_onset")),
        stratum_rule=next((item.rule for item in items if item.id == stratum_criterion(trial)), ""),
        context=str(sepsis.get("context") or ""),
        baseline=words.interval(baseline.get("low"), baseline.get("high")),
        baseline_source=str(baseline.get("source") or ""),
        onset=times.local(sepsis.get("onset"), zone),
        onset_computed=times.local(sepsis.get("onset_computed"), zone),
        onset_by=str(sepsis.get("onset_by") or ""),
        onset_reason=str(sepsis.get("onset_reason") or ""),
        onset_provisional=bool(sepsis.get("provisional")),
        infection=times.local(sepsis.get("infection"), zone),
        infection_basis=str(sepsis.get("infection_basis") or ""),
        facts=other_facts(explained, zone),
        stratum_evidence=values(explained.get("stratum_evidence"), zone),
        flags=flags_of(explained),
        advice=advice_of(explained),
        rulebook=str(explained.get("rulebook") or ""),
        evaluated=times.local(row.evaluated_at, zone),
        followed=followed(explained),
        doubted=bool(explained.get("described")),
        numbers=tuple(explained.get("screening_ids") or ()),
    )


def stratum_criterion(trial: Trial | None) -> str:
    return trial.parameters.stratum_criterion if trial else ""


def items_of(explained: Mapping[str, Any], trial: Trial | None, zone: tzinfo) -> tuple[Item, ...]:
    return tuple(_item(criterion, trial, zone) for criterion in explained.get("criteria") or ())


def _item(stated: Mapping[str, Any], trial: Trial | None, zone: tzinfo) -> Item:
    criterion = trial.criterion(str(stated.get("id"))) if trial else None
    return Item(
        id=str(stated.get("id") or ""),
        kind=str(stated.get("kind") or ""),
        text=str(stated.get("text") or ""),
        short=criterion.short if criterion else "",
        ask=str(stated.get("ask") or ""),
        answer=str(stated.get("answer") or "unknown"),
        effect=effect(str(stated.get("kind")), str(stated.get("answer"))),
        needs=str(stated.get("needs") or ""),
        certain=bool(stated.get("certain", True)),
        by=str(stated.get("determined_by") or ""),
        note=str(stated.get("note") or ""),
        evidence=values(stated.get("evidence"), zone),
        rule=words.rule(str(stated.get("rule") or "")),
        source=str(stated.get("source") or ""),
    )


def meaning(kind: str, answer: str) -> str:
    """An answer with what it leads to, because "met" is good news of an inclusion and bad news of an exclusion."""
    outcome, said = OUTCOMES.get(effect(kind, answer)), say(ANSWERS.get(answer, answer))
    return f"{said} ({say(outcome)})" if outcome else said


def organs_of(sofa: Mapping[str, Any], beside: Mapping[str, Any], zone: tzinfo) -> tuple[Organ, ...]:
    components: Mapping[str, Any] = sofa.get("components") or {}
    others: Mapping[str, Any] = beside.get("components") or {}
    return tuple(_organ(name, components[name], others.get(name), zone) for name in ORGANS if components.get(name))


def _organ(name: str, stated: Mapping[str, Any], beside: Mapping[str, Any] | None, zone: tzinfo) -> Organ:
    return Organ(
        name=name,
        label=words.organ(name),
        score=stated.get("score"),
        low=int(stated.get("low") or 0),
        high=int(stated.get("high", WORST)),
        status=str(stated.get("status") or "missing"),
        rule=str(stated.get("rule") or ""),
        flags=tuple(words.sentence(str(flag)) for flag in stated.get("flags") or ()),
        evidence=values(stated.get("evidence"), zone),
        says=str(stated.get("says") or ""),
        otherwise=tuple(f"{o.get('points')}: {words.rule(str(o.get('when')))}" for o in stated.get("otherwise") or ()),
        second=words.span(beside),
    )


def other_facts(explained: Mapping[str, Any], zone: tzinfo) -> tuple[Value, ...]:
    """The latest values that do not already stand under the stratum."""
    facts: Mapping[str, Any] = explained.get("facts") or {}
    return values((fact for name, fact in facts.items() if name not in LEADING), zone)


def flags_of(explained: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(words.sentence(str(flag)) for flag in explained.get("flags") or ())


def advice_of(explained: Mapping[str, Any]) -> tuple[str, ...]:
    known = {criterion.get("id") for criterion in explained.get("criteria") or ()}
    return tuple(text for text in explained.get("questions") or () if text.partition(":")[0] not in known)
