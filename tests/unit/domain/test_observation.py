"""The versions of one result."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

from adapter.domain.observation import Observation, Original, Result, ResultStatus, joined
from tests.builders import observation

T0 = datetime(2026, 1, 2, 8, tzinfo=UTC)


def version(status: ResultStatus, minutes: int, text: str = "18") -> Observation:
    issued = T0 + timedelta(minutes=minutes)
    return Observation(
        identity="r1",
        concept="platelets",
        effective=T0,
        status=status,
        original=Original(text, "10*9/L", "777-3", "LN"),
        message="1",
        issued=issued,
        sender_time=issued,
        digest=f"{status}{minutes}{text}",
    )


def result(*versions: Observation) -> Result:
    known: tuple[Observation, ...] = ()
    for one in versions:
        known = joined(known, one)
    return Result(known)


PRELIMINARY = version(ResultStatus.PRELIMINARY, 0)
FINAL = version(ResultStatus.FINAL, 10)
CORRECTED = version(ResultStatus.CORRECTED, 70, "181")
GONE = version(ResultStatus.WITHDRAWN, 90, "")


def test_a_final_word_after_another_correction_stands_and_says_so_in_any_order() -> None:
    said = [
        observation(
            "platelets", value, status=ResultStatus(status), identity="A1", issued=T0 + timedelta(minutes=minutes)
        )
        for value, status, minutes in ((18, "final", 0), (181, "corrected", 30), (18, "final", 60))
    ]
    for order in permutations(said):
        now = result(*order).usable
        assert now is not None
        assert (now.quantity, now.flags) == (said[2].quantity, ("final-after-correction",))
    same = observation("platelets", 181, identity="A1", issued=T0 + timedelta(minutes=60))
    (quiet, corrected) = (result(*said[:2], same).usable, result(*said[:2]).usable)
    assert (quiet and quiet.flags, corrected and corrected.flags) == ((), ())


def test_every_order_and_repetition_gives_the_same_result() -> None:
    everything = [PRELIMINARY, FINAL, CORRECTED, GONE, FINAL]
    assert len({result(*order) for order in permutations(everything)}) == 1


def test_a_preliminary_after_the_final_one_changes_nothing() -> None:
    now = result(FINAL, PRELIMINARY).usable
    assert now == FINAL


def test_a_preliminary_result_is_current_but_not_usable() -> None:
    assert result(PRELIMINARY).current == PRELIMINARY
    assert result(PRELIMINARY).usable is None


def test_a_withdrawn_result_leaves_nothing() -> None:
    assert result(FINAL, GONE).current is None


def test_a_promotion_makes_the_stored_preliminary_final() -> None:
    now = result(PRELIMINARY, version(ResultStatus.PROMOTED, 20, "")).usable
    assert now is not None
    assert (now.original.value, now.status) == ("18", ResultStatus.FINAL)


def test_a_promotion_of_nothing_is_nothing() -> None:
    assert result(version(ResultStatus.PROMOTED, 20, "")).current is None


def test_a_nightly_resend_is_the_same_statement_at_its_newest_telling() -> None:
    again = replace(FINAL, sender_time=T0 + timedelta(days=1), message="9")
    both = result(FINAL, again)
    assert len(both.versions) == 1
    assert both.versions[0].message == "1"
    assert both == result(replace(again, message="1"), FINAL)


def test_a_final_word_about_what_was_withdrawn_brings_no_value_back() -> None:
    """`U` says that the stored preliminary is final now; a stored result that was taken back stays so."""
    promoted = version(ResultStatus.PROMOTED, 100, "")
    assert result(PRELIMINARY, promoted).usable is not None
    assert result(PRELIMINARY, GONE, promoted).current is None
    assert result(promoted).current is None
