"""Reading one field at a time: what each question answers of each kind of field, whichever other marks its segment holds."""

import pytest

from adapter.hl7 import er7

HEADER = b"MSH|^~\\&|LAB~LAB2|HOSP\r"


def pid(fields: str) -> er7.Segment:
    return er7.parse(HEADER + b"PID|" + fields.encode()).segments[1]


@pytest.mark.parametrize(
    ("field", "texts", "components", "whole"),
    [
        ("a^b c^d^e", ["a", "b c", "d", "e", ""], ("a", "b c", "d", "e"), "a^b c^d^e"),
        ("a&s^b&t", ["a", "b", ""], ("a", "b"), "a&s^b&t"),
        ("a^b~c^d", ["a", "b", ""], ("a", "b"), "a^b"),
        ("a\\T\\b^c\\S\\d", ["a&b", "c^d", ""], ("a&b", "c^d"), "a&b^c^d"),
        ("a^^", ["a", "", "", ""], ("a", "", ""), "a^^"),
    ],
)
@pytest.mark.parametrize("others", ["", "&", "~", "\\E\\"])
def test_a_field_reads_the_same_beside_any_other(
    field: str, texts: list[str], components: tuple[str, ...], whole: str, others: str
) -> None:
    segment = pid(f"{others}|{field}|{others}")
    assert [segment.text(2, number) for number in range(1, len(texts) + 1)] == texts
    assert (segment.components(2), segment.whole(2)) == (components, whole)


def test_what_is_given_once_has_no_second_repetition() -> None:
    segment = pid("1|a^b")
    assert (segment.components(2, 2), segment.whole(2, 2), segment.text(2, 1, 1, 2)) == ((), "", "")


@pytest.mark.parametrize("field", ["a", "a^b", "a&b^c", "a~b"])
def test_nothing_stands_before_the_first(field: str) -> None:
    segment = pid(f"1|{field}")
    assert (segment.text(2, 0), segment.text(2, 1, 0), segment.text(2, repetition=0)) == ("", "", "")
    assert (segment.components(2, 0), segment.whole(2, 0)) == ((), "")


def test_only_the_separators_of_a_header_are_read_as_they_stand() -> None:
    header = er7.parse(HEADER).header
    assert [header.repetitions(field) for field in (1, 2, 3, 4)] == [1, 1, 2, 1]
    assert (header.text(3, repetition=2), header.whole(3, 2), header.components(3, 2)) == ("LAB2", "LAB2", ("LAB2",))


def test_the_bytes_of_a_header_have_the_numbers_of_its_fields() -> None:
    assert er7.parse(HEADER).header.wire_fields() == [b"MSH", b"|", b"^~\\&", b"LAB~LAB2", b"HOSP"]


@pytest.mark.parametrize(
    ("line", "name"),
    [("|AB|1", ""), ("P|1", "P"), (" PID|1", " PID"), ("\tPID|1", "\tPID"), ("PID", "PID"), ("PIDX|1|", "PIDX")],
)
def test_a_segments_name_ends_at_its_first_separator_and_no_line_of_text_is_lost(line: str, name: str) -> None:
    assert [segment.name for segment in er7.parse(HEADER + line.encode()).segments] == ["MSH", name]


def test_the_headline_is_the_header_and_nothing_else() -> None:
    found = er7.headline(HEADER + b"PID|1\r")
    assert found is not None
    assert (found.print(), found.issues, found.charset) == (HEADER.rstrip(b"\r"), (), "utf-8")
