"""When to try again."""

from datetime import UTC, datetime, timedelta

import pytest

from adapter.errors import RejectedError, UnavailableError
from adapter.pipeline.retry import BUG_ATTEMPTS, LONGEST, after, retry_after

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def wait(attempts: int, error: Exception, key: str = "k") -> float:
    at = after(attempts, error, NOW, key=key)
    assert at is not None
    return (at - NOW).total_seconds()


def test_a_no_is_never_tried_again() -> None:
    assert after(1, RejectedError("no"), NOW) is None


def test_the_wait_doubles_with_jitter_and_has_a_cap_but_no_last_attempt() -> None:
    waits = [wait(n, UnavailableError("x")) for n in range(1, 30)]
    assert all(2**n / 2 <= w <= 2**n for n, w in enumerate(waits[:10], start=1))
    assert all(LONGEST / 2 <= w <= LONGEST for w in waits[12:])
    assert wait(10_000, UnavailableError("x")) <= LONGEST


def test_five_attempts_are_made_within_a_minute() -> None:
    assert sum(wait(n, UnavailableError("x")) for n in range(1, 5)) < 60


def test_the_peers_wish_is_a_floor_and_has_our_cap() -> None:
    assert wait(1, UnavailableError("x", retry_after=120)) == 120
    assert wait(1, UnavailableError("x", retry_after=10**9)) == LONGEST


def test_subjects_do_not_come_back_in_step() -> None:
    assert len({wait(5, UnavailableError("x"), key=str(n)) for n in range(50)}) == 50


def test_a_bug_is_tried_three_times() -> None:
    assert after(BUG_ATTEMPTS - 1, KeyError("x"), NOW) is not None
    assert after(BUG_ATTEMPTS, KeyError("x"), NOW) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 5 ", 5),
        ("999999999", LONGEST),
        ("Fri, 02 Jan 2026 00:01:00 GMT", 60),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 0),
        ("Fri, 02 Jan 2099 00:00:00 GMT", LONGEST),
        ("soon", None),
        ("-5", None),
        ("١٢", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


def test_a_later_attempt_never_lies_in_the_past() -> None:
    assert after(1, UnavailableError("x", retry_after=-5), NOW) > NOW - timedelta(0)  # type: ignore[operator]
