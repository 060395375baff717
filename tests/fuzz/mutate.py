"""Frames nobody would send on purpose, made from ones that were: byte by byte, segment by segment, from a seed."""

import random
from collections.abc import Callable, Sequence
from functools import cache

from adapter.hl7.mllp import encode
from tests.builders import adt, obx, oru
from tests.conftest import data_folder

SPECIAL = (
    *(bytes([byte]) for byte in b'\x0b\x1c\r\n\x00\x0c\x1b\x06\x15\x85\xa0\xff\xfe\xb5\xe9\x80|^~\\&#"<>.,+-0 '),
    b"\x1c\r",
    b"\r\n",
    b"\x0b\x0b",
    b"\\X0D\\",
    b"\\F\\",
    b"\\.br\\",
    b"\\X" + b"41" * 40 + b"\\",
    b"\xef\xbb\xbf",
    b"\x1b$B",
    b"\x1b(J",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"MSH|^~\\&|",
    b"\rMSH|^~\\&|A|B|C|D|20260102||ORU^R01|X|P|2.5\r",
    b"\rPID|1||200^^^HOSP^MR\r",
    b"\rFHS|^~\\&\rBHS|^~\\&\r",
    b"\rBTS|1\rFTS|1\r",
    b"\rDSC|1\r",
    b'""',
    b"99999999999999999999999999999999999999999",
    b"1e400",
    b"NaN",
    "٤٢".encode(),
    "\u202e".encode(),
    b"{{7*7}}",
    b"' OR 1=1 --",
)
CHARSETS = (
    b"ASCII",
    b"8859/1",
    b"8859/7",
    b"UNICODE UTF-8",
    b"~ISO IR87",
    b"GB 18030-2000",
    b"BIG-5",
    b"KS X 1001",
    b"?",
    b"\xff",
    b"UTF-16",
)
TIMES = (
    b"20260102030000",
    b"2026",
    b"20260229",
    b"99999999",
    b"00000000",
    b"20261025033000",
    b"20260102030000+9999",
    b"-1",
    b"20260102246060",
)
DELIMITERS = (
    b"|^~\\&",
    b"$%~\\&",
    b"|^~\\&#",
    b"||~\\&",
    b"|^^^^",
    b"|",
    b"|^~\\",
    b"MSH|^",
    b"\x01\x02\x03\x04\x05",
    b"|@~!&",
)
SHORT = 4000
"""Bytes of a seed worth mutating a million times."""
HUGE = 60_000


@cache
def seeds() -> tuple[bytes, ...]:
    """Our own, which matter most, and of the third-party messages what is short."""
    return (*own() * 8, *others())


@cache
def own() -> tuple[bytes, ...]:
    """All of them of patient 100."""
    lines = [obx(code, value, unit) for code, value, unit in RESULTS]
    note = "NTE|1||clumps \\.br\\ seen"
    found = [
        oru(*lines[:3]),
        oru(*lines),
        oru(lines[0], note, "SPM|1|S1||BLD^Blood^HL70487"),
        oru(lines[-1], specimen="BLDA"),
    ]
    found += [adt(event) for event in ("A01", "A02", "A03", "A08", "A11", "A13", "A28")] + [
        adt(event, merged="200") for event in ("A40", "A43", "A45")
    ]
    return (*found, b"FHS|^~\\&\rBHS|^~\\&\r" + found[0] + found[1] + b"BTS|2\rFTS|1\r")


@cache
def others() -> tuple[bytes, ...]:
    folder = data_folder() / "hl7v2"
    found = [path.read_bytes() for path in sorted(folder.rglob("*.hl7"))] if folder.is_dir() else []
    return tuple(body for body in found if body.lstrip()[:3] == b"MSH" and len(body) < SHORT)


RESULTS = (
    ("777-3", "98", "10*3/uL"),
    ("2276-4", "5200", "ng/mL"),
    ("2160-0", "1.9", "mg/dL"),
    ("1975-2", "34,2", "umol/L"),
    ("9269-2", "15", "{score}"),
    ("3150-0", "40 %", ""),
    ("8478-0", "<68", "mm[Hg]"),
    ("94500-6", "Detected", ""),
    ("2703-7", "9.3", "kPa"),
)


class Mutator:
    """`frame` never ends; the same seed gives the same frames."""

    def __init__(self, seed: int, bodies: Sequence[bytes] | None = None) -> None:
        self.dice = random.Random(seed)
        self.bodies = bodies or seeds()

    def body(self) -> bytes:
        dice = self.dice
        data = dice.choice(self.bodies)
        for _ in range(dice.choice((1, 1, 1, 2, 2, 3, 5, 12))):
            data = dice.choice(MUTATIONS)(self, data)
        return data

    def frame(self) -> bytes:
        """Mostly framed well; sometimes the frame itself is broken too."""
        data = encode(self.body())
        return dice_framing(self, data) if self.dice.random() < 0.1 else data

    def place(self, data: bytes) -> int:
        return int(self.dice.random() * (len(data) + 1))

    # --- bytes ------------------------------------------------------------------------------------------------------------

    def flip(self, data: bytes) -> bytes:
        at = self.place(data)
        return data[:at] + bytes([self.dice.getrandbits(8)]) + data[at + 1 :]

    def cut(self, data: bytes) -> bytes:
        at = self.place(data)
        return data[:at] + data[at + self.dice.choice((1, 1, 2, 8, 64)) :]

    def insert(self, data: bytes) -> bytes:
        at = self.place(data)
        return data[:at] + self.dice.choice(SPECIAL) + data[at:]

    def truncate(self, data: bytes) -> bytes:
        return data[: self.place(data)]

    def splice(self, data: bytes) -> bytes:
        other = self.dice.choice(self.bodies)
        return data[: self.place(data)] + other[self.place(other) :]

    # --- HL7 --------------------------------------------------------------------------------------------------------------

    def lines(self, data: bytes) -> bytes:
        """A segment doubled, lost or moved."""
        lines = data.split(b"\r")
        one = lines[self.place(data) % len(lines)]
        kind = self.dice.getrandbits(2)
        if kind == 0:
            lines.remove(one)
        elif kind == 1:
            lines[self.place(data) % len(lines)] = one
        else:
            lines.insert(self.place(data) % (len(lines) + 1), one)
        return b"\r".join(lines)

    def field(self, data: bytes) -> bytes:
        """One field, or what looks like one, becomes something else."""
        parts = data.split(b"|")
        at = self.place(data) % len(parts)
        parts[at] = self.dice.choice((*SPECIAL, *TIMES, b"", b"a" * 300))
        return b"|".join(parts)

    def charset(self, data: bytes) -> bytes:
        head, separator, rest = data.partition(b"\r")
        fields = (head.split(b"|") + [b""] * 18)[: max(18, head.count(b"|") + 1)]
        fields[17] = self.dice.choice(CHARSETS)
        return b"|".join(fields) + separator + rest

    def delimiters(self, data: bytes) -> bytes:
        return data[:3] + self.dice.choice(DELIMITERS) + data[8:]

    def huge(self, data: bytes) -> bytes:
        """Seldom: a field, a repetition, a segment without end."""
        if self.dice.random() > 0.02:
            return self.insert(data)
        unit = self.dice.choice(
            (
                b"a",
                b"~",
                b"^",
                b"&",
                b"|",
                b"\\",
                b"~a^b&c",
                b"\\E\\",
                b"9",
                b"\rOBX|1",
                b"\n",
                b"\r",
                b"\xb5",
                b"\x1b$B",
            )
        )
        at = self.place(data)
        return data[:at] + unit * self.dice.randint(100, HUGE // len(unit)) + data[at:]


MUTATIONS: tuple[Callable[[Mutator, bytes], bytes], ...] = (
    *(Mutator.flip, Mutator.flip, Mutator.cut, Mutator.insert, Mutator.insert, Mutator.truncate, Mutator.splice),
    *(Mutator.lines, Mutator.lines, Mutator.field, Mutator.field, Mutator.charset, Mutator.delimiters, Mutator.huge),
)


def dice_framing(mutator: Mutator, data: bytes) -> bytes:
    """Without its VT, its CR, its end; with two; in the middle of another."""
    return mutator.dice.choice(
        (
            data[1:],
            data[:-1],
            data[:-2],
            data + data[-2:],
            b"\x0b" + data,
            data[:-1] + b"\n",
            data[:-2] + b"\x1cx\x1c\r",
            b"noise" + data,
        )
    )
