"""How much a hospital sends, when, and how often something about it is unusual (the mix of a synthetic site)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise

from adapter.simulation.dialect import Dialect

DAY = (
    1.2,
    1.2,
    1.2,
    1.2,
    1.2,
    3.0,
    7.0,
    10.0,
    7.0,
    4.5,
    4.0,
    3.5,
    3.0,
    2.8,
    2.6,
    2.4,
    2.4,
    2.4,
    2.2,
    2.0,
    2.0,
    1.9,
    1.7,
    1.6,
)
"""Messages a second from 1,000 beds in each hour of the local day: 3 at the mean, 10 while morning blood is reported."""
BEDS_OF_DAY = 1000
EVENING = time(18)
SEASON = (date(2025, 9, 15), date(2025, 11, 15))
"""Where the night of the clock change is looked for; the first night where the zone has none."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Shares are of all messages; merges are of a day of 1,000 beds, restarts of the sender of a whole run.

    `busy` multiplies the usual rate.
    """

    adt: float = 0.20
    duplicate: float = 0.02
    late: float = 0.03
    corrected: float = 0.01
    cancelled: float = 0.003
    malformed: float = 0.001
    merges: float = 20
    restarts: int = 2
    septic: float = 0.03
    """Share of the patients."""
    busy: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A run: equal plans give equal bytes."""

    dialect: Dialect
    start: datetime
    hours: float = 24
    beds: int = 1000
    seed: int = 1
    traffic: Traffic = Traffic()

    @property
    def end(self) -> datetime:
        return self.start.astimezone(UTC) + timedelta(hours=self.hours)

    def rate(self, moment: datetime) -> float:
        """Messages a second at this hour of the hospital's own day."""
        hour = moment.astimezone(self.dialect.zone).hour
        return DAY[hour] * self.beds / BEDS_OF_DAY * self.traffic.busy

    def expected(self) -> int:
        """Messages of the whole run, nearly."""
        quarters = int(self.hours * 4)
        steps = (self.start.astimezone(UTC) + timedelta(minutes=15 * quarter) for quarter in range(quarters))
        rest = (self.hours * 4 - quarters) * 900
        return round(sum(self.rate(step) * 900 for step in steps) + rest * self.rate(self.end))

    def merges_until(self, moment: datetime) -> int:
        days = (moment - self.start) / timedelta(days=1)
        return int(days * self.traffic.merges * self.beds / BEDS_OF_DAY)

    def restarts_until(self, moment: datetime) -> int:
        """Evenly over the run, never at its ends."""
        share = (moment - self.start) / timedelta(hours=self.hours)
        return min(int(share * (self.traffic.restarts + 1)), self.traffic.restarts)


def evening_before_the_change(zone: tzinfo) -> datetime:
    """Six in the evening before the night in which clocks go back, so that a run of ten hours holds that night."""
    first, last = SEASON
    evenings = [
        datetime.combine(first + timedelta(days=number), EVENING, zone) for number in range((last - first).days)
    ]
    changing = (evening for evening, next_one in pairwise(evenings) if evening.utcoffset() != next_one.utcoffset())
    return next(changing, evenings[0]).astimezone(UTC)
