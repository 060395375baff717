"""Whatever stands in the fields of a message, and whichever hospital sent it: interpreting it ends, and every OBX is counted."""

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from adapter import assets
from adapter.errors import MalformedMessageError
from adapter.hl7 import er7
from adapter.screening.interpret import OBX_LINE, interpret
from adapter.screening.rulebook import Rulebook
from tests.builders import raw
from tests.fuzz.mutate import CHARSETS, DELIMITERS, SPECIAL, TIMES

NAMES = st.sampled_from(
    [
        b"PID",
        b"PD1",
        b"PV1",
        b"ORC",
        b"OBR",
        b"OBX",
        b"NTE",
        b"SPM",
        b"MRG",
        b"EVN",
        b"DSC",
        b"ZZZ",
        b"obx",
        b"PIDX",
        b"OB",
        b"",
    ]
)
NASTY = st.one_of(
    st.sampled_from([*SPECIAL, *TIMES, *CHARSETS]),
    st.sampled_from(
        [
            b"777-3^^LN",
            b"98",
            b"10*3/uL",
            b"10^9/L",
            b"100^^^HOSP^MR",
            b"F",
            b"NM",
            b"SN",
            b">^100",
            b"98 K/uL",
            b"150-400 K/uL",
        ]
    ),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace")),
    st.binary(max_size=20),
)
FIELDS = st.lists(NASTY, max_size=26).map(b"|".join)
SEGMENT = st.builds(lambda name, fields: name + b"|" + fields, NAMES, FIELDS)
KINDS = st.sampled_from([b"ORU^R01", b"ADT^A01", b"ADT^A40", b"ADT^A08", b"ORU", b"SIU^S12", b"", b"ADT_A01"])
MARKS = st.one_of(st.just(b"|^~\\&"), st.just(b"|^~\\&"), st.sampled_from(DELIMITERS))
SITES = st.sampled_from(["generic", "attikon", "nl-example", "us-example"])
WHO = b"PID|1||100^^^HOSP^MR~7^^^ATTIKON^MR~8^^^NLZH^PI~9^^^GENHOSP^MR||DOE^JANE\r"


@cache
def rules() -> Rulebook:
    return assets.load_rulebook(None, trials=[])


def results_of(part: bytes, site: str) -> int:
    try:
        return len(er7.parse(part, rules().sites[site].encoding).all("OBX"))
    except MalformedMessageError:
        return len(OBX_LINE.findall(part))


@settings(max_examples=400)
@given(
    kind=KINDS,
    marks=MARKS,
    charset=st.sampled_from([b"", *CHARSETS]),
    segments=st.lists(SEGMENT, max_size=8),
    site=SITES,
)
def test_interpreting_ends_and_counts(
    kind: bytes, marks: bytes, charset: bytes, segments: list[bytes], site: str
) -> None:
    head = b"MSH" + marks + b"|LAB|HOSP|||20260102||" + kind + b"|C1|P|2.5||||||" + charset + b"\r"
    body = head + WHO + b"\r".join(segments)
    try:
        seen = interpret(raw(body, site=site), rules(), message_id="1")
    except MalformedMessageError:
        return
    assert seen.ledger.observations == sum(results_of(part, site) for part in er7.split(body))
    if er7.split(body) == (body,):
        assert (seen.disposition == "applied") == (seen.reason is None)
    assert seen.disposition in {"applied", "ignored", "quarantined"}
