"""The grammar of ORU and OUL, read tolerantly: patients hold orders, orders hold results and specimens (HL7 v2 chapter 7).

An ORU, and OUL^R24, write a specimen (SPM) behind its order; OUL^R22 and R23, and many a sender of ORU, before its orders.
Which of the two a message means is told by where its first SPM stands, not by its type.
"""

from dataclasses import dataclass, field

from adapter.hl7.er7 import Message, Segment

MOST_NOTES = 100
"""Notes of an order that are looked at, for each of its results looks at them."""


@dataclass(slots=True)
class ResultLine:
    """One OBX with the notes under its order and under itself; `number` counts the OBX of the message from 1."""

    number: int
    obx: Segment
    notes: list[Segment] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    """`specimens` are SPM, or SAC in messages that have none; several where the results could be of any of them.

    `notes` stand before the first result and speak of them all.
    """

    orc: Segment | None = None
    obr: Segment | None = None
    specimens: list[Segment] = field(default_factory=list)
    results: list[ResultLine] = field(default_factory=list)
    notes: list[Segment] = field(default_factory=list)
    asked: bool = False
    """Whether results stood there before any specimen did."""


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

    def __init__(self, message: Message) -> None:
        self.alone = len(message.all("PID")) == 1
        self.orc_follows = message.header.text(9).strip().upper().startswith("OUL")
        self.container = not message.all("SPM")
        self.patients: list[PatientGroup] = []
        self.count = 0
        self.forget()

    def forget(self) -> None:
        """Nothing of the patient before holds for the next."""
        self.order: Order | None = None
        self.orc: Segment | None = None
        self.last: ResultLine | None = None
        self.held: list[Segment] = []
        """The specimen of every order until the next one, where specimens lead."""
        self.own: list[Segment] = []
        """The specimen between ORC and OBR: of this order alone."""

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
        self.forget()

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
        """Before its OBR, in an OUL behind it."""
        order = self.order
        if self.orc_follows and order is not None and order.obr is not None and order.orc is None and not order.results:
            order.orc = segment
            return
        self.orc, self.order, self.last, self.own = segment, None, None, []

    def obr(self, segment: Segment) -> None:
        self.order = Order(orc=self.orc, obr=segment, specimens=list(self.own or self.held))
        self.patient.orders.append(self.order)
        self.orc = self.last = None
        self.own = []

    def obx(self, segment: Segment) -> None:
        if self.order is None:
            self.order = Order(orc=self.orc, specimens=list(self.own or self.held))
            self.patient.orders.append(self.order)
        elif self.last is None and len(self.order.specimens) > 1:
            self.order = self.of_last_specimen(self.order)
        self.count += 1
        self.last = ResultLine(self.count, segment, list(self.order.notes))
        self.order.results.append(self.last)

    def of_last_specimen(self, order: Order) -> Order:
        """Results behind a second specimen are its own; results before all of them may still be of any."""
        last = order.specimens[-1] if order.asked else order.specimens.pop()
        self.patient.orders.append(Order(orc=order.orc, obr=order.obr, specimens=[last], notes=order.notes))
        return self.patient.orders[-1]

    def nte(self, segment: Segment) -> None:
        if self.last is not None:
            self.last.notes.append(segment)
        elif self.order is not None and not self.order.results and len(self.order.notes) < MOST_NOTES:
            self.order.notes.append(segment)

    def specimen(self, segment: Segment) -> None:
        if self.orc is not None and self.order is None:
            self.own = [segment]
        elif self.held or self.order is None or self.order.obr is None:
            self.held, self.order = [segment], None
        else:
            self.order.asked = self.order.asked or bool(self.order.results and not self.order.specimens)
            self.order.specimens.append(segment)
        self.last = None

    def sac(self, segment: Segment) -> None:
        """A container tells of the specimen only where no SPM does (OUL^R21)."""
        if self.container:
            self.specimen(segment)


READERS = {
    "PID": _Walk.pid,
    "PD1": _Walk.pd1,
    "PV1": _Walk.pv1,
    "MRG": _Walk.mrg,
    "ORC": _Walk.common_order,
    "OBR": _Walk.obr,
    "OBX": _Walk.obx,
    "NTE": _Walk.nte,
    "SPM": _Walk.specimen,
    "SAC": _Walk.sac,
}


def patient_groups(message: Message) -> list[PatientGroup]:
    """Segments that no reader knows are passed by."""
    walk = _Walk(message)
    for segment in message.segments:
        read = READERS.get(segment.name)
        if read is not None:
            read(walk, segment)
    return walk.patients
