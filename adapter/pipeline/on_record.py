"""What the audit says of persons tied together, of what people were told, and of what left the house."""

import hashlib
from dataclasses import replace
from typing import Any

from adapter.domain.message import Delivery, RemoteResource
from adapter.pipeline.knots import Knotted
from adapter.screening.screen import Judgement
from adapter.store import audit, outbox


def tied(found: Knotted, message_id: int) -> audit.Act:
    """How many records and persons hang together now."""
    people = found.knot.persons
    circle = any(person.cycle for person in people)
    detail = {"records": len(found.knot.records), "persons": len(people), "circle": circle}
    return audit.Act("adapter", "system", "records-tied", "message", str(message_id), detail)


def told(candidate: str, judgement: Judgement) -> audit.Act:
    assessment, change = judgement.assessment, judgement.change
    kind = str(change.kind) if change is not None else ""
    detail = {"trial": assessment.trial, "verdict": str(assessment.verdict), "rulebook": assessment.rulebook}
    return audit.Act("adapter", "system", f"alert-{kind}", "candidate", candidate, detail)


def sent(delivery: Delivery, remote: RemoteResource | None) -> audit.Act:
    """It arrived; of what an EDC was told the digest, so that nobody need dispute it later."""
    where = {} if remote is None else {"resource": remote.id, "version": remote.version}
    return _delivery(delivery, ("push-sent", "alert-sent"), where)


def refused(delivery: Delivery, why: str) -> audit.Act:
    """For good: a dead letter."""
    act = _delivery(delivery, ("push-refused", "alert-failed"), {})
    return replace(act, outcome="refused", reason=why)


def _delivery(delivery: Delivery, names: tuple[str, str], more: dict[str, Any]) -> audit.Act:
    detail = {"outlet": delivery.outlet, "kind": delivery.kind, "key": delivery.key, "attempts": delivery.attempts + 1}
    if delivery.kind == outbox.SNAPSHOT:
        digest = hashlib.sha256(delivery.payload.encode()).hexdigest()
        about = ("screening-number", delivery.subject)
        return audit.Act("adapter", "system", names[0], *about, detail | {"sha256": digest} | more)
    return audit.Act("adapter", "system", names[1], "delivery", delivery.key, detail | {"subject": delivery.subject})


def escalated(key: str, cause: str, candidates: list[str], person: str) -> audit.Act:
    detail = {"cause": cause, "candidates": candidates, "person": person}
    return audit.Act("adapter", "system", "alert-escalated", "delivery", key, detail)


def untold(key: str) -> audit.Act:
    """No channel of the person took it."""
    why = "no channel of the person took it"
    return audit.Act("adapter", "system", "alert-failed", "delivery", key, outcome="failed", reason=why)
