import time

import pytest

from adapter.errors import MalformedMessageError
from adapter.hl7 import er7

HEADER = b"MSH|^~\\&|LAB|HOSP|ADAPTER|TRIAL|20260102||ORU^R01^ORU_R01|42|P|2.5.1\r"


def one(segment: bytes, header: bytes = HEADER) -> er7.Segment:
    return er7.parse(header + segment).segments[1]


def header(charset: str = "", marks: str = "|^~\\&") -> bytes:
    f = marks[0]
    return f"MSH{marks}{f}{f}{f}{f}{f}{f}{f}ORU{f}7{f}P{f}2.5{f}{f}{f}{f}{f}{f}{charset}\r".encode()


def test_the_header_counts_its_separator_as_its_first_field() -> None:
    msh = er7.parse(HEADER).header
    assert [msh.text(1), msh.text(2), msh.text(3), msh.text(9, 2), msh.text(10)] == ["|", "^~\\&", "LAB", "R01", "42"]
    assert msh.raw(2) == msh.whole(2) == "^~\\&"
    assert msh.repetitions(2) == 1
    assert msh.text(2, 2) == ""


def test_fields_components_subcomponents_and_repetitions_count_from_one() -> None:
    pid = one(b"PID|1||a&b^c~d^e&f^g")
    assert pid.text(3) == "a"
    assert pid.text(3, 1, 2) == "b"
    assert pid.text(3, 2) == "c"
    assert pid.text(3, 2, 2, 2) == "f"
    assert pid.text(3, 3, repetition=2) == "g"
    assert pid.repetitions(3) == 2
    assert pid.components(3, 2) == ("d", "e", "g")
    assert pid.whole(3) == "a&b^c"
    assert pid.raw(0) == "PID"


def test_every_way_of_reading_may_come_first() -> None:
    line = b"PID|1||a^b~c"
    assert one(line).raw(1) == "1"
    assert one(line).repetitions(3) == 2
    assert one(line).components(3, 2) == ("c",)
    assert one(line).whole(3, 1) == "a^b"
    assert one(line).wire_fields()[3] == b"a^b~c"


def test_what_is_absent_is_empty() -> None:
    pid = one(b"PID|1||x")
    assert (pid.text(3, 2), pid.text(3, 1, 2), pid.text(3, 1, 1, 2), pid.text(9), pid.raw(9)) == ("", "", "", "", "")
    assert (pid.repetitions(2), pid.repetitions(9), pid.components(2), pid.whole(2)) == (0, 0, (), "")


def test_a_segment_of_only_separators_is_all_empty() -> None:
    assert [one(b"PID||||").text(field) for field in range(1, 6)] == [""] * 5


def test_the_null_keeps_its_quotes_and_differs_from_empty() -> None:
    obx = one(b'OBX|1|NM|||""|')
    assert (obx.text(5), obx.text(6)) == ('""', "")


def test_escapes_are_decoded_after_splitting() -> None:
    obx = one(b"OBX|1|ST|x||a\\S\\b^c\\T\\d\\X0D\\PID\\F\\1")
    assert obx.text(5) == "a^b"
    assert obx.text(5, 2) == "c&d\rPID|1"
    assert obx.components(5) == ("a^b", "c&d\rPID|1")
    assert obx.raw(5) == "a\\S\\b^c\\T\\d\\X0D\\PID\\F\\1"


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_segments_end_with_cr_lf_or_both(end: bytes) -> None:
    payload = end.join([b"MSH|^~\\&|A", b"PID|1", b"PV1|1|I", b""])
    message = er7.parse(payload)
    assert [segment.name for segment in message.segments] == ["MSH", "PID", "PV1"]
    assert message.print() == payload


def test_a_line_feed_inside_a_text_is_data_where_segments_end_with_cr() -> None:
    obx = one(b"OBX|1|TX|note||line one\nline two||\rOBX|2|NM")
    assert obx.text(5) == "line one\nline two"


def test_a_stray_line_feed_before_a_segment_still_ends_the_one_before() -> None:
    message = er7.parse(HEADER + b"PID|1\nPV1|1|I\r")
    assert [segment.name for segment in message.segments] == ["MSH", "PID", "PV1"]


def test_the_last_segment_needs_no_end() -> None:
    assert er7.parse(HEADER + b"PID|1|x").segments[1].text(2) == "x"


def test_empty_lines_and_filling_are_no_segments_but_are_printed() -> None:
    payload = HEADER + b"\r\rPID|1\r\x00\x0c\r  \r"
    message = er7.parse(payload)
    assert [segment.name for segment in message.segments] == ["MSH", "PID"]
    assert message.print() == payload
    assert "nul" in message.issues


def test_separators_come_from_the_message() -> None:
    payload = b"MSH#$*@!#LAB#HOSP#####ORU$R01#9\rPID#1##a!b$c@F@d*e\r"
    message = er7.parse(payload)
    pid = message.segments[1]
    assert message.header.text(9, 2) == "R01"
    assert (pid.text(3, 1, 2), pid.text(3, 2), pid.text(3, repetition=2)) == ("b", "c#d", "e")


def test_the_fifth_encoding_character_of_version_2_7_is_read() -> None:
    message = er7.parse(header(marks="|^~\\&#"))
    assert message.delimiters.truncation == "#"
    assert message.header.text(10) == "7"


@pytest.mark.parametrize("payload", [b"", b"PID|1", b"\r\n", b"HELLO", b"FHS|^~\\&\rBTS|0\r"])
def test_no_header_is_the_one_thing_refused(payload: bytes) -> None:
    with pytest.raises(MalformedMessageError) as caught:
        er7.parse(payload)
    assert caught.value.code == "NO_MSH"
    assert er7.headline(payload) is None


def test_xml_is_told_apart_and_never_parsed() -> None:
    with pytest.raises(MalformedMessageError) as caught:
        er7.parse(b'<?xml version="1.0"?><ORU_R01/>')
    assert caught.value.code == "XML"


@pytest.mark.parametrize(
    "start",
    [b"MSH", b"MSH|", b"MSH||", b"MSH|^~|", b"MSH|^~^&|", b"MSH|^~\\|", b"MSHA^~\\&A", b"MSH|abcd|", b"MSH|^~\\&&&|"],
)
def test_unusable_separators_are_refused_by_name(start: bytes) -> None:
    with pytest.raises(MalformedMessageError) as caught:
        er7.parse(start + b"LAB|HOSP\r")
    assert caught.value.code == "DELIMS"


def test_the_headline_of_a_message_with_unusable_separators_can_still_be_answered() -> None:
    message = er7.headline(b"MSH|^~|LAB|HOSP|||||ORU^R01|77|P|2.5\rPID|1\r")
    assert message is not None
    assert (message.header.text(10), len(message.segments)) == ("77", 1)
    assert er7.headline(b"MSHXYZ") is None


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_by_name(codec: str) -> None:
    with pytest.raises(MalformedMessageError) as caught:
        er7.parse(HEADER.decode().encode(codec))
    assert caught.value.code == "CHARSET"


def test_a_byte_order_mark_is_flagged_and_printed() -> None:
    payload = b"\xef\xbb\xbf" + HEADER
    message = er7.parse(payload)
    assert "bom" in message.issues
    assert message.print() == payload
    assert message.header.text(3) == "LAB"


def test_a_byte_order_mark_says_utf_8_where_msh_18_is_silent() -> None:
    message = er7.parse(b"\xef\xbb\xbf" + HEADER + "PID|1||||Παπάς".encode(), "iso8859-7")
    assert (message.segments[1].text(5), message.charset, message.issues) == ("Παπάς", "utf-8", ("bom",))
    assert er7.parse(b"\xef\xbb\xbf" + header("ASCII")).issues == ("bom",)


def test_blanks_before_the_header_are_flagged() -> None:
    assert er7.parse(b"\r\n " + HEADER).issues == ("lead",)


@pytest.mark.parametrize(
    ("stated", "codec", "text"),
    [
        ("8859/7", "iso8859-7", "Παπαδόπουλος"),
        ("8859/1", "iso8859-1", "Müller"),
        ("UNICODE UTF-8", "utf-8", "Γιώργος"),
        ("~ISOIR87", "iso2022_jp_ext", "山田"),
    ],
)
def test_msh_18_names_the_character_set(stated: str, codec: str, text: str) -> None:
    payload = header(stated) + b"PID|1||||" + text.encode(codec) + b"^x\r"
    message = er7.parse(payload)
    assert message.segments[1].text(5) == text
    assert (message.charset, message.issues) == (codec, ())
    assert message.print() == payload


def test_where_msh_18_is_silent_the_site_decides() -> None:
    message = er7.parse(HEADER + "PID|1||||Παπάς".encode("iso8859-7"), "iso8859-7")
    assert (message.segments[1].text(5), message.charset) == ("Παπάς", "iso8859-7")


def test_bytes_that_do_not_decode_survive_and_are_flagged() -> None:
    payload = header("UNICODE UTF-8") + b"PID|1||||M\xfcller\r"
    message = er7.parse(payload)
    assert message.segments[1].text(5) == "M\udcfcller"
    assert message.issues == ("charset-replaced",)
    assert message.print() == payload


def test_a_message_that_says_ascii_and_is_not_is_read_in_the_sites_set() -> None:
    message = er7.parse(header("ASCII") + b"PID|1||||M\xfcller\r", "iso8859-1")
    assert (message.segments[1].text(5), message.charset) == ("Müller", "iso8859-1")
    assert message.issues == ("charset-contradicted",)


def test_an_unknown_character_set_falls_back_to_the_site() -> None:
    message = er7.parse(header("KLINGON") + b"PID|1\r")
    assert (message.charset, message.issues) == ("utf-8", ("charset-unknown",))


def test_a_stateful_set_that_stumbles_never_raises() -> None:
    message = er7.parse(header("~ISO IR87") + b"PID|1||||\x1b$Z\xff\r")
    assert message.issues == ("charset-replaced",)
    assert message.segments[1].name == "PID"


def test_segments_are_found_by_name_in_document_order() -> None:
    message = er7.parse(HEADER + b"PID|1\rZZZ|?\rOBX|1\rNTE|1\rOBX|2\r")
    assert [segment.text(1) for segment in message.all("OBX")] == ["1", "2"]
    assert message.first("NK1") is None
    assert message.first("ZZZ") is message.segments[2]
    assert repr(message.header) == "Segment(MSH)"


def test_misnamed_segments_are_named() -> None:
    message = er7.parse(HEADER + b"PID|1\robx|1\rPV|1\rgarbage after the end")
    assert [segment.name for segment in message.misnamed] == ["obx", "PV", "garbage after the end"]


def test_a_line_of_text_is_no_segment_whatever_it_begins_with() -> None:
    message = er7.parse(HEADER + b"PID|1\rOBRight lung clear\rPIDX|1||other\rOBX|1\rPV||I")
    assert [segment.name for segment in message.segments[1:]] == ["PID", "OBRight lung clear", "PIDX", "OBX", "PV"]
    assert (message.all("OBR"), len(message.all("PID"))) == ((), 1)


def test_a_second_header_is_flagged() -> None:
    assert er7.parse(HEADER + b"PID|1\r" + HEADER).issues == ("second-header",)


def test_one_message_is_split_into_itself() -> None:
    for payload in (HEADER, HEADER + b"NTE|1||MSH is the header\r", b"PID|1\r", b""):
        assert er7.split(payload) == (payload,)
        assert not er7.is_batch(payload)


def test_a_batch_is_split_into_its_messages_without_its_envelope() -> None:
    batch = b"FHS|^~\\&\rBHS|^~\\&\r" + HEADER + b"PID|1\r" + HEADER + b"PID|2\rBTS|2\rFTS|1\r"
    assert er7.split(batch) == (HEADER + b"PID|1\r", HEADER + b"PID|2\r")
    assert er7.is_batch(batch)


def test_a_batch_of_one_and_a_batch_of_none() -> None:
    assert er7.split(b"BHS|^~\\&\r" + HEADER + b"BTS|1\r") == (HEADER,)
    assert er7.split(b"BHS|^~\\&\rBTS|0\r") == (b"BHS|^~\\&\rBTS|0\r",)
    assert er7.split(HEADER + b"BTS|1\r") == (HEADER,)


def test_two_headers_without_an_envelope_are_two_messages_and_no_batch() -> None:
    frame = HEADER.replace(b"\r", b"\n") + HEADER.replace(b"\r", b"\n") + b"PID|2\n"
    assert [er7.parse(part).print() for part in er7.split(frame)] == [frame[: len(HEADER)], frame[len(HEADER) :]]
    assert not er7.is_batch(frame)


def test_a_million_repetitions_are_read_in_a_blink() -> None:
    pid = one(b"PID|1||" + b"~" * 1_000_000)
    start = time.process_time()
    assert pid.repetitions(3) == 1_000_001
    assert [pid.text(3, repetition=number) for number in range(1, 2000)] == [""] * 1999
    assert pid.text(3, 500) == ""
    assert time.process_time() - start < 1


def test_segments_between_the_messages_of_a_batch_do_not_vanish() -> None:
    batch = b"FHS|^~\\&\r" + HEADER + b"PID|1\rBTS|1\rOBX|1|NM\rOBX|2|NM\rsome text\rFTS|1\r"
    assert er7.split(batch) == (HEADER + b"PID|1\r", b"OBX|1|NM\rOBX|2|NM\rsome text\r")
    assert er7.split(b"FHS|^~\\&\rOBX|1\r") == (b"FHS|^~\\&\rOBX|1\r",)
