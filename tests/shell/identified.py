"""Messages of synthetic patients in which every field that identifies anybody holds a canary of its own."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.builders import dtm, er7
from tests.canary import Canaries

UNITS = {"2276-4": "ng/mL", "mhladr-abc": "{AB}/{cell}"}
ORGANS = (
    ("2703-7", "68", "mm[Hg]"),
    ("3150-0", "40", "%"),
    ("777-3", "140", "10*3/uL"),
    ("1975-2", "1.2", "mg/dL"),
    ("8478-0", "68", "mm[Hg]"),
    ("9269-2", "15", "{score}"),
    ("2160-0", "1.9", "mg/dL"),
)
"""SOFA 6, as in the plain example of tests/web_house.py."""


@dataclass
class Person:
    """One synthetic patient; `now` is when the test runs, because the daemon's clock is the real one."""

    name: str
    canaries: Canaries
    now: datetime
    count: int = 0

    def mint(self, what: str) -> str:
        """The same word for the same field of the patient."""
        return self.canaries.word(f"{self.name} {what}")

    def fresh(self, what: str) -> str:
        """Another word each time: an order number, a note."""
        self.count += 1
        return self.mint(f"{what} #{self.count}")

    def xcn(self, field: str) -> str:
        return f"{self.mint(f'{field} number')}^{self.mint(f'{field} family')}^{self.mint(f'{field} given')}^^^DR"

    def xad(self, field: str) -> str:
        return "^".join(self.mint(f"{field} {part}") for part in ("street", "more", "city", "state", "zip"))

    def phone(self, field: str) -> str:
        return f"+30{self.canaries.digits(f'{self.name} {field}')}"

    # --- segments ------------------------------------------------------------------------------------------------

    def msh(self, kind: str, **more: str) -> str:
        sent = more.get("sent") or dtm(self.now)
        self.count += 1
        head = f"MSH|^~\\&|LAB|HOSP|A|T|{sent}||{kind}|{self.name}{self.count}"
        return f"{head}|{more.get('processing', 'P')}|2.5.1||||||UNICODE UTF-8"

    def pid(self) -> str:
        family, given = (
            self.canaries.greek(f"{self.name} PID-5 family"),
            self.canaries.greek(f"{self.name} PID-5 given"),
        )
        fields = {
            1: "1",
            2: self.mint("PID-2"),
            3: f"{self.mint('PID-3')}^^^HOSP^MR~{self.mint('PID-3 social')}^^^GOV^SS",
            4: self.mint("PID-4"),
            5: f"{family}^{given}^{self.mint('PID-5 middle')}^{self.mint('PID-5 suffix')}^{self.mint('PID-5 prefix')}",
            6: self.mint("PID-6 mother"),
            7: self.canaries.day(f"{self.name} PID-7"),
            8: "F",
            9: self.mint("PID-9 alias"),
            11: self.xad("PID-11"),
            12: self.mint("PID-12"),
            13: f"{self.phone('PID-13')}~^NET^^{self.mint('PID-13 mail')}@example.org",
            14: self.phone("PID-14"),
            18: self.mint("PID-18"),
            19: self.canaries.digits(f"{self.name} PID-19"),
            20: self.mint("PID-20"),
            21: self.mint("PID-21"),
            23: self.mint("PID-23"),
        }
        return line("PID", fields)

    def pv1(self) -> str:
        place = "^".join(self.mint(f"PV1-3 {part}") for part in ("ward", "room", "bed", "building"))
        fields = {1: "1", 2: "E", 3: place, 5: self.mint("PV1-5"), 6: self.mint("PV1-6")}
        fields |= {number: self.xcn(f"PV1-{number}") for number in (7, 8, 9, 17, 52)}
        return line("PV1", fields | {19: self.mint("PV1-19"), 50: self.mint("PV1-50")})

    def others(self) -> tuple[str, ...]:
        """Next of kin, guarantor, insurance, allergy, diagnosis, and the segment nobody has agreed upon."""
        return (
            line("PD1", {3: self.mint("PD1-3"), 4: self.xcn("PD1-4")}),
            line(
                "NK1",
                {
                    1: "1",
                    2: f"{self.mint('NK1-2')}^{self.mint('NK1-2 given')}",
                    4: self.xad("NK1-4"),
                    5: self.phone("NK1-5"),
                },
            ),
            line("GT1", {1: "1", 3: self.mint("GT1-3"), 5: self.xad("GT1-5")}),
            line("IN1", {1: "1", 2: self.mint("IN1-2"), 16: self.mint("IN1-16"), 36: self.mint("IN1-36")}),
            line("AL1", {1: "1", 3: self.mint("AL1-3")}),
            line("DG1", {1: "1", 3: f"A41.9^{self.mint('DG1-3')}^I10", 4: self.mint("DG1-4")}),
            line("ZPI", {1: self.mint("ZPI-1"), 2: f"{self.mint('ZPI-2')}^{self.mint('ZPI-2.2')}"}),
        )

    # --- messages ------------------------------------------------------------------------------------------------

    def admission(self, *, hours: float = 2) -> bytes:
        at = dtm(self.now - timedelta(hours=hours))
        evn = line("EVN", {1: "A01", 2: at, 5: self.xcn("EVN-5"), 6: at})
        return er7(self.msh("ADT^A01", sent=at), evn, self.pid(), self.pv1(), *self.others())

    def report(self, *obx: str, order: str = "", hours: float = 1.0, **header: str) -> bytes:
        """Results of one order; `order` names it, so that a correction finds it again."""
        at = dtm(self.now - timedelta(hours=hours))
        order = order or str(self.count)
        placer, filler = self.mint(f"OBR-2 {order}"), self.mint(f"OBR-3 {order}")
        orc = line("ORC", {1: "RE", 2: placer, 3: filler, 12: self.xcn("ORC-12")})
        obr = {1: "1", 2: f"{placer}^OE", 3: f"{filler}^LIS", 4: f"PANEL^{self.mint('OBR-4')}^L", 7: at, 25: "F"}
        obr |= {10: self.xcn("OBR-10"), 13: self.mint("OBR-13"), 16: self.xcn("OBR-16"), 17: self.phone("OBR-17")}
        obr |= {18: self.mint("OBR-18"), 20: self.mint("OBR-20"), 31: f"^{self.mint('OBR-31')}", 32: self.xcn("OBR-32")}
        spm = line("SPM", {1: "1", 2: self.mint(f"SPM-2 {order}"), 4: "BLD^Blood^HL70487"})
        note = line("NTE", {1: "1", 3: self.fresh("NTE")})
        head = (self.msh("ORU^R01", **header), self.pid(), self.pv1(), orc, line("OBR", obr), note)
        return er7(*head, *obx, spm, line("ZPI", {1: self.mint("ZPI-1")}))

    def obx(
        self, code: str, value: str, unit: str = "", *, status: str = "F", kind: str = "NM", system: str = "LN"
    ) -> str:
        fields = {1: "1", 2: kind, 3: f"{code}^{self.mint('OBX-3')}^{system}", 4: self.mint(f"OBX-4 {code}"), 5: value}
        fields |= {6: unit, 11: status, 16: self.xcn("OBX-16"), 18: self.mint("OBX-18"), 23: self.mint("OBX-23")}
        fields |= {15: self.mint("OBX-15"), 24: self.xad("OBX-24")}
        return "\r".join((line("OBX", fields), line("NTE", {1: "1", 3: f"call {self.fresh('NTE')} at once"})))

    def organs(self) -> tuple[str, ...]:
        return tuple(self.obx(code, value, unit) for code, value, unit in ORGANS)

    def value(self, code: str, number: str, *, status: str = "F") -> str:
        system = "LN" if code[0].isdigit() else "L"
        return self.obx(code, number, UNITS[code], status=status, system=system)

    def oddities(self) -> tuple[str, ...]:
        """Results that the mapper has to think about, each with somebody's words in it."""
        return (
            self.obx("11502-2", self.fresh("OBX-5 report"), kind="TX"),
            self.obx(self.fresh("OBX-3 code"), self.fresh("OBX-5"), kind="ST", system="L"),
            self.obx("1988-5", self.fresh("OBX-5"), self.fresh("OBX-6"), kind="ST"),
            self.obx("1968-7", self.fresh("OBX-5 in a number"), "mg/dL"),
            self.obx("2160-0", "2.0", self.fresh("OBX-6")),
            self.obx("600-7", f"{self.fresh('OBX-5 code')}^{self.fresh('OBX-5 words')}^L", kind="CWE"),
            self.obx("94500-6", f"{self.fresh('OBX-5 code')}^{self.fresh('OBX-5 words')}^L", kind="CWE"),
            self.obx("81352-2", self.fresh("OBX-5"), kind="ST"),
            self.obx("30525-0", "<" + self.fresh("OBX-5"), "a", kind="SN"),
        )


def line(name: str, fields: dict[int, str]) -> str:
    return "|".join([name, *(fields.get(number, "") for number in range(1, max(fields) + 1))])
