"""The grammar of an ORU, read tolerantly: patients hold orders, orders hold results (HL7 v2 chapter 7)."""

from dataclasses import dataclass, field

from adapter.hl7.er7 import Message, Segment


@dataclass(slots=True)
class ResultLine:
    """One OBX with the notes under it; `number` counts the OBX of the message from 1."""

    number: int
    obx: Segment
    notes: list[Segment] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    orc: Segment | None = None
    obr: Segment | None = None
    spm: Segment | None = None
    results: list[ResultLine] = field(default_factory=list)


@dataclass(slots=True)
class Moved:
    """One MRG, and the PV1 that follows it: a move of visits (A45) has a pair of them for each."""

    mrg: Segment
    pv1: Segment | None = None


@dataclass(slots=True)
class PatientGroup:
    pid: Segment | None = None
    pd1: Segment | None = None
    pv1: Segment | None = None
    moved: list[Moved] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)

    @property
    def results(self) -> int:
        return sum(len(order.results) for order in self.orders)


class _Walk:
    """Where the reader stands."""

    def __init__(self, *, alone: bool) -> None:
        self.alone = alone
        self.patients: list[PatientGroup] = []
        self.count = 0
        self.order: Order | None = None
        self.orc: Segment | None = None
        self.last: ResultLine | None = None

    @property
    def patient(self) -> PatientGroup:
        if not self.patients:
            self.patients.append(PatientGroup())
        return self.patients[-1]

    def pid(self, segment: Segment) -> None:
        """The only PID of a message speaks of what stands before it too (reliability H26)."""
        if self.alone and self.patients:
            self.patients[0].pid = segment
            return
        self.patients.append(PatientGroup(pid=segment))
        self.order = self.orc = self.last = None

    def pd1(self, segment: Segment) -> None:
        self.patient.pd1 = segment

    def pv1(self, segment: Segment) -> None:
        group = self.patient
        group.pv1 = group.pv1 or segment
        if group.moved and group.moved[-1].pv1 is None:
            group.moved[-1].pv1 = segment

    def mrg(self, segment: Segment) -> None:
        self.patient.moved.append(Moved(segment))

    def common_order(self, segment: Segment) -> None:
        self.orc, self.order, self.last = segment, None, None

    def obr(self, segment: Segment) -> None:
        self.order = Order(orc=self.orc, obr=segment)
        self.patient.orders.append(self.order)
        self.orc = self.last = None

    def obx(self, segment: Segment) -> None:
        if self.order is None:
            self.order = Order(orc=self.orc)
            self.patient.orders.append(self.order)
        self.count += 1
        self.last = ResultLine(self.count, segment)
        self.order.results.append(self.last)

    def nte(self, segment: Segment) -> None:
        if self.last is not None:
            self.last.notes.append(segment)

    def spm(self, segment: Segment) -> None:
        if self.order is not None:
            self.order.spm = self.order.spm or segment
        self.last = None


READERS = {
    "PID": _Walk.pid,
    "PD1": _Walk.pd1,
    "PV1": _Walk.pv1,
    "MRG": _Walk.mrg,
    "ORC": _Walk.common_order,
    "OBR": _Walk.obr,
    "OBX": _Walk.obx,
    "NTE": _Walk.nte,
    "SPM": _Walk.spm,
}


def patient_groups(message: Message) -> list[PatientGroup]:
    """Segments that no reader knows are passed by."""
    walk = _Walk(alone=len(message.all("PID")) == 1)
    for segment in message.segments:
        read = READERS.get(segment.name)
        if read is not None:
            read(walk, segment)
    return walk.patients
