"""Domain values as stored text and back: fractions exact, moments with the offset the source gave."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timezone, tzinfo
from fractions import Fraction
from functools import lru_cache
from json.encoder import encode_basestring_ascii as q
from typing import Any

from adapter.domain.encounter import EncounterAction, EncounterClass, EncounterStatement
from adapter.domain.observation import Laboratory, Observation, ResultStatus, written
from adapter.domain.patient import Decision, Demographics, Determination, Stated
from adapter.domain.quantity import Comparator, Quantity
from adapter.domain.truth import Truth

Json = dict[str, Any]
_STATUSES = {str(status): status for status in ResultStatus}
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def instant(moment: datetime) -> str:
    """UTC of fixed width, so that SQL's text order is the order of time. For columns that are compared."""
    zone = moment.tzinfo
    return (_known_instant if type(zone) is timezone else _instant)(moment, zone)


def instant_once(moment: datetime) -> str:
    """The same for a time that nobody asks for again, such as a message's arrival: to remember it costs more than to write it."""
    return _instant(moment, moment.tzinfo)


def iso(moment: datetime) -> str:
    """As it was stated, with the offset the source gave."""
    zone = moment.tzinfo
    return _known_iso(moment, zone) if type(zone) is timezone else moment.isoformat()


# The results of one message share their few times, and writing a time costs more than finding it again. The zone is part
# of the question, because equal moments are written differently in two zones; and it must be a fixed one, because in
# others the two hours of an autumn night are equal.


def _instant(moment: datetime, zone: tzinfo | None) -> str:
    return (moment if zone is UTC else moment.astimezone(UTC)).isoformat(timespec="microseconds")


@lru_cache(maxsize=512)
def _known_iso(moment: datetime, _zone: timezone) -> str:
    return moment.isoformat()


_known_instant = lru_cache(maxsize=512)(_instant)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def instant_or_none(value: datetime | None) -> str | None:
    return None if value is None else instant(value)


def storable(text: str) -> str:
    """Bytes that no charset explained (surrogates), and NUL, become their escapes: a column must be valid UTF-8 text."""
    if text.isascii() and "\0" not in text:
        return text
    return without_nul(text.encode("utf-8", "backslashreplace").decode("utf-8"))


def without_nul(text: str) -> str:
    """PostgreSQL keeps no NUL in a text."""
    return text.replace("\0", "\\x00") if "\0" in text else text


def canonical(value: object) -> str:
    """One text for one value: sorted keys, no spaces, ASCII."""
    return _CANONICAL.encode(value)


def versions_text(versions: tuple[Observation, ...]) -> str:
    return f"[{','.join(map(_observation, versions))}]"


def read_versions(text: str) -> tuple[Observation, ...]:
    return tuple(_read_observation(one) for one in json.loads(text))


def statement_text(statement: EncounterStatement) -> str:
    return canonical(
        spoken(
            visit=statement.visit,
            action=statement.action,
            at=statement.at.isoformat(),
            encounter_class=statement.encounter_class,
            ward=statement.ward,
            bed=statement.bed,
            sender_time=iso_or_none(statement.sender_time),
            digest=statement.digest,
            message=statement.message,
            emergency_ward=statement.emergency_ward,
            admitted=iso_or_none(statement.admitted),
            account=statement.account,
            expired=statement.expired,
        )
    )


def read_statement(text: str) -> EncounterStatement:
    given = json.loads(text)
    kind = given.get("encounter_class")
    return EncounterStatement(
        visit=given.get("visit", ""),
        action=EncounterAction(given["action"]),
        at=moment(given["at"]),
        encounter_class=None if kind is None else EncounterClass(kind),
        ward=given.get("ward", ""),
        bed=given.get("bed", ""),
        sender_time=moment_or_none(given.get("sender_time")),
        digest=given.get("digest", ""),
        message=given.get("message", ""),
        emergency_ward=given.get("emergency_ward", False),
        admitted=moment_or_none(given.get("admitted")),
        account=given.get("account", ""),
        expired=given.get("expired", False),
    )


def determination_text(said: Determination) -> str:
    return canonical(
        spoken(
            trial=said.trial,
            criterion=said.criterion,
            answer=said.answer,
            at=said.at.isoformat(),
            by=said.by,
            note=said.note,
            digest=said.digest,
        )
    )


def read_determination(text: str) -> Determination:
    given = json.loads(text)
    given |= {"answer": Truth(given["answer"]), "at": moment(given["at"])}
    return Determination(**texts(given, "trial", "criterion", "by"))


def decision_text(said: Decision) -> str:
    return canonical(
        spoken(
            trial=said.trial,
            episode=said.episode,
            status=said.status,
            at=said.at.isoformat(),
            by=said.by,
            reason=said.reason,
            note=said.note,
            digest=said.digest,
        )
    )


def read_decision(text: str) -> Decision:
    given = json.loads(text)
    given["at"] = moment(given["at"])
    return Decision(**texts(given, "trial", "episode", "status", "by"))


def demographics_text(demographics: Demographics) -> str:
    return canonical(
        {name: [said.value, said.at.isoformat(), said.digest] for name, said in demographics.fields.items()}
    )


def read_demographics(text: str) -> Demographics:
    given: Mapping[str, list[str]] = json.loads(text)
    return Demographics({name: Stated(value, moment(at), digest) for name, (value, at, digest) in given.items()})


def _observation(o: Observation) -> str:
    """Canonical JSON as everything here, but written by hand: there is one for every result of every message.

    What was not said (None, empty) is not written; an empty code is not silence.
    """
    was, quantity = o.original, _quantity(o.quantity)
    code = "" if o.code is None else f'"code":{q(o.code)},'
    flags = f'"flags":[{",".join(map(q, o.flags))}],' if o.flags else ""
    issued = "" if o.issued is None else f'"issued":"{iso(o.issued)}",'
    laboratory = "" if o.laboratory is Laboratory.LOCAL else f'"laboratory":"{o.laboratory!s}",'
    native = quantity if o.native is o.quantity else _quantity(o.native)
    native, quantity = native and f'"native":{native},', quantity and f'"quantity":{quantity},'
    told = "" if o.sender_time is None else f'"sender_time":"{iso(o.sender_time)}",'
    specimen = f'"specimen":{q(o.specimen)},' if o.specimen else ""
    specimen_id = f'"specimen_id":{q(o.specimen_id)},' if o.specimen_id else ""
    visit = f',"visit":{q(o.visit)}' if o.visit else ""
    return (
        f'{{{code}"concept":{q(o.concept)},"digest":{q(o.digest)},"effective":"{iso(o.effective)}",{flags}'
        f'"identity":{q(o.identity)},{issued}{laboratory}"message":{q(o.message)},{native}'
        f'"original":[{q(was.value)},{q(was.unit)},{q(was.code)},{q(was.system)}],{quantity}{told}{specimen}{specimen_id}'
        f'"status":"{o.status!s}"{visit}}}'
    )


def _quantity(quantity: Quantity | None) -> str:
    if quantity is None:
        return ""
    numerator, denominator = quantity.value.as_integer_ratio()
    sign = "" if quantity.comparator is None else f',"{quantity.comparator!s}"'
    return f'["{numerator}/{denominator}",{q(quantity.unit)}{sign}]'


def _read_observation(given: Json) -> Observation:
    """Many results share their units, their codes and their few times: what is equal becomes one object."""
    get = given.get
    effective, issued, told = given["effective"], get("issued"), get("sender_time")
    at = datetime.fromisoformat(effective)
    quantity, native = get("quantity"), get("native")
    canonical = read_quantity(quantity)
    return Observation(
        identity=get("identity", ""),
        concept=_one(get("concept", "")),
        effective=at,
        status=_STATUSES[given["status"]],
        original=written(*given["original"]),
        message=get("message", ""),
        quantity=canonical,
        native=canonical if native == quantity else read_quantity(native),
        code=get("code"),
        issued=at if issued == effective else moment_or_none(issued),
        sender_time=at if told == effective else moment_or_none(told),
        laboratory=Laboratory(given["laboratory"]) if "laboratory" in given else Laboratory.LOCAL,
        specimen=_one(get("specimen", "")),
        specimen_id=get("specimen_id", ""),
        visit=_one(get("visit", "")),
        flags=tuple(get("flags", ())),
        digest=get("digest", ""),
    )


@lru_cache(maxsize=2048)
def _one(text: str) -> str:
    """The first of the texts that are equal."""
    return text


def read_quantity(given: list[str] | None) -> Quantity | None:
    return None if given is None else _read_quantity(*given)


@lru_cache(maxsize=2048)
def _read_quantity(number: str, unit: str, sign: str | None = None) -> Quantity:
    numerator, _, denominator = number.partition("/")
    return Quantity(Fraction(int(numerator), int(denominator)), unit, None if sign is None else Comparator(sign))


def iso_or_none(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def spoken(**parts: object) -> Json:
    """What was said; silence (None, empty, false) is not written. An empty code is not silence."""
    return {name: part for name, part in parts.items() if part or (name == "code" and part is not None)}


def texts(given: Json, *names: str) -> Json:
    """Fields without a default that were empty, and so not written."""
    return dict.fromkeys(names, "") | given
