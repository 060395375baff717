"""Wrong passwords are slowed down, by name and by address; nothing here outlives the process."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapter.web.passwords import PasswordCheck
from adapter.web.tongue import several

BY_NAME = 5
BY_ADDRESS = 50
"""More, because a whole ward may come by one address: a proxy, a shared computer."""
MOST_DOUBLINGS = 10
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
FORGET_AFTER = timedelta(hours=1)
REMEMBERED = 10_000
"""An attacker who invents names cannot make the table grow for ever."""


@dataclass(frozen=True, slots=True)
class Failures:
    count: int
    last: datetime


class Attempts:
    """After `free` wrong tries each further one doubles the wait, up to a quarter of an hour."""

    def __init__(self, free: int) -> None:
        self._free = free
        self._failures: OrderedDict[str, Failures] = OrderedDict()

    def failed(self, key: str, now: datetime) -> None:
        before = self._fresh(key, now)
        self._failures[key] = Failures(before.count + 1, now) if before else Failures(1, now)
        self._failures.move_to_end(key)
        while len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        self._failures.pop(key, None)

    def wait(self, key: str, now: datetime) -> timedelta:
        """How long until another try is looked at; zero when it may be tried now."""
        failures = self._fresh(key, now)
        if failures is None or failures.count < self._free:
            return timedelta(0)
        doubled = FIRST_WAIT * (1 << min(failures.count - self._free, MOST_DOUBLINGS))
        return max(timedelta(0), failures.last + min(doubled, LONGEST_WAIT) - now)

    def _fresh(self, key: str, now: datetime) -> Failures | None:
        failures = self._failures.get(key)
        if failures is None or now - failures.last > FORGET_AFTER:
            return None
        return failures


class Door:
    """What signing in remembers between two tries."""

    def __init__(self) -> None:
        self.names = Attempts(BY_NAME)
        self.addresses = Attempts(BY_ADDRESS)
        self.check = PasswordCheck()

    def wait(self, name: str, address: str, now: datetime) -> timedelta:
        return max(self.names.wait(name, now), self.addresses.wait(address, now))


def too_many(seconds: int) -> str:
    """What is said to whoever has to wait."""
    return several("Too many tries. Wait %(number)s second.", "Too many tries. Wait %(number)s seconds.", seconds)
