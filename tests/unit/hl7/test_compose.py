from adapter.hl7 import compose


def test_a_segment_is_written_field_by_field_and_escaped() -> None:
    line = compose.segment("PID", "1", None, [("100", "", "", ("HOSP", "1.2", "ISO"), "MR"), "7"], "a|b&c")
    assert line == r"PID|1||100^^^HOSP&1.2&ISO^MR~7|a\F\b\T\c"


def test_the_header_starts_at_its_third_field() -> None:
    assert compose.segment("MSH", "LAB", None, "US") == r"MSH|^~\&|LAB||US"


def test_every_segment_ends_with_cr() -> None:
    assert compose.er7(["MSH|^~\\&|A", "PID|Ω"], "iso8859-7") == b"MSH|^~\\&|A\rPID|\xd9\r"


def test_the_null_passes() -> None:
    assert compose.segment("OBX", '""') == 'OBX|""'
