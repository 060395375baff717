"""A MIMIC-IV folder told as HL7 v2: admissions (ADT), laboratory and charting (ORU), infusions (RAS), in order of time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.icu.tables import Row, Tables, moment

SPECIMEN = "52033"
TEXTS = frozenset({"226732", "223849", "229314"})
"""Charted as a text; a number beside it is not the value."""
LABORATORY, CHART = "LAB", "CHART"
DIALYSIS = {"225802": "CRRT", "225803": "CRRT", "225809": "CRRT", "225441": "Hemodialysis", "225805": "Peritoneal"}
ESCAPES = str.maketrans(
    {
        "\\": "\\E\\",
        "|": "\\F\\",
        "^": "\\S\\",
        "&": "\\T\\",
        "~": "\\R\\",
        "\r": " ",
        "\n": " ",
        "\x0b": " ",
        "\x1c": " ",
    }
)


@dataclass(frozen=True, slots=True)
class Told:
    """One message, whose it is and when it was sent."""

    at: datetime
    subject: str
    body: bytes


def feed(tables: Tables, subjects: Iterable[str] | None = None, *, blanks: bool = False) -> list[Told]:
    """Of all patients or of some, each patient's in order of time; `blanks` sends rows too that have lost their value."""
    wanted = {stay.subject for stay in tables.stays.values()} if subjects is None else set(subjects)
    told = [message for part in (_visits, _results, _charts, _outputs, _dialysis, _infusions)
            for message in part(tables, wanted, blanks)]  # fmt: skip
    return sorted(told, key=lambda one: (one.subject, one.at))


def stamp(at: datetime) -> str:
    return at.strftime("%Y%m%d%H%M%S")


def text(value: str) -> str:
    return value.translate(ESCAPES)


def message(kind: str, at: datetime, control: str, *segments: str) -> bytes:
    head = f"MSH|^~\\&|MIMIC|MIMIC|ADAPTER|TRIAL|{stamp(at)}||{kind}|{control}|P|2.5.1"
    return ("\r".join((head, *segments)) + "\r").encode()


def person(subject: str) -> str:
    return f"PID|1||{subject}^^^MIMIC^MR"


def visit(admission: str, place: str = "", kind: str = "I") -> str:
    return f"PV1|1|{kind}|{place}{'|' * 16}{admission}"


def _visits(tables: Tables, wanted: set[str], _blanks: bool) -> Iterator[Told]:
    """Arrival in the emergency department, admission, every ward, discharge."""
    for row in tables.rows("admissions"):
        if row["subject_id"] not in wanted:
            continue
        if row["edregtime"]:
            yield _adt("A04", row["edregtime"], row, "ED", "E")
        yield _adt("A01", row["admittime"], row, "", "I")
        yield _adt("A03", row["dischtime"], row, "", "I")
    for row in tables.rows("transfers"):
        if row["subject_id"] in wanted and row["hadm_id"] and row["eventtype"] == "transfer":
            yield _adt("A02", row["intime"], row, text(row["careunit"]), "I")


def _adt(event: str, when: str, row: Row, ward: str, kind: str) -> Told:
    at, subject, admission = moment(when), row["subject_id"], row["hadm_id"]
    control = f"{event}{admission}{stamp(at)}"
    segments = (f"EVN||{stamp(at)}|||{'|'}{stamp(at)}", person(subject), visit(admission, ward, kind))
    return Told(at, subject, message(f"ADT^{event}^ADT_A01", at, control, *segments))


def _results(tables: Tables, wanted: set[str], blanks: bool) -> Iterator[Told]:
    """A specimen is an order; what kind of blood it was stands in SPM."""
    specimens: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in tables.rows("labevents"):
        if row["subject_id"] in wanted:
            specimens[row["subject_id"], row["charttime"], row["specimen_id"]].append(row)
    for (subject, when, specimen), rows in specimens.items():
        kind = next((row["value"] for row in rows if row["itemid"] == SPECIMEN), "")
        admission = max(row["hadm_id"] for row in rows)
        lines = list(_lines([row for row in rows if row["itemid"] != SPECIMEN], "", blanks))
        if lines:
            sort = (f"SPM|1|{specimen}||{text(kind)}^{text(kind)}^L{'|' * 13}{stamp(moment(when))}",) if kind else ()
            yield _oru(moment(when), subject, admission, f"{LABORATORY}{subject}-{specimen}", (*lines, *sort))


def _charts(tables: Tables, wanted: set[str], blanks: bool) -> Iterator[Told]:
    """What was charted of a patient at one moment is one message."""
    moments: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in tables.rows("chartevents"):
        if row["subject_id"] in wanted:
            moments[row["subject_id"], row["charttime"], row["hadm_id"]].append(row)
    yield from _charted(moments, CHART, blanks)


def _outputs(tables: Tables, wanted: set[str], blanks: bool) -> Iterator[Told]:
    moments: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in tables.rows("outputevents"):
        if row["subject_id"] in wanted:
            moments[row["subject_id"], row["charttime"], row["hadm_id"]].append(row)
    yield from _charted(moments, "OUT", blanks)


def _charted(moments: dict[tuple[str, str, str], list[Row]], kind: str, blanks: bool) -> Iterator[Told]:
    for (subject, when, admission), rows in moments.items():
        at = moment(when)
        lines = tuple(_lines(rows, stamp(at), blanks))
        if lines:
            yield _oru(at, subject, admission, f"{kind}{subject}-{stamp(at)}-{admission}", lines)


def _dialysis(tables: Tables, wanted: set[str], _blanks: bool) -> Iterator[Told]:
    for row in tables.rows("procedureevents"):
        if row["subject_id"] in wanted and row["itemid"] in DIALYSIS:
            at, subject, item = moment(row["starttime"]), row["subject_id"], row["itemid"]
            line = f"OBX|1|ST|{item}^^L||{DIALYSIS[item]}||||||F|||{stamp(at)}"
            yield _oru(at, subject, row["hadm_id"], f"RRT{subject}-{stamp(at)}-{item}", (line,))


def _oru(at: datetime, subject: str, admission: str, order: str, lines: Iterable[str]) -> Told:
    head = (person(subject), visit(admission), f"OBR|1||{order}|^^L|||{stamp(at)}")
    return Told(at, subject, message("ORU^R01^ORU_R01", at, order, *head, *lines))


def _lines(rows: list[Row], charted: str, blanks: bool) -> Iterator[str]:
    """OBX-4 tells two results of one item apart, and two items that mean the same."""
    seen: dict[str, int] = defaultdict(int)
    for number, row in enumerate(rows, 1):
        item = row["itemid"]
        said = _value(row)
        if not said and not blanks:
            continue
        seen[item] += 1
        kind = "NM" if said and item not in TEXTS and row.get("valuenum", said) else "ST"
        kind = "CWE" if "^" in said else "ST" if said.startswith(("<", ">")) else kind
        unit = text(row["valueuom"])
        yield f"OBX|{number}|{kind}|{item}^^L|{item}.{seen[item]}|{said}|{unit}|||||F|||{charted}"


def _value(row: Row) -> str:
    """As it was written, else the number; "No Response-ETT" with the number that it stands for is told as a coded answer."""
    value, number = row["value"].strip(), row.get("valuenum", "")
    if row["itemid"] in TEXTS or not number or _numeric(value.lstrip("<>=")):
        return text(value)
    return f"{number}^{text(value)}^L" if value else number


def _numeric(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _infusions(tables: Tables, wanted: set[str], _blanks: bool) -> Iterator[Told]:
    """A row of the record is told when it ends: rate, start and end."""
    for number, row in enumerate(tables.rows("inputevents"), 1):
        if row["subject_id"] in wanted and row["endtime"]:
            start, end = moment(row["starttime"]), moment(row["endtime"])
            subject = row["subject_id"]
            segments = (
                person(subject),
                visit(row["hadm_id"]),
                f"ORC|RE||RX{subject}-{number}",
                f"RXA|0|1|{stamp(start)}|{stamp(end)}|{row['itemid']}^^L|{_amount(row)}{'|' * 13}CP",
                "RXR|IV",
            )
            at = max(end, start + timedelta(seconds=1))
            yield Told(at, subject, message("RAS^O17^RAS_O17", at, f"RX{subject}-{number}", *segments))


def _amount(row: Row) -> str:
    """The rate where its unit was kept, else the amount without a unit."""
    return f"{row['rate']}|{text(row['rateuom'])}" if row["rate"] and row["rateuom"] else f"{row['amount']}|"
