"""All the cases, in the order in which they are played."""

from adapter.conformance import answering, connecting, contents, framing, heading, structure
from adapter.conformance.model import Case

GROUPS: tuple[tuple[str, tuple[Case, ...]], ...] = (
    ("The answer", answering.FORM),
    ("Which answer is asked for", answering.MODE),
    ("Speed", answering.SPEED),
    ("Frames and streams", framing.STREAM),
    ("Size", framing.SIZE),
    ("Connections", connecting.CONNECTIONS),
    ("TLS", connecting.TLS),
    ("Headers, repetition, character sets", heading.HEADER),
    ("Structure and escapes", structure.CASES),
    ("Content", contents.CASES),
)
CASES = tuple(case for _, cases in GROUPS for case in cases)
