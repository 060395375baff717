"""Big buffers go back to the system as soon as nobody needs them."""

import contextlib
import ctypes

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
