"""The candidate's page after randomisation: the SOFA of study days and survival."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from adapter.domain.assessment import ORGANS
from adapter.domain.follow_up import VitalStatus
from adapter.web import times, words
from adapter.web.tongue import mark, say

SURVIVAL = {VitalStatus.ALIVE: mark("Alive"), VitalStatus.DIED: mark("Died")}
UNTOLD = mark("Not told by the hospital: ask")
"""Silence is neither life nor death."""


@dataclass(frozen=True, slots=True)
class Cell:
    """`?` where nothing was measured; `carried`: measured on an earlier day."""

    text: str
    carried: bool


@dataclass(frozen=True, slots=True)
class DayRow:
    day: int
    date: str
    cells: tuple[Cell, ...]
    total: str


@dataclass(frozen=True, slots=True)
class SurvivalRow:
    day: int
    date: str
    status: str


@dataclass(frozen=True, slots=True)
class Followed:
    organs: tuple[str, ...]
    days: tuple[DayRow, ...]
    survival: tuple[SurvivalRow, ...]

    @property
    def carried(self) -> bool:
        return any(cell.carried for row in self.days for cell in row.cells)


def followed(explained: Mapping[str, Any]) -> Followed | None:
    """`None` of somebody who was not randomised; days that are over, the newest first."""
    stated = explained.get("follow_up")
    if not stated:
        return None
    days = tuple(_day(one) for one in reversed(stated.get("days") or ()))
    lived = tuple(_survival(one) for one in stated.get("survival") or ())
    return Followed(tuple(words.organ(name) for name in ORGANS), days, lived)


def _day(stated: Mapping[str, Any]) -> DayRow:
    components: Mapping[str, Any] = stated.get("components") or {}
    cells = tuple(_cell(components.get(name) or {}) for name in ORGANS)
    return DayRow(int(stated["day"]), _date(stated), cells, words.interval(stated.get("low"), stated.get("high")))


def _cell(organ: Mapping[str, Any]) -> Cell:
    score = organ.get("score")
    return Cell("?" if score is None else str(score), organ.get("status") == "carried")


def _survival(stated: Mapping[str, Any]) -> SurvivalRow:
    return SurvivalRow(int(stated["day"]), _date(stated), say(SURVIVAL.get(stated.get("status", ""), UNTOLD)))


def _date(stated: Mapping[str, Any]) -> str:
    return times.day_of(date.fromisoformat(str(stated["date"])))
