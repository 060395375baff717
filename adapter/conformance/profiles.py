"""What a receiver may be configured to answer (decisions D): the sender's engine decides what an answer does to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Profile:
    """`refuses`: content is refused with AE and AR; `never`: codes that stop this sender's feed."""

    name: str
    remark: str
    refuses: bool = False
    never: frozenset[str] = frozenset()


_PROFILES = (
    Profile("generic", "AA means stored, whatever the content; only what was not kept whole is refused."),
    Profile(
        "mirth",
        "Mirth Connect, Open Integration Engine: after AE, AR or another MSA-2 the message ends as ERROR and the next one "
        "goes; without an answer in 5 s it is queued and sent again. Connects for each message unless told otherwise.",
    ),
    Profile(
        "intersystems",
        "InterSystems (Ensemble, HealthShare): AR is sent again for ever and blocks the feed, AE suspends the message.",
        never=frozenset({"AR", "CR"}),
    ),
    Profile("rhapsody", "Rhapsody: AE and AR by tracking scheme; an answer whose MSA-2 differs is none."),
    Profile(
        "cloverleaf",
        "Cloverleaf: one message at a time; without an answer it is sent again, by default for ever.",
    ),
    Profile("strict", "For onboarding: content is refused with AE or AR and a code of table 0357.", refuses=True),
)
PROFILES: Mapping[str, Profile] = MappingProxyType({profile.name: profile for profile in _PROFILES})
