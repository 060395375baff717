"""Big buffers go back to the system as soon as nobody needs them, and the collector does not look at all that is known again and again."""

import asyncio
import contextlib
import ctypes
import gc

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
"""Of glibc's malloc.h."""
BIG = 512 * 1024
ARENAS = 2


def give_back_big_buffers() -> None:
    """Glibc keeps what a 16 MiB message left behind, for each thread, in the hope of another one (mallopt(3)); elsewhere
    nothing is changed.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, BIG)
        mallopt(M_ARENA_MAX, ARENAS)


SETTLE_SECONDS = 10
ALL_OF_IT = 360
"""Every so often, once an hour, everything is looked at: of what was in use while it was settled a circle may be left."""


async def settling() -> None:
    """What has lasted is taken out of the collector's sight, for ever: what is known of patients holds no circles, and to look
    through a million objects of it stops every thread for a second (1.2 s at 100 messages a second of 1,000 patients, twice
    a minute). Whatever nobody needs any more is freed as always.
    """
    turn = 0
    while True:
        await asyncio.sleep(SETTLE_SECONDS)
        turn += 1
        if turn % ALL_OF_IT == 0:
            gc.unfreeze()
        gc.collect()
        gc.freeze()
