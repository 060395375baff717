"""Made-up admissions as the messages that tell them, with ties, corrections, withdrawals, cancels, merges and moves; not in order."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from adapter.domain.message import MessageKind, RawMessage
from adapter.domain.patient import PatientId
from adapter.domain.truth import Truth
from adapter.screening import actions
from tests.builders import account_move, adt, move, obx, oru, pair, raw

START = datetime(2026, 1, 2, 3, tzinfo=UTC)
NUMBERS = ("100", "101", "102")
TRIAL = "immunosep-demo"
VALUES = {
    "777-3": ("10*3/uL", ("90", "98", "160", "45")),
    "2160-0": ("mg/dL", ("0.9", "1.9", "2.4")),
    "1975-2": ("mg/dL", ("1.1", "2.6")),
    "8478-0": ("mm[Hg]", ("60", "68", "82")),
    "2276-4": ("ng/mL", ("4300", "5200", ">2000")),
    "9269-2": ("{score}", ("15", "12")),
}
EVENTS = (
    "A01",
    "A01",
    "A04",
    "A02",
    "A02",
    "A03",
    "A05",
    "A06",
    "A07",
    "A08",
    "A08",
    "A11",
    "A12",
    "A13",
    "A31",
    "A21",
    "A22",
    "A28",
    "A29",
)
STATUSES = ("P", "F", "F", "F", "C", "C", "X", "W", "D", "U", "I")


def stamp(random: Random, *, blank: bool = False, zone: bool = True) -> str:
    """One of a few minutes, so that ties are common; the same instant with either of two offsets."""
    if blank and random.random() < 0.4:
        return ""
    at = START + timedelta(minutes=random.choice((0, 0, 30, 60, 90, 180)))
    if zone and random.random() < 0.2:
        return f"{at + timedelta(hours=2):%Y%m%d%H%M%S}+0200"
    return f"{at:%Y%m%d%H%M%S}+0000"


def person(random: Random) -> dict[str, str]:
    name = random.choice(("DOE^JANE", "DOE^JANE", "DOE-ROE^JANE", '""^JANE'))
    return {"name": name, "born": random.choice(("19500615", "19500616", "")), "sex": random.choice("FFM")}


def movement(random: Random, number: int, record: str) -> bytes:
    ward, cls = random.choice((("ED", "E"), ("ICU", "I"), ("ICU", "I"), ("W1", "I")))
    return adt(
        random.choice(EVENTS), patient=record, visit=random.choice(("V1", "V1", "V1", "V2")), cls=cls, ward=ward,
        bed=random.choice("12"), at=stamp(random, blank=True), sent=stamp(random), control=f"A{number}",
        admitted=stamp(random, blank=True), account=random.choice(("", "", "C1", "C2")), **person(random),
    )  # fmt: skip


def laboratory(random: Random, number: int, record: str) -> bytes:
    codes = random.sample(sorted(VALUES), random.randint(1, 3))
    status = random.choice(STATUSES)
    lines = (
        obx(c, random.choice(VALUES[c][1]), VALUES[c][0], status=status, at=stamp(random, blank=True)) for c in codes
    )
    return oru(
        *lines, patient=record, order=random.choice(("O1", "O1", "O2", "")), at=stamp(random),
        issued=stamp(random, blank=True), sent=stamp(random), control=f"R{number}",
        visit=random.choice(("", "V1", "V2", "V3")), **person(random),
    )  # fmt: skip


def tie(random: Random, number: int, record: str, records: tuple[str, ...]) -> bytes:
    """A merge, a visit or an account that moves, a merge taken back, or two beds swapped."""
    other = random.choice([one for one in records if one != record] or ["109"])
    event = random.choice(("A40", "A40", "A43", "A45", "A45", "A45", "A44", "A37", "A37", "A17"))
    sent, control = stamp(random), f"M{number}"
    if event in {"A37", "A17"}:
        return pair(
            event,
            record,
            other,
            sent=sent,
            control=control,
            at=stamp(random, blank=True),
            ward=random.choice(("ICU", "W1")),
        )
    moved = random.choice(("V1", "V1", "V2"))
    if event == "A45":
        return move(
            record, other, visit=moved, into=random.choice((moved, moved, moved, "V3")), sent=sent, control=control
        )
    if event == "A44":
        account = random.choice(("C1", "C2", moved))
        return account_move(record, other, account=account, into=random.choice(("", "C2")), sent=sent, control=control)
    return adt(event, patient=record, merged=other, sent=sent, control=control, **person(random))


def act(random: Random, record: str) -> bytes:
    at = START + timedelta(minutes=random.choice((200, 200, 210)))
    patient, by = PatientId("generic", "HOSP", record), random.choice(("kim", "lee"))
    episode = random.choice(("V1", "V1", "V2"))
    common = {"patient": patient, "trial": TRIAL, "episode": episode, "at": at, "by": by}
    kind = random.choice(("answer", "answer", "status", "result"))
    if kind == "answer":
        answer = random.choice(list(Truth))
        return actions.determination_body(**common, criterion=random.choice(("I4", "E1")), answer=answer, note="")
    if kind == "status":
        status = random.choice(("screening", "declined"))
        return actions.status_body(**common, status=status, reason="", note=random.choice(("", "x")))
    value = random.choice(("4000", "6000"))
    return actions.result_body(
        patient=patient, concept="mhladr", value=value, unit="{AB}/{cell}", drawn=START, at=at, by=by
    )


def admission(random: Random, *, merges: bool = True) -> list[RawMessage]:
    """Twenty to forty messages of one to three records of (perhaps) one person."""
    records = NUMBERS[: random.randint(1, 3)] if merges else NUMBERS[:1]
    return [_message(random, number, records, merges) for number in range(random.randint(20, 40))]


def _message(random: Random, number: int, records: tuple[str, ...], merges: bool) -> RawMessage:
    record, kind = random.choice(records), random.random()
    if kind < 0.12:
        return raw(act(random, record), kind=MessageKind.ACTION)
    if kind < 0.25 and merges:
        return raw(tie(random, number, record, records))
    return raw((movement if kind < 0.5 else laboratory)(random, number, record))


def orders(random: Random, messages: list[RawMessage], number: int) -> Iterator[list[RawMessage]]:
    """So many arrivals of the same messages: shuffled, some told twice or thrice."""
    for _ in range(number):
        told = [*messages, *random.choices(messages, k=random.randint(0, len(messages) // 2))]
        random.shuffle(told)
        yield told
