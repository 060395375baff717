"""Which bytes a message is written in: stated rightly, wrongly, not at all, with a mark, or each of two its own."""

import pytest

from adapter.domain.events import PatientDescribed
from adapter.screening.interpret import Interpretation, interpret
from tests.bedside import LONG_AFTER, rules
from tests.builders import obx, oru, raw

PLATELETS = obx("PLT", "98", "K/ul", system="L")
NAME = "Παπαδόπουλος"
GREEK, UTF8, LATIN = "iso8859-7", "utf-8", "iso8859-1"


def read(body: bytes, site: str = "attikon") -> Interpretation:
    return interpret(raw(body, site=site, received=LONG_AFTER), rules("immunosep-demo"), message_id="1")


def message(written: str, stated: str, *, control: str = "1") -> bytes:
    text = oru(PLATELETS, name=NAME, charset=stated, authority="ATTIKON", control=control, order=control)
    return text.decode().encode(written)


def names(seen: Interpretation) -> list[str]:
    return [event.demographics.get("family") for event in seen.events if isinstance(event, PatientDescribed)]


def odd(seen: Interpretation) -> set[str]:
    return {issue.code for issue in seen.issues if issue.code.startswith(("charset", "bom"))}


@pytest.mark.parametrize(
    ("written", "stated", "right", "issues"),
    [
        (GREEK, "8859/7", True, set()),
        (GREEK, "", True, set()),
        (GREEK, "ASCII", True, {"charset-contradicted"}),
        (GREEK, "KLINGON", True, {"charset-unknown"}),
        (GREEK, "UNICODE UTF-8", False, {"charset-replaced"}),
        (GREEK, "8859/1", False, set()),
        (UTF8, "UNICODE UTF-8", True, set()),
        (UTF8, "8859/7", False, {"charset-doubtful"}),
        (UTF8, "8859/1", False, {"charset-doubtful"}),
        (UTF8, "", False, {"charset-doubtful"}),
        (UTF8, "ASCII", False, {"charset-contradicted", "charset-doubtful"}),
    ],
)
def test_whatever_set_is_stated_the_result_is_used_and_what_can_be_seen_to_be_wrong_is_said(
    written: str, stated: str, right: bool, issues: set[str]
) -> None:
    seen = read(message(written, stated))
    assert seen.disposition == "applied"
    assert {bucket.value: count for bucket, count in seen.ledger.counts.items() if count} == {"used": 1}
    assert (names(seen) == [NAME]) is right
    assert odd(seen) == issues


@pytest.mark.parametrize("stated", ["", "UNICODE UTF-8", "8859/7"])
def test_a_byte_order_mark_is_read_over_and_said(stated: str) -> None:
    seen = read(b"\xef\xbb\xbf" + message(UTF8, stated))
    assert "bom" in odd(seen)
    assert (names(seen) == [NAME]) is (stated != "8859/7")
    assert seen.ledger.counts


def test_each_of_two_messages_in_a_frame_is_read_in_its_own_set() -> None:
    frame = message(GREEK, "8859/7") + message(UTF8, "UNICODE UTF-8", control="2")
    seen = read(frame)
    assert names(seen) == [NAME, NAME]
    assert odd(seen) == set()


def test_one_message_of_a_batch_in_the_wrong_set_spoils_no_other() -> None:
    batch = (
        b"\xef\xbb\xbfFHS|^~\\&\rBHS|^~\\&\r"
        + message(GREEK, "UNICODE UTF-8")
        + message(UTF8, "UNICODE UTF-8", control="2")
        + b"BTS|2\rFTS|1\r"
    )
    seen = read(batch)
    assert names(seen)[1] == NAME
    assert sum(seen.ledger.counts.values()) == 2
    assert odd(seen) == {"bom", "charset-replaced"}


def test_ordinary_texts_of_one_byte_a_letter_raise_no_doubt() -> None:
    for text, encoding, stated in (
        ("Daniëls", LATIN, "8859/1"),
        ("Müller-Gößmann", "cp1252", "WINDOWS-1252"),
        (NAME, GREEK, "8859/7"),
    ):
        body = oru(PLATELETS, name=text, charset=stated, authority="ATTIKON").decode().encode(encoding)
        assert "charset-doubtful" not in odd(read(body))
