"""A record told again: what would have been shown, since when, and which assessment tells of the episode."""

from datetime import timedelta
from functools import cache

from adapter import assets
from adapter.screening.interpret import interpret
from adapter.screening.retrospect import Course, Told, follow
from adapter.screening.rulebook import Rulebook
from tests.builders import PATIENT, T0, adt, after, obx, oru, raw


@cache
def rules() -> Rulebook:
    return assets.load_rulebook(None, trials=["immunosep-demo"])


def told(hour: float, body: bytes) -> Told:
    return Told(after(hour), interpret(raw(body), rules(), message_id=f"{hour}").events)


ARRIVAL = told(-1, adt("A01", cls="E", ward="ED"))
ORGANS = told(0, oru(obx("777-3", "90", "10*3/uL"), obx("8478-0", "60", "mm[Hg]")))
FERRITIN = told(1, oru(obx("2276-4", "5200", "ng/mL"), order="F2", at="20260102040000"))
NEUTROPENIA = told(2, oru(obx("751-8", "0.9", "10*3/uL"), order="F3", at="20260102050000"))
SILENCE = Told(after(3), ())


def course(*record: Told) -> Course:
    (found,) = follow(PATIENT, record, rules())
    return found


def test_a_candidate_is_told_of_by_the_first_assessment_as_one() -> None:
    found = course(ARRIVAL, ORGANS, FERRITIN, SILENCE, told(90, adt("A08", cls="E", ward="ICU")))
    assert (found.shown, found.candidate) == (T0, after(1))
    row = found.row()
    assert (row["verdict"], row["judged_at"], row["last_verdict"]) == ("candidate", after(1), "expired")
    assert (row["onset"], row["deadline"]) == (T0, T0 + timedelta(hours=72))
    assert row["against"] == []


def test_one_who_never_was_a_candidate_by_the_last_while_sepsis_held_and_time_was_left() -> None:
    row = course(ARRIVAL, ORGANS, NEUTROPENIA).row()
    assert (row["verdict"], row["judged_at"], row["against"]) == ("not-candidate", after(2), ["E5"])
    assert row["first_candidate"] is None
    assert row["first_shown"] == T0
    assert row["sofa_low"] == 3


def test_one_without_sepsis_by_the_last_of_all() -> None:
    row = course(ARRIVAL, told(1, oru(obx("2276-4", "900", "ng/mL")))).row()
    assert (row["onset"], row["first_shown"], row["judged_at"]) == (None, None, after(1))


def test_a_silent_record_has_no_course() -> None:
    assert follow(PATIENT, [SILENCE], rules()) == []


def test_time_alone_is_asked_between_two_messages() -> None:
    early = course(ARRIVAL, ORGANS, told(80, adt("A08", cls="E", ward="ICU")))
    assert early.last.at == after(80)
    assert early.telling.at < after(72)
    assert early.telling.at > T0
