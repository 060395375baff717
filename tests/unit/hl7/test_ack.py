from datetime import UTC, datetime

import pytest

from adapter.hl7 import er7
from adapter.hl7.ack import REFUSALS, Acknowledgment, AckPolicy, build, judge
from adapter.hl7.compose import er7 as composed
from adapter.hl7.compose import segment

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
GENERIC, STRICT = AckPolicy(), AckPolicy("strict")


Kind = str | tuple[str, ...]


def message(
    kind: Kind = ("ORU", "R01", "ORU_R01"),
    control_id: str = "42",
    version: str = "2.5.1",
    modes: tuple[str | None, str | None] = (None, None),
    processing: str = "P",
) -> er7.Message:
    header = segment(
        "MSH", ("LAB", "1.2.3", "ISO"), "HOSP", "ADAPTER", ("TRIAL", "9"), "20260102", None, kind, control_id, processing, version,
        None, None, *modes,
    )  # fmt: skip
    return er7.parse(composed([header, segment("PID", "1", None, "SECRET", None, ("SECRETNAME",))]))


def answer(received: er7.Message | None, ack: Acknowledgment) -> bytes:
    return build(received, ack, control_id="ours-1", now=NOW)


@pytest.mark.parametrize(
    ("accept", "application", "code"),
    [
        (None, None, "AA"),
        (None, "AL", "AA"),
        (None, "NE", "AA"),
        ("NE", "AL", "AA"),
        ("NE", "SU", "AA"),
        ("NE", "ER", None),
        ("NE", "NE", None),
        ("NE", None, None),
        ("AL", None, "CA"),
        ("AL", "AL", "CA"),
        ("SU", None, "CA"),
        ("ER", None, None),
        ("yes", None, "AA"),
    ],
)
def test_a_stored_message_is_accepted_in_the_mode_its_header_asks_for(
    accept: str | None, application: str | None, code: str | None
) -> None:
    assert judge(message(modes=(accept, application)), GENERIC).code == code


@pytest.mark.parametrize(
    ("accept", "application", "code"),
    [
        (None, None, "AE"),
        ("AL", None, "CE"),
        ("ER", None, "CE"),
        ("SU", None, None),
        ("NE", "AL", "AE"),
        ("NE", "ER", "AE"),
        ("NE", "SU", None),
    ],
)
def test_an_oversize_message_is_refused_in_the_mode_its_header_asks_for(
    accept: str | None, application: str | None, code: str | None
) -> None:
    assert judge(message(modes=(accept, application)), GENERIC, problem="TOO_BIG").code == code


def test_no_header_is_an_error_100_and_too_big_a_207() -> None:
    assert (judge(None, GENERIC).code, judge(None, GENERIC, problem="NO_MSH").error) == ("AE", "100")
    assert judge(None, GENERIC, problem="TOO_BIG").error == "207"


@pytest.mark.parametrize(
    "received",
    [
        message(kind="ORU"),
        message(kind="SIU"),
        message(kind=""),
        message(control_id=""),
        message(processing="T"),
        message(version="9"),
    ],
)
@pytest.mark.parametrize("profile", [name for name in REFUSALS if name != "strict"])
def test_whatever_is_stored_is_accepted_by_every_profile_but_strict(received: er7.Message | None, profile: str) -> None:
    assert judge(received, AckPolicy(profile)).code == "AA"


@pytest.mark.parametrize("problem", ["DELIMS", "CHARSET", "TYPE", "PROCID", "SENDER"])
def test_content_nobody_can_use_is_accepted(problem: str | None) -> None:
    assert judge(None, GENERIC, problem=problem).code == "AA"


@pytest.mark.parametrize(
    ("received", "problem", "expected"),
    [
        (message(control_id=""), None, ("AE", "101", "MSH^1^10")),
        (message(kind=""), None, ("AE", "101", "MSH^1^9")),
        (message(processing="T"), None, ("AR", "202", "MSH^1^11")),
        (message(kind="SIU"), "TYPE", ("AR", "200", "MSH^1^9")),
        (message(modes=("AL", None)), "EVENT", ("CR", "201", "MSH^1^9")),
        (None, "DELIMS", ("AE", "102", "MSH^1^2")),
    ],
)
def test_the_strict_profile_refuses_by_table_0357(
    received: er7.Message | None, problem: str | None, expected: tuple[str, str, str]
) -> None:
    ack = judge(received, STRICT, problem=problem)
    assert (ack.code, ack.error, ack.location) == expected


@pytest.mark.parametrize("letter", list("TDVN"))
def test_only_a_production_port_refuses_test_messages(letter: str) -> None:
    onboarding = AckPolicy("strict", production=False)
    assert judge(message(processing=letter), STRICT).code == "AR"
    assert judge(message(processing=letter), onboarding).code == "AA"
    assert judge(message(processing="X"), onboarding).code == "AR"


def test_intersystems_never_hears_a_reject() -> None:
    assert "R" not in {refusal.letter for refusal in REFUSALS["intersystems"].values()}


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="use one of generic, mirth"):
        AckPolicy("generik")


def test_an_acknowledgment_is_never_acknowledged() -> None:
    assert judge(message(kind=("ACK", "R01", "ACK")), GENERIC).code is None
    query = er7.parse(composed([segment("MSH", "A"), segment("MSA", "AA", "1")]))
    assert judge(query, GENERIC, problem="TOO_BIG").code is None
    assert answer(query, judge(query, GENERIC)) == b""


def test_the_answer_turns_the_addresses_round_and_copies_the_control_id() -> None:
    received = message(control_id="Case\\T\\42 ")
    raw = received.header.raw(10).encode()
    assert answer(received, judge(received, GENERIC)) == (
        b"MSH|^~\\&|ADAPTER|TRIAL^9|LAB^1.2.3^ISO|HOSP|20260102030405+0000||ACK^R01^ACK|ours-1|P|2.5.1\rMSA|AA|"
        + raw
        + b"\r"
    )


def test_the_answer_uses_the_separators_of_the_message() -> None:
    received = er7.parse(b"MSH#$*@!#LAB#HOSP#US#HERE###ORU$R01#9#T#2.6\r")
    assert answer(received, judge(received, GENERIC)) == (
        b"MSH#$*@!#US#HERE#LAB#HOSP#20260102030405+0000##ACK$R01$ACK#ours-1#T#2.6\rMSA#AA#9\r"
    )


@pytest.mark.parametrize(
    ("version", "kind", "expected"),
    [
        ("2.2", ("ORU", "R01"), "ACK"),
        ("2.3", ("ORU", "R01"), "ACK^R01"),
        ("2.3.1", "ORU", "ACK"),
        ("2.4", ("ORU", "R01"), "ACK^R01^ACK"),
        ("", ("ORU", "R01"), "ACK^R01^ACK"),
        ("2.8", "ORU", "ACK^^ACK"),
        ("2.5", ("ORU", "R|1"), "ACK^^ACK"),
    ],
)
def test_the_type_of_the_answer_follows_the_version(version: str, kind: Kind, expected: str) -> None:
    received = message(version=version, kind=kind)
    assert er7.parse(answer(received, judge(received, GENERIC))).header.raw(9) == expected


def test_the_character_set_is_echoed_and_the_bytes_are_the_senders() -> None:
    received = er7.parse("MSH|^~\\&|ΕΡΓ|||||||Ω1|P|2.5||||||8859/7\r".encode("iso8859-7"))
    sent = answer(received, judge(received, GENERIC))
    assert er7.parse(sent).header.text(18) == "8859/7"
    assert b"MSA|AA|" + "Ω1".encode("iso8859-7") + b"\r" in sent


def test_bytes_that_do_not_decode_are_echoed_all_the_same() -> None:
    received = er7.parse(b"MSH|^~\\&|||||||ORU^R01|\xff\xfe|P|2.5\r")
    assert b"MSA|AA|\xff\xfe\r" in answer(received, judge(received, GENERIC))


def test_a_control_id_that_ends_with_fs_cannot_end_our_frame() -> None:
    received = er7.parse(b"MSH|^~\\&|||||||ORU^R01|9\x1c|P|2.5\r")
    assert b"\x1c\r" not in answer(received, judge(received, GENERIC))


def test_a_refusal_names_the_error_where_the_version_keeps_it() -> None:
    new = answer(message(), judge(message(), GENERIC, problem="TOO_BIG"))
    assert new.endswith(
        b"MSA|AE|42|Application internal error\rERR|||207^Application internal error^HL70357|E||||Application internal error\r"
    )
    old = message(version="2.4", control_id="")
    assert answer(old, judge(old, STRICT)).endswith(b"ERR|MSH^1^10^101&Required field missing&HL70357\r")
    ancient = message(version="2.3")
    assert b"\rERR|^^^207&" in answer(ancient, judge(ancient, GENERIC, problem="TOO_BIG"))


def test_a_message_without_header_gets_a_whole_answer_with_an_empty_msa_2() -> None:
    assert answer(None, judge(None, GENERIC)) == (
        b"MSH|^~\\&|||||20260102030405+0000||ACK^^ACK|ours-1|P|2.5.1\rMSA|AE||Segment sequence error\r"
        b"ERR||MSH^1|100^Segment sequence error^HL70357|E||||Segment sequence error\r"
    )


def test_no_byte_of_the_patient_enters_the_answer() -> None:
    for problem in (None, "TOO_BIG", "PROCID"):
        assert b"SECRET" not in answer(message(), judge(message(), STRICT, problem=problem))


def test_a_header_that_ran_into_the_patient_gives_none_of_it_back() -> None:
    for head in ("9|P|2.5.1", "9|P|2.5.1PID|1||SECRET", "9|SECRET|SECRET", "9|P|2.5.1|||||", "9|P|2.5^SECRET"):
        received = er7.parse(f"MSH|^~\\&|LAB|||||||{head}|SECRET|SECRET|SECRET|SECRET|SECRET|SECRET\r".encode())
        sent = answer(received, judge(received, GENERIC))
        assert b"SECRET" not in sent
        assert b"MSA|AA|9\r" in sent


@pytest.mark.parametrize("last", range(2, 21))
def test_a_header_may_end_anywhere(last: int) -> None:
    said = {9: "ORU^R01", 10: "7", 11: "P", 12: "2.5.1", 18: "8859/1"}
    fields = [said.get(number, "") for number in range(3, last + 1)]
    sent = answer(er7.parse("|".join(["MSH", "^~\\&", *fields]).encode() + b"\r"), Acknowledgment("AA"))
    head = er7.parse(sent).header
    assert sent.endswith(b"\rMSA|AA|7\r" if last >= 10 else b"\rMSA|AA|\r")
    assert [head.raw(number) for number in range(13, 19)] == ["", "", "", "", "", said[18] if last >= 18 else ""]


@pytest.mark.parametrize(
    ("version", "error"),
    [
        ("2.6", b"ERR##MSH$1$11#202$Unsupported processing id$HL70357#E####Unsupported processing id\r"),
        ("2.4", b"ERR#MSH$1$11$202!Unsupported processing id!HL70357\r"),
    ],
)
def test_where_the_error_is_stands_in_the_separators_of_the_message(version: str, error: bytes) -> None:
    received = er7.parse(f"MSH#$*@!#LAB#HOSP#US#HERE###ORU$R01#9#T#{version}\r".encode())
    assert answer(received, judge(received, STRICT)).endswith(error)
