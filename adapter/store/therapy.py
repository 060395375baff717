"""Administrations and conditions as stored text and back."""

import json

from adapter.domain.administration import Administration, AdministrationState
from adapter.domain.condition import Condition, ConditionStatus
from adapter.domain.observation import Original
from adapter.domain.quantity import Quantity
from adapter.store.codec import canonical, iso_or_none, moment, moment_or_none, read_quantity, spoken, texts


def _parts(quantity: Quantity | None) -> list[str] | None:
    if quantity is None:
        return None
    return [f"{quantity.value.numerator}/{quantity.value.denominator}", quantity.unit]


def administration_text(said: Administration) -> str:
    original = said.original
    return canonical(
        spoken(
            identity=said.identity,
            substance=said.substance,
            group=said.group,
            state=said.state,
            start=said.start.isoformat(),
            end=iso_or_none(said.end),
            original=[original.value, original.unit, original.code, original.system],
            rate=_parts(said.rate),
            dose=_parts(said.dose),
            concentration=_parts(said.concentration),
            route=said.route,
            visit=said.visit,
            sender_time=iso_or_none(said.sender_time),
            message=said.message,
            digest=said.digest,
        )
    )


def read_administration(text: str) -> Administration:
    said = json.loads(text)
    said |= {
        "state": AdministrationState(said["state"]),
        "start": moment(said["start"]),
        "end": moment_or_none(said.get("end")),
        "original": Original(*said["original"]),
        "sender_time": moment_or_none(said.get("sender_time")),
        **{name: read_quantity(said.get(name)) for name in ("rate", "dose", "concentration")},
    }
    return Administration(**texts(said, "identity", "substance", "group", "message"))


def condition_text(said: Condition) -> str:
    return canonical(
        spoken(
            identity=said.identity,
            system=said.system,
            code=said.code,
            status=said.status,
            at=said.at.isoformat(),
            kind=said.kind,
            visit=said.visit,
            sender_time=iso_or_none(said.sender_time),
            message=said.message,
            digest=said.digest,
        )
    )


def read_condition(text: str) -> Condition:
    said = json.loads(text)
    times = {"at": moment(said["at"]), "sender_time": moment_or_none(said.get("sender_time"))}
    said |= {"status": ConditionStatus(said["status"]), **times}
    return Condition(**texts(said, "identity", "system", "code", "message"))
