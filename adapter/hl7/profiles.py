"""The acknowledgment profiles: for each sender's engine one row of what is refused, and what its manual says it does with that.

Decisions D; mllp-receiver 27. `docs/acknowledgment.md` is written from this table. What a profile does not name is accepted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from adapter.hl7.tables import ErrorCode


@dataclass(frozen=True, slots=True)
class Refusal:
    """A negative answer: E (these bytes will never do) or R (not supported here), its code in table 0357, and where."""

    letter: str
    error: ErrorCode
    location: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """`refusals` by reason code of the quarantine; the other texts say what this engine does with each kind of answer."""

    refusals: Mapping[str, Refusal]
    silence: str
    """… without any answer, which is what it gets when a message could not be stored."""
    error: str
    """… with AE or CE."""
    reject: str
    """… with AR or CR."""
    source: str
    minds_content: bool = False
    """Whether the whole message is read before it is answered, to refuse what we cannot use."""
    letters: frozenset[str] = frozenset({"A", "E", "R"})
    """Which answers this engine may ever hear."""


_LOST: Mapping[str, Refusal] = MappingProxyType(
    {"NO_MSH": Refusal("E", ErrorCode.SEGMENT_SEQUENCE, "MSH^1"), "TOO_BIG": Refusal("E", ErrorCode.INTERNAL)}
)
"""Not kept whole, so never accepted; and sent again it would be the same, so the sender is told to set it aside (E)."""
_STRICT: Mapping[str, Refusal] = MappingProxyType(
    {
        **_LOST,
        "HDR": Refusal("E", ErrorCode.REQUIRED_FIELD, "MSH^1^9"),
        "NO_CONTROL_ID": Refusal("E", ErrorCode.REQUIRED_FIELD, "MSH^1^10"),
        "DELIMS": Refusal("E", ErrorCode.DATA_TYPE, "MSH^1^2"),
        "TYPE": Refusal("R", ErrorCode.UNSUPPORTED_MESSAGE, "MSH^1^9"),
        "XML": Refusal("R", ErrorCode.UNSUPPORTED_MESSAGE),
        "EVENT": Refusal("R", ErrorCode.UNSUPPORTED_EVENT, "MSH^1^9"),
        "PROCID": Refusal("R", ErrorCode.UNSUPPORTED_PROCESSING_ID, "MSH^1^11"),
        "VERSION": Refusal("R", ErrorCode.UNSUPPORTED_VERSION, "MSH^1^12"),
        "NO_PATIENT": Refusal("E", ErrorCode.REQUIRED_FIELD, "PID^1^3"),
        "NO_MRG": Refusal("E", ErrorCode.SEGMENT_SEQUENCE, "MRG^1"),
        "SENDER": Refusal("R", ErrorCode.INTERNAL, "MSH^1^3"),
    }
)

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "generic": Profile(
            _LOST,
            silence="sends again after its own time-out",
            error="sets the message aside and goes on, or asks an operator",
            reject="sets the message aside, or sends it again",
            source="HL7 v2 chapter 2.9, table 0008",
            letters=frozenset({"A", "E"}),
        ),
        "mirth": Profile(
            _LOST,
            silence="queues and sends again (10 s; reply time-out 5 s)",
            error="marks the message ERROR, goes on with the next",
            reject="marks the message ERROR, goes on with the next",
            source="Mirth Connect / OIE source: TCP sender, HL7 v2 response validation",
            letters=frozenset({"A", "E"}),
        ),
        "intersystems": Profile(
            _LOST,
            silence="tries again, for ever where Failure Timeout is -1",
            error="suspends the message, goes on with the next",
            reject="**tries the same message again for ever: the feed stands still**",
            source="InterSystems: EnsLib.HL7.Operation.ReplyStandard, ReplyCodeActions `:?R=RF,:?E=S,:~=S,:?A=C,:*=S,:I?=W,:T?=C`",
            letters=frozenset({"A", "E"}),
        ),
        "rhapsody": Profile(
            _LOST,
            silence="by its tracking scheme; an answer whose MSA-2 does not match counts as none",
            error="by its tracking scheme: resend, stop, or error queue",
            reject="by its tracking scheme",
            source="Rhapsody manual: TCP Client, Message Tracking Schemes",
            letters=frozenset({"A", "E"}),
        ),
        "cloverleaf": Profile(
            _LOST,
            silence="sends again, by default for ever, one message at a time (5 to 30 s)",
            error="by the site's own Tcl procedure",
            reject="by the site's own Tcl procedure",
            source="Cloverleaf 2022.09 manual; its user forum",
            letters=frozenset({"A", "E"}),
        ),
        "strict": Profile(
            _STRICT,
            silence="sends again",
            error="shows the error to whoever connects the interface",
            reject="shows the error to whoever connects the interface",
            source="HL7 v2 chapter 2.9, tables 0008 and 0357; for onboarding and conformance tests",
            minds_content=True,
        ),
    }
)

SITUATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("unsupported type", ("TYPE",)),
    ("unsupported event", ("EVENT",)),
    ("unsupported version (MSH-12)", ("VERSION",)),
    ("wrong sender (MSH-3, MSH-4)", ("SENDER",)),
    ("processing id T, D, V or N (MSH-11), on a production port", ("PROCID",)),
    ("over the size limit", ("TOO_BIG",)),
    ("no header (MSH)", ("NO_MSH",)),
    ("unreadable header: no MSH-9", ("HDR",)),
    ("unreadable header: no MSH-10", ("NO_CONTROL_ID",)),
    ("unreadable header: separators (MSH-2)", ("DELIMS",)),
    ("unreadable content: HL7 XML", ("XML",)),
    ("unreadable content: UTF-16, broken character set", ("CHARSET",)),
    ("unusable content: no patient (PID-3)", ("NO_PATIENT",)),
    ("unusable content: merge without MRG", ("NO_MRG",)),
    ("unusable content: structure, sizes, continuation", ("STRUCT", "LIMIT", "CONTINUATION")),
)
"""The rows of the table, in the words of an operator, with the reason codes behind them."""
