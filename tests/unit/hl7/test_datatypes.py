from datetime import UTC, datetime, timedelta, tzinfo
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from adapter.hl7 import er7
from adapter.hl7.datatypes import (
    Identifier,
    Number,
    grouping_ambiguous,
    identifier,
    identifiers,
    moment,
    number,
    structured_number,
)

ATHENS = ZoneInfo("Europe/Athens")


@pytest.mark.parametrize(
    ("text", "iso", "precision"),
    [
        ("2026", "2026-01-01T00:00:00+02:00", "year"),
        ("202607", "2026-07-01T00:00:00+03:00", "month"),
        ("20260704", "2026-07-04T00:00:00+03:00", "day"),
        ("2026070413", "2026-07-04T13:00:00+03:00", "hour"),
        ("202607041305", "2026-07-04T13:05:00+03:00", "minute"),
        ("20260704130509", "2026-07-04T13:05:09+03:00", "second"),
        ("20260704130509.1234", "2026-07-04T13:05:09.123400+03:00", "fraction"),
    ],
)
def test_a_time_keeps_its_precision_and_takes_the_zone_of_the_site(text: str, iso: str, precision: str) -> None:
    read = moment(text, ATHENS)
    assert (read.instant.isoformat(), read.precision, read.zone_stated, read.flags) == (iso, precision, False, ())


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("20260102030405-0500", "2026-01-02T03:04:05-05:00"),
        ("20260102030405+0000", "2026-01-02T03:04:05+00:00"),
        ("20260102+0530", "2026-01-02T00:00:00+05:30"),
        (" 202601020304+0100 ", "2026-01-02T03:04:00+01:00"),
    ],
)
def test_a_stated_zone_wins(text: str, iso: str) -> None:
    read = moment(text, ATHENS)
    assert (read.instant.isoformat(), read.iso, read.zone_stated) == (iso, iso, True)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            '""',
            "2026111",
            "20260229",
            "20261301",
            "20260100",
            "00000000",
            "2026010224",
            "202601020360",
            "20260102030461",
        ),
        *("2026-01-02", "20260102T0304", "20260102030405.", "20260102030405Z", "20260102030405+1", "202601020304+1500"),
        *(
            "202601020304+0175",
            "٢٠٢٦٠١٠٢",
            "20260102０３",
            "x",
            "20260102 0304",
            "000101010000+1400",
            "99991231235959-1200",
            "202601020304+0160",
            "X20260102",
            "\t20260102",
            "20260102\n",
        ),
    ],
)
def test_what_is_no_time_is_nothing(text: str) -> None:
    assert moment(text, ATHENS) is None


def test_a_zone_that_knows_no_offset_gives_no_time() -> None:
    class Nowhere(tzinfo):
        def utcoffset(self, moment: datetime | None) -> None:
            return None

    assert moment("2026", Nowhere()) is None


def test_a_leap_second_is_read_as_the_second_before() -> None:
    read = moment("20161231235960+0000", ATHENS)
    assert (read.instant.second, read.flags) == (59, ("leap-second",))


def test_an_hour_that_came_twice_keeps_the_first_instant_and_names_the_other() -> None:
    read = moment("202510260330", ATHENS)
    assert read.flags == ("dst-ambiguous",)
    assert read.instant == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    assert read.latest - read.instant == timedelta(hours=1)


def test_an_hour_that_never_was_is_shifted_forward() -> None:
    read = moment("202603290330", ATHENS)
    assert read.flags == ("dst-gap",)
    assert read.instant.isoformat() == "2026-03-29T04:30:00+03:00"


def test_differences_across_a_change_of_clocks_are_true_durations() -> None:
    before, after = moment("202510260100", ATHENS), moment("202510260500", ATHENS)
    assert after.instant - before.instant == timedelta(hours=5)


@pytest.mark.parametrize(
    ("text", "value", "comparator"),
    [
        ("4420", 4420, None),
        ("0.120", Fraction(3, 25), None),
        ("+5", 5, None),
        ("-2.5", Fraction(-5, 2), None),
        (".5", Fraction(1, 2), None),
        ("5.", 5, None),
        (" 7 ", 7, None),
        ("<0.5", Fraction(1, 2), "<"),
        ("> 7500", 7500, ">"),
        ("<=3", 3, "<="),
        (">=3", 3, ">="),
        ("=<3", 3, "<="),
        ("=3", 3, None),
        ("≤3", 3, "<="),
        ("≥3", 3, ">="),
        ("9" * 40, int("9" * 40), None),
    ],
)
def test_numbers_are_exact_and_keep_their_comparator(text: str, value: int | Fraction, comparator: str | None) -> None:
    assert number(text) == Number(Fraction(value), comparator)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            '""',
            ".",
            "+",
            "<",
            "NaN",
            "inf",
            "1e400",
            "1e3",
            "0x1F",
            "1_000",
            "٤٤٢٠",
            "４４２０",
            "1:40",
            "+++",
            "1/2",
        ),
        *(
            "haemolysed",
            "see note",
            "pending",
            "1,2",
            "4,420",
            "1,234.5",
            "5 mg",
            "5%",
            "1 000",
            "--5",
            "<>5",
            "9" * 41,
            "X5",
            "5X",
            "\t5",
            "5\n",
        ),
    ],
)
def test_what_is_no_number_is_nothing(text: str) -> None:
    assert number(text) is None


def test_a_decimal_comma_is_read_where_the_site_says_so() -> None:
    assert number("1,2", decimal=",") == Number(Fraction(6, 5))
    assert number("1.2", decimal=",") is None


@pytest.mark.parametrize("text", ["4.420", "4,420", ">4,420", "12.345", "-1,234"])
@pytest.mark.parametrize("decimal", [".", ","])
def test_one_mark_before_three_digits_may_be_thousands(text: str, decimal: str) -> None:
    assert grouping_ambiguous(text, decimal)


@pytest.mark.parametrize(
    "text", ["4420", "0.420", "4.42", "4.4200", "1234.567", "", "x", "1,234,567", "X4,420", "\t4,420", "< \t4,420"]
)
def test_other_numbers_have_one_reading(text: str) -> None:
    assert not grouping_ambiguous(text)


def test_several_groups_are_ambiguous_where_their_mark_is_the_decimal_one() -> None:
    assert grouping_ambiguous("1.234.567")
    assert grouping_ambiguous("1,234,567", ",")
    assert not grouping_ambiguous("1.234.567", ",")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("", "5"), Number(Fraction(5))),
        (("=", "5"), Number(Fraction(5))),
        ((">", "100", "", ""), Number(Fraction(100), ">")),
        (("<=", "2.5"), Number(Fraction(5, 2), "<=")),
        (("", "1", ":", "128"), None),
        (("", "10", "-", "20"), None),
        (("", "2", "+"), None),
        (("<>", "5"), None),
        ((">", "<5"), None),
        (("about", "5"), None),
        (("X", "5"), None),
        (("\t<", "5"), None),
        (("5",), None),
        ((), None),
    ],
)
def test_a_structured_number_is_a_number_only_when_it_says_one(parts: tuple[str, ...], expected: Number | None) -> None:
    assert structured_number(parts) == expected


def test_identifiers_carry_their_authority_and_type() -> None:
    pid = er7.parse(b"MSH|^~\\&|A\rPID|1||100^^^HOSP&1.2.3&ISO^MR~200^^^&1.2.4&ISO^SS~^^^X|\r").segments[1]
    assert identifiers(pid, 3) == (Identifier("100", "HOSP", "MR"), Identifier("200", "1.2.4", "SS"))
    assert identifier(pid, 9) == Identifier("")


def test_identifiers_are_those_that_are_given_each_once() -> None:
    pid = er7.parse(b"MSH|^~\\&|A\rPID|1||100^^^HOSP^MR~200^^^LAB^PI\r").segments[1]
    assert identifier(pid, 3) == Identifier("100", "HOSP", "MR")
    assert identifiers(pid, 3) == (Identifier("100", "HOSP", "MR"), Identifier("200", "LAB", "PI"))
