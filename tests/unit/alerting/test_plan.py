"""Who should hear of a candidate: first call, escalation, marks, updates, withdrawal."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from adapter.alerting.hours import Hours
from adapter.alerting.model import Call, Cause, Person, Policy, Standing
from adapter.alerting.plan import wishes

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NIGHT = Hours(time(22), time(7))
POLICY = Policy(
    people=(
        Person("anna", ("mail/anna",), NIGHT),
        Person("bert", ("mail/bert",), NIGHT),
        Person("pi", ("mail/pi",), NIGHT),
        Person("#board", ("board",), team=True),
    )
)
ROTA = ("anna", "bert", "pi")
NEW = Standing(
    candidate="c-1",
    trial="immunosep",
    standing=True,
    raised=NOON,
    changed=NOON,
    told="candidate certain mals t",
    deadline=NOON + 60 * HOUR,
    marks=(24 * HOUR, 12 * HOUR),
)


def call(person: str, at: datetime, cause: Cause = Cause.RAISED, told: str = NEW.told) -> Call:
    return Call(person, cause, told, at, f"{person}-{cause}-{at}")


CALLED = replace(NEW, calls=(call("#board", NOON), call("anna", NOON)))


def told(standing: Standing, now: datetime, rota: tuple[str, ...] = ROTA) -> list[tuple[str, str]]:
    return [(wish.person, str(wish.cause)) for wish in wishes(standing, rota, POLICY, now)]


def test_a_new_candidate_calls_the_first_on_the_rota_and_tells_the_team() -> None:
    assert told(NEW, NOON) == [("#board", "raised"), ("anna", "raised")]


def test_who_was_told_is_not_told_again() -> None:
    assert told(CALLED, NOON + 29 * MINUTE) == []


def test_a_gap_in_the_rota_loses_no_candidate() -> None:
    assert told(NEW, NOON, ()) == [("#board", "raised"), ("anna", "raised")]
    assert told(NEW, NOON, ("who left",)) == [("#board", "raised"), ("anna", "raised")]


def test_people_of_another_trial_are_not_called_unless_nobody_else_is_there() -> None:
    other = frozenset({"another"})
    people = tuple(replace(one, trials=other) if one.name == "anna" else one for one in POLICY.people)
    found = [wish.person for wish in wishes(NEW, ROTA, replace(POLICY, people=people), NOON)]
    assert found == ["#board", "bert"]
    assert [w.person for w in wishes(NEW, ("anna",), replace(POLICY, people=people), NOON)] == ["#board", "bert"]
    nobody = tuple(replace(one, trials=other) for one in POLICY.people if not one.team)
    assert [w.person for w in wishes(NEW, ROTA, replace(POLICY, people=nobody), NOON)] == ["anna"]


def test_the_team_alone_is_nobody_who_answers() -> None:
    assert told(replace(NEW, calls=(call("#board", NOON),)), NOON) == [("anna", "raised")]


def test_nobody_looked_so_the_next_is_called_and_then_the_one_after() -> None:
    assert told(CALLED, NOON + 30 * MINUTE) == [("bert", "escalated")]
    further = replace(CALLED, calls=(*CALLED.calls, call("bert", NOON + 30 * MINUTE, Cause.ESCALATED)))
    assert told(further, NOON + 59 * MINUTE) == []
    assert told(further, NOON + 60 * MINUTE) == [("pi", "escalated")]
    all_called = replace(further, calls=(*further.calls, call("pi", NOON + 60 * MINUTE, Cause.ESCALATED)))
    assert told(all_called, NOON + 10 * HOUR) == []


@pytest.mark.parametrize("became", [{"opened": NOON + MINUTE}, {"claimed": True}, {"decided": True}])
def test_who_looked_claimed_or_decided_is_an_answer(became: dict[str, object]) -> None:
    assert told(replace(CALLED, **became), NOON + 10 * HOUR) == []  # type: ignore[arg-type]


def test_a_call_that_no_channel_carried_goes_to_the_next_at_once() -> None:
    lost = replace(CALLED, failed=frozenset({CALLED.calls[1].key}))
    assert told(lost, NOON + MINUTE) == [("bert", "escalated")]


def test_at_night_people_have_longer_to_answer() -> None:
    late = NOON.replace(hour=23)
    night = replace(CALLED, raised=late, calls=(call("#board", late), call("anna", late)))
    assert told(night, late + 59 * MINUTE) == []
    assert told(night, late + 60 * MINUTE) == [("bert", "escalated")]


def test_the_marks_of_the_trial_call_more_people_each_while_nobody_has_decided() -> None:
    seen = replace(CALLED, opened=NOON + MINUTE, claimed=True)
    assert told(seen, NOON + 36 * HOUR - MINUTE) == []
    assert told(seen, NOON + 36 * HOUR) == [("anna", "deadline")]
    once = replace(seen, calls=(*seen.calls, call("anna", NOON + 36 * HOUR, Cause.DEADLINE)))
    assert told(once, NOON + 47 * HOUR) == []
    assert told(once, NOON + 48 * HOUR) == [("anna", "deadline"), ("bert", "deadline")]
    assert told(once, NOON + 60 * HOUR) == []
    assert told(replace(once, decided=True), NOON + 48 * HOUR) == []


def test_who_has_it_in_hand_is_reminded_first() -> None:
    held = replace(CALLED, claimed=True, holder="pi")
    assert told(held, NOON + 36 * HOUR) == [("pi", "deadline")]
    assert told(held, NOON + 48 * HOUR) == [("pi", "deadline"), ("anna", "deadline")]
    assert told(replace(held, holder="a guest"), NOON + 36 * HOUR) == [("anna", "deadline")]


HANDED = NOON + 2 * HOUR
GIVEN = replace(CALLED, claimed=True, opened=NOON + MINUTE, holder="bert", handed=HANDED)
"""anna looked, and handed it to bert."""


def test_whom_it_was_handed_to_is_told_once_in_quiet_hours_and_of_a_decided_one_too() -> None:
    assert told(GIVEN, HANDED) == told(replace(GIVEN, decided=True), HANDED) == [("bert", "handed-over")]
    (wish,) = wishes(GIVEN, ROTA, POLICY, HANDED)
    assert wish.urgent
    heard = replace(GIVEN, calls=(*CALLED.calls, call("bert", HANDED, Cause.HANDED_OVER)))
    assert told(heard, HANDED + 29 * MINUTE) == []
    assert told(replace(heard, handed=HANDED + MINUTE), HANDED + MINUTE) == [("bert", "handed-over")]
    for nobody in (replace(GIVEN, holder="a guest"), replace(GIVEN, standing=False, calls=())):
        assert told(nobody, HANDED) == []


def test_a_hand_over_that_nobody_looks_at_is_no_answer() -> None:
    heard = replace(GIVEN, calls=(*CALLED.calls, call("bert", HANDED, Cause.HANDED_OVER)))
    assert heard.waits
    assert told(heard, HANDED + 30 * MINUTE) == [("pi", "escalated")]
    further = replace(heard, calls=(*heard.calls, call("pi", HANDED + 30 * MINUTE, Cause.ESCALATED)))
    assert told(further, HANDED + 59 * MINUTE) == []
    assert told(further, HANDED + 60 * MINUTE) == [("anna", "escalated")], "who was called before it, at last"
    all_called = replace(further, calls=(*further.calls, call("anna", HANDED + 60 * MINUTE, Cause.ESCALATED)))
    assert told(all_called, HANDED + 9 * HOUR) == []
    looked = replace(heard, handed=None)
    assert not looked.waits
    assert told(looked, HANDED + 9 * HOUR) == []


def test_a_hand_over_that_cannot_be_told_goes_to_the_next_in_time() -> None:
    lost = replace(GIVEN, calls=(*CALLED.calls, call("bert", HANDED, Cause.HANDED_OVER)))
    assert told(replace(lost, failed=frozenset({lost.calls[-1].key})), HANDED + MINUTE) == [("pi", "escalated")]
    guest = replace(GIVEN, holder="a guest")
    assert told(guest, HANDED + 29 * MINUTE) == []
    assert told(guest, HANDED + 30 * MINUTE) == [("bert", "escalated")]


def test_an_alert_that_is_raised_anew_after_a_hand_over_is_answered_by_a_look() -> None:
    anew = replace(GIVEN, raised=HANDED + HOUR, calls=(call("anna", HANDED + HOUR), call("#board", HANDED + HOUR)))
    assert told(anew, HANDED + 2 * HOUR) == []
    assert told(replace(anew, opened=None), HANDED + 2 * HOUR) == [("pi", "escalated")]


def test_a_mark_that_had_passed_at_the_first_call_is_covered_by_it() -> None:
    close = replace(CALLED, deadline=NOON + 10 * HOUR, opened=NOON + MINUTE)
    assert told(close, NOON + 9 * HOUR) == []


def test_only_what_has_little_time_left_is_urgent() -> None:
    for left, urgent in ((12 * HOUR, True), (12 * HOUR + MINUTE, False)):
        found = wishes(replace(NEW, deadline=NOON + left), ROTA, POLICY, NOON)
        assert {wish.urgent for wish in found} == {urgent}
    assert not any(wish.urgent for wish in wishes(replace(NEW, deadline=None), ROTA, POLICY, NOON))


def test_whoever_heard_something_else_hears_of_the_change_and_nobody_else() -> None:
    changed = replace(CALLED, told="candidate certain immunoparalysis t", opened=NOON)
    assert sorted(told(changed, NOON + MINUTE)) == [("#board", "updated"), ("anna", "updated")]
    again = [call(name, NOON + MINUTE, Cause.UPDATED, changed.told) for name in ("anna", "#board")]
    assert told(replace(changed, calls=(*changed.calls, *again)), NOON + 2 * MINUTE) == []


def test_a_withdrawal_follows_once_to_everybody_who_was_told() -> None:
    over = replace(CALLED, standing=False, changed=NOON + HOUR)
    assert sorted(told(over, NOON + HOUR)) == [("#board", "withdrawn"), ("anna", "withdrawn")]
    heard = [call(name, NOON + HOUR, Cause.WITHDRAWN) for name in ("anna", "#board")]
    assert told(replace(over, calls=(*over.calls, *heard)), NOON + 2 * HOUR) == []
    assert told(replace(NEW, standing=False), NOON) == []
    assert told(replace(over, decided=True), NOON + HOUR) == []


def test_nobody_hears_first_of_one_whose_time_is_over() -> None:
    over = replace(NEW, deadline=NOON - MINUTE)
    assert told(over, NOON) == []
    assert told(replace(over, deadline=NOON + MINUTE), NOON) == [("#board", "raised"), ("anna", "raised")]


def test_what_is_wished_of_one_who_was_held_says_so() -> None:
    assert {wish.held for wish in wishes(replace(NEW, held=True), ROTA, POLICY, NOON)} == {True}
    assert {wish.held for wish in wishes(NEW, ROTA, POLICY, NOON)} == {False}


@pytest.mark.parametrize(
    ("change", "later", "cause"),
    [
        ({}, HOUR, Cause.ESCALATED),
        ({"claimed": True}, 36 * HOUR, Cause.DEADLINE),
        ({"claimed": True, "told": "candidate certain ards t"}, HOUR, Cause.UPDATED),
    ],
)
def test_once_told_one_who_was_held_is_like_any_other(change: dict[str, Any], later: timedelta, cause: Cause) -> None:
    wished = wishes(replace(CALLED, held=True, **change), ROTA, POLICY, NOON + later)
    assert {(wish.cause, wish.held) for wish in wished} == {(cause, False)}


def test_whom_quiet_hours_held_still_hears_as_one_who_was_held() -> None:
    """A team channel has heard already."""
    wished = wishes(replace(NEW, held=True, calls=(call("#board", NOON),)), ROTA, POLICY, NOON)
    assert [(wish.person, wish.held) for wish in wished] == [("anna", True)]
