"""Hours, days, and who is on call."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from adapter.alerting.hours import Hours, latest, read_clock, read_days, read_hours
from adapter.alerting.rota import Rota, Weekly, read_calendar, turns

ATHENS = ZoneInfo("Europe/Athens")
NIGHT = Hours(time(22), time(7))


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ATHENS).astimezone(UTC)


@pytest.mark.parametrize(
    ("clock", "quiet"), [("21:59", False), ("22:00", True), ("03:00", True), ("06:59", True), ("07:00", False)]
)
def test_quiet_hours_go_over_midnight_from_their_first_minute_until_before_their_last(clock: str, quiet: bool) -> None:
    assert NIGHT.covers(read_clock(clock)) is quiet
    assert read_hours("22:00-07:00") == NIGHT


@pytest.mark.parametrize("text", ["22-7", "25:00-07:00", "22:00", "24:30-01:00", "٢٢:00-07:00"])
def test_what_are_no_hours_is_refused_with_how_to_write_them(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        read_hours(text)


def test_no_hours_are_none() -> None:
    assert read_hours(" ") is None


def test_days_of_the_week_go_round() -> None:
    assert read_days("fri-mon") == {4, 5, 6, 0}
    assert read_days("Sat,sun") == {5, 6}
    assert len(read_days("daily")) == 7
    with pytest.raises(ValueError, match="mon-fri"):
        read_days("weekdays")


WEEK = (
    Weekly(read_days("mon-fri"), Hours(time(8), time(17)), ("anna", "bert")),
    Weekly(read_days("fri"), Hours(time(17), time(8)), ("carla",)),
    Weekly(read_days("sat,sun"), Hours(time(0), time(0)), ("bert", "anna")),
)


@pytest.mark.parametrize(
    ("moment", "who"),
    [
        ("2026-11-25 08:00", ("anna", "bert")),
        ("2026-11-25 17:00", ()),
        ("2026-11-27 17:00", ("carla",)),
        ("2026-11-28 07:59", ("carla",)),  # Friday's night goes on into Saturday
        ("2026-11-28 08:00", ("bert", "anna")),
        ("2026-11-30 07:59", ()),
    ],
)
def test_the_week_says_who_is_on_call_by_the_clock_on_the_wall(moment: str, who: tuple[str, ...]) -> None:
    assert Rota(ATHENS, WEEK).on_call(at(moment)) == who


def test_the_calendar_goes_before_the_week_and_its_later_lines_before_its_earlier() -> None:
    text = "from,until,who\n2026-12-24 08:00,2026-12-27 08:00,anna;bert\n2026-12-25 08:00,2026-12-26 08:00, carla\n"
    rota = Rota(ATHENS, WEEK, read_calendar(text, ATHENS, ("anna", "bert", "carla")))
    found = [rota.on_call(at(moment))[:1] for moment in ("2026-12-24 09:00", "2026-12-25 09:00", "2026-12-26 09:00")]
    assert found == [("anna",), ("carla",), ("anna",)]
    assert rota.on_call(at("2026-12-28 09:00")) == ("anna", "bert")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("from,to,who\n", "line 1"),
        ("from,until,who\n2026-12-24 08:00,2026-12-27 08:00,dora\n", "line 2: dora"),
        ("from,until,who\n2026-12-24 08:00,2026-12-27 08:00,\n", "line 2: nobody"),
        ("from,until,who\n24.12.2026,2026-12-27 08:00,anna\n", "line 2"),
        ("from,until,who\n2026-12-24 08:00,2026-12-24 08:00,anna\n", "before it begins"),
        ("from,until,who\n2026-12-24 08:00\n", "line 2"),
        ("from,until,who\n0001-01-01 00:00,2026-12-24 08:00,anna\n", "line 2: '0001-01-01 00:00'"),
        pytest.param(f"from,until,who\n{'x' * 200_000}\n", "line 2: this is no CSV", id="endless"),
    ],
)
def test_a_calendar_names_the_line_that_is_wrong(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_calendar(text, ATHENS, ("anna",))


def test_blanks_of_a_spreadsheet_are_no_part_of_a_calendar() -> None:
    text = "from, until , who\n2026-12-24 08:00, 2026-12-27 08:00 , anna; bert\n"
    (line,) = read_calendar(text, ATHENS, ("anna", "bert"))
    assert (line.start, line.who) == (at("2026-12-24 08:00"), ("anna", "bert"))


def test_turns_show_the_gaps() -> None:
    found = list(turns(Rota(ATHENS, WEEK), at("2026-11-27 08:00"), 3))
    assert [turn.who for turn in found] == [("anna", "bert"), ("carla",), ("bert", "anna"), ()]
    assert found[0].until == found[1].start == at("2026-11-27 17:00")
    assert found[-1].until == at("2026-11-30 08:00")
    odd = next(turns(Rota(ATHENS, WEEK), at("2026-11-27 08:07"), 3))
    assert (odd.start, odd.until) == (at("2026-11-27 08:07"), at("2026-11-27 17:00"))


def test_a_digest_time_is_a_time_on_the_wall_also_when_the_clock_changes() -> None:
    after = datetime(2026, 10, 25, 6, 0, tzinfo=UTC)  # 08:00 in Athens: the clock went back that night
    assert latest((time(7, 30),), after, ATHENS) == datetime(2026, 10, 25, 5, 30, tzinfo=UTC)
    assert latest((time(7, 30),), after - timedelta(days=1), ATHENS) == datetime(2026, 10, 24, 4, 30, tzinfo=UTC)
    early = after - timedelta(hours=1)
    assert latest((time(7, 30), time(7, 45)), early, ATHENS) == datetime(2026, 10, 24, 4, 45, tzinfo=UTC)
    assert latest((), after, ATHENS) is None
