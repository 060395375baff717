"""The rules that cases name: what each asks of a receiver, where it comes from, and which cannot be seen from outside."""

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
    (1, "A frame is VT, the message, FS and CR", "HL7 MLLP release 1"),
    (2, "The line is a stream: a frame may come in many segments, many frames in one", "HL7 MLLP release 1"),
    (3, "Receive leniently: drop bytes before VT, accept FS LF and FS alone", "Mirth, Google, Camel MLLP"),
    (4, "A second VT restarts: what stood before it is never acknowledged", "HL7 MLLP release 1, cosyte"),
    (5, "Noise is dropped; much of it closes this connection only", "cosyte; judgement"),
    (6, "Answers go out in the order of the messages of their connection", f"{_H2}; HAPI as counter-example"),
    (7, "The connection stays open after an answer; the peer closes", "InterSystems, Rhapsody, BizTalk, Camel"),
    (8, "Peers that connect for each message are served", "Mirth sender's default"),
    (
        9,
        "Several connections; a dead one blocks no new one; over the limit: refused, never left unread",
        "dcm4che, Camel",
    ),
    (10, "No idle timeout of seconds", "Google MLLP, VPN practice"),
    (11, "The read timeout holds inside a frame, not between frames", "cosyte, Mirth"),
    (12, "A configurable limit, 16 MB or more; beyond it nothing is acknowledged positively", "cosyte; judgement"),
    (13, "An answer within 1 s, at the latest within 5 s, in one piece", "Mirth, Cloverleaf"),
    (16, "TLS 1.2 or newer, with client certificates where agreed", "IHE ITI-19 (ATNA)"),
    (17, "No commit bytes of MLLP release 2 unless agreed", "HL7 MLLP release 2, Mirth"),
    (18, "Answers are framed, and every segment of them ends with CR", "HL7 MLLP release 1, HL7 v2 chapter 2"),
    (19, "A positive code means stored", f"{_H2} (commit)"),
    (20, "The answer does not wait for anything but storing", f"{_H2}, sender's timeouts"),
    (21, "MSH-15 and MSH-16 empty: original mode", f"{_H2}, 2.9"),
    (22, "MSH-15 AL, NE, ER, SU; a word outside table 0155 counts as absent", f"{_H2}, 2.9"),
    (23, "MSH-15 NE and MSH-16 AL: original mode", f"{_H2}, 2.9"),
    (24, "No later application answer on the same connection unless agreed", f"{_H2}; Mirth"),
    (25, "One message, one answer; an acknowledgment is never acknowledged", _H2),
    (26, "AA, AE and AR as table 0008 says", f"{_H2}, table 0008"),
    (27, "What AE and AR do to a sender differs by engine", "Mirth, InterSystems, BizTalk, Rhapsody, Cloverleaf"),
    (29, "A message that cannot be used is stored and accepted; the strict profile refuses it", "Aidbox; judgement"),
    (30, "What is not for us is accepted", "Mirth; judgement"),
    (31, "A test message on a production port is accepted, not processed", "HL7 table 0103; judgement"),
    (32, "Without MSH there is no positive answer", "cosyte"),
    (33, "Separators of the message; addresses turned round, all components", _H2),
    (34, "MSH-7 is now, with its zone; MSH-10 is new", _H2),
    (35, "MSH-9 is ACK^event^ACK from 2.4 on", f"{_H2}; Mirth"),
    (36, "MSH-11, MSH-12 and MSH-18 are given back, and MSH-18 is used", _H2),
    (37, "MSA-2 is MSH-10, byte for byte", f"{_H2}, 2.9.2.2; Mirth"),
    (38, "No patient data in an answer", "data protection; engines show MSA-3 to operators"),
    (39, "A refusal carries ERR with a code of table 0357; ERR-1 before 2.5", f"{_H2}, table 0357"),
    (40, "A repetition is answered as the first time", "IHE, Sun adapter"),
    (41, "A reused MSH-10 over other bytes is a new message", "judgement; cosyte"),
    (46, "A batch: one answer a message; two MSH without an envelope are a fault", f"{_H2}, 2.10; BizTalk, Rhapsody"),
    (47, "Sequence numbers are ignored; continuations are noticed", _H2),
    (48, "CR ends a segment; LF and CR LF are accepted", "Mirth; " + _ENGINES),
    (49, "Separators are read from this message; four or five of them", _H2),
    (50, "Any version is read", f"{_H2}, 2.8"),
    (51, "Unknown segments and fields at the end are no errors", f"{_H2}, 2.8"),
    (52, "Z segments stand anywhere", _ENGINES),
    (53, "What stands between order and results does not matter", _ENGINES),
    (54, "Escapes", f"{_H2}, 2.7"),
    (55, 'Empty says nothing, `""` deletes', _H2),
    (
        56,
        "Character sets: MSH-18, else the port's own; bytes that do not decode are no reason to refuse",
        f"{_H2}, table 0211",
    ),
    (57, "Times of every precision", _H2),
    (58, "Numbers as laboratories write them", _ENGINES),
    (59, "Every letter of table 0085", "HL7 v2 chapter 7"),
    (60, "Every movement and its cancel", "HL7 v2 chapter 3"),
    (61, "Patient numbers repeat, with authority and type", "HL7 v2 chapter 3"),
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
    """A number, `D`, or a row of the catalogue."""
    if name == "D":
        return TABLE
    return RULES[name] if name in RULES else Rule(f"Row {name}: {_ROWS[name[0]]}", ROW)


def spoken(name: str) -> str:
    """As reports name it."""
    return f"rule {name}" if name.isdigit() else f"decisions {name}" if name == "D" else f"row {name}"
