"""A visit: what ADT messages said of it, and what follows from that."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EncounterClass(StrEnum):
    """HL7 table 0004, folded."""

    EMERGENCY = "emergency"
    INPATIENT = "inpatient"
    OUTPATIENT = "outpatient"


class EncounterAction(StrEnum):
    """What an ADT trigger event says (HL7 v2 chapter 3)."""

    PLAN = "plan"
    ADMIT = "admit"
    TRANSFER = "transfer"
    DISCHARGE = "discharge"
    CANCEL_ADMIT = "cancel-admit"
    CANCEL_TRANSFER = "cancel-transfer"
    CANCEL_DISCHARGE = "cancel-discharge"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class EncounterStatement:
    """One ADT statement. `at` is when it holds from (EVN-6, PV1-44/45, else EVN-2, MSH-7)."""

    visit: str
    action: EncounterAction
    at: datetime
    encounter_class: EncounterClass | None
    ward: str
    bed: str
    sender_time: datetime | None
    digest: str
    message: str
    emergency_ward: bool = False
    """The site file lists this ward as an emergency department."""
    admitted: datetime | None = None
    """When the visit began, as an event that is no admission tells it (PV1-44 of an A08)."""
    account: str = ""
    """PID-18: what an A44 moves."""
    expired: bool = False
    """A discharge of whoever died (PV1-36)."""


@dataclass(frozen=True, slots=True)
class Encounter:
    """The view of one visit that follows from all its statements, in any order."""

    visit: str
    encounter_class: EncounterClass | None
    ward: str
    bed: str
    admitted: datetime | None
    discharged: datetime | None
    started_in_emergency: bool
    cancelled: bool = False
    expired: bool = False
    """The discharge says that the patient died."""
