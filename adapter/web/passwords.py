"""Argon2id hashes, and the few rules a password must keep."""

import asyncio
from functools import cache

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher
from starlette.concurrency import run_in_threadpool

from adapter.web.tongue import say

SHORTEST = 12
LONGEST = 256
MEMORY_KIB = 19_456
"""OWASP's smallest memory for Argon2id (19 MiB, 2 passes): several sign-ins at once fit the daemon's budget."""
PASSES = 2
AT_ONCE = 2


@cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1),))


@cache
def _decoy() -> str:
    return hashed("a password nobody has")


def hashed(password: str) -> str:
    """The Argon2id hash to store."""
    return _hasher().hash(password)


def matches(password: str, stored: str | None) -> bool:
    """Takes as long for a name that does not exist, so that names cannot be found out."""
    try:
        right = _hasher().verify(password, stored or _decoy())
    except UnknownHashError:
        return False
    return right and stored is not None


class PasswordCheck:
    """`matches` off the event loop, two at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, password: str, stored: str | None) -> bool:
        async with self._turn:
            return await run_in_threadpool(matches, password, stored)


def weakness(password: str, name: str) -> str | None:
    """What is wrong with a new password, as an advice; None when it will do."""
    if len(password) < SHORTEST:
        return say(
            "Use at least %(number)s characters; a few words are easier to remember than signs.", number=SHORTEST
        )
    if len(password) > LONGEST:
        return say("Use at most %(number)s characters.", number=LONGEST)
    if name and name.casefold() in password.casefold():
        return say("Leave your name out of the password.")
    return None
