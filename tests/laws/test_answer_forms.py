"""Law: an answer prepared by form is, byte for byte, the answer that judging and building the message gives."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from adapter.hl7.ack import AckPolicy
from adapter.hl7.mllp import Frame
from adapter.sources import envelope
from adapter.sources.envelope import Door, kept

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

words = st.text("AZaz09^~\\&- .|'\x1c\x0bé\x00", max_size=6)
triggers = st.sampled_from(["ORU^R01", "ORU^R01^ORU_R01", "ADT^A08", "ACK", "", "ORU", "ORU^é"])
conditions = st.sampled_from(["", "AL", "NE", "ER", "SU", "XX"])
charsets = st.sampled_from(["", "UNICODE UTF-8", "8859/7", "ASCII", "NONE~SUCH"])
tails = st.sampled_from(
    [
        "",
        "PID|1||1\r",
        "NTE|1||MSA said so\r",
        "NTE|1||MSH, BHS\r",
        "PID|1\nMSA|AA|1\r",
        "PID|1\nMSH|^~\\&|X\r",
        "PID|1\rMSA|AA|1\r",
        "PID|1\rMSH|^~\\&|X\r",
        "BTS|1\r",
        "\n",
    ]
)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    fields = [draw(words) for _ in range(4)]
    moment = draw(st.sampled_from(["20260102030405", "", "20260102030406+0100"]))
    head = ["MSH", "^~\\&", *fields, moment, "", draw(triggers), draw(words), draw(st.sampled_from(["P", "T", ""]))]
    more = [
        draw(st.sampled_from(["2.5.1", "2.3", "2.1", ""])),
        "",
        "",
        draw(conditions),
        draw(conditions),
        "",
        draw(charsets),
    ]
    return ("|".join(head + more) + "\r" + draw(tails)).encode("utf-8")


def door(profile: str) -> Door:
    return Door("lab", "generic", lambda: NOW, lambda: "OURS-1", policy=AckPolicy(profile))


@given(st.lists(messages(), min_size=1, max_size=4), st.sampled_from(["generic", "strict"]))
def test_the_short_way_and_the_long_way_give_the_same(bodies: list[bytes], profile: str) -> None:
    here = door(profile)
    for body in bodies:
        short = envelope._by_form(here, body, "10.0.0.1", NOW)
        if short is None:
            continue
        assert [short] == envelope._messages(here, body, "10.0.0.1", NOW)


def test_the_ordinary_message_takes_the_short_way_and_the_time_of_the_answer_moves_on() -> None:
    body = b"MSH|^~\\&|LAB|HOSP|A|T|20260102||ORU^R01|77|P|2.5.1\rPID|1\r"
    here = door("generic")
    (first,) = kept(here, Frame(body), "p")
    assert len(here.forms._known) == 1
    assert b"20260102030405" in first.acknowledgment
    later = replace(here, clock=lambda: NOW.replace(second=6))
    (second,) = kept(later, Frame(body.replace(b"|77|", b"|78|")), "p")
    assert b"20260102030406" in second.acknowledgment
    assert b"MSA|AA|78\r" in second.acknowledgment
