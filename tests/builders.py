"""Short, readable, synthetic messages, observations and patients for every test."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

from adapter import assets
from adapter.domain.administration import Administration, AdministrationState
from adapter.domain.encounter import EncounterAction, EncounterClass, EncounterStatement
from adapter.domain.message import MessageKind, RawMessage
from adapter.domain.observation import Laboratory, Observation, Original, Result, ResultStatus, joined
from adapter.domain.patient import Demographics, PatientId, PatientState, Stated
from adapter.domain.quantity import Comparator, Quantity, decimal_text
from adapter.mapping.dictionary import Dictionary
from adapter.mapping.hl7_pharmacy import digest_of
from adapter.mapping.identity import result_digest, statement_digest

T0 = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
"""A Friday morning; most tests happen around it."""
RECEIVED = datetime(2026, 1, 9, tzinfo=UTC)
"""When a message was received, unless said otherwise."""
PATIENT = PatientId("generic", "HOSP", "100")


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def after(number: float) -> datetime:
    """`T0` plus so many hours."""
    return T0 + hours(number)


def dtm(at: datetime) -> str:
    """An HL7 timestamp with its offset: 20260102030000+0000."""
    return at.strftime("%Y%m%d%H%M%S%z")


# --- HL7 v2 -----------------------------------------------------------------------------------------------------------


def er7(*segments: str) -> bytes:
    return ("\r".join(segments) + "\r").encode()


def msh(kind: str, *, control: str = "C1", at: str = "20260102031000", **parts: str) -> str:
    """MSH with `app`, `facility`, `processing`, `version`, `charset` (MSH-18) by name."""
    app, facility = parts.get("app", "LAB"), parts.get("facility", "HOSP")
    head = f"MSH|^~\\&|{app}|{facility}|ADAPTER|TRIAL|{at}||{kind}|{control}"
    return f"{head}|{parts.get('processing', 'P')}|{parts.get('version', '2.5.1')}||||||{parts.get('charset', '')}"


def pid(patient: str = "100", authority: str = "HOSP", **parts: str) -> str:
    """PID with `name`, `born`, `sex`, `account` (PID-18), `died` (PID-29), `dead` (PID-30) by name."""
    person = f"PID|1||{patient}^^^{authority}^MR||{parts.get('name', 'DOE^JANE')}||{parts.get('born', '19500615')}"
    account = f"{'|' * 10}{parts.get('account', '')}{'|' * 11}"
    return f"{person}|{parts.get('sex', 'F')}{account}{parts.get('died', '')}|{parts.get('dead', '')}"


def pv1(visit: str = "V1", cls: str = "I", *, ward: str = "ICU", bed: str = "4", **parts: str) -> str:
    """PV1 with `disposition` (PV1-36), `admitted` (PV1-44) and `discharged` (PV1-45) by name."""
    place = f"PV1|1|{cls}|{ward}^^{bed}{'|' * 16}{visit}{'|' * 17}{parts.get('disposition', '')}"
    return f"{place}{'|' * 8}{parts.get('admitted', '')}|{parts.get('discharged', '')}"


def obr(order: str = "F1", *, at: str = "20260102030000", issued: str = "", **parts: str) -> str:
    """OBR with filler order number, observation time, `specimen` (OBR-15), `status` (OBR-25) by name."""
    head = f"OBR|1||{order}|PANEL^Panel^L|||{at}{'|' * 8}{parts.get('specimen', '')}"
    return f"{head}{'|' * 7}{issued}|||{parts.get('status', 'F')}"


def obx(
    code: str,
    value: str,
    unit: str = "",
    *,
    status: str = "F",
    at: str = "",
    system: str = "LN",
    type: str = "NM",  # noqa: A002 — OBX-2's own name
    sub: str = "",
    laboratory: str = "",
) -> str:
    """One OBX; `at` is OBX-14, `laboratory` OBX-23."""
    head = f"OBX|1|{type}|{code}^{code}^{system}|{sub}|{value}|{unit}|||||{status}|||{at}"
    return f"{head}{'|' * 9}{laboratory}" if laboratory else head


def oru(
    *lines: str,
    patient: str = "100",
    authority: str = "HOSP",
    at: str = "20260102030000",
    order: str = "F1",
    issued: str = "",
    control: str = "C1",
    sent: str = "20260102031000",
    visit: str = "V1",
    **parts: str,
) -> bytes:
    """ORU^R01 of one order: `lines` are OBX, NTE or SPM segments; `at` is OBR-7, `issued` OBR-22, `sent` MSH-7."""
    head = (msh("ORU^R01", control=control, at=sent, **parts), pid(patient, authority, **parts))
    return er7(*head, pv1(visit), obr(order, at=at, issued=issued, specimen=parts.get("specimen", "")), *lines)


def adt(
    event: str,
    *,
    patient: str = "100",
    authority: str = "HOSP",
    visit: str = "V1",
    cls: str = "I",
    ward: str = "ICU",
    bed: str = "4",
    at: str = "20260102020000",
    control: str = "A1",
    sent: str = "20260102020100",
    merged: str = "",
    **parts: str,
) -> bytes:
    """ADT^event: `at` is EVN-6 (when it happened); `merged` adds an MRG segment (A40)."""
    evn = f"EVN|{event}|{sent}||||{at}"
    place = () if event in {"A40", "A43"} else (pv1(visit, cls, ward=ward, bed=bed, **parts),)
    mrg = (f"MRG|{merged}^^^{authority}^MR",) if merged else ()
    head = msh(f"ADT^{event}", control=control, at=sent, **parts)
    return er7(head, evn, pid(patient, authority, **parts), *mrg, *place)


def pair(event: str, one: str, other: str, *, sent: str, control: str, at: str = "", **parts: str) -> bytes:
    """ADT of two patients: beds swapped (A17), records that are two (A37)."""
    head = (msh(f"ADT^{event}", control=control, at=sent), f"EVN|{event}|{sent}||||{at}")
    visits = event == "A17"
    first, second = ((pid(who), *([pv1(**parts)] * visits)) for who in (one, other))
    return er7(*head, *first, *second)


def move(source: str, target: str, *, visit: str, into: str, sent: str, control: str) -> bytes:
    """ADT^A45: visit `visit` of `source` is visit `into` of `target`."""
    head = (msh("ADT^A45", control=control, at=sent), f"EVN|A45|{sent}", pid(target))
    return er7(*head, f"MRG|{source}^^^HOSP^MR||||{visit}", f"PV1|1|{'|' * 17}{into}")


def account_move(source: str, target: str, *, account: str, into: str, sent: str, control: str) -> bytes:
    """ADT^A44: account `account` of `source` belongs to `target`."""
    head = (msh("ADT^A44", control=control, at=sent), f"EVN|A44|{sent}", pid(target, account=into))
    return er7(*head, f"MRG|{source}^^^HOSP^MR||{account}")


def raw(body: bytes, *, site: str = "generic", kind: MessageKind = MessageKind.HL7V2, **parts: Any) -> RawMessage:
    """The bytes as a source hands them in."""
    parts.setdefault("received", RECEIVED)
    return RawMessage(parts.pop("source", "lab"), site, kind, body, **parts)


# --- values -----------------------------------------------------------------------------------------------------------


@cache
def dictionary() -> Dictionary:
    """The shipped one."""
    return assets.load_rulebook(None, trials=()).dictionary


def quantity(text: str, unit: str) -> Quantity:
    """`quantity(">2000", "ng/mL")`."""
    sign = next((c for c in (Comparator.AT_MOST, Comparator.AT_LEAST, *Comparator) if text.startswith(c)), None)
    return Quantity(Fraction(text[len(sign or "") :]), unit, sign)


def observation(
    concept: str,
    value: str | float | Fraction,
    unit: str | None = None,
    at: datetime = T0,
    *,
    status: ResultStatus = ResultStatus.FINAL,
    laboratory: Laboratory = Laboratory.LOCAL,
    **parts: Any,
) -> Observation:
    """A version of a result, canonical by the shipped dictionary; `unit` defaults to the canonical one.

    `observation("fio2", 40, "%")`, `observation("fio2", "40 %")`, `observation("respiratory-support", "invasive")`, `observation("platelets", "<5")`;
    every field of Observation by name (`identity`, `issued`, `specimen`, `flags`, `message` …). Equal concept and time
    without `identity` is the same result.
    """
    known = dictionary().concepts[concept]
    text = decimal_text(value) if isinstance(value, Fraction) else str(value)
    measured: dict[str, Any] = {"code": text}
    if known.kind == "quantity":
        text, _, said = text.partition(" ")
        unit = said or unit
        native = quantity(text, known.unit if unit is None else unit)
        measured = {"native": native, "quantity": known.canonical(native)}
        assert measured["quantity"] is not None or native.unit in known.kept, f"{concept} has no conversion from {unit}"
    if status in {ResultStatus.WITHDRAWN, ResultStatus.PROMOTED}:
        measured = {}
    parts.setdefault("identity", f"{concept}@{at.isoformat()}")
    parts.setdefault("message", "1")
    original = parts.pop("original", Original(text, known.unit if unit is None else unit, concept, "TEST"))
    made = Observation(
        concept=concept,
        effective=at,
        status=status,
        original=original,
        laboratory=laboratory,
        **measured,
        **parts,
    )
    return replace(made, digest=result_digest(made))


def given(
    substance: str,
    rate: str = "",
    unit: str = "ug/kg/min",
    at: datetime = T0,
    *,
    until: datetime | None = None,
    dose: str = "",
    concentration: str = "",
    state: AdministrationState | str = AdministrationState.GIVEN,
    **parts: Any,
) -> Administration:
    """A drug given: `given("norepinephrine", "0.5", "mg/h", until=after(2))`; `concentration` in mg/mL, `dose` in `unit`."""
    known = {s.name: s.group for s in dictionary().formulary.substances.values()}
    parts.setdefault("identity", f"{substance}@{at.isoformat()}")
    made = Administration(
        substance=substance,
        group=known[substance],
        state=AdministrationState(state),
        start=at,
        original=Original(rate or dose, unit, substance, "TEST"),
        message=parts.pop("message", "1"),
        end=until,
        rate=Quantity(Fraction(rate), unit) if rate else None,
        dose=Quantity(Fraction(dose), unit) if dose else None,
        concentration=Quantity(Fraction(concentration), "mg/mL") if concentration else None,
        **parts,
    )
    return replace(made, digest=digest_of(made))


def visit(
    action: EncounterAction | str = EncounterAction.ADMIT,
    at: datetime = T0,
    *,
    cls: EncounterClass | str | None = EncounterClass.EMERGENCY,
    ward: str = "ED",
    bed: str = "1",
    number: str = "V1",
    emergency_ward: bool = False,
) -> EncounterStatement:
    """One ADT statement; the default is an emergency arrival at T0."""
    statement = EncounterStatement(
        visit=number,
        action=EncounterAction(action),
        at=at,
        encounter_class=None if cls is None else EncounterClass(cls),
        ward=ward,
        bed=bed,
        sender_time=at,
        digest="",
        message="1",
        emergency_ward=emergency_ward,
    )
    return replace(statement, digest=statement_digest(statement))


def state_of(
    *observations: Observation,
    encounter: EncounterStatement | Sequence[EncounterStatement] | None = None,
    birth_date: str = "1950-06-15",
    sex: str = "male",
    patient: PatientId = PATIENT,
    **parts: Any,
) -> PatientState:
    """A patient with these results; equal identities are versions of one. `determinations`, `decisions` by name."""
    versions: dict[tuple[str, str], tuple[Observation, ...]] = {}
    for one in observations:
        key = (one.concept, one.identity)
        versions[key] = joined(versions.get(key, ()), one)
    results: dict[str, list[Result]] = {}
    for (concept, _), stated in versions.items():
        results.setdefault(concept, []).append(Result(stated))
    ordered = {c: tuple(sorted(r, key=lambda x: (x.versions[-1].effective, x.identity))) for c, r in results.items()}
    statements = (encounter,) if isinstance(encounter, EncounterStatement) else tuple(encounter or ())
    stated_at = T0 - hours(24)
    fields = {"birth_date": Stated(birth_date, stated_at), "sex": Stated(sex, stated_at)}
    return PatientState(
        patient, ordered, statements, Demographics({k: v for k, v in fields.items() if v.value}), **parts
    )


def usable(known: PatientState, concept: str) -> list[Observation]:
    """What is final or corrected of a concept, in order of effective time."""
    return [now for result in known.results.get(concept, ()) if (now := result.usable) is not None]
