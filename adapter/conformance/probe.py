"""The messages that are sent: of nobody, for nothing; made for one run and remembered in their order.

The patient has a number that no hospital assigns, of an assigning authority under the reserved domain `.invalid` (RFC 2606);
results carry local codes of a coding system of our own, so that no receiver maps, scores or shows them.
"""

from collections.abc import Callable, Sequence
from typing import Self

from adapter.conformance.model import Act, Hear, Made, Say
from adapter.hl7.mllp import encode

APPLICATION, FACILITY = "CONFORMANCE", "TEST"
RECEIVER, RECEIVERS_HOUSE = "RECEIVER^2.999.1^ISO", "UNDER^2.999.2^ISO"
"""MSH-5 and MSH-6 with components, to see whether an answer gives back all of them."""
AUTHORITY = "CONFORMANCE&conformance.invalid&DNS"
PATIENT, NAME = "ZZTEST-CONFORMANCE", "ZZTEST^CONFORMANCE"
SYSTEM = "99CONFORMANCE"


class Probe:
    """One run's maker of messages. `time` is MSH-7, `limit` the largest message that was agreed."""

    def __init__(self, run: str, time: str, *, processing: str = "P", limit: int = 16 * 1024 * 1024) -> None:
        self._run, self._time, self.processing, self.limit = run, time, processing, limit
        self._count = self._line = 0
        self.made: list[Made] = []

    def fresh(self) -> None:
        """A new case begins."""
        self._line, self.made = 0, []

    def on(self, line: int) -> Self:
        """What is made from now on goes over this line."""
        self._line = line
        return self

    def _control_id(self) -> str:
        self._count += 1
        return f"CF{self._run}-{self._count}"

    # --- whole messages ----------------------------------------------------------------------------------------------

    def oru(self, *lines: str, **parts: str) -> bytes:
        """ORU^R01 of one order; `lines` are segments behind OBR, parts are those of `header` and `pid`."""
        segments = (self.pid(**parts), pv1(), obr(), *(lines or (obx("1"),)))
        return self.message(parts.pop("type", "ORU^R01"), *segments, **parts)

    def adt(self, event: str, *more: str, **parts: str) -> bytes:
        """ADT^event of the same patient; an outpatient class that no trial asks for."""
        evn = f"EVN|{event}|{self._time}"
        return self.message(f"ADT^{event}", evn, self.pid(**parts), *(more or (pv1(),)), **parts)

    def message(self, kind: str, *segments: str, **parts: str) -> bytes:
        control_id = parts.get("control", self._control_id())
        body = er7(self.header(kind, control_id, **parts), *segments)
        self.made.append(Made(body, control_id.encode(), self._line))
        return body

    def header(self, kind: str, control_id: str, **parts: str) -> str:
        """MSH; `app`, `sent` (MSH-7), `processing`, `version`, `sequence`, `pointer`, `accept`, `application`, `charset`."""
        app, sent = parts.get("app", APPLICATION), parts.get("sent", self._time)
        start = f"MSH|^~\\&|{app}|{FACILITY}|{RECEIVER}|{RECEIVERS_HOUSE}|{sent}||{kind}|{control_id}"
        named = [parts.get("processing", self.processing), parts.get("version", "2.5.1")]
        named += [parts.get(name, "") for name in ("sequence", "pointer", "accept", "application")]
        return "|".join([start, *named, "", parts["charset"]] if "charset" in parts else [start, *named]).rstrip("|")

    def pid(self, **parts: str) -> str:
        number = parts.get("patient", f"{PATIENT}^^^{AUTHORITY}^PI")
        return f"PID|1||{number}||{parts.get('name', NAME)}||{parts.get('born', '19000101')}|{parts.get('sex', 'U')}"

    # --- what was made otherwise ---------------------------------------------------------------------------------------

    def again(self, body: bytes) -> bytes:
        """The same bytes once more."""
        known = next(made for made in self.made if made.body == body)
        self.made.append(Made(body, known.control_id, self._line))
        return body

    def changed(self, body: bytes, control_id: bytes | None) -> bytes:
        """The last message in another form, known by another MSH-10 (None: whichever)."""
        self.made[-1] = Made(body, control_id, self.made[-1].line)
        return body

    def turned(self, turn: Callable[[bytes], bytes], body: bytes) -> bytes:
        """The last message in another form, still known by its MSH-10."""
        return self.changed(turn(body), self.made[-1].control_id)

    def nameless(self, body: bytes) -> bytes:
        """Bytes without a header of their own; what MSA-2 holds does not matter."""
        self.made.append(Made(body, None, self._line))
        return body

    def count_up(self, number: int, **parts: str) -> list[bytes]:
        """So many good messages."""
        return [self.oru(obx(str(one)), **parts) for one in range(number)]


def er7(*segments: str) -> bytes:
    return "".join(f"{segment}\r" for segment in segments).encode()


def framed(*bodies: bytes) -> bytes:
    return b"".join(map(encode, bodies))


def in_turn(*bodies: bytes) -> list[Act]:
    """Each after the answer to the one before."""
    return [act for number, body in enumerate(bodies, 1) for act in (Say(framed(body)), Hear(number))]


def pv1() -> str:
    return f"PV1|1|N|CONFORMANCE{'|' * 16}ZZTEST-VISIT"


def obr(*, at: str = "19000101000000") -> str:
    return f"OBR|1||ZZTEST-ORDER^CONFORMANCE|PROBE^Conformance probe^{SYSTEM}|||{at}{'|' * 18}F"


def obx(value: str, *, unit: str = "", status: str = "F", sub: str = "", **parts: str) -> str:
    """A result that nobody maps; `kind` is OBX-2, `at` OBX-14."""
    start = f"OBX|1|{parts.get('kind', 'ST')}|PROBE^Conformance probe^{SYSTEM}|{sub}|{value}|{unit}"
    return f"{start}|||||{status}|||{parts.get('at', '')}".rstrip("|")


def listed(values: Sequence[str], **parts: str) -> tuple[str, ...]:
    """One OBX for each value."""
    return tuple(obx(value, sub=str(number), **parts) for number, value in enumerate(values, 1))
