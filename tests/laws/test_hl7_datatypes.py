from datetime import datetime, timedelta, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from adapter.hl7.datatypes import grouping_ambiguous, moment, number

ATHENS = ZoneInfo("Europe/Athens")
OFFSETS = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
NUMBERISH = st.text(st.sampled_from("0123456789.,+-<>=≤≥ eE_x٣４"), max_size=12)


@given(instant=st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=OFFSETS))  # noqa: DTZ001 - bounds
def test_a_time_with_its_zone_is_read_back_exactly(instant: datetime) -> None:
    read = moment(instant.strftime("%Y%m%d%H%M%S.%f%z"), ATHENS)
    assert read is not None
    assert (read.instant, read.zone_stated, read.flags) == (instant, True, ())


@given(instant=st.datetimes(datetime(1950, 1, 1), datetime(2037, 1, 1), timezones=st.just(ATHENS)))  # noqa: DTZ001 - bounds
def test_a_local_time_is_the_wall_clock_of_the_site_or_flagged(instant: datetime) -> None:
    read = moment(instant.strftime("%Y%m%d%H%M%S"), ATHENS)
    assert read is not None
    wall = read.instant.astimezone(ATHENS).replace(tzinfo=None, fold=0)
    assert wall == instant.replace(microsecond=0, tzinfo=None, fold=0) or read.flags == ("dst-gap",)
    assert (read.latest is not None) == (read.flags == ("dst-ambiguous",))


@given(text=st.one_of(st.text(max_size=30), st.from_regex(r"[0-9]{3,16}(\.[0-9]*)?([+-][0-9]{3,5})?", fullmatch=True)))
def test_no_text_makes_the_readers_raise(text: str) -> None:
    moment(text, ATHENS)
    number(text)
    grouping_ambiguous(text)


@given(
    units=st.integers(-(10**15), 10**15),
    places=st.integers(0, 12),
    comparator=st.sampled_from(["", "<", ">", "<=", ">="]),
)
def test_a_decimal_is_read_exactly(units: int, places: int, comparator: str) -> None:
    digits = f"{abs(units):0{places + 1}d}"
    text = digits[: len(digits) - places] + ("." + digits[len(digits) - places :] if places else "")
    read = number(f"{comparator}{'-' if units < 0 else ''}{text}")
    assert read is not None
    assert (read.value, read.comparator) == (Fraction(units, 10**places), comparator or None)


@given(text=NUMBERISH)
def test_only_plain_ascii_digits_are_a_number(text: str) -> None:
    if number(text) is not None:
        assert all(letter in "0123456789.+-<>=≤≥ " for letter in text)
        assert any(letter.isdigit() for letter in text)
