"""Who a message speaks of, and which result it speaks of: PID-3 → PatientId, and the identities of results and statements."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as q
from typing import Any

from adapter.domain.encounter import EncounterStatement
from adapter.domain.observation import Observation
from adapter.domain.patient import PatientId
from adapter.domain.quantity import Quantity
from adapter.hl7.datatypes import Identifier
from adapter.hl7.tables import NULL
from adapter.mapping.plain import plain
from adapter.mapping.site import ANY, SiteMap

PREFERRED_TYPES = ("MR", "PI", "")
"""Table 0203: medical record number, patient internal identifier, unsaid; for sites that accept any authority."""
IDENTITY_DIGITS = 32
CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=True, separators=(",", ":"))
SURROGATES = range(0xD800, 0xE000)
LONGEST_IDENTIFIER = 64


def patient_identity(stated: Sequence[Identifier], site: SiteMap) -> PatientId | str:
    """The patient of a PID-3 or MRG-1 by the site's rule, or the quarantine reason.

    `NO_PATIENT`: nobody named; `NO_MRN`: named, but not by the site's authority and type; `BAD_MRN`, `CHARSET`, `LIMIT`:
    the number cannot be trusted (reliability C01 to C04, H23, H36, M28).
    """
    named = tuple([one for one in stated if one.value.strip() != NULL])
    if not named:
        return "NO_PATIENT"
    chosen = _chosen(named, site)
    return "NO_MRN" if chosen is None else _trusted(chosen, site)


def _chosen(named: tuple[Identifier, ...], site: SiteMap) -> Identifier | None:
    if site.authority != ANY:
        return next((one for one in named if _fits(one, site)), None)
    ranked = (site.identifier_type, *PREFERRED_TYPES)
    best = (one for kind in ranked for one in named if one.type == kind)
    return next(best, named[0])


def _fits(one: Identifier, site: SiteMap) -> bool:
    return one.authority == site.authority and one.type in {site.identifier_type, ""}


def _trusted(chosen: Identifier, site: SiteMap) -> PatientId | str:
    value = chosen.value.strip()
    if len(value) > LONGEST_IDENTIFIER:
        return "LIMIT"
    if any(ord(letter) in SURROGATES or letter in "\0\ufffd" for letter in value):
        return "CHARSET"
    if not value or not value.isascii() or not value.isprintable():
        return "BAD_MRN"
    return PatientId(site.site, plain(chosen.authority), value)


def result_identity(*, site: str, order: str, concept: str, sub_id: str, effective: datetime | None) -> str:
    """Which result this is (decisions C1): `order` is the filler's number with its namespace, else the placer's.

    `effective` is part of it only where there is no order number or the sender charts (one order, many moments).
    """
    moment = "null" if effective is None else f'"{effective.astimezone(UTC).isoformat()}"'
    return sha256_of(f'["result",{q(site)},{q(order)},{q(concept)},{q(sub_id)},{moment}]')[:IDENTITY_DIGITS]


def result_digest(observation: Observation, value: str = "", times: str = "") -> str:
    """SHA-256 of what is stated, without who carried it and when (sender time, inbox id).

    Over the canonical JSON of it, written here by hand because there is one for every result; `value` (as `value_text`
    writes it) and `times` where somebody has written them already.
    """
    o, was = observation, observation.original
    value = value or value_text(o.quantity, o.native, o.code)
    times = times or times_text(o.effective.isoformat(), None if o.issued is None else o.issued.isoformat())
    return sha256_of(
        f"[{q(o.identity)},{q(o.concept)},[{q(was.value)},{q(was.unit)},{q(was.code)},{q(was.system)}],"
        f'[{value},"{o.status!s}","{o.laboratory!s}"],[{times}],{q(o.specimen)},{q(o.specimen_id)},{q(o.visit)},'
        f"[{','.join(map(q, o.flags))}]]"
    )


def value_text(quantity: Quantity | None, native: Quantity | None, code: str | None) -> str:
    return f"{_quantity(quantity)},{_quantity(native)},{'null' if code is None else q(code)}"


def times_text(effective: str, issued: str | None) -> str:
    return f'"{effective}",null' if issued is None else f'"{effective}","{issued}"'


def sealed(made: Observation, value: str = "", times: str = "") -> Observation:
    """With its digest: written into the observation, which is nobody else's yet, because a copy would cost more than it."""
    object.__setattr__(made, "digest", result_digest(made, value, times))
    return made


def statement_digest(statement: EncounterStatement) -> str:
    """As `result_digest`, for an encounter statement."""
    s = statement
    words = [s.visit, str(s.action), s.at.isoformat(), s.encounter_class and str(s.encounter_class)]
    began = [s.admitted.isoformat()] if s.admitted else []
    account = [["account", s.account]] if s.account else []
    expired = ["expired"] if s.expired else []
    return fingerprint([*words, s.ward, s.bed, s.emergency_ward, *began, *account, *expired])


def _quantity(quantity: Quantity | None) -> str:
    if quantity is None:
        return "null"
    return f'["{quantity.value!s}",{q(quantity.unit)},"{quantity.comparator or ""!s}"]'


def fingerprint(content: Any) -> str:
    """SHA-256 over canonical JSON."""
    return sha256_of(CANONICAL.encode(content))


def text_digest(text: str) -> str:
    """The fingerprint of a list of this one text."""
    return sha256_of(f"[{q(text)}]")


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()
