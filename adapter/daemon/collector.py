"""The collector of cycles, kept away from what is known of patients: that is much, lives long, and holds none.

Going through all of it stops every thread for half a second and more, and a feed that changes charts makes the interpreter
do so every ten seconds. What outlived a young collection is therefore set aside (`gc.freeze`): it goes as soon as nobody
refers to it, and is looked through for cycles only when `everything` is asked for.
"""

import gc

YOUNG, OLDER = 10_000, 5
"""Objects made before the youngest are looked through, and how often that is done before those that were left are as well."""


def wait_for_the_start() -> None:
    """Reading the program makes a hundred and fifty thousand objects that stay: a tenth of the start went into looking through them.

    Until `spare_what_is_known`.
    """
    gc.disable()


def spare_what_is_known() -> None:
    """For this process, from now on."""
    gc.set_threshold(YOUNG, OLDER)
    gc.callbacks.append(_set_aside)
    gc.freeze()
    gc.enable()


def everything() -> None:
    """All cycles there are; to be called now and then, because a page that was being drawn may have been set aside with its own."""
    gc.unfreeze()
    gc.collect()


def _set_aside(phase: str, told: dict[str, int]) -> None:
    if phase == "stop" and told["generation"] > 0:
        gc.freeze()
