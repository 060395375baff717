"""A store that hangs, or is away: a commit that waits for a standby which is gone, a look at everybody that is overdue."""

import asyncio
import time
from pathlib import Path

import pytest

from adapter.daemon.clock import utc_now
from adapter.daemon.hanging import Question
from adapter.daemon.health import SLOW, Pulse
from adapter.daemon.parts import open_parts
from adapter.daemon.running import BEAT_SECONDS, OVERDUE_SECONDS, Daemon
from adapter.settings import Settings, load_settings
from adapter.store.space import Marks, Space
from tests import stores
from tests.installation import Installation, until
from tests.postgres import Cluster, cluster


def standby(server: Cluster, name: str) -> None:
    with server.session() as conn:
        conn.execute("SET synchronous_commit = local")
        conn.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        conn.execute("SELECT pg_reload_conf()")


def test_a_commit_that_hangs_is_an_alarm_and_hangs_nobody_who_asks(tmp_path: Path) -> None:
    with cluster() as server, stores.using(server):
        database = stores.opened(tmp_path)
        pulse = Pulse(database, Space(tmp_path, Marks(0, 0, 0, 0)), utc_now)
        assert pulse.health().ready
        standby(server, "gone")
        try:
            until(lambda: pulse.refusals() == (SLOW,))
            for _ in range(3):
                began = time.monotonic()
                health = pulse.health()
                assert time.monotonic() - began < 5
                assert (health.live, health.ready, SLOW in health.codes) == (True, False, True)
        finally:
            standby(server, "")
        pulse.beat()
        until(lambda: not pulse.refusals())
        assert pulse.health().ready
        database.close()


def test_what_a_question_raises_is_raised_where_it_was_asked_and_it_is_asked_again() -> None:
    said = iter((1, 0))
    question = Question(lambda: 1 // next(said), 5.0)
    assert question.answer(7) == 1
    with pytest.raises(ZeroDivisionError):
        question.answer(7)
    with pytest.raises(StopIteration):
        question.answer(7)


def test_a_look_that_is_overdue_while_the_store_is_away_ends_no_daemon(tmp_path: Path) -> None:
    """The machine's clock was set back, so the scheduler waits; and the server goes away."""

    async def main(settings: Settings, server: Cluster) -> None:
        with open_parts(settings, utc_now) as parts:
            daemon = Daemon(parts)
            daemon._reviewed -= 2 * OVERDUE_SECONDS
            server.kill()
            beating = asyncio.create_task(daemon._beat())
            done, _ = await asyncio.wait([beating], timeout=3 * BEAT_SECONDS)
            assert not done, "it has ended"
            beating.cancel()
            await asyncio.to_thread(daemon.inbox.close)

    with cluster() as server, stores.using(server):
        place = Installation(tmp_path, "")
        asyncio.run(main(load_settings(place.config), server))
        server.start()
