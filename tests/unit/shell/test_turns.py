"""Turns of big frames, without sockets; with them, `tests/shell/test_mllp_server.py`."""

from dataclasses import dataclass, field

from adapter.sources.turns import BIG, Turns


@dataclass(eq=False)
class Guest:
    turns: Turns
    size: int = BIG + 1
    told: list[bool] = field(default_factory=list)

    def asks(self) -> bool:
        return self.turns.admits(self, self.size)

    def go_on(self) -> None:
        self.told.append(self.asks())


def test_small_frames_never_wait() -> None:
    turns = Turns(at_once=1)
    assert Guest(turns).asks()
    assert all(Guest(turns, BIG).asks() for _ in range(100))


def test_big_frames_go_in_the_order_of_asking() -> None:
    turns = Turns(at_once=2)
    one, two, three, four = (Guest(turns) for _ in range(4))
    assert [guest.asks() for guest in (one, two, three, four)] == [True, True, False, False]
    assert turns.waits(three)
    turns.leave(one)
    assert (three.told, four.told) == ([True], [])
    assert not turns.waits(three)
    two.size = 0
    assert two.asks()
    assert four.told == [True]
    assert not one.asks()


def test_who_leaves_while_waiting_takes_nobodys_turn() -> None:
    turns = Turns(at_once=1)
    one, two, three = (Guest(turns) for _ in range(3))
    assert [guest.asks() for guest in (one, two, three)] == [True, False, False]
    turns.leave(two)
    turns.leave(one)
    assert (two.told, three.told) == ([], [True])


def test_asking_again_keeps_ones_place() -> None:
    turns = Turns(at_once=1)
    one, two, three = (Guest(turns) for _ in range(3))
    assert [guest.asks() for guest in (one, two, three, two, one)] == [True, False, False, False, True]
    turns.leave(one)
    assert (two.told, three.told) == ([True], [])
