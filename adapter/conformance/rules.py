"""The rules of a receiver: what each asks, where it comes from, and which cannot be seen from outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Rule:
    text: str
    source: str


_H2 = "HL7 v2 chapter 2"
_ENGINES = "practice of engines"
_TEXTS: tuple[tuple[int, str, str], ...] = (
    (1, "A frame is VT, the message, FS, CR", "HL7 MLLP release 1"),
    (2, "A stream: a frame in many segments, many frames in one", "HL7 MLLP release 1"),
    (3, "Receive leniently: bytes before VT, FS LF, FS alone", "Mirth, Google, Camel MLLP"),
    (4, "A second VT inside a frame: the sender started anew", "HL7 MLLP release 1, cosyte"),
    (5, "Noise between frames; much of it closes this connection only", "cosyte; judgement"),
    (6, "Answers in the order of the messages", f"{_H2}; HAPI as counter-example"),
    (7, "The connection stays open after the answer", "InterSystems, Rhapsody, BizTalk, Camel"),
    (8, "Peers that connect for each message", "Mirth sender's default"),
    (
        9,
        "Several connections; a dead one blocks no other; over the limit: refused, never left unread",
        "dcm4che, Camel",
    ),
    (10, "TCP keep-alive; an idle time-out off, or hours, never seconds", "Google MLLP, VPN practice"),
    (11, "The read time-out holds inside a frame only", "cosyte, Mirth"),
    (
        12,
        "A configurable size limit, 16 MB or more; beyond it nothing is buffered, nor acknowledged positively",
        "cosyte; judgement",
    ),
    (13, "An answer within 1 s, at most 5 s, not in dribbles", "Mirth, Cloverleaf"),
    (14, "Never accept and forget: disk full, shutting down", f"{_H2} (commit); Medplum agent"),
    (15, "A graceful stop", "judgement"),
    (16, "TLS 1.2 with mutual certificates, allow-list, loopback unless told, expiry metric", "IHE ITI-19 (ATNA)"),
    (17, "No commit bytes of MLLP release 2", "HL7 MLLP release 2, Mirth"),
    (18, "Answers are framed, and every segment of them ends with CR", "HL7 MLLP release 1, HL7 v2 chapter 2"),
    (19, "A positive code means: on the disk, power loss included", f"{_H2} (commit)"),
    (20, "The answer waits for no mapping, score or mail", f"{_H2}, sender's timeouts"),
    (21, "MSH-15 and MSH-16 empty: original mode", f"{_H2}, 2.9"),
    (22, "MSH-15: AL, NE, ER, SU; another word counts as absent", f"{_H2}, 2.9"),
    (23, "MSH-15 NE with MSH-16 AL is original mode", f"{_H2}, 2.9"),
    (24, "No second, later answer unless agreed", f"{_H2}; Mirth"),
    (25, "One message, one answer; an acknowledgment is never acknowledged", _H2),
    (26, "AA accepted, AE error in content, AR not supported (table 0008)", f"{_H2}, table 0008"),
    (27, "Engines differ in what AE and AR do to them", "Mirth, InterSystems, BizTalk, Rhapsody, Cloverleaf"),
    (28, "A transient fault: no answer, closed", "Google MLLP, Mirth"),
    (29, "A poison message: kept, accepted, shown to people", "Aidbox; judgement"),
    (30, "Not for us: accepted", "Mirth; judgement"),
    (31, "MSH-11 T or D on a production port: stored, accepted, not processed, counted", "HL7 table 0103; judgement"),
    (32, "Without MSH never a positive answer", "cosyte"),
    (33, "The message's own separators; addresses turned round whole", _H2),
    (34, "MSH-7 now with its zone; MSH-10 new and unique", _H2),
    (35, "MSH-9 `ACK^event^ACK` from 2.4 on", f"{_H2}; Mirth"),
    (36, "MSH-11, 12 and 18 given back; 18 used for the bytes", _H2),
    (37, "MSA-2 is MSH-10, byte for byte", f"{_H2}, 2.9.2.2; Mirth"),
    (38, "MSA-3 for humans, without patient data", "data protection; engines show MSA-3 to operators"),
    (39, "ERR with table 0357 from 2.5 on, ERR-1 before", f"{_H2}, table 0357"),
    (40, "The same message again: the stored answer, nothing processed", "IHE, Sun adapter"),
    (41, "A used id over other bytes: a new message, counted", "judgement; cosyte"),
    (42, "Memory of duplicates: seven days or as long as the raw store", "Medplum agent"),
    (43, "The same results in another message: once; the newer version wins", "Elation, Emap"),
    (44, "Order a patient and sender; a merge is a barrier", "Medplum agent"),
    (45, "No trust in the order between feeds", "Emap"),
    (46, "Batches: one answer a message; two MSH without BHS are a fault", f"{_H2}, 2.10; BizTalk, Rhapsody"),
    (47, "MSH-13 ignored; MSH-14 and DSC detected", _H2),
    (48, "CR, LF, CRLF; the bytes kept untouched", "Mirth; " + _ENGINES),
    (49, "Separators of this message, four or five", _H2),
    (50, "Any version is parsed", f"{_H2}, 2.8"),
    (51, "Unknown segments and what stands behind the known fields is no error", f"{_H2}, 2.8"),
    (52, "Z segments anywhere", _ENGINES),
    (53, "Results by document order, whatever stands between", _ENGINES),
    (54, "Escapes, decoded after splitting; unknown ones kept", f"{_H2}, 2.7"),
    (55, 'Empty says nothing, `""` deletes', _H2),
    (56, "MSH-18, else the port's own set; a byte that does not decode is kept and warned of", f"{_H2}, table 0211"),
    (57, "Times of every precision; zone of the value, else of the site; the repeated hour", _H2),
    (58, "Numbers as laboratories write them", _ENGINES),
    (59, "OBX-11, every letter of table 0085", "HL7 v2 chapter 7"),
    (60, "Every movement and its cancel", "HL7 v2 chapter 3"),
    (61, "PID-3 repeats, with authority and type; no match by name", "HL7 v2 chapter 3"),
    (62, "Counters by sender and port", "Mirth, DHCW"),
    (63, "A log line a message: MSH-3, 4, 7, 9, 10, size, code, ms; never PID or OBX", "Camel MLLP, Aidbox"),
    (64, "One alert a problem, with its end, not one a message", "Mirth"),
    (65, "Raw store with retention; errors kept longer", "Medplum agent, Mirth"),
    (66, "A site sheet for the integration team", "judgement"),
)
RULES: Mapping[str, Rule] = MappingProxyType({str(number): Rule(text, source) for number, text, source in _TEXTS})
TABLE = Rule("The table of answers of the agreed profile", "the adapter's ADR 1 and 13")
"""Named `D`."""
ROW = "the catalogue of bad input (docs/bad-input.md)"
_ROWS = {"M": "framing and transport", "H": "header and structure", "C": "content"}

UNSEEN: Mapping[str, str] = MappingProxyType(
    {
        "14": "needs a full disk on the receiver's side",
        "15": "needs the receiver to be stopped",
        "28": "needs a fault of the receiver's storage",
        "42": "needs days",
        "43": "shows in the receiver's data only",
        "44": "shows in the receiver's data only",
        "45": "shows in the receiver's data only",
        "62": "shows in the receiver's metrics only",
        "63": "shows in the receiver's log only",
        "64": "shows in the receiver's alarms only",
        "65": "shows in the receiver's store only",
        "66": "is the site sheet at the end of the report",
        "M26": "needs an address that is not allowed",
        "M30": "needs the receiver to be stopped",
        "M31": "needs the receiver to be killed",
        **dict.fromkeys(
            ("C03", "C07", "C08", "C10", "C12", "C13", "C14", "C15", "C16", "C17", "C19", "C20", "C26", "C40"),
            "an ordinary message on the wire; it shows in the receiver's data only",
        ),
        **dict.fromkeys(
            ("C44", "C45", "C47", "C48", "C49", "C51", "C52", "C53", "C54", "C56", "C57", "C58", "C59", "C60", "C61"),
            "an ordinary message on the wire; it shows in the receiver's data only",
        ),
    }
)
"""Rules and rows that no case can show, and why."""


def rule_of(name: str) -> Rule:
    """A number, `D` (the table of answers), or a row of the catalogue."""
    if name == "D":
        return TABLE
    return RULES[name] if name in RULES else Rule(f"Row {name}: {_ROWS[name[0]]}", ROW)


def spoken(name: str) -> str:
    """As reports name it."""
    return f"rule {name}" if name.isdigit() else "table of answers" if name == "D" else f"row {name}"
