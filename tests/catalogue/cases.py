"""The catalogue of bad input: every odd thing a hospital's interface may send, and what comes of it.

This file drives tests/catalogue/test_catalogue.py and docs/bad-input.md. MSH-7 of the messages is 2 January 2026, 03:10; the
house's clock says 08:00 UTC. Answers are those of the profile `generic`.
"""

from adapter.conformance import odd
from tests.builders import account_move, adt, er7, move, msh, obr, obx, oru, pair, pid, pv1
from tests.catalogue import checks
from tests.catalogue.model import Case, Row, Stream, row

# --- what the cases are made of -------------------------------------------------------------------------------------------

SPM = "SPM|1|^B1||BLD|||||||P||||||20260102010000"
PLT = obx("777-3", "98", "10*3/uL")
PLT_LOW = obx("777-3", "40", "10*3/uL")
ORGANS = (
    obx("777-3", "140", "10*3/uL"),
    obx("1975-2", "1.2", "mg/dL"),
    obx("2160-0", "1.9", "mg/dL"),
    obx("8478-0", "68", "mm[Hg]"),
    obx("9269-2", "15", "{score}"),
)
HIGH = obx("2276-4", "5200", "ng/mL")
HEAD = "MSH|^~\\&|LAB|HOSP|ADAPTER|TRIAL|20260102031000||"
END = b"\x1c\r"
UPDATE = {"control": "A2", "sent": "20260102050100", "at": "20260102050000"}


def story(*more: str, control: str = "R1", **parts: str) -> tuple[bytes, bytes]:
    """An emergency patient with SOFA 4; with ferritin 5200 a candidate."""
    return adt("A01", cls="E", ward="ED", **parts), oru(*ORGANS, *more, control=control, order="S1", **parts)


def named(name: str) -> tuple[bytes, bytes]:
    return story(HIGH, name=name)


def ferritin(value: str, unit: str = "ng/mL", **parts: str) -> tuple[bytes]:
    return (oru(obx("2276-4", value, unit, **parts)),)


def platelets(value: str, unit: str = "10*3/uL", **parts: str) -> tuple[bytes]:
    return (oru(obx("777-3", value, unit, **parts)),)


def at(time: str) -> tuple[bytes]:
    """A result of this time, and of no other."""
    return (oru(PLT, at=time),)


def header(fields: str, *segments: str) -> tuple[bytes]:
    """A message with MSH-9 and what follows it written out."""
    return (er7(HEAD + fields, pid(), obr(), PLT, *segments),)


def mrg(event: str, survivor: str, gone: str) -> bytes:
    return adt(event, patient=survivor, merged=gone, control="M1")


def apart(event: str, one: str, other: str, sent: str) -> bytes:
    return pair(event, one, other, sent=sent, control="P1")


def visit_moved(source: str = "200", target: str = "100", sent: str = "20260102060000") -> bytes:
    return move(source, target, visit="V1", into="V1", sent=sent, control=f"M{source}")


def merge(survivor: str, gone: str, control: str = "M1") -> bytes:
    return adt("A40", patient=survivor, merged=gone, control=control)


# --- 1. framing and transport -----------------------------------------------------------------------------------------------

SHELL = "tests/shell/test_mllp_server.py::"
TLS = "tests/shell/test_mllp_tls.py::"

TRANSPORT: tuple[Row, ...] = (
    row("M01", "good frame, one byte per TCP segment", Case("", (oru(PLT),), conduct="drip", check=checks.bytes_kept)),
    row(
        "M02",
        "two frames in one segment",
        Case("", (oru(PLT, control="1"), oru(PLT_LOW, control="2")), check=checks.bytes_kept),
    ),
    row(
        "M03",
        "50 frames pipelined without waiting",
        Case("", tuple(oru(PLT, control=str(n)) for n in range(50)), check=checks.bytes_kept),
    ),
    row(
        "M04",
        "CR, LF, blanks and NUL between frames",
        Case("", Stream(odd.BLANK_NOISE + b"\x0b" + oru(PLT) + END), ["AA"]),
    ),
    row(
        "M05",
        "another protocol on the port",
        Case("an HTTP request", Stream(odd.HTTP_REQUEST), [], apart=True, counted="noise"),
        Case("a TLS greeting", Stream(odd.TLS_GREETING), [], apart=True, counted="noise"),
        note="no answer; closed after 1 KiB without VT",
    ),
    row(
        "M06",
        "frame without end, then VT and a good frame",
        Case(
            "",
            Stream(odd.HALF_FRAME + b"\x0b" + oru(PLT) + END),
            ["AA"],
            ["quarantined FRAME_TRUNC", "applied"],
            counted="truncated",
        ),
    ),
    row(
        "M07",
        "FS without CR",
        Case(
            "then VT",
            Stream(odd.without_cr(oru(PLT, control="1")) + b"\x0b" + oru(PLT_LOW, control="2") + END),
            ["AA", "AA"],
            counted="no-cr",
        ),
        Case("then silence (500 ms)", Stream(odd.without_cr(oru(PLT))), ["AA"], counted="no-cr", conduct="waits"),
    ),
    row(
        "M08",
        "FS inside data, not followed by CR or VT",
        Case("", (oru(PLT, odd.FS_IN_DATA),), counted="fs-in-data", check=checks.bytes_kept),
    ),
    row(
        "M09",
        "final CR before FS missing",
        Case("", (oru(PLT)[:-1],), holds={"platelets": "98"}, check=checks.bytes_kept),
    ),
    row(
        "M10",
        "other segment ends",
        Case("LF", (odd.with_lf(oru(PLT)),), holds={"platelets": "98"}, check=checks.bytes_kept),
        Case("CRLF", (odd.with_crlf(oru(PLT)),), holds={"platelets": "98"}, check=checks.bytes_kept),
    ),
    row("M11", "empty frame", Case("", Stream(odd.EMPTY_FRAME), [], counted="empty")),
    row(
        "M12",
        "peer closes inside a frame",
        Case("", Stream(odd.HALF_FRAME), [], ["quarantined FRAME_TRUNC"], apart=True, conduct="leaves"),
    ),
    row(
        "M13",
        "a frame that never ends (30 s; here 0.7 s)",
        Case(
            "",
            Stream(b"\x0bMSH|^~\\&|slow"),
            [],
            ["quarantined FRAME_TRUNC"],
            apart=True,
            conduct="waits",
            counted="frame-timeout",
        ),
    ),
    row(
        "M14",
        "idle connection for hours",
        elsewhere=SHELL + "test_m14_an_idle_connection_outlives_the_frame_limit",
        note="stays open",
    ),
    row(
        "M15",
        "half-open peer, same peer reconnects",
        elsewhere=SHELL + "test_m15_a_dead_connection_does_not_block_a_new_one",
        note="the new one is served at once; keep-alive finds the dead one within 60 s",
    ),
    row(
        "M16",
        "500 connections from one address",
        elsewhere=SHELL + "test_m16_a_peer_has_twenty_connections_and_a_listed_one_a_hundred",
        note="20 kept (100 for a listed peer), the rest closed",
    ),
    row(
        "M17",
        "frame of many megabytes (embedded PDF)",
        Case(
            "9 MB in OBX-5",
            (oru(PLT, f"OBX|2|ED|PDF^^L||^AP^PDF^Base64^{'A' * 9_000_000}||||||F"),),
            holds={"platelets": "98"},
            check=checks.bytes_kept,
        ),
    ),
    row(
        "M18",
        "frame over 16 MiB",
        Case("", (oru(PLT, "NTE|1||" + "A" * 16_777_216),), ["AE 207"], ["quarantined TOO_BIG"], counted="oversize"),
        note="the first 64 KiB and the hash are kept",
    ),
    row(
        "M19",
        "a stream without FS (here 300 KB at a limit of 64 KB)",
        Case(
            "",
            Stream(b"\x0b" + oru(PLT) + b"A" * 300_000),
            ["AE 207"],
            ["quarantined TOO_BIG"],
            apart=True,
            frame_limit=65_536,
        ),
        note="answered at four limits, then closed; memory stays at 64 KiB",
    ),
    row(
        "M20",
        "peer never reads its answers",
        elsewhere=SHELL + "test_m20_a_peer_that_never_reads_is_dropped_and_what_it_sent_is_stored",
        note="dropped after 10 s; what it sent is stored",
    ),
    row("M21", "peer closes right after sending", Case("", (oru(PLT),), apart=True, conduct="leaves")),
    row(
        "M22",
        "reset inside a frame",
        Case("", Stream(odd.HALF_FRAME), [], ["quarantined FRAME_TRUNC"], apart=True, conduct="resets"),
    ),
    row(
        "M23",
        "no client certificate on an mTLS port",
        elsewhere=TLS + "test_m23_no_certificate_is_refused_and_counted",
        note="the handshake is refused, counted and put on record",
    ),
    row(
        "M24",
        "expired certificate, unknown authority, wrong name",
        elsewhere=TLS + "test_m24_a_certificate_that_does_not_hold_is_refused_and_counted",
        note="as M23; a certificate that is pinned to no sender is refused, one that sends as another is quarantined (H15)",
    ),
    row(
        "M25",
        "plain text on a TLS port",
        elsewhere=TLS + "test_m25_plain_text_on_a_tls_port_is_closed_and_counted",
        note="closed, counted",
    ),
    row(
        "M26",
        "source address not allowed",
        elsewhere=SHELL + "test_m26_a_peer_that_is_not_listed_is_closed_before_it_is_read",
        note="closed before a byte is read",
    ),
    row(
        "M27",
        "UTF-8 byte order mark before MSH",
        Case("", (odd.marked(oru(PLT)),), issues=["bom"], holds={"platelets": "98"}, check=checks.bytes_kept),
    ),
    row(
        "M28",
        "NUL bytes inside",
        Case(
            "in a note",
            (oru(PLT, odd.NUL_IN_NOTE),),
            issues=["nul"],
            holds={"platelets": "98"},
            check=checks.bytes_kept,
        ),
        Case("in the patient number", (oru(PLT, patient="10\x000"),), None, ["quarantined CHARSET"]),
        Case("in a value", platelets("9\x008"), issues=["nul", "unreadable-value"], bucket="bad_value"),
    ),
    row(
        "M29",
        "UTF-16 body",
        Case("", Stream(b"\x0b" + odd.utf_16(oru(PLT)) + END), ["AA"], ["quarantined CHARSET"]),
        note="16-bit text cannot travel in MLLP, whatever MSH-18 says",
    ),
    row(
        "M30",
        "SIGTERM while a frame is in flight",
        elsewhere=SHELL + "test_m30_a_frame_in_flight_is_finished_when_we_stop",
        note="AA if it ends within 10 s, else none",
    ),
    row(
        "M31",
        "SIGKILL between commit and answer",
        elsewhere="tests/crash/test_kill.py::test_nothing_acknowledged_is_lost_and_nothing_is_stored_twice",
        note="stored; the resend is a duplicate",
    ),
    row(
        "M32",
        "MLLP release 2 commit bytes",
        *(
            Case(what, Stream(sent), [], counted="" if what == "bare" else "empty")
            for what, sent in odd.COMMIT_BYTES.items()
        ),
    ),
    row(
        "M33",
        "an acknowledgment sent to us",
        Case("", (er7(HEAD + "ACK^R01^ACK|9|P|2.5.1", "MSA|AA|1"),), [], ["ignored acknowledgment"]),
        note="never answered",
    ),
    row(
        "M34",
        "Latin-1 byte",
        Case(
            "where UTF-8 is expected",
            (odd.latin_e(oru(PLT, name="Renée")),),
            issues=["charset-replaced"],
            holds={"platelets": "98"},
            check=checks.replaced_name,
        ),
    ),
)

# --- 2. header and structure ------------------------------------------------------------------------------------------------

HEADER: tuple[Row, ...] = (
    row(
        "H01",
        "no MSH first",
        Case(
            "",
            Stream(b"\x0b" + b"PID|1||100^^^HOSP^MR\r" + END),
            ["AE 100"],
            ["quarantined NO_MSH"],
            strict="AE 100 MSH^1",
        ),
        note="MSA-2 empty",
    ),
    row(
        "H02",
        "MSH cut before MSH-9",
        Case(
            "",
            (er7("MSH|^~\\&|LAB|HOSP|ADAPTER|TRIAL|20260102031000", pid(), PLT),),
            None,
            ["quarantined HDR"],
            strict="AE 101 MSH^1^9",
        ),
    ),
    row(
        "H03",
        "MSH-10 empty",
        Case(
            "once",
            (oru(PLT, control=""),),
            issues=["no-control-id"],
            holds={"platelets": "98"},
            strict="AE 101 MSH^1^10",
        ),
        Case("twice, same bytes", (oru(PLT, control=""), oru(PLT, control="")), None, ["applied", "duplicate"]),
        Case("twice, other bytes", (oru(PLT, control=""), oru(PLT_LOW, control="")), None, ["applied", "applied"]),
        note="MSA-2 empty; known again by its content",
    ),
    row(
        "H04",
        "MSH-10 of 199 odd characters",
        Case(
            "",
            (oru(PLT, control="@").replace(b"|@|", b"|" + odd.ODD_ID + b"|"),),
            holds={"platelets": "98"},
            check=checks.echoed,
        ),
    ),
    row("H05", "same MSH-10, same bytes", Case("", (oru(PLT), oru(PLT)), None, ["applied", "duplicate"])),
    row(
        "H06",
        "same MSH-10, other bytes",
        Case("", (oru(PLT), oru(PLT_LOW)), None, ["applied", "applied"], check=checks.counted_as_reuse),
        note="strict would say AE 205, but the answer is made before the store is asked (ADR 13)",
    ),
    row(
        "H07",
        "other delimiters",
        Case(
            "",
            (odd.in_own_separators(oru(PLT)),),
            holds={"platelets": "98"},
            check=checks.own_delimiters,
        ),
        Case("a fifth, of v2.7", (odd.with_fifth_mark(oru(PLT)),), holds={"platelets": "98"}),
    ),
    row(
        "H08",
        "MSH-2 unusable",
        *(
            Case(how, (odd.with_broken_marks(oru(PLT), how),), None, ["quarantined DELIMS"], strict="AE 102 MSH^1^2")
            for how in odd.BROKEN_MARKS
        ),
    ),
    row(
        "H09", "MSH-9 `ORU` without trigger", Case("", header("ORU|1|P|2.5.1"), holds={"platelets": "98"}, strict="AA")
    ),
    row(
        "H10",
        "unsupported type",
        *(
            Case(kind, header(f"{kind}|1|P|2.5.1"), None, [f"ignored {reason}"], strict="AR 200 MSH^1^9")
            for kind, reason in {
                "SIU^S12": "unsupported-type",
                "MDM^T02": "document",
                "DFT^P03": "unsupported-type",
                "ORM^O01": "order-only",
            }.items()
        ),
    ),
    row(
        "H11",
        "unsupported event",
        Case(
            "ADT^A60, an allergy (IAM)",
            header("ADT^A60|1|P|2.5.1"),
            None,
            ["ignored allergy-only"],
            strict="AR 201 MSH^1^9",
        ),
        Case(
            "ORU^R40, an alarm",
            header("ORU^R40|1|P|2.5.1"),
            None,
            ["ignored unsupported-type"],
            strict="AR 201 MSH^1^9",
        ),
    ),
    row(
        "H12",
        "MSH-11 on a production feed",
        *(
            Case(letter, header(f"ORU^R01|1|{letter}|2.5.1"), None, ["quarantined PROCID"], strict="AR 202 MSH^1^11")
            for letter in "TDVN"
        ),
        note="never applied",
    ),
    row(
        "H13",
        "MSH-12",
        *(
            Case(version, header(f"ORU^R01|1|P|{version}"), holds={"platelets": "98"}, strict="AA")
            for version in ("2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8")
        ),
        Case("2.9", header("ORU^R01|1|P|2.9"), holds={"platelets": "98"}, strict="AA"),
        Case("3.0", header("ORU^R01|1|P|3.0"), holds={"platelets": "98"}, strict="AR 203 MSH^1^12"),
        Case("junk", header("ORU^R01|1|P|latest"), holds={"platelets": "98"}, strict="AR 203 MSH^1^12"),
        note="read all the same",
    ),
    row(
        "H14",
        "MSH-12 empty",
        Case("", header("ORU^R01|1|P|"), issues=["no-version"], holds={"platelets": "98"}, strict="AA"),
    ),
    row(
        "H15",
        "MSH-3/4 not configured for this connection",
        Case(
            "another sender",
            (oru(PLT, control="1").replace(b"|LAB|", b"|PHARMACY|", 1),),
            None,
            ["quarantined SENDER"],
            strict="AR 207 MSH^1^3",
            holds={"platelets": None},
            senders=["LAB|HOSP"],
        ),
        Case("one of those named", (oru(PLT),), holds={"platelets": "98"}, senders=["LAB|HOSP", "ICU|HOSP"]),
        note="kept until a person releases it; an alarm stands as long",
    ),
    row("H16", "MSH-7 missing", Case("", (oru(PLT, sent=""),), issues=["no-sender-time"], holds={"platelets": "98"})),
    row(
        "H17",
        "MSH-7 in the future by more than 10 minutes",
        Case("", (oru(PLT, sent="20260102091500"),), issues=["no-sender-time"], holds={"platelets": "98"}),
        note="not used to tell which statement is newer",
    ),
    row(
        "H18",
        "MSH-7 ten years old",
        Case("", (oru(PLT, sent="20160102031000"),), issues=["old-sender-time"], holds={"platelets": "98"}),
        note="clinical times rule",
    ),
    row(
        "H19",
        "MSH-15 = NE",
        Case("MSH-16 empty", header("ORU^R01|1|P|2.5.1|||NE"), []),
        Case("MSH-16 = NE", header("ORU^R01|1|P|2.5.1|||NE|NE"), []),
        Case("MSH-16 = AL: original mode", header("ORU^R01|1|P|2.5.1|||NE|AL"), ["AA"]),
    ),
    row(
        "H20",
        "MSH-15 = AL",
        Case("MSH-16 = AL", header("ORU^R01|1|P|2.5.1|||AL|AL"), ["CA"]),
        Case("MSH-16 = NE", header("ORU^R01|1|P|2.5.1|||AL|NE"), ["CA"]),
        Case("a word outside table 0155", header("ORU^R01|1|P|2.5.1|||YES|"), ["AA"]),
    ),
    row(
        "H21",
        "answers on condition",
        Case("MSH-15 = ER and all well", header("ORU^R01|1|P|2.5.1|||ER|NE"), [], ["applied"]),
        Case("MSH-15 = SU and all well", header("ORU^R01|1|P|2.5.1|||SU|NE"), ["CA"]),
    ),
    row(
        "H22",
        "MSH-18 absent, bytes not UTF-8",
        Case(
            "ISO 8859-7 of a Greek site",
            (oru(PLT, authority="ATTIKON", name="ΓΕΩΡΓΙΟΥ").decode().encode("iso-8859-7"),),
            site="attikon",
            check=checks.greek_name,
        ),
        Case(
            "ISO 8859-1 of another",
            (oru(PLT, name="Renée").decode().encode("iso-8859-1"),),
            site="latin",
            check=checks.latin_name,
        ),
    ),
    row(
        "H23",
        "MSH-18 says one set, bytes are of another",
        Case(
            "UTF-8 stated, other bytes in a name",
            (oru(PLT, name="Renée", charset="UNICODE UTF-8").decode().encode("iso-8859-1"),),
            issues=["charset-replaced"],
            check=checks.replaced_name,
        ),
        Case(
            "UTF-8 stated, other bytes in the patient number",
            (oru(PLT, patient="10é", charset="UNICODE UTF-8").decode().encode("iso-8859-1"),),
            None,
            ["quarantined CHARSET"],
        ),
        Case(
            "MSH-18 says 8859/7, bytes are UTF-8",
            (oru(PLT, name="ΓΕΩΡΓΙΟΥ", charset="8859/7"),),
            issues=["charset-doubtful"],
            holds={"platelets": "98"},
        ),
        Case(
            "MSH-18 silent at a site of ISO 8859-7, bytes are UTF-8",
            (oru(PLT, authority="ATTIKON", name="ΓΕΩΡΓΙΟΥ"),),
            site="attikon",
            issues=["charset-doubtful"],
        ),
        Case(
            "the same after a byte order mark",
            (b"\xef\xbb\xbf" + oru(PLT, authority="ATTIKON", name="ΓΕΩΡΓΙΟΥ"),),
            site="attikon",
            issues=["bom"],
            check=checks.greek_name,
        ),
        note="read as stated: a name may look odd, no value changes",
    ),
    row(
        "H24",
        "ISO 2022 escapes, several character sets",
        Case(
            "",
            (oru(PLT, name="@", charset="ASCII~ISO IR87").replace(b"@", odd.JAPANESE),),
            holds={"platelets": "98"},
            check=checks.japanese_name,
        ),
        Case(
            "by escapes `\\M2442\\` and `\\C2842\\`",
            (oru(PLT, name="\\M2442\\;3ED\\C2842\\"),),
            holds={"platelets": "98"},
            check=checks.japanese_name,
        ),
        Case("an unknown set", (oru(PLT, charset="KLINGON"),), issues=["charset-unknown"], holds={"platelets": "98"}),
    ),
    row(
        "H25",
        "unknown and Z segments",
        Case("", (oru(*odd.UNKNOWN_SEGMENTS, PLT, "ZZ2|x"),), holds={"platelets": "98"}),
    ),
    row(
        "H26",
        "segments out of order",
        Case("PID after the results", (er7(msh("ORU^R01"), obr(), PLT, pid()),), holds={"platelets": "98"}),
        Case("PV1 after the results", (er7(msh("ORU^R01"), pid(), obr(), PLT, pv1()),), holds={"platelets": "98"}),
        Case(
            "OBX without OBR",
            (er7(msh("ORU^R01"), pid(), obx("777-3", "98", "10*3/uL", at="20260102030000")),),
            holds={"platelets": "98"},
        ),
        Case(
            "OUL^R22, its specimen and container before the order, ORC behind it",
            (er7(msh("OUL^R22^OUL_R22"), pid(), pv1(), SPM, "SAC|||C1", obr(), "ORC|RE||F1", PLT),),
            holds={"platelets": "98"},
            strict="AA",
        ),
        Case(
            "OUL^R24, its specimen behind the results",
            (er7(msh("OUL^R24^OUL_R24"), pid(), pv1(), obr(), "ORC|RE||F1", PLT, SPM, "SAC|||C1"),),
            holds={"platelets": "98"},
            strict="AA",
        ),
        note="read by name where only one reading is possible; strict reads headers only, so it says AA",
    ),
    row(
        "H27",
        "two PID in one ADT",
        Case("", (er7(msh("ADT^A01"), "EVN|A01|20260102", pid(), pid("200"), pv1()),), None, ["quarantined DUP_PID"]),
    ),
    row(
        "H28",
        "ORU with several patients",
        Case(
            "",
            (er7(msh("ORU^R01"), pid(), obr("F1"), PLT, pid("200"), obr("F2"), PLT_LOW),),
            check=checks.each_to_their_own,
        ),
    ),
    row(
        "H29",
        "segment names HL7 does not allow",
        Case("lower case", (oru(PLT.replace("OBX", "obx")),), None, ["quarantined STRUCT"]),
        Case("two letters", (oru(PLT, "OB|1|NM"),), None, ["quarantined STRUCT"]),
    ),
    row(
        "H30",
        "10,000 OBX",
        Case(
            "",
            (oru(*(obx("777-3", str(90 + n % 9), "10*3/uL", sub=str(n)) for n in range(10_000))),),
            seconds=45,
            bucket="used",
        ),
    ),
    row(
        "H31",
        "a million parts in a field",
        Case("repetitions of PID-3", (oru(PLT, patient="1~" * 1_000_000),), None, ["quarantined LIMIT"], seconds=8),
        Case("components of OBX-5", platelets("1^" * 1_000_000), None, ["quarantined LIMIT"], seconds=8),
        Case("fields of an OBX", (oru(PLT + "|" * 1_000_000),), None, ["quarantined LIMIT"], seconds=8),
        Case("a million segments", (oru(PLT) + b"ZZZ\r" * 1_000_000,), None, ["quarantined LIMIT"], seconds=8),
        Case("segments that begin 20,000 messages", (oru(PLT) * 20_000,), None, ["quarantined LIMIT"], seconds=8),
    ),
    row(
        "H32",
        "escape sequences",
        Case(
            "`\\F\\ \\S\\ \\T\\ \\R\\ \\E\\ \\.br\\ \\X0D\\`",
            (oru(PLT, name=odd.ESCAPES),),
            check=checks.escapes_read,
        ),
        Case("`\\Cxx\\`, and one without its end", (oru(PLT, name=odd.BROKEN_ESCAPES),), check=checks.escape_kept),
        note="read after splitting, in one pass: `\\X0D\\` never makes a segment",
    ),
    row(
        "H33", "double escape `\\E\\F\\E\\`", Case("", (oru(PLT, name=odd.DOUBLE_ESCAPE),), check=checks.double_escape)
    ),
    row(
        "H34",
        'HL7 null `""` against empty',
        Case("null deletes", (adt("A01"), adt("A08", name='""', sex="", **UPDATE)), check=checks.name_deleted),
        Case("silence changes nothing", (adt("A01"), adt("A08", name="", sex="", **UPDATE)), check=checks.name_stays),
    ),
    row(
        "H35",
        "batch in one frame",
        Case(
            "FHS BHS … BTS FTS",
            (odd.enveloped([oru(PLT, control="1"), oru(PLT_LOW, control="2", order="F2", at="20260102040000")]),),
            ["AA", "AA"],
            ["applied", "applied"],
            holds={"platelets": "40"},
        ),
        Case(
            "after a byte order mark, answers as each header asks",
            (
                odd.marked(
                    odd.enveloped(
                        [
                            oru(PLT, control="1").replace(b"|2.5.1", b"|2.5.1|||AL|NE", 1),
                            oru(PLT_LOW, control="2", order="F2", at="20260102040000").replace(
                                b"|2.5.1", b"|2.5.1|||NE|NE", 1
                            ),
                            oru(PLT, control="3", order="F3", at="20260102043000"),
                        ],
                        files=False,
                        count=9,
                    )
                ),
            ),
            ["CA", "AA"],
            ["applied", "applied", "applied"],
            issues=["bom"],
            holds={"platelets": "98"},
        ),
        Case(
            "two MSH without an envelope",
            (oru(PLT, control="1") + oru(PLT_LOW, control="2", order="F2"),),
            ["AA"],
            ["applied", "applied"],
            issues=["two-messages-in-frame"],
            counted="two-messages",
            check=checks.each_flagged,
        ),
        Case(
            "two MSH without an envelope, the second unreadable",
            (oru(PLT, control="1") + b"MSH|^^^^|LAB|HOSP\rOBX|1\r",),
            ["AA"],
            ["applied", "quarantined DELIMS"],
            issues=["two-messages-in-frame"],
            check=checks.each_flagged,
        ),
        note="one answer a message; without an envelope the first is answered, both are stored and flagged",
    ),
    row(
        "H36",
        "field of 1 MB",
        Case("the patient number", (oru(PLT, patient="1" * 1_000_000),), None, ["quarantined LIMIT"]),
        Case("the name", (oru(PLT, name="N" * 1_000_000),), holds={"platelets": "98"}, check=checks.name_cut),
        Case("a value", platelets("9" * 1_000_000), bucket="bad_value", issues=["unreadable-value"]),
    ),
    row(
        "H37",
        "continuation",
        *(
            Case(what, (oru(PLT, line),), None, ["quarantined CONTINUATION"])
            for what, line in odd.CONTINUATIONS.items()
        ),
        Case("MSH-14", header("ORU^R01|1|P|2.5.1||page-2"), None, ["quarantined CONTINUATION"]),
        Case("MSH-13, a number of the sequence protocol", header("ORU^R01|1|P|2.5.1|4711"), holds={"platelets": "98"}),
    ),
    row(
        "H38",
        "bytes after the last segment",
        Case("", (oru(PLT) + odd.LAST_WORDS,), issues=["stray-text"], holds={"platelets": "98"}),
    ),
    row(
        "H39",
        "HL7 in XML",
        Case(
            "",
            Stream(odd.XML_FRAME),
            ["AA"],
            ["quarantined XML"],
            strict="AR 200",
        ),
        note="no XML is ever parsed",
    ),
    row(
        "H40",
        "segment of delimiters only",
        Case("PID||||", (er7(msh("ORU^R01"), odd.ONLY_BARS, obr(), PLT),), None, ["quarantined NO_PATIENT"]),
    ),
)

# --- 3. content ---------------------------------------------------------------------------------------------------------------

MRG_400 = "MRG|400^^^HOSP^MR"
SWAP = er7(
    msh("ADT^A17", control="S", at="20260102060000"),
    "EVN|A17|20260102060000",
    *(pid("100"), pv1("V1", bed="2")),
    *(pid("200"), pv1("V2", bed="1")),
)
ABG = (obx("2703-7", "80", "mm[Hg]"),)

PEOPLE: tuple[Row, ...] = (
    row(
        "C01",
        "PID-3 empty",
        Case("", (oru(PLT).replace(b"100^^^HOSP^MR", b""),), None, ["quarantined NO_PATIENT"], strict="AE 101 PID^1^3"),
    ),
    row(
        "C02",
        "PID-3 without the site's authority and type",
        Case("another authority", (oru(PLT, authority="ELSEWHERE"),), None, ["quarantined NO_MRN"], site="attikon"),
        Case(
            "another type",
            (oru(PLT, authority="ATTIKON").replace(b"^MR|", b"^SS|"),),
            None,
            ["quarantined NO_MRN"],
            site="attikon",
        ),
        Case(
            "the right one among others",
            (oru(PLT, patient="7^^^X^SS~100", authority="ATTIKON"),),
            site="attikon",
            holds={"platelets": "98"},
        ),
    ),
    row(
        "C03",
        "same number, two assigning authorities",
        Case("", (oru(PLT), oru(PLT_LOW, authority="OTHER", control="2", order="F2")), check=checks.two_patients),
    ),
    row(
        "C04",
        "patient number",
        Case("spaces round it", (oru(PLT, patient=" 100 "),), check=checks.spaces_fall),
        Case("leading zeros", (oru(PLT, patient="0100"),), check=checks.zeros_matter),
        Case("full-width digits", (oru(PLT, patient="１００"),), None, ["quarantined BAD_MRN"]),
    ),
    row(
        "C05",
        "date of birth",
        Case(
            "in the future",
            story(HIGH, born="20300101"),
            issues=["unusable-birth-date"],
            check=checks.age_unknown,
        ),
        Case(
            "in 1800",
            story(HIGH, born="18000101"),
            issues=["unusable-birth-date"],
            check=checks.age_unknown,
        ),
        Case(
            "`00000000`",
            story(HIGH, born="00000000"),
            issues=["unusable-birth-date"],
            check=checks.age_unknown,
        ),
        Case("a year", (oru(PLT, born="1950"),), check=checks.year_only),
        note="never guessed: a person is asked (I1)",
    ),
    row("C06", "PID-8 unknown code", Case("", (oru(PLT, sex="Q"),), check=checks.sex_unknown)),
    row(
        "C07",
        "first word of a patient",
        Case("A08", (adt("A08"),), check=checks.name_stays),
        Case("ORU", (oru(PLT),), holds={"platelets": "98"}),
        note="the patient is made",
    ),
    row(
        "C08",
        "name, date of birth and sex all change on one number",
        Case(
            "", (oru(PLT), oru(PLT, control="2", name="ROE^RICHARD", born="19800101", sex="M", sent="20260102050000"))
        ),
        elsewhere="tests/shell/test_overlay.py::test_nothing_leaves_until_somebody_has_looked",
        note="flagged `possible-overlay`; nothing leaves until a person says on the candidate's page that it is one person",
    ),
    row("C09", "A40 merge", Case("", (oru(PLT, patient="200"), merge("100", "200")), holds={"platelets": "98"})),
    row(
        "C10",
        "A40 where both have subject numbers",
        elsewhere="tests/shell/test_merges.py::test_two_numbers_freeze_the_person_until_somebody_chooses",
        note="frozen, audited, asked on the candidate's page",
    ),
    row("C11", "A40 with MRG-1 = PID-3", Case("", (merge("100", "100"),), None, ["applied"])),
    row(
        "C12",
        "A40 cycle A→B, B→A",
        Case(
            "",
            (merge("100", "200"), merge("200", "100", "M2"), oru(PLT, patient="200")),
            holds={"platelets": "98"},
            check=checks.one_person,
        ),
    ),
    row(
        "C13",
        "A40 before either is known",
        Case("", (merge("100", "200"), oru(PLT, patient="200")), holds={"platelets": "98"}),
    ),
    row(
        "C14",
        "chain B→C before A→B",
        Case("", (merge("100", "B"), merge("B", "A", "M2"), oru(PLT, patient="A")), holds={"platelets": "98"}),
    ),
    row(
        "C15",
        "A37 takes a merge back",
        Case(
            "of records without a number",
            (oru(PLT, patient="200"), merge("100", "200"), apart("A37", "100", "200", "20260102060000")),
            holds={"platelets": None},
        ),
        Case(
            "told before the merge, meant after it",
            (apart("A37", "100", "200", "20260102060000"), oru(PLT, patient="200"), merge("100", "200")),
            holds={"platelets": None},
        ),
        Case(
            "after a screening number was given to the joined person",
            (apart("A37", "100", "200", "20260102060000"),),
            before=(*story(HIGH), merge("100", "200"), oru(PLT, patient="200", control="2")),
            check=checks.asked_whose,
        ),
        Case("of one patient alone", (adt("A37"),), None, ["quarantined NO_PAIR"]),
        note="what was said of each record was never mixed; a number is frozen, and a person asked",
    ),
    row(
        "C16",
        "other identity events",
        *(
            Case(event, (oru(PLT, patient="200"), mrg(event, "100", "200")), holds={"platelets": "98"})
            for event in ("A18", "A30", "A34", "A36", "A43", "A47")
        ),
        *(
            Case(event, (adt(event, merged="200"),), None, [f"ignored {reason}"], strict="AR 201 MSH^1^9")
            for event, reason in {
                "A24": "link-is-no-merge",
                "A35": "number-only",
                "A41": "number-only",
                "A49": "number-only",
                "A46": "other-identifier",
            }.items()
        ),
        Case(
            "A40 with two pairs of PID and MRG",
            (oru(PLT, patient="200"), er7(msh("ADT^A40"), pid("300"), MRG_400, pid("100"), "MRG|200^^^HOSP^MR")),
            holds={"platelets": "98"},
        ),
        note="event by event: [ADT](adt.md)",
    ),
    row(
        "C17",
        "a visit moves to another patient",
        Case("A45", (adt("A28"), visit_moved()), before=story(HIGH, patient="200"), check=checks.moved_here),
        Case("A45, then the results", (visit_moved(), *story(HIGH, patient="200")), check=checks.moved_here),
        Case(
            "A45 and back",
            (visit_moved(), visit_moved("100", "200", "20260102070000")),
            before=story(HIGH, patient="200"),
            check=checks.moved_back,
        ),
        Case(
            "A45 between accounts of one patient",
            (er7(msh("ADT^A45", control="M"), pid(), "MRG|||C1||V1", pv1()),),
            issues=["merge-into-self"],
            before=story(HIGH),
            candidate=True,
        ),
        Case(
            "A44, the visits of an account",
            (account_move("200", "100", account="C1", into="", sent="20260102060000", control="M"),),
            before=story(HIGH, patient="200", account="C1"),
            check=checks.moved_here,
        ),
        note="verdicts of both are made anew; a screening number given for the visit is frozen, and a person asked",
    ),
    row("C18", "MRG missing in A40", Case("", (adt("A40"),), None, ["quarantined NO_MRG"], strict="AE 100 MRG^1")),
    row(
        "C19",
        "test patients",
        Case("by name", story(HIGH, name="ZZTEST^ONE", authority="ATTIKON"), site="attikon", candidate=False),
        Case("by number", story(HIGH, patient="TEST-1", authority="ATTIKON"), site="attikon", candidate=False),
        note="read, never alerted",
    ),
    row(
        "C20",
        "the patient wants no part in research",
        Case(
            "by the site's field (PD1-12)",
            tuple(
                body.replace(b"\rPV1", b"\rPD1" + b"|" * 12 + b"Y\rPV1") for body in story(HIGH, authority="ATTIKON")
            ),
            site="attikon",
            candidate=False,
        ),
        note="counted only; nothing leaves the house",
    ),
    row(
        "C21",
        "repeated A01 with changed data",
        Case("", (adt("A01"), adt("A01", ward="WARD7", control="A2", sent="20260102020500")), check=checks.one_visit),
    ),
    row(
        "C22",
        "PV1-19 empty",
        Case(
            "",
            (
                adt("A01", visit="", admitted="20260102020000"),
                adt("A08", visit="", admitted="20260102020000", **UPDATE),
            ),
            issues=["no-visit-number"],
            check=checks.one_visit_by_admission,
        ),
    ),
    row(
        "C23",
        "discharge before admission",
        Case(
            "A03, then A01",
            (adt("A03", control="A3", at="20260102060000", sent="20260102060100"), adt("A01")),
            check=checks.over,
        ),
        Case(
            "A01, then A03",
            (adt("A01"), adt("A03", control="A3", at="20260102060000", sent="20260102060100")),
            check=checks.over,
        ),
        note="the same state",
    ),
    row(
        "C24",
        "cancels and other movements",
        Case(
            "A11 takes the admission back",
            (adt("A11", **UPDATE),),
            before=story(HIGH),
            candidate=False,
            check=checks.withdrawn,
        ),
        Case(
            "A13 takes the discharge back",
            (adt("A01"), adt("A03", control="A3", at="20260102040000", sent="20260102040100"), adt("A13", **UPDATE)),
            check=checks.open_again,
        ),
        Case(
            "A17 swaps two beds",
            (SWAP,),
            before=(adt("A01"), adt("A01", patient="200", visit="V2")),
            check=checks.swapped,
        ),
        Case("A21 leave of absence", (adt("A21", **UPDATE),), before=story(HIGH), candidate=True),
        Case(
            "A29 deletes the person",
            (adt("A29", **UPDATE),),
            before=story(HIGH),
            candidate=False,
            check=checks.withdrawn,
        ),
        Case(
            "A29, then A31",
            (adt("A29", **UPDATE), adt("A31", control="A3", sent="20260102060000")),
            before=story(HIGH),
            candidate=True,
        ),
        *(
            Case(event, (adt(event, **UPDATE),), None, [f"ignored {reason}"], before=story(HIGH), candidate=True)
            for event, reason in {"A23": "archived", "A27": "pending", "A38": "pending"}.items()
        ),
    ),
    row(
        "C25",
        "A02 to an unknown ward",
        Case("", (adt("A01"), adt("A02", ward="NOWHERE", **UPDATE)), check=checks.place_kept),
    ),
    row(
        "C26",
        "discharge time before admission time",
        Case(
            "",
            (adt("A03", at="", admitted="20260102060000", discharged="20260102020000"),),
            issues=["discharge-before-admission"],
        ),
    ),
    row(
        "C27",
        "death, then laboratory results",
        Case("PID-30", (*story(), oru(HIGH, control="2", order="S2", dead="Y")), candidate=False),
        Case(
            "PID-29",
            (adt("A08", died="20260102060000", **UPDATE),),
            before=story(HIGH),
            candidate=False,
            check=checks.withdrawn,
        ),
        note="stored; no alert",
    ),
)

RESULTS: tuple[Row, ...] = (
    row(
        "C28",
        "P, then F, then C",
        Case(
            "",
            (
                *ferritin("4000", status="P"),
                oru(obx("2276-4", "4500", "ng/mL"), control="2", sent="20260102040000"),
                oru(obx("2276-4", "5000", "ng/mL", status="C"), control="3", sent="20260102050000"),
            ),
            holds={"ferritin": "5000"},
        ),
        Case("P alone", ferritin("5000", status="P"), bucket="not_final", holds={"ferritin": None}),
        note="C wins",
    ),
    row(
        "C29",
        "C arrives before F",
        Case(
            "",
            (
                oru(obx("2276-4", "5000", "ng/mL", status="C"), control="3", sent="20260102050000"),
                oru(obx("2276-4", "4500", "ng/mL"), control="2", sent="20260102040000"),
            ),
            holds={"ferritin": "5000"},
        ),
        note="C wins",
    ),
    row(
        "C30",
        "X, D or W",
        *(
            Case(
                letter,
                (oru(obx("2276-4", "", "", status=letter), control="W", order="S1", sent="20260102060000"),),
                before=story(HIGH),
                holds={"ferritin": None},
                bucket="withdrawn",
                check=checks.told_of_the_change,
            )
            for letter in "XDW"
        ),
        note="the value is taken back, and people are told if it mattered",
    ),
    row(
        "C31",
        "OBX-11 empty",
        Case("OBR-25 = F", ferritin("5000", status=""), holds={"ferritin": "5000"}),
        Case(
            "OBR-25 empty too",
            (oru(obx("2276-4", "5000", "ng/mL", status="")).replace(b"|F\rOBX", b"|\rOBX"),),
            issues=["unknown-status"],
            bucket="not_final",
            holds={"ferritin": None},
        ),
    ),
    row(
        "C32",
        "OBX-5 empty, status F",
        Case("", platelets(""), bucket="bad_value", issues=["no-value"], holds={"platelets": None}),
        note="missing, never zero",
    ),
    row(
        "C33",
        "a bound instead of a value",
        Case(
            "`>5000`: above 4420 whatever it is",
            story(obx("2276-4", ">5000", "ng/mL")),
            holds={"ferritin": ">5000"},
            candidate=True,
        ),
        Case("`>4000`: decides nothing", ferritin(">4000"), holds={"ferritin": ">4000"}),
        Case("`<0.5`", ferritin("<0.5"), holds={"ferritin": "<0.5"}),
        Case("`>100000`", ferritin(">100000"), holds={"ferritin": ">100000"}),
    ),
    row(
        "C34",
        "no number",
        *(
            Case(f"`{text}`", platelets(text, type="ST"), bucket="bad_value", issues=["unreadable-value"])
            for text in odd.NO_NUMBERS
        ),
    ),
    row(
        "C35",
        "decimal comma",
        Case(
            "where the site says so", (oru(obx("2160-0", "1,2", "mg/dL")),), site="comma", holds={"creatinine": "1.2"}
        ),
        Case(
            "where it does not", (oru(obx("2160-0", "1,2", "mg/dL")),), bucket="bad_value", holds={"creatinine": None}
        ),
    ),
    row(
        "C36",
        "a mark that may group thousands",
        *(
            Case(f"ferritin `{text}`", ferritin(text), bucket="bad_value", issues=["ambiguous-number"])
            for text in odd.GROUPED
        ),
        note="never guessed",
    ),
    row(
        "C37",
        "unit missing",
        Case("", platelets("98", ""), bucket="unmapped_unit", issues=["missing-unit"], holds={"platelets": None}),
    ),
    row(
        "C38",
        "another unit",
        Case("creatinine in umol/L", (oru(obx("2160-0", "442", "umol/L")),), holds={"creatinine": "5"}),
        Case("ferritin in ug/L", ferritin("5000", "ug/L"), holds={"ferritin": "5000"}),
        Case("ferritin in nmol/L", ferritin("10", "nmol/L"), flags=["molar_ferritin"]),
        Case(
            "unknown",
            ferritin("5000", "furlong"),
            bucket="unmapped_unit",
            issues=["unmapped-unit"],
            holds={"ferritin": None},
        ),
    ),
    row(
        "C39",
        "the micro sign",
        *(Case(f"`{unit}`", ferritin("5000", unit), holds={"ferritin": "5000"}) for unit in odd.MICRO_SIGNS),
    ),
    row(
        "C40",
        "beyond a body",
        Case("potassium 45", (oru(obx("2823-3", "45", "mmol/L")),), issues=[]),
        Case(
            "GCS 16",
            (oru(obx("9269-2", "16", "{score}")),),
            bucket="bad_value",
            issues=["impossible-value"],
            holds={"gcs-total": None},
        ),
        Case(
            "platelets 25,000,000 /uL",
            platelets("25000000", "/uL"),
            bucket="bad_value",
            issues=["impossible-value"],
            holds={"platelets": None},
        ),
        Case("platelets 2,500,000 /uL", platelets("2500000", "/uL"), flags=["implausible"]),
        note="impossible: not used; implausible: used and flagged (clinical specification 2.4)",
    ),
    row(
        "C41",
        "what only a programming language reads",
        *(
            Case(f"`{text}`", platelets(text), bucket="bad_value", issues=["unreadable-value"])
            for text in odd.ONLY_PROGRAMS_READ
        ),
    ),
    row(
        "C42",
        "OBX-2 and OBX-5 disagree",
        Case("NM holding a word", platelets("low"), bucket="bad_value", issues=["unreadable-value"]),
        Case("ST holding a number", platelets("98", type="ST"), holds={"platelets": "98"}),
        Case("CE holding a number", platelets("98", type="CE"), holds={"platelets": "98"}),
        Case("SN `>^100`", ferritin(">^100", type="SN"), holds={"ferritin": ">100"}),
        Case("an unknown type", platelets("98", type="QQ"), holds={"platelets": "98"}),
    ),
    row(
        "C43",
        "embedded document",
        Case(
            "10 MB of base64",
            (oru(f"OBX|1|ED|777-3^^LN||^AP^PDF^Base64^{'A' * 10_000_000}||||||F", PLT_LOW),),
            holds={"platelets": "40"},
        ),
        note="stored, never read",
    ),
    row(
        "C44",
        "unmapped local code",
        Case("", (oru(obx("XYZ", "1", "mg/dL", system="L")),), bucket="unmapped_code", issues=["unmapped-code"]),
        note="counted; what a source used to send and no longer does is an alarm: tests/shell/test_watch.py",
    ),
    row(
        "C45",
        "local code used again with another unit or range",
        Case("", platelets("98000", "/uL")),
        elsewhere="tests/shell/test_watch.py::test_values_that_moved_are_an_alarm",
        note="a median that moved by more than a factor of five, or another unit: alarm `values-moved`, *Feeds and data*",
    ),
    row(
        "C46",
        "OBX-14 and OBR-7 missing",
        Case("", at(""), bucket="bad_value", issues=["missing-time"], holds={"platelets": None}),
    ),
    row(
        "C47",
        "no zone offset",
        Case("site in Athens", at("20260102030000"), site="athens", check=checks.in_the_sites_zone),
        Case(
            "a site without a zone of its own",
            at("20260102030000"),
            issues=["timezone-assumed"],
            holds={"platelets": "98"},
        ),
    ),
    row(
        "C48",
        "the hour that comes twice",
        Case(
            "03:30 on 26 October 2025 in Athens",
            at("20251026033000"),
            site="athens",
            flags=["dst-ambiguous"],
            check=checks.ambiguous_hour,
        ),
        note="the second instant is not kept yet",
    ),
    row(
        "C49",
        "the hour that does not exist",
        Case(
            "03:30 on 30 March 2025 in Athens",
            at("20250330033000"),
            site="athens",
            flags=["dst-gap"],
            check=checks.shifted,
        ),
    ),
    row(
        "C50",
        "no time",
        *(
            Case(f"`{text}`", at(text), bucket="bad_value", issues=["missing-time"], holds={"platelets": None})
            for text in odd.NO_TIMES
        ),
        Case("`…60` seconds", at("20260102030060"), flags=["leap-second"], holds={"platelets": "98"}),
    ),
    row(
        "C51",
        "specimen more than 15 minutes in the future",
        Case("", at("20260102090000"), bucket="bad_value", issues=["future-time"], holds={"platelets": None}),
    ),
    row(
        "C52",
        "specimen taken after the result was issued",
        Case("", (oru(PLT, issued="20260102020000"),), issues=["issued-before-taken"], holds={"platelets": "98"}),
    ),
    row(
        "C53",
        "result 30 days late",
        Case(
            "",
            (*story(), oru(HIGH, at="20251203030000", control="2", order="S2")),
            holds={"ferritin": "5200"},
            check=checks.told_once,
        ),
        note="applied at its own time",
    ),
    row(
        "C54",
        "nightly resend",
        Case(
            "the same bytes",
            (*story(HIGH), *story(HIGH)),
            None,
            ["applied", "duplicate", "applied", "duplicate"],
            candidate=True,
            check=checks.told_once,
        ),
        Case(
            "the same results in new messages",
            (*story(HIGH), oru(*ORGANS, HIGH, control="R9", order="S1", sent="20260102070000")),
            candidate=True,
            check=checks.told_once,
        ),
    ),
    row(
        "C55",
        "several values of one code (OBX-4)",
        Case(
            "",
            (oru(obx("777-3", "98", "10*3/uL", sub="1"), obx("777-3", "40", "10*3/uL", sub="2")),),
            check=checks.parts_kept,
        ),
    ),
    row(
        "C56",
        "creatinine of urine or CSF",
        *(
            Case(
                specimen,
                (oru(obx("2160-0", "50", "mg/dL"), specimen=specimen),),
                bucket="unsuitable_specimen",
                issues=["unsuitable-specimen"],
                holds={"creatinine": None},
            )
            for specimen in ("UR", "CSF")
        ),
    ),
    row(
        "C57",
        "point of care and laboratory together",
        Case(
            "",
            (
                oru(obx("2160-0", "1.9", "mg/dL"), order="POC1"),
                oru(obx("2160-0", "2.5", "mg/dL"), control="2", order="LAB1"),
            ),
            check=checks.two_creatinines,
        ),
    ),
    row(
        "C58",
        "vasopressor without weight in its unit",
        Case(
            "10 ug/min",
            (oru(obx("NORAD", "10", "ug/min", system="L"), authority="ATTIKON"),),
            site="attikon",
            check=checks.running_at_some_dose,
        ),
        Case(
            "no unit",
            (oru(obx("NORAD", "10", "", system="L"), authority="ATTIKON"),),
            site="attikon",
            bucket="unmapped_unit",
            issues=["missing-unit"],
            check=checks.no_cardiovascular,
        ),
    ),
    row(
        "C59",
        "incomplete coma score",
        Case("eye opening alone", (oru(obx("9267-6", "3", "{score}")),), check=checks.no_cns),
        Case(
            "`10T`",
            (oru(obx("9269-2", "10T", "{score}", type="ST")),),
            bucket="bad_value",
            issues=["unreadable-value"],
            check=checks.no_cns,
        ),
        Case(
            "GCS 3 under sedation (RASS -4)",
            (oru(obx("9269-2", "3", "{score}"), obx("54632-5", "-4", "{score}")),),
            check=checks.no_cns,
        ),
    ),
    row(
        "C60",
        "inspired oxygen",
        Case("`0.4`", (oru(obx("3150-0", "0.4")),), holds={"fio2": "0.4"}),
        Case("`40`", (oru(obx("3150-0", "40")),), holds={"fio2": "0.4"}),
        Case("`40%`", (oru(obx("3150-0", "40%", type="ST")),), holds={"fio2": "0.4"}),
        Case("`1`", (oru(obx("3150-0", "1")),), holds={"fio2": "1"}, flags=["fio2_ambiguous"]),
    ),
    row(
        "C61",
        "PaO2 and FiO2 hours apart",
        Case("", (oru(*ABG), oru(obx("3150-0", "0.4"), at="20260101150000", control="2")), check=checks.no_respiration),
    ),
    row(
        "C62",
        "names a spreadsheet, browser, database or mailer would obey",
        *(Case(f"`{text}`", named(text), candidate=True, check=checks.inert) for text in odd.FREE_TEXT),
    ),
    row(
        "C63",
        "names a template or logger would obey",
        *(Case(f"`{text}`", named(text), candidate=True, check=checks.inert) for text in odd.PATTERNS),
    ),
    row(
        "C64",
        "bidirectional and zero-width characters",
        Case("", named(odd.INVISIBLE), candidate=True, check=checks.inert),
    ),
    row(
        "C65",
        "names of the world",
        Case("Greek", (oru(PLT, name=odd.NAMES["Greek"]),), check=checks.greek_name),
        Case("Cyrillic", named(odd.NAMES["Cyrillic"]), candidate=True, check=checks.inert),
        Case("Chinese", named(odd.NAMES["Chinese"]), candidate=True, check=checks.inert),
        Case("combining marks", named(odd.NAMES["combining marks"]), candidate=True, check=checks.inert),
        Case("200 characters", named("N" * 200), candidate=True, check=checks.inert),
    ),
)

SECTIONS = (
    ("Framing and transport", TRANSPORT),
    ("Header and structure", HEADER),
    ("Content: people and visits", PEOPLE),
    ("Content: results", RESULTS),
)
ROWS = tuple(row for _, rows in SECTIONS for row in rows)
