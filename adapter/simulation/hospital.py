"""A synthetic hospital as one sending system: its messages in the order of sending, without ever holding them all."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from adapter.simulation.inhabitants import Inhabitant, measured, moved, newcomer, place, values
from adapter.simulation.messages import Movement, Report, Sent, movement, results
from adapter.simulation.spoiling import spoiled
from adapter.simulation.traffic import Plan

REMEMBERED = 300
"""Messages and reports a sender may come back to: a doubled message, a correction."""
FIRST_NUMBER = 600001
LONGEST_STAY = timedelta(days=9)
LATE = (61, 360)
"""Minutes a late message was on its way."""
UPDATES = {"A08": 88, "A31": 6, "A02": 4, "A05": 1, "A03": 1}
"""What an ordinary ADT says; a bed that A03 empties is filled by the next."""
EMERGENCY_SHARE = 0.4
TRIES = 20
CANCELS = {"A02": "A12", "A01": "A11"}


def hospital(plan: Plan) -> Iterator[Sent]:
    """From `plan.start`, `plan.hours` long. Everybody was admitted before: who listens joins a running feed."""
    house = _House(plan)
    moment = plan.start.astimezone(UTC)
    while True:
        # Twice a uniform share of the mean gap: no logarithm, whose last digit machines do not agree on.
        moment += timedelta(seconds=2 * house.chance.random() / plan.rate(moment))
        if moment >= plan.end:
            return
        yield house.next(moment)


@dataclass(slots=True)
class _Said:
    """What goes out, before it is put on its way."""

    body: bytes
    patient: str
    type: str
    oddity: str = ""


class _House:
    """The state of the simulation: beds, counters, and what the sender remembers."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.chance = Random(f"{plan.dialect.site} {plan.seed}")  # noqa: S311 — repeatable on purpose: same seed, same bytes
        self._numbers, self._orders, self._controls = FIRST_NUMBER, 0, 0
        self._merges = self._restarts = 0
        self._empty: deque[int] = deque()
        self._recent: deque[_Said] = deque(maxlen=REMEMBERED)
        self._reports: deque[tuple[Inhabitant, Report]] = deque(maxlen=REMEMBERED)
        self._beds = [self._newcomer(bed) for bed in range(plan.beds)]
        for inhabitant in self._beds:
            inhabitant.admitted = plan.start - LONGEST_STAY * self.chance.random() - timedelta(hours=LATE[1] // 60)

    def next(self, moment: datetime) -> Sent:
        said = self._say(moment)
        if said.oddity not in {"duplicate", "malformed"}:
            self._recent.append(said)
        after = moment - self.plan.start
        return Sent(after, self.plan.dialect.site, said.patient, said.body, said.type, said.oddity)

    # --- what to say -----------------------------------------------------------------------------------------------------

    def _say(self, moment: datetime) -> _Said:
        if self._restarts < self.plan.restarts_until(moment):
            self._restarts += 1
            self._controls = 0
        if self._merges < self.plan.merges_until(moment):
            self._merges += 1
            return self._merge(moment)
        return self._unusual(self._oddity(), moment) or self._ordinary(moment)

    def _unusual(self, oddity: str, moment: datetime) -> _Said | None:
        """None where there is nothing yet to come back to."""
        if oddity == "late":
            late = moment - timedelta(minutes=self.chance.randint(*LATE))
            return replace(self._ordinary(late, late=True), oddity=oddity)
        if oddity == "malformed":
            said = self._ordinary(moment)
            return replace(said, body=spoiled(said.body, self.chance), oddity=oddity)
        if not oddity or not self._recent or not self._reports:
            return None
        if oddity == "duplicate":
            return replace(self.chance.choice(self._recent), oddity=oddity)
        return self._corrected(moment) if oddity == "corrected" else self._cancelled(moment)

    def _oddity(self) -> str:
        roll = self.chance.random()
        for name in ("duplicate", "late", "corrected", "cancelled", "malformed"):
            roll -= getattr(self.plan.traffic, name)
            if roll < 0:
                return name
        return ""

    def _ordinary(self, moment: datetime, *, late: bool = False) -> _Said:
        if self.chance.random() >= self.plan.traffic.adt:
            return self._report(moment)
        return self._adt(moment, "A08") if late else self._bed_management(moment)

    # --- results ---------------------------------------------------------------------------------------------------------

    def _report(self, moment: datetime) -> _Said:
        inhabitant = self._somebody(moment)
        self._orders += 1
        report = measured(self.plan.dialect, inhabitant, f"F{self._orders}", moment, self.chance)
        self._reports.append((inhabitant, report))
        return self._results(inhabitant, report, moment)

    def _corrected(self, moment: datetime) -> _Said:
        inhabitant, report = self.chance.choice(self._reports)
        found = values(self.plan.dialect, inhabitant, tuple(report.values), self.chance)
        return self._results(inhabitant, replace(report, values=found, status="C", issued=moment), moment, "corrected")

    def _withdrawn(self, moment: datetime) -> _Said:
        inhabitant, report = self.chance.choice(self._reports)
        found = dict.fromkeys(report.values, "")
        return self._results(inhabitant, replace(report, values=found, status="X", issued=moment), moment, "cancelled")

    def _results(self, inhabitant: Inhabitant, report: Report, moment: datetime, oddity: str = "") -> _Said:
        person = inhabitant.person
        body = results(self.plan.dialect, person, report, sent=moment, control=self._control())
        return _Said(body, person.number, "ORU^R01", oddity)

    # --- movements -------------------------------------------------------------------------------------------------------

    def _bed_management(self, moment: datetime) -> _Said:
        if self._empty:
            return self._admission(moment, self._empty.popleft())
        trigger = self.chance.choices(list(UPDATES), list(UPDATES.values()))[0]
        if trigger == "A05":
            return self._planned(moment)
        if trigger in {"A02", "A03"}:
            return self._leaving(moment, trigger)
        return self._adt(moment, trigger)

    def _adt(self, moment: datetime, trigger: str) -> _Said:
        return self._moved(self._somebody(moment), trigger, moment)

    def _admission(self, moment: datetime, bed: int) -> _Said:
        inhabitant = self._beds[bed] = self._newcomer(bed)
        inhabitant.admitted, inhabitant.fresh = moment, True
        if self.chance.random() >= EMERGENCY_SHARE:
            return self._moved(inhabitant, "A01", moment)
        moved(inhabitant, (self.plan.dialect.emergency_ward, str(bed + 1)), "E")
        return self._moved(inhabitant, "A04", moment)

    def _planned(self, moment: datetime) -> _Said:
        """Somebody who is expected next week."""
        inhabitant = self._newcomer(0)
        inhabitant.admitted = moment + timedelta(days=7)
        return self._moved(inhabitant, "A05", moment)

    def _leaving(self, moment: datetime, trigger: str) -> _Said:
        """A transfer, from emergency to a ward by A06; or a discharge, which empties the bed."""
        bed = self.chance.randrange(len(self._beds))
        inhabitant = self._beds[bed]
        if trigger == "A03":
            self._empty.append(bed)
            return self._moved(inhabitant, "A03", moment, discharged=moment)
        to_ward = "A06" if inhabitant.person.visit_class == "E" else "A02"
        moved(inhabitant, place(bed if to_ward == "A06" else self.chance.randrange(len(self._beds))), "I")
        return self._moved(inhabitant, to_ward, moment)

    def _cancelled(self, moment: datetime) -> _Said:
        """A transfer or an admission that was none, else a withdrawn result."""
        bed = self.chance.randrange(len(self._beds))
        inhabitant = self._beds[bed]
        if inhabitant.before is not None and inhabitant.before.visit_class == "I":
            inhabitant.person, inhabitant.before = inhabitant.before, None
            return self._moved(inhabitant, CANCELS["A02"], moment, "cancelled")
        if inhabitant.fresh and bed not in self._empty:
            self._empty.append(bed)
            return self._moved(inhabitant, CANCELS["A01"], moment, "cancelled")
        return self._withdrawn(moment)

    def _merge(self, moment: datetime) -> _Said:
        """The number somebody had until now ends in another one; the visit keeps its own."""
        inhabitant = self._somebody(moment)
        gone = inhabitant.person
        inhabitant.person = replace(gone, number=self._number(), visit_number=gone.visit)
        event = Movement("A40", moment, gone=gone.number)
        body = movement(self.plan.dialect, inhabitant.person, event, sent=moment, control=self._control())
        return _Said(body, inhabitant.person.number, "ADT^A40", "merge")

    def _moved(
        self,
        inhabitant: Inhabitant,
        trigger: str,
        moment: datetime,
        oddity: str = "",
        discharged: datetime | None = None,
    ) -> _Said:
        event = Movement(trigger, moment, inhabitant.admitted, discharged)
        body = movement(self.plan.dialect, inhabitant.person, event, sent=moment, control=self._control())
        return _Said(body, inhabitant.person.number, f"ADT^{trigger}", oddity)

    # --- people and counters ---------------------------------------------------------------------------------------------

    def _somebody(self, moment: datetime) -> Inhabitant:
        """Who was here at this moment already, if a few tries find one."""
        tries = (self.chance.choice(self._beds) for _ in range(TRIES))
        return next((one for one in tries if one.admitted <= moment), self._beds[0])

    def _newcomer(self, bed: int) -> Inhabitant:
        return newcomer(self.plan.dialect, int(self._number()), place(bed), self.chance, self.plan.traffic.septic)

    def _number(self) -> str:
        self._numbers += 1
        return str(self._numbers)

    def _control(self) -> str:
        """Starts again when the sender does."""
        self._controls += 1
        return str(self._controls)
