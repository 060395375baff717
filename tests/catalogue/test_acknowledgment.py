"""The table of acknowledgment profiles is the one that answers, and the page tells of it."""

from pathlib import Path

import pytest

from adapter.hl7.ack import REFUSALS, AckPolicy, build, judge
from adapter.hl7.er7 import parse
from adapter.hl7.mllp import Frame
from adapter.hl7.profiles import PROFILES, SITUATIONS
from adapter.hl7.tables import ERROR_TEXTS, ErrorCode
from adapter.mapping.hl7_message import READ
from adapter.sources.envelope import Door, kept
from adapter.sources.senders import Senders
from adapter.sources.strict import minded
from tests.catalogue import acknowledgment, bench
from tests.catalogue.cases import ROWS

PRODUCTION = [name for name in PROFILES if name != "strict"]
VERSIONS = ["2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.2"]


def test_the_page_is_the_tables() -> None:
    assert acknowledgment.PATH.read_text(encoding="utf-8") == acknowledgment.text(), (
        "run python -m tests.catalogue.acknowledgment"
    )


def test_no_profile_says_what_its_engine_may_not_hear() -> None:
    for name, profile in PROFILES.items():
        assert {one.letter for one in profile.refusals.values()} <= profile.letters, name
    assert all("R" not in PROFILES[name].letters for name in PRODUCTION)


def test_every_refusal_is_in_a_row_of_the_page_with_a_code_of_table_0357() -> None:
    shown = {code for _, codes in SITUATIONS for code in codes}
    for refusals in REFUSALS.values():
        assert refusals.keys() <= shown
        assert {one.error for one in refusals.values()} <= set(ERROR_TEXTS)


def test_only_what_was_not_kept_whole_is_refused_in_production() -> None:
    for name in PRODUCTION:
        assert PROFILES[name].refusals.keys() == {"NO_MSH", "TOO_BIG"}


CASES = [
    pytest.param(case, profile, id=f"{row.id} {profile}")
    for row in ROWS
    if row.id in {"H01", "H02", "H08", "H10", "H11", "H12", "H13", "H15", "H39", "M18", "C01", "C18"}
    for case in row.cases[:1]
    for profile in PRODUCTION
    if profile != "generic"
]


@pytest.mark.parametrize(("case", "profile"), CASES)
def test_every_production_profile_answers_on_the_wire_as_the_catalogue_says(
    case: bench.Case, profile: str, tmp_path: Path
) -> None:
    with bench.tried(case, tmp_path, profile=profile) as seen:
        spoken = [f"{bench.code(one)[0]} {bench.error(one)}".split()[:2] for one in seen.answers]
        assert spoken == [word.split() for word in case.wire]
        assert bench.lot(seen.bad) == list(case.lot)


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_is_answered_in_its_own_shape(version: str) -> None:
    message = parse(f"MSH|^~\\&|LAB|HOSP|C|D|20260102||ORU^R01|1|P|{version}\rPID|1||SECRET\r".encode())
    ack = judge(message, AckPolicy("strict"), problem="SENDER")
    said = build(message, ack, control_id="x", now=bench.NOW).decode().split("\r")
    kind = said[0].split("|")[8]
    assert kind == ("ACK" if version < "2.3" else "ACK^R01" if version < "2.4" else "ACK^R01^ACK")
    assert said[0].split("|")[11] == version
    err = said[2].split("|")
    if version < "2.5":
        assert err[1] == f"MSH^1^3^207&{ERROR_TEXTS[ErrorCode.INTERNAL]}&HL70357"
    else:
        assert (err[2], err[3], err[4]) == ("MSH^1^3", f"207^{ERROR_TEXTS[ErrorCode.INTERNAL]}^HL70357", "E")
    assert "SECRET" not in "".join(said)


@pytest.mark.parametrize(
    ("kind", "event"), [(kind, event) for kind, events in READ.items() for event in sorted(events)]
)
def test_strict_refuses_no_type_that_is_read(kind: str, event: str) -> None:
    body = f"MSH|^~\\&|LAB|HOSP|C|D|20260102||{kind}^{event}|7|P|2.5.1\rPID|1||1^^^HOSP^MR\rMRG|2\r"
    assert minded(body.encode(), "utf-8") is None


def sent(sender: str, *, profile: str = "generic", names: str = "LAB|HOSP") -> tuple[str | None, bytes]:
    door = Door(
        "lab", "generic", lambda: bench.NOW, lambda: "x", policy=AckPolicy(profile), senders=Senders(frozenset({names}))
    )
    (found,) = kept(door, Frame(f"MSH|^~\\&|{sender}|C|D|20260102||ORU^R01|7|P|2.5.1\rPID|1||1\r".encode()), "p")
    return found.quarantine, found.acknowledgment


@pytest.mark.parametrize("sender", ["LAB|HOSP", "LAB^1.2.3^ISO|HOSP^x"])
def test_a_known_sender_is_taken_with_or_without_the_components_of_its_name(sender: str) -> None:
    assert sent(sender)[0] is None


@pytest.mark.parametrize("sender", ["PHARMACY|HOSP", "LAB|", "|HOSP", "lab|HOSP", "HOSP|LAB", "|", "^LAB|HOSP"])
def test_another_sender_is_accepted_and_quarantined_and_strict_says_ar_207(sender: str) -> None:
    quarantine, answer = sent(sender)
    assert quarantine == "SENDER"
    assert b"MSA|AA|7\r" in answer
    assert b"MSA|AR|7|" in sent(sender, profile="strict")[1]
    assert b"|207^" in sent(sender, profile="strict")[1]


def test_a_name_with_components_asks_for_all_of_them() -> None:
    assert sent("LAB^1.2.3|HOSP", names="LAB^1.2.3|HOSP")[0] is None
    assert sent("LAB^9|HOSP", names="LAB^1.2.3|HOSP")[0] == "SENDER"
