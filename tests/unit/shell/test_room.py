"""Turns of big frames, without sockets; with them, `tests/shell/test_mllp_server.py`."""

from dataclasses import dataclass, field

from adapter.sources.room import BIG, Room


@dataclass(eq=False)
class Guest:
    room: Room
    size: int = BIG + 1
    told: list[bool] = field(default_factory=list)

    def asks(self) -> bool:
        return self.room.admits(self, self.size)

    def go_on(self) -> None:
        self.told.append(self.asks())


def test_small_frames_never_wait() -> None:
    room = Room(turns=1)
    assert Guest(room).asks()
    assert all(Guest(room, BIG).asks() for _ in range(100))


def test_big_frames_go_in_the_order_of_asking() -> None:
    room = Room(turns=2)
    one, two, three, four = (Guest(room) for _ in range(4))
    assert [guest.asks() for guest in (one, two, three, four)] == [True, True, False, False]
    assert room.waits(three)
    room.leave(one)
    assert (three.told, four.told) == ([True], [])
    assert not room.waits(three)
    two.size = 0
    assert two.asks()
    assert four.told == [True]
    assert not one.asks()


def test_who_leaves_while_waiting_takes_nobodys_turn() -> None:
    room = Room(turns=1)
    one, two, three = (Guest(room) for _ in range(3))
    assert [guest.asks() for guest in (one, two, three)] == [True, False, False]
    room.leave(two)
    room.leave(one)
    assert (two.told, three.told) == ([], [True])


def test_asking_again_keeps_ones_place() -> None:
    room = Room(turns=1)
    one, two, three = (Guest(room) for _ in range(3))
    assert [guest.asks() for guest in (one, two, three, two, one)] == [True, False, False, False, True]
    room.leave(one)
    assert (two.told, three.told) == ([True], [])
