"""MRG and pairs of PID → which records are one person, and which visits move (HL7 v2 chapter 3)."""

from collections.abc import Callable, Iterator
from datetime import datetime

from adapter.domain.events import RecordsTied
from adapter.domain.issue import Issue
from adapter.domain.observation import BEGINNING
from adapter.domain.patient import PatientId
from adapter.domain.ties import Merge, Move, Tie, Unlink
from adapter.hl7.datatypes import identifiers
from adapter.hl7.er7 import Message, Segment
from adapter.hl7.tables import NULL
from adapter.mapping.feed import Feed
from adapter.mapping.groups import Moved, PatientGroup, patient_groups
from adapter.mapping.hl7_patient import stated_number
from adapter.mapping.identity import patient_identity
from adapter.mapping.plain import plain

PAIR = 2
SELF = Issue("merge-into-self", "MRG-1", "a merge or move of a patient into themselves — nothing to do")
Found = tuple[tuple[RecordsTied, ...], tuple[Issue, ...]]


def ties_of(message: Message, event: str, feed: Feed) -> Found | str:
    """What the message ties together; or the quarantine reason (`NO_MRG`), and then nothing of it holds."""
    read = READERS[event]
    events: list[RecordsTied] = []
    issues: list[Issue] = []
    for group in patient_groups(message):
        patient = patient_identity(() if group.pid is None else identifiers(group.pid, 3), feed.site)
        if isinstance(patient, str) or not group.moved:
            return "NO_MRG"
        for moved in group.moved:
            gone = _gone(moved.mrg, patient, event, feed)
            found = () if gone is None else tuple(read(patient, gone, (group, moved), feed.told or BEGINNING))
            if not found:
                return "NO_MRG"
            events += [RecordsTied(patient, tie) for tie in found if gone != patient]
            issues += [SELF] * (gone == patient)
    return tuple(events), tuple(issues)


def _gone(mrg: Segment, patient: PatientId, event: str, feed: Feed) -> PatientId | None:
    """MRG-1; a move that names nobody moves a visit between accounts of one patient."""
    found = patient_identity(identifiers(mrg, 1), feed.site)
    if isinstance(found, PatientId):
        return found
    return patient if found == "NO_PATIENT" and event in MOVES else None


def unlinked(message: Message, feed: Feed) -> Found | str:
    """A37: the two PIDs of the message are two persons."""
    named = [patient_identity(identifiers(pid, 3), feed.site) for pid in message.all("PID")]
    patients = [one for one in named if isinstance(one, PatientId)]
    if len(patients) != PAIR or len(named) != PAIR:
        return "NO_PAIR"
    one, other = patients
    if one == other:
        return (), (SELF,)
    return (RecordsTied(one, Unlink(one, other, feed.told or BEGINNING)),), ()


def merged(patient: PatientId, gone: PatientId, _: tuple[PatientGroup, Moved], at: datetime) -> Iterator[Tie]:
    yield Merge(gone, patient, at)


def account_moved(
    patient: PatientId, gone: PatientId, where: tuple[PatientGroup, Moved], at: datetime
) -> Iterator[Tie]:
    """MRG-3 is from now on account PID-18 of PID-3, or keeps its number where PID-18 is silent."""
    group, moved = where
    number = number_of(moved.mrg, 3)
    if number:
        yield Move(gone, patient, number, number_of(group.pid, 18) or number, at, account=True)


def visit_moved(patient: PatientId, gone: PatientId, where: tuple[PatientGroup, Moved], at: datetime) -> Iterator[Tie]:
    """MRG-5 is from now on visit PV1-19 of PID-3. Without MRG-5 it is the visit of PV1-19 itself, which some senders name
    by its account (MRG-3).
    """
    _, moved = where
    number = "" if moved.pv1 is None else stated_number(moved.pv1)
    said = number_of(moved.mrg, 5)
    for one in [said] if said else sorted({number_of(moved.mrg, 3), number} - {""}):
        yield Move(gone, patient, one, number or one, at)


def number_of(segment: Segment | None, field: int) -> str:
    number = "" if segment is None else plain(segment.text(field))
    return "" if number == NULL else number


Reader = Callable[[PatientId, PatientId, tuple[PatientGroup, Moved], datetime], Iterator[Tie]]
MOVES: dict[str, Reader] = {"A44": account_moved, "A45": visit_moved}
READERS: dict[str, Reader] = {
    **dict.fromkeys(("A18", "A30", "A34", "A36", "A40", "A43", "A47"), merged),
    **MOVES,
}
