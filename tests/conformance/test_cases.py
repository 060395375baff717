"""The cases themselves: enough of them, each with its rule, agreeing with the catalogue of bad input, told on one page."""

import re
from dataclasses import replace

import pytest

from adapter.conformance.cases import CASES
from adapter.conformance.judge import owed
from adapter.conformance.model import Case, Severity
from adapter.conformance.probe import AUTHORITY, PATIENT, Probe
from adapter.conformance.profiles import PROFILES
from adapter.conformance.rules import RULES, UNSEEN, rule_of, spoken
from adapter.hl7.ack import REFUSALS
from tests.catalogue.cases import ROWS
from tests.conformance import page

RULES_OF_THE_CONTRACT = [str(number) for number in range(1, 67)]
ROWS_OF_THE_CATALOGUE = [row.id for row in ROWS]


def probe() -> Probe:
    return Probe("0", "20260102030405+0000", limit=65536)


def test_there_are_enough_each_with_a_name_of_its_own() -> None:
    assert len(CASES) >= 80
    assert len({case.id for case in CASES}) == len(CASES)
    assert len({case.title for case in CASES}) == len(CASES)


def test_every_rule_and_row_has_a_case_or_a_reason_why_not() -> None:
    named = {name for case in CASES for name in case.named} - {"D"}
    assert named.isdisjoint(UNSEEN)
    assert named | UNSEEN.keys() == {*RULES_OF_THE_CONTRACT, *ROWS_OF_THE_CATALOGUE}
    assert {name for name in named if name.isdigit()} == RULES.keys() - UNSEEN.keys()
    assert all(case.named for case in CASES)
    assert all(rule_of(name).text and rule_of(name).source for name in (*named, "D"))
    assert [spoken(name) for name in ("21", "H19", "D")] == ["rule 21", "row H19", "table of answers"]


@pytest.mark.parametrize("profile", PROFILES)
def test_every_message_of_a_case_is_owed_a_word(profile: str) -> None:
    for case in CASES:
        maker = probe()
        sent = case.send(maker)
        acts = [sent] if isinstance(sent, bytes) else list(sent)
        maker.oru()
        assert acts, case.id
        assert len(owed(case, maker.made, PROFILES[profile])) == len(maker.made) or case.answers == "none"


def test_a_case_whose_words_do_not_count_up_to_its_messages_is_refused() -> None:
    maker, case = probe(), replace(CASES[0], answers="AA, AA")
    case.send(maker)
    maker.oru()
    with pytest.raises(ValueError, match="1 messages, 2 answers"):
        owed(case, maker.made, PROFILES["generic"])


def test_nobody_is_spoken_of() -> None:
    """Each patient number that is sent is of the reserved authority, or broken on purpose."""
    numbers: set[str] = set()
    for case in CASES:
        maker = probe()
        case.send(maker)
        bodies = (made.body.decode("latin-1") for made in maker.made)
        numbers |= {found for body in bodies for found in re.findall(r"[\r\n]PID\|1?\|?\|([^|\r\n]*)", body) if found}
    known = (PATIENT, "ZZTEST-2", "0" + PATIENT, " " + PATIENT)
    strange = {
        one for one in numbers if not (one.startswith(known) or f"^^^{AUTHORITY}" in one or set(one) == set("1~"))
    }
    assert strange == set()


def test_profiles_are_those_of_the_adapter() -> None:
    assert list(PROFILES) == list(REFUSALS)


# --- one truth -----------------------------------------------------------------------------------------------------------


def words(text: str) -> set[str]:
    return {word.strip() for part in text.split(",") for word in part.split("/")}


def agrees(case: Case, catalogue: set[str], own: str) -> bool:
    """Each message is owed something that the catalogue knows in the rows that the case names."""
    known = catalogue | {word.split()[0] for word in catalogue}
    if known & {"AE", "AR", "none"}:
        known.add("refused")
    return all(words(part) & known for part in own.split(","))


def test_the_catalogue_of_bad_input_owes_the_same_answers() -> None:
    rows = {row.id: row for row in ROWS}
    for case in CASES:
        found = [one for name in case.named if name in rows for one in rows[name].cases]
        if not found or case.severity is Severity.MAY:
            continue
        generic = {word for one in found for word in one.wire}
        generic |= {"none" for one in found if len(one.wire) < max(len(one.lot), 1)}
        strict = {" ".join(one.strict.split()[:2]) for one in found if one.strict} | generic
        assert agrees(case, generic, case.answers), (case.id, case.answers, generic)
        assert agrees(case, strict, case.strict or case.answers), (case.id, case.strict, strict)


def test_the_page_is_the_cases() -> None:
    assert page.PATH.read_text(encoding="utf-8") == page.text(), "run python -m tests.conformance.page"
