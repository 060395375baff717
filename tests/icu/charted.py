"""What mimic-code sees of one stay beside the results themselves: which rows are the stay's, heart rate, ventilation.

Read from mimic-code (MIT-LCP/mimic-code, mimic-iv/concepts), written anew here.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from tests.icu.tables import Row, Tables, moment

HEART_RATE = "220045"
FLOWS = frozenset({"223834", "227582", "227287"})
DEVICE, MODE, HAMILTON = "226732", "223849", "229314"
PRESSURES = frozenset({"220052", "220181", "225312"})
NEEDED = frozenset({HEART_RATE, DEVICE, MODE, HAMILTON, *FLOWS, *PRESSURES})
ILEOCONDUIT = "226584"
LABORATORY = {"51265": "platelets", "50885": "bilirubin", "50912": "creatinine"}
GAP = 14
"""Hours of silence that end a ventilation (treatment/ventilation.sql)."""

INVASIVE = "InvasiveVent"
BY_DEVICE = {
    "Endotracheal tube": INVASIVE,
    "Tracheostomy tube": "Tracheostomy",
    "Trach mask": "Tracheostomy",
    "Bipap mask": "NonInvasiveVent",
    "CPAP mask": "NonInvasiveVent",
    "High flow nasal cannula": "HFNC",
    **dict.fromkeys(
        ("Non-rebreather", "Face tent", "Aerosol-cool", "Venti mask", "Medium conc mask", "Ultrasonic neb", "Vapomist",
         "Oxymizer", "High flow neb", "Nasal cannula"),
        "SupplementalOxygen",
    ),
    "None": "None",
}  # fmt: skip
DRAEGER = frozenset(
    ("(S) CMV", "APRV", "APRV/Biphasic+ApnPress", "APRV/Biphasic+ApnVol", "APV (cmv)", "Ambient", "Apnea Ventilation",
     "CMV", "CMV/ASSIST", "CMV/ASSIST/AutoFlow", "CMV/AutoFlow", "CPAP/PPS", "CPAP/PSV", "CPAP/PSV+Apn TCPL",
     "CPAP/PSV+ApnPres", "CPAP/PSV+ApnVol", "MMV", "MMV/AutoFlow", "MMV/PSV", "MMV/PSV/AutoFlow", "P-CMV", "PCV+",
     "PCV+/PSV", "PCV+Assist", "PRES/AC", "PRVC/AC", "PRVC/SIMV", "PSV/SBT", "SIMV", "SIMV/AutoFlow", "SIMV/PRES",
     "SIMV/PSV", "SIMV/PSV/AutoFlow", "SIMV/VOL", "SYNCHRON MASTER", "SYNCHRON SLAVE", "VOL/AC")
)  # fmt: skip
INVASIVE_HAMILTON = frozenset(
    ("APRV", "APV (cmv)", "Ambient", "(S) CMV", "P-CMV", "SIMV", "APV (simv)", "P-SIMV", "VS", "ASV")
)
NONINVASIVE_HAMILTON = frozenset(("DuoPaP", "NIV", "NIV-ST"))


@dataclass(frozen=True, slots=True)
class Episode:
    begin: datetime
    end: datetime
    status: str


@dataclass
class Charted:
    """Of one stay. `moments`, `outputs` and `infusions` are the times of its rows of chart, outputs and infusions."""

    moments: set[datetime] = field(default_factory=set)
    outputs: set[datetime] = field(default_factory=set)
    infusions: set[datetime] = field(default_factory=set)
    heart: list[datetime] = field(default_factory=list)
    pressures: list[tuple[datetime, float]] = field(default_factory=list)
    conduit: list[tuple[datetime, float]] = field(default_factory=list)
    laboratory: list[tuple[str, datetime, float]] = field(default_factory=list)
    said: dict[datetime, dict[str, list[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def episodes(self) -> list[Episode]:
        """Stretches of one ventilation status, as `treatment/ventilation.sql` cuts them."""
        told = [(at, status) for at in sorted(self.said) if (status := _status(self.said[at])) is not None]
        last: dict[str, datetime] = {}
        runs: list[list[tuple[datetime, str]]] = []
        for at, status in told:
            silent = status in last and _hours(last[status], at) >= GAP
            if not runs or runs[-1][-1][1] != status or silent:
                runs.append([])
            runs[-1].append((at, status))
            last[status] = at
        following = {at: later for (at, _), (later, _) in pairwise(told)}
        return [_episode(run, following) for run in runs if len(run) > 1]


def _episode(run: list[tuple[datetime, str]], following: dict[datetime, datetime]) -> Episode:
    """To the next charting of whatever status, unless that comes after the gap."""
    ends = [later if (later := following.get(at)) and _hours(at, later) < GAP else at for at, _ in run]
    return Episode(run[0][0], max(ends), run[0][1])


def _hours(begin: datetime, end: datetime) -> int:
    """Marks of the clock passed, which is how DuckDB counts hours."""
    return int((_hour(end) - _hour(begin)) / timedelta(hours=1))


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0)


def _status(said: dict[str, list[str]]) -> str | None:
    """A device counts where an oxygen flow is charted beside it (oxygen_delivery.sql keeps no other row)."""
    flows = any(said[item] for item in FLOWS if item in said)
    device = max(said[DEVICE], default="") if flows and DEVICE in said else ""
    mode, hamilton = (max(said[item], default="") if item in said else "" for item in (MODE, HAMILTON))
    found = BY_DEVICE.get(device)
    if found == "Tracheostomy":
        return found
    if found == INVASIVE or mode in DRAEGER or hamilton in INVASIVE_HAMILTON:
        return INVASIVE
    return "NonInvasiveVent" if hamilton in NONINVASIVE_HAMILTON else found


def charted(tables: Tables) -> dict[str, Charted]:
    """By stay, in one reading of each table."""
    found: dict[str, Charted] = defaultdict(Charted)
    for row in tables.rows("chartevents"):
        if row["stay_id"]:
            _chart(found[row["stay_id"]], row)
    for row in tables.rows("outputevents"):
        _output(found[row["stay_id"]], row)
    for row in tables.rows("inputevents"):
        found[row["stay_id"]].infusions.add(moment(row["starttime"]))
    _laboratory(tables, found)
    return found


def _output(stay: Charted, row: Row) -> None:
    at = moment(row["charttime"])
    stay.outputs.add(at)
    if row["itemid"] == ILEOCONDUIT and row["value"]:
        stay.conduit.append((at, float(row["value"])))


def _laboratory(tables: Tables, found: dict[str, Charted]) -> None:
    """Results filed under an admission belong to each of its stays."""
    stays: dict[str, list[str]] = defaultdict(list)
    for one in tables.stays.values():
        stays[one.admission].append(one.id)
    for row in tables.rows("labevents"):
        if row["itemid"] in LABORATORY and row["valuenum"]:
            said = LABORATORY[row["itemid"]], moment(row["charttime"]), float(row["valuenum"])
            for stay in stays.get(row["hadm_id"], ()):
                found[stay].laboratory.append(said)


def _chart(stay: Charted, row: Row) -> None:
    item = row["itemid"]
    at = moment(row["charttime"])
    stay.moments.add(at)
    if item not in NEEDED:
        return
    if item == HEART_RATE:
        stay.heart.append(at)
    elif item in PRESSURES:
        if row["valuenum"]:
            stay.pressures.append((at, float(row["valuenum"])))
    elif row["value"]:
        stay.said[at][item].append(row["value"].strip())
