"""What a site or a trial may choose about the scores; everything else is published and stands in thresholds."""

from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class ScoringOptions:
    """Holds and conventions of one site (decisions B4, B8; clinical D9, D13, 2.5).

    `rate_hold` and `device_hold`: how long a charted rate, or a device, setting or RASS, stands when nothing follows.
    `norepinephrine_basis`: what the charted dose weighs: `base`, `bitartrate`, `hydrochloride` or `unknown`.
    `hfnc_is_support`: whether high-flow nasal oxygen counts as respiratory support for 3 and 4 points.
    `rrt_scores_4`: whether renal replacement is 4 points of the kidney; the table has no rule for it (clinical 2.8).
    `timezone`: where the site lies: its calendar days are those of the daily SOFA and of the age.
    `unit_policy`: `native_table` reads SI results in the printed SI column and keeps the other one in the interval, `printed`
    in that column alone, `converted` in the conventional one alone.
    """

    rate_hold: timedelta = timedelta(hours=2)
    device_hold: timedelta = timedelta(hours=4)
    norepinephrine_basis: str = "base"
    hfnc_is_support: bool = False
    rrt_scores_4: bool = False
    unit_policy: str = "native_table"
    timezone: tzinfo = UTC
