"""One alert life per episode: raised, updated, withdrawn, raised again."""

from dataclasses import replace
from datetime import timedelta

from adapter.domain.alert import AlertKind
from adapter.domain.assessment import Assessment, Verdict
from adapter.domain.trial import CriterionKind
from adapter.domain.truth import Truth
from adapter.screening.alerts import decide, difference, substance, summarise, why_not
from tests.assessments import AT, assessment


def shown(**changes: object) -> Assessment:
    return replace(assessment(), shown=True, **changes)


def hidden(**changes: object) -> Assessment:
    return replace(assessment(), shown=False, **changes)


def test_a_candidate_nobody_was_told_of_is_raised() -> None:
    change = decide(None, shown(), AT)
    assert change is not None
    assert (change.kind, change.alert.standing, change.alert.raised) == (AlertKind.RAISED, True, AT)


def test_the_same_finding_again_tells_nobody() -> None:
    standing = decide(None, shown(), AT).alert
    assert decide(standing, shown(at=AT + timedelta(hours=1)), AT + timedelta(hours=1)) is None


def test_another_stratum_updates_and_says_what_changed() -> None:
    standing = decide(None, shown(), AT).alert
    change = decide(standing, shown(stratum="unclassified"), AT)
    assert change.kind is AlertKind.UPDATED
    assert change.reason == f"stratum {shown().stratum} → unclassified"
    assert change.alert.raised == standing.raised


def test_a_lost_ground_withdraws_once_and_a_regained_one_raises_again() -> None:
    standing = decide(None, shown(), AT).alert
    gone = decide(standing, hidden(verdict=Verdict.NOT_CANDIDATE), AT)
    assert gone.kind is AlertKind.WITHDRAWN
    assert decide(gone.alert, hidden(verdict=Verdict.NOT_CANDIDATE), AT) is None
    again = decide(gone.alert, shown(), AT)
    assert (again.kind, again.reason) == (AlertKind.RAISED, "ground regained")


def test_nobody_is_told_of_a_patient_who_was_never_shown() -> None:
    assert decide(None, hidden(), AT) is None


def test_the_reason_names_the_criteria_or_the_clock_or_the_end_of_the_visit() -> None:
    against = tuple(
        replace(c, answer=Truth.MET) if c.kind is CriterionKind.EXCLUSION else c for c in assessment().criteria
    )
    named = why_not(hidden(criteria=against))
    assert named.startswith("against: ") == any(c.kind is CriterionKind.EXCLUSION for c in against)
    assert why_not(hidden(verdict=Verdict.EXPIRED)) == "the time limit has passed"


def test_a_summary_is_five_words() -> None:
    assert len(summarise(shown(status="")).split()) == len(summarise(shown(status="declined")).split()) == 5
    assert difference("a b c d -", "a x c d on-study") == "certainty b → x, status - → on-study"


def test_people_are_not_told_of_what_they_set_themselves() -> None:
    declined, eligible = (summarise(shown(status=status)) for status in ("declined", ""))
    assert declined != eligible
    assert substance(declined) == substance(eligible)
    assert substance(summarise(shown(stratum="unclassified"))) != substance(eligible)
