"""Into shadow and out of it: what waits is held or taken back; who still stands is told together, and judged again for the EDC."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapter import telemetry
from adapter.alerting.model import Cause
from adapter.domain.trial import Trial
from adapter.pipeline.calling import is_decided
from adapter.pipeline.outgoing import INTENDED_USE, NotifierOutlet, Outlet, Owed
from adapter.pipeline.silence import Silence
from adapter.store import calls, outbox, shadow
from adapter.store.audit import Act, append
from adapter.store.database import Database, Snapshot, Transaction
from adapter.store.locks import Lock, take


@dataclass(frozen=True, slots=True)
class House:
    """What a turn concerns: the trials screened, those of them in shadow, who is told with each message, the worklist's address."""

    trials: Sequence[Trial]
    shadow: Collection[str]
    outlets: Sequence[Outlet]
    worklist: str


def settle(database: Database, house: House, now: datetime) -> Silence:
    """At each start: the store learns which trials are in shadow. The same again changes nothing."""
    with database.write() as tx:
        take(tx, Lock.CALLING)
        for trial in house.trials:
            _turn(tx, trial, house, now)
        return Silence(frozenset(house.shadow), {trial.id: shadow.spans(tx, trial.id) for trial in house.trials})


def _turn(tx: Transaction, trial: Trial, house: House, now: datetime) -> None:
    dark = trial.id in house.shadow
    if not shadow.turn(tx, trial.id, now, shadow=dark):
        return
    said = _begun(tx, trial, now) if dark else _ended(tx, trial, house, now)
    action = "shadow-begun" if dark else "shadow-ended"
    append(tx, Act("adapter", "system", action, "trial", trial.id, said), now)
    text = ", ".join(f"{name} {number}" for name, number in said.items())
    telemetry.log("trial in shadow" if dark else "trial live", trial=trial.id, text=text)


def _begun(tx: Transaction, trial: Trial, now: datetime) -> dict[str, int]:
    """Alerts that reached nobody would be old news one day: they go. Snapshots for an EDC that knows the subject wait."""
    return {"alerts_taken_back": shadow.take_back(tx, trial.id, now), "deliveries_held": shadow.held(tx, trial.id)}


def _ended(tx: Transaction, trial: Trial, house: House, now: datetime) -> dict[str, int]:
    """With `[alerts]` people are told by its rounds, which compare what stands with what was told: several together."""
    shadow.review_at_once(tx, trial.id, now)
    standing = standing_undecided(tx, trial, now)
    for outlet in house.outlets:
        if standing and isinstance(outlet, NotifierOutlet):
            outbox.add(tx, _summary(outlet, trial, house, (standing, now)), now)
    return {"standing": standing, "deliveries_released": shadow.held(tx, trial.id)}


def standing_undecided(conn: Snapshot, trial: Trial, now: datetime) -> int:
    """Those with time left: of whom people hear when the trial goes live."""
    found = [one for one in calls.alerts(conn, now, timedelta(0)) if one.trial == trial.id and one.standing]
    left = [one for one in found if one.deadline is None or one.deadline > now]
    return sum(not is_decided(trial, one.status) for one in left)


def _summary(outlet: NotifierOutlet, trial: Trial, house: House, found: tuple[int, datetime]) -> Owed:
    """A number and the list: no candidate has a message of its own."""
    standing, now = found
    kind = str(Cause.DIGEST)
    key = hashlib.sha256(f"live|{outlet.name}|{trial.id}|{now.isoformat()}".encode()).hexdigest()[:32]
    said = {"kind": kind, "count": standing, "link": house.worklist, "trial": trial.id, "intended_use": INTENDED_USE}
    return Owed(outlet.name, key, kind, json.dumps(said, sort_keys=True), key)
