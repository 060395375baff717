"""A trial that flags unlike before is an alarm, of a store as it is (P12)."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert

from adapter import telemetry
from adapter.daemon.trial_watch import LOOK_SECONDS, TrialWatch
from adapter.store.codec import instant
from adapter.store.schema import candidate_history
from tests.builders import T0, adt, obx, oru
from tests.walking import House, open_house

ORGANS = (
    obx("777-3", "40", "10*3/uL"),
    obx("2160-0", "2.9", "mg/dL"),
    obx("8478-0", "60", "mm[Hg]"),
    obx("2276-4", "9000", "ng/mL"),
)


@pytest.fixture
def house(each_store: str, tmp_path: Path) -> Iterator[House]:
    built = open_house(tmp_path)
    built.tell(adt("A01", cls="E", ward="ED", control="A1"), oru(*ORGANS, control="R1"))
    yield built
    built.database.close()


def raised(house: House, *lines: tuple[float, int]) -> None:
    """(days ago, message), in this order."""
    line = {"candidate": house.row.id, "kind": "raised", "verdict": "candidate", "text": "", "by": ""}
    with house.database.write() as tx:
        tx.execute(delete(candidate_history))
        for days, message in lines:
            at = instant(T0 - timedelta(days=days))
            tx.execute(insert(candidate_history), [line | {"message": message, "at": at}])


def looked(house: House, *trials: str) -> tuple[str, ...]:
    with house.database.read() as conn:
        return TrialWatch(trials, lambda: T0).alarms(conn)


def test_what_was_found_stands_until_the_next_look(house: House) -> None:
    raised(house, *daily(11, 1000))
    watch = TrialWatch(["immunosep-demo"], lambda: T0)
    for found in (("trial-silent",), ("trial-silent",), ()):
        with house.database.read() as conn:
            assert watch.alarms(conn) == found
        raised(house)
        watch._looked = watch._looked and watch._looked - LOOK_SECONDS / 2


def daily(last: int, gap: int) -> list[tuple[float, int]]:
    """Thirty flags, the last of them so many days ago; the newest message is the second."""
    return [(last + n, -gap * (last + n)) for n in reversed(range(30))]


def test_a_trial_that_flags_as_ever_is_no_alarm(house: House) -> None:
    raised(house, *daily(1, 1000))
    assert looked(house, "immunosep-demo") == ()


def test_a_trial_that_fell_silent_is_named_in_the_log_while_it_is_screened_for(house: House) -> None:
    stream = io.StringIO()
    telemetry.configure_log(stream)
    raised(house, *daily(11, 1000))
    assert looked(house, "immunosep-demo") == ("trial-silent",)
    assert '"trial": "immunosep-demo"' in stream.getvalue()
    assert looked(house, "another") == ()


def test_a_trial_that_storms_is_one_in_whatever_order_a_backlog_was_judged(house: House) -> None:
    storm = [(0.1, -100 + n) for n in range(20)]
    raised(house, *daily(1, 1000), *reversed(storm))
    assert looked(house, "immunosep-demo") == ("trial-storms",)
    raised(house, *daily(1, 1000), *reversed([(0.1, -1000 + 50 * n) for n in range(20)]))
    assert looked(house, "immunosep-demo") == ("trial-storms",)
    raised(house, *daily(25, 1000), *reversed([(0.1, -24000 + 1000 * n) for n in range(24)]))
    assert looked(house, "immunosep-demo") == (), "as many messages as ever: a backlog"
