"""What an answer does to a candidate: it fits, it stops, or it is open."""


def effect(kind: str, answer: str) -> str:
    """A met inclusion and an exclusion that is not met fit; their opposites stop; unknown is open, never passed."""
    if answer not in {"met", "not-met"}:
        return "open"
    return "fits" if (answer == "met") == (kind == "inclusion") else "stops"
