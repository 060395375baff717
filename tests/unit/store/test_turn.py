"""One writer at a time: who waits goes first, and who may not wait is told so."""

import threading
import time

from adapter.store.pace import QUICK_SECONDS, Pace
from adapter.store.turn import Turn


def test_who_may_not_wait_is_refused_while_somebody_has_it_or_waits() -> None:
    turn = Turn()
    assert turn.take(wait=False)
    assert not turn.take(wait=False)
    waits = threading.Thread(target=turn.take)
    waits.start()
    while not turn._turnstile.locked():
        time.sleep(0.001)
    turn.leave()
    waits.join()
    assert not turn.take(wait=False)
    turn.leave()
    assert turn.take(wait=False)


def test_who_waits_goes_before_who_just_let_go() -> None:
    turn, order = Turn(), []

    def other() -> None:
        turn.take()
        order.append("who waited")
        turn.leave()

    turn.take()
    waits = threading.Thread(target=other)
    waits.start()
    while not turn._turnstile.locked():
        time.sleep(0.001)
    turn.leave()
    turn.take()
    order.append("who let go")
    turn.leave()
    waits.join()
    assert order == ["who waited", "who let go"]


def test_a_disk_is_slow_until_it_was_quick_for_a_while() -> None:
    pace = Pace()
    assert pace.quick
    with pace:
        time.sleep(20 * QUICK_SECONDS)
    assert not pace.quick
    for _ in range(2):
        with pace:
            pass
    assert not pace.quick, "one good commit proves nothing"
    for _ in range(30):
        with pace:
            pass
    assert pace.quick
